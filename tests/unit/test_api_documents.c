/* tests/unit/test_api_documents.c - documents are made once however many requests wait, within the workshop's limits,
 * and whatever goes wrong is told to everybody who waits; those most requested are made ahead. The pools are real ones,
 * and a job of the test's holds their thread. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/data/documents.h"
#include "common/base/clock.h"
#include "tests/unit/api_support.h"
#include "tests/unit/failing_memory.h"

#define GENERATION     7
#define KEPT_MAX       1000000
#define ENTRY_OVERHEAD 256u /* bytes that a kept document is counted for besides its content */

static const struct document_key WHOLE = {
    {DAY_MIN, DAY_MAX}, 0, DOCUMENT_DASHBOARD, MEDIA_JSON, ENCODING_IDENTITY};
static const struct document_key DAY = {{1, 1}, 0, DOCUMENT_DASHBOARD, MEDIA_JSON, ENCODING_IDENTITY};
static const struct document_key LOGINS = {
    {DAY_MIN, DAY_MAX}, 42, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY};
static const struct document_key NO_TABLE = {{2, 2}, 0, DOCUMENT_DASHBOARD, MEDIA_CSV, ENCODING_IDENTITY};

static struct document_key clientes_of(int32_t day)
{
    return (struct document_key){{day, day}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY};
}

/* A stored answer that does not fit the model. */
static struct answer foreign_answer(struct date_filter filter)
{
    struct answer foreign = {.filter = filter, .tenants = calloc(1, 1), .tenants_len = 1};
    assert_non_null(foreign.tenants);
    foreign.kpis.categories_count = 3;
    return foreign;
}

static struct workshop without_limits(void)
{
    return (struct workshop){.kept_max = KEPT_MAX, .unkept_max = SIZE_MAX, .wait_max_ms = INT64_MAX};
}

/* A generation whose most requested documents are made. */
static struct generation *prepared(struct workshop *workshop, size_t kept_max)
{
    struct generation *generation = generation_of_two_clients(GENERATION, kept_max, NULL);
    struct error err;
    if (documents_prepare(generation, workshop, &err) != STATUS_OK)
        fail_msg("documents_prepare: %s", err.message);
    return generation;
}

/* A prepared generation, a requester, and a pool for each kind of document, with one thread and room for one job. The
 * fetcher's Redis is not there. */
struct bench {
    struct requester requester;
    struct workshop workshop;
    struct pool makers, fetchers;
    struct login_fetcher fetcher;
    struct redis_address address;
    void *contexts[1];
    struct generation *generation;
    pthread_mutex_t gate; /* while it is locked, the thread that is held stands still */
    int thread_is_held_fd;
};

static void bench_init_with(struct bench *bench, const struct answer *take_stored)
{
    struct error err;
    *bench = (struct bench){.workshop = without_limits(), .gate = PTHREAD_MUTEX_INITIALIZER};
    requester_init(&bench->requester);
    bench->thread_is_held_fd = eventfd(0, 0);
    assert_true(bench->thread_is_held_fd >= 0);
    bench->address.unix_path = "/nonexistent/redis.sock";
    redis_link_init(&bench->fetcher.link, &bench->address, 1000);
    bench->fetcher.prefix = "ecosys";
    bench->contexts[0] = &bench->fetcher;
    assert_int_equal(pool_start(&bench->makers, 1, SHARE_TWENTIETH, NULL, 1, &err), STATUS_OK);
    assert_int_equal(pool_start(&bench->fetchers, 1, SHARE_THIRD, bench->contexts, 1, &err), STATUS_OK);
    bench->workshop.makers = &bench->makers;
    bench->workshop.fetchers = &bench->fetchers;
    bench->generation = generation_of_two_clients(GENERATION, KEPT_MAX, take_stored);
    assert_int_equal(documents_prepare(bench->generation, &bench->workshop, &err), STATUS_OK);
}

static void bench_init(struct bench *bench)
{
    bench_init_with(bench, NULL);
}

