/* tests/unit/test_envelope.c - the wrapping of a blob: its bytes, its limit, and each way in which it can be wrong. */
#include <stdlib.h>

#include "common/stored/envelope.h"
#include "tests/unit/support.h"

static void wrap(struct buffer *out, enum blob_kind kind, const char *payload, size_t len)
{
    struct error err;
    size_t start = out->len;
    envelope_begin(out);
    buffer_append(out, payload, len);
    assert_int_equal(envelope_end(out, start, kind, &err), STATUS_OK);
}

/* The checksum of nothing is XXH3's well-known one. */
static void test_bytes_of_an_empty_blob(void **state)
{
    static const unsigned char expected[] = {'E', 'C', 'O',  'S',  0,    1,    0,    6,    0,    0,
                                             0,   0,   0x2d, 0x06, 0x80, 0x05, 0x38, 0xd3, 0x94, 0xc2};
    struct buffer blob = BUFFER_INIT;
    struct bytes payload = {NULL, 7};
    struct error err;
    (void)state;
    wrap(&blob, BLOB_WORKER, "", 0);
    assert_int_equal(blob.len, sizeof expected);
    assert_memory_equal(blob.data, expected, sizeof expected);
    assert_int_equal(envelope_open(buffer_bytes(&blob), BLOB_WORKER, &payload, &err), STATUS_OK);
    assert_int_equal(payload.len, 0);
    buffer_clear(&blob);
}

static void test_round_trips(void **state)
{
    static const size_t lens[] = {0, 1, 3, 16, 17, 240, 241, 4096, 65536, ENVELOPE_PAYLOAD_MAX};
    char *text = malloc(ENVELOPE_PAYLOAD_MAX);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < ENVELOPE_PAYLOAD_MAX; i++)
        text[i] = (char)(i * 31 >> 3);
    for (size_t i = 0; i < COUNT(lens); i++) {
        struct buffer blob = BUFFER_INIT;
        struct bytes payload = {NULL, 0};
        struct error err;
        buffer_append_text(&blob, "before");
        wrap(&blob, BLOB_CLIENTS, text, lens[i]);
        struct bytes whole = {blob.data + 6, blob.len - 6};
        if (envelope_open(whole, BLOB_CLIENTS, &payload, &err) != STATUS_OK)
            fail_msg("%zu bytes: %s", lens[i], err.message);
        if (!bytes_equal(payload, (struct bytes){text, lens[i]}))
            fail_msg("%zu bytes: %zu others came back", lens[i], payload.len);
        assert_memory_equal(blob.data, "before", 6);
        buffer_clear(&blob);
    }
    free(text);
}

static void test_too_long(void **state)
{
    struct buffer blob = BUFFER_INIT;
    struct error err;
    (void)state;
    envelope_begin(&blob);
    buffer_reserve(&blob, ENVELOPE_PAYLOAD_MAX + 1);
    while (blob.len < ENVELOPE_LEN_MAX + 1)
        buffer_append_char(&blob, 'x');
    assert_int_equal(envelope_end(&blob, 0, BLOB_MODEL, &err), STATUS_INVALID);
    assert_string_equal(err.message, "a blob of 1048557 bytes, at most 1048556 fit");
    buffer_clear(&blob);
    blob.failed = true;
    assert_int_equal(envelope_end(&blob, 0, BLOB_MODEL, &err), STATUS_NO_MEMORY);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        char byte;
        const char *message;
    } rows[] = {
        {"magic", 0, 'e', "24 bytes that are no blob of ours"},
        {"magic", 3, 's', "24 bytes that are no blob of ours"},
        {"version 0", 5, 0, "schema version 0, this program reads 1"},
        {"version 2", 5, 2, "schema version 2, this program reads 1"},
        {"version 257", 4, 1, "schema version 257, this program reads 1"},
        {"kind", 7, 4, "blob of kind 4 where 3 belongs"},
        {"kind 259", 6, 1, "blob of kind 259 where 3 belongs"},
        {"kind 0", 7, 0, "blob of kind 0 where 3 belongs"},
        {"length 3", 11, 3, "4 bytes of payload, the header says 3"},
        {"length 5", 11, 5, "4 bytes of payload, the header says 5"},
        {"a huge length", 8, '\xFF', "4 bytes of payload, the header says 4278190084"},
        {"checksum", 12, 0, "the checksum does not fit the payload"},
        {"checksum", 19, 0, "the checksum does not fit the payload"},
        {"payload", 20, 'x', "the checksum does not fit the payload"},
        {"payload", 23, 'x', "the checksum does not fit the payload"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer blob = BUFFER_INIT;
        struct bytes payload = {NULL, 7};
        struct error err = {STATUS_OK, ""};
        wrap(&blob, BLOB_CLIENTS, "abcd", 4);
        assert_true(blob.data[rows[i].at] != rows[i].byte);
        blob.data[rows[i].at] = rows[i].byte;
        enum status status = envelope_open(buffer_bytes(&blob), BLOB_CLIENTS, &payload, &err);
        if (status != STATUS_CORRUPT || strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: is %s \"%s\", expected corrupt \"%s\"", rows[i].name, status_word(status),
                     err.message, rows[i].message);
        assert_true(payload.data == NULL && payload.len == 7);
        buffer_clear(&blob);
    }
}

static void test_other_lengths(void **state)
{
    struct buffer blob = BUFFER_INIT;
    struct bytes payload;
    struct error err;
    (void)state;
    wrap(&blob, BLOB_CLIENTS, "abcd", 4);
    for (size_t len = 0; len < blob.len; len++)
        if (envelope_open((struct bytes){blob.data, len}, BLOB_CLIENTS, &payload, &err) != STATUS_CORRUPT)
            fail_msg("the first %zu bytes: are taken, expected to be refused", len);
    buffer_append_char(&blob, '\0');
    assert_int_equal(envelope_open(buffer_bytes(&blob), BLOB_CLIENTS, &payload, &err), STATUS_CORRUPT);
    assert_int_equal(envelope_open((struct bytes){NULL, 0}, BLOB_CLIENTS, &payload, &err), STATUS_CORRUPT);
    buffer_clear(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_of_an_empty_blob),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_other_lengths),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
