/* api/data/newest.c - a number that tells whether there is something new, and a mutex around what it is. */
#include "api/data/newest.h"

void newest_init(struct newest *newest)
{
    *newest = (struct newest){.mutex = PTHREAD_MUTEX_INITIALIZER};
    atomic_init(&newest->number, 0);
}

void newest_clear(struct newest *newest)
{
    generation_unref(newest->generation);
    pthread_mutex_destroy(&newest->mutex);
}

void newest_set(struct newest *newest, struct generation *generation, const struct outlook *outlook)
{
    pthread_mutex_lock(&newest->mutex);
    struct generation *old = newest->generation;
    newest->generation = generation != NULL ? generation_ref(generation) : NULL;
    newest->outlook = *outlook;
    atomic_fetch_add(&newest->number, 1);
    pthread_mutex_unlock(&newest->mutex);
    generation_unref(old);
}

void newest_look(struct newest *newest, struct newest_view *view)
{
    struct generation *old = view->generation;
    if (atomic_load(&newest->number) == view->number)
        return;
    pthread_mutex_lock(&newest->mutex);
    view->number = atomic_load(&newest->number);
    view->generation = newest->generation != NULL ? generation_ref(newest->generation) : NULL;
    view->outlook = newest->outlook;
    pthread_mutex_unlock(&newest->mutex);
    generation_unref(old);
}

void newest_view_clear(struct newest_view *view)
{
    generation_unref(view->generation);
}
