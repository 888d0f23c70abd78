/* tests/unit/test_api_answers.c - finished answers: made once however many ask, bounded in bytes, busy when the queue is
 * full, and failures told to everybody who waits. The pool is a real one, held by a job of the test's. */
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/data/generation.h"
#include "api/loop.h"
#include "common/base/clock.h"

#define COUNT(rows)    (sizeof(rows) / sizeof((rows)[0]))
#define DEADLINE_MS    20000
#define GENERATION     7
#define TAKEN_AT_MS    1741975766000
#define ENTRY_OVERHEAD 256u /* bytes that an answer is counted for besides its body */

static const struct answer_key WHOLE = {
    {DAY_MIN, DAY_MAX}, 0, DOCUMENT_DASHBOARD, MEDIA_JSON, ENCODING_IDENTITY};
static const struct answer_key DAY = {{1, 1}, 0, DOCUMENT_DASHBOARD, MEDIA_JSON, ENCODING_IDENTITY};

/* A generation without rows, a pool with one thread and room for one job, and a loop that only gets waits back. */
struct bench {
    struct loop loop;
    struct pool pool;
    struct generation *generation;
    pthread_mutex_t gate; /* while it is locked, the pool's thread stands still */
    int thread_is_held_fd;
};

static struct answers_room room; /* of the test's generation */

static struct generation *generation_of(struct answer *stored, size_t answers_bytes)
{
    struct generation *generation = NULL;
    struct loaded loaded;
    struct error err;
    loaded_init(&loaded);
    assert_int_equal(
        scoring_model_parse(&loaded.scored.arena, scoring_model_builtin(), &loaded.scored.model, &err),
        STATUS_OK);
    assert_int_equal(scored_snapshot_index(&loaded.scored, &err), STATUS_OK);
    loaded.manifest.generation = GENERATION;
    loaded.manifest.instants.taken_at_ms = TAKEN_AT_MS;
    if (stored != NULL) {
        loaded.stored.items = calloc(1, sizeof *stored);
        assert_non_null(loaded.stored.items);
        loaded.stored.items[0] = *stored;
        loaded.stored.count = 1;
    }
    room = (struct answers_room){.kept_max = answers_bytes, .unkept_max = SIZE_MAX, .wait_max_ms = INT64_MAX};
    if (generation_new(&loaded, &room, &generation, &err) != STATUS_OK)
        fail_msg("generation: %s", err.message);
    return generation;
}

static void bench_init(struct bench *bench, struct answer *stored, void **contexts)
{
    struct error err;
    *bench = (struct bench){.loop = {.mutex = PTHREAD_MUTEX_INITIALIZER}, .gate = PTHREAD_MUTEX_INITIALIZER};
    bench->loop.mail_fd = eventfd(0, EFD_SEMAPHORE);
    bench->thread_is_held_fd = eventfd(0, 0);
    assert_true(bench->loop.mail_fd >= 0 && bench->thread_is_held_fd >= 0);
    bench->generation = generation_of(stored, 1000000);
    assert_int_equal(pool_start(&bench->pool, 1, SHARE_TWENTIETH, contexts, 1, &err), STATUS_OK);
}

static void bench_clear(struct bench *bench)
{
    pool_stop(&bench->pool);
    assert_null(bench->loop.mail_waits);
    assert_int_equal(atomic_load(&bench->generation->references), 1);
    generation_unref(bench->generation);
    close(bench->loop.mail_fd);
    close(bench->thread_is_held_fd);
}

static void wait_for(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint64_t count;
    if (poll(&ready, 1, DEADLINE_MS) != 1)
        fail_msg("nothing came within %d ms", DEADLINE_MS);
    assert_int_equal(read(fd, &count, sizeof count), sizeof count);
}

static void stand_still(void *job, void *thread_context)
{
    struct bench *bench = job;
    const uint64_t one = 1;
    (void)thread_context;
    assert_int_equal(write(bench->thread_is_held_fd, &one, sizeof one), sizeof one);
    pthread_mutex_lock(&bench->gate);
    pthread_mutex_unlock(&bench->gate);
}

/* Returns when the pool's thread stands still and its queue is empty. */
static void hold_thread(struct bench *bench)
{
    pthread_mutex_lock(&bench->gate);
    assert_true(pool_submit(&bench->pool, stand_still, bench));
    wait_for(bench->thread_is_held_fd);
}

