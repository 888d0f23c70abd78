/* tests/unit/test_decimal.c - exact decimals: what is read, what is refused, shortest texts, rounding and sums. */
#include <inttypes.h>

#include "common/base/decimal.h"
#include "tests/unit/support.h"

static struct decimal parse(const char *text)
{
    struct decimal value = {0, 0};
    if (!decimal_parse(bytes_of(text), &value))
        fail_msg("%s: is refused", text);
    return value;
}

static void test_parse_and_shortest_form(void **state)
{
    static const struct {
        const char *text;
        int64_t unscaled;
        uint8_t scale;
        const char *shortest;
    } rows[] = {
        {"0", 0, 0, "0"},
        {"-0", 0, 0, "0"},
        {"0.000", 0, 0, "0"},
        {"0e300", 0, 0, "0"},
        {"000.0e-300", 0, 0, "0"},
        {"1", 1, 0, "1"},
        {"+1", 1, 0, "1"},
        {"-3", -3, 0, "-3"},
        {"-3.00", -3, 0, "-3"},
        {"0.1", 1, 1, "0.1"},
        {"0.10", 1, 1, "0.1"},
        {"-0.05", -5, 2, "-0.05"},
        {"1500", 1500, 0, "1500"},
        {"1500.00", 1500, 0, "1500"},
        {"1500.000000000000000000000", 1500, 0, "1500"},
        {"000001.5", 15, 1, "1.5"},
        {"100.001", 100001, 3, "100.001"},
        {"1e2", 100, 0, "100"},
        {"1E+2", 100, 0, "100"},
        {"12.5e1", 125, 0, "125"},
        {"12.5e-1", 125, 2, "1.25"},
        {"1200e-2", 12, 0, "12"},
        {"1e17", 100000000000000000, 0, "100000000000000000"},
        {"1e-18", 1, 18, "0.000000000000000001"},
        {"0.000000000000000001", 1, 18, "0.000000000000000001"},
        {"999999999999999999", 999999999999999999, 0, "999999999999999999"},
        {"-999999999999999999", -999999999999999999, 0, "-999999999999999999"},
        {"0.999999999999999999", 999999999999999999, 18, "0.999999999999999999"},
        {"-9999999999.99", -999999999999, 2, "-9999999999.99"},
        {"123456789.987654321", 123456789987654321, 9, "123456789.987654321"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[DECIMAL_TEXT_MAX];
        struct decimal value = parse(rows[i].text);
        check_int(rows[i].text, "unscaled", (int64_t)value.unscaled, rows[i].unscaled);
        check_int(rows[i].text, "scale", value.scale, rows[i].scale);
        size_t len = decimal_format(value, text);
        if (strcmp(text, rows[i].shortest) != 0 || len != strlen(text))
            fail_msg("%s: shortest is \"%s\" (%zu), expected \"%s\"", rows[i].text, text, len,
                     rows[i].shortest);
    }
}

static void test_many_digits(void **state)
{
    static const struct {
        const char *text, *nearest;
        bool is_exact;
    } rows[] = {
        {"333.3333333333333333", "333.3333333333333333", true},
        {"1234567890123456789", "1234567890123456789", true},
        {"9999999999.999999999999999999999999", "9999999999.999999999999999999999999", true},
        {"-0.000000000000000000000001", "-0.000000000000000000000001", true},
        {"1234567890123456789012345678901234", "1234567890123456789012345678901234", true},
        {"1e33", "1000000000000000000000000000000000", true},
        {"1.2345678901234567e-05", "0.000012345678901234567", true},
        {"0.1000000000000000000000000000000000000000000000000", "0.1", true},
        {"100000000000000000000000000000000000e-35", "1", true},
        {"4.9e-25", "0", false},
        {"5e-25", "0.000000000000000000000001", false},
        {"-5e-25", "-0.000000000000000000000001", false},
        {"1e-300", "0", false},
        {"0.3333333333333333333333334999", "0.333333333333333333333333", false},
        {"0.3333333333333333333333335", "0.333333333333333333333334", false},
        {"0.99999999999999999999999999999999999999", "1", false},
        {"9999999999.9999999999999999999999995", "10000000000", false},
        {"1.00000000000000000000000000000000000000000000009", "1", false},
        {"100000000000.00000000000000000000000049", "100000000000", false},
        {"10000000000.0000000000000000000000005", "10000000000", false},
        {"0.00000000000000000000000049999999999999999999999999", "0", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[DECIMAL_TEXT_MAX];
        struct decimal value, exact;
        bool is_exact = !rows[i].is_exact;
        if (!decimal_parse_nearest(bytes_of(rows[i].text), &value, &is_exact))
            fail_msg("%s: is refused", rows[i].text);
        check_int(rows[i].text, "is_exact", is_exact, rows[i].is_exact);
        check_int(rows[i].text, "taken as exact", decimal_parse(bytes_of(rows[i].text), &exact),
                  rows[i].is_exact);
        size_t len = decimal_format(value, text);
        if (strcmp(text, rows[i].nearest) != 0 || len != strlen(text))
            fail_msg("%s: nearest is \"%s\" (%zu), expected \"%s\"", rows[i].text, text, len,
                     rows[i].nearest);
    }
}

static const char *const REFUSED[] = {
    "",
    "-",
    "+",
    ".",
    "-.",
    "e5",
    "1e",
    "1e+",
    "1e-",
    "1e1.5",
    "1.2.3",
    "1,5",
    " 1",
    "1 ",
    "--1",
    "+-1",
    "0x10",
    "1_000",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "R$ 10",
    "12345678901234567890123456789012345",
    "1e34",
    "1e-25",
    "0.0000000000000000000000001",
    "0.1234567890123456789012345",
    "1.0000000000000000000000000000000000000000000001",
    "1e401",
    "0e99999999999999999999",
    "1e-99999999999999999999",
    "1000000000000000000000000000000000.1",
    "99990000000000000000017896139067890.099",
    "100000000000000000000000000000000000000000000000000.5",
    "\xD9\xA1",
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REFUSED); i++) {
        struct decimal value = {77, 7};
        if (decimal_parse(bytes_of(REFUSED[i]), &value))
            fail_msg("\"%s\": is read as %" PRId64 " / 10^%u, expected to be refused", REFUSED[i],
                     (int64_t)value.unscaled, value.scale);
        check_int(REFUSED[i], "untouched unscaled", (int64_t)value.unscaled, 77);
        check_int(REFUSED[i], "untouched scale", value.scale, 7);
    }
    static const char *const too_large[] = {"9999999999999999999999999999999999.9",
                                            "99990000000000000000017896139067890.099",
                                            "100000000000000000000000000000000000000000000000000.5", "1e34"};
    struct decimal value;
    bool is_exact;
    for (size_t i = 0; i < COUNT(too_large); i++)
        if (decimal_parse_nearest(bytes_of(too_large[i]), &value, &is_exact))
            fail_msg("%s: is taken, expected to be refused", too_large[i]);
    assert_false(decimal_parse((struct bytes){NULL, 0}, &value));
    assert_false(decimal_parse((struct bytes){"1\0002", 3}, &value));
    assert_true(decimal_parse((struct bytes){"12345", 2}, &value));
    check_int("the first two bytes", "unscaled", (int64_t)value.unscaled, 12);
}

