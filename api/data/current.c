/* api/data/current.c - a number that tells whether there is something new, and a mutex around what it is. */
#include "api/data/current.h"

void current_init(struct current *current)
{
    *current = (struct current){.mutex = PTHREAD_MUTEX_INITIALIZER};
    atomic_init(&current->number, 0);
}

void current_clear(struct current *current)
{
    generation_unref(current->generation);
    pthread_mutex_destroy(&current->mutex);
}

void current_join(struct current *current, struct current_view *view, struct mailbox *mailbox)
{
    *view = (struct current_view){.mailbox = mailbox, .next = current->views};
    atomic_init(&view->served, 0);
    current->views = view;
}

void current_view_clear(struct current_view *view)
{
    generation_unref(view->generation);
    view->generation = NULL;
}

void current_set(struct current *current, struct generation *generation, const struct upstream *upstream)
{
    pthread_mutex_lock(&current->mutex);
    struct generation *old = current->generation;
    current->generation = generation != NULL ? generation_ref(generation) : NULL;
    current->upstream = *upstream;
    atomic_fetch_add(&current->number, 1);
    pthread_mutex_unlock(&current->mutex);
    generation_unref(old);
    for (struct current_view *view = current->views; view != NULL; view = view->next)
        mailbox_ring(view->mailbox);
}

bool current_look(struct current *current, struct current_view *view)
{
    struct generation *old = view->generation;
    if (atomic_load(&current->number) == view->number)
        return false;
    pthread_mutex_lock(&current->mutex);
    view->number = atomic_load(&current->number);
    view->generation = current->generation != NULL ? generation_ref(current->generation) : NULL;
    view->upstream = current->upstream;
    pthread_mutex_unlock(&current->mutex);
    generation_unref(old);
    uint64_t served = generation_number(view->generation);
    return atomic_exchange(&view->served, served) != served;
}

bool current_is_served(const struct current *current, uint64_t number)
{
    for (const struct current_view *view = current->views; view != NULL; view = view->next)
        if (atomic_load(&view->served) != number)
            return false;
    return true;
}
