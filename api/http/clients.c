/* api/http/clients.c - a list, a count and the Date header. */
#include "api/http/clients.h"

#include <time.h>

bool clients_init(struct clients *clients)
{
    idle_list_init(&clients->idle);
    return turns_init(&clients->turns, clients->base);
}

void clients_clear(struct clients *clients)
{
    turns_clear(&clients->turns);
}

void clients_add(struct clients *clients, struct client_link *link, void *owner)
{
    *link = (struct client_link){.next = clients->first, .link = &clients->first, .owner = owner};
    if (link->next != NULL)
        link->next->link = &link->next;
    clients->first = link;
}

void clients_remove(struct clients *clients, struct client_link *link)
{
    (void)clients;
    *link->link = link->next;
    if (link->next != NULL)
        link->next->link = link->link;
}

bool clients_are_gone(const struct clients *clients)
{
    return clients->first == NULL;
}

bool clients_count(struct clients *clients)
{
    long long before = atomic_fetch_add_explicit(clients->open, 1, memory_order_relaxed);
    return before < clients->settings->connections_max;
}

void clients_uncount(struct clients *clients)
{
    atomic_fetch_sub_explicit(clients->open, 1, memory_order_relaxed);
}

bool clients_have_room(const struct clients *clients)
{
    return atomic_load_explicit(clients->open, memory_order_relaxed) < clients->settings->connections_max;
}

const char *clients_date(struct clients *clients, int64_t unix_s)
{
    time_t now = (time_t)unix_s;
    struct tm utc;
    if (clients->date_s != unix_s) {
        gmtime_r(&now, &utc);
        strftime(clients->date, sizeof clients->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        clients->date_s = unix_s;
    }
    return clients->date;
}
