/* tests/fuzz/fuzz_decimal.c - numbers as databases and JSON write them, from any bytes. What is taken lies as near to
 * what the C library reads as a double can tell, and printed it is read as the same. */
#include <math.h>
#include <string.h>

#include "common/base/decimal.h"
#include "tests/fuzz/fuzz.h"

/* A number that is not exactly a decimal may besides be off by half of its last digit. */
static void check_near(struct bytes text, struct decimal value, bool is_exact)
{
    char copy[512], *end;
    if (text.len >= sizeof copy)
        return;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    long double naive = strtold(copy, &end);
    MUST_HOLD(*end == '\0' && end == copy + text.len);
    long double exact = (long double)value.unscaled / powl(10.0L, value.scale);
    MUST_HOLD(fabsl(naive - exact) <= fabsl(naive) * 1e-17L + (is_exact ? 0 : 0.51e-24L));
}

static void check_printed(struct decimal value)
{
    char shown[DECIMAL_TEXT_MAX];
    struct decimal again;
    size_t len = decimal_format(value, shown);
    MUST_HOLD(len < sizeof shown && shown[len] == '\0' && strspn(shown, "-0123456789.") == len);
    MUST_HOLD(decimal_parse((struct bytes){shown, len}, &again));
    MUST_HOLD(again.unscaled == value.unscaled && again.scale == value.scale);
}

static void check_sum(struct decimal value)
{
    struct decimal_sum sum = {0};
    int64_t cents;
    if (!decimal_is_summable(value))
        return;
    decimal_sum_add(&sum, value);
    if (decimal_to_scaled(value, 2, &cents))
        MUST_HOLD(decimal_sum_cents(sum) == cents);
    check_printed(decimal_of_cents(decimal_sum_cents(sum)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {size > 0 ? (const char *)data : "", size};
    struct decimal value;
    bool is_exact;
    if (!decimal_parse_nearest(text, &value, &is_exact))
        return 0;
    MUST_HOLD(value.scale == 0 || value.unscaled % 10 != 0);
    MUST_HOLD(value.scale <= DECIMAL_SCALE_MAX);
    check_near(text, value, is_exact);
    check_printed(value);
    check_sum(value);
    return 0;
}
