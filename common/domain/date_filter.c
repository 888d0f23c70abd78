/* common/domain/date_filter.c - a filter as text. */
#include "common/domain/date_filter.h"

#include <stdio.h>

#include "common/domain/date.h"

static const char OPEN[] = "all";

_Static_assert(DATE_FILTER_TEXT_MAX >= 2 * DATE_TEXT_LEN + 2, "two days, a colon and a NUL");

static void format_bound(int32_t day, char out[DATE_TEXT_LEN + 1])
{
    if (day == DAY_MIN || day == DAY_MAX)
        snprintf(out, DATE_TEXT_LEN + 1, "%s", OPEN);
    else
        day_format(day, out);
}

void date_filter_format(struct date_filter filter, char out[DATE_FILTER_TEXT_MAX])
{
    char first[DATE_TEXT_LEN + 1], last[DATE_TEXT_LEN + 1];
    format_bound(filter.first_day, first);
    format_bound(filter.last_day, last);
    snprintf(out, DATE_FILTER_TEXT_MAX, "%s:%s", first, last);
}

static bool parse_bound(struct bytes text, int32_t open, int32_t *out)
{
    if (!bytes_is(text, OPEN))
        return day_parse(text, out);
    *out = open;
    return true;
}

bool date_filter_parse(struct bytes text, struct date_filter *out)
{
    const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
    struct date_filter filter;
    if (colon == NULL)
        return false;
    struct bytes first = {text.data, (size_t)(colon - text.data)};
    struct bytes last = {colon + 1, text.len - first.len - 1};
    if (!parse_bound(first, DAY_MIN, &filter.first_day) || !parse_bound(last, DAY_MAX, &filter.last_day) ||
        filter.first_day > filter.last_day)
        return false;
    *out = filter;
    return true;
}
