/* common/popularity.h - how often each filter was asked for, of a bounded number of filters. The owner keeps threads
 * apart. */
#ifndef ECOSYS_COMMON_POPULARITY_H
#define ECOSYS_COMMON_POPULARITY_H

#include <stddef.h>
#include <stdint.h>

#include "common/date_filter.h"

#define POPULARITY_MAX 256 /* filters that are counted; one more takes the place of the least asked for */

struct popularity {
    struct popular {
        struct date_filter filter;
        uint64_t count;
    } items[POPULARITY_MAX];
    size_t count;
};

void popularity_add(struct popularity *popularity, struct date_filter filter, uint64_t count);

/* Moves the filters that were asked for most to the front, at most `max`, and returns how many there are. */
size_t popularity_top(struct popularity *popularity, size_t max);

#endif
