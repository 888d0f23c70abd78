/* worker/sources/kommo_rows.h - which columns of the CRM's clients are read, and what a row of them means. Knows
 * libpq's results but no connection. One thread at a time. */
#ifndef ECOSYS_WORKER_SOURCES_KOMMO_ROWS_H
#define ECOSYS_WORKER_SOURCES_KOMMO_ROWS_H

#include <stddef.h>

#include "common/domain/snapshot.h"
#include "worker/sources/value.h"

struct pg_result;

struct kommo_column {
    const char *name;      /* table.column */
    const unsigned *types; /* PostgreSQL's numbers of the usable types, ending with 0 */
    const char *takes;     /* the same in words */
};

/* A column of an unusable type. */
struct kommo_misfit {
    const struct kommo_column *column; /* NULL: none */
    unsigned type;
};

struct kommo_rows {
    struct client_rows *out; /* not owned */
    size_t capacity;
    struct value_reader reader;
    bool types_are_known;
    struct kommo_misfit misfit; /* why kommo_rows_take failed, unless column is NULL */
};

/* Statements that select all clients and, the second, none of them. Constants, in ASCII. */
const char *kommo_rows_sql(void);
const char *kommo_rows_check_sql(void);

/* The name at the position in these statements where the server saw an error, such as a table it could not lock; empty
 * when it does not say. */
struct bytes kommo_rows_name_at(const struct pg_result *refusal);

/* The first misfit among the columns of a result. */
struct kommo_misfit kommo_rows_find_misfit(const struct pg_result *result);

/* The caller initialises and clears *out. */
void kommo_rows_begin(struct kommo_rows *rows, struct client_rows *out);

/* Takes a result's row, if it has one: the last result has none. Checks the column types of the first result.
 * STATUS_INVALID for a misfit, or a client without id. */
MUST_CHECK enum status kommo_rows_take(struct kommo_rows *rows, const struct pg_result *result,
                                       struct error *err);

/* After the last row. STATUS_INVALID for a client that occurs twice. */
MUST_CHECK enum status kommo_rows_finish(const struct kommo_rows *rows, struct error *err);

#endif
