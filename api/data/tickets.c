/* api/data/tickets.c - a list of tickets; each is in one of few states. */
#include "api/data/tickets.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define SETTLE_EVERY_MS 20 /* how often the loops are looked at after a flip */

struct ticket *ticket_of(struct pending *pending)
{
    return (struct ticket *)((char *)pending - offsetof(struct ticket, pending));
}

static void ticket_free(struct pending *pending)
{
    free(ticket_of(pending));
}

struct ticket *ticket_new(struct exchange *exchange, bool accepted_is_enough)
{
    struct ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL)
        return NULL;
    pending_init(&ticket->pending, exchange, ticket_free);
    ticket->accepted_is_enough = accepted_is_enough;
    return ticket;
}

void ticket_end(struct ticket *take_ticket, enum ticket_outcome outcome)
{
    take_ticket->outcome = outcome;
    pending_done(&take_ticket->pending);
}

void tickets_init(struct tickets *tickets)
{
    uint64_t random = 0;
    ssize_t ignored = getrandom(&random, sizeof random, 0);
    (void)ignored;
    *tickets = (struct tickets){.first = NULL};
    snprintf(tickets->process_id, sizeof tickets->process_id, "%016" PRIx64, random);
}

void tickets_add(struct tickets *tickets, struct ticket *take_ticket, int64_t now_ms)
{
    take_ticket->requested_ms = take_ticket->repeat_ms = now_ms;
    snprintf(take_ticket->id.text, sizeof take_ticket->id.text, "%s-%" PRIu64, tickets->process_id,
             ++tickets->numbered);
    take_ticket->next = tickets->first;
    tickets->first = take_ticket;
}

static struct ticket *find(const struct tickets *tickets, const struct request_id *id)
{
    struct ticket *ticket = tickets->first;
    while (ticket != NULL && strcmp(ticket->id.text, id->text) != 0)
        ticket = ticket->next;
    return ticket;
}

void tickets_take_message(struct tickets *tickets, struct bytes text)
{
    struct message message = message_parse(text);
    struct request_id id;
    if (message.kind < MESSAGE_QUEUED || message.kind == MESSAGE_UNKNOWN)
        return;
    while (message_next_id(&message, &id)) {
        struct ticket *ticket = find(tickets, &id);
        if (ticket == NULL)
            continue;
        ticket->is_taken = true;
        ticket->has_failed = message.kind == MESSAGE_FAILED;
        if (message.kind == MESSAGE_PUBLISHED)
            ticket->generation = message.generation;
    }
}

/* A ticket that was not acknowledged waits only while there are both signs of a worker (lease and receiver): a lease
 * outlives its holder, and a stopped process does not read what it receives. One that was acknowledged keeps waiting,
 * as the next worker will do it. */
static enum ticket_outcome outcome_of(const struct ticket *ticket, const struct tickets_view *view)
{
    int64_t waited_ms = view->now_ms - ticket->requested_ms;
    if (ticket->has_failed)
        return TICKET_FAILED;
    if (waited_ms >= TICKET_GIVE_UP_MS)
        return TICKET_TIMED_OUT;
    if (!ticket->is_taken && !view->worker_is_there && waited_ms >= MESSAGE_NO_WORKER_MS)
        return TICKET_NO_WORKER;
    bool is_served = ticket->generation != 0 && view->loaded >= ticket->generation && view->loaded_is_served;
    bool is_done = ticket->accepted_is_enough ? ticket->is_taken : is_served;
    return is_done ? TICKET_DONE : TICKET_WAITS;
}

void tickets_settle(struct tickets *tickets, const struct tickets_view *view)
{
    for (struct ticket **link = &tickets->first; *link != NULL;) {
        struct ticket *ticket = *link;
        enum ticket_outcome outcome = outcome_of(ticket, view);
        if (outcome == TICKET_WAITS) {
            link = &ticket->next;
            continue;
        }
        *link = ticket->next;
        ticket->duration_ms = view->now_ms - ticket->requested_ms;
        ticket_end(ticket, outcome);
    }
}

void tickets_clear(struct tickets *tickets)
{
    while (tickets->first != NULL) {
        struct ticket *ticket = tickets->first;
        tickets->first = ticket->next;
        ticket_end(ticket, TICKET_NO_WORKER);
    }
}

/* Asks again even after the ticket was acknowledged: the message that ends the wait may have been lost. */
bool tickets_request(struct tickets *tickets, int64_t now_ms, struct buffer *out)
{
    bool found = false;
    message_begin(MESSAGE_REFRESH, out);
    for (struct ticket *ticket = tickets->first; ticket != NULL; ticket = ticket->next) {
        if (ticket->generation != 0 || now_ms < ticket->repeat_ms)
            continue;
        ticket->repeat_ms = now_ms + MESSAGE_REPEAT_MS;
        message_add_word(out, ticket->id.text);
        found = true;
    }
    return found;
}

int64_t tickets_wait_ms(const struct tickets *tickets, int64_t now_ms, int64_t most_ms)
{
    int64_t wait_ms = most_ms;
    for (const struct ticket *ticket = tickets->first; ticket != NULL; ticket = ticket->next) {
        int64_t left_ms = ticket->generation != 0 ? SETTLE_EVERY_MS : ticket->repeat_ms - now_ms;
        if (left_ms < wait_ms)
            wait_ms = left_ms > 0 ? left_ms : 0;
    }
    return wait_ms;
}
