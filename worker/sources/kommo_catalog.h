/* worker/sources/kommo_catalog.h - names what is wrong with the CRM's tables once a query has failed: the server speaks
 * of aliases, operators and type numbers, an administrator needs table, column and type. One thread at a time. */
#ifndef ECOSYS_WORKER_SOURCES_KOMMO_CATALOG_H
#define ECOSYS_WORKER_SOURCES_KOMMO_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct pg_conn;

/* Whether the catalogue may explain a failure with this SQLSTATE. */
bool kommo_catalog_can_explain(const char *sqlstate);

/* After such a failure, in a working transaction: rewrites err->message when a table or column is missing or two
 * compared columns differ in type; otherwise leaves it alone. May leave the transaction unusable. */
void kommo_catalog_explain(struct pg_conn *conn, struct error *err);

/* The SQL name of the type with that number; the number itself if the server does not answer. */
void kommo_catalog_type(struct pg_conn *conn, unsigned type, char *out, size_t out_size);

/* Whether an index lets queries skip deleted clients. */
struct kommo_index_advice {
    bool is_missing;         /* false also where none is possible: clientes_kommo is a view */
    int64_t rows, live_rows; /* the server's estimates; below 0: unknown */
};

MUST_CHECK enum status kommo_catalog_advise(struct pg_conn *conn, struct kommo_index_advice *out,
                                            struct error *err);

#endif
