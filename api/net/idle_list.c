/* api/net/idle_list.c - a queue in the order in which its members became idle. */
#include "api/net/idle_list.h"

#include <stddef.h>

void idle_list_init(struct idle_list *list)
{
    TAILQ_INIT(&list->queue);
}

void idle_list_join(struct idle_list *list, struct idle_entry *entry, int64_t now_ms)
{
    idle_list_leave(list, entry);
    TAILQ_INSERT_TAIL(&list->queue, entry, neighbours);
    entry->since_ms = now_ms;
    entry->is_listed = true;
}

void idle_list_lead(struct idle_list *list, struct idle_entry *entry)
{
    idle_list_leave(list, entry);
    TAILQ_INSERT_HEAD(&list->queue, entry, neighbours);
    entry->since_ms = INT64_MIN;
    entry->is_listed = true;
}

void idle_list_leave(struct idle_list *list, struct idle_entry *entry)
{
    if (entry->is_listed)
        TAILQ_REMOVE(&list->queue, entry, neighbours);
    entry->is_listed = false;
}

void *idle_list_first(const struct idle_list *list, int64_t now_ms)
{
    const struct idle_entry *first = TAILQ_FIRST(&list->queue);
    return first != NULL && first->since_ms <= now_ms - IDLE_GIVES_WAY_MS ? first->owner : NULL;
}
