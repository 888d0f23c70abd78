/* tests/unit/test_api_stored_answers.c - which stored answers are taken, and which are left out to be computed. */
#include "api/data/stored_answers.h"
#include "tests/unit/support.h"

#define CATEGORIES 4

static const struct manifest MANIFEST = {.generation = 7};

/* The blob of an answer without rows. */
static void pack(struct date_filter filter, uint32_t categories, struct buffer *out)
{
    unsigned char no_tenants[1] = {0};
    struct answer answer = {.filter = filter, .tenants = no_tenants, .tenants_len = answer_tenants_len(0)};
    struct error err;
    answer.kpis.categories_count = categories;
    if (codec_pack_answer(&answer, out, &err) != STATUS_OK)
        fail_msg("codec_pack_answer: %s", err.message);
}

static void test_what_is_taken(void **state)
{
    static const struct date_filter asked = {1, 5};
    static const struct {
        const char *name;
        struct date_filter filter;
        uint32_t categories;
        size_t cut; /* bytes that are missing at the end */
        bool is_there, is_taken;
    } rows[] = {
        {"the answer", {1, 5}, CATEGORIES, 0, true, true},
        {"no such key", {1, 5}, CATEGORIES, 0, false, false},
        {"a damaged one", {1, 5}, CATEGORIES, 1, true, false},
        {"that of another filter", {1, 6}, CATEGORIES, 0, true, false},
        {"that of another model", {1, 5}, CATEGORIES - 1, 0, true, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stored_answers stored = {NULL, 0};
        struct buffer blob = BUFFER_INIT;
        struct error err;
        assert_int_equal(stored_answers_reserve(&stored, 1, &err), STATUS_OK);
        pack(rows[i].filter, rows[i].categories, &blob);
        blob.len -= rows[i].cut;
        bool is_taken =
            stored_answers_add(&stored, rows[i].is_there ? buffer_bytes(&blob) : (struct bytes){NULL, 0},
                               asked, &MANIFEST, CATEGORIES);
        if (is_taken != rows[i].is_taken || stored.count != rows[i].is_taken)
            fail_msg("%s: is taken: %d, expected %d; %zu are there", rows[i].name, is_taken, rows[i].is_taken,
                     stored.count);
        assert_true((stored_answers_find(&stored, asked) != NULL) == rows[i].is_taken);
        stored_answers_clear(&stored);
        assert_null(stored.items);
        buffer_clear(&blob);
    }
}

/* Those around what was left out are found, and nothing else is. */
static void test_finding(void **state)
{
    static const struct date_filter taken[] = {{DAY_MIN, 5}, {1, 5}, {1, 6}, {2, 2}};
    static const struct date_filter others[] = {{DAY_MIN, DAY_MAX}, {DAY_MIN, 4}, {1, 4}, {1, 7}, {3, 3}};
    struct stored_answers stored = {NULL, 0};
    struct error err;
    (void)state;
    assert_null(stored_answers_find(&stored, taken[0])); /* without any */
    assert_int_equal(stored_answers_reserve(&stored, 2 * COUNT(taken), &err), STATUS_OK);
    for (size_t i = 0; i < COUNT(taken); i++) {
        struct buffer blob = BUFFER_INIT;
        pack(taken[i], CATEGORIES, &blob);
        assert_true(stored_answers_add(&stored, buffer_bytes(&blob), taken[i], &MANIFEST, CATEGORIES));
        assert_false(stored_answers_add(&stored, buffer_bytes(&blob), others[i], &MANIFEST, CATEGORIES));
        buffer_clear(&blob);
    }
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_ptr_equal(stored_answers_find(&stored, taken[i]), &stored.items[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_null(stored_answers_find(&stored, others[i]));
    stored_answers_clear(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken),
        cmocka_unit_test(test_finding),
    };
    return cmocka_run_group_tests_name("api_stored_answers", tests, NULL, NULL);
}
