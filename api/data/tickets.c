/* api/data/tickets.c - a list of tickets; each is in one of few states. */
#include "api/data/tickets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define SETTLE_EVERY_MS 20 /* how often the loops are looked at after a flip */

struct ticket {
    struct ticket *next;
    struct request_id id;
    struct wait *wait;
    int64_t asked_ms, repeat_ms; /* repeat: when to ask again */
    bool is_taken;               /* a worker has acknowledged it */
    bool has_failed;
    uint64_t generation; /* that was published for it; 0: not yet */
};

void tickets_init(struct tickets *tickets)
{
    uint64_t random = 0;
    ssize_t ignored = getrandom(&random, sizeof random, 0);
    (void)ignored;
    *tickets = (struct tickets){.first = NULL};
    snprintf(tickets->process_id, sizeof tickets->process_id, "%016" PRIx64, random);
}

void tickets_add(struct tickets *tickets, struct wait *take_wait, int64_t now_ms)
{
    struct ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) {
        wait_fail(take_wait, ERROR_OVERLOADED);
        return;
    }
    ticket->wait = take_wait;
    ticket->asked_ms = ticket->repeat_ms = now_ms;
    snprintf(ticket->id.text, sizeof ticket->id.text, "%s-%" PRIu64, tickets->process_id,
             ++tickets->numbered);
    ticket->next = tickets->first;
    tickets->first = ticket;
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

/* True, with the wait filled in, if the ticket is over. One that was not acknowledged waits only while there are both
 * signs of a worker (lease and receiver): a lease outlives its holder, and a stopped process does not read what it
 * receives. One that was acknowledged keeps waiting, as the next worker will do it. */
static bool is_over(const struct ticket *ticket, const struct tickets_view *view)
{
    struct wait *wait = ticket->wait;
    int64_t waited_ms = view->now_ms - ticket->asked_ms;
    wait->refresh.duration_ms = waited_ms;
    wait->refresh.generation = ticket->generation;
    wait->has_failed = true;
    if (ticket->has_failed)
        wait->error = ERROR_REFRESH_FAILED;
    else if (waited_ms >= TICKET_GIVE_UP_MS)
        wait->error = ERROR_REFRESH_TIMEOUT;
    else if (!ticket->is_taken && !view->worker_is_there && waited_ms >= MESSAGE_NO_WORKER_MS)
        wait->error = ERROR_NO_WORKER;
    else
        wait->has_failed = false;
    if (wait->has_failed)
        return true;
    if (wait->refresh.accepted_is_enough)
        return ticket->is_taken;
    return ticket->generation != 0 && view->loaded >= ticket->generation && view->loaded_is_served;
}

void tickets_settle(struct tickets *tickets, const struct tickets_view *view)
{
    for (struct ticket **link = &tickets->first; *link != NULL;) {
        struct ticket *ticket = *link;
        if (!is_over(ticket, view)) {
            link = &ticket->next;
            continue;
        }
        *link = ticket->next;
        wait_done(ticket->wait);
        free(ticket);
    }
}

void tickets_clear(struct tickets *tickets)
{
    while (tickets->first != NULL) {
        struct ticket *ticket = tickets->first;
        tickets->first = ticket->next;
        wait_fail(ticket->wait, ERROR_NO_WORKER);
        free(ticket);
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