static void release_thread(struct bench *bench)
{
    pthread_mutex_unlock(&bench->gate);
}

/* Asks with a wait of its own, which is freed when it was not taken. */
static enum answers_state ask(struct bench *bench, const struct answer_key *key, struct representation **body)
{
    struct wait *wait = wait_new(&bench->loop, NULL);
    assert_non_null(wait);
    enum answers_state state = answers_get(bench->generation, key, &bench->pool, wait, body);
    if (state != ANSWERS_WAITING)
        wait_free(wait);
    return state;
}

/* The next wait that is handed back. */
static struct wait *take_back(struct bench *bench)
{
    wait_for(bench->loop.mail_fd);
    pthread_mutex_lock(&bench->loop.mutex);
    struct wait *wait = bench->loop.mail_waits;
    assert_non_null(wait);
    bench->loop.mail_waits = wait->next;
    pthread_mutex_unlock(&bench->loop.mutex);
    return wait;
}

static struct answer_key key_of(int32_t day)
{
    return (struct answer_key){{day, day}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY};
}

static struct representation *body_of(size_t len)
{
    struct buffer content = BUFFER_INIT;
    struct representation *body = NULL;
    struct error err;
    while (content.len < len)
        buffer_append_char(&content, 'x');
    assert_int_equal(representation_new(&content, MEDIA_JSON, ENCODING_IDENTITY, &body, &err), STATUS_OK);
    return body;
}

static void test_equal_misses_are_one(void **state)
{
    enum { ASKERS = 50 };
    struct bench bench;
    struct representation *body = NULL;
    int computed = 0, cached = 0;
    (void)state;
    bench_init(&bench, NULL, NULL);
    hold_thread(&bench);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(ask(&bench, &DAY, &body), ANSWERS_WAITING);
    assert_null(body);
    assert_int_equal(bench.pool.count, 1);
    assert_null(answers_find(bench.generation->answers, &DAY));
    release_thread(&bench);
    for (int i = 0; i < ASKERS; i++) {
        struct wait *wait = take_back(&bench);
        assert_false(wait->has_failed);
        assert_int_equal(wait->origin.generation, GENERATION);
        assert_int_equal(wait->origin.taken_at_ms, TAKEN_AT_MS);
        if (body == NULL)
            body = representation_ref(wait->body);
        assert_ptr_equal(wait->body, body);
        computed += wait->source == SOURCE_COMPUTED;
        cached += wait->source == SOURCE_CACHE;
        wait_free(wait);
    }
    assert_int_equal(computed, 1);
    assert_int_equal(cached, ASKERS - 1);
    struct representation *again = NULL;
    assert_int_equal(ask(&bench, &DAY, &again), ANSWERS_READY);
    assert_ptr_equal(again, body);
    representation_unref(again);
    representation_unref(body);
    bench_clear(&bench);
}

static void test_busy_when_the_queue_is_full(void **state)
{
    struct answer_key keys[] = {DAY, DAY, DAY, DAY};
    struct bench bench;
    struct representation *body = NULL;
    (void)state;
    keys[1].filter.last_day = 2;
    keys[2].document = DOCUMENT_CLIENTES;
    keys[3].encoding = ENCODING_GZIP;
    bench_init(&bench, NULL, NULL);
    hold_thread(&bench);
    assert_int_equal(ask(&bench, &keys[0], &body), ANSWERS_WAITING);
    for (size_t i = 1; i < COUNT(keys); i++)
        assert_int_equal(ask(&bench, &keys[i], &body), ANSWERS_BUSY);
    assert_int_equal(ask(&bench, &keys[0], &body), ANSWERS_WAITING); /* needs no place in the queue */
    assert_int_equal(ask(&bench, &WHOLE, &body), ANSWERS_READY);     /* nor does what is finished */
    representation_unref(body);
    release_thread(&bench);
    wait_free(take_back(&bench));
    wait_free(take_back(&bench));
    for (size_t i = 1; i < COUNT(keys); i++) { /* a refusal leaves nothing behind */
        assert_int_equal(ask(&bench, &keys[i], &body), ANSWERS_WAITING);
        struct wait *wait = take_back(&bench);
        assert_int_equal(wait->source, SOURCE_COMPUTED);
        wait_free(wait);
    }
    bench_clear(&bench);
}

