/* api/turns.h - work that must not hold up others waits for its turn: in each round of an event loop as much of it is done
 * as fits into a short time, in the order in which it came, and then comes what has arrived meanwhile. Neither side can
 * keep the other from going on. One thread. */
#ifndef ECOSYS_API_TURNS_H
#define ECOSYS_API_TURNS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/status.h"

struct event;
struct event_base;

/* One that waits now and then; owned by whose work it is. */
struct turn {
    TAILQ_ENTRY(turn) neighbours;
    void (*take)(void *context); /* may join again, and may end its owner */
    void *context;
    bool is_waiting;
};

struct turns {
    TAILQ_HEAD(turn_queue, turn) queue;
    struct event *round;
};

MUST_CHECK bool turns_init(struct turns *turns, struct event_base *base); /* false: no memory */
void turns_clear(struct turns *turns);                                    /* nobody waits anymore */

/* Behind the others; who waits already keeps its place. */
void turns_join(struct turns *turns, struct turn *turn);
void turns_leave(struct turns *turns, struct turn *turn); /* who does not wait may, too */

#endif
