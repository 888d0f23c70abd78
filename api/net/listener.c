/* api/net/listener.c - libevent listens, we accept: libevent would accept for as long as connections are pending, and
 * those accepted before would have to wait. */
#include "api/net/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/program/log.h"

#define LISTEN_BACKLOG    511
#define ACCEPT_REST_S     1
#define ACCEPT_AT_MOST_US 1000 /* at a time */
#define ROOM_WAIT_US      1000 /* 0 to 5 ms by a coarse clock; the loop handles its pending events first anyway */

/* Only a wrong name is an error of configuration: after any other failure the next start may succeed. */
static enum status status_of_resolver(int problem)
{
    switch (problem) {
    case EAI_AGAIN:
    case EAI_SYSTEM:
        return STATUS_UNAVAILABLE;
    case EAI_MEMORY:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_INVALID;
    }
}

enum status listener_resolve(const struct settings *settings, struct addrinfo **out, struct error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char port[8];
    snprintf(port, sizeof port, "%" PRId64, settings->port);
    int problem = getaddrinfo(settings->host, port, &hints, out);
    if (problem == 0)
        return STATUS_OK;
    return error_set(err, status_of_resolver(problem),
                     "HOST: is \"%.100s\", takes an address of this machine (%s)", settings->host,
                     problem == EAI_SYSTEM ? strerror(errno) : gai_strerror(problem));
}

/* Stops accepting for that long. False: that was not possible. */
static bool rest(struct listener *listener, const struct timeval *pause)
{
    return evtimer_add(listener->rest_timer, pause) == 0 && event_del(listener->pending) == 0;
}

/* Out of descriptors or memory: another accept would only fail again. */
static void rest_after_failure(struct listener *listener)
{
    const struct timeval pause = {ACCEPT_REST_S, 0};
    log_write(LOG_WARNING, "connections cannot be accepted for a moment",
              LOG_FIELDS(log_text("error", strerror(errno)), log_int("rest_s", ACCEPT_REST_S)));
    (void)rest(listener, &pause);
}

static void on_rested(evutil_socket_t fd, short events, void *context)
{
    struct listener *listener = context;
    (void)fd;
    (void)events;
    if (event_add(listener->pending, NULL) != 0)
        rest_after_failure(listener);
}

/* False: no connection is pending, or accept failed. */
static bool accept_one(struct listener *listener)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    int fd = evconnlistener_get_fd(listener->listening);
    int socket = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
        listener->callbacks.on_accept(listener->callbacks.context, socket, (const struct sockaddr *)&peer);
        return true;
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        rest_after_failure(listener);
    return false;
}

static bool has_pending(evutil_socket_t fd)
{
    struct pollfd listening = {.fd = fd, .events = POLLIN};
    return poll(&listening, 1, 0) == 1;
}

static bool has_room(const struct listener *listener)
{
    return listener->callbacks.has_room(listener->callbacks.context);
}

/* Accepts one connection; while many are pending, as many as fit into the time that established connections have had
 * since the last call, up to a limit: neither may many clients keep new ones out, nor new ones keep them waiting. */
static void accept_some(struct listener *listener, bool even_without_room)
{
    int64_t begin_us = clock_monotonic_us();
    int64_t others_us = listener->is_crowded ? begin_us - listener->left_us : 0;
    int64_t end_us = begin_us + (others_us < ACCEPT_AT_MOST_US ? others_us : ACCEPT_AT_MOST_US);
    bool goes_on = true;
    while (goes_on && accept_one(listener))
        goes_on = clock_monotonic_us() < end_us && (even_without_room || has_room(listener));
    listener->is_crowded = !goes_on && has_pending(evconnlistener_get_fd(listener->listening));
    listener->left_us = clock_monotonic_us();
}

/* When there is no room, some clients may have disconnected without their loops having noticed yet: so all pending
 * connections wait together, and are refused only if there is still no room after that. */
static void on_pending(evutil_socket_t fd, short events, void *context)
{
    const struct timeval pause = {0, ROOM_WAIT_US};
    struct listener *listener = context;
    bool is_full = !has_room(listener);
    (void)fd;
    (void)events;
    if (is_full && !listener->has_waited && rest(listener, &pause)) {
        listener->has_waited = true;
        return;
    }
    listener->has_waited = false;
    accept_some(listener, is_full);
}

static enum status cannot_listen(const struct settings *settings, struct error *err)
{
    return error_set(err, STATUS_UNAVAILABLE, "cannot listen on %s port %" PRId64 ": %s", settings->host,
                     settings->port, strerror(errno));
}

static struct evconnlistener *bind_socket(struct event_base *base, const struct addrinfo *address,
                                          unsigned flags)
{
    flags |= LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_DISABLED;
    return evconnlistener_new_bind(base, NULL, NULL, flags, LISTEN_BACKLOG, address->ai_addr,
                                   (int)address->ai_addrlen);
}

static bool is_free(struct event_base *base, const struct addrinfo *address)
{
    struct evconnlistener *probe = bind_socket(base, address, 0);
    if (probe != NULL)
        evconnlistener_free(probe);
    return probe != NULL;
}

static enum status listen_on(struct listener *listener, struct event_base *base,
                             const struct addrinfo *address, bool *port_is_ours)
{
    *port_is_ours = *port_is_ours || is_free(base, address);
    if (!*port_is_ours)
        return STATUS_UNAVAILABLE;
    listener->listening = bind_socket(base, address, LEV_OPT_REUSEABLE_PORT);
    if (listener->listening == NULL)
        return STATUS_UNAVAILABLE;
    listener->rest_timer = evtimer_new(base, on_rested, listener);
    listener->pending = event_new(base, evconnlistener_get_fd(listener->listening), EV_READ | EV_PERSIST,
                                  on_pending, listener);
    if (listener->rest_timer == NULL || listener->pending == NULL || event_add(listener->pending, NULL) != 0)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

enum status listener_open(struct listener *listener, struct event_base *base, const struct settings *settings,
                          bool *port_is_ours, const struct listener_callbacks *callbacks, struct error *err)
{
    struct addrinfo *addresses;
    *listener = (struct listener){.callbacks = *callbacks};
    enum status status = listener_resolve(settings, &addresses, err);
    if (status != STATUS_OK)
        return status;
    status = listen_on(listener, base, addresses, port_is_ours);
    if (status == STATUS_UNAVAILABLE)
        status = cannot_listen(settings, err); /* errno still says why */
    else if (status == STATUS_NO_MEMORY)
        status = error_no_memory(err);
    freeaddrinfo(addresses);
    return status;
}

void listener_close(struct listener *listener)
{
    if (listener->pending != NULL)
        event_free(listener->pending);
    if (listener->rest_timer != NULL)
        event_free(listener->rest_timer);
    if (listener->listening != NULL)
        evconnlistener_free(listener->listening);
    listener->pending = NULL;
    listener->rest_timer = NULL;
    listener->listening = NULL;
}
