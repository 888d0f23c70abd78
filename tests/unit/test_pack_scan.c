/* tests/unit/test_pack_scan.c - ends of MessagePack values, and headers that claim more than there is. */
#include <stdlib.h>

#include "common/stored/pack_scan.h"
#include "tests/unit/support.h"

struct scan_row {
    const char *name;
    struct bytes value;
};

static const struct scan_row WHOLE[] = {
    {"0", RAW("\x00")},
    {"127", RAW("\x7F")},
    {"-1", RAW("\xFF")},
    {"-32", RAW("\xE0")},
    {"nil", RAW("\xC0")},
    {"false", RAW("\xC2")},
    {"true", RAW("\xC3")},
    {"u8", RAW("\xCC\xFF")},
    {"u16", RAW("\xCD\xFF\xFF")},
    {"u32", RAW("\xCE\xFF\xFF\xFF\xFF")},
    {"u64", RAW("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
    {"i8", RAW("\xD0\x80")},
    {"i16", RAW("\xD1\x80\x00")},
    {"i32", RAW("\xD2\x80\x00\x00\x00")},
    {"i64", RAW("\xD3\x80\x00\x00\x00\x00\x00\x00\x00")},
    {"float", RAW("\xCA\x00\x00\x00\x00")},
    {"double", RAW("\xCB\x00\x00\x00\x00\x00\x00\x00\x00")},
    {"empty text", RAW("\xA0")},
    {"short text", RAW("\xA3"
                       "abc")},
    {"text of 31", RAW("\xBF"
                       "1234567890123456789012345678901")},
    {"text with a length of one byte", RAW("\xD9\x02"
                                           "ab")},
    {"text with a length of two bytes", RAW("\xDA\x00\x02"
                                            "ab")},
    {"text with a length of four bytes", RAW("\xDB\x00\x00\x00\x02"
                                             "ab")},
    {"bin with a length of one byte", RAW("\xC4\x02\x00\xFF")},
    {"bin with a length of two bytes", RAW("\xC5\x00\x01\xFF")},
    {"bin with a length of four bytes", RAW("\xC6\x00\x00\x00\x01\xFF")},
    {"empty array", RAW("\x90")},
    {"array", RAW("\x93\x01\xA1x\xC0")},
    {"array with a count of two bytes", RAW("\xDC\x00\x02\x01\x02")},
    {"array with a count of four bytes", RAW("\xDD\x00\x00\x00\x02\x01\x02")},
    {"empty map", RAW("\x80")},
    {"map", RAW("\x82\x01\x02\x03\x91\x04")},
    {"map with a count of two bytes", RAW("\xDE\x00\x01\x01\x02")},
    {"map with a count of four bytes", RAW("\xDF\x00\x00\x00\x01\x01\x02")},
    {"arrays beside each other", RAW("\x92\x91\x91\x01\x92\x02\x90")},
    {"four deep", RAW("\x91\x91\x91\x91\x01")},
    {"four deep, and an empty one inside", RAW("\x91\x91\x91\x91\x90")},
    {"four deep twice", RAW("\x92\x91\x91\x91\x01\x91\x91\x91\x01")},
};

static enum status scan(struct bytes value, size_t *offset)
{
    struct error err = {STATUS_OK, ""};
    return pack_scan(value, offset, &err);
}

/* In memory of exactly its size, so that a byte read behind it is seen. */
static enum status scan_copy(struct bytes value, size_t len, size_t *offset)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, value.data, len);
    enum status status = scan((struct bytes){copy, len}, offset);
    free(copy);
    return status;
}

static void test_whole_values_and_cut_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(WHOLE); i++) {
        const struct scan_row *row = &WHOLE[i];
        size_t offset = 0;
        enum status status = scan_copy(row->value, row->value.len, &offset);
        if (status != STATUS_OK || offset != row->value.len)
            fail_msg("%s: is %s at %zu, expected ok at %zu", row->name, status_word(status), offset,
                     row->value.len);
        for (size_t len = 0; len < row->value.len; len++) {
            offset = 0;
            status = scan_copy(row->value, len, &offset);
            if (status != STATUS_CORRUPT || offset != 0)
                fail_msg("%s cut to %zu: is %s at %zu, expected corrupt at 0", row->name, len,
                         status_word(status), offset);
        }
    }
}

