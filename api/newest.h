/* api/newest.h - what all event loops are to serve: the newest generation, and what /health says besides. Once one loop
 * has taken something new no other one goes on with what was before it, so no client sees an older generation than it has
 * seen already, whatever connections it uses. Any thread. */
#ifndef ECOSYS_API_NEWEST_H
#define ECOSYS_API_NEWEST_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/follower.h"

struct newest {
    atomic_ullong number;  /* of changes; 0: there was none yet */
    pthread_mutex_t mutex; /* guards the rest: */
    struct generation *generation;
    struct outlook outlook;
};

/* A loop's copy, of no change yet if it is zeroed. */
struct newest_copy {
    unsigned long long number;
    struct generation *generation; /* a reference, or NULL */
    struct outlook outlook;
};

void newest_init(struct newest *newest);
void newest_clear(struct newest *newest); /* drops its reference */

/* Takes a reference to the generation, if it is not NULL, and drops that to the one before. */
void newest_set(struct newest *newest, struct generation *generation, const struct outlook *outlook);

/* Brings a copy up to date. It takes no lock if nothing has changed. The copy's old reference is dropped: it may be the
 * last one. */
void newest_copy(struct newest *newest, struct newest_copy *copy);

void newest_copy_clear(struct newest_copy *copy); /* drops its reference */

#endif
