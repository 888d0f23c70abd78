/* common/buckets.h - the filters that are answered before anybody asks. Pure; any thread. */
#ifndef ECOSYS_COMMON_BUCKETS_H
#define ECOSYS_COMMON_BUCKETS_H

#include <stddef.h>

#include "common/date_filter.h"

/* Buckets of the calendar reach back at most that many years: a typing slip in a date must not make thousands. */
#define BUCKETS_YEARS_MAX 30
#define BUCKETS_MAX       1024

/* Writes the filters, each once and in the order of date_filter_compare, and returns their number: everything; each
 * year, quarter and month from the first adhesion to today; year and month to date; the last 7, 30, 90, 180 and 365
 * days, closed and open-ended; and `popular`, as many as there is room for. `first_adhesion` is DAY_NONE when no
 * client has one. */
size_t buckets_list(int32_t first_adhesion, int32_t today, const struct date_filter *popular,
                    size_t popular_count, struct date_filter out[BUCKETS_MAX]);

#endif
