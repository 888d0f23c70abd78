/* tests/unit/test_api_pool.c - order, bound of the queue, each thread's own context, the end, and starts that fail.
 * Memory and the making of threads are stood in for. A thread is held by a job that waits at a gate. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <unistd.h>

#include "api/net/pool.h"
#include "tests/unit/support.h"

#define CAPACITY 5

/* Calls so far, and which of them fails, from 1; 0: none. */
static size_t threads_made, mallocs, callocs;
static size_t thread_fails, malloc_fails, calloc_fails;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return ++threads_made == thread_fails ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}

void *__wrap_malloc(size_t size)
{
    return ++mallocs == malloc_fails ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return ++callocs == calloc_fails ? NULL : __real_calloc(count, size);
}

/* What jobs leave behind. */
struct record {
    pthread_mutex_t mutex;
    int numbers[CAPACITY];
    void *contexts[CAPACITY];
    size_t count;
};

struct job {
    struct record *record;
    int number;
};

static void note(void *job, void *context)
{
    const struct job *own = job;
    struct record *record = own->record;
    pthread_mutex_lock(&record->mutex);
    record->numbers[record->count] = own->number;
    record->contexts[record->count++] = context;
    pthread_mutex_unlock(&record->mutex);
}

/* Holds as many threads as it counts, until it is opened. */
struct gate {
    pthread_barrier_t reached, opened;
};

static void wait_at_gate(void *job, void *context)
{
    struct gate *gate = job;
    (void)context;
    pthread_barrier_wait(&gate->reached);
    pthread_barrier_wait(&gate->opened);
}

static void hold_threads(struct pool *pool, struct gate *gate, unsigned count)
{
    pthread_barrier_init(&gate->reached, NULL, count + 1);
    pthread_barrier_init(&gate->opened, NULL, count + 1);
    for (unsigned i = 0; i < count; i++)
        assert_true(pool_submit(pool, wait_at_gate, gate));
    pthread_barrier_wait(&gate->reached);
}

static void let_go(struct gate *gate)
{
    pthread_barrier_wait(&gate->opened);
}

/* After pool_stop: before, a thread may still be leaving the gate. */
static void gate_clear(struct gate *gate)
{
    pthread_barrier_destroy(&gate->reached);
    pthread_barrier_destroy(&gate->opened);
}

static void start(struct pool *pool, size_t threads, void **contexts)
{
    struct error err;
    assert_int_equal(pool_start(pool, threads, SHARE_THIRD, contexts, CAPACITY, &err), STATUS_OK);
    assert_int_equal(pool->threads_count, threads);
}

/* The queue takes CAPACITY jobs beside those that run, wherever in the ring it begins; stopping runs all of them. */
static void test_order_bound_and_stop(void **state)
{
    (void)state;
    for (size_t before = 0; before < CAPACITY; before++) {
        struct record record = {.mutex = PTHREAD_MUTEX_INITIALIZER};
        struct job jobs[CAPACITY + 1];
        struct gate gates[CAPACITY];
        struct pool pool;
        start(&pool, 1, NULL);
        for (size_t i = 0; i < before; i++) { /* one at a time: each moves the ring's beginning on */
            hold_threads(&pool, &gates[i], 1);
            let_go(&gates[i]);
        }
        hold_threads(&pool, &gates[before], 1);
        for (int i = 0; i <= CAPACITY; i++) {
            jobs[i] = (struct job){&record, i};
            assert_int_equal(pool_submit(&pool, note, &jobs[i]), i < CAPACITY);
        }
        assert_int_equal(record.count, 0);
        let_go(&gates[before]);
        pool_stop(&pool);
        for (size_t i = 0; i <= before; i++)
            gate_clear(&gates[i]);
        assert_int_equal(record.count, CAPACITY);
        for (int i = 0; i < CAPACITY; i++)
            assert_int_equal(record.numbers[i], i);
    }
}

/* A full queue has room again when a thread has taken a job. */
static void test_room_again(void **state)
{
    struct record record = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct job job = {&record, 7};
    struct gate first, second;
    struct pool pool;
    (void)state;
    start(&pool, 1, NULL);
    hold_threads(&pool, &first, 1);
    pthread_barrier_init(&second.reached, NULL, 2);
    pthread_barrier_init(&second.opened, NULL, 2);
    assert_true(pool_submit(&pool, wait_at_gate, &second));
    for (int i = 1; i < CAPACITY; i++)
        assert_true(pool_submit(&pool, note, &job));
    assert_false(pool_submit(&pool, note, &job));
    let_go(&first);
    pthread_barrier_wait(&second.reached);
    assert_true(pool_submit(&pool, note, &job));
    assert_false(pool_submit(&pool, note, &job));
    let_go(&second);
    pool_stop(&pool);
    assert_int_equal(record.count, CAPACITY);
    gate_clear(&first);
    gate_clear(&second);
}

