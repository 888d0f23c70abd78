/* tests/unit/test_api_throttle.c - the decision on an attempt, budgets of addresses, how they fill up again, and how
 * many addresses are kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/throttle.h"
#include "tests/unit/support.h"

static const struct siphash_key KEY = {{1, 2}};

static struct attempt attempt_of(const char *address, uint64_t credentials)
{
    struct attempt attempt = {.credentials = {{credentials, 0}}};
    if (!address_parse(bytes_of(address), &attempt.address))
        fail_msg("%s is no address", address);
    return attempt;
}

static struct attempt numbered(uint32_t number)
{
    char text[ADDRESS_TEXT_SIZE];
    snprintf(text, sizeof text, "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255, number & 255);
    return attempt_of(text, 0);
}

static void init(struct throttle *throttle, int64_t per_minute)
{
    struct error err;
    assert_int_equal(throttle_init(throttle, per_minute, &KEY, &err), STATUS_OK);
}

/* How many wrong attempts in a row an address may make at once. */
static unsigned burst(struct throttle *throttle, const char *address, int64_t now_ms)
{
    struct attempt attempt = attempt_of(address, 0);
    unsigned made = 0;
    while (made < 10000 && throttle_begin(throttle, &attempt, now_ms)) {
        throttle_end(throttle, &attempt, ATTEMPT_WRONG);
        made++;
    }
    return made;
}

/* Uses up the budget of the attempt's address first: only familiar credentials are admitted without one. */
static bool is_familiar(struct throttle *throttle, const char *address, const struct attempt *attempt)
{
    (void)burst(throttle, address, 1000);
    return throttle_admit(throttle, attempt, ATTEMPT_RIGHT, 1000);
}

static void test_budgets(void **state)
{
    static const struct {
        int64_t per_minute;
        unsigned at_once, after_half_a_minute;
    } rows[] = {{1, 1, 0}, {2, 2, 1}, {7, 7, 3}, {10, 10, 5}, {60, 60, 30}, {6000, 6000, 3000}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct throttle throttle;
        init(&throttle, rows[i].per_minute);
        unsigned first = burst(&throttle, "192.0.2.1", 1000);
        unsigned none = burst(&throttle, "192.0.2.1", 1000);
        unsigned other = burst(&throttle, "192.0.2.2", 1000);
        unsigned later = burst(&throttle, "192.0.2.1", 31000);
        unsigned whole = burst(&throttle, "192.0.2.1", 31000 + 60000);
        if (first != rows[i].at_once || none != 0 || other != first || later != rows[i].after_half_a_minute ||
            whole != first)
            fail_msg("%" PRId64 " a minute: %u, %u, of another %u, later %u, at last %u", rows[i].per_minute,
                     first, none, other, later, whole);
        throttle_clear(&throttle);
    }
}

static void test_no_limit(void **state)
{
    struct throttle throttle;
    (void)state;
    init(&throttle, 0);
    assert_int_equal(burst(&throttle, "192.0.2.1", 1000), 10000);
    throttle_clear(&throttle);
}

static void test_what_is_right_costs_nothing(void **state)
{
    struct attempt attempt = attempt_of("192.0.2.1", 1);
    struct throttle throttle;
    (void)state;
    init(&throttle, 3);
    for (int i = 0; i < 100; i++) {
        assert_true(throttle_begin(&throttle, &attempt, 1000));
        throttle_end(&throttle, &attempt, i % 2 == 0 ? ATTEMPT_RIGHT : ATTEMPT_UNCHECKED);
    }
    assert_int_equal(burst(&throttle, "192.0.2.1", 1000), 3);
    throttle_clear(&throttle);
}

/* Many at once are no way around the limit. */
static void test_what_is_under_way_counts(void **state)
{
    struct attempt attempt = attempt_of("192.0.2.1", 1);
    struct throttle throttle;
    (void)state;
    init(&throttle, 3);
    for (int i = 0; i < 3; i++)
        assert_true(throttle_begin(&throttle, &attempt, 1000));
    assert_false(throttle_admit(&throttle, &attempt, ATTEMPT_UNCHECKED, 1000));
    assert_false(throttle_begin(&throttle, &attempt, 1000));
    throttle_end(&throttle, &attempt, ATTEMPT_RIGHT);
    assert_true(throttle_admit(&throttle, &attempt, ATTEMPT_UNCHECKED, 1000));
    assert_true(throttle_begin(&throttle, &attempt, 1000));
    throttle_clear(&throttle);
}

