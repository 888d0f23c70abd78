/* api/data/tickets.h - refresh requests that wait for their outcome: the requesting side of the protocol in messages.h.
 * Only decides; sending and the clock are up to the caller. One thread at a time. */
#ifndef ECOSYS_API_DATA_TICKETS_H
#define ECOSYS_API_DATA_TICKETS_H

#include "api/http/pending.h"
#include "common/stored/messages.h"

#define TICKET_GIVE_UP_MS 60000 /* then TICKET_TIMED_OUT */

enum ticket_outcome {
    TICKET_WAITS,
    TICKET_DONE, /* its generation is served, or, if that is enough, a worker has accepted it */
    TICKET_FAILED,
    TICKET_NO_WORKER,
    TICKET_TIMED_OUT,
};

/* One request. Its outcome, generation and duration are good once it was handed back. */
struct ticket {
    struct pending pending;
    bool accepted_is_enough; /* no need to wait for the end */
    enum ticket_outcome outcome;
    uint64_t generation; /* that was published for it; 0: not yet */
    int64_t duration_ms;

    /* For the tickets that it is among: */
    struct ticket *next;
    struct request_id id;
    int64_t requested_ms, repeat_ms; /* repeat: when to ask again */
    bool is_taken;                   /* a worker has acknowledged it */
    bool has_failed;
};

/* For the request of that exchange; pending_free frees it. NULL when memory is out. */
struct ticket *ticket_new(struct exchange *exchange, bool accepted_is_enough);
struct ticket *ticket_of(struct pending *pending);

/* Any thread: hands the ticket back with that outcome. */
void ticket_end(struct ticket *take_ticket, enum ticket_outcome outcome);

struct tickets {
    struct ticket *first; /* newest first */
    uint64_t numbered;    /* makes ids unique in this process */
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

/* Hands all back: there is no worker. */
void tickets_clear(struct tickets *tickets);

void tickets_add(struct tickets *tickets, struct ticket *take_ticket, int64_t now_ms);

/* Takes in a message from the worker. */
void tickets_take_message(struct tickets *tickets, struct bytes text);

/* Hands back those that no longer wait. */
void tickets_settle(struct tickets *tickets, const struct tickets_view *view);

/* Appends the message that asks for all tickets that are due to be asked for (again); false if there are none. */
bool tickets_request(struct tickets *tickets, int64_t now_ms, struct buffer *out);

/* Milliseconds until there may be something to do, at most `most_ms`. */
int64_t tickets_wait_ms(const struct tickets *tickets, int64_t now_ms, int64_t most_ms);

#endif
