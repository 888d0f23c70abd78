/* common/domain/popularity.c - a small table of counters. */
#include "common/domain/popularity.h"

#include <stdlib.h>

void popularity_add(struct popularity *popularity, struct date_filter filter, uint64_t count)
{
    struct popular *least = popularity->items;
    for (size_t i = 0; i < popularity->count; i++) {
        struct popular *item = &popularity->items[i];
        if (date_filter_compare(item->filter, filter) == 0) {
            item->count = count < UINT64_MAX - item->count ? item->count + count : UINT64_MAX;
            return;
        }
        if (item->count < least->count)
            least = item;
    }
    if (popularity->count < POPULARITY_MAX)
        least = &popularity->items[popularity->count++];
    *least = (struct popular){filter, count};
}

static int compare(const void *a, const void *b)
{
    const struct popular *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return date_filter_compare(left->filter, right->filter);
}

size_t popularity_top(struct popularity *popularity, size_t max)
{
    qsort(popularity->items, popularity->count, sizeof popularity->items[0], compare);
    return popularity->count < max ? popularity->count : max;
}
