/* tests/unit/test_worker_value.c - values of database rows: what is kept, what becomes NULL or is repaired, and that it
 * is counted. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support.h"
#include "worker/sources/value.h"

/* A reader with an arena and counters of its own. */
struct bench {
    struct arena arena;
    struct replacements replaced;
    struct value_reader reader;
};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){.reader = {.arena = &bench->arena, .replaced = &bench->replaced}};
    arena_init(&bench->arena);
}

/* Counters since bench_init; memory must have sufficed. */
static void check_replaced(const char *name, struct bench *bench, uint64_t texts, uint64_t values)
{
    check_int(name, "replaced texts", (int64_t)bench->replaced.texts, (int64_t)texts);
    check_int(name, "replaced values", (int64_t)bench->replaced.values, (int64_t)values);
    check_int(name, "out_of_memory", bench->reader.out_of_memory, false);
    arena_clear(&bench->arena);
}

static void test_texts(void **state)
{
    static const struct {
        const char *name;
        struct bytes text, expected;
        uint64_t texts;
    } rows[] = {
        {"NULL", {NULL, 0}, {NULL, 0}, 0},
        {"empty", RAW(""), RAW(""), 0},
        {"plain", RAW("Loja 1"), RAW("Loja 1"), 0},
        {"blanks stay", RAW("  a  "), RAW("  a  "), 0},
        {"UTF-8", RAW("\xC3\xA7\xF0\x9F\x98\x80"), RAW("\xC3\xA7\xF0\x9F\x98\x80"), 0},
        {"NUL and controls", RAW("a\0b\x01\n"), RAW("a\0b\x01\n"), 0},
        {"Latin-1", RAW("A\xE7\xE3o"), RAW("A\xEF\xBF\xBD\xEF\xBF\xBDo"), 2},
        {"cut character", RAW("a\xF0\x9F\x98"), RAW("a\xEF\xBF\xBD"), 1},
        {"surrogate", RAW("\xED\xA0\x80"), RAW("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"), 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench bench;
        bench_init(&bench);
        check_bytes(rows[i].name, "value", value_text(&bench.reader, rows[i].text), rows[i].expected);
        check_replaced(rows[i].name, &bench, rows[i].texts, 0);
    }
}

/* A text of `len` bytes that repeats `unit`, in memory of its own. */
static char *repeat(const char *unit, size_t len)
{
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = unit[i % strlen(unit)];
    return text;
}

static void test_long_texts_are_cut_at_a_character(void **state)
{
    static const struct {
        const char *name, *unit;
        size_t len, expected_len;
        uint64_t values;
    } rows[] = {
        {"the longest", "x", VALUE_TEXT_MAX, VALUE_TEXT_MAX, 0},
        {"a byte more", "x", VALUE_TEXT_MAX + 1, VALUE_TEXT_MAX, 1},
        {"much more", "x", 10 * VALUE_TEXT_MAX, VALUE_TEXT_MAX, 1},
        {"two bytes each, 115,000 is even", "\xC3\xA7", VALUE_TEXT_MAX + 2, VALUE_TEXT_MAX, 1},
        {"three bytes each, 115,000 is 1 more than a multiple", "\xE2\x82\xAC", VALUE_TEXT_MAX + 2,
         VALUE_TEXT_MAX - 1, 1},
        {"seven bytes each, 115,000 is 4 more than a multiple", "abc\xF0\x9F\x98\x80", VALUE_TEXT_MAX + 3,
         VALUE_TEXT_MAX - 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = repeat(rows[i].unit, rows[i].len);
        struct bench bench;
        bench_init(&bench);
        struct bytes found = value_text(&bench.reader, (struct bytes){text, rows[i].len});
        check_bytes(rows[i].name, "value", found, (struct bytes){text, rows[i].expected_len});
        check_replaced(rows[i].name, &bench, 0, rows[i].values);
        free(text);
    }
}

/* Each byte becomes three; the cut comes behind that, so that nine texts fit a chunk whatever they hold. */
static void test_long_texts_are_cut_behind_cleaning(void **state)
{
    char *text = repeat("\xFF", VALUE_TEXT_MAX);
    char *expected = repeat("\xEF\xBF\xBD", VALUE_TEXT_MAX - 1);
    struct bench bench;
    (void)state;
    bench_init(&bench);
    struct bytes found = value_text(&bench.reader, (struct bytes){text, VALUE_TEXT_MAX});
    check_bytes("ill-formed", "value", found, (struct bytes){expected, VALUE_TEXT_MAX - 1});
    check_replaced("ill-formed", &bench, VALUE_TEXT_MAX, 1);
    free(expected);
    free(text);
}

static void test_decimals(void **state)
{
    static const struct {
        const char *name, *text;
        bool is_there;
        struct decimal expected;
        uint64_t values;
    } rows[] = {
        {"NULL", NULL, false, {0, 0}, 0},
        {"zero", "0.00", true, {0, 0}, 0},
        {"a price", "1500.10", true, {15001, 1}, 0},
        {"negative", "-3.50", true, {-35, 1}, 0},
        {"the most", "9999999999.99", true, {999999999999, 2}, 0},
        {"ten billion", "10000000000", false, {0, 0}, 1},
        {"minus ten billion", "-10000000000", false, {0, 0}, 1},
        {"floating", "1.5e3", true, {1500, 0}, 0},
        {"a quotient", "300.0416666666666667", true, {INT64_C(3000416666666666667), 16}, 0},
        {"too precise", "0.0000000000000000000000015", true, {2, 24}, 1},
        {"too precise, of ten billion", "9999999999.9999999999999999999999995", false, {0, 0}, 1},
        {"NaN", "NaN", false, {0, 0}, 1},
        {"Infinity", "Infinity", false, {0, 0}, 1},
        {"minus Infinity", "-Infinity", false, {0, 0}, 1},
        {"empty", "", false, {0, 0}, 1},
        {"a word", "abc", false, {0, 0}, 1},
        {"a comma", "1,5", false, {0, 0}, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decimal found = {4711, 0};
        struct bench bench;
        bench_init(&bench);
        bool is_there = value_decimal(&bench.reader, bytes_of(rows[i].text), &found);
        check_int(rows[i].name, "is there", is_there, rows[i].is_there);
        check_int(rows[i].name, "unscaled", (int64_t)found.unscaled,
                  is_there ? (int64_t)rows[i].expected.unscaled : 4711);
        check_int(rows[i].name, "scale", found.scale, is_there ? rows[i].expected.scale : 0);
        check_replaced(rows[i].name, &bench, 0, rows[i].values);
    }
}

static void test_timestamps(void **state)
{
    static const struct {
        const char *name, *text;
        enum timestamp_kind kind;
        int64_t wall_us;
        int32_t offset_s;
        uint64_t values;
    } rows[] = {
        {"NULL", NULL, TIMESTAMP_NONE, 0, 0, 0},
        {"a day", "1970-01-02", TIMESTAMP_DATE, US_PER_DAY, 0, 0},
        {"a time", "1970-01-01 00:00:01.5", TIMESTAMP_TIME, 1500000, 0, 0},
        {"with an offset", "1970-01-01 00:00:00-03", TIMESTAMP_TIME, 0, -10800, 0},
        {"infinity", "infinity", TIMESTAMP_NONE, 0, 0, 1},
        {"zero date", "0000-00-00 00:00:00", TIMESTAMP_NONE, 0, 0, 1},
        {"zero day", "2024-01-00", TIMESTAMP_NONE, 0, 0, 1},
        {"no leap year", "2023-02-29", TIMESTAMP_NONE, 0, 0, 1},
        {"before Christ", "0044-03-15 BC", TIMESTAMP_NONE, 0, 0, 1},
        {"the year 10000", "10000-01-01", TIMESTAMP_NONE, 0, 0, 1},
        {"empty", "", TIMESTAMP_NONE, 0, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int32_t offset_s = 4711;
        struct bench bench;
        bench_init(&bench);
        struct timestamp found = value_timestamp(&bench.reader, bytes_of(rows[i].text), &offset_s);
        check_int(rows[i].name, "kind", found.kind, rows[i].kind);
        check_int(rows[i].name, "wall_us", found.wall_us, rows[i].wall_us);
        check_int(rows[i].name, "offset_s", offset_s, rows[i].offset_s);
        check_replaced(rows[i].name, &bench, 0, rows[i].values);
    }
}

static void test_cnpjs(void **state)
{
    static const struct {
        const char *name, *text;
        const char *key; /* NULL: none */
        enum cnpj_form form;
        const char *shown;
        uint64_t texts;
    } rows[] = {
        {"NULL", NULL, NULL, CNPJ_NULL, NULL, 0},
        {"empty", "", NULL, CNPJ_NULL, NULL, 0},
        {"zero", "0", NULL, CNPJ_NULL, NULL, 0},
        {"with its signs", "11.222.333/0001-81", "11222333000181", CNPJ_NUMBER, "11222333000181", 0},
        {"without its zeros", "191", "00000000000191", CNPJ_NUMBER, "191", 0},
        {"with letters", "12.abc.345/01de-35", "12ABC34501DE35", CNPJ_TEXT, "12ABC34501DE35", 0},
        {"no CNPJ", "--", NULL, CNPJ_TEXT, "--", 0},
        {"not UTF-8", "191\xE7", "00000000000191", CNPJ_NUMBER, "191", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cnpj_key key;
        bool has_key = rows[i].key == NULL;
        struct bench bench;
        bench_init(&bench);
        struct cnpj_shown found = value_cnpj(&bench.reader, bytes_of(rows[i].text), &key, &has_key);
        check_int(rows[i].name, "has_key", has_key, rows[i].key != NULL);
        if (has_key)
            check_bytes(rows[i].name, "value", (struct bytes){key.text, sizeof key.text},
                        bytes_of(rows[i].key));
        check_int(rows[i].name, "form", found.form, rows[i].form);
        check_bytes(rows[i].name, "value", found.text, bytes_of(rows[i].shown));
        check_replaced(rows[i].name, &bench, rows[i].texts, 0);
    }
}

static void test_whole_numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_uint, is_int;
        uint64_t magnitude; /* of the number, without its sign */
    } rows[] = {
        {NULL, false, false, 0},
        {"", false, false, 0},
        {"0", true, true, 0},
        {"007", true, true, 7},
        {"-0", false, true, 0},
        {"-1", false, true, 1},
        {"9223372036854775807", true, true, INT64_MAX},
        {"9223372036854775808", true, false, UINT64_C(9223372036854775808)},
        {"-9223372036854775808", false, true, UINT64_C(9223372036854775808)},
        {"-9223372036854775809", false, false, 0},
        {"18446744073709551615", true, false, UINT64_MAX},
        {"18446744073709551616", false, false, 0},
        {"99999999999999999999999", false, false, 0},
        {"-", false, false, 0},
        {"--1", false, false, 0},
        {"+1", false, false, 0},
        {" 1", false, false, 0},
        {"1 ", true, true, 1},
        {"-12  ", false, true, 12},
        {" ", false, false, 0},
        {"1\t", false, false, 0},
        {"1.0", false, false, 0},
        {"1e3", false, false, 0},
        {"0x1", false, false, 0},
        {"\xD9\xA1", false, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = rows[i].text != NULL ? rows[i].text : "NULL";
        uint64_t natural = 4711;
        int64_t whole = 4711, expected = (int64_t)rows[i].magnitude;
        check_int(name, "is uint", value_parse_uint(bytes_of(rows[i].text), &natural), rows[i].is_uint);
        check_int(name, "uint", (int64_t)natural, rows[i].is_uint ? (int64_t)rows[i].magnitude : 4711);
        check_int(name, "is int", value_parse_int(bytes_of(rows[i].text), &whole), rows[i].is_int);
        if (rows[i].is_int && name[0] == '-')
            expected = (int64_t)(0 - rows[i].magnitude);
        check_int(name, "int", whole, rows[i].is_int ? expected : 4711);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_long_texts_are_cut_at_a_character),
        cmocka_unit_test(test_long_texts_are_cut_behind_cleaning),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_cnpjs),
        cmocka_unit_test(test_whole_numbers),
    };
    return cmocka_run_group_tests_name("worker_value", tests, NULL, NULL);
}
