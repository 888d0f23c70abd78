/* api/wait.h - a request that waits for something that another thread does. Made by the loop that has the request,
 * filled in and handed back by whoever did the work; the loop then finishes the answer. A client that goes away
 * meanwhile leaves its wait behind with no connection. */
#ifndef ECOSYS_API_WAIT_H
#define ECOSYS_API_WAIT_H

#include "api/body.h"
#include "api/reply.h"

struct connection;
struct loop;

/* Where the body of a data answer came from (X-Cache). */
enum source { SOURCE_CACHE, SOURCE_BUCKET, SOURCE_COMPUTED };

/* What is told of the generation that a body was made of. Not the generation itself: its last reference would go with the
 * wait, and freeing one is no work for an event loop. */
struct origin {
    uint64_t generation;
    int64_t taken_at_ms; /* since 1970-01-01 UTC */
};

enum wait_kind { WAIT_ANSWER, WAIT_REFRESH, WAIT_VERIFICATION };

/* What a request for a refresh wants, and what became of it. */
struct wait_refresh {
    bool accepted_is_enough; /* no need to wait for the end */
    uint64_t generation;     /* that was published; 0 when only accepted */
    int64_t duration_ms;
};

struct wait {
    enum wait_kind kind;
    struct wait_refresh refresh; /* WAIT_REFRESH */
    bool is_readonly;            /* WAIT_VERIFICATION: the user whose credentials were right */
    struct loop *loop;
    struct connection *connection; /* the loop's thread only; NULL: the client has gone */
    struct wait *next;             /* in the list of whoever has it */

    bool has_failed; /* then `error` says how, else the result is: */
    enum reply_error error;
    struct body *body; /* owned */
    enum source source;
    struct origin origin; /* of the body */
};

/* NULL when memory is out. */
struct wait *wait_new(struct loop *loop, struct connection *connection);

/* Any thread: hands a filled wait back to its loop. */
void wait_done(struct wait *wait);
void wait_fail(struct wait *wait, enum reply_error error);

void wait_free(struct wait *wait); /* NULL: nothing */

#endif
