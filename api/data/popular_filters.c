/* api/data/popular_filters.c - counters under a mutex. */
#include "api/data/popular_filters.h"

#include "common/stored/messages.h"

#define REPORTED_MAX 64

void popular_filters_init(struct popular_filters *asked)
{
    *asked = (struct popular_filters){.mutex = PTHREAD_MUTEX_INITIALIZER};
}

void popular_filters_clear(struct popular_filters *asked)
{
    pthread_mutex_destroy(&asked->mutex);
}

void popular_filters_add(struct popular_filters *asked, struct date_filter filter)
{
    pthread_mutex_lock(&asked->mutex);
    popularity_add(&asked->popularity, filter, 1);
    pthread_mutex_unlock(&asked->mutex);
}

bool popular_filters_report(struct popular_filters *asked, struct buffer *out)
{
    pthread_mutex_lock(&asked->mutex);
    size_t count = popularity_top(&asked->popularity, REPORTED_MAX);
    message_begin(MESSAGE_POPULARITY, out);
    for (size_t i = 0; i < count; i++)
        message_add_popular(out, asked->popularity.items[i].filter, asked->popularity.items[i].count);
    asked->popularity.count = 0;
    pthread_mutex_unlock(&asked->mutex);
    return count > 0;
}
