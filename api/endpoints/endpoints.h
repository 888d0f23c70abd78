/* api/endpoints/endpoints.h - the list of all endpoints. A new one is a file of its own and one line here. */
#ifndef ECOSYS_API_ENDPOINTS_ENDPOINTS_H
#define ECOSYS_API_ENDPOINTS_ENDPOINTS_H

#include "api/endpoints/endpoint.h"

/* Where two paths match, one without a pattern wins, else the one that comes first. */
#define ENDPOINTS(LINE)                                                                                      \
    LINE(ENDPOINT_ROOT)                                                                                      \
    LINE(ENDPOINT_HEALTH)                                                                                    \
    LINE(ENDPOINT_CLIENTES)                                                                                  \
    LINE(ENDPOINT_HEALTH_SCORES)                                                                             \
    LINE(ENDPOINT_DASHBOARD)                                                                                 \
    LINE(ENDPOINT_LOGINS)                                                                                    \
    LINE(ENDPOINT_CACHE_CLEAR)

#define DECLARE_ENDPOINT(name) extern const struct endpoint name;
ENDPOINTS(DECLARE_ENDPOINT)
#undef DECLARE_ENDPOINT

#endif
