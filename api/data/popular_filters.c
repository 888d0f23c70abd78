/* api/data/popular_filters.c - counters under a mutex. */
#include "api/data/popular_filters.h"

#include "common/stored/messages.h"

#define REPORTED_MAX 64

void popular_filters_init(struct popular_filters *filters)
{
    *filters = (struct popular_filters){.mutex = PTHREAD_MUTEX_INITIALIZER};
}

void popular_filters_clear(struct popular_filters *filters)
{
    pthread_mutex_destroy(&filters->mutex);
}

void popular_filters_add(struct popular_filters *filters, struct date_filter filter)
{
    pthread_mutex_lock(&filters->mutex);
    popularity_add(&filters->popularity, filter, 1);
    pthread_mutex_unlock(&filters->mutex);
}

bool popular_filters_report(struct popular_filters *filters, struct buffer *out)
{
    pthread_mutex_lock(&filters->mutex);
    size_t count = popularity_top(&filters->popularity, REPORTED_MAX);
    message_begin(MESSAGE_POPULARITY, out);
    for (size_t i = 0; i < count; i++)
        message_add_popular(out, filters->popularity.items[i].filter, filters->popularity.items[i].count);
    filters->popularity.count = 0;
    pthread_mutex_unlock(&filters->mutex);
    return count > 0;
}
