/* common/domain/buckets.h - the filters that are answered in advance. Pure; any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_BUCKETS_H
#define ECOSYS_COMMON_DOMAIN_BUCKETS_H

#include <stddef.h>

#include "common/domain/date_filter.h"

/* Calendar buckets reach back at most this many years, so that a mistyped date does not create thousands. */
#define BUCKETS_YEARS_MAX 30
#define BUCKETS_MAX       1024

/* Writes the filters, without duplicates and in the order of date_filter_compare, and returns their number: everything;
 * each year, quarter and month from the first adhesion to today; year and month to date; from 7, 30, 90, 180 and 365
 * days ago, each up to today and open-ended; and as many of `popular` as there is room for. `first_adhesion` is
 * DAY_NONE when no client has one. */
size_t buckets_list(int32_t first_adhesion, int32_t today, const struct date_filter *popular,
                    size_t popular_count, struct date_filter out[BUCKETS_MAX]);

#endif
