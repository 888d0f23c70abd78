/* worker/sources/ecosys_rows.h - turns the rows of EcoSys's queries, taken one by one, into tenants and their events.
 * Knows no database: rows come as cells of text. One thread at a time. */
#ifndef ECOSYS_WORKER_SOURCES_ECOSYS_ROWS_H
#define ECOSYS_WORKER_SOURCES_ECOSYS_ROWS_H

#include "common/domain/scoring_model.h"
#include "common/domain/snapshot.h"
#include "worker/sources/ecosys_sql.h"
#include "worker/sources/value.h"

struct ecosys_row {
    char *const *cells; /* NULL for SQL's NULL */
    const unsigned long *lens;
};

struct integrator_row {
    struct tenant *tenant;
    int64_t id;
};

struct ecosys_rows {
    struct tenant_rows *out; /* not owned */
    struct value_reader reader;
    int64_t events_since_us, logins_since_us; /* wall time at which the windows start */
    struct integrator_row *integrators;
    size_t integrators_count, integrators_capacity;
    struct bytes *open_names; /* of econversa configurations */
    size_t open_names_count, open_names_capacity;
    size_t tenants_capacity, users_capacity, logins_capacity;
};

/* The caller initialises and clears *out; windows are counted back from `today`. */
void ecosys_rows_begin(struct ecosys_rows *rows, struct tenant_rows *out, const struct scoring_model *model,
                       int32_t today);

/* Takes a row; tenants come first, then users. STATUS_INVALID names table and column of an id that is not a number. */
MUST_CHECK enum status ecosys_rows_take(struct ecosys_rows *rows, enum ecosys_query query,
                                        const struct ecosys_row *row, struct error *err);

/* After the last row of each query: puts its rows in order. STATUS_INVALID for a tenant that occurs twice. */
MUST_CHECK enum status ecosys_rows_end(struct ecosys_rows *rows, enum ecosys_query query, struct error *err);

/* After the last query: sorts the logins and derives the team sizes from them. */
MUST_CHECK enum status ecosys_rows_finish(struct ecosys_rows *rows, struct error *err);

#endif
