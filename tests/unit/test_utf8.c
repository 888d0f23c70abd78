/* tests/unit/test_utf8.c - well-formed and ill-formed sequences (Unicode 15, tables 3-7 and 3-8), and how many
 * replacements each ill-formed one becomes. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/utf8.h"
#include "tests/unit/support.h"

#define R "\xEF\xBF\xBD" /* U+FFFD */

struct utf8_row {
    const char *name;
    struct bytes text, clean;
    uint64_t replaced; /* 0: valid */
};

static const struct utf8_row ROWS[] = {
    {"empty", RAW(""), RAW(""), 0},
    {"ASCII", RAW("abc\x7F"), RAW("abc\x7F"), 0},
    {"NUL and controls", RAW("\x00\x01\n"), RAW("\x00\x01\n"), 0},
    {"two bytes", RAW("\xC2\x80\xDF\xBF"), RAW("\xC2\x80\xDF\xBF"), 0},
    {"three bytes", RAW("\xE0\xA0\x80\xEF\xBF\xBF"), RAW("\xE0\xA0\x80\xEF\xBF\xBF"), 0},
    {"around the surrogates", RAW("\xED\x9F\xBF\xEE\x80\x80"), RAW("\xED\x9F\xBF\xEE\x80\x80"), 0},
    {"four bytes", RAW("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), RAW("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), 0},
    {"U+FFFD itself", RAW(R), RAW(R), 0},
    {"lone continuation", RAW("\x80"), RAW(R), 1},
    {"two continuations", RAW("a\x80\xBFz"), RAW("a" R R "z"), 2},
    {"overlong NUL", RAW("\xC0\x80"), RAW(R R), 2},
    {"overlong slash", RAW("\xC0\xAF"), RAW(R R), 2},
    {"overlong of two bytes", RAW("\xC1\xBF"), RAW(R R), 2},
    {"overlong of three bytes", RAW("\xE0\x80\xAF"), RAW(R R R), 3},
    {"the last overlong of three bytes", RAW("\xE0\x9F\xBF"), RAW(R R R), 3},
    {"overlong of four bytes", RAW("\xF0\x80\x80\xAF"), RAW(R R R R), 4},
    {"the last overlong of four bytes", RAW("\xF0\x8F\xBF\xBF"), RAW(R R R R), 4},
    {"high surrogate", RAW("\xED\xA0\x80"), RAW(R R R), 3},
    {"low surrogate", RAW("\xED\xBF\xBF"), RAW(R R R), 3},
    {"a pair of surrogates", RAW("\xED\xA0\xBD\xED\xB8\x80"), RAW(R R R R R R), 6},
    {"U+110000", RAW("\xF4\x90\x80\x80"), RAW(R R R R), 4},
    {"lead F5", RAW("\xF5\x80\x80\x80"), RAW(R R R R), 4},
    {"leads F8, FC, FE, FF", RAW("\xF8\xFC\xFE\xFF"), RAW(R R R R), 4},
    {"two bytes, cut", RAW("\xC3"), RAW(R), 1},
    {"three bytes, cut behind one", RAW("\xE2"), RAW(R), 1},
    {"three bytes, cut behind two", RAW("\xE2\x82"), RAW(R), 1},
    {"four bytes, cut behind one", RAW("\xF0"), RAW(R), 1},
    {"four bytes, cut behind two", RAW("\xF0\x9F"), RAW(R), 1},
    {"four bytes, cut behind three", RAW("\xF0\x9F\x98"), RAW(R), 1},
    {"cut inside a text", RAW("a\xF0\x9F\x98z"), RAW("a" R "z"), 1},
    {"cut before a lead", RAW("\xE2\x82\xC3\xA9"), RAW(R "\xC3\xA9"), 1},
    {"lead before a lead", RAW("\xC3\xC3\xA9"), RAW(R "\xC3\xA9"), 1},
    {"Latin-1", RAW("S\xE3o Jos\xE9"), RAW("S" R "o Jos" R), 2},
    {"Unicode's example: non-shortest forms", RAW("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
     RAW(R R R R R R R R "\x41"), 8},
    {"Unicode's example: surrogates", RAW("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
     RAW(R R R R R R R R "\x41"), 8},
    {"Unicode's example: other ones", RAW("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
     RAW(R R R R R "\x41" R R "\x42"), 7},
    {"Unicode's example: truncated ones", RAW("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), RAW(R R R R "\x41"),
     4},
};

/* The text is in memory of exactly its size, so that a byte read behind it is seen. */
static void test_checked_and_cleaned(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const struct utf8_row *row = &ROWS[i];
        uint64_t replaced = 100;
        struct arena arena;
        char *copy = malloc(row->text.len > 0 ? row->text.len : 1);
        assert_non_null(copy);
        memcpy(copy, row->text.data, row->text.len);
        struct bytes text = {copy, row->text.len};
        arena_init(&arena);
        if (utf8_is_valid(text) != (row->replaced == 0))
            fail_msg("%s: is_valid is %d, expected %d", row->name, utf8_is_valid(text), row->replaced == 0);
        struct bytes clean = utf8_clean(&arena, text, &replaced);
        if (clean.data == NULL || !bytes_equal(clean, row->clean))
            fail_msg("%s: is cleaned to \"%.*s\" (%zu bytes), expected \"%.*s\" (%zu)", row->name,
                     (int)clean.len, clean.data, clean.len, (int)row->clean.len, row->clean.data,
                     row->clean.len);
        if (replaced != 100 + row->replaced)
            fail_msg("%s: %" PRIu64 " replaced, expected %" PRIu64, row->name, replaced - 100, row->replaced);
        assert_ptr_not_equal(clean.data, text.data);
        arena_clear(&arena);
        free(copy);
    }
}

/* Each code point, packed by the definition: valid unless it is a surrogate or above U+10FFFF. */
static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0x800; point < 0x120000; point++) {
        char text[4];
        size_t len = point < 0x10000 ? 3 : 4;
        if (len == 3) {
            text[0] = (char)(0xE0 | point >> 12);
            text[1] = (char)(0x80 | (point >> 6 & 0x3F));
        } else {
            text[0] = (char)(0xF0 | point >> 18);
            text[1] = (char)(0x80 | (point >> 12 & 0x3F));
            text[2] = (char)(0x80 | (point >> 6 & 0x3F));
        }
        text[len - 1] = (char)(0x80 | (point & 0x3F));
        bool expected = point < 0xD800 || (point > 0xDFFF && point <= 0x10FFFF);
        if (utf8_is_valid((struct bytes){text, len}) != expected)
            fail_msg("U+%04X: is_valid is %d, expected %d", point, !expected, expected);
        assert_false(utf8_is_valid((struct bytes){text, len - 1}));
    }
}

static void test_null_stays_null(void **state)
{
    uint64_t replaced = 7;
    struct arena arena;
    (void)state;
    arena_init(&arena);
    assert_null(utf8_clean(&arena, (struct bytes){NULL, 0}, &replaced).data);
    assert_int_equal(replaced, 7);
    assert_true(utf8_is_valid((struct bytes){NULL, 0}));
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checked_and_cleaned),
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_null_stays_null),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
