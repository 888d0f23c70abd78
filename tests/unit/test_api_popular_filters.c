/* tests/unit/test_api_popular_filters.c - what is reported of the requested filters: each once with its count, the most
 * requested first, and from zero afterwards; and that any thread may count. */
#include <inttypes.h>
#include <stdio.h>

#include "api/data/popular_filters.h"
#include "common/stored/messages.h"
#include "tests/unit/support.h"

#define REPORTED_MAX 64

static void add(struct popular_filters *filters, struct date_filter filter, int times)
{
    for (int i = 0; i < times; i++)
        popular_filters_add(filters, filter);
}

/* The next filter of the report, which must be that one. */
static void expect_next(struct message *message, struct date_filter filter, uint64_t times)
{
    struct date_filter found;
    uint64_t count = 0;
    assert_true(message_next_popular(message, &found, &count));
    if (date_filter_compare(found, filter) != 0 || count != times)
        fail_msg("days %" PRId32 " to %" PRId32 ", %" PRIu64 " times; expected %" PRId32 " to %" PRId32
                 ", %" PRIu64 " times",
                 found.first_day, found.last_day, count, filter.first_day, filter.last_day, times);
}

static void expect_end(struct message *message)
{
    struct date_filter found;
    uint64_t count = 0;
    assert_false(message_next_popular(message, &found, &count));
}

static void test_reports(void **state)
{
    const struct date_filter few = {1, 2}, many = DATE_FILTER_ALL;
    struct popular_filters filters;
    struct buffer report = BUFFER_INIT;
    (void)state;
    popular_filters_init(&filters);
    assert_false(popular_filters_report(&filters, &report));
    add(&filters, few, 2);
    add(&filters, many, 3);
    add(&filters, few, 0);
    buffer_reset(&report);
    assert_true(popular_filters_report(&filters, &report));
    struct message message = message_parse(buffer_bytes(&report));
    assert_int_equal(message.kind, MESSAGE_POPULARITY);
    expect_next(&message, many, 3);
    expect_next(&message, few, 2);
    expect_end(&message);
    buffer_reset(&report);
    assert_false(popular_filters_report(&filters, &report)); /* all was reported */
    add(&filters, few, 1);
    buffer_reset(&report);
    assert_true(popular_filters_report(&filters, &report));
    message = message_parse(buffer_bytes(&report));
    expect_next(&message, few, 1);
    expect_end(&message);
    buffer_clear(&report);
    popular_filters_clear(&filters);
}

/* More than are reported: the least requested are left out. */
static void test_most_requested(void **state)
{
    struct popular_filters filters;
    struct buffer report = BUFFER_INIT;
    (void)state;
    popular_filters_init(&filters);
    for (int day = 1; day <= REPORTED_MAX + 6; day++)
        add(&filters, (struct date_filter){day, day}, day);
    assert_true(popular_filters_report(&filters, &report));
    struct message message = message_parse(buffer_bytes(&report));
    for (int day = REPORTED_MAX + 6; day > 6; day--)
        expect_next(&message, (struct date_filter){day, day}, (uint64_t)day);
    expect_end(&message);
    buffer_clear(&report);
    popular_filters_clear(&filters);
}

enum { THREADS = 4, TIMES = 5000 };

static void *count(void *context)
{
    add(context, DATE_FILTER_ALL, TIMES);
    return NULL;
}

static void test_several_threads(void **state)
{
    struct popular_filters filters;
    struct buffer report = BUFFER_INIT;
    pthread_t threads[THREADS];
    (void)state;
    popular_filters_init(&filters);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, &filters), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(popular_filters_report(&filters, &report));
    struct message message = message_parse(buffer_bytes(&report));
    expect_next(&message, DATE_FILTER_ALL, (uint64_t)THREADS * TIMES);
    expect_end(&message);
    buffer_clear(&report);
    popular_filters_clear(&filters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_most_requested),
        cmocka_unit_test(test_several_threads),
    };
    return cmocka_run_group_tests_name("api_popular_filters", tests, NULL, NULL);
}
