/* api/endpoints/router.h - finds the endpoint of a request, makes the checks of the contract in their order, and hands
 * over to the endpoint: the handler of all connections. The event loop's thread. */
#ifndef ECOSYS_API_ENDPOINTS_ROUTER_H
#define ECOSYS_API_ENDPOINTS_ROUTER_H

#include "api/endpoints/endpoint.h"

/* The handler that answers with the service, which must outlive it. */
struct handler router_handler(struct service *service);

/* The endpoint whose path matches, or NULL; *parameter is what its pattern stands for, without data if it has none. */
const struct endpoint *router_find(struct bytes path, struct bytes *parameter);

/* Whether a path matches an endpoint's; *parameter is set to what {...} stands for, if there is such a segment. */
bool router_path_matches(const char *pattern, struct bytes path, struct bytes *parameter);

#endif
