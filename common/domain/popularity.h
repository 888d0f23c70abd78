/* common/domain/popularity.h - how often each filter was requested, for a bounded number of filters. Not thread-safe:
 * the owner serialises access. */
#ifndef ECOSYS_COMMON_DOMAIN_POPULARITY_H
#define ECOSYS_COMMON_DOMAIN_POPULARITY_H

#include <stddef.h>
#include <stdint.h>

#include "common/domain/date_filter.h"

#define POPULARITY_MAX 256 /* filters counted; a further one replaces the least requested */

struct popularity {
    struct popular {
        struct date_filter filter;
        uint64_t count;
    } items[POPULARITY_MAX];
    size_t count;
};

void popularity_add(struct popularity *popularity, struct date_filter filter, uint64_t count);

/* Moves the most requested filters to the front, at most `max`, and returns their number. */
size_t popularity_top(struct popularity *popularity, size_t max);

#endif
