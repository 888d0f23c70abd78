/* api/http/response.h - an answer: first as what a handler fills in, then as bytes, in the one place that knows how
 * HEAD, 204, 304, CORS and closing change them. One thread. */
#ifndef ECOSYS_API_HTTP_RESPONSE_H
#define ECOSYS_API_HTTP_RESPONSE_H

#include <stdbool.h>

#include "api/formats/representation.h"
#include "api/http/errors.h"
#include "api/http/request.h"
#include "common/base/buffer.h"
#include "common/program/settings.h"

struct evbuffer;

#define JSON_TYPE "application/json"

/* How long others may keep an answer (Cache-Control). */
enum caching {
    CACHING_NO_STORE,
    CACHING_PRIVATE,  /* the client may, and asks each time whether its ETag is still good */
    CACHING_IMMUTABLE /* anybody may, for a year: its name changes with its content */
};

struct response {
    int status;
    const char *content_type;              /* NULL: no body */
    struct bytes body;                     /* borrowed: static, or from `text` or `representation` */
    struct buffer text;                    /* owned; the body if it was made for this answer alone */
    struct representation *representation; /* owned reference; the body if others may get the same */
    struct buffer headers;                 /* owned; finished lines "Name: value\r\n" of this answer alone */
    enum caching caching;
};

/* 200 without a body. */
void response_init(struct response *response);
void response_clear(struct response *response);

/* Turns the response into that error. */
void response_fail(struct response *response, const struct http_error *error);

/* What an answer's bytes depend on besides the response. */
struct response_context {
    const struct settings *settings;
    const struct request *request; /* NULL: none could be read */
    const char *date;              /* value of the Date header */
    bool is_for_head;              /* as far as can be told, also for a request that could not be read */
    bool closes;                   /* the connection is closed after the answer */
};

/* Appends head and body. A body of more than a kilobyte is appended by reference, and *is_copied is false then; if it
 * has a file and nothing is in `output` before it, `socket` first gets as much as it takes. HEAD, 204 and 304 have no
 * body; for HEAD its length is still sent. Takes what the response owns. False if memory is out: part of the answer may
 * have been appended or sent already. */
MUST_CHECK bool response_append(struct evbuffer *output, int socket, const struct response_context *context,
                                struct response *take_response, bool *is_copied);

/* The CORS headers of every answer, errors included. `request` NULL: none could be read. */
void response_append_cors(const struct settings *settings, const struct request *request, struct buffer *out);

#endif