/* Everybody who waits is told, and who asks afterwards has it tried again. */
static void check_failure(struct bench *bench, const struct answer_key *key, enum reply_error expected)
{
    struct representation *body = NULL;
    for (int round = 0; round < 2; round++) {
        hold_thread(bench);
        for (int i = 0; i < 3; i++)
            assert_int_equal(ask(bench, key, &body), ANSWERS_WAITING);
        release_thread(bench);
        for (int i = 0; i < 3; i++) {
            struct wait *wait = take_back(bench);
            assert_true(wait->has_failed);
            assert_int_equal(wait->error, expected);
            assert_null(wait->body);
            wait_free(wait);
        }
        assert_null(answers_find(bench->generation->answers, key));
    }
}

/* A stored answer that does not fit the model. */
/* A body that was sent once more than it is kept holds the room; what is at hand is answered all the same. */
static void test_busy_while_too_much_is_unsent(void **state)
{
    const struct answer_key rows = key_of(1);
    struct bench bench;
    struct representation *slow = NULL, *body = NULL;
    (void)state;
    bench_init(&bench, NULL, NULL);
    size_t kept = atomic_load(&room.count.kept);
    slow = body_of(1000);
    representation_count_in(slow, &room.count);
    room.unkept_max = 1000;
    assert_int_equal(ask(&bench, &rows, &body), ANSWERS_BUSY);
    assert_int_equal(ask(&bench, &WHOLE, &body), ANSWERS_READY);
    representation_unref(body);
    assert_int_equal(ask(&bench, &DAY, &body), ANSWERS_WAITING); /* a dashboard is small */
    wait_free(take_back(&bench));
    room.unkept_max = 1001;
    assert_int_equal(ask(&bench, &rows, &body), ANSWERS_WAITING);
    wait_free(take_back(&bench));
    assert_true(atomic_load(&room.count.kept) > kept);
    representation_unref(slow);
    assert_int_equal(representation_count_unkept(&room.count), 0);
    bench_clear(&bench);
    assert_int_equal(atomic_load(&room.count.all), 0);
    assert_int_equal(atomic_load(&room.count.kept), 0);
}

/* It was not full when they asked, and is when their answers' turn comes. */
static void test_full_at_the_time_of_making(void **state)
{
    const struct answer_key rows = key_of(1);
    struct bench bench;
    struct representation *body = NULL;
    (void)state;
    bench_init(&bench, NULL, NULL);
    hold_thread(&bench);
    assert_int_equal(ask(&bench, &rows, &body), ANSWERS_WAITING);
    assert_int_equal(ask(&bench, &rows, &body), ANSWERS_WAITING);
    room.unkept_max = 0;
    release_thread(&bench);
    for (int i = 0; i < 2; i++) {
        struct wait *wait = take_back(&bench);
        assert_true(wait->has_failed);
        assert_int_equal(wait->error, ERROR_OVERLOADED);
        wait_free(wait);
    }
    room.unkept_max = SIZE_MAX;
    assert_int_equal(ask(&bench, &rows, &body), ANSWERS_WAITING); /* it left no trace */
    wait_free(take_back(&bench));
    bench_clear(&bench);
}

static void test_a_failure_reaches_all(void **state)
{
    struct answer foreign = {.filter = {1, 1}, .tenants = calloc(1, 1), .tenants_len = 1};
    struct bench bench;
    (void)state;
    assert_non_null(foreign.tenants);
    foreign.kpis.categories_count = 3;
    bench_init(&bench, &foreign, NULL);
    check_failure(&bench, &DAY, ERROR_NO_DATA);
    bench_clear(&bench);
}

/* No Redis where logins would come from. */
static void test_an_unreachable_redis_reaches_all(void **state)
{
    const struct answer_key logins = {DATE_FILTER_ALL, 42, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY};
    char folder[] = "/tmp/test_api_answers.XXXXXX", path[64];
    struct bench bench;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/none", folder);
    const struct redis_address address = {.unix_path = path};
    struct login_fetcher fetcher = {.prefix = "ecosys"};
    void *contexts[] = {&fetcher};
    redis_link_init(&fetcher.link, &address, 1000);
    bench_init(&bench, NULL, contexts);
    check_failure(&bench, &logins, ERROR_NO_DATA);
    bench_clear(&bench);
    redis_link_close(&fetcher.link);
    assert_int_equal(rmdir(folder), 0);
}

