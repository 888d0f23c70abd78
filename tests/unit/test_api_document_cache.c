/* tests/unit/test_api_document_cache.c - finished documents: bounded in bytes, found by their whole key, listed by age;
 * and who waits for one that is being made. */
#include <inttypes.h>

#include "api/data/document_cache.h"
#include "tests/unit/api_support.h"
#include "tests/unit/failing_memory.h"

#define ENTRY_OVERHEAD  256u /* bytes that a document is counted for besides its content */
#define FITS(documents) ((documents) * (1000 + ENTRY_OVERHEAD)) /* so many of 1,000 bytes */

static const struct document_key WHOLE = {
    {DAY_MIN, DAY_MAX}, 0, DOCUMENT_DASHBOARD, MEDIA_JSON, ENCODING_IDENTITY};

static struct document_cache *cache_of(size_t bytes_max)
{
    struct document_cache *cache = document_cache_new(bytes_max);
    assert_non_null(cache);
    return cache;
}

static struct document_key key_of(int32_t day)
{
    return (struct document_key){{day, day}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY};
}

static void keep(struct document_cache *cache, int32_t day, size_t len)
{
    struct document_key key = key_of(day);
    struct representation *made = representation_of_len(len);
    document_cache_keep(cache, &key, made);
    representation_unref(made);
}

static bool has(struct document_cache *cache, int32_t day)
{
    struct document_key key = key_of(day);
    struct representation *found = document_cache_find(cache, &key);
    representation_unref(found);
    return found != NULL;
}

/* ---- Keeping */

/* Room for exactly three of 1,000 bytes. */
static void test_least_recently_used_go(void **state)
{
    struct document_cache *cache = cache_of(FITS(3));
    (void)state;
    for (int32_t day = 1; day <= 3; day++)
        keep(cache, day, 1000);
    assert_true(has(cache, 3) && has(cache, 2) && has(cache, 1)); /* 3 was used longest ago now */
    keep(cache, 4, 1000);
    assert_true(has(cache, 1) && has(cache, 2) && has(cache, 4));
    assert_false(has(cache, 3));
    keep(cache, 5, 1001); /* a byte more needs two places: 1 and 2 go */
    assert_true(has(cache, 4) && has(cache, 5));
    assert_false(has(cache, 1) || has(cache, 2));
    keep(cache, 6, FITS(3)); /* larger than all there is */
    for (int32_t day = 1; day <= 6; day++)
        assert_false(has(cache, day));
    keep(cache, 7, 3 * 1000 + 2 * ENTRY_OVERHEAD); /* fills it alone */
    assert_true(has(cache, 7));
    document_cache_free(cache);
}

/* However many others are requested; but not beyond the bound. */
static void test_unfiltered_go_last(void **state)
{
    struct document_cache *cache = cache_of(FITS(3));
    struct document_key logins = {DATE_FILTER_ALL, 7, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY};
    struct document_key unfiltered[] = {WHOLE, WHOLE, WHOLE, WHOLE};
    struct representation *made = representation_of_len(1000), *found;
    (void)state;
    for (int32_t i = 0; i < 4; i++)
        unfiltered[i].document = (enum document)i;
    document_cache_keep(cache, &unfiltered[0], made);
    document_cache_keep(cache, &logins, made);
    for (int32_t day = 1; day <= 9; day++)
        keep(cache, day, 1000);
    found = document_cache_find(cache, &unfiltered[0]);
    assert_ptr_equal(found, made);
    representation_unref(found);
    assert_null(document_cache_find(cache, &logins));
    assert_true(has(cache, 9) && has(cache, 8) && !has(cache, 7));
    for (int32_t i = 1; i < 4; i++)
        document_cache_keep(cache, &unfiltered[i], made);
    assert_false(has(cache, 9) || has(cache, 8));
    assert_null(document_cache_find(cache, &unfiltered[0]));
    document_cache_free(cache);
    representation_unref(made);
}

