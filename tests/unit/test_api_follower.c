/* tests/unit/test_api_follower.c - following without a Redis: what the loops are told, and that requests for a refresh
 * come back whatever happens to the thread. What it follows is tested where there is a Redis. */
#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "api/data/follower.h"
#include "common/base/clock.h"
#include "tests/unit/api_support.h"

static int thread_problem; /* what pthread_create answers; 0: it makes one */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return thread_problem != 0 ? thread_problem : __real_pthread_create(thread, attributes, run, context);
}

/* A follower whose Redis is not there, and a loop that had been told of a better one. */
struct bench {
    struct settings settings;
    struct current current;
    struct current_view view;
    struct popular_filters filters;
    struct workshop workshop;
    struct requester requester; /* its mailbox is the loop's, too */
    struct follower follower;
};

static void bench_init(struct bench *bench)
{
    const struct upstream before = {.redis_is_ok = true, .worker_is_alive = true};
    *bench = (struct bench){.settings = {.redis = {.unix_path = "/nonexistent/redis.sock"},
                                         .redis_prefix = "ecosys",
                                         .redis_timeout_ms = 1000}};
    requester_init(&bench->requester);
    popular_filters_init(&bench->filters);
    current_init(&bench->current);
    current_join(&bench->current, &bench->view, &bench->requester.mailbox);
    current_set(&bench->current, NULL, &before);
    current_look(&bench->current, &bench->view);
    assert_null(requester_find(&bench->requester)); /* ends the ringing */
}

static enum status start(struct bench *bench, struct error *err)
{
    return follower_start(&bench->follower, &bench->settings, &bench->current, &bench->filters,
                          &bench->workshop, err);
}

static void bench_start(struct bench *bench)
{
    struct error err;
    bench_init(bench);
    assert_int_equal(start(bench, &err), STATUS_OK);
}

static void bench_clear(struct bench *bench)
{
    requester_clear(&bench->requester);
    current_view_clear(&bench->view);
    current_clear(&bench->current);
    popular_filters_clear(&bench->filters);
}

