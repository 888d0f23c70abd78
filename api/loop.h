/* api/loop.h - an event loop with a thread, a listener and a view of the newest generation of its own. What other
 * threads have to say comes through its mailbox; nothing else is shared but what is immutable. */
#ifndef ECOSYS_API_LOOP_H
#define ECOSYS_API_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/auth.h"
#include "api/follower.h"
#include "api/idle_list.h"
#include "api/listener.h"
#include "api/pool.h"
#include "api/turns.h"
#include "common/settings.h"

struct event;
struct event_base;
struct connection;
struct wait;

/* What all loops of a process have in common. */
struct shared {
    const struct settings *settings;
    struct auth *auth;
    struct pool *makers;       /* of answers */
    struct pool *fetchers;     /* of logins; their threads have a struct fetcher each */
    struct follower *follower; /* set before the loops run */
    struct asked asked;
    struct answers_room room;
    atomic_llong connections; /* open ones, of all loops */
    bool port_is_ours;        /* no other process listens there; while the loops are made */
};

struct loop {
    struct shared *shared;
    struct event_base *base;
    struct listener listener;
    struct event *mail_event;
    struct event *stop_timer;
    struct connection *connections; /* newest first */
    struct idle_list idle;          /* those of them that give way to new ones */
    struct turns turns;             /* of eager connections */
    struct generation *generation;  /* the loop's own reference, or NULL */
    struct outlook outlook;
    struct users *users; /* the loop's own reference */
    bool is_stopping;
    atomic_ullong served; /* number of the generation that is served; 0: none. Read by other threads */
    char date[32];        /* of the Date header, as of date_s */
    int64_t date_s;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the mailbox: */
    int mail_fd;
    bool has_mail;
    struct wait *mail_waits; /* handed back, newest first */
    bool mail_stop;
    struct generation *mail_generation;
    struct outlook mail_outlook;
    struct users *mail_users; /* NULL: they stay */
};

/* Listens on HOST:PORT beside the other loops (SO_REUSEPORT); takes a reference to the users. loop_clear must follow,
 * whatever the result. */
MUST_CHECK enum status loop_init(struct loop *loop, struct shared *shared, struct users *users,
                                 struct error *err);
void loop_clear(struct loop *loop);

/* Starts the thread; loop_join waits for its end. */
MUST_CHECK enum status loop_start(struct loop *loop, struct error *err);
void loop_join(struct loop *loop);

/* From any thread: serve this from now on, serve these (a reference is taken to each); stop when what is under way is
 * answered, or after SHUTDOWN_TIMEOUT. loop_ring must follow loop_tell, when all loops have been told. */
void loop_tell(struct loop *loop, struct generation *generation, const struct outlook *outlook);
void loop_ring(struct loop *loop);
void loop_tell_users(struct loop *loop, struct users *users);
void loop_stop(struct loop *loop);

/* From any thread: what a request of this loop waited for is there. */
void loop_hand_back(struct loop *loop, struct wait *wait);

/* From the loop's own thread: the newest generation, or NULL. The first one is found in the mailbox before it rings, so
 * that no loop says that there is nothing to serve while another one serves. */
struct generation *loop_generation(struct loop *loop);

/* From the loop's own thread: a connection was closed. */
void loop_connection_closed(struct loop *loop);

/* The value of the Date header now. */
const char *loop_date(struct loop *loop, int64_t unix_s);

#endif
