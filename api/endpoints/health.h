/* api/endpoints/health.h - /health: what is served, how old it is, and whether Redis and the worker are there. Public, so it
 * names no host, user or error text. */
#ifndef ECOSYS_API_ENDPOINTS_HEALTH_H
#define ECOSYS_API_ENDPOINTS_HEALTH_H

#include "api/endpoints/routes.h"

void health_answer(const struct exchange *exchange, struct reply *reply);

/* True if there is a generation that is not older than CACHE_MAX_STALE. */
bool health_can_serve(const struct exchange *exchange);

/* Seconds since a generation's snapshot was taken; 0 if the clock has been set back to before that. */
int64_t health_age_s(const struct exchange *exchange, int64_t taken_at_ms);

#endif
