/* tests/unit/test_popularity.c - counting filters, the order of the ones asked for most, and the bound. */
#include <inttypes.h>
#include <stdio.h>

#include "common/domain/popularity.h"
#include "tests/unit/support.h"

static struct popularity popularity;

static int begin(void **state)
{
    (void)state;
    popularity = (struct popularity){.count = 0};
    return 0;
}

static void add(int32_t day, uint64_t count)
{
    popularity_add(&popularity, (struct date_filter){day, day}, count);
}

static void check_item(const char *name, size_t index, int32_t day, uint64_t count)
{
    struct popular item = popularity.items[index];
    if (item.filter.first_day != day || item.filter.last_day != day || item.count != count)
        fail_msg("%s: item %zu is day %" PRId32 " to %" PRId32 ", %" PRIu64 " times, expected day %" PRId32
                 ", %" PRIu64 " times",
                 name, index, item.filter.first_day, item.filter.last_day, item.count, day, count);
}

static void test_counts_and_order(void **state)
{
    (void)state;
    assert_int_equal(popularity_top(&popularity, 10), 0);
    add(5, 1);
    add(3, 2);
    add(4, 1);
    add(5, 1);
    add(9, 7);
    assert_int_equal(popularity_top(&popularity, 10), 4);
    check_item("most first", 0, 9, 7);
    check_item("as often: the earlier range first", 1, 3, 2);
    check_item("counted twice", 2, 5, 2);
    check_item("least last", 3, 4, 1);
    assert_int_equal(popularity_top(&popularity, 2), 2);
    check_item("cut", 0, 9, 7);
    check_item("cut", 1, 3, 2);
    assert_int_equal(popularity_top(&popularity, 0), 0);
    assert_int_equal(popularity.count, 4);
}

static void test_counters_do_not_wrap(void **state)
{
    (void)state;
    add(1, UINT64_MAX - 1);
    add(1, 1);
    check_item("the largest number", 0, 1, UINT64_MAX);
    add(1, 1);
    add(1, UINT64_MAX);
    check_item("no larger one", 0, 1, UINT64_MAX);
    assert_int_equal(popularity.count, 1);
}

static void test_both_bounds_are_the_filter(void **state)
{
    static const struct date_filter filters[] = {{1, 2}, {1, 3}, {0, 2}, {DAY_MIN, 2}, {1, DAY_MAX}};
    (void)state;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
            popularity_add(&popularity, filters[i], 1);
    assert_int_equal(popularity_top(&popularity, 10), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(popularity.items[i].count, 2);
}

static void test_one_more_takes_the_place_of_the_least(void **state)
{
    (void)state;
    for (int32_t i = 0; i < POPULARITY_MAX; i++)
        add(i, i == 100 ? 3 : 10);
    add(1000, 1);
    assert_int_equal(popularity.count, POPULARITY_MAX);
    check_item("where the least was", 100, 1000, 1);
    add(1001, 4);
    check_item("the newcomer was the least", 100, 1001, 4);
    add(1001, 20);
    add(1002, 1);
    check_item("the newcomer stays once it is asked for", 100, 1001, 24);
    assert_int_equal(popularity.count, POPULARITY_MAX);
    size_t count = popularity_top(&popularity, SIZE_MAX);
    assert_int_equal(count, POPULARITY_MAX);
    check_item("most", 0, 1001, 24);
    check_item("least", POPULARITY_MAX - 1, 1002, 1);
}

/* Whoever asks for a thousand filters once each does not drive out the few that many ask for. */
static void test_a_flood(void **state)
{
    (void)state;
    for (int32_t i = 0; i < 10; i++)
        add(-i, 2);
    for (int32_t i = 1; i <= 100000; i++)
        add(i, 1);
    assert_int_equal(popularity_top(&popularity, 10), 10);
    for (int32_t i = 0; i < 10; i++)
        check_item("popular before the flood", (size_t)i, i - 9, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_counts_and_order, begin),
        cmocka_unit_test_setup(test_counters_do_not_wrap, begin),
        cmocka_unit_test_setup(test_both_bounds_are_the_filter, begin),
        cmocka_unit_test_setup(test_one_more_takes_the_place_of_the_least, begin),
        cmocka_unit_test_setup(test_a_flood, begin),
    };
    return cmocka_run_group_tests_name("popularity", tests, NULL, NULL);
}
