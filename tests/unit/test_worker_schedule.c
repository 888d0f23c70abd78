/* tests/unit/test_worker_schedule.c - when the next refresh is due, after each way in which one can end. */
#include "tests/unit/support.h"
#include "worker/schedule.h"

static void test_nothing_is_due_until_requested(void **state)
{
    struct schedule schedule;
    (void)state;
    schedule_init(&schedule, 300);
    assert_false(schedule_is_due(&schedule, INT64_MAX - 1));
    schedule_request(&schedule, 5000);
    assert_false(schedule_is_due(&schedule, 4999));
    assert_true(schedule_is_due(&schedule, 5000));
    schedule_begin(&schedule);
    assert_false(schedule_is_due(&schedule, 5000));
}

static void test_interval(void **state)
{
    static const struct {
        int64_t interval_s, due_ms;
    } rows[] = {{1, 8000}, {300, 307000}, {31536000, 31536007000}, {0, SCHEDULE_NEVER}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule schedule;
        schedule_init(&schedule, rows[i].interval_s);
        schedule_request(&schedule, 0);
        schedule_begin(&schedule);
        schedule_end(&schedule, REFRESH_SUCCEEDED, 7000, 12345);
        assert_int_equal(schedule.due_ms, rows[i].due_ms);
    }
}

/* Each wait is drawn from half of its nominal length up to, but not including, one and a half of it. */
static void test_retries(void **state)
{
    static const struct {
        int64_t shortest_ms;
        int64_t nominal_ms;
    } rows[] = {{500, 1000},   {1000, 2000},   {2000, 4000},   {4000, 8000},
                {8000, 16000}, {16000, 32000}, {30000, 60000}, {30000, 60000}};
    struct schedule schedule;
    (void)state;
    schedule_init(&schedule, 300);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t nominal = (uint32_t)rows[i].nominal_ms;
        struct schedule longest = schedule;
        schedule_begin(&longest);
        schedule_end(&longest, REFRESH_FAILED, 100, nominal - 1);
        assert_int_equal(longest.due_ms, 100 + rows[i].shortest_ms + rows[i].nominal_ms - 1);
        schedule_begin(&schedule);
        schedule_end(&schedule, REFRESH_FAILED, 100, nominal);
        assert_int_equal(schedule.due_ms, 100 + rows[i].shortest_ms);
        assert_int_equal(schedule.failures, i + 1);
    }
}

static void test_success_ends_the_failures(void **state)
{
    struct schedule schedule;
    (void)state;
    schedule_init(&schedule, 300);
    for (int i = 0; i < 10; i++) {
        schedule_begin(&schedule);
        schedule_end(&schedule, REFRESH_FAILED, 0, 0);
    }
    schedule_begin(&schedule);
    schedule_end(&schedule, REFRESH_SUCCEEDED, 0, 0);
    assert_int_equal(schedule.failures, 0);
    schedule_begin(&schedule);
    schedule_end(&schedule, REFRESH_FAILED, 0, 0);
    assert_int_equal(schedule.failures, 1);
    assert_int_equal(schedule.due_ms, 500);
}

static void test_void_refreshes_are_not_counted(void **state)
{
    struct schedule schedule;
    (void)state;
    schedule_init(&schedule, 300);
    schedule_begin(&schedule);
    schedule_end(&schedule, REFRESH_VOID, 1000, 0);
    assert_int_equal(schedule.failures, 0);
    assert_int_equal(schedule.due_ms, 1500);
    for (int i = 0; i < 3; i++) {
        schedule_begin(&schedule);
        schedule_end(&schedule, REFRESH_FAILED, 1000, 0);
    }
    schedule_begin(&schedule);
    schedule_end(&schedule, REFRESH_VOID, 1000, 0);
    assert_int_equal(schedule.failures, 3);
    assert_int_equal(schedule.due_ms, 3000);
}

/* However the running one ends; and the request is served by one refresh. */
static void test_requested_while_running(void **state)
{
    static const enum refresh_result results[] = {REFRESH_SUCCEEDED, REFRESH_FAILED, REFRESH_VOID};
    (void)state;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        struct schedule schedule;
        schedule_init(&schedule, 300);
        schedule_begin(&schedule);
        schedule_request(&schedule, 1000);
        schedule_end(&schedule, results[i], 2000, 0);
        assert_true(schedule_is_due(&schedule, 2000));
        schedule_begin(&schedule);
        schedule_end(&schedule, REFRESH_SUCCEEDED, 3000, 0);
        assert_int_equal(schedule.due_ms, 303000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_due_until_requested),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_success_ends_the_failures),
        cmocka_unit_test(test_void_refreshes_are_not_counted),
        cmocka_unit_test(test_requested_while_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