static void keep(struct answers *answers, int32_t day, size_t len)
{
    struct answer_key key = key_of(day);
    struct representation *body = body_of(len);
    answers_keep(answers, &key, body);
    representation_unref(body);
}

static bool has(struct answers *answers, int32_t day)
{
    struct answer_key key = key_of(day);
    struct representation *body = answers_find(answers, &key);
    representation_unref(body);
    return body != NULL;
}

/* Room for exactly three of 1,000 bytes. */
static void test_least_recently_used_go(void **state)
{
    struct answers *answers = answers_new(3 * (1000 + ENTRY_OVERHEAD));
    (void)state;
    assert_non_null(answers);
    for (int32_t day = 1; day <= 3; day++)
        keep(answers, day, 1000);
    assert_true(has(answers, 3) && has(answers, 2) && has(answers, 1)); /* 3 was used longest ago now */
    keep(answers, 4, 1000);
    assert_true(has(answers, 1) && has(answers, 2) && has(answers, 4));
    assert_false(has(answers, 3));
    keep(answers, 5, 1001); /* a byte more needs two places: 1 and 2 go */
    assert_true(has(answers, 4) && has(answers, 5));
    assert_false(has(answers, 1) || has(answers, 2));
    keep(answers, 6, 3 * (1000 + ENTRY_OVERHEAD)); /* larger than all there is */
    for (int32_t day = 1; day <= 6; day++)
        assert_false(has(answers, day));
    keep(answers, 7, 3 * 1000 + 2 * ENTRY_OVERHEAD); /* fills it alone */
    assert_true(has(answers, 7));
    answers_free(answers);
}

/* However many others are asked for; but not beyond the bound. */
static void test_unfiltered_go_last(void **state)
{
    struct answers *answers = answers_new(3 * (1000 + ENTRY_OVERHEAD));
    struct answer_key logins = {DATE_FILTER_ALL, 7, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY};
    struct answer_key unfiltered[] = {WHOLE, WHOLE, WHOLE, WHOLE};
    struct representation *body = body_of(1000), *found;
    (void)state;
    assert_non_null(answers);
    for (int32_t i = 0; i < 4; i++)
        unfiltered[i].document = (enum document)i;
    answers_keep(answers, &unfiltered[0], body);
    answers_keep(answers, &logins, body);
    for (int32_t day = 1; day <= 9; day++)
        keep(answers, day, 1000);
    found = answers_find(answers, &unfiltered[0]);
    assert_ptr_equal(found, body);
    representation_unref(found);
    assert_null(answers_find(answers, &logins));
    assert_true(has(answers, 9) && has(answers, 8) && !has(answers, 7));
    for (int32_t i = 1; i < 4; i++)
        answers_keep(answers, &unfiltered[i], body);
    assert_false(has(answers, 9) || has(answers, 8));
    assert_null(answers_find(answers, &unfiltered[0]));
    answers_free(answers);
    representation_unref(body);
}

static void test_many_keys_stay_within_the_bound(void **state)
{
    enum { KEYS = 40000, FIT = 100 };
    struct answers *answers = answers_new(FIT * (10 + ENTRY_OVERHEAD));
    (void)state;
    assert_non_null(answers);
    for (int32_t day = 0; day < KEYS; day++)
        keep(answers, day, 10);
    for (int32_t day = 0; day < KEYS; day++)
        if (has(answers, day) != (day >= KEYS - FIT))
            fail_msg("key %" PRId32 ": is kept: %d, expected %d", day, has(answers, day), day >= KEYS - FIT);
    answers_free(answers);
}

static void test_nothing_is_kept_without_room(void **state)
{
    struct answers *answers = answers_new(0);
    (void)state;
    assert_non_null(answers);
    keep(answers, 1, 0);
    assert_false(has(answers, 1));
    answers_free(answers);
    answers_free(NULL);
    struct generation *generation = generation_of(NULL, 0);
    assert_null(answers_find(generation->answers, &WHOLE));
    generation_unref(generation);
}

