/* api/http/wait.h - a request that waits for another thread. Made by the request's loop, filled in and handed back by
 * whoever did the work; the loop then finishes the answer. If the client goes away meanwhile, its wait stays behind
 * without a connection. */
#ifndef ECOSYS_API_HTTP_WAIT_H
#define ECOSYS_API_HTTP_WAIT_H

#include "api/formats/body.h"
#include "api/http/reply.h"

struct connection;
struct loop;

/* Where the body of a data answer came from (X-Cache). */
enum source { SOURCE_CACHE, SOURCE_BUCKET, SOURCE_COMPUTED };

/* What an answer says about the generation that its body was made from. Not the generation itself: the wait might hold
 * its last reference, and freeing a generation is no work for an event loop. */
struct origin {
    uint64_t generation;
    int64_t taken_at_ms; /* since 1970-01-01 UTC */
};

enum wait_kind { WAIT_ANSWER, WAIT_REFRESH, WAIT_VERIFICATION };

/* What a refresh request wants, and what became of it. */
struct wait_refresh {
    bool accepted_is_enough; /* no need to wait for the end */
    uint64_t generation;     /* the published one; 0 if only accepted */
    int64_t duration_ms;
};

struct wait {
    enum wait_kind kind;
    struct wait_refresh refresh; /* WAIT_REFRESH */
    bool is_readonly;            /* WAIT_VERIFICATION: of the user whose credentials were right */
    struct loop *loop;
    struct connection *connection; /* the loop's thread only; NULL: the client has gone */
    struct wait *next;             /* in the list of whoever holds it */

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

void wait_free(struct wait *wait); /* NULL is fine */

#endif
