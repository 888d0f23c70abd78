/* worker/kommo_rows.h - which columns are read of the CRM's clients, and what a row of them means. Knows results of libpq
 * and no connection. One thread at a time. */
#ifndef ECOSYS_WORKER_KOMMO_ROWS_H
#define ECOSYS_WORKER_KOMMO_ROWS_H

#include <stddef.h>

#include "common/snapshot.h"
#include "worker/value.h"

struct pg_result;

struct kommo_column {
    const char *name;      /* table.column */
    const unsigned *types; /* PostgreSQL's numbers of those that can be used; 0 behind the last one */
    const char *takes;     /* the same in words */
};

/* A column whose type cannot be used. */
struct kommo_misfit {
    const struct kommo_column *column; /* NULL: there is none */
    unsigned type;
};

struct kommo_rows {
    struct client_rows *out; /* not owned */
    size_t capacity;
    struct value_reader reader;
    bool types_are_known;
    struct kommo_misfit misfit; /* why kommo_rows_take failed, unless column is NULL */
};

/* Asks for all clients; and the same for none of them. Constants, in ASCII. */
const char *kommo_rows_sql(void);
const char *kommo_rows_check_sql(void);

/* Where in these statements the server saw an error: the name that begins there, such as that of a table that it could not
 * lock; empty when it does not say. */
struct bytes kommo_rows_name_at(const struct pg_result *refusal);

/* The first misfit among the columns of a result. */
struct kommo_misfit kommo_rows_find_misfit(const struct pg_result *result);

/* *out was initialised by the caller, who clears it. */
void kommo_rows_begin(struct kommo_rows *rows, struct client_rows *out);

/* Takes the row of a result; one without a row, which comes last, has the types of its columns looked at. STATUS_INVALID
 * for a misfit, or a client without id. */
MUST_CHECK enum status kommo_rows_take(struct kommo_rows *rows, const struct pg_result *result,
                                       struct error *err);

/* Behind the last row. STATUS_INVALID for a client that occurs twice. */
MUST_CHECK enum status kommo_rows_finish(const struct kommo_rows *rows, struct error *err);

#endif
