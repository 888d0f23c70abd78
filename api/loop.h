/* api/loop.h - an event loop with its own thread, listener, clients and view of what is current. Other threads reach it
 * through its mailbox; whatever else is shared is immutable, atomic or behind a mutex. */
#ifndef ECOSYS_API_LOOP_H
#define ECOSYS_API_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/endpoints/endpoint.h"
#include "api/http/clients.h"
#include "api/net/listener.h"

struct event;
struct event_base;

struct loop {
    struct service service;
    struct handler handler;
    struct event_base *base;
    struct listener listener;
    struct clients clients;
    struct mailbox mailbox; /* of pending requests */
    struct event *mail_event;
    struct event *stop_timer;
    pthread_t thread;

    /* Told by other threads, who ring the mailbox then: */
    atomic_bool is_told_to_stop;
    _Atomic(struct users *) new_users; /* a reference; NULL: no change */
};

/* Listens on HOST:PORT beside the other loops (SO_REUSEPORT); *port_is_ours is for listener_open. The service is
 * copied, and a reference to its users taken. `open` counts the connections of all loops. loop_clear must follow,
 * whatever the result. */
MUST_CHECK enum status loop_init(struct loop *loop, const struct service *service, atomic_llong *open,
                                 bool *port_is_ours, struct error *err);
void loop_clear(struct loop *loop);

/* Starts the thread; loop_join waits for its end. */
MUST_CHECK enum status loop_start(struct loop *loop, struct error *err);
void loop_join(struct loop *loop);

/* From any thread: serve these users from now on (takes a reference); stop once requests in progress are answered, or
 * after SHUTDOWN_TIMEOUT. */
void loop_tell_users(struct loop *loop, struct users *users);
void loop_stop(struct loop *loop);

#endif
