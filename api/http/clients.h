/* api/http/clients.h - the connections of one event loop, and what they share. Embedded in the loop; its thread only,
 * except for what is said to be shared. */
#ifndef ECOSYS_API_HTTP_CLIENTS_H
#define ECOSYS_API_HTTP_CLIENTS_H

#include <stdatomic.h>

#include "api/http/handler.h"
#include "api/net/idle_list.h"
#include "api/net/turns.h"
#include "common/program/settings.h"

struct event_base;

/* Membership of a connection. */
struct client_link {
    struct client_link *next, **link;
    void *owner;
};

struct clients {
    /* Set by the loop before clients_init; all that is pointed to must outlive the clients: */
    struct event_base *base;
    const struct settings *settings;
    const struct handler *handler;
    struct mailbox *mailbox;       /* where pending requests are handed back */
    atomic_llong *open;            /* connections of all loops, without those that were refused; shared */
    void (*closed)(void *context); /* called after each connection */
    void *context;

    struct client_link *first; /* newest first */
    struct idle_list idle;     /* those that give way to new ones */
    struct turns turns;        /* of connections with more input than one turn takes */
    bool is_stopping;          /* each connection is closed after the answer in progress */
    char date[32];             /* of the Date header, as of date_s */
    int64_t date_s;
};

/* False: no memory. clients_clear must follow, whatever the result. */
MUST_CHECK bool clients_init(struct clients *clients);
void clients_clear(struct clients *clients); /* none may be left */

void clients_add(struct clients *clients, struct client_link *link, void *owner);
void clients_remove(struct clients *clients, struct client_link *link);
bool clients_are_gone(const struct clients *clients);

/* Counts a connection towards HTTP_CONNECTIONS; false if that many are open already. Or counts it no longer. */
bool clients_count(struct clients *clients);
void clients_uncount(struct clients *clients);

/* Whether fewer than HTTP_CONNECTIONS are open. */
bool clients_have_room(const struct clients *clients);

/* The value of the Date header at `unix_s`; good until the next call. */
const char *clients_date(struct clients *clients, int64_t unix_s);

#endif
