/* api/data/tickets.h - refresh requests that wait for their outcome: the requesting side of the protocol in messages.h. Only
 * decides; sending and the clock are up to the caller. One thread at a time. */
#ifndef ECOSYS_API_DATA_TICKETS_H
#define ECOSYS_API_DATA_TICKETS_H

#include "api/http/wait.h"
#include "common/stored/messages.h"

#define TICKET_GIVE_UP_MS 60000 /* then 504 */

struct ticket;

struct tickets {
    struct ticket *first;
    uint64_t numbered; /* makes ids unique in this process */
    char process_id[24];
};

/* What is known of the worker and of what this process serves. */
struct tickets_view {
    int64_t now_ms;        /* monotonic */
    bool worker_is_there;  /* the lease is held, and somebody received our last message */
    uint64_t loaded;       /* newest generation that was loaded here; 0: none */
    bool loaded_is_served; /* by every event loop */
};

void tickets_init(struct tickets *tickets);

/* Fails all waits with 503. */
void tickets_clear(struct tickets *tickets);

/* Takes a wait of kind WAIT_REFRESH. */
void tickets_add(struct tickets *tickets, struct wait *take_wait, int64_t now_ms);

/* Takes in a message from the worker. */
void tickets_take_message(struct tickets *tickets, struct bytes text);

/* Hands back the waits that are over. */
void tickets_settle(struct tickets *tickets, const struct tickets_view *view);

/* Appends the message that asks for all tickets that are due to be asked for (again); false if there are none. */
bool tickets_request(struct tickets *tickets, int64_t now_ms, struct buffer *out);

/* Milliseconds until there may be something to do, at most `most_ms`. */
int64_t tickets_wait_ms(const struct tickets *tickets, int64_t now_ms, int64_t most_ms);

#endif