static void test_many_keys_stay_within_the_bound(void **state)
{
    enum { KEYS = 40000, FIT = 100 };
    struct document_cache *cache = cache_of(FIT * (10 + ENTRY_OVERHEAD));
    (void)state;
    for (int32_t day = 0; day < KEYS; day++)
        keep(cache, day, 10);
    for (int32_t day = 0; day < KEYS; day++)
        if (has(cache, day) != (day >= KEYS - FIT))
            fail_msg("key %" PRId32 ": is kept: %d, expected %d", day, has(cache, day), day >= KEYS - FIT);
    document_cache_free(cache);
}

static void test_nothing_is_kept_without_room(void **state)
{
    struct document_cache *cache = cache_of(0);
    struct document_key key = key_of(2);
    struct representation *made = representation_of_len(0);
    (void)state;
    keep(cache, 1, 0);
    assert_false(has(cache, 1));
    assert_false(document_cache_keep_as_oldest(cache, &key, made));
    representation_unref(made);
    document_cache_free(cache);
    document_cache_free(NULL);
}

/* Who holds a document keeps it when it is dropped; what is there already stays. */
static void test_documents_outlive_their_place(void **state)
{
    struct document_cache *cache = cache_of(FITS(2));
    struct document_key key = key_of(1);
    (void)state;
    keep(cache, 1, 1000);
    struct representation *held = document_cache_find(cache, &key);
    keep(cache, 1, 500);
    struct representation *again = document_cache_find(cache, &key);
    assert_ptr_equal(again, held);
    representation_unref(again);
    keep(cache, 2, 1000);
    keep(cache, 3, 1000);
    assert_false(has(cache, 1));
    assert_int_equal(held->len, 1000);
    assert_int_equal(held->data[999], 'x');
    document_cache_free(cache);
    representation_unref(held);
}

/* Bytes that are kept are told apart from those that only clients hold. */
static void test_count_of_what_is_kept(void **state)
{
    struct representation_count count = {0};
    struct document_cache *cache = cache_of(FITS(1));
    struct document_key key = key_of(1);
    struct representation *made = representation_of_len(1000);
    (void)state;
    representation_count_in(made, &count);
    assert_int_equal(representation_count_unkept(&count), 1000);
    document_cache_keep(cache, &key, made);
    assert_int_equal(representation_count_unkept(&count), 0);
    assert_int_equal(atomic_load(&count.kept), 1000);
    keep(cache, 2, 1000); /* evicts it; the test still holds it */
    assert_int_equal(representation_count_unkept(&count), 1000);
    document_cache_keep(cache, &key, made);
    document_cache_free(cache);
    assert_int_equal(representation_count_unkept(&count), 1000);
    representation_unref(made);
    assert_int_equal(atomic_load(&count.all), 0);
}

/* Each field of a key matters. */
static void test_keys(void **state)
{
    const struct document_key keys[] = {
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{0, 2}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 3}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 2}, 1, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 2}, 0, DOCUMENT_LOGINS, MEDIA_JSON, ENCODING_IDENTITY},
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_JSON, ENCODING_GZIP},
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_CSV, ENCODING_IDENTITY},
        {{1, 2}, 0, DOCUMENT_CLIENTES, MEDIA_MSGPACK, ENCODING_IDENTITY},
    };
    struct document_cache *cache = cache_of(1000000);
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct representation *made = representation_of_len(i);
        assert_null(document_cache_find(cache, &keys[i]));
        document_cache_keep(cache, &keys[i], made);
        representation_unref(made);
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct representation *found = document_cache_find(cache, &keys[i]);
        assert_non_null(found);
        assert_int_equal(found->len, i);
        representation_unref(found);
    }
    document_cache_free(cache);
}

/* ---- Listing */

