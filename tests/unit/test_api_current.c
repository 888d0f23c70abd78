/* tests/unit/test_api_newest.c - what loops see of what is newest, and whose the references are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/data/current.h"

struct bench {
    struct generation generations[2]; /* the test's own references keep them from being freed */
    struct newest newest;
    struct newest_view view;
};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){.view = {.number = 0}};
    for (size_t i = 0; i < 2; i++)
        atomic_init(&bench->generations[i].references, 1);
    newest_init(&bench->newest);
}

static unsigned references(const struct bench *bench, size_t number)
{
    return atomic_load(&bench->generations[number].references);
}

static void bench_clear(struct bench *bench)
{
    newest_view_clear(&bench->view);
    newest_clear(&bench->newest);
    assert_int_equal(references(bench, 0), 1);
    assert_int_equal(references(bench, 1), 1);
}

static void test_nothing_yet(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    newest_look(&bench.newest, &bench.view);
    assert_null(bench.view.generation);
    assert_false(bench.view.outlook.redis_is_ok);
    bench_clear(&bench);
}

static void test_outlook_without_a_generation(void **state)
{
    const struct outlook outlook = {.redis_is_ok = true, .worker_error = "mysql"};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    newest_set(&bench.newest, NULL, &outlook);
    newest_look(&bench.newest, &bench.view);
    assert_null(bench.view.generation);
    assert_true(bench.view.outlook.redis_is_ok);
    assert_string_equal(bench.view.outlook.worker_error, "mysql");
    bench_clear(&bench);
}

/* The next one replaces it, also for who did not look in between. */
static void test_generations(void **state)
{
    const struct outlook before = {.worker_is_alive = false}, after = {.worker_is_alive = true};
    struct bench bench;
    struct newest_view late = {.number = 0};
    (void)state;
    bench_init(&bench);
    newest_set(&bench.newest, &bench.generations[0], &before);
    assert_int_equal(references(&bench, 0), 2);
    newest_look(&bench.newest, &bench.view);
    newest_look(&bench.newest, &bench.view);
    assert_ptr_equal(bench.view.generation, &bench.generations[0]);
    assert_int_equal(references(&bench, 0), 3);
    newest_set(&bench.newest, &bench.generations[1], &after);
    newest_look(&bench.newest, &late);
    assert_ptr_equal(late.generation, &bench.generations[1]);
    assert_true(late.outlook.worker_is_alive);
    assert_ptr_equal(bench.view.generation, &bench.generations[0]);
    assert_int_equal(references(&bench, 0), 2);
    newest_look(&bench.newest, &bench.view);
    assert_ptr_equal(bench.view.generation, &bench.generations[1]);
    assert_int_equal(references(&bench, 0), 1);
    assert_int_equal(references(&bench, 1), 4);
    newest_view_clear(&late);
    bench_clear(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_outlook_without_a_generation),
        cmocka_unit_test(test_generations),
    };
    return cmocka_run_group_tests_name("api_newest", tests, NULL, NULL);
}
