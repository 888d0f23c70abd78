/* worker/leadership.h - whether this worker leads. Keeps the lease, which expires after LEASE_TIME: takes it when it is
 * free, renews it each second while it is ours, and stands by while another worker holds it. Logs each change. One
 * thread at a time. */
#ifndef ECOSYS_WORKER_LEADERSHIP_H
#define ECOSYS_WORKER_LEADERSHIP_H

#include "common/program/settings.h"
#include "worker/lease.h"

enum leadership_change {
    LEADERSHIP_SAME, /* still leading, or still standing by */
    LEADERSHIP_GAINED, /* a new lease: this worker has just started, or another died, or Redis lost everything */
    LEADERSHIP_UNREACHABLE, /* Redis does not answer; nothing else changes until it does */
    LEADERSHIP_REFUSED,     /* with `once`: another worker holds the lease and is alive */
};

struct leadership {
    struct lease lease;
    struct lease_holder holder;
    int64_t check_ms;         /* when to check the lease again, on now_ms's clock */
    int64_t (*now_ms)(void);  /* the monotonic clock */
    bool once;                /* give up on a living holder instead of standing by */
    bool is_standby;          /* another worker leads, as of Redis's last reply */
    struct error redis_error; /* the last one logged; no message while Redis works */
};

/* The link is borrowed, and may be used for other commands between calls. The first check is due at once. */
void leadership_init(struct leadership *leadership, struct redis_link *link, const struct settings *settings,
                     bool once, int64_t (*now_ms)(void));

/* Takes or renews the lease, and sets the time of the next check. */
enum leadership_change leadership_check(struct leadership *leadership);

/* Makes a check due at once. */
void leadership_check_soon(struct leadership *leadership);

bool leadership_is_due(const struct leadership *leadership);

/* Whether the lease is ours as of Redis's last reply. Neither this nor is_standby: Redis is unreachable. */
bool leadership_is_held(const struct leadership *leadership);

/* Whether work that began under that token can no longer flip: the lease was lost since, even if it is ours again. */
bool leadership_is_lost_since(const struct leadership *leadership, const char *token);

/* Gives the lease back if it is ours. */
void leadership_resign(struct leadership *leadership);

#endif