/* What a request's result costs, when it is decided upon at once: only a wrong one is charged, and only that and a
 * refusal are counted. */
static void test_decisions(void **state)
{
    static const struct {
        const char *name;
        enum attempt_result result;
        unsigned admitted, left; /* of ten, from a budget of three */
        uint64_t wrong, delayed;
    } rows[] = {
        {"right", ATTEMPT_RIGHT, 10, 3, 0, 0},
        {"wrong", ATTEMPT_WRONG, 3, 0, 3, 7},
        {"unchecked", ATTEMPT_UNCHECKED, 10, 3, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct attempt attempt = attempt_of("192.0.2.1", 1);
        struct throttle_report report = {.wrong = 0};
        struct throttle throttle;
        unsigned admitted = 0;
        init(&throttle, 3);
        for (int made = 0; made < 10; made++)
            admitted += throttle_admit(&throttle, &attempt, rows[i].result, 1000);
        bool is_reported = throttle_take_report(&throttle, &report);
        unsigned left = burst(&throttle, "192.0.2.1", 1000);
        if (admitted != rows[i].admitted || left != rows[i].left || report.wrong != rows[i].wrong ||
            report.delayed != rows[i].delayed || is_reported != (rows[i].wrong > 0))
            fail_msg("%s: %u admitted, %u left, %" PRIu64 " wrong, %" PRIu64 " delayed", rows[i].name,
                     admitted, left, report.wrong, report.delayed);
        throttle_clear(&throttle);
    }
}

static void test_which_addresses_are_one(void **state)
{
    static const struct {
        const char *first, *second;
        bool are_one;
    } rows[] = {
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct throttle throttle;
        init(&throttle, 5);
        assert_int_equal(burst(&throttle, rows[i].first, 1000), 5);
        unsigned left = burst(&throttle, rows[i].second, 1000);
        if (left != (rows[i].are_one ? 0 : 5))
            fail_msg("after %s, %s has %u left", rows[i].first, rows[i].second, left);
        throttle_clear(&throttle);
    }
}

static void test_familiar_credentials(void **state)
{
    struct attempt known = attempt_of("192.0.2.1", 1),
                   others[] = {attempt_of("192.0.2.1", 2), attempt_of("192.0.2.2", 1)};
    struct throttle throttle;
    (void)state;
    init(&throttle, 1);
    assert_false(is_familiar(&throttle, "192.0.2.1", &known));
    throttle_end(&throttle, &known, ATTEMPT_WRONG);
    throttle_end(&throttle, &known, ATTEMPT_UNCHECKED);
    assert_false(is_familiar(&throttle, "192.0.2.1", &known));
    throttle_end(&throttle, &known, ATTEMPT_RIGHT);
    assert_true(is_familiar(&throttle, "192.0.2.1", &known));
    assert_false(is_familiar(&throttle, "192.0.2.1", &others[0]));
    assert_false(is_familiar(&throttle, "192.0.2.2", &others[1]));
    assert_false(
        throttle_admit(&throttle, &known, ATTEMPT_WRONG, 1000)); /* familiar, but not right any more */
    assert_false(throttle_admit(&throttle, &known, ATTEMPT_UNCHECKED, 1000));
    throttle_clear(&throttle);
}

/* Ten budgets of attempts that are refused; then everything is, familiar credentials too, until the address has been
 * silent. */
static void test_flood(void **state)
{
    struct attempt attempt = attempt_of("192.0.2.1", 0), other = attempt_of("192.0.2.2", 0);
    struct throttle throttle;
    int64_t now_ms = 1000;
    (void)state;
    init(&throttle, 60);
    assert_true(throttle_admit(&throttle, &attempt, ATTEMPT_RIGHT, now_ms));
    assert_true(throttle_admit(&throttle, &other, ATTEMPT_RIGHT, now_ms));
    assert_int_equal(burst(&throttle, "192.0.2.1", now_ms), 60); /* and one that is refused */
    unsigned delayed = 1;
    while (delayed < 10000 && throttle_admit(&throttle, &attempt, ATTEMPT_RIGHT, now_ms)) {
        assert_false(throttle_begin(&throttle, &attempt, now_ms));
        delayed++;
    }
    assert_in_range(delayed, 590, 600); /* a minute in intervals of 101 ms */
    assert_true(throttle_admit(&throttle, &other, ATTEMPT_RIGHT, now_ms));
    for (int i = 0; i < 100000; i++)
        assert_false(throttle_admit(&throttle, &attempt, ATTEMPT_RIGHT, now_ms));
    assert_false(throttle_admit(&throttle, &attempt, ATTEMPT_RIGHT, now_ms + 50));
    assert_true(throttle_admit(&throttle, &attempt, ATTEMPT_RIGHT, now_ms + 250));
    assert_false(throttle_begin(&throttle, &attempt, now_ms + 250));
    assert_int_equal(burst(&throttle, "192.0.2.1", now_ms + 60000), 60);
    throttle_clear(&throttle);
}

/* The address that has been silent for longest makes room. */
static void test_bound_of_addresses(void **state)
{
    struct throttle throttle;
    (void)state;
    init(&throttle, 1);
    for (uint32_t i = 0; i < THROTTLE_ADDRESSES; i++) {
        struct attempt attempt = numbered(i);
        assert_true(throttle_begin(&throttle, &attempt, 1000));
    }
    struct attempt first = numbered(0), second = numbered(1);
    assert_false(throttle_begin(&throttle, &first, 1000)); /* seen again */
    struct attempt one_more = numbered(THROTTLE_ADDRESSES);
    assert_true(throttle_begin(&throttle, &one_more, 1000));
    assert_false(throttle_begin(&throttle, &first, 1000));
    assert_true(throttle_begin(&throttle, &second, 1000)); /* it was forgotten */
    throttle_end(&throttle, &second, ATTEMPT_RIGHT);
    struct attempt third = numbered(2); /* forgotten while its attempt was under way */
    throttle_end(&throttle, &third, ATTEMPT_RIGHT);
    throttle_end(&throttle, &third, ATTEMPT_WRONG);
    for (uint32_t i = 0; i < 5 * THROTTLE_ADDRESSES; i++) {
        struct attempt attempt = numbered(100000 + i * 7);
        assert_true(throttle_begin(&throttle, &attempt, 1000));
        assert_false(throttle_begin(&throttle, &attempt, 1000));
    }
    assert_int_equal(throttle.entries_count, THROTTLE_ADDRESSES);
    throttle_clear(&throttle);
}

static void test_reports(void **state)
{
    struct throttle throttle;
    struct throttle_report report;
    char worst[ADDRESS_TEXT_SIZE];
    (void)state;
    init(&throttle, 3);
    assert_false(throttle_take_report(&throttle, &report));
    assert_int_equal(burst(&throttle, "192.0.2.1", 1000), 3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(burst(&throttle, "192.0.2.2", 1000), i == 0 ? 3 : 0);
    struct attempt right = attempt_of("192.0.2.3", 0);
    assert_true(throttle_begin(&throttle, &right, 1000));
    throttle_end(&throttle, &right, ATTEMPT_RIGHT);
    assert_true(throttle_take_report(&throttle, &report));
    address_format(&report.worst, worst);
    assert_string_equal(worst, "192.0.2.2");
    assert_int_equal(report.wrong, 6);
    assert_int_equal(report.delayed, 5);
    assert_int_equal(report.addresses, 2);
    assert_int_equal(report.of_worst, 7);
    assert_false(throttle_take_report(&throttle, &report));
    assert_int_equal(burst(&throttle, "192.0.2.1", 1000), 0);
    assert_true(throttle_take_report(&throttle, &report));
    assert_true(report.wrong == 0 && report.delayed == 1 && report.addresses == 1 && report.of_worst == 1);
    throttle_clear(&throttle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_what_is_right_costs_nothing),
        cmocka_unit_test(test_what_is_under_way_counts),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_which_addresses_are_one),
        cmocka_unit_test(test_familiar_credentials),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_bound_of_addresses),
        cmocka_unit_test(test_reports),
    };
    return cmocka_run_group_tests_name("api_throttle", tests, NULL, NULL);
}
