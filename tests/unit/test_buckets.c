/* tests/unit/test_buckets.c - the filters that are answered before anybody asks: whole lists written out by hand, and
 * what must hold for any day. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/domain/buckets.h"
#include "common/domain/date.h"
#include "tests/unit/support.h"

#define POPULAR_MAX 4

/* "all" is an open bound. */
static int32_t bound_of(const char *text, int32_t open)
{
    int32_t day = open;
    if (strcmp(text, "all") != 0)
        assert_true(day_parse(bytes_of(text), &day));
    return day;
}

static int32_t day_of(const char *text)
{
    return text == NULL ? DAY_NONE : bound_of(text, 0);
}

static struct date_filter filter_of(const char *first, const char *last)
{
    return (struct date_filter){bound_of(first, DAY_MIN), bound_of(last, DAY_MAX)};
}

static void append_bound(struct buffer *out, int32_t day)
{
    char text[DATE_TEXT_LEN + 1] = "all";
    if (day != DAY_MIN && day != DAY_MAX)
        day_format(day, text);
    buffer_append_text(out, text);
}

static void append_list(struct buffer *out, const struct date_filter *filters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        append_bound(out, filters[i].first_day);
        buffer_append_char(out, ':');
        append_bound(out, filters[i].last_day);
        buffer_append_char(out, '\n');
    }
}

struct list_row {
    const char *name;
    const char *first_adhesion; /* NULL: none */
    const char *today;
    struct {
        const char *first, *last;
    } popular[POPULAR_MAX]; /* up to the first one without bounds */
    const char *expected;
};

#define ROLLING_ON_LEAP_DAY                                                                                  \
    "all:all\n2023-03-01:2024-02-29\n2023-03-01:all\n2023-09-02:2024-02-29\n2023-09-02:all\n"                \
    "2023-12-01:2024-02-29\n2023-12-01:all\n2024-01-01:2024-02-29\n"

static const struct list_row LISTS[] = {
    {"a year and a bit",
     "2023-12-20",
     "2024-03-05",
     {{NULL, NULL}},
     "all:all\n"
     "2023-01-01:2023-12-31\n" /* the year */
     "2023-03-06:2024-03-05\n" /* 365 days, over a leap day */
     "2023-03-06:all\n"
     "2023-09-07:2024-03-05\n" /* 180 days */
     "2023-09-07:all\n"
     "2023-10-01:2023-12-31\n" /* the quarter */
     "2023-12-01:2023-12-31\n" /* the month */
     "2023-12-06:2024-03-05\n" /* 90 days */
     "2023-12-06:all\n"
     "2024-01-01:2024-01-31\n"
     "2024-01-01:2024-03-05\n" /* the year to date */
     "2024-01-01:2024-03-31\n"
     "2024-01-01:2024-12-31\n"
     "2024-02-01:2024-02-29\n"
     "2024-02-04:2024-03-05\n" /* 30 days */
     "2024-02-04:all\n"
     "2024-02-27:2024-03-05\n" /* 7 days */
     "2024-02-27:all\n"
     "2024-03-01:2024-03-05\n" /* the month to date */
     "2024-03-01:2024-03-31\n"},
    {"1 January, when the year and the month to date are one day",
     "2024-01-01",
     "2024-01-01",
     {{NULL, NULL}},
     "all:all\n2023-01-01:2024-01-01\n2023-01-01:all\n2023-07-05:2024-01-01\n2023-07-05:all\n"
     "2023-10-03:2024-01-01\n2023-10-03:all\n2023-12-02:2024-01-01\n2023-12-02:all\n"
     "2023-12-25:2024-01-01\n2023-12-25:all\n2024-01-01:2024-01-01\n2024-01-01:2024-01-31\n"
     "2024-01-01:2024-03-31\n2024-01-01:2024-12-31\n"},
    {"leap day, the first adhesion is tomorrow",
     "2024-03-01",
     "2024-02-29",
     {{NULL, NULL}},
     ROLLING_ON_LEAP_DAY "2024-01-30:2024-02-29\n2024-01-30:all\n2024-02-01:2024-02-29\n"
                         "2024-02-22:2024-02-29\n2024-02-22:all\n"},
    {"leap day, no adhesion",
     NULL,
     "2024-02-29",
     {{NULL, NULL}},
     ROLLING_ON_LEAP_DAY "2024-01-30:2024-02-29\n2024-01-30:all\n2024-02-01:2024-02-29\n"
                         "2024-02-22:2024-02-29\n2024-02-22:all\n"},
    {"leap day, the first adhesion is today: its whole month is the month to date",
     "2024-02-29",
     "2024-02-29",
     {{NULL, NULL}},
     ROLLING_ON_LEAP_DAY "2024-01-01:2024-03-31\n2024-01-01:2024-12-31\n2024-01-30:2024-02-29\n"
                         "2024-01-30:all\n2024-02-01:2024-02-29\n2024-02-22:2024-02-29\n2024-02-22:all\n"},
    {"popular ones: before all, known already, known from a day on, up to a day",
     NULL,
     "2024-02-29",
     {{"0001-01-01", "9999-12-31"}, {"all", "all"}, {"2024-01-30", "all"}, {"all", "2024-02-29"}},
     "all:2024-02-29\nall:all\n0001-01-01:9999-12-31\n"
     "2023-03-01:2024-02-29\n2023-03-01:all\n2023-09-02:2024-02-29\n2023-09-02:all\n"
     "2023-12-01:2024-02-29\n2023-12-01:all\n2024-01-01:2024-02-29\n"
     "2024-01-30:2024-02-29\n2024-01-30:all\n2024-02-01:2024-02-29\n"
     "2024-02-22:2024-02-29\n2024-02-22:all\n"},
    {"popular ones: twice the same, and a range that ends before it begins",
     NULL,
     "2024-02-29",
     {{"2024-02-29", "2024-02-29"}, {"2024-02-29", "2024-02-29"}, {"2024-03-02", "2024-03-01"}},
     ROLLING_ON_LEAP_DAY "2024-01-30:2024-02-29\n2024-01-30:all\n2024-02-01:2024-02-29\n"
                         "2024-02-22:2024-02-29\n2024-02-22:all\n2024-02-29:2024-02-29\n"},
};

