/* api/data/asked.c - counters under a mutex. */
#include "api/data/asked.h"

#include "common/stored/messages.h"

#define REPORTED_MAX 64

void asked_init(struct asked *asked)
{
    *asked = (struct asked){.mutex = PTHREAD_MUTEX_INITIALIZER};
}

void asked_clear(struct asked *asked)
{
    pthread_mutex_destroy(&asked->mutex);
}

void asked_add(struct asked *asked, struct date_filter filter)
{
    pthread_mutex_lock(&asked->mutex);
    popularity_add(&asked->popularity, filter, 1);
    pthread_mutex_unlock(&asked->mutex);
}

bool asked_report(struct asked *asked, struct buffer *out)
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
