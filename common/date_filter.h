/* common/date_filter.h - which adhesion days a question asks for. Pure: no clock, no I/O; any thread. */
#ifndef ECOSYS_COMMON_DATE_FILTER_H
#define ECOSYS_COMMON_DATE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/status.h"

#define DAY_MIN INT32_MIN
#define DAY_MAX INT32_MAX

struct date_filter {
    int32_t first_day; /* days since 1970-01-01, included; DAY_MIN when open */
    int32_t last_day;  /* included; DAY_MAX when open; never before first_day */
};

#define DATE_FILTER_ALL                                                                                      \
    (struct date_filter)                                                                                     \
    {                                                                                                        \
        DAY_MIN, DAY_MAX                                                                                     \
    }

/* No bound at all: also clients without a day of adhesion pass. */
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

/* "2024-01-01:2024-01-31" and a NUL, "all" for a bound that is open: as names in Redis and messages have it. */
#define DATE_FILTER_TEXT_MAX 24
void date_filter_format(struct date_filter filter, char out[DATE_FILTER_TEXT_MAX]);

/* Reads that. False: not of that form, or the last day comes before the first; *out is untouched. */
MUST_CHECK bool date_filter_parse(struct bytes text, struct date_filter *out);

#endif
