/* api/http/reply.h - an answer before it becomes bytes. Filled in by handlers, turned into bytes by response_append. One
 * thread. */
#ifndef ECOSYS_API_HTTP_REPLY_H
#define ECOSYS_API_HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "api/formats/body.h"
#include "common/base/buffer.h"

#define JSON_TYPE "application/json"

struct reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct bytes body;        /* borrowed: static, or from `text` or `shared` */
    struct buffer text;       /* owned; the body if it was made for this answer alone */
    struct body *shared;      /* owned reference; the body if others may get the same */
    struct buffer headers;    /* owned; finished lines "Name: value\r\n" of this answer alone */
    bool is_data;             /* a data answer: private, no-cache; anything else is no-store */
    bool closes;              /* close the connection after it */
};

void reply_init(struct reply *reply);
void reply_clear(struct reply *reply);

/* The errors of the contract. Messages that the Python service had are kept; others are Portuguese. */
enum reply_error {
    ERROR_BAD_REQUEST,
    ERROR_NOT_FOUND,
    ERROR_METHOD,
    ERROR_NOT_AUTHENTICATED,
    ERROR_UNDECODABLE_CREDENTIALS,
    ERROR_WRONG_CREDENTIALS,
    ERROR_THROTTLED,
    ERROR_READONLY,
    ERROR_BODY_TOO_LARGE,
    ERROR_NO_DATA,
    ERROR_OVERLOADED,
    ERROR_FORMATO_CLIENTES,
    ERROR_FORMATO_HEALTH_SCORES,
    ERROR_INICIO,
    ERROR_FIM,
    ERROR_RANGE,
    ERROR_TENANT_MISSING,
    ERROR_TENANT_IN_QUERY,
    ERROR_TENANT_IN_BODY,
    ERROR_BODY,
    ERROR_NO_TENANT,
    ERROR_WAIT,
    ERROR_NO_WORKER,
    ERROR_REFRESH_FAILED,
    ERROR_REFRESH_TIMEOUT,
    ERROR_INTERNAL,
};

/* Turns the reply into that error, with its headers. */
void reply_error(struct reply *reply, enum reply_error error);

/* The reason phrase of a status. */
const char *reply_reason(int status);

#endif