/* Who holds a body keeps it when it is dropped; what is there already stays. */
static void test_bodies_outlive_their_place(void **state)
{
    struct answers *answers = answers_new(2 * (1000 + ENTRY_OVERHEAD));
    struct answer_key key = key_of(1);
    (void)state;
    assert_non_null(answers);
    keep(answers, 1, 1000);
    struct representation *held = answers_find(answers, &key);
    keep(answers, 1, 500);
    struct representation *again = answers_find(answers, &key);
    assert_ptr_equal(again, held);
    representation_unref(again);
    keep(answers, 2, 1000);
    keep(answers, 3, 1000);
    assert_false(has(answers, 1));
    assert_int_equal(held->len, 1000);
    assert_int_equal(held->data[999], 'x');
    answers_free(answers);
    representation_unref(held);
}

/* Each field of a key matters. */
static void test_keys(void **state)
{
    const struct answer_key keys[] = {
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{0, 2}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 3}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 2}, 1, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 2}, 0, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_GZIP},
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_CSV, ENCODING_IDENTITY},
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_MSGPACK, ENCODING_IDENTITY},
    };
    struct answers *answers = answers_new(1000000);
    (void)state;
    assert_non_null(answers);
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct representation *body = body_of(i);
        assert_null(answers_find(answers, &keys[i]));
        answers_keep(answers, &keys[i], body);
        representation_unref(body);
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct representation *body = answers_find(answers, &keys[i]);
        assert_non_null(body);
        assert_int_equal(body->len, i);
        representation_unref(body);
    }
    answers_free(answers);
}

/* A generation that is dropped while its answer is being made lives until it is finished, and no longer: the wait, which
 * ends on an event loop, would free it there. Sanitizers see whether it was freed. */
static void test_a_generation_outlives_its_makings(void **state)
{
    struct bench bench;
    struct representation *body = NULL;
    (void)state;
    bench_init(&bench, NULL, NULL);
    hold_thread(&bench);
    assert_int_equal(ask(&bench, &DAY, &body), ANSWERS_WAITING);
    generation_unref(bench.generation);
    release_thread(&bench);
    struct wait *wait = take_back(&bench);
    pool_stop(&bench.pool);
    assert_false(wait->has_failed);
    assert_int_equal(wait->origin.generation, GENERATION);
    assert_int_equal(wait->body->data[0], '{');
    wait_free(wait);
    close(bench.loop.mail_fd);
    close(bench.thread_is_held_fd);
}

static void keep_key(struct answers *answers, const struct answer_key *key)
{
    struct buffer content = BUFFER_INIT;
    struct representation *body = NULL;
    struct error err;
    buffer_append_text(&content, "{}");
    assert_int_equal(representation_new(&content, MEDIA_JSON, ENCODING_IDENTITY, &body, &err), STATUS_OK);
    answers_keep(answers, key, body);
    representation_unref(body);
}

/* Those that were asked for last come first, and no more than there is room for. */
static void test_list_of_answers(void **state)
{
    struct answers *answers = answers_new(1000000);
    struct answer_key keys[4];
    (void)state;
    assert_non_null(answers);
    assert_int_equal(answers_list(answers, keys, COUNT(keys)), 0);
    for (int32_t day = 1; day <= 3; day++) {
        struct answer_key key = DAY;
        key.filter.first_day = key.filter.last_day = day;
        keep_key(answers, &key);
    }
    representation_unref(answers_find(answers, &DAY)); /* the day 1 */
    assert_int_equal(answers_list(answers, keys, COUNT(keys)), 3);
    assert_int_equal(keys[0].filter.first_day, 1);
    assert_int_equal(keys[1].filter.first_day, 3);
    assert_int_equal(keys[2].filter.first_day, 2);
    assert_int_equal(answers_list(answers, keys, 1), 1);
    assert_int_equal(keys[0].filter.first_day, 1);
    answers_free(answers);
}

