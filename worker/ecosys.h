/* worker/ecosys.h - EcoSys's MySQL or MariaDB: one read-only snapshot, aggregated by the server to rows a tenant.
 * One thread at a time. */
#ifndef ECOSYS_WORKER_ECOSYS_H
#define ECOSYS_WORKER_ECOSYS_H

#include <stddef.h>

#include "common/scoring_model.h"
#include "common/settings.h"
#include "common/snapshot.h"
#include "worker/interrupt.h"

struct st_mysql;

struct ecosys {
    struct st_mysql *conn;
    struct interrupt *interrupt; /* not owned */
};

/* Connects and sets the session up: REPEATABLE READ before anything else (under READ COMMITTED a consistent snapshot
 * is silently none), the zone's offset at the reference instant, time limits in the server's own words. ecosys_close
 * must follow, whatever the result. */
MUST_CHECK enum status ecosys_open(struct ecosys *ecosys, const struct settings *settings,
                                   int32_t zone_offset_s, struct interrupt *interrupt, struct error *err);
void ecosys_close(struct ecosys *ecosys);

/* START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY. */
MUST_CHECK enum status ecosys_snapshot(struct ecosys *ecosys, struct error *err);

/* Reads all tenants with what the model's windows, counted back from `today`, need; *out was initialised by the
 * caller, who clears it. */
MUST_CHECK enum status ecosys_read(struct ecosys *ecosys, const struct scoring_model *model, int32_t today,
                                   struct tenant_rows *out, struct error *err);

/* Sees that tables, columns and rights are there and that every base table is InnoDB (others have no snapshot);
 * *version gets the server's words. */
MUST_CHECK enum status ecosys_check(struct ecosys *ecosys, const struct scoring_model *model, char *version,
                                    size_t version_size, struct error *err);

#endif
