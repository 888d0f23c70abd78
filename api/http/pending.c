/* api/http/pending.c - handing pending requests back to their loops. */
#include "api/http/pending.h"

#include <stddef.h>

void pending_init(struct pending *pending, struct exchange *exchange,
                  void (*free_whole)(struct pending *take_pending))
{
    *pending = (struct pending){
        .mailbox = exchange->mailbox, .connection = exchange->connection, .free = free_whole};
    exchange->pending = pending;
}

void pending_done(struct pending *take_pending)
{
    if (!mailbox_post(take_pending->mailbox, &take_pending->mail))
        pending_free(take_pending);
}

void pending_fail(struct pending *take_pending, const struct http_error *error)
{
    take_pending->error = error;
    pending_done(take_pending);
}

void pending_free(struct pending *take_pending)
{
    if (take_pending != NULL)
        take_pending->free(take_pending);
}

struct pending *pending_of_mail(struct mail *mail)
{
    return (struct pending *)((char *)mail - offsetof(struct pending, mail));
}
