/* api/net/mailbox.h - how other threads reach a thread that polls: they post mail, or only ring. Mail is a member of
 * what is handed over, and costs no memory of its own. Any thread may post and ring; the owner takes. */
#ifndef ECOSYS_API_NET_MAILBOX_H
#define ECOSYS_API_NET_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/status.h"

struct mail {
    struct mail *next; /* in the list of whoever holds it */
};

struct mailbox {
    int fd;                /* readable once it was rung */
    pthread_mutex_t mutex; /* guards the rest: */
    struct mail *first;    /* newest first */
    bool is_closed;
};

/* mailbox_clear must follow, whatever the result. */
MUST_CHECK enum status mailbox_init(struct mailbox *mailbox, struct error *err);
void mailbox_clear(struct mailbox *mailbox); /* what is still in it stays the owner's: take it first */

/* Posts and rings. False: the mailbox is closed, and the mail stays the caller's. */
MUST_CHECK bool mailbox_post(struct mailbox *mailbox, struct mail *take_mail);

void mailbox_ring(struct mailbox *mailbox);

/* Rings; from now on nothing can be posted. */
void mailbox_close(struct mailbox *mailbox);

/* Ends the ringing and returns all mail, newest first, or NULL. Whatever else the ringing may be for is looked at after
 * that, or it is missed. *is_closed (NULL: not wanted) tells that this was the last mail. */
MUST_CHECK struct mail *mailbox_take(struct mailbox *mailbox, bool *is_closed);

#endif
