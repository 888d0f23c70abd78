/* api/listener.h - the door of an event loop: a listening socket beside those of the other loops, and who comes in. One
 * thread, but for listener_resolve, which any may call. */
#ifndef ECOSYS_API_LISTENER_H
#define ECOSYS_API_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"

struct addrinfo;
struct event;
struct event_base;
struct evconnlistener;
struct sockaddr;

/* Gets each newcomer's socket, which does not block, and its address. */
typedef void listener_welcome(void *context, int take_socket, const struct sockaddr *peer);

struct listener {
    struct evconnlistener *door; /* NULL: closed. It only listens */
    struct event *arrival;
    struct event *rest_timer; /* after accepting failed */
    bool is_crowded;          /* some were left at the door */
    int64_t left_us;          /* when that was, monotonic */
    listener_welcome *welcome;
    void *context;
};

/* The addresses that HOST and PORT stand for, the one to listen on first; for the caller to freeaddrinfo().
 * STATUS_INVALID: HOST is no name or address; STATUS_UNAVAILABLE: who knows names does not answer now. */
MUST_CHECK enum status listener_resolve(const struct settings *settings, struct addrinfo **out,
                                        struct error *err);

/* Listens on HOST:PORT by SO_REUSEPORT, which would let a second process of ours take every other connection: unless the
 * port is known to be ours it looks without it first. listener_close must follow, whatever the result. */
MUST_CHECK enum status listener_open(struct listener *listener, struct event_base *base,
                                     const struct settings *settings, bool *port_is_ours,
                                     listener_welcome *welcome, void *context, struct error *err);

/* Who comes from now on is refused by the system. May be called again. */
void listener_close(struct listener *listener);

#endif
