/* api/http/pending.h - a request whose answer is being worked on by another thread. It is a member of what that work
 * needs and results in; whoever works fills that in and hands the whole back, and the handler's `resume` gets it in the
 * event loop's thread. If the client goes away meanwhile, it stays behind without a connection. */
#ifndef ECOSYS_API_HTTP_PENDING_H
#define ECOSYS_API_HTTP_PENDING_H

#include "api/http/errors.h"
#include "api/http/exchange.h"
#include "api/net/mailbox.h"

struct pending {
    struct mail mail;               /* to the loop, and to whoever does the work */
    struct pending *next;           /* in a list of several that wait for the same */
    struct mailbox *mailbox;        /* of the loop */
    struct connection *connection;  /* the loop's thread only; NULL: the client has gone */
    const struct http_error *error; /* what the client is told instead of a result; NULL: there is one */
    void (*free)(struct pending *take_pending); /* of the whole that it is a member of */
};

/* For the request of that exchange. */
void pending_init(struct pending *pending, struct exchange *exchange,
                  void (*free_whole)(struct pending *take_pending));

/* Any thread: hand it back to its loop, with a result or with an error. */
void pending_done(struct pending *take_pending);
void pending_fail(struct pending *take_pending, const struct http_error *error);

void pending_free(struct pending *take_pending); /* NULL is fine */

/* The pending request that a mail belongs to. */
struct pending *pending_of_mail(struct mail *mail);

#endif