static void test_values_one_behind_the_other(void **state)
{
    const struct bytes values = {"\x92\x01\x02\xA1x\xC0", 6};
    static const size_t ends[] = {3, 5, 6};
    size_t offset = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        assert_int_equal(scan(values, &offset), STATUS_OK);
        if (offset != ends[i])
            fail_msg("value %zu: ends at %zu, expected %zu", i, offset, ends[i]);
    }
    assert_int_equal(scan(values, &offset), STATUS_CORRUPT);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        struct bytes value;
        const char *message;
    } rows[] = {
        {"nothing", RAW(""), "MessagePack ends early, at byte 0"},
        {"an item missing", RAW("\x92\xA1x"), "MessagePack ends early, at byte 3"},
        {"huge array", RAW("\xDD\x0F\xFF\xFF\xFF"), "MessagePack at byte 0 claims more than there is"},
        {"hugest array", RAW("\xDD\xFF\xFF\xFF\xFF\x00"), "MessagePack at byte 0 claims more than there is"},
        {"hugest map", RAW("\xDF\xFF\xFF\xFF\xFF\x00"), "MessagePack at byte 0 claims more than there is"},
        {"map whose items would wrap around 32 bits", RAW("\xDF\x80\x00\x00\x00\x00"),
         "MessagePack at byte 0 claims more than there is"},
        {"hugest text", RAW("\xDB\xFF\xFF\xFF\xFF"), "MessagePack at byte 0 claims more than there is"},
        {"hugest bin", RAW("\xC6\xFF\xFF\xFF\xFF"), "MessagePack at byte 0 claims more than there is"},
        {"huge array inside", RAW("\x92\x01\xDD\x0F\xFF\xFF\xFF"),
         "MessagePack at byte 2 claims more than there is"},
        {"array of as many as bytes are left, and one", RAW("\xDC\x00\x03\x01\x02"),
         "MessagePack at byte 0 claims more than there is"},
        {"five deep", RAW("\x91\x91\x91\x91\x91\x01"), "MessagePack at byte 5 is nested too deeply"},
        {"five deep with maps", RAW("\x81\x01\x81\x01\x81\x01\x81\x01\x81\x01\x01"),
         "MessagePack at byte 9 is nested too deeply"},
        {"reserved", RAW("\xC1"), "MessagePack type 0xc1 at byte 0 is not used here"},
        {"extension of one byte", RAW("\xD4\x01\x02"), "MessagePack type 0xd4 at byte 0 is not used here"},
        {"extension of 16 bytes", RAW("\xD8"), "MessagePack type 0xd8 at byte 0 is not used here"},
        {"extension with a length", RAW("\xC7\x01\x01\x01"),
         "MessagePack type 0xc7 at byte 0 is not used here"},
        {"extension with a long length", RAW("\xC9\x00\x00\x00\x00\x01"),
         "MessagePack type 0xc9 at byte 0 is not used here"},
        {"extension inside", RAW("\x91\xD5\x01\x02\x03"), "MessagePack type 0xd5 at byte 1 is not used here"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t offset = 0;
        struct error err = {STATUS_OK, ""};
        enum status status = pack_scan(rows[i].value, &offset, &err);
        if (status != STATUS_CORRUPT || strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: is %s \"%s\", expected corrupt \"%s\"", rows[i].name, status_word(status),
                     err.message, rows[i].message);
        if (offset != 0)
            fail_msg("%s: offset is %zu, expected 0", rows[i].name, offset);
    }
}

static void test_any_two_bytes_in_front(void **state)
{
    char bytes[64] = {0};
    (void)state;
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            size_t offset = 0;
            bytes[0] = (char)first;
            bytes[1] = (char)second;
            enum status status = scan((struct bytes){bytes, sizeof bytes}, &offset);
            bool is_fine = status == STATUS_OK ? offset > 0 && offset <= sizeof bytes : offset == 0;
            if (!is_fine || (status != STATUS_OK && status != STATUS_CORRUPT))
                fail_msg("%02x %02x: is %s at %zu, expected an end within 64 or corrupt", first, second,
                         status_word(status), offset);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_values_and_cut_ones),
        cmocka_unit_test(test_values_one_behind_the_other),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_any_two_bytes_in_front),
    };
    return cmocka_run_group_tests_name("pack_scan", tests, NULL, NULL);
}