static void test_rounding_half_away_from_zero(void **state)
{
    static const struct {
        const char *name;
        int64_t numerator, denominator, expected;
    } rows[] = {
        {"0", 0, 7, 0},
        {"0.5", 1, 2, 1},
        {"-0.5", -1, 2, -1},
        {"1.5", 3, 2, 2},
        {"2.5", 5, 2, 3},
        {"-2.5", -5, 2, -3},
        {"0.49", 49, 100, 0},
        {"-0.49", -49, 100, 0},
        {"0.51", 51, 100, 1},
        {"1/3", 1, 3, 0},
        {"2/3", 2, 3, 1},
        {"-2/3", -2, 3, -1},
        {"odd denominator below the half", 3, 7, 0},
        {"odd denominator above the half", 4, 7, 1},
        {"whole", 84, 7, 12},
        {"the largest", INT64_MAX, 1, INT64_MAX},
        {"the smallest", INT64_MIN, 1, INT64_MIN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_int(rows[i].name, "quotient", (int64_t)divide_half_away(rows[i].numerator, rows[i].denominator),
                  rows[i].expected);
}

static void test_to_scaled(void **state)
{
    static const struct {
        const char *text;
        uint8_t scale;
        bool fits;
        int64_t expected;
    } rows[] = {
        {"0.3", 6, true, 300000},
        {"1", 6, true, 1000000},
        {"-1.2", 1, true, -12},
        {"1.25", 1, false, 0},
        {"1.20", 1, true, 12},
        {"5", 0, true, 5},
        {"0.5", 0, false, 0},
        {"1e-18", 18, true, 1},
        {"9", 18, true, 9000000000000000000},
        {"10", 18, false, 0},
        {"-9.5", 18, false, 0},
        {"999999999999999999", 1, false, 0},
        {"92233720368547758", 2, true, 9223372036854775800},
        {"92233720368547759", 2, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t scaled = 77;
        bool fits = decimal_to_scaled(parse(rows[i].text), rows[i].scale, &scaled);
        check_int(rows[i].text, "fits", fits, rows[i].fits);
        if (fits)
            check_int(rows[i].text, "scaled", scaled, rows[i].expected);
    }
}

static void test_predicates(void **state)
{
    static const struct {
        const char *text;
        bool positive, summable;
    } rows[] = {
        {"0", false, true},
        {"0.000000000000000001", true, true},
        {"-0.000000000000000001", false, true},
        {"9999999999.99", true, true},
        {"9999999999.99999999", true, true},
        {"10000000000", true, false},
        {"-9999999999.99", false, true},
        {"-10000000000", false, false},
        {"999999999999999999", true, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decimal value = parse(rows[i].text);
        check_int(rows[i].text, "is_positive", decimal_is_positive(value), rows[i].positive);
        check_int(rows[i].text, "is_summable", decimal_is_summable(value), rows[i].summable);
    }
}

static void test_sums_and_cents(void **state)
{
    static const struct {
        const char *name, *values[4];
        int64_t cents;
        const char *shortest;
    } rows[] = {
        {"nothing", {NULL}, 0, "0"},
        {"binary floating point would say 0.30000000000000004", {"0.1", "0.2"}, 30, "0.3"},
        {"half a cent", {"0.005"}, 1, "0.01"},
        {"negative half a cent", {"-0.005"}, -1, "-0.01"},
        {"below half a cent", {"0.004999999999999999"}, 0, "0"},
        {"two quarters of a cent", {"0.0025", "0.0025"}, 1, "0.01"},
        {"rounded once, at the end", {"0.004", "0.004", "0.004"}, 1, "0.01"},
        {"1.005, which binary holds as 1.00499", {"1.005"}, 101, "1.01"},
        {"-2.675", {"-2.675"}, -268, "-2.68"},
        {"cancels out", {"9999999999.99", "-9999999999.99"}, 0, "0"},
        {"whole", {"1000", "500"}, 150000, "1500"},
        {"negative", {"1.10", "-3.50"}, -240, "-2.4"},
        {"a third three times",
         {"0.333333333333333333333333", "0.333333333333333333333333", "0.333333333333333333333333"},
         100,
         "1"},
        {"whole and parts of other signs, half a cent", {"1", "-0.995"}, 1, "0.01"},
        {"the same below zero", {"-1", "0.995"}, -1, "-0.01"},
        {"just below half a cent", {"1", "-0.995000000000000000000001"}, 0, "0"},
        {"parts that make a whole", {"-0.6", "-0.6", "2"}, 80, "0.8"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decimal_sum sum = {0};
        char text[DECIMAL_TEXT_MAX];
        for (size_t j = 0; j < 4 && rows[i].values[j] != NULL; j++)
            decimal_sum_add(&sum, parse(rows[i].values[j]));
        check_int(rows[i].name, "cents", decimal_sum_cents(sum), rows[i].cents);
        decimal_format(decimal_of_cents(rows[i].cents), text);
        if (strcmp(text, rows[i].shortest) != 0)
            fail_msg("%s: shortest is %s, expected %s", rows[i].name, text, rows[i].shortest);
    }
}

/* As many of the largest values as may be summed. */
static void test_largest_sum(void **state)
{
    struct decimal_sum sum = {0};
    struct decimal largest = parse("9999999999.99999999");
    (void)state;
    for (int i = 0; i < SUMMABLE_MAX; i++)
        decimal_sum_add(&sum, largest);
    /* 5000000 x 9999999999.99999999 = 50000000000000000 - 0.05 */
    check_int("positive", "cents", decimal_sum_cents(sum), INT64_C(4999999999999999995));
    sum = decimal_sum_difference((struct decimal_sum){0}, sum);
    check_int("negative", "cents", decimal_sum_cents(sum), INT64_C(-4999999999999999995));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_shortest_form),
        cmocka_unit_test(test_many_digits),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rounding_half_away_from_zero),
        cmocka_unit_test(test_to_scaled),
        cmocka_unit_test(test_predicates),
        cmocka_unit_test(test_sums_and_cents),
        cmocka_unit_test(test_largest_sum),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
