/* worker/kommo_catalog.h - puts a name to what is wrong with the CRM's tables, once a query has failed: the server
 * speaks of aliases, operators and type numbers, an operator wants table, column and type. One thread at a time. */
#ifndef ECOSYS_WORKER_KOMMO_CATALOG_H
#define ECOSYS_WORKER_KOMMO_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct pg_conn;

/* Whether the catalogue may have something to say about a failure with this SQLSTATE. */
bool kommo_catalog_can_explain(const char *sqlstate);

/* After such a failure, in a transaction that answers: rewrites err->message when a table or a column is missing or two
 * columns that are compared are of different types; else leaves it as it is. The transaction may be of no use behind
 * it. */
void kommo_catalog_explain(struct pg_conn *conn, struct error *err);

/* The name of the type with that number, as SQL spells it; its number where the server cannot be asked. */
void kommo_catalog_type(struct pg_conn *conn, unsigned type, char *out, size_t out_size);

/* Whether deleted clients are skipped by an index. */
struct kommo_index_advice {
    bool is_missing;         /* false also where there can be none: clientes_kommo is a view */
    int64_t rows, live_rows; /* as the server estimates them; below 0: it does not know */
};

MUST_CHECK enum status kommo_catalog_advise(struct pg_conn *conn, struct kommo_index_advice *out,
                                            struct error *err);

#endif
