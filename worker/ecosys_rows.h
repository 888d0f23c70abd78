/* worker/ecosys_rows.h - rows of EcoSys's queries, one after the other, become tenants with what happened to them.
 * Knows no database: rows come as cells of text. One thread at a time. */
#ifndef ECOSYS_WORKER_ECOSYS_ROWS_H
#define ECOSYS_WORKER_ECOSYS_ROWS_H

#include "common/scoring_model.h"
#include "common/snapshot.h"
#include "worker/ecosys_sql.h"
#include "worker/value.h"

struct ecosys_row {
    char *const *cells; /* NULL is SQL's */
    const unsigned long *lens;
};

struct integrator_row {
    struct tenant *tenant;
    int64_t id;
};

struct ecosys_rows {
    struct tenant_rows *out; /* not owned */
    struct value_reader reader;
    int64_t events_since_us, logins_since_us; /* wall time at which the windows begin */
    struct integrator_row *integrators;
    size_t integrators_count, integrators_capacity;
    struct bytes *open_names; /* of econversa configurations */
    size_t open_names_count, open_names_capacity;
    size_t tenants_capacity, users_capacity, logins_capacity;
};

/* *out was initialised by the caller, who clears it; windows are counted back from `today`. */
void ecosys_rows_begin(struct ecosys_rows *rows, struct tenant_rows *out, const struct scoring_model *model,
                       int32_t today);

/* Takes a row; those of tenants come first, then those of users. STATUS_INVALID names table and column of an id that is
 * no number. */
MUST_CHECK enum status ecosys_rows_take(struct ecosys_rows *rows, enum ecosys_query query,
                                        const struct ecosys_row *row, struct error *err);

/* Behind the last row of each query: puts its rows in order. STATUS_INVALID for a tenant that occurs twice. */
MUST_CHECK enum status ecosys_rows_end(struct ecosys_rows *rows, enum ecosys_query query, struct error *err);

/* Behind the last query: puts the logins in order and measures the teams by them. */
MUST_CHECK enum status ecosys_rows_finish(struct ecosys_rows *rows, struct error *err);

#endif
