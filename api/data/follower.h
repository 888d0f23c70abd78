/* api/data/follower.h - follows the generations that the worker publishes, in a thread of its own that may block on
 * Redis, and makes each new one current. Learns of a flip by subscription, and also looks at the pointer twice a
 * second, as messages may get lost. Carries refresh requests to the worker, too. */
#ifndef ECOSYS_API_DATA_FOLLOWER_H
#define ECOSYS_API_DATA_FOLLOWER_H

#include <pthread.h>

#include "api/data/current.h"
#include "api/data/documents.h"
#include "api/data/popular_filters.h"
#include "api/data/tickets.h"
#include "common/program/settings.h"

struct follower {
    const struct settings *settings;
    struct current *current;         /* set after every look at Redis */
    struct popular_filters *filters; /* reported to the worker */
    struct workshop *workshop;       /* in which the documents of a new generation are made */
    pthread_t thread;
    struct mailbox mailbox; /* of tickets; closed when it is time to stop */
};

/* Starts the thread. What is passed must outlive follower_stop. */
MUST_CHECK enum status follower_start(struct follower *follower, const struct settings *settings,
                                      struct current *current, struct popular_filters *filters,
                                      struct workshop *workshop, struct error *err);

/* Ends the thread, which first finishes a look or a load in progress, drops its generation and hands back all tickets;
 * refreshes requested from then on fail at once. follower_clear must follow once nobody uses the follower any more. */
void follower_stop(struct follower *follower);
void follower_clear(struct follower *follower);

/* Any thread: hands the ticket back when it no longer waits. */
void follower_request_refresh(struct follower *follower, struct ticket *take_ticket);

/* Any thread: wakes the follower, as something it waits for may have changed. */
void follower_ring(struct follower *follower);

#endif