/* Those that were requested last come first, and no more than there is room for. */
static void test_list(void **state)
{
    struct document_cache *cache = cache_of(1000000);
    struct document_key keys[4];
    (void)state;
    assert_int_equal(document_cache_list(cache, keys, COUNT(keys)), 0);
    for (int32_t day = 1; day <= 3; day++)
        keep(cache, day, 2);
    assert_true(has(cache, 1));
    assert_int_equal(document_cache_list(cache, keys, COUNT(keys)), 3);
    assert_int_equal(keys[0].filter.first_day, 1);
    assert_int_equal(keys[1].filter.first_day, 3);
    assert_int_equal(keys[2].filter.first_day, 2);
    assert_int_equal(document_cache_list(cache, keys, 1), 1);
    assert_int_equal(keys[0].filter.first_day, 1);
    document_cache_free(cache);
}

/* What is kept as the oldest goes first, and makes nothing else go. */
static void test_keep_as_oldest(void **state)
{
    const struct document_key two = key_of(2), three = key_of(3), four = key_of(4);
    struct document_cache *cache = cache_of(FITS(3));
    struct document_key keys[4];
    struct representation *made = representation_of_len(1000);
    (void)state;
    assert_true(document_cache_keep_as_oldest(cache, &two, made));
    keep(cache, 1, 1000);
    assert_true(document_cache_keep_as_oldest(cache, &three, made));
    assert_true(document_cache_keep_as_oldest(cache, &two, made)); /* it is there */
    assert_false(document_cache_keep_as_oldest(cache, &four, made));
    representation_unref(made);
    assert_int_equal(document_cache_list(cache, keys, COUNT(keys)), 3);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(keys[i].filter.first_day, i + 1);
    keep(cache, 5, 1000);
    assert_false(has(cache, 3));
    assert_true(has(cache, 5) && has(cache, 1) && has(cache, 2));
    document_cache_free(cache);
}

/* ---- Who waits */

static enum document_cache_state begin(struct document_cache *cache, int32_t day, struct pending *pending,
                                       struct representation **out)
{
    struct document_key key = key_of(day);
    return document_cache_begin(cache, &key, pending, out);
}

static struct pending *end(struct document_cache *cache, int32_t day, struct representation *made)
{
    struct document_key key = key_of(day);
    struct pending *waiting = document_cache_end(cache, &key, made);
    document_cache_trim(cache);
    return waiting;
}

static void test_all_wait_for_one_making(void **state)
{
    struct document_cache *cache = cache_of(FITS(1));
    struct pending first = {.error = NULL}, second = first, third = first, other = first;
    struct representation *made = representation_of_len(1000), *out = NULL;
    struct document_key keys[2];
    (void)state;
    assert_int_equal(begin(cache, 1, &first, &out), DOCUMENT_CACHE_BEGUN);
    assert_int_equal(begin(cache, 1, &second, &out), DOCUMENT_CACHE_AWAITED);
    assert_int_equal(begin(cache, 2, &other, &out), DOCUMENT_CACHE_BEGUN);
    assert_int_equal(begin(cache, 1, &third, &out), DOCUMENT_CACHE_AWAITED);
    assert_null(out);
    assert_false(has(cache, 1));
    assert_int_equal(document_cache_list(cache, keys, COUNT(keys)), 0);
    assert_ptr_equal(end(cache, 1, made), &third);
    assert_ptr_equal(third.next, &second);
    assert_ptr_equal(second.next, &first);
    assert_null(first.next);
    assert_int_equal(begin(cache, 1, &first, &out), DOCUMENT_CACHE_FOUND);
    assert_ptr_equal(out, made);
    assert_int_equal(atomic_load(&made->references), 3); /* the test's, the cache's, *out */
    representation_unref(out);
    assert_ptr_equal(end(cache, 2, NULL), &other);
    document_cache_free(cache);
    representation_unref(made);
}

