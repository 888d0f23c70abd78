/* tests/unit/test_date.c - strict dates and timestamps, their day numbers and their texts. */
#include "common/domain/date.h"
#include "tests/unit/support.h"

static void test_days(void **state)
{
    static const struct {
        const char *text;
        int32_t day;
    } rows[] = {
        {"0001-01-01", DAY_FIRST}, {"0001-12-31", -718798},  {"0004-02-29", -718008}, {"1582-10-15", -141427},
        {"1900-02-28", -25509},    {"1900-03-01", -25508},   {"1969-12-31", -1},      {"1970-01-01", 0},
        {"1970-12-31", 364},       {"1972-02-29", 789},      {"2000-02-29", 11016},   {"2000-03-01", 11017},
        {"2024-02-28", 19781},     {"2024-02-29", 19782},    {"2024-03-01", 19783},   {"2026-07-01", 20635},
        {"2038-01-19", 24855},     {"9999-12-31", DAY_LAST},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[DATE_TEXT_LEN + 1];
        int32_t day = 0;
        check_int(rows[i].text, "day_parse", day_parse(bytes_of(rows[i].text), &day), true);
        check_int(rows[i].text, "day", day, rows[i].day);
        day_format(day, text);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("%s: is written %s", rows[i].text, text);
    }
}

static void test_refused_dates(void **state)
{
    static const char *const rows[] = {
        "",           "2024",        "2024-1-01",  "2024-01-1",   "2024-01-001", "24-01-01",    "02024-01-01",
        "2024/01/01", "2024-01/01",  "20240101",   "2024-01-01 ", " 2024-01-01", "2024-01-01T", "+024-01-01",
        "-001-01-01", "2024-+1-01",  "2024- 1-01", "2024-01-0x",  "0000-01-01",  "0000-00-00",  "2024-00-10",
        "2024-13-10", "2024-01-00",  "2024-01-32", "2024-04-31",  "2024-06-31",  "2024-09-31",  "2024-11-31",
        "2024-02-30", "2023-02-29",  "1900-02-29", "2100-02-29",  "10000-01-01", "infinity",    "01/02/2024",
        "hoje",       "2024-01-01Z", "2O24-01-01",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int32_t day = 4711;
        check_int(rows[i], "day_parse", day_parse(bytes_of(rows[i]), &day), false);
        check_int(rows[i], "untouched day", day, 4711);
    }
    int32_t day;
    assert_false(day_parse((struct bytes){NULL, 0}, &day));
    assert_false(day_parse((struct bytes){"2024-01-0\0", 10}, &day));
    assert_true(day_parse((struct bytes){"2024-01-019", 10}, &day));
}

static bool is_leap(int32_t year)
{
    return year % 400 == 0 || (year % 100 != 0 && year % 4 == 0);
}

/* The day after, by the rules people learn at school. */
static struct civil_date next_date(struct civil_date date)
{
    static const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t length = lengths[date.month - 1] + (date.month == 2 && is_leap(date.year));
    if (++date.day > length) {
        date.day = 1;
        if (++date.month > 12) {
            date.month = 1;
            date.year++;
        }
    }
    return date;
}

static void test_every_day_there_is(void **state)
{
    struct civil_date expected = {1, 1, 1};
    (void)state;
    for (int32_t day = DAY_FIRST; day <= DAY_LAST; day++) {
        struct civil_date date = day_to_civil(day);
        if (date.year != expected.year || date.month != expected.month || date.day != expected.day)
            fail_msg("day %d: is %d-%d-%d, expected %d-%d-%d", day, date.year, date.month, date.day,
                     expected.year, expected.month, expected.day);
        if (day_from_civil(date) != day)
            fail_msg("%d-%d-%d: is day %d, expected %d", date.year, date.month, date.day,
                     day_from_civil(date), day);
        expected = next_date(expected);
    }
    check_int("the year after", "is", expected.year, 10000);
}

struct timestamp_row {
    const char *text;
    enum timestamp_kind kind;
    int64_t wall_us, offset_s;
    const char *shown;
};

#define DAY_2024_02_29 (19782 * US_PER_DAY)
#define TEN_O_CLOCK    (DAY_2024_02_29 + 36000 * US_PER_S)

