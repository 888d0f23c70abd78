/* worker/ecosys.h - EcoSys's MySQL or MariaDB: one read-only snapshot, aggregated by the server to rows a tenant.
 * One thread at a time. */
#ifndef ECOSYS_WORKER_ECOSYS_H
#define ECOSYS_WORKER_ECOSYS_H

#include <stddef.h>

#include "common/scoring_model.h"
#include "common/settings.h"
#include "common/snapshot.h"
#include "worker/ecosys_catalog.h"
#include "worker/interrupt.h"

struct st_mysql;

struct ecosys {
    struct st_mysql *conn;
    struct interrupt *interrupt; /* not owned */
    uint64_t rows_count;         /* that were read so far */
    int64_t answer_limit_s;      /* for which an answer is waited for, once the catalogue was read */
    int64_t statement_limit_s;   /* for which the server was told to go on with a statement */
    bool
        has_changed_table; /* the failure was a table altered behind the snapshot; another snapshot will do */
};

/* Connects and sets the session up: REPEATABLE READ before anything else (under READ COMMITTED a consistent snapshot
 * is silently none), the zone's offset at the reference instant, time limits in the server's own words. From here to the
 * end of ecosys_read_catalog, which must follow, the interrupt's deadline is DB_CONNECT_TIMEOUT. ecosys_close must
 * follow, whatever the result. */
MUST_CHECK enum status ecosys_open(struct ecosys *ecosys, const struct settings *settings,
                                   int32_t zone_offset_s, struct interrupt *interrupt, struct error *err);
void ecosys_close(struct ecosys *ecosys);

/* START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY. */
MUST_CHECK enum status ecosys_snapshot(struct ecosys *ecosys, struct error *err);

/* Reads the server's catalogue: whether tables and columns are there and of use, and which indexes there are. Best
 * before the snapshot, which it is no part of. STATUS_INVALID names table, column and type. */
MUST_CHECK enum status ecosys_read_catalog(struct ecosys *ecosys, const struct scoring_model *model,
                                           struct ecosys_catalog *out, struct error *err);

/* Reads all tenants with what the model's windows, counted back from `today`, need; *out was initialised by the
 * caller, who clears it. */
MUST_CHECK enum status ecosys_read(struct ecosys *ecosys, const struct scoring_model *model,
                                   const struct ecosys_catalog *catalog, int32_t today,
                                   struct tenant_rows *out, struct error *err);

/* Sees that the server takes every query and that every base table is InnoDB (others have no snapshot), and calls
 * `advise` for each recommended index that is missing, with the number of rows in its table as far as the server
 * knows. */
MUST_CHECK enum status ecosys_check(struct ecosys *ecosys, const struct scoring_model *model,
                                    const struct ecosys_catalog *catalog,
                                    void (*advise)(const struct ecosys_index_advice *advice, uint64_t rows),
                                    struct error *err);

/* The server's words. */
const char *ecosys_version(const struct ecosys *ecosys);

/* What protects the connection: "TLSv1.3", "TCP without TLS", "a Unix socket". */
const char *ecosys_protection(const struct ecosys *ecosys);

#endif
