/* api/data/document_key.h - which documents there are, and what tells one finished document from another. */
#ifndef ECOSYS_API_DATA_DOCUMENT_KEY_H
#define ECOSYS_API_DATA_DOCUMENT_KEY_H

#include <stdint.h>

#include "api/formats/compression.h"
#include "api/formats/media.h"
#include "common/domain/date_filter.h"

/* documents.c has a table that says how each is made. */
enum document {
    DOCUMENT_CLIENTES,
    DOCUMENT_HEALTH_PLANO,
    DOCUMENT_HEALTH_DETALHADO,
    DOCUMENT_DASHBOARD,
    DOCUMENT_LOGINS,
    DOCUMENT_COUNT,
};

struct document_key {
    struct date_filter filter; /* DATE_FILTER_ALL for a tenant's document */
    uint64_t tenant_id;        /* for a tenant's document, else 0 */
    enum document document;
    enum media media;
    enum encoding encoding;
};

#endif
