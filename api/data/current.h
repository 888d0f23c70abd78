/* api/data/current.h - what all event loops are to serve: the newest generation, and what /health says besides. Once
 * one loop has answered with something new, no other one begins an answer with what was before it, so the generations
 * of a client's answers rise whatever connections it uses. Any thread, except where a function says otherwise. */
#ifndef ECOSYS_API_DATA_CURRENT_H
#define ECOSYS_API_DATA_CURRENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/data/generation.h"
#include "api/data/upstream.h"
#include "api/net/mailbox.h"

struct current {
    atomic_ullong number;       /* how often it was set */
    struct current_view *views; /* of the loops; fixed before there are threads */
    pthread_mutex_t mutex;      /* guards the rest: */
    struct generation *generation;
    struct upstream upstream;
};

/* What one loop saw when it last looked; zeroed if it never did. The loop's thread, but for `served`. */
struct current_view {
    unsigned long long number;
    struct generation *generation; /* a reference, or NULL */
    struct upstream upstream;
    atomic_ullong served;    /* the generation's number; 0: none */
    struct mailbox *mailbox; /* of the loop: rung when there is something new */
    struct current_view *next;
};

void current_init(struct current *current);
void current_clear(struct current *current); /* drops its reference */

/* Adds a view, which must outlive all calls of current_set and current_is_served. Before there are threads. */
void current_join(struct current *current, struct current_view *view, struct mailbox *mailbox);
void current_view_clear(struct current_view *view); /* drops its reference */

/* Takes a reference to the generation, if it is not NULL, drops that to the one before, and rings for all views. */
void current_set(struct current *current, struct generation *generation, const struct upstream *upstream);

/* Brings a view up to date; takes no lock if that was done since the last current_set. The view's old reference is
 * dropped: it may be the last one. True if it shows another generation now. The view's thread. */
bool current_look(struct current *current, struct current_view *view);

/* Whether all views show the generation with that number (0: none). */
bool current_is_served(const struct current *current, uint64_t number);

#endif
