/* api/net/listener.h - an event loop's own listening socket, on the same port as the other loops' sockets, and the
 * accepting of its connections. One thread, except for listener_resolve, which any may call. */
#ifndef ECOSYS_API_NET_LISTENER_H
#define ECOSYS_API_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/program/settings.h"

struct addrinfo;
struct event;
struct event_base;
struct evconnlistener;
struct sockaddr;

struct listener_callbacks {
    bool (*has_room)(void *context); /* for one more connection */
    /* Takes each accepted connection's non-blocking socket, and its peer's address, even if there is still no room. */
    void (*on_accept)(void *context, int take_socket, const struct sockaddr *peer);
    void *context;
};

struct listener {
    struct evconnlistener *listening; /* NULL: closed. It only listens; we accept */
    struct event *pending;            /* connections can be accepted */
    struct event *rest_timer;         /* runs after accept failed, or during a wait for room */
    bool is_crowded;                  /* connections were left pending */
    bool has_waited;                  /* they waited for room: if there is still none, they are refused */
    int64_t left_us;                  /* when it last stopped accepting, monotonic */
    struct listener_callbacks callbacks;
};

/* Resolves HOST and PORT; the first address is the one to listen on. The caller frees the list with freeaddrinfo().
 * STATUS_INVALID: HOST is neither a name nor an address; STATUS_UNAVAILABLE: names cannot be resolved at the moment. */
MUST_CHECK enum status listener_resolve(const struct settings *settings, struct addrinfo **out,
                                        struct error *err);

/* Listens on HOST:PORT with SO_REUSEPORT. That alone would let a second process of ours take half of the connections:
 * so unless *port_is_ours, it first tries to bind without the option, and sets *port_is_ours if that works. The
 * callbacks are copied. listener_close must follow, whatever the result. */
MUST_CHECK enum status listener_open(struct listener *listener, struct event_base *base,
                                     const struct settings *settings, bool *port_is_ours,
                                     const struct listener_callbacks *callbacks, struct error *err);

/* The system refuses connections from then on. May be called more than once. */
void listener_close(struct listener *listener);

#endif
