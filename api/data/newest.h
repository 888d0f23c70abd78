/* api/data/newest.h - what all event loops are to serve: the newest generation, and what /health says besides. Once one loop
 * has answered with something new, no other one begins an answer with what was before it, so the generations of a
 * client's answers rise whatever connections it uses. Any thread. */
#ifndef ECOSYS_API_DATA_NEWEST_H
#define ECOSYS_API_DATA_NEWEST_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/data/follower.h"

struct newest {
    atomic_ullong number;  /* how often it was set */
    pthread_mutex_t mutex; /* guards the rest: */
    struct generation *generation;
    struct outlook outlook;
};

/* What a loop saw when it last looked; zeroed if it never did. */
struct newest_view {
    unsigned long long number;
    struct generation *generation; /* a reference, or NULL */
    struct outlook outlook;
};

void newest_init(struct newest *newest);
void newest_clear(struct newest *newest); /* drops its reference */

/* Takes a reference to the generation, if it is not NULL, and drops that to the one before. */
void newest_set(struct newest *newest, struct generation *generation, const struct outlook *outlook);

/* Brings a view up to date; takes no lock if that was done since the last newest_set. The view's old reference is
 * dropped: it may be the last one. */
void newest_look(struct newest *newest, struct newest_view *view);

void newest_view_clear(struct newest_view *view); /* drops its reference */

#endif