static void bench_stop(struct bench *bench)
{
    pool_stop(&bench->makers);
    pool_stop(&bench->fetchers);
    redis_link_close(&bench->fetcher.link);
    close(bench->thread_is_held_fd);
}

static void bench_clear(struct bench *bench)
{
    bench_stop(bench);
    requester_clear(&bench->requester);
    assert_int_equal(atomic_load(&bench->generation->references), 1);
    generation_unref(bench->generation);
    assert_int_equal(atomic_load(&bench->workshop.count.all), 0);
    assert_int_equal(atomic_load(&bench->workshop.count.kept), 0);
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
static void hold_thread(struct bench *bench, struct pool *pool)
{
    struct pollfd held = {.fd = bench->thread_is_held_fd, .events = POLLIN};
    uint64_t count;
    pthread_mutex_lock(&bench->gate);
    assert_true(pool_submit(pool, stand_still, bench));
    if (poll(&held, 1, DEADLINE_MS) != 1)
        fail_msg("the pool's thread did not begin within %d ms", DEADLINE_MS);
    assert_int_equal(read(bench->thread_is_held_fd, &count, sizeof count), sizeof count);
}

static void release_thread(struct bench *bench)
{
    pthread_mutex_unlock(&bench->gate);
}

static enum documents_result request(struct bench *bench, const struct document_key *key,
                                     struct representation **out)
{
    return documents_get(bench->generation, key, &bench->workshop, &bench->requester.exchange, out);
}

/* Requests what is not finished. */
static void request_pending(struct bench *bench, const struct document_key *key)
{
    struct representation *out = NULL;
    assert_int_equal(request(bench, key, &out), DOCUMENTS_PENDING);
    assert_null(out);
}

/* Requests what is finished. */
static void request_found(struct bench *bench, const struct document_key *key)
{
    struct representation *out = NULL;
    assert_int_equal(request(bench, key, &out), DOCUMENTS_FOUND);
    assert_non_null(out);
    representation_unref(out);
}

/* The next one that is handed back was made, in this way. */
static void expect_made(struct bench *bench, enum document_source source)
{
    struct pending *pending = requester_await(&bench->requester);
    assert_null(pending->error);
    assert_non_null(pending_document_of(pending)->document);
    assert_int_equal(pending_document_of(pending)->source, source);
    pending_free(pending);
}

/* The next one that is handed back failed, with this error. */
static void expect_error(struct bench *bench, const struct http_error *error)
{
    struct pending *pending = requester_await(&bench->requester);
    assert_ptr_equal(pending->error, error);
    assert_null(pending_document_of(pending)->document);
    pending_free(pending);
}

static bool has(struct generation *generation, const struct document_key *key)
{
    struct representation *found = document_cache_find(generation->documents, key);
    representation_unref(found);
    return found != NULL;
}

static bool has_clientes(struct generation *generation, int32_t day)
{
    const struct document_key key = clientes_of(day);
    return has(generation, &key);
}

/* Something that is finished under that key, and is not what would be made for it. */
static void keep_other(struct generation *generation, const struct document_key *key)
{
    struct representation *made = representation_of_len(2);
    document_cache_keep(generation->documents, key, made);
    representation_unref(made);
}

/* ---- documents_get */

static void test_equal_misses_are_one(void **state)
{
    enum { REQUESTS = 50 };
    struct bench bench;
    struct representation *made = NULL, *again = NULL;
    int computed = 0, cached = 0;
    (void)state;
    bench_init(&bench);
    hold_thread(&bench, &bench.makers);
    for (int i = 0; i < REQUESTS; i++)
        request_pending(&bench, &DAY);
    assert_int_equal(bench.makers.count, 1);
    assert_false(has(bench.generation, &DAY));
    release_thread(&bench);
    for (int i = 0; i < REQUESTS; i++) {
        struct pending *pending = requester_await(&bench.requester);
        const struct pending_document *result = pending_document_of(pending);
        assert_null(pending->error);
        assert_int_equal(result->generation, GENERATION);
        assert_int_equal(result->taken_at_ms, TAKEN_AT_MS);
        if (made == NULL)
            made = representation_ref(result->document);
        assert_ptr_equal(result->document, made);
        computed += result->source == SOURCE_COMPUTED;
        cached += result->source == SOURCE_CACHE;
        pending_free(pending);
    }
    assert_int_equal(computed, 1);
    assert_int_equal(cached, REQUESTS - 1);
    assert_int_equal(request(&bench, &DAY, &again), DOCUMENTS_FOUND);
    assert_ptr_equal(again, made);
    representation_unref(again);
    representation_unref(made);
    bench_clear(&bench);
}

/* Where it is handed back, and that the exchange knows of it. */
static void test_a_pending_document_is_the_exchanges(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.requester.exchange.connection = (struct connection *)&bench;
    request_pending(&bench, &DAY);
    struct pending *pending = requester_await(&bench.requester);
    assert_ptr_equal(bench.requester.exchange.pending, pending);
    assert_ptr_equal(pending->connection, (struct connection *)&bench);
    assert_ptr_equal(pending->mailbox, &bench.requester.mailbox);
    pending_free(pending);
    bench_clear(&bench);
}

/* A loop that has ended takes nothing; sanitizers see whether all was freed. */
static void test_nobody_takes_it_any_more(void **state)
{
    const struct document_key rows = clientes_of(1);
    struct bench bench;
    (void)state;
    bench_init(&bench);
    hold_thread(&bench, &bench.makers);
    for (int i = 0; i < 3; i++)
        request_pending(&bench, &rows);
    mailbox_close(&bench.requester.mailbox);
    request_pending(&bench, &NO_TABLE); /* has no place in the queue any more */
    release_thread(&bench);
    bench_stop(&bench);
    assert_true(has(bench.generation, &rows));
    requester_clear(&bench.requester);
    assert_int_equal(atomic_load(&bench.generation->references), 1);
    generation_unref(bench.generation);
    assert_int_equal(atomic_load(&bench.workshop.count.all), 0);
}

/* A generation that is dropped while a document of it is being made lives until it is finished, and no longer: what is
 * pending, which ends on an event loop, would free it there. Sanitizers see whether it was freed. */
static void test_a_generation_outlives_its_makings(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    hold_thread(&bench, &bench.makers);
    request_pending(&bench, &DAY);
    assert_int_equal(atomic_load(&bench.generation->references), 2);
    generation_unref(bench.generation);
    release_thread(&bench);
    struct pending *pending = requester_await(&bench.requester);
    bench_stop(&bench);
    assert_null(pending->error);
    assert_int_equal(pending_document_of(pending)->generation, GENERATION);
    assert_int_equal(pending_document_of(pending)->document->data[0], '{');
    pending_free(pending);
    requester_clear(&bench.requester);
    assert_int_equal(atomic_load(&bench.workshop.count.all), 0);
}

/* ---- The workshop's limits */

/* Who comes too late for the queue is told at once, while its thread still stands. */
static void test_busy_when_the_queue_is_full(void **state)
{
    struct document_key keys[] = {DAY, DAY, DAY, DAY};
    struct bench bench;
    (void)state;
    keys[1].filter.last_day = 2;
    keys[2].document = DOCUMENT_CLIENTES;
    keys[3].encoding = ENCODING_GZIP;
    bench_init(&bench);
    hold_thread(&bench, &bench.makers);
    request_pending(&bench, &keys[0]);
    for (size_t i = 1; i < COUNT(keys); i++) {
        request_pending(&bench, &keys[i]);
        expect_error(&bench, &ERROR_OVERLOADED);
    }
    request_pending(&bench, &keys[0]); /* needs no place in the queue */
    request_found(&bench, &WHOLE);     /* nor does what is finished */
    assert_null(requester_find(&bench.requester));
    release_thread(&bench);
    pending_free(requester_await(&bench.requester));
    pending_free(requester_await(&bench.requester));
    for (size_t i = 1; i < COUNT(keys); i++) { /* a refusal leaves nothing behind */
        request_pending(&bench, &keys[i]);
        expect_made(&bench, SOURCE_COMPUTED);
    }
    bench_clear(&bench);
}

/* What is fetched does not wait behind what is computed, nor the other way round. */
static void test_each_kind_has_its_pool(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    hold_thread(&bench, &bench.makers);
    request_pending(&bench, &LOGINS);
    expect_error(&bench, &ERROR_NO_DATA);
    release_thread(&bench);
    bench_clear(&bench);
    bench_init(&bench);
    hold_thread(&bench, &bench.fetchers);
    request_pending(&bench, &DAY);
    expect_made(&bench, SOURCE_COMPUTED);
    release_thread(&bench);
    bench_clear(&bench);
}

/* A document that is sent but no longer kept holds the room; what is at hand is answered all the same. */
static void test_busy_while_too_much_is_unsent(void **state)
{
    const struct document_key rows = clientes_of(1);
    struct bench bench;
    (void)state;
    bench_init(&bench);
    size_t kept = atomic_load(&bench.workshop.count.kept);
    struct representation *slow = representation_of_len(1000);
    representation_count_in(slow, &bench.workshop.count);
    bench.workshop.unkept_max = 1000;
    request_pending(&bench, &rows);
    expect_error(&bench, &ERROR_OVERLOADED);
    request_pending(&bench, &LOGINS);
    expect_error(&bench, &ERROR_OVERLOADED);
    request_found(&bench, &WHOLE);
    request_pending(&bench, &DAY); /* a dashboard is small */
    expect_made(&bench, SOURCE_COMPUTED);
    bench.workshop.unkept_max = 1001;
    request_pending(&bench, &rows);
    expect_made(&bench, SOURCE_COMPUTED);
    assert_true(atomic_load(&bench.workshop.count.kept) > kept);
    representation_unref(slow);
    assert_int_equal(representation_count_unkept(&bench.workshop.count), 0);
    bench_clear(&bench);
}

/* It was not full when they were requested, and is when their turn comes. */
static void test_full_at_the_time_of_making(void **state)
{
    const struct document_key rows = clientes_of(1);
    struct bench bench;
    (void)state;
    bench_init(&bench);
    hold_thread(&bench, &bench.makers);
    request_pending(&bench, &rows);
    request_pending(&bench, &rows);
    bench.workshop.unkept_max = 0;
    release_thread(&bench);
    expect_error(&bench, &ERROR_OVERLOADED);
    expect_error(&bench, &ERROR_OVERLOADED);
    bench.workshop.unkept_max = SIZE_MAX;
    request_pending(&bench, &rows); /* it left no trace */
    expect_made(&bench, SOURCE_COMPUTED);
    bench_clear(&bench);
}

/* What waited too long for a maker is not made; what is fetched has the time of its own connection. */
static void test_too_late(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.workshop.wait_max_ms = -1;
    request_pending(&bench, &DAY);
    expect_error(&bench, &ERROR_OVERLOADED);
    request_pending(&bench, &LOGINS);
    expect_error(&bench, &ERROR_NO_DATA);
    bench.workshop.wait_max_ms = INT64_MAX;
    request_pending(&bench, &DAY);
    expect_made(&bench, SOURCE_COMPUTED);
    bench_clear(&bench);
}

/* ---- Failures */

/* Everybody who waits is told, and who asks afterwards has it tried again. */
static void check_failure(struct bench *bench, struct pool *pool, const struct document_key *key,
                          const struct http_error *expected)
{
    for (int round = 0; round < 2; round++) {
        hold_thread(bench, pool);
        for (int i = 0; i < 3; i++)
            request_pending(bench, key);
        release_thread(bench);
        for (int i = 0; i < 3; i++)
            expect_error(bench, expected);
        assert_false(has(bench->generation, key));
    }
}

static void test_a_failure_reaches_all(void **state)
{
    const struct answer foreign = foreign_answer(DAY.filter);
    struct bench bench;
    (void)state;
    bench_init_with(&bench, &foreign);
    check_failure(&bench, &bench.makers, &DAY, &ERROR_NO_DATA);
    check_failure(&bench, &bench.makers, &NO_TABLE, &ERROR_INTERNAL);
    bench_clear(&bench);
}

/* No Redis where logins would come from. */
static void test_an_unreachable_redis_reaches_all(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    check_failure(&bench, &bench.fetchers, &LOGINS, &ERROR_NO_DATA);
    bench_clear(&bench);
}

/* For the pending request, for its place among those in the making, and for the job. */
static void test_no_memory_to_request(void **state)
{
    struct bench bench;
    struct representation *out = NULL;
    (void)state;
    bench_init(&bench);
    for (int succeed = 0; succeed < 2; succeed++) {
        allocations_left = succeed;
        assert_int_equal(request(&bench, &DAY, &out), DOCUMENTS_NO_MEMORY);
        assert_null(out);
        assert_int_equal(allocations_left, -1);
    }
    allocations_left = 2;
    request_pending(&bench, &DAY);
    assert_int_equal(allocations_left, -1);
    expect_error(&bench, &ERROR_OVERLOADED);
    request_pending(&bench, &DAY);
    expect_made(&bench, SOURCE_COMPUTED);
    bench_clear(&bench);
}

/* ---- documents_make */

static void test_sources(void **state)
{
    const struct answer stored = {.filter = {1, 1}, .kpis = {.categories_count = 4}};
    const struct document_key there = clientes_of(1), not_there = clientes_of(2);
    struct workshop workshop = without_limits();
    struct generation *generation = generation_of_two_clients(GENERATION, KEPT_MAX, &stored);
    enum document_source source = SOURCE_CACHE;
    struct representation *made = NULL;
    struct error err;
    (void)state;
    assert_int_equal(documents_make(generation, &there, &workshop, NULL, &made, &source, &err), STATUS_OK);
    assert_int_equal(source, SOURCE_BUCKET);
    assert_true(bytes_is((struct bytes){made->data, made->len}, "{}")); /* as that answer says */
    assert_int_equal(atomic_load(&workshop.count.all), 2);
    representation_unref(made);
    assert_int_equal(documents_make(generation, &not_there, &workshop, NULL, &made, &source, &err),
                     STATUS_OK);
    assert_int_equal(source, SOURCE_COMPUTED);
    assert_non_null(memmem(made->data, made->len, "Dois", 4));
    assert_null(memmem(made->data, made->len, "Um", 2));
    representation_unref(made);
    assert_int_equal(atomic_load(&workshop.count.all), 0);
    generation_unref(generation);
}

static void test_errors_of_making(void **state)
{
    static const struct {
        const char *name;
        struct document_key key;
        enum status expected;
    } rows[] = {
        {"an answer of another model", {{1, 1}, 0, DOCUMENT_DASHBOARD, MEDIA_JSON, 0}, STATUS_CORRUPT},
        {"KPIs as a table", {{2, 2}, 0, DOCUMENT_DASHBOARD, MEDIA_CSV, 0}, STATUS_INVALID},
        {"no Redis", {{DAY_MIN, DAY_MAX}, 42, DOCUMENT_LOGINS, MEDIA_JSON, 0}, STATUS_UNAVAILABLE},
    };
    const struct answer foreign = foreign_answer(rows[0].key.filter);
    const struct redis_address address = {.unix_path = "/nonexistent/redis.sock"};
    struct workshop workshop = without_limits();
    struct login_fetcher fetcher = {.prefix = "ecosys"};
    struct generation *generation = generation_of_two_clients(GENERATION, KEPT_MAX, &foreign);
    (void)state;
    redis_link_init(&fetcher.link, &address, 1000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct representation *made = NULL;
        enum document_source source;
        struct error err;
        enum status status =
            documents_make(generation, &rows[i].key, &workshop, &fetcher, &made, &source, &err);
        if (status != rows[i].expected || err.code != status || made != NULL)
            fail_msg("%s: status is %s, expected %s", rows[i].name, status_word(status),
                     status_word(rows[i].expected));
    }
    assert_int_equal(atomic_load(&workshop.count.all), 0);
    redis_link_close(&fetcher.link);
    generation_unref(generation);
}

/* Wherever it runs out, it is said, and nothing is left: sanitizers see that. */
static void test_no_memory_to_make(void **state)
{
    struct workshop workshop = without_limits();
    (void)state;
    for (enum document document = 0; document < DOCUMENT_LOGINS; document++) {
        const struct document_key key = {{1, 2}, 0, document, MEDIA_JSON, ENCODING_GZIP};
        struct generation *generation = generation_of_two_clients(GENERATION, KEPT_MAX, NULL);
        struct representation *made = NULL;
        enum document_source source;
        struct error err;
        enum status status = STATUS_NO_MEMORY;
        int failures = 0;
        while (status != STATUS_OK) {
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_null(made);
            allocations_left = failures++;
            status = documents_make(generation, &key, &workshop, NULL, &made, &source, &err);
            assert_true(failures < 1000);
        }
        allocations_left = -1;
        assert_true(failures > 2);
        representation_unref(made);
        generation_unref(generation);
    }
    assert_int_equal(atomic_load(&workshop.count.all), 0);
}

/* ---- Making ahead */

/* What most clients request is finished from the start, in both encodings; what few request is made when they do. */
static void test_prepare(void **state)
{
    struct workshop workshop = without_limits();
    struct generation *generation = prepared(&workshop, KEPT_MAX);
    struct document_key keys[16];
    (void)state;
    for (int document = 0; document < DOCUMENT_LOGINS; document++)
        for (int encoding = ENCODING_IDENTITY; encoding <= ENCODING_GZIP; encoding++) {
            const struct document_key key = {DATE_FILTER_ALL, 0, (enum document)document, MEDIA_JSON,
                                             (enum encoding)encoding};
            struct document_key packed = key;
            packed.media = MEDIA_MSGPACK;
            struct representation *found = document_cache_find(generation->documents, &key);
            assert_non_null(found);
            struct bytes text = {found->data, found->len};
            if (document == DOCUMENT_HEALTH_PLANO || document == DOCUMENT_HEALTH_DETALHADO)
                assert_true(bytes_is(text, "{}"));
            if (document == DOCUMENT_CLIENTES)
                assert_true(memmem(text.data, text.len, "Dois", 4) != NULL &&
                            memmem(text.data, text.len, "Um", 2) != NULL);
            representation_unref(found);
            assert_false(has(generation, &packed));
        }
    assert_int_equal(document_cache_list(generation->documents, keys, COUNT(keys)), 2 * DOCUMENT_LOGINS);
    assert_int_equal(representation_count_unkept(&workshop.count), 0);
    generation_unref(generation);
}

static void test_errors_of_preparing(void **state)
{
    const struct answer foreign = foreign_answer(DATE_FILTER_ALL);
    struct workshop workshop = without_limits();
    struct generation *generation = generation_of_two_clients(GENERATION, KEPT_MAX, &foreign);
    struct error err;
    (void)state;
    assert_int_equal(documents_prepare(generation, &workshop, &err), STATUS_CORRUPT);
    assert_int_equal(err.code, STATUS_CORRUPT);
    generation_unref(generation);
    generation = generation_of_two_clients(GENERATION, KEPT_MAX, NULL);
    allocations_left = 0;
    assert_int_equal(documents_prepare(generation, &workshop, &err), STATUS_NO_MEMORY);
    generation_unref(generation);
    assert_int_equal(atomic_load(&workshop.count.all), 0);
}

/* Without room, it is made, but not kept. */
static void test_prepare_without_room(void **state)
{
    struct workshop workshop = without_limits();
    struct generation *generation = prepared(&workshop, 0);
    (void)state;
    assert_false(has(generation, &WHOLE));
    generation_unref(generation);
}

/* What was requested of the generation before is at hand in the new one, but for logins, which are still in Redis, and
 * for what there is no time for. */
static void test_warm(void **state)
{
    const struct document_key zstd = {{5, 9}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_ZSTD};
    struct workshop workshop = without_limits();
    struct generation *previous = prepared(&workshop, KEPT_MAX), *cold = prepared(&workshop, KEPT_MAX),
                      *warm = prepared(&workshop, KEPT_MAX);
    (void)state;
    keep_other(previous, &DAY);
    keep_other(previous, &LOGINS);
    keep_other(previous, &zstd);
    documents_warm(cold, previous, &workshop, clock_monotonic_ms());
    documents_warm(warm, previous, &workshop, clock_monotonic_ms() + DEADLINE_MS);
    struct representation *found = document_cache_find(warm->documents, &DAY);
    assert_non_null(found);
    assert_true(found->len > 2); /* made of its own generation, not taken over */
    representation_unref(found);
    assert_true(has(warm, &zstd));
    assert_false(has(warm, &LOGINS));
    assert_false(has(cold, &DAY));
    generation_unref(previous);
    generation_unref(cold);
    generation_unref(warm);
}

/* Where there is no room for all, those that were requested last are made, and what is unfiltered stays. */
static void test_warm_without_room(void **state)
{
    struct workshop workshop = without_limits();
    struct generation *previous = prepared(&workshop, KEPT_MAX), *roomy = prepared(&workshop, KEPT_MAX);
    struct document_key keys[16];
    size_t bytes = 0, unfiltered = document_cache_list(roomy->documents, keys, COUNT(keys));
    (void)state;
    for (size_t i = 0; i < unfiltered; i++) {
        struct representation *found = document_cache_find(roomy->documents, &keys[i]);
        bytes += found->len + ENTRY_OVERHEAD;
        representation_unref(found);
    }
    for (int32_t day = 11; day <= 19; day++) { /* days of no client */
        const struct document_key key = clientes_of(day);
        keep_other(previous, &key);
    }
    struct generation *narrow = prepared(&workshop, bytes + ENTRY_OVERHEAD + 100);
    documents_warm(narrow, previous, &workshop, clock_monotonic_ms() + DEADLINE_MS);
    for (size_t i = 0; i < unfiltered; i++)
        assert_true(has(narrow, &keys[i]));
    assert_true(has_clientes(narrow, 19));
    for (int32_t day = 11; day <= 18; day++)
        assert_false(has_clientes(narrow, day));
    generation_unref(previous);
    generation_unref(roomy);
    generation_unref(narrow);
}

/* What cannot be made is left out, what is there stays as it is, and the others follow. */
static void test_warm_what_cannot_be_made(void **state)
{
    struct workshop workshop = without_limits();
    const struct document_key first = clientes_of(1), known = clientes_of(2);
    struct generation *previous = generation_of_two_clients(GENERATION, KEPT_MAX, NULL),
                      *warm = generation_of_two_clients(GENERATION + 1, KEPT_MAX, NULL);
    (void)state;
    keep_other(previous, &first);
    keep_other(previous, &known);
    keep_other(previous, &NO_TABLE);
    keep_other(warm, &known);
    documents_warm(warm, previous, &workshop, clock_monotonic_ms() + DEADLINE_MS);
    assert_false(has(warm, &NO_TABLE));
    assert_true(has(warm, &first));
    struct representation *found = document_cache_find(warm->documents, &known);
    assert_int_equal(found->len, 2);
    representation_unref(found);
    generation_unref(previous);
    generation_unref(warm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_misses_are_one),
        cmocka_unit_test(test_a_pending_document_is_the_exchanges),
        cmocka_unit_test(test_nobody_takes_it_any_more),
        cmocka_unit_test(test_a_generation_outlives_its_makings),
        cmocka_unit_test(test_busy_when_the_queue_is_full),
        cmocka_unit_test(test_each_kind_has_its_pool),
        cmocka_unit_test(test_busy_while_too_much_is_unsent),
        cmocka_unit_test(test_full_at_the_time_of_making),
        cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_a_failure_reaches_all),
        cmocka_unit_test(test_an_unreachable_redis_reaches_all),
        cmocka_unit_test(test_no_memory_to_request),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_errors_of_making),
        cmocka_unit_test(test_no_memory_to_make),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_errors_of_preparing),
        cmocka_unit_test(test_prepare_without_room),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_warm_without_room),
        cmocka_unit_test(test_warm_what_cannot_be_made),
    };
    return cmocka_run_group_tests_name("api_documents", tests, NULL, NULL);
}