static void test_whole_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(LISTS); i++) {
        const struct list_row *row = &LISTS[i];
        struct date_filter out[BUCKETS_MAX], popular[POPULAR_MAX];
        struct buffer found = BUFFER_INIT;
        size_t popular_count = 0;
        while (popular_count < POPULAR_MAX && row->popular[popular_count].first != NULL) {
            popular[popular_count] =
                filter_of(row->popular[popular_count].first, row->popular[popular_count].last);
            popular_count++;
        }
        size_t count =
            buckets_list(day_of(row->first_adhesion), day_of(row->today), popular, popular_count, out);
        append_list(&found, out, count);
        buffer_append_char(&found, '\0');
        if (strcmp(found.data, row->expected) != 0)
            fail_msg("%s: is\n%s, expected\n%s", row->name, found.data, row->expected);
        buffer_clear(&found);
    }
}

/* On 2024-03-05 and with an adhesion long ago: everything, 2 to date and 10 rolling ones; 31 years from 1994; 121
 * quarters from January 1994; 361 months from March 1994. */
#define LONGEST (13 + 31 + 121 + 361)

static void test_old_adhesions_are_bounded(void **state)
{
    static const struct {
        const char *name, *first_adhesion;
        size_t count;
    } rows[] = {
        {"the first day there is", "0001-01-01", LONGEST},
        {"a typing slip", "1014-03-05", LONGEST},
        {"31 years ago", "1993-03-05", LONGEST},
        {"the first month that counts", "1994-03-31", LONGEST},
        {"its first day", "1994-03-01", LONGEST},
        {"the day before it", "1994-02-28", LONGEST},
        {"a month and a quarter later", "1994-04-01", LONGEST - 2},
        {"a year later", "1995-03-05", LONGEST - 1 - 4 - 12},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct date_filter out[BUCKETS_MAX];
        size_t count = buckets_list(day_of(rows[i].first_adhesion), day_of("2024-03-05"), NULL, 0, out);
        if (count != rows[i].count)
            fail_msg("%s: %zu filters, expected %zu", rows[i].name, count, rows[i].count);
        for (size_t j = 1; j < count; j++)
            if (out[j].first_day < day_of("1994-01-01"))
                fail_msg("%s: filter %zu begins on day %" PRId32 ", expected none before 1994", rows[i].name,
                         j, out[j].first_day);
    }
}

