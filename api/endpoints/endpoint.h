/* api/endpoints/endpoint.h - what an endpoint is: one of these in a file of its own, and a line in endpoints.h. Its
 * functions are called on an event loop's thread, must not block, and get all they may look at. */
#ifndef ECOSYS_API_ENDPOINTS_ENDPOINT_H
#define ECOSYS_API_ENDPOINTS_ENDPOINT_H

#include "api/endpoints/service.h"
#include "api/http/handler.h"

/* Who may use an endpoint. */
enum access {
    ACCESS_PUBLIC, /* anybody, without credentials */
    ACCESS_READ,   /* every user */
    ACCESS_FULL,   /* users who may do more than read; others get 403 */
};

struct endpoint {
    const char *path;   /* "/health-scores/{tenant_id}": {...} stands for one segment that is not empty */
    enum method method; /* METHOD_GET also takes HEAD */
    enum access access;
    enum caching caching;     /* of 200 and 304; everything else is no-store */
    const char *content_type; /* of what `answer` puts into the body; NULL: documents bring their own */

    /* HANDLER_ANSWERED or HANDLER_PENDING. The response is a 200 with the endpoint's caching and content type. */
    enum handler_verdict (*answer)(const struct service *service, struct exchange *exchange,
                                   struct response *response);

    /* Answers what was PENDING; NULL: it never is. */
    void (*finish)(const struct service *service, struct exchange *exchange, struct pending *pending,
                   struct response *response);
};

/* 422 and the like: for `return endpoint_fail(response, &ERROR_X);`. */
enum handler_verdict endpoint_fail(struct response *response, const struct http_error *error);

#endif
