/* api/follower.h - follows the generations that the worker publishes, in a thread of its own that may block on Redis,
 * and hands each new one to whoever serves it. */
#ifndef ECOSYS_API_FOLLOWER_H
#define ECOSYS_API_FOLLOWER_H

#include <pthread.h>

#include "api/generation.h"
#include "common/settings.h"

/* What /health tells of Redis and the worker. */
struct outlook {
    bool redis_is_ok;
    bool worker_is_alive;
    char worker_error[sizeof((struct worker_report *)0)->last_error]; /* empty: none */
};

/* Called from the follower's thread after every look at Redis; `generation` is the newest loaded one, or NULL, and
 * stays the follower's: whoever keeps it takes a reference. */
typedef void follower_tell(void *context, struct generation *generation, const struct outlook *outlook);

struct follower {
    const struct settings *settings;
    follower_tell *tell;
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop_asked;
    bool is_stopping;
};

/* Starts the thread. `settings` and `context` must outlive follower_stop. */
MUST_CHECK enum status follower_start(struct follower *follower, const struct settings *settings,
                                      follower_tell *tell, void *context, struct error *err);

/* Ends the thread, which may take as long as one answer of Redis, and drops its generation. */
void follower_stop(struct follower *follower);

#endif
