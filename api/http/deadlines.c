/* api/http/deadlines.c - one timer, and a place in the list of those that give way. */
#include "api/http/deadlines.h"

#include <event2/event.h>

#include "common/base/clock.h"

#define LINGER_S 2

static void on_expired(evutil_socket_t fd, short events, void *context)
{
    struct deadlines *deadlines = context;
    (void)fd;
    (void)events;
    deadlines->expired(deadlines->idle.owner);
}

bool deadlines_init(struct deadlines *deadlines, struct event_base *base, const struct settings *settings,
                    struct idle_list *idle_list, void (*expired)(void *owner), void *owner)
{
    *deadlines = (struct deadlines){
        .settings = settings, .idle_list = idle_list, .idle = {.owner = owner}, .expired = expired};
    deadlines->timer = evtimer_new(base, on_expired, deadlines);
    return deadlines->timer != NULL;
}

void deadlines_clear(struct deadlines *deadlines)
{
    idle_list_leave(deadlines->idle_list, &deadlines->idle);
    if (deadlines->timer != NULL)
        event_free(deadlines->timer);
}

static void set_timer(struct deadlines *deadlines, int64_t seconds)
{
    struct timeval timeout = {seconds, 0};
    evtimer_add(deadlines->timer, &timeout);
}

/* Idle from now on. */
static void join_idle(struct deadlines *deadlines)
{
    idle_list_join(deadlines->idle_list, &deadlines->idle, clock_monotonic_ms());
}

void deadlines_note(struct deadlines *deadlines, enum activity activity)
{
    bool is_receiving = activity == ACTIVITY_RECEIVING;
    if (is_receiving && !deadlines->is_receiving) {
        set_timer(deadlines, deadlines->settings->request_timeout_s);
        join_idle(deadlines);
    } else if (activity == ACTIVITY_NONE) {
        set_timer(deadlines, deadlines->settings->idle_timeout_s);
        join_idle(deadlines);
    } else if (!is_receiving) {
        evtimer_del(deadlines->timer);
        if (activity == ACTIVITY_ANSWERING)
            idle_list_leave(deadlines->idle_list, &deadlines->idle);
        else if (!deadlines->idle.is_listed)
            join_idle(deadlines);
    }
    deadlines->is_receiving = is_receiving;
}

void deadlines_request_ends(struct deadlines *deadlines)
{
    deadlines->is_receiving = false;
}

void deadlines_linger(struct deadlines *deadlines, bool makes_room)
{
    if (makes_room)
        idle_list_lead(deadlines->idle_list, &deadlines->idle);
    set_timer(deadlines, LINGER_S);
}
