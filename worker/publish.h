/* worker/publish.h - a generation becomes visible whole or not at all: all its keys are written first, then one script
 * flips the pointer, if the lease is still ours and the pointer has not moved. One thread at a time. */
#ifndef ECOSYS_WORKER_PUBLISH_H
#define ECOSYS_WORKER_PUBLISH_H

#include "common/domain/scored_snapshot.h"
#include "common/program/settings.h"
#include "common/redis/redis_link.h"
#include "worker/sources/interrupt.h"

/* How long readers that began with the previous generation may still load it. Older ones have a few seconds. */
#define PUBLISH_GRACE_S 60

struct publisher {
    struct redis_link *link;           /* not owned */
    const struct settings *settings;   /* not owned */
    const char *lease_token;           /* not owned */
    struct interrupt *interrupt;       /* not owned; checked between commands */
    const struct date_filter *popular; /* not owned: requested most, and so given a bucket */
    size_t popular_count;
};

struct published {
    uint64_t generation;
    uint64_t keys_count;
    uint64_t bytes_count;
    int64_t answer_us, redis_us; /* parts of the time publishing took; the rest is encoding */
};

/* Publishes the scored snapshot, and the logins of the snapshot it was made from, as a new generation. On
 * failure, what was written is removed as far as Redis allows, and readers see none of it. STATUS_CONFLICT: the lease
 * was lost or the pointer moved. */
MUST_CHECK enum status publish(struct publisher *publisher, const struct snapshot *snapshot,
                               const struct scored_snapshot *scored, struct published *out,
                               struct error *err);

#endif