/* What is kept as the oldest goes first, and makes nothing else go. */
static void test_keep_as_oldest(void **state)
{
    const struct answer_key two = key_of(2), three = key_of(3), four = key_of(4);
    struct answers *answers = answers_new(3 * (1000 + ENTRY_OVERHEAD));
    struct answer_key keys[4];
    struct representation *body = body_of(1000);
    (void)state;
    assert_non_null(answers);
    assert_true(answers_keep_as_oldest(answers, &two, body));
    keep(answers, 1, 1000);
    assert_true(answers_keep_as_oldest(answers, &three, body));
    assert_true(answers_keep_as_oldest(answers, &two, body)); /* it is there */
    assert_false(answers_keep_as_oldest(answers, &four, body));
    representation_unref(body);
    assert_int_equal(answers_list(answers, keys, COUNT(keys)), 3);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(keys[i].filter.first_day, i + 1);
    keep(answers, 5, 1000);
    assert_false(has(answers, 3));
    assert_true(has(answers, 5) && has(answers, 1) && has(answers, 2));
    answers_free(answers);
}

/* Where there is no room for all, those that were asked for last are made, and what is asked for without a filter stays. */
static void test_warm_generation_without_room(void **state)
{
    struct generation *previous = generation_of(NULL, 1000000), *roomy = generation_of(NULL, 1000000);
    struct answer_key keys[16];
    (void)state;
    size_t unfiltered = answers_list(roomy->answers, keys, COUNT(keys));
    size_t bytes = 0;
    for (size_t i = 0; i < unfiltered; i++) {
        struct representation *body = answers_find(roomy->answers, &keys[i]);
        bytes += body->len + ENTRY_OVERHEAD;
        representation_unref(body);
    }
    for (int32_t day = 1; day <= 9; day++) {
        const struct answer_key key = key_of(day);
        keep_key(previous->answers, &key);
    }
    struct generation *narrow = generation_of(NULL, bytes + ENTRY_OVERHEAD + 100);
    generation_warm(narrow, previous, clock_monotonic_ms() + DEADLINE_MS);
    for (size_t i = 0; i < unfiltered; i++) {
        struct representation *body = answers_find(narrow->answers, &keys[i]);
        assert_non_null(body);
        representation_unref(body);
    }
    assert_true(has(narrow->answers, 9));
    for (int32_t day = 1; day <= 8; day++)
        assert_false(has(narrow->answers, day));
    generation_unref(previous);
    generation_unref(roomy);
    generation_unref(narrow);
}

/* What the generation before was asked for is at hand in the new one, but for logins, which are still in Redis, and for
 * what there is no time for. */
static void test_warm_generation(void **state)
{
    const struct answer_key logins = {{DAY_MIN, DAY_MAX}, 7, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY};
    const struct answer_key zstd = {{5, 9}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_ZSTD};
    struct generation *previous = generation_of(NULL, 1000000), *cold = generation_of(NULL, 1000000),
                      *warm = generation_of(NULL, 1000000);
    (void)state;
    keep_key(previous->answers, &DAY);
    keep_key(previous->answers, &logins);
    keep_key(previous->answers, &zstd);
    generation_warm(cold, previous, clock_monotonic_ms());
    generation_warm(warm, previous, clock_monotonic_ms() + DEADLINE_MS);
    struct representation *found = answers_find(warm->answers, &DAY);
    assert_non_null(found);
    assert_true(found->len > 2); /* made of its own generation, not taken over */
    representation_unref(found);
    found = answers_find(warm->answers, &zstd);
    assert_non_null(found);
    representation_unref(found);
    assert_null(answers_find(warm->answers, &logins));
    assert_null(answers_find(cold->answers, &DAY));
    generation_unref(previous);
    generation_unref(cold);
    generation_unref(warm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_of_answers),
        cmocka_unit_test(test_keep_as_oldest),
        cmocka_unit_test(test_warm_generation),
        cmocka_unit_test(test_warm_generation_without_room),
        cmocka_unit_test(test_equal_misses_are_one),
        cmocka_unit_test(test_busy_when_the_queue_is_full),
        cmocka_unit_test(test_busy_while_too_much_is_unsent),
        cmocka_unit_test(test_full_at_the_time_of_making),
        cmocka_unit_test(test_a_failure_reaches_all),
        cmocka_unit_test(test_an_unreachable_redis_reaches_all),
        cmocka_unit_test(test_least_recently_used_go),
        cmocka_unit_test(test_unfiltered_go_last),
        cmocka_unit_test(test_many_keys_stay_within_the_bound),
        cmocka_unit_test(test_nothing_is_kept_without_room),
        cmocka_unit_test(test_bodies_outlive_their_place),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_a_generation_outlives_its_makings),
    };
    return cmocka_run_group_tests_name("api_answers", tests, NULL, NULL);
}
