/* tests/unit/test_zone.c - names of zones, offsets, and wall times around changes of the clocks. */
#include <stdio.h>

#include "common/domain/date.h"
#include "common/program/zone.h"
#include "tests/unit/support.h"

static int64_t seconds_of(const char *text)
{
    struct timestamp timestamp = {0, TIMESTAMP_NONE};
    int32_t offset_s;
    assert_true(timestamp_parse(bytes_of(text), &timestamp, &offset_s));
    return timestamp.wall_us / US_PER_S - (timestamp.wall_us % US_PER_S < 0);
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool is_known;
    } rows[] = {
        {"America/Sao_Paulo", true},
        {"America/New_York", true},
        {"Europe/Berlin", true},
        {"UTC", true},
        {"Etc/GMT+3", true},
        {"", false},
        {"America", false},
        {"America/", false},
        {"america/sao_paulo_", false},
        {"America/Sao Paulo", false},
        {"Sao_Paulo", false},
        {"UTC-3", false},
        {"BRT3", false},
        {":UTC", false},
        {"/usr/share/zoneinfo/UTC", false},
        {"../zoneinfo/UTC", false},
        {"America/../UTC", false},
        {"tzdata.zi", false},
        {"zone.tab", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_int(rows[i].name, "zone_is_known", zone_is_known(rows[i].name), rows[i].is_known);
}

/* `wall` is a wall time in the zone; `unix_time` the instant it names, in UTC; `shown` what the clock shows then. */
static void test_wall_times(void **state)
{
    static const struct {
        const char *zone, *wall, *unix_time, *shown;
    } rows[] = {
        {"UTC", "2024-05-01 12:00:00", "2024-05-01 12:00:00", "2024-05-01 12:00:00"},
        {"America/Sao_Paulo", "2026-07-01 00:00:00", "2026-07-01 03:00:00", "2026-07-01 00:00:00"},
        {"America/Sao_Paulo", "2018-12-01 00:00:00", "2018-12-01 02:00:00", "2018-12-01 00:00:00"},
        {"America/Sao_Paulo", "1969-12-31 21:30:00", "1970-01-01 00:30:00", "1969-12-31 21:30:00"},
        {"America/Sao_Paulo", "2018-11-03 23:59:59", "2018-11-04 02:59:59", "2018-11-03 23:59:59"},
        {"America/Sao_Paulo", "2018-11-04 00:00:00", "2018-11-04 03:00:00", "2018-11-04 01:00:00"},
        {"America/Sao_Paulo", "2018-11-04 00:30:00", "2018-11-04 03:30:00", "2018-11-04 01:30:00"},
        {"America/Sao_Paulo", "2018-11-04 01:00:00", "2018-11-04 03:00:00", "2018-11-04 01:00:00"},
        {"America/Sao_Paulo", "2018-11-04 12:00:00", "2018-11-04 14:00:00", "2018-11-04 12:00:00"},
        {"America/Sao_Paulo", "2019-02-16 22:59:59", "2019-02-17 00:59:59", "2019-02-16 22:59:59"},
        {"America/Sao_Paulo", "2019-02-16 23:30:00", "2019-02-17 01:30:00", "2019-02-16 23:30:00"},
        {"America/Sao_Paulo", "2019-02-17 00:00:00", "2019-02-17 03:00:00", "2019-02-17 00:00:00"},
        {"America/New_York", "2024-03-10 01:59:59", "2024-03-10 06:59:59", "2024-03-10 01:59:59"},
        {"America/New_York", "2024-03-10 02:30:00", "2024-03-10 07:30:00", "2024-03-10 03:30:00"},
        {"America/New_York", "2024-03-10 03:00:00", "2024-03-10 07:00:00", "2024-03-10 03:00:00"},
        {"America/New_York", "2024-03-10 12:00:00", "2024-03-10 16:00:00", "2024-03-10 12:00:00"},
        {"America/New_York", "2024-11-03 01:30:00", "2024-11-03 05:30:00", "2024-11-03 01:30:00"},
        {"America/New_York", "2024-11-03 02:00:00", "2024-11-03 07:00:00", "2024-11-03 02:00:00"},
        {"Europe/Berlin", "2024-03-31 01:30:00", "2024-03-31 00:30:00", "2024-03-31 01:30:00"},
        {"Europe/Berlin", "2024-03-31 02:30:00", "2024-03-31 01:30:00", "2024-03-31 03:30:00"},
        {"Europe/Berlin", "2024-03-31 03:00:00", "2024-03-31 01:00:00", "2024-03-31 03:00:00"},
        {"Europe/Berlin", "2024-10-27 02:30:00", "2024-10-27 00:30:00", "2024-10-27 02:30:00"},
        {"Europe/Berlin", "2024-10-27 03:00:00", "2024-10-27 02:00:00", "2024-10-27 03:00:00"},
        {"Asia/Kolkata", "2024-01-01 00:00:00", "2023-12-31 18:30:00", "2024-01-01 00:00:00"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[80];
        int64_t unix_s = seconds_of(rows[i].unix_time), shown_s = seconds_of(rows[i].shown);
        snprintf(name, sizeof name, "%s, %s", rows[i].zone, rows[i].wall);
        zone_use(rows[i].zone);
        check_int(name, "zone_unix_s", zone_unix_s(seconds_of(rows[i].wall)), unix_s);
        check_int(name, "zone_offset_s", zone_offset_s(unix_s), shown_s - unix_s);
        check_int(name, "zone_wall_us", zone_wall_us(unix_s * US_PER_S), shown_s * US_PER_S);
        check_int(name, "zone_wall_us with a fraction", zone_wall_us(unix_s * US_PER_S + 999999),
                  shown_s * US_PER_S + 999999);
    }
}

/* Every quarter of an hour of years with changes: what a clock shows names an instant that shows the same. */
static void test_every_wall_time_comes_back(void **state)
{
    static const char *const zones[] = {"America/Sao_Paulo", "America/New_York", "Europe/Berlin",
                                        "Australia/Lord_Howe"};
    (void)state;
    for (size_t i = 0; i < COUNT(zones); i++) {
        zone_use(zones[i]);
        for (int64_t unix_s = seconds_of("2018-01-01 00:00:00"); unix_s < seconds_of("2019-12-31 00:00:00");
             unix_s += 900) {
            int64_t wall_s = zone_wall_us(unix_s * US_PER_S) / US_PER_S;
            int64_t back = zone_unix_s(wall_s);
            check_int(zones[i], "wall time of the instant", zone_wall_us(back * US_PER_S) / US_PER_S, wall_s);
            check_int(zones[i], "the first of two", back <= unix_s, true);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wall_times),
        cmocka_unit_test(test_every_wall_time_comes_back),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
