/* common/domain/date_filter.h - the range of adhesion days a request asks for; how requests write it is known to
 * api/endpoints/filter_parameters.h. Pure: no clock, no I/O; any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_DATE_FILTER_H
#define ECOSYS_COMMON_DOMAIN_DATE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/status.h"

#define DAY_MIN INT32_MIN
#define DAY_MAX INT32_MAX

struct date_filter {
    int32_t first_day; /* days since 1970-01-01, inclusive; DAY_MIN when open */
    int32_t last_day;  /* inclusive; DAY_MAX when open; never before first_day */
};

#define DATE_FILTER_ALL                                                                                      \
    (struct date_filter)                                                                                     \
    {                                                                                                        \
        DAY_MIN, DAY_MAX                                                                                     \
    }

/* No bound at all: clients without a day of adhesion pass too. */
static inline bool date_filter_is_open(struct date_filter filter)
{
    return filter.first_day == DAY_MIN && filter.last_day == DAY_MAX;
}

/* By first day, then by last day: negative when a comes first. */
static inline int date_filter_compare(struct date_filter a, struct date_filter b)
{
    if (a.first_day != b.first_day)
        return a.first_day < b.first_day ? -1 : 1;
    return (a.last_day > b.last_day) - (a.last_day < b.last_day);
}

/* "2024-01-01:2024-01-31" and a NUL, with "all" for an open bound: the form used in Redis keys and messages. */
#define DATE_FILTER_TEXT_MAX 24
void date_filter_format(struct date_filter filter, char out[DATE_FILTER_TEXT_MAX]);

/* Reads that form. Returns false and leaves *out untouched if it is malformed or the last day comes before the
 * first. */
MUST_CHECK bool date_filter_parse(struct bytes text, struct date_filter *out);

#endif
