/* worker/lease.h - who may publish: one worker at a time, among any number on any number of hosts. The lease is a key
 * in Redis that holds its owner's token and expires unless renewed. Each holding has its own token, and the flip of a
 * generation checks it: work begun before the lease was lost can flip nothing, even if the same worker has regained it,
 * as others may have published something newer in between. One thread at a time. */
#ifndef ECOSYS_WORKER_LEASE_H
#define ECOSYS_WORKER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/redis/redis_link.h"
#include "common/redis/redis_names.h"

#define LEASE_TOKEN_MAX 160

struct lease {
    struct redis_link *link; /* not owned */
    struct redis_name name;
    char token[LEASE_TOKEN_MAX];      /* host/pid/random, of the current or last holding */
    char next_token[LEASE_TOKEN_MAX]; /* of the next holding */
    int64_t time_ms; /* how long it lives unless renewed: LEASE_TIME; leadership.h renews it */
    bool is_held;    /* as of Redis's last reply */
};

/* What is known about the worker that holds the lease. */
struct lease_holder {
    char token[LEASE_TOKEN_MAX]; /* empty: nobody */
    int64_t left_ms;             /* until it expires */
    bool is_new;                 /* it is ours, and was not as of the last reply */
};

void lease_init(struct lease *lease, struct redis_link *link, const char *prefix, int64_t time_ms);

/* Takes the lease if it is free, or renews it if it is ours; lease->is_held says whether we hold it, *holder who
 * does. */
MUST_CHECK enum status lease_take(struct lease *lease, struct lease_holder *holder, struct error *err);

/* Releases the lease if it is ours. */
MUST_CHECK enum status lease_release(struct lease *lease, struct error *err);

#endif
