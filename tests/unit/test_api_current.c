/* tests/unit/test_api_current.c - what loops see of what is current, when they are told, and whose the references
 * are. */
#include <poll.h>
#include <string.h>

#include "api/data/current.h"
#include "tests/unit/support.h"

/* Two generations, numbered 100 and 101, and two loops. The test's own references keep the generations from being
 * freed. */
struct bench {
    struct generation generations[2];
    struct current current;
    struct current_view view, late;
    struct mailbox mailboxes[2];
};

static void bench_init(struct bench *bench)
{
    struct error err;
    *bench = (struct bench){.view = {.number = 0}};
    current_init(&bench->current);
    for (size_t i = 0; i < 2; i++) {
        atomic_init(&bench->generations[i].references, 1);
        bench->generations[i].loaded.manifest.generation = 100 + i;
        assert_int_equal(mailbox_init(&bench->mailboxes[i], &err), STATUS_OK);
    }
    current_join(&bench->current, &bench->view, &bench->mailboxes[0]);
    current_join(&bench->current, &bench->late, &bench->mailboxes[1]);
}

static unsigned references(const struct bench *bench, size_t number)
{
    return atomic_load(&bench->generations[number].references);
}

static void bench_clear(struct bench *bench)
{
    current_view_clear(&bench->view);
    current_view_clear(&bench->late);
    current_clear(&bench->current);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(references(bench, i), 1);
        mailbox_clear(&bench->mailboxes[i]);
    }
}

static bool is_ringing(const struct mailbox *mailbox)
{
    struct pollfd fd = {.fd = mailbox->fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void test_nothing_yet(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    assert_false(current_look(&bench.current, &bench.view));
    assert_null(bench.view.generation);
    assert_false(bench.view.upstream.redis_is_ok);
    assert_true(current_is_served(&bench.current, 0));
    assert_false(current_is_served(&bench.current, 100));
    bench_clear(&bench);
}

static void test_upstream_without_a_generation(void **state)
{
    const struct upstream upstream = {.redis_is_ok = true, .worker_error = "mysql"};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    current_set(&bench.current, NULL, &upstream);
    assert_false(current_look(&bench.current, &bench.view)); /* no other generation */
    assert_null(bench.view.generation);
    assert_true(bench.view.upstream.redis_is_ok);
    assert_string_equal(bench.view.upstream.worker_error, "mysql");
    bench_clear(&bench);
}

/* The next one replaces it, also for who did not look in between. */
static void test_generations(void **state)
{
    const struct upstream before = {.worker_is_alive = false}, after = {.worker_is_alive = true};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    current_set(&bench.current, &bench.generations[0], &before);
    assert_int_equal(references(&bench, 0), 2);
    assert_true(current_look(&bench.current, &bench.view));
    assert_false(current_look(&bench.current, &bench.view));
    assert_ptr_equal(bench.view.generation, &bench.generations[0]);
    assert_int_equal(references(&bench, 0), 3);
    current_set(&bench.current, &bench.generations[1], &after);
    assert_true(current_look(&bench.current, &bench.late));
    assert_ptr_equal(bench.late.generation, &bench.generations[1]);
    assert_true(bench.late.upstream.worker_is_alive);
    assert_ptr_equal(bench.view.generation, &bench.generations[0]);
    assert_int_equal(references(&bench, 0), 2);
    assert_true(current_look(&bench.current, &bench.view));
    assert_ptr_equal(bench.view.generation, &bench.generations[1]);
    assert_int_equal(references(&bench, 0), 1);
    assert_int_equal(references(&bench, 1), 4);
    bench_clear(&bench);
}

/* The same generation with another upstream is news, but no other generation. */
static void test_upstream_of_the_same_generation(void **state)
{
    const struct upstream before = {.worker_is_alive = true}, after = {.worker_is_alive = false};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    current_set(&bench.current, &bench.generations[0], &before);
    assert_true(current_look(&bench.current, &bench.view));
    current_set(&bench.current, &bench.generations[0], &after);
    assert_false(current_look(&bench.current, &bench.view));
    assert_false(bench.view.upstream.worker_is_alive);
    assert_int_equal(references(&bench, 0), 3);
    bench_clear(&bench);
}

/* It is served once every loop shows it, and no longer once one of them has gone on. */
static void test_served_by_all(void **state)
{
    const struct upstream upstream = {.redis_is_ok = true};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    current_set(&bench.current, &bench.generations[0], &upstream);
    assert_false(current_is_served(&bench.current, 100));
    assert_true(current_look(&bench.current, &bench.view));
    assert_false(current_is_served(&bench.current, 100));
    assert_true(current_look(&bench.current, &bench.late));
    assert_true(current_is_served(&bench.current, 100));
    current_set(&bench.current, &bench.generations[1], &upstream);
    assert_true(current_is_served(&bench.current, 100));
    assert_true(current_look(&bench.current, &bench.late));
    assert_false(current_is_served(&bench.current, 100));
    assert_false(current_is_served(&bench.current, 101));
    bench_clear(&bench);
}

static void test_all_are_rung_for(void **state)
{
    const struct upstream upstream = {.redis_is_ok = false};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    assert_false(is_ringing(&bench.mailboxes[0]) || is_ringing(&bench.mailboxes[1]));
    current_set(&bench.current, NULL, &upstream);
    assert_true(is_ringing(&bench.mailboxes[0]) && is_ringing(&bench.mailboxes[1]));
    assert_null(mailbox_take(&bench.mailboxes[0], NULL));
    bench_clear(&bench);
}

/* Loops that look while it is set again and again: generations never go back. Sanitizers see races and lost
 * references. */
struct looker {
    pthread_t thread;
    struct current *current;
    struct current_view *view;
    bool went_back;
};

static void *look(void *context)
{
    struct looker *looker = context;
    uint64_t seen = 0;
    while (seen != 101) {
        current_look(looker->current, looker->view);
        uint64_t number = generation_number(looker->view->generation);
        looker->went_back = looker->went_back || number < seen;
        seen = number;
    }
    return NULL;
}

static void test_looking_while_it_is_set(void **state)
{
    const struct upstream upstream = {.redis_is_ok = true};
    struct bench bench;
    (void)state;
    bench_init(&bench);
    struct looker lookers[] = {{.current = &bench.current, .view = &bench.view},
                               {.current = &bench.current, .view = &bench.late}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
    for (int i = 0; i < 1000; i++)
        current_set(&bench.current, i > 0 ? &bench.generations[0] : NULL, &upstream);
    current_set(&bench.current, &bench.generations[1], &upstream);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(lookers[i].thread, NULL);
        assert_false(lookers[i].went_back);
    }
    assert_true(current_is_served(&bench.current, 101));
    bench_clear(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_upstream_without_a_generation),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_upstream_of_the_same_generation),
        cmocka_unit_test(test_served_by_all),
        cmocka_unit_test(test_all_are_rung_for),
        cmocka_unit_test(test_looking_while_it_is_set),
    };
    return cmocka_run_group_tests_name("api_current", tests, NULL, NULL);
}
