/* api/endpoints/root.c - GET /: that the service is there. */
#include "api/endpoints/endpoints.h"

static enum handler_verdict answer_root(const struct service *service, struct exchange *exchange,
                                        struct response *response)
{
    (void)service;
    (void)exchange;
    response->body = bytes_of("{\"message\":\"API de Gestão de Clientes está no ar!\"}");
    return HANDLER_ANSWERED;
}

const struct endpoint ENDPOINT_ROOT = {.path = "/",
                                       .method = METHOD_GET,
                                       .access = ACCESS_PUBLIC,
                                       .caching = CACHING_NO_STORE,
                                       .content_type = JSON_TYPE,
                                       .answer = answer_root};
