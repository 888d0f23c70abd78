/* api/endpoints/service.c - what is served, and how old it is. */
#include "api/endpoints/service.h"

void service_look(struct service *service)
{
    if (current_look(service->current, &service->view))
        follower_ring(service->follower);
}

int64_t service_age_s(int64_t taken_at_ms, int64_t now_ms)
{
    int64_t age_ms = now_ms - taken_at_ms;
    return age_ms > 0 ? age_ms / 1000 : 0;
}

bool service_has_data(const struct service *service, int64_t now_ms)
{
    const struct generation *generation = service->view.generation;
    return generation != NULL &&
           service_age_s(generation_taken_at_ms(generation), now_ms) <= service->settings->cache_max_stale_s;
}
