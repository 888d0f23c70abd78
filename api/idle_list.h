/* api/idle_list.h - which of a loop's connections makes room for a new one: the one whose client has had nothing ready
 * for longest. Milliseconds are those of the monotonic clock. One thread. */
#ifndef ECOSYS_API_IDLE_LIST_H
#define ECOSYS_API_IDLE_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Owned by whoever is idle now and then. */
struct idle_entry {
    TAILQ_ENTRY(idle_entry) neighbours;
    void *owner;
    int64_t since_ms;
    bool is_listed;
};

/* Longest idle first. */
struct idle_list {
    TAILQ_HEAD(idle_queue, idle_entry) queue;
};

void idle_list_init(struct idle_list *list);

/* Idle from now on, behind all others, also when it was listed before. */
void idle_list_join(struct idle_list *list, struct idle_entry *entry, int64_t now_ms);

/* Before all others, as if it had always been idle. */
void idle_list_lead(struct idle_list *list, struct idle_entry *entry);

void idle_list_leave(struct idle_list *list, struct idle_entry *entry); /* who is not listed may, too */

/* The owner that has been idle for longest, if that is since `since_ms` or before; else NULL. It stays listed. */
void *idle_list_first(const struct idle_list *list, int64_t since_ms);

#endif
