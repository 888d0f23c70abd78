/* tests/unit/test_api_refusal.c - when a generation that could not be loaded is tried again, and that it is logged
 * once. */
#include "api/data/refusal.h"
#include "tests/unit/support.h"

#define NOW_MS 5000

static void test_when_to_try_again(void **state)
{
    static const struct {
        const char *name;
        enum status reason;
        int64_t wait_ms;
    } rows[] = {
        {"refused data", STATUS_CORRUPT, REFUSAL_RETRY_MS},
        {"a missing key", STATUS_NOT_FOUND, 0},
        {"no Redis", STATUS_UNAVAILABLE, 0},
        {"no memory", STATUS_NO_MEMORY, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct refusal refusal = {.generation = 0};
        assert_true(refusal_allows(&refusal, 7, NOW_MS));
        assert_true(refusal_note(&refusal, 7, rows[i].reason, NOW_MS));
        if (rows[i].wait_ms > 0 && refusal_allows(&refusal, 7, NOW_MS + rows[i].wait_ms - 1))
            fail_msg("%s: is tried too early", rows[i].name);
        if (!refusal_allows(&refusal, 7, NOW_MS + rows[i].wait_ms))
            fail_msg("%s: is not tried after %d ms", rows[i].name, (int)rows[i].wait_ms);
        if (!refusal_allows(&refusal, 8, NOW_MS))
            fail_msg("%s: another generation is not tried", rows[i].name);
    }
}

/* Once for each generation in a row; the wait begins anew each time. */
static void test_what_is_new(void **state)
{
    struct refusal refusal = {.generation = 0};
    (void)state;
    assert_true(refusal_note(&refusal, 7, STATUS_NOT_FOUND, NOW_MS));
    assert_false(refusal_note(&refusal, 7, STATUS_CORRUPT, NOW_MS + 500)); /* whatever the reason */
    assert_false(refusal_allows(&refusal, 7, NOW_MS + REFUSAL_RETRY_MS));
    assert_true(refusal_allows(&refusal, 7, NOW_MS + 500 + REFUSAL_RETRY_MS));
    assert_true(refusal_note(&refusal, 8, STATUS_CORRUPT, NOW_MS));
    assert_true(refusal_allows(&refusal, 7, NOW_MS));
    assert_true(refusal_note(&refusal, 7, STATUS_CORRUPT, NOW_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_to_try_again),
        cmocka_unit_test(test_what_is_new),
    };
    return cmocka_run_group_tests_name("api_refusal", tests, NULL, NULL);
}