static bool holds(const struct date_filter *filters, size_t count, struct date_filter filter)
{
    for (size_t i = 0; i < count; i++)
        if (date_filter_compare(filters[i], filter) == 0)
            return true;
    return false;
}

/* Popular ones come last and stop at the bound; the calendar never gives way to them. */
static void test_popular_ones_fill_what_is_left(void **state)
{
    enum { POPULAR = 2 * BUCKETS_MAX, ROOM = BUCKETS_MAX - LONGEST };
    static struct date_filter popular[POPULAR];
    struct date_filter out[BUCKETS_MAX];
    (void)state;
    for (int32_t i = 0; i < POPULAR; i++)
        popular[i] = (struct date_filter){-100000 - i, -100000 - i};
    size_t count = buckets_list(DAY_FIRST, day_of("2024-03-05"), popular, POPULAR, out);
    assert_int_equal(count, BUCKETS_MAX);
    assert_true(holds(out, count, DATE_FILTER_ALL));
    assert_true(holds(out, count, filter_of("1994-01-01", "1994-12-31")));
    assert_true(holds(out, count, filter_of("2024-03-01", "2024-03-31")));
    assert_true(holds(out, count, popular[ROOM - 1]));
    assert_false(holds(out, count, popular[ROOM]));
    count = buckets_list(DAY_FIRST, day_of("2024-03-05"), popular, ROOM - 1, out);
    assert_int_equal(count, BUCKETS_MAX - 1);
}

/* A day and an adhesion from 1900 to 2100, from a generator whose seed is in the message. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void check_any(const char *name, int32_t first, int32_t today)
{
    struct date_filter out[BUCKETS_MAX];
    struct civil_date now = day_to_civil(today), begin = day_to_civil(first);
    size_t count = buckets_list(first, today, NULL, 0, out);
    const struct date_filter expected[] = {
        DATE_FILTER_ALL,
        {day_from_civil((struct civil_date){now.year, 1, 1}), today},
        {day_from_civil((struct civil_date){now.year, now.month, 1}), today},
        {today - 7, today},
        {today - 365, DAY_MAX},
    };
    for (size_t i = 0; i < COUNT(expected); i++)
        if (!holds(out, count, expected[i]))
            fail_msg("%s: expected filter %zu is missing", name, i);
    for (size_t i = 0; i < count; i++)
        if (out[i].first_day > out[i].last_day || (i > 0 && date_filter_compare(out[i - 1], out[i]) >= 0))
            fail_msg("%s: filter %zu is out of order or twice", name, i);
    if (first > today || now.year - begin.year >= BUCKETS_YEARS_MAX)
        return;
    for (int32_t year = begin.year; year <= now.year; year++)
        if (!holds(out, count,
                   (struct date_filter){day_from_civil((struct civil_date){year, 1, 1}),
                                        day_from_civil((struct civil_date){year, 12, 31})}))
            fail_msg("%s: year %" PRId32 " is missing", name, year);
    int32_t month_start = day_from_civil((struct civil_date){begin.year, begin.month, 1});
    bool has_month = false;
    for (int32_t len = 28; len <= 31; len++)
        has_month |= holds(out, count, (struct date_filter){month_start, month_start + len - 1});
    if (!has_month)
        fail_msg("%s: the month of the first adhesion is missing", name);
}

static void test_any_day(void **state)
{
    const uint64_t seed = 20240305;
    uint64_t random = seed;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char name[96];
        int32_t today = (int32_t)(next_random(&random) % 73049) - 25567;
        int32_t first = (int32_t)(next_random(&random) % 73049) - 25567;
        snprintf(name, sizeof name, "seed %" PRIu64 ", first %" PRId32 ", today %" PRId32, seed, first,
                 today);
        check_any(name, first, today);
    }
    check_any("the last day there is", DAY_LAST - 400, DAY_LAST);
    check_any("a year after the first day there is", DAY_FIRST, DAY_FIRST + 365);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_lists),
        cmocka_unit_test(test_old_adhesions_are_bounded),
        cmocka_unit_test(test_popular_ones_fill_what_is_left),
        cmocka_unit_test(test_any_day),
    };
    return cmocka_run_group_tests_name("buckets", tests, NULL, NULL);
}
