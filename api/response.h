/* api/response.h - an answer as bytes: the one place that knows how HEAD, 204, 304, CORS and closing change it. The event
 * loop's thread. */
#ifndef ECOSYS_API_RESPONSE_H
#define ECOSYS_API_RESPONSE_H

#include "api/reply.h"
#include "api/request.h"
#include "common/settings.h"

struct evbuffer;

/* What an answer's bytes depend on besides the reply. */
struct response_context {
    const struct settings *settings;
    const struct request *request; /* NULL: none could be read */
    const char *date;              /* value of the Date header */
    bool is_for_head;              /* as far as it can be told also of what could not be read */
    bool closes;                   /* the connection is closed behind the answer */
};

/* Appends head and body; a body of more than a kilobyte by reference, and *is_copied tells whether it was not. Of one that
 * is in a file, `socket` is given at once what it takes, unless something is in `output` before it. HEAD, 204 and 304 have
 * no body; but for 204 and 304 its length is told. Takes what the reply owns. False when memory is out: part of the answer
 * may be there already. */
MUST_CHECK bool response_append(struct evbuffer *output, int socket, const struct response_context *context,
                                struct reply *take_reply, bool *is_copied);

/* The CORS headers of every answer, errors included. `request` NULL: none could be read. */
void response_append_cors(const struct settings *settings, const struct request *request, struct buffer *out);

#endif
