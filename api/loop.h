/* api/loop.h - an event loop with its own thread, listener and reference to the newest generation. Other threads reach
 * it through its mailbox; whatever else is shared is immutable, atomic or behind a mutex. */
#ifndef ECOSYS_API_LOOP_H
#define ECOSYS_API_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/auth/auth.h"
#include "api/data/follower.h"
#include "api/data/newest.h"
#include "api/net/idle_list.h"
#include "api/net/listener.h"
#include "api/net/pool.h"
#include "api/net/turns.h"
#include "common/program/settings.h"

struct event;
struct event_base;
struct connection;
struct wait;

/* What all loops of a process share. */
struct shared {
    const struct settings *settings;
    struct auth *auth;
    struct pool *makers;       /* make answers */
    struct pool *fetchers;     /* fetch logins; each of their threads has a struct fetcher */
    struct follower *follower; /* set before the loops run */
    struct asked asked;
    struct answers_room room;
    struct newest newest;
    atomic_llong connections; /* open ones that were not refused, in all loops */
    bool port_is_ours;        /* no other process listens on it; used while the loops are initialised */
};

struct loop {
    struct shared *shared;
    struct event_base *base;
    struct listener listener;
    struct event *mail_event;
    struct event *stop_timer;
    struct connection *connections; /* newest first */
    struct idle_list idle;          /* those that give way to new ones */
    struct turns turns;             /* of eager connections */
    struct newest_view view;
    struct users *users; /* the loop's own reference */
    bool is_stopping;
    atomic_ullong served; /* number of the generation that is served; 0: none. Read by other threads */
    char date[32];        /* of the Date header, as of date_s */
    int64_t date_s;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the mailbox: */
    int mail_fd;
    struct wait *mail_waits; /* handed back, newest first */
    bool mail_stop;
    struct users *mail_users; /* NULL: no change */
};

/* Listens on HOST:PORT beside the other loops (SO_REUSEPORT); takes a reference to the users. loop_clear must follow,
 * whatever the result. */
MUST_CHECK enum status loop_init(struct loop *loop, struct shared *shared, struct users *users,
                                 struct error *err);
void loop_clear(struct loop *loop);

/* Starts the thread; loop_join waits for its end. */
MUST_CHECK enum status loop_start(struct loop *loop, struct error *err);
void loop_join(struct loop *loop);

/* From any thread: look at what is newest, even if there are no requests; serve these users from now on (takes a
 * reference); stop once requests in progress are answered, or after SHUTDOWN_TIMEOUT. */
void loop_ring(struct loop *loop);
void loop_tell_users(struct loop *loop, struct users *users);
void loop_stop(struct loop *loop);

/* From any thread: hands back a wait of one of this loop's requests. */
void loop_hand_back(struct loop *loop, struct wait *wait);

/* From the loop's own thread: what to serve now. Good until the next call. */
const struct newest_view *loop_look(struct loop *loop);

/* From the loop's own thread: a connection no longer counts towards HTTP_CONNECTIONS. */
void loop_place_freed(struct loop *loop);

/* From the loop's own thread: a connection was closed. */
void loop_connection_closed(struct loop *loop);

/* The value of the Date header at `unix_s`. */
const char *loop_date(struct loop *loop, int64_t unix_s);

#endif
