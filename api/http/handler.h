/* api/http/handler.h - what a connection needs to know of whoever answers its requests. All functions are called on the
 * event loop's thread and must not block. */
#ifndef ECOSYS_API_HTTP_HANDLER_H
#define ECOSYS_API_HTTP_HANDLER_H

#include "api/http/exchange.h"
#include "api/http/pending.h"
#include "api/http/response.h"

enum handler_verdict {
    HANDLER_ANSWERED, /* the response is complete */
    HANDLER_ADMITTED, /* `answer` is to be called once the body has been read */
    HANDLER_PENDING, /* after pending_init: it will be handed back, then `resume` is called. Nothing was filled in */
};

struct handler {
    void *context; /* passed to each function */

    /* The head of a request has been read: whether it is allowed, as far as that does not depend on its body. */
    enum handler_verdict (*check)(void *context, struct exchange *exchange, struct response *response);

    /* The whole request has been read: ANSWERED or PENDING. HEAD is answered like GET; its body is left out later. */
    enum handler_verdict (*answer)(void *context, struct exchange *exchange, struct response *response);

    /* A pending request was handed back: continues where `check` (not yet admitted) or `answer` returned PENDING. The
     * pending request stays the caller's. */
    enum handler_verdict (*resume)(void *context, struct exchange *exchange, struct pending *pending,
                                   struct response *response);
};

#endif
