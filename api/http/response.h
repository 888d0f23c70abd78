/* api/http/response.h - an answer as bytes: the one place that knows how HEAD, 204, 304, CORS and closing change it. The
 * event loop's thread. */
#ifndef ECOSYS_API_HTTP_RESPONSE_H
#define ECOSYS_API_HTTP_RESPONSE_H

#include "api/http/reply.h"
#include "api/http/request.h"
#include "common/program/settings.h"

struct evbuffer;

/* What an answer's bytes depend on besides the reply. */
struct response_context {
    const struct settings *settings;
    const struct request *request; /* NULL: none could be read */
    const char *date;              /* value of the Date header */
    bool is_for_head;              /* as far as can be told, also for a request that could not be read */
    bool closes;                   /* the connection is closed after the answer */
};

/* Appends head and body. A body of more than a kilobyte is appended by reference, and *is_copied is false then; if it
 * is in a file and nothing is in `output` before it, `socket` first gets as much as it takes. HEAD, 204 and 304 have no
 * body; for HEAD its length is still sent. Takes what the reply owns. False if memory is out: part of the answer may
 * have been appended or sent already. */
MUST_CHECK bool response_append(struct evbuffer *output, int socket, const struct response_context *context,
                                struct reply *take_reply, bool *is_copied);

/* The CORS headers of every answer, errors included. `request` NULL: none could be read. */
void response_append_cors(const struct settings *settings, const struct request *request, struct buffer *out);

#endif