/* Waits until all three threads run it at once: so each runs it once. */
struct meeting {
    struct record record;
    pthread_barrier_t barrier;
};

static void meet(void *job, void *context)
{
    struct meeting *meeting = job;
    struct job own = {&meeting->record, 0};
    note(&own, context);
    pthread_barrier_wait(&meeting->barrier);
}

static void test_each_thread_has_its_context(void **state)
{
    struct meeting meeting = {.record = {.mutex = PTHREAD_MUTEX_INITIALIZER}};
    int own[3];
    void *contexts[COUNT(own)] = {&own[0], &own[1], &own[2]};
    struct pool pool;
    (void)state;
    pthread_barrier_init(&meeting.barrier, NULL, COUNT(own));
    start(&pool, COUNT(own), contexts);
    for (size_t i = 0; i < COUNT(own); i++)
        assert_true(pool_submit(&pool, meet, &meeting));
    pool_stop(&pool);
    assert_int_equal(meeting.record.count, COUNT(own));
    for (size_t i = 0; i < COUNT(own); i++) {
        size_t found = 0;
        for (size_t j = 0; j < COUNT(own); j++)
            found += meeting.record.contexts[j] == &own[i];
        assert_int_equal(found, 1);
    }
    pthread_barrier_destroy(&meeting.barrier);
}

static void test_no_contexts(void **state)
{
    struct record record = {.mutex = PTHREAD_MUTEX_INITIALIZER, .contexts = {&record}};
    struct job job = {&record, 0};
    struct pool pool;
    (void)state;
    start(&pool, 2, NULL);
    assert_true(pool_submit(&pool, note, &job));
    pool_stop(&pool);
    assert_int_equal(record.count, 1);
    assert_null(record.contexts[0]);
}

static void ask_nice(void *job, void *context)
{
    (void)context;
    *(int *)job = getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void test_share_of_the_processors(void **state)
{
    int nice = -100, usual = getpriority(PRIO_PROCESS, (id_t)gettid());
    struct pool pool;
    (void)state;
    start(&pool, 1, NULL);
    assert_true(pool_submit(&pool, ask_nice, &nice));
    pool_stop(&pool);
    assert_int_equal(nice, usual + SHARE_THIRD < 19 ? usual + SHARE_THIRD : 19);
}

static void test_stop_with_nothing_queued(void **state)
{
    struct pool pool;
    (void)state;
    start(&pool, 3, NULL);
    pool_stop(&pool);
}

/* Each way to fail ends the threads that were started before, and leaves nothing behind. */
static void test_starts_that_fail(void **state)
{
    static const struct {
        const char *name;
        size_t *fails, number;
        size_t threads; /* tried */
        const char *message;
    } rows[] = {
        {"the first thread", &thread_fails, 1, 1, "no thread for the pool"},
        {"the last thread", &thread_fails, 3, 3, "no thread for the pool"},
        {"memory for the threads", &calloc_fails, 1, 0, "out of memory"},
        {"memory for the queue", &calloc_fails, 2, 0, "out of memory"},
        {"memory for the first thread", &malloc_fails, 1, 0, "out of memory"},
        {"memory for the last thread", &malloc_fails, 3, 2, "out of memory"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pool pool;
        struct error err;
        threads_made = mallocs = callocs = 0;
        *rows[i].fails = rows[i].number;
        enum status status = pool_start(&pool, 3, SHARE_THIRD, NULL, CAPACITY, &err);
        thread_fails = malloc_fails = calloc_fails = 0;
        if (status != STATUS_NO_MEMORY || strcmp(err.message, rows[i].message) != 0 ||
            threads_made != rows[i].threads)
            fail_msg("%s: status %d, \"%s\", %zu threads tried", rows[i].name, (int)status, err.message,
                     threads_made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_bound_and_stop),
        cmocka_unit_test(test_room_again),
        cmocka_unit_test(test_each_thread_has_its_context),
        cmocka_unit_test(test_no_contexts),
        cmocka_unit_test(test_share_of_the_processors),
        cmocka_unit_test(test_stop_with_nothing_queued),
        cmocka_unit_test(test_starts_that_fail),
    };
    return cmocka_run_group_tests_name("api_pool", tests, NULL, NULL);
}
