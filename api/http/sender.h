/* api/http/sender.h - sends answers over a connection's stream: at once what the socket takes, the rest when it takes
 * more. One thread. */
#ifndef ECOSYS_API_HTTP_SENDER_H
#define ECOSYS_API_HTTP_SENDER_H

#include "api/http/response.h"

struct bufferevent;

struct sender {
    struct bufferevent *stream; /* not owned */
    bool refers_to_body;        /* what is unsent includes a body by reference, shared or costly to make */
    bool has_sent_body;         /* the last answer was large, and the socket took all of it at once */
};

/* Prepares the stream: nothing is written unless something was left over, and a client that takes nothing of that for
 * `timeout_s` is reported as timed out. False: no memory. */
MUST_CHECK bool sender_init(struct sender *sender, struct bufferevent *stream, int64_t timeout_s);

/* Appends an answer; sender_flush sends it. Takes what the response owns. False if memory is out: the answer may be
 * incomplete. */
MUST_CHECK bool sender_add(struct sender *sender, const struct response_context *context,
                           struct response *take_response);

/* Writes what the socket takes, and has the rest written when it takes more. */
void sender_flush(struct sender *sender);

/* Everything was sent: nothing is written until something is left over again. */
void sender_rest(struct sender *sender);

size_t sender_unsent_len(const struct sender *sender);

#endif
