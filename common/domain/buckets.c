/* common/domain/buckets.c - calendar and rolling ranges. */
#include "common/domain/buckets.h"

#include <stdlib.h>

#include "common/domain/date.h"

#define MONTHS 12

struct list {
    struct date_filter *items;
    size_t count;
};

static void add(struct list *list, int32_t first_day, int32_t last_day)
{
    if (list->count < BUCKETS_MAX && first_day <= last_day)
        list->items[list->count++] = (struct date_filter){first_day, last_day};
}

/* The first day of a month counted from January of year 0. */
static int32_t month_start(int32_t month)
{
    return day_from_civil((struct civil_date){month / MONTHS, month % MONTHS + 1, 1});
}

/* Spans of `months` months that begin at multiples of it, from the one containing `from` to the one containing `to`. */
static void add_spans(struct list *list, int32_t from, int32_t to, int32_t months)
{
    for (int32_t month = from - from % months; month <= to; month += months)
        add(list, month_start(month), month_start(month + months) - 1);
}

static void add_calendar(struct list *list, int32_t first_adhesion, int32_t today)
{
    struct civil_date now = day_to_civil(today), begin = day_to_civil(first_adhesion);
    int32_t to = now.year * MONTHS + now.month - 1;
    int32_t from = begin.year * MONTHS + begin.month - 1;
    if (from < to - BUCKETS_YEARS_MAX * MONTHS)
        from = to - BUCKETS_YEARS_MAX * MONTHS;
    add_spans(list, from, to, 12);
    add_spans(list, from, to, 3);
    add_spans(list, from, to, 1);
}

static void add_rolling(struct list *list, int32_t today)
{
    static const int32_t spans[] = {7, 30, 90, 180, 365};
    struct civil_date now = day_to_civil(today);
    add(list, day_from_civil((struct civil_date){now.year, 1, 1}), today);
    add(list, day_from_civil((struct civil_date){now.year, now.month, 1}), today);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        add(list, today - spans[i], today);
        add(list, today - spans[i], DAY_MAX);
    }
}

static int compare(const void *a, const void *b)
{
    return date_filter_compare(*(const struct date_filter *)a, *(const struct date_filter *)b);
}

size_t buckets_list(int32_t first_adhesion, int32_t today, const struct date_filter *popular,
                    size_t popular_count, struct date_filter out[BUCKETS_MAX])
{
    struct list list = {out, 0};
    add(&list, DAY_MIN, DAY_MAX);
    add_rolling(&list, today);
    if (first_adhesion != DAY_NONE && first_adhesion <= today)
        add_calendar(&list, first_adhesion, today);
    for (size_t i = 0; i < popular_count; i++)
        add(&list, popular[i].first_day, popular[i].last_day);
    qsort(out, list.count, sizeof *out, compare);
    size_t distinct = 0;
    for (size_t i = 0; i < list.count; i++)
        if (distinct == 0 || date_filter_compare(out[i], out[distinct - 1]) != 0)
            out[distinct++] = out[i];
    return distinct;
}
