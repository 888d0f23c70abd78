/* api/endpoints/endpoint.c - answering with an error. */
#include "api/endpoints/endpoint.h"

enum handler_verdict endpoint_fail(struct response *response, const struct http_error *error)
{
    response_fail(response, error);
    return HANDLER_ANSWERED;
}
