/* api/net/idle_list.h - which of a loop's connections gives way to a new one: first those that have been sent their
 * last answer, then the one that has been idle for longest. Times are in milliseconds of the monotonic clock. One
 * thread. */
#ifndef ECOSYS_API_NET_IDLE_LIST_H
#define ECOSYS_API_NET_IDLE_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define IDLE_GIVES_WAY_MS 1000 /* nobody gives way before */

/* An entry, embedded in its owner. */
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

/* Idle from now on: goes behind all others, even if it is listed already. */
void idle_list_join(struct idle_list *list, struct idle_entry *entry, int64_t now_ms);

/* Goes before all others, as if it had always been idle. */
void idle_list_lead(struct idle_list *list, struct idle_entry *entry);

void idle_list_leave(struct idle_list *list, struct idle_entry *entry); /* no effect if it is not listed */

/* The owner that gives way now: the one that has been idle longest, if for IDLE_GIVES_WAY_MS at least; otherwise NULL.
 * It stays listed. */
void *idle_list_first(const struct idle_list *list, int64_t now_ms);

#endif
