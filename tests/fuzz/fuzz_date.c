/* tests/fuzz/fuzz_date.c - days and timestamps as questions and databases write them, from any bytes. What is taken is
 * what the C library makes of the same digits, lies within the years 1 to 9999, and printed it is read as the same. */
#include <time.h>

#include "common/domain/date.h"
#include "tests/fuzz/fuzz.h"

static int two_digits(const char *at)
{
    return (at[0] - '0') * 10 + at[1] - '0';
}

/* The seconds that timegm finds for "YYYY-MM-DD" and, when there is more, "?HH:MM:SS". */
static int64_t naive_seconds(struct bytes text)
{
    struct tm tm = {.tm_year = two_digits(text.data) * 100 + two_digits(text.data + 2) - 1900,
                    .tm_mon = two_digits(text.data + 5) - 1,
                    .tm_mday = two_digits(text.data + 8)};
    if (text.len > DATE_TEXT_LEN) {
        tm.tm_hour = two_digits(text.data + 11);
        tm.tm_min = two_digits(text.data + 14);
        tm.tm_sec = two_digits(text.data + 17);
    }
    int day = tm.tm_mday, hour = tm.tm_hour, second = tm.tm_sec;
    int64_t seconds = timegm(&tm);
    MUST_HOLD(tm.tm_mday == day && tm.tm_hour == hour && tm.tm_sec == second); /* nothing was carried over */
    return seconds;
}

static void check_day(struct bytes text)
{
    char shown[DATE_TEXT_LEN + 1];
    int32_t day = DAY_NONE;
    if (!day_parse(text, &day)) {
        MUST_HOLD(day == DAY_NONE);
        return;
    }
    day_format(day, shown);
    MUST_HOLD(bytes_is(text, shown));
    MUST_HOLD(day >= DAY_FIRST && day <= DAY_LAST && naive_seconds(text) == day * INT64_C(86400));
    MUST_HOLD(day_from_civil(day_to_civil(day)) == day);
}

static void check_timestamp(struct bytes text)
{
    char shown[TIMESTAMP_TEXT_MAX];
    struct timestamp first, second;
    int32_t offset, no_offset;
    if (!timestamp_parse(text, &first, &offset))
        return;
    int64_t us = first.wall_us - naive_seconds(text) * US_PER_S;
    MUST_HOLD(us >= 0 && us < US_PER_S);
    MUST_HOLD(offset > -100 * 3600 - 6100 && offset < 100 * 3600 + 6100);
    size_t len = timestamp_format(first, shown);
    MUST_HOLD(timestamp_parse((struct bytes){shown, len}, &second, &no_offset) && no_offset == 0);
    MUST_HOLD(first.wall_us == second.wall_us && first.kind == second.kind);
    MUST_HOLD(day_of_wall_us(first.wall_us) >= DAY_FIRST && day_of_wall_us(first.wall_us) <= DAY_LAST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {size > 0 ? (const char *)data : "", size};
    check_day(text);
    check_timestamp(text);
    return 0;
}
