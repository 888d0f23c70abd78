/* api/net/turns.h - a queue for work that must not hold up others: in each round of an event loop as much of it is
 * done, in order, as fits into a short time; then the loop handles what has arrived meanwhile. Neither can starve the
 * other. One thread. */
#ifndef ECOSYS_API_NET_TURNS_H
#define ECOSYS_API_NET_TURNS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/base/status.h"

struct event;
struct event_base;

/* An entry of the queue, embedded in whatever has the work. */
struct turn {
    TAILQ_ENTRY(turn) neighbours;
    void (*take)(void *context); /* may join again, and may free its owner */
    void *context;
    bool is_waiting;
};

struct turns {
    TAILQ_HEAD(turn_queue, turn) queue;
    struct event *round;
};

MUST_CHECK bool turns_init(struct turns *turns, struct event_base *base); /* false: no memory */
void turns_clear(struct turns *turns);                                    /* the queue must be empty */

/* Goes behind the others, or keeps its place if it is waiting already. */
void turns_join(struct turns *turns, struct turn *turn);
void turns_leave(struct turns *turns, struct turn *turn); /* no effect if it is not waiting */

#endif
