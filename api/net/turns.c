/* api/net/turns.c - a queue, and a timer that is due at once, but handled after the events that the loop has found. */
#include "api/net/turns.h"

#include <event2/event.h>

#include "common/base/clock.h"

#define ROUND_US 50 /* others wait this long, plus one turn */

static void wait_for_round(const struct turns *turns)
{
    const struct timeval at_once = {0, 0};
    evtimer_add(turns->round, &at_once);
}

static void on_round(evutil_socket_t fd, short events, void *context)
{
    struct turns *turns = context;
    int64_t end_us = clock_monotonic_us() + ROUND_US;
    (void)fd;
    (void)events;
    do {
        struct turn *turn = TAILQ_FIRST(&turns->queue);
        if (turn == NULL)
            return;
        turns_leave(turns, turn);
        turn->take(turn->context);
    } while (clock_monotonic_us() < end_us);
    if (!TAILQ_EMPTY(&turns->queue))
        wait_for_round(turns);
}

bool turns_init(struct turns *turns, struct event_base *base)
{
    TAILQ_INIT(&turns->queue);
    turns->round = evtimer_new(base, on_round, turns);
    return turns->round != NULL;
}

void turns_clear(struct turns *turns)
{
    if (turns->round != NULL)
        event_free(turns->round);
}

void turns_join(struct turns *turns, struct turn *turn)
{
    if (turn->is_waiting)
        return;
    TAILQ_INSERT_TAIL(&turns->queue, turn, neighbours);
    turn->is_waiting = true;
    if (!evtimer_pending(turns->round, NULL)) /* it is not pending either if it could not be added before */
        wait_for_round(turns);
}

void turns_leave(struct turns *turns, struct turn *turn)
{
    if (turn->is_waiting)
        TAILQ_REMOVE(&turns->queue, turn, neighbours);
    turn->is_waiting = false;
}