/* It leaves nothing, so who asks afterwards begins again. */
static void test_a_making_that_failed(void **state)
{
    struct document_cache *cache = cache_of(FITS(1));
    struct pending pending = {.error = NULL};
    struct representation *out = NULL;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(begin(cache, 1, &pending, &out), DOCUMENT_CACHE_BEGUN);
        assert_ptr_equal(end(cache, 1, NULL), &pending);
        assert_null(pending.next);
        assert_false(has(cache, 1));
    }
    document_cache_free(cache);
}

/* What is being made has no bytes yet: it is not evicted, and neither kept nor listed meanwhile. */
static void test_what_is_being_made_stays(void **state)
{
    struct document_cache *cache = cache_of(FITS(1));
    struct document_key key = key_of(1), listed[2];
    struct pending pending = {.error = NULL};
    struct representation *made = representation_of_len(1000), *out = NULL;
    (void)state;
    assert_int_equal(begin(cache, 1, &pending, &out), DOCUMENT_CACHE_BEGUN);
    for (int32_t day = 2; day <= 5; day++)
        keep(cache, day, 1000);
    keep(cache, 1, 1000);
    assert_true(document_cache_keep_as_oldest(cache, &key, made));
    assert_false(has(cache, 1));
    assert_true(has(cache, 5));
    assert_ptr_equal(end(cache, 1, made), &pending);
    assert_true(has(cache, 1)); /* and makes room for itself */
    assert_int_equal(document_cache_list(cache, listed, COUNT(listed)), 1);
    document_cache_free(cache);
    representation_unref(made);
}

/* Those who wait get it all the same. */
static void test_what_is_too_large_to_keep(void **state)
{
    struct document_cache *cache = cache_of(FITS(1));
    struct pending pending = {.error = NULL};
    struct representation *made = representation_of_len(1001), *out = NULL;
    (void)state;
    assert_int_equal(begin(cache, 1, &pending, &out), DOCUMENT_CACHE_BEGUN);
    assert_ptr_equal(end(cache, 1, made), &pending);
    assert_false(has(cache, 1));
    assert_int_equal(atomic_load(&made->references), 1);
    document_cache_free(cache);
    representation_unref(made);
}

/* ---- Without memory */

static void test_memory_is_out(void **state)
{
    const struct document_key one = key_of(1);
    struct representation *made = representation_of_len(1000), *out = NULL;
    struct pending pending = {.error = NULL};
    (void)state;
    allocations_left = 0;
    assert_null(document_cache_new(1));
    struct document_cache *cache = cache_of(FITS(1));
    allocations_left = 0;
    document_cache_keep(cache, &one, made);
    assert_false(has(cache, 1));
    allocations_left = 0;
    assert_false(document_cache_keep_as_oldest(cache, &one, made));
    allocations_left = 0;
    assert_int_equal(begin(cache, 1, &pending, &out), DOCUMENT_CACHE_NO_MEMORY);
    assert_null(out);
    assert_int_equal(allocations_left, -1);
    assert_int_equal(begin(cache, 1, &pending, &out), DOCUMENT_CACHE_BEGUN);
    assert_ptr_equal(end(cache, 1, NULL), &pending);
    document_cache_free(cache);
    representation_unref(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_recently_used_go),
        cmocka_unit_test(test_unfiltered_go_last),
        cmocka_unit_test(test_many_keys_stay_within_the_bound),
        cmocka_unit_test(test_nothing_is_kept_without_room),
        cmocka_unit_test(test_documents_outlive_their_place),
        cmocka_unit_test(test_count_of_what_is_kept),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_keep_as_oldest),
        cmocka_unit_test(test_all_wait_for_one_making),
        cmocka_unit_test(test_a_making_that_failed),
        cmocka_unit_test(test_what_is_being_made_stays),
        cmocka_unit_test(test_what_is_too_large_to_keep),
        cmocka_unit_test(test_memory_is_out),
    };
    return cmocka_run_group_tests_name("api_document_cache", tests, NULL, NULL);
}
