/* api/endpoints/service.h - what the endpoints of one event loop answer with. That loop's thread. */
#ifndef ECOSYS_API_ENDPOINTS_SERVICE_H
#define ECOSYS_API_ENDPOINTS_SERVICE_H

#include "api/auth/auth.h"
#include "api/data/current.h"
#include "api/data/documents.h"
#include "api/data/follower.h"
#include "api/data/popular_filters.h"

/* Pointers are to what all loops share. */
struct service {
    const struct settings *settings;
    struct auth *auth;
    struct users *users; /* who may ask; the loop's own reference */
    struct current *current;
    struct current_view view; /* what is served */
    struct workshop *workshop;
    struct follower *follower;
    struct popular_filters *filters; /* where requested filters are counted */
};

/* Looks at what is current; wakes the follower if this loop serves something new now. */
void service_look(struct service *service);

/* Whether there is a generation that is not older than CACHE_MAX_STALE. `now_ms` is since 1970-01-01 UTC. */
bool service_has_data(const struct service *service, int64_t now_ms);

/* Seconds since a snapshot was taken; 0 if the clock has been set back to before that. */
int64_t service_age_s(int64_t taken_at_ms, int64_t now_ms);

#endif