static const struct timestamp_row TIMESTAMPS[] = {
    {"2024-02-29", TIMESTAMP_DATE, DAY_2024_02_29, 0, "2024-02-29"},
    {"0001-01-01", TIMESTAMP_DATE, DAY_FIRST *US_PER_DAY, 0, "0001-01-01"},
    {"2024-02-29 00:00:00", TIMESTAMP_TIME, DAY_2024_02_29, 0, "2024-02-29T00:00:00"},
    {"2024-02-29T10:00:00", TIMESTAMP_TIME, TEN_O_CLOCK, 0, "2024-02-29T10:00:00"},
    {"2024-02-29 10:00:00.5", TIMESTAMP_TIME, TEN_O_CLOCK + 500000, 0, "2024-02-29T10:00:00.500000"},
    {"2024-02-29 10:00:00.05", TIMESTAMP_TIME, TEN_O_CLOCK + 50000, 0, "2024-02-29T10:00:00.050000"},
    {"2024-02-29 10:00:00.123", TIMESTAMP_TIME, TEN_O_CLOCK + 123000, 0, "2024-02-29T10:00:00.123000"},
    {"2024-02-29 10:00:00.1234", TIMESTAMP_TIME, TEN_O_CLOCK + 123400, 0, "2024-02-29T10:00:00.123400"},
    {"2024-02-29 10:00:00.12345", TIMESTAMP_TIME, TEN_O_CLOCK + 123450, 0, "2024-02-29T10:00:00.123450"},
    {"2024-02-29 10:00:00.000001", TIMESTAMP_TIME, TEN_O_CLOCK + 1, 0, "2024-02-29T10:00:00.000001"},
    {"2024-02-29 10:00:00.000000", TIMESTAMP_TIME, TEN_O_CLOCK, 0, "2024-02-29T10:00:00"},
    {"2024-02-29 10:00:00-03", TIMESTAMP_TIME, TEN_O_CLOCK, -10800, "2024-02-29T10:00:00"},
    {"2024-02-29 10:00:00+00", TIMESTAMP_TIME, TEN_O_CLOCK, 0, "2024-02-29T10:00:00"},
    {"2024-02-29 10:00:00+05:30", TIMESTAMP_TIME, TEN_O_CLOCK, 19800, "2024-02-29T10:00:00"},
    {"2024-02-29 10:00:00.25-03:06:28", TIMESTAMP_TIME, TEN_O_CLOCK + 250000, -11188,
     "2024-02-29T10:00:00.250000"},
    {"1969-12-31 23:59:59.999999", TIMESTAMP_TIME, -1, 0, "1969-12-31T23:59:59.999999"},
    {"1969-12-31 00:00:00", TIMESTAMP_TIME, -US_PER_DAY, 0, "1969-12-31T00:00:00"},
    {"1970-01-01 00:00:00", TIMESTAMP_TIME, 0, 0, "1970-01-01T00:00:00"},
    {"0001-01-01 00:00:00", TIMESTAMP_TIME, DAY_FIRST *US_PER_DAY, 0, "0001-01-01T00:00:00"},
    {"9999-12-31 23:59:59.999999", TIMESTAMP_TIME, (DAY_LAST + 1) * US_PER_DAY - 1, 0,
     "9999-12-31T23:59:59.999999"},
};

static void test_timestamps(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TIMESTAMPS); i++) {
        const struct timestamp_row *row = &TIMESTAMPS[i];
        struct timestamp timestamp = {0, TIMESTAMP_NONE};
        char text[TIMESTAMP_TEXT_MAX];
        int32_t offset_s = 4711;
        check_int(row->text, "timestamp_parse", timestamp_parse(bytes_of(row->text), &timestamp, &offset_s),
                  true);
        check_int(row->text, "kind", timestamp.kind, row->kind);
        check_int(row->text, "wall_us", timestamp.wall_us, row->wall_us);
        check_int(row->text, "offset_s", offset_s, row->offset_s);
        size_t len = timestamp_format(timestamp, text);
        if (strcmp(text, row->shown) != 0 || len != strlen(text))
            fail_msg("%s: is written \"%s\" (%zu), expected \"%s\"", row->text, text, len, row->shown);
    }
}

static void test_refused_timestamps(void **state)
{
    static const char *const rows[] = {
        "",
        "infinity",
        "-infinity",
        "0044-03-15 10:00:00 BC",
        "0044-03-15 BC",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "2024-02-30 10:00:00",
        "10000-01-01 00:00:00",
        "294276-12-31 23:59:59",
        "2024-02-29 ",
        "2024-02-29T",
        "2024-02-29x10:00:00",
        "2024-02-29 10:00",
        "2024-02-29 1:00:00",
        "2024-02-29 24:00:00",
        "2024-02-29 10:60:00",
        "2024-02-29 10:00:60",
        "2024-02-29 10-00-00",
        "2024-02-29  10:00:00",
        "2024-02-29 10:00:00.",
        "2024-02-29 10:00:00.x",
        "2024-02-29 10:00:00.1234567",
        "2024-02-29 10:00:00,5",
        "2024-02-29 10:00:00 ",
        "2024-02-29 10:00:00+",
        "2024-02-29 10:00:00+3",
        "2024-02-29 10:00:00+0300",
        "2024-02-29 10:00:00+03:",
        "2024-02-29 10:00:00+03:0",
        "2024-02-29 10:00:00+03:00:00:00",
        "2024-02-29 10:00:00+03:00 ",
        "2024-02-29 10:00:00 +03",
        "2024-02-29-03",
        "2024-02-29 10:00:00 UTC",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct timestamp timestamp = {4711, TIMESTAMP_DATE};
        int32_t offset_s = 4712;
        check_int(rows[i], "timestamp_parse", timestamp_parse(bytes_of(rows[i]), &timestamp, &offset_s),
                  false);
        check_int(rows[i], "untouched wall_us", timestamp.wall_us, 4711);
        check_int(rows[i], "untouched kind", timestamp.kind, TIMESTAMP_DATE);
        check_int(rows[i], "untouched offset_s", offset_s, 4712);
    }
}

static void test_days_of_instants(void **state)
{
    static const struct {
        const char *name;
        int64_t wall_us;
        int32_t day;
    } rows[] = {
        {"epoch", 0, 0},
        {"the last microsecond of a day", US_PER_DAY - 1, 0},
        {"midnight", US_PER_DAY, 1},
        {"just before 1970", -1, -1},
        {"the first microsecond of 1969-12-31", -US_PER_DAY, -1},
        {"the last one of 1969-12-30", -US_PER_DAY - 1, -2},
        {"the first instant", DAY_FIRST * US_PER_DAY, DAY_FIRST},
        {"the last instant", (DAY_LAST + 1) * US_PER_DAY - 1, DAY_LAST},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_int(rows[i].name, "day", day_of_wall_us(rows[i].wall_us), rows[i].day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_refused_dates),
        cmocka_unit_test(test_every_day_there_is),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_refused_timestamps),
        cmocka_unit_test(test_days_of_instants),
    };
    return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
