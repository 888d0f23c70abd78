/* api/http/deadlines.h - how long a connection may keep us waiting, and whether it gives way to a new one. One deadline
 * runs from a request's first byte to its last, another while nothing is in progress in either direction. While an
 * answer is being sent, the sender's timeout watches the client. One thread. */
#ifndef ECOSYS_API_HTTP_DEADLINES_H
#define ECOSYS_API_HTTP_DEADLINES_H

#include "api/net/idle_list.h"
#include "common/base/status.h"
#include "common/program/settings.h"

struct event;
struct event_base;

/* What a connection is doing. */
enum activity {
    ACTIVITY_RECEIVING, /* part of a request is here, or was promised by connecting: HTTP_REQUEST_TIMEOUT runs */
    ACTIVITY_NONE,      /* nothing in either direction: HTTP_IDLE_TIMEOUT runs */
    ACTIVITY_ANSWERING, /* an answer is being made or sent */
    ACTIVITY_UNHEARD,   /* the same, but nobody seems to be listening: it gives way as if it were idle */
};

struct deadlines {
    const struct settings *settings;
    struct idle_list *idle_list;
    struct idle_entry idle; /* its owner is the connection */
    struct event *timer;
    void (*expired)(void *owner);
    bool is_receiving;
};

/* `owner` is whom the idle list names, and `expired` gets it when a deadline has passed. False: no memory.
 * deadlines_clear must follow, whatever the result. */
MUST_CHECK bool deadlines_init(struct deadlines *deadlines, struct event_base *base,
                               const struct settings *settings, struct idle_list *idle_list,
                               void (*expired)(void *owner), void *owner);
void deadlines_clear(struct deadlines *deadlines);

/* Starts, keeps or ends the deadline that belongs to the activity. */
void deadlines_note(struct deadlines *deadlines, enum activity activity);

/* A whole request was received: what comes next has a deadline of its own. */
void deadlines_request_ends(struct deadlines *deadlines);

/* The last answer was sent: the client has a moment to read it. `makes_room`: closing the connection would make room
 * for a new one, to which it gives way first. */
void deadlines_linger(struct deadlines *deadlines, bool makes_room);

#endif
