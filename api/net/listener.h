/* api/net/listener.h - an event loop's listening socket, beside those of the other loops, and accepting connections. One
 * thread, except for listener_resolve, which any may call. */
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
    /* Gets each new connection's non-blocking socket and its peer's address, even if there is still no room. */
    void (*welcome)(void *context, int take_socket, const struct sockaddr *peer);
    void *context;
};

struct listener {
    struct evconnlistener *door; /* NULL: closed. It only listens; we accept */
    struct event *arrival;
    struct event *rest_timer; /* runs after accepting failed, or during a wait for room */
    bool is_crowded;          /* connections were left pending */
    bool has_waited;          /* they waited for room: if there still is none, they are refused */
    int64_t left_us;          /* when it last stopped accepting, monotonic */
    struct listener_callbacks callbacks;
};

/* Resolves HOST and PORT; the address to listen on is the first. The caller frees them with freeaddrinfo().
 * STATUS_INVALID: HOST is no name or address; STATUS_UNAVAILABLE: names cannot be resolved at the moment. */
MUST_CHECK enum status listener_resolve(const struct settings *settings, struct addrinfo **out,
                                        struct error *err);

/* Listens on HOST:PORT with SO_REUSEPORT. That would let a second process of ours take half of the connections: so
 * unless *port_is_ours, it first tries to bind without it, and sets *port_is_ours if that works. The callbacks are
 * copied. listener_close must follow, whatever the result. */
MUST_CHECK enum status listener_open(struct listener *listener, struct event_base *base,
                                     const struct settings *settings, bool *port_is_ours,
                                     const struct listener_callbacks *callbacks, struct error *err);

/* From now on the system refuses connections. May be called again. */
void listener_close(struct listener *listener);

#endif