static bool is_ringing(const struct mailbox *mailbox)
{
    struct pollfd fd = {.fd = mailbox->fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static struct ticket *request(struct bench *bench)
{
    struct ticket *ticket = ticket_new(&bench->requester.exchange, false);
    assert_non_null(ticket);
    follower_request_refresh(&bench->follower, ticket);
    return ticket;
}

static void expect_no_worker(struct bench *bench)
{
    struct pending *pending = requester_find(&bench->requester);
    assert_non_null(pending);
    assert_null(pending->error);
    assert_int_equal(ticket_of(pending)->outcome, TICKET_NO_WORKER);
    assert_int_equal(ticket_of(pending)->generation, 0);
    pending_free(pending);
}

static void test_unreachable(void **state)
{
    struct bench bench;
    struct pollfd told = {.events = POLLIN};
    (void)state;
    bench_start(&bench);
    told.fd = bench.requester.mailbox.fd;
    if (poll(&told, 1, DEADLINE_MS) != 1)
        fail_msg("nothing became current within %d ms", DEADLINE_MS);
    assert_false(current_look(&bench.current, &bench.view)); /* there is still no generation */
    assert_null(bench.view.generation);
    assert_false(bench.view.upstream.redis_is_ok);
    assert_false(bench.view.upstream.worker_is_alive);
    assert_string_equal(bench.view.upstream.worker_error, "");
    follower_stop(&bench.follower);
    follower_clear(&bench.follower);
    bench_clear(&bench);
}

/* Without ringing it wakes twice a second. */
static void test_ringing_wakes_it(void **state)
{
    enum { TIMES = 40 };
    struct bench bench;
    (void)state;
    bench_start(&bench);
    int64_t deadline_ms = clock_monotonic_ms() + 250 * TIMES;
    for (int i = 0; i < TIMES; i++) {
        follower_ring(&bench.follower);
        while (is_ringing(&bench.follower.mailbox)) {
            if (clock_monotonic_ms() >= deadline_ms)
                fail_msg("it was rung for %d times within %d ms, and woke %d times", TIMES, 250 * TIMES, i);
            sched_yield();
        }
    }
    follower_stop(&bench.follower);
    follower_clear(&bench.follower);
    bench_clear(&bench);
}

/* Nobody receives it, so it comes back by itself, though not at once: a worker may just be about to come. */
static void test_refresh_without_a_worker(void **state)
{
    struct bench bench;
    (void)state;
    bench_start(&bench);
    struct ticket *ticket = request(&bench);
    struct pending *pending = requester_await(&bench.requester);
    assert_ptr_equal(ticket_of(pending), ticket);
    assert_int_equal(ticket->outcome, TICKET_NO_WORKER);
    assert_true(ticket->duration_ms >= MESSAGE_NO_WORKER_MS);
    pending_free(pending);
    follower_stop(&bench.follower);
    follower_clear(&bench.follower);
    bench_clear(&bench);
}

/* All that were requested before are handed back by the end of follower_stop, and later ones at once. */
static void test_refresh_around_the_stop(void **state)
{
    struct bench bench;
    (void)state;
    bench_start(&bench);
    for (int i = 0; i < 3; i++)
        request(&bench);
    follower_stop(&bench.follower);
    for (int i = 0; i < 3; i++)
        expect_no_worker(&bench);
    assert_null(requester_find(&bench.requester));
    request(&bench);
    expect_no_worker(&bench);
    follower_clear(&bench.follower);
    bench_clear(&bench);
}

/* Requests that come while it stops: each comes back once. */
struct asker {
    pthread_t thread;
    struct bench *bench;
};

enum { ASKERS = 4, REQUESTS = 200 };

static void *ask(void *context)
{
    const struct asker *asker = context;
    for (int i = 0; i < REQUESTS; i++) {
        struct exchange exchange = {.mailbox = &asker->bench->requester.mailbox};
        struct ticket *ticket = ticket_new(&exchange, false);
        if (ticket != NULL)
            follower_request_refresh(&asker->bench->follower, ticket);
    }
    return NULL;
}

static void test_refresh_during_the_stop(void **state)
{
    struct asker askers[ASKERS];
    struct bench bench;
    (void)state;
    bench_start(&bench);
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i].bench = &bench;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    follower_stop(&bench.follower);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(askers[i].thread, NULL);
    for (int i = 0; i < ASKERS * REQUESTS; i++)
        expect_no_worker(&bench);
    follower_clear(&bench.follower);
    bench_clear(&bench);
}

static void test_no_thread(void **state)
{
    struct bench bench;
    struct error err;
    (void)state;
    bench_init(&bench);
    thread_problem = EAGAIN;
    assert_int_equal(start(&bench, &err), STATUS_NO_MEMORY);
    thread_problem = 0;
    assert_string_equal(err.message, "no thread to follow generations: Resource temporarily unavailable");
    assert_int_equal(bench.follower.mailbox.fd, -1); /* nothing is left to clear */
    bench_clear(&bench);
}

static void test_no_mailbox(void **state)
{
    struct rlimit limit, none;
    struct bench bench;
    struct error err;
    (void)state;
    bench_init(&bench);
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = start(&bench, &err);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_string_equal(err.message, "no mailbox for a thread: Too many open files");
    bench_clear(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_ringing_wakes_it),
        cmocka_unit_test(test_refresh_without_a_worker),
        cmocka_unit_test(test_refresh_around_the_stop),
        cmocka_unit_test(test_refresh_during_the_stop),
        cmocka_unit_test(test_no_thread),
        cmocka_unit_test(test_no_mailbox),
    };
    return cmocka_run_group_tests_name("api_follower", tests, NULL, NULL);
}
