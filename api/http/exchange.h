/* api/http/exchange.h - one request and its answer, as far as a handler may see it. The event loop's thread. */
#ifndef ECOSYS_API_HTTP_EXCHANGE_H
#define ECOSYS_API_HTTP_EXCHANGE_H

#include "api/http/request.h"
#include "api/net/address.h"

struct connection;
struct mailbox;
struct pending;

struct exchange {
    const struct request *request;
    struct bytes body;          /* of the request; empty: none, or not read yet */
    const struct address *peer; /* the other end of the connection */
    bool is_admitted;           /* the handler has allowed it */

    /* The handler's own: what it found the request to be for, and what a pattern in its path stands for, as it was
     * sent. */
    const void *endpoint;
    struct bytes path_parameter;

    /* For pending_init: where a pending answer is handed back, and the one that was made last. */
    struct mailbox *mailbox;
    struct connection *connection;
    struct pending *pending;
};

#endif
