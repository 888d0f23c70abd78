/* worker/sources/ecosys.h - EcoSys's MySQL or MariaDB: one read-only snapshot, aggregated by the server to rows per
 * tenant. One thread at a time. */
#ifndef ECOSYS_WORKER_SOURCES_ECOSYS_H
#define ECOSYS_WORKER_SOURCES_ECOSYS_H

#include <stddef.h>

#include "common/domain/scoring_model.h"
#include "common/domain/snapshot.h"
#include "common/program/settings.h"
#include "worker/sources/ecosys_catalog.h"
#include "worker/sources/interrupt.h"

struct st_mysql;

struct ecosys {
    struct st_mysql *conn;
    struct interrupt *interrupt; /* not owned */
    uint64_t rows_count;         /* read so far */
    int64_t answer_limit_s;      /* how long to wait for an answer once the catalogue has been read */
    int64_t statement_limit_s;   /* the limit on a statement that the server was last given */
    bool has_changed_table; /* failed because a table was altered after the snapshot; a new one may succeed */
};

/* Connects and sets up the session: REPEATABLE READ before anything else (under READ COMMITTED, a consistent snapshot
 * is silently not taken), the zone's offset at the reference instant, and time limits, in the server's own dialect.
 * From here to the end of ecosys_read_catalog, which must follow, the interrupt's deadline is DB_CONNECT_TIMEOUT.
 * ecosys_close must follow, whatever the result. */
MUST_CHECK enum status ecosys_open(struct ecosys *ecosys, const struct settings *settings,
                                   int32_t zone_offset_s, struct interrupt *interrupt, struct error *err);
void ecosys_close(struct ecosys *ecosys);

/* START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY. */
MUST_CHECK enum status ecosys_snapshot(struct ecosys *ecosys, struct error *err);

/* Reads the server's catalogue: whether our tables and columns exist with usable types, and which indexes exist. Best
 * called before the snapshot, which does not cover it. STATUS_INVALID names table, column and type. */
MUST_CHECK enum status ecosys_read_catalog(struct ecosys *ecosys, const struct scoring_model *model,
                                           struct ecosys_catalog *out, struct error *err);

/* Reads all tenants with what the model's windows, counted back from `today`, need. The caller initialises and clears
 * *out. */
MUST_CHECK enum status ecosys_read(struct ecosys *ecosys, const struct scoring_model *model,
                                   const struct ecosys_catalog *catalog, int32_t today,
                                   struct tenant_rows *out, struct error *err);

/* Checks that the server accepts every query and that every base table is InnoDB (no other engine has snapshots), and
 * calls `advise` for each missing recommended index, with the server's estimate of the rows in its table. */
MUST_CHECK enum status ecosys_check(struct ecosys *ecosys, const struct scoring_model *model,
                                    const struct ecosys_catalog *catalog,
                                    void (*advise)(const struct ecosys_index_advice *advice, uint64_t rows),
                                    struct error *err);

/* The version as the server reports it. */
const char *ecosys_version(const struct ecosys *ecosys);

/* What protects the connection: "TLSv1.3", "TCP without TLS", "a Unix socket". */
const char *ecosys_protection(const struct ecosys *ecosys);

#endif
