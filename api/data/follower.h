/* api/data/follower.h - follows the generations that the worker publishes, in a thread of its own that may block on Redis,
 * and hands each new one to its client. Learns of a flip by subscription, and also looks at the pointer twice a second,
 * as messages may get lost. Carries refresh requests to the worker, too. */
#ifndef ECOSYS_API_DATA_FOLLOWER_H
#define ECOSYS_API_DATA_FOLLOWER_H

#include <pthread.h>

#include "api/data/asked.h"
#include "api/data/generation.h"
#include "common/program/settings.h"

/* What /health reports besides the generation. */
struct outlook {
    bool redis_is_ok;
    bool worker_is_alive;
    char worker_error[sizeof((struct worker_report *)0)->last_error]; /* empty: none */
};

/* Whoever serves the generations. Both functions are called on the follower's thread. */
struct follower_client {
    void *context;
    /* Called after every look at Redis. `generation` is the newest loaded one, or
     * NULL, and stays the follower's: whoever keeps it takes a reference. */
    void (*tell)(void *context, struct generation *generation, const struct outlook *outlook);
    /* True if every event loop serves that generation. */
    bool (*is_served)(void *context, uint64_t generation);
};

struct follower {
    const struct settings *settings;
    struct follower_client client;
    struct asked *asked;       /* not owned */
    struct answers_room *room; /* not owned; for the answers of every generation */
    pthread_t thread;
    int ring_fd;
    pthread_mutex_t mutex; /* guards the rest: */
    struct wait *inbox;    /* requests for a refresh, newest first */
    bool is_stopping;
};

/* Starts the thread. `settings`, `asked` and the client's context must outlive follower_stop, `room` every
 * generation. */
MUST_CHECK enum status follower_start(struct follower *follower, const struct settings *settings,
                                      const struct follower_client *client, struct asked *asked,
                                      struct answers_room *room, struct error *err);

/* Ends the thread, which first finishes a look or a load in progress, drops its generation and hands back all waits;
 * refreshes requested from then on fail at once. follower_clear must follow once nobody uses the follower any more. */
void follower_stop(struct follower *follower);
void follower_clear(struct follower *follower);

/* Any thread: takes a wait of kind WAIT_REFRESH, which is handed back when the refresh has ended or, if that is enough
 * for it, was accepted. */
void follower_ask(struct follower *follower, struct wait *take_wait);

/* Any thread: wakes the follower, as something it waits for may have changed. */
void follower_ring(struct follower *follower);

#endif
