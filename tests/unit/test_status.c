/* tests/unit/test_status.c - the error object: codes, messages, context in front, and texts that are too long. */
#include <string.h>

#include "common/base/status.h"
#include "tests/unit/support.h"

static void test_set_and_context(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(error_set(&err, STATUS_CORRUPT, "%d of %s", 3, "rows"), STATUS_CORRUPT);
    assert_int_equal(err.code, STATUS_CORRUPT);
    assert_string_equal(err.message, "3 of rows");
    assert_int_equal(error_context(&err, "chunk %d", 7), STATUS_CORRUPT);
    assert_string_equal(err.message, "chunk 7: 3 of rows");
    assert_int_equal(error_context(&err, "%s", "100%s"), STATUS_CORRUPT);
    assert_string_equal(err.message, "100%s: chunk 7: 3 of rows");
    assert_int_equal(error_no_memory(&err), STATUS_NO_MEMORY);
    assert_string_equal(err.message, "out of memory");
}

static void test_long_messages(void **state)
{
    char text[2 * ERROR_MESSAGE_SIZE];
    struct error err;
    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(error_set(&err, STATUS_INVALID, "%s", text), STATUS_INVALID);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
    assert_int_equal(error_context(&err, "front"), STATUS_INVALID);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
    assert_memory_equal(err.message, "front: xxx", 10);
    assert_int_equal(error_context(&err, "%s", text), STATUS_INVALID);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_SIZE - 1);
    /* Half of the room is the context's at most: 255 of it, ": ", 254 of what was there. */
    assert_memory_equal(err.message + 254, "x: front: xxx", 13);
}

static void test_every_length_around_the_limit(void **state)
{
    char text[ERROR_MESSAGE_SIZE];
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t len = ERROR_MESSAGE_SIZE - 8; len < ERROR_MESSAGE_SIZE; len++) {
        struct error err;
        size_t full = len + 3, most = ERROR_MESSAGE_SIZE - 1;
        assert_int_equal(error_set(&err, STATUS_INVALID, "%.*s", (int)len, text), STATUS_INVALID);
        assert_int_equal(error_context(&err, "c"), STATUS_INVALID);
        if (strlen(err.message) != (full < most ? full : most))
            fail_msg("%zu bytes: length is %zu, expected %zu", len, strlen(err.message),
                     full < most ? full : most);
    }
}

static void test_words(void **state)
{
    static const struct {
        enum status code;
        const char *word;
    } rows[] = {
        {STATUS_OK, "ok"},
        {STATUS_INVALID, "invalid"},
        {STATUS_CORRUPT, "corrupt"},
        {STATUS_NOT_FOUND, "not_found"},
        {STATUS_UNAVAILABLE, "unavailable"},
        {STATUS_CONFLICT, "conflict"},
        {STATUS_CANCELLED, "cancelled"},
        {STATUS_NO_MEMORY, "memory"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(status_word(rows[i].code), rows[i].word) != 0)
            fail_msg("%d: is \"%s\", expected \"%s\"", (int)rows[i].code, status_word(rows[i].code),
                     rows[i].word);
    assert_int_equal(STATUS_OK, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_context),
        cmocka_unit_test(test_long_messages),
        cmocka_unit_test(test_every_length_around_the_limit),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
