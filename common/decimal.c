/* common/decimal.c - exact decimals in integer arithmetic. */
#include "common/decimal.h"

#include <inttypes.h>
#include <stdio.h>

#define SIGNIFICANT_DIGITS_MAX 18
#define EXPONENT_MAX           400

static const int64_t POWER_OF_TEN[] = {INT64_C(1),
                                       INT64_C(10),
                                       INT64_C(100),
                                       INT64_C(1000),
                                       INT64_C(10000),
                                       INT64_C(100000),
                                       INT64_C(1000000),
                                       INT64_C(10000000),
                                       INT64_C(100000000),
                                       INT64_C(1000000000),
                                       INT64_C(10000000000),
                                       INT64_C(100000000000),
                                       INT64_C(1000000000000),
                                       INT64_C(10000000000000),
                                       INT64_C(100000000000000),
                                       INT64_C(1000000000000000),
                                       INT64_C(10000000000000000),
                                       INT64_C(100000000000000000),
                                       INT64_C(1000000000000000000)};

/* A number as it is read: digits without the point, and where the point was. */
struct reading {
    int64_t digits;
    int significant; /* how many digits `digits` has */
    int exponent;    /* value = digits x 10^exponent */
    bool any_digit;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Trailing zeros are held back, so that "1500.000000000000000000" has two significant digits. */
static bool read_mantissa(struct bytes text, size_t *at, struct reading *out)
{
    bool point = false;
    int zeros_held = 0;
    for (; *at < text.len; (*at)++) {
        char c = text.data[*at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        out->any_digit = true;
        if (point)
            out->exponent--;
        if (c == '0') {
            zeros_held += out->significant > 0;
            continue;
        }
        out->significant += zeros_held + 1;
        if (out->significant > SIGNIFICANT_DIGITS_MAX)
            return false;
        out->digits = out->digits * POWER_OF_TEN[zeros_held] * 10 + (c - '0');
        zeros_held = 0;
    }
    out->exponent += zeros_held;
    return out->any_digit;
}

static bool read_exponent(struct bytes text, size_t *at, int *exponent)
{
    if (*at == text.len || (text.data[*at] != 'e' && text.data[*at] != 'E'))
        return true;
    (*at)++;
    bool negative = *at < text.len && text.data[*at] == '-';
    if (*at < text.len && (text.data[*at] == '-' || text.data[*at] == '+'))
        (*at)++;
    if (*at == text.len)
        return false;
    int value = 0;
    for (; *at < text.len && is_digit(text.data[*at]); (*at)++) {
        value = value * 10 + (text.data[*at] - '0');
        if (value > EXPONENT_MAX)
            return false;
    }
    *exponent += negative ? -value : value;
    return true;
}

bool decimal_parse(struct bytes text, struct decimal *out)
{
    struct reading reading = {0, 0, 0, false};
    size_t at = 0;
    bool negative = text.len > 0 && text.data[0] == '-';
    if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        at++;
    if (!read_mantissa(text, &at, &reading) || !read_exponent(text, &at, &reading.exponent) || at != text.len)
        return false;
    if (reading.digits == 0)
        reading.exponent = 0;
    if (reading.exponent > 0) {
        if (reading.significant + reading.exponent > SIGNIFICANT_DIGITS_MAX)
            return false;
        reading.digits *= POWER_OF_TEN[reading.exponent];
        reading.exponent = 0;
    }
    if (reading.exponent < -DECIMAL_SCALE_MAX)
        return false;
    *out = (struct decimal){negative ? -reading.digits : reading.digits, (uint8_t)-reading.exponent};
    return true;
}

size_t decimal_format(struct decimal value, char out[DECIMAL_TEXT_MAX])
{
    uint64_t magnitude = value.unscaled < 0 ? 0 - (uint64_t)value.unscaled : (uint64_t)value.unscaled;
    uint64_t unit = (uint64_t)POWER_OF_TEN[value.scale];
    const char *sign = value.unscaled < 0 ? "-" : "";
    int len;
    if (value.scale == 0)
        len = snprintf(out, DECIMAL_TEXT_MAX, "%s%" PRIu64, sign, magnitude);
    else
        len = snprintf(out, DECIMAL_TEXT_MAX, "%s%" PRIu64 ".%0*" PRIu64, sign, magnitude / unit, value.scale,
                       magnitude % unit);
    return (size_t)len;
}

bool decimal_is_positive(struct decimal value)
{
    return value.unscaled > 0;
}

bool decimal_to_scaled(struct decimal value, uint8_t scale, int64_t *out)
{
    if (value.scale > scale)
        return false;
    return !__builtin_mul_overflow(value.unscaled, POWER_OF_TEN[scale - value.scale], out);
}

int128 divide_half_away(int128 numerator, int128 denominator)
{
    int128 magnitude = numerator < 0 ? -numerator : numerator;
    int128 quotient = magnitude / denominator;
    if ((magnitude % denominator) * 2 >= denominator)
        quotient++;
    return numerator < 0 ? -quotient : quotient;
}

bool decimal_is_summable(struct decimal value)
{
    int64_t whole = value.unscaled / POWER_OF_TEN[value.scale];
    return whole > -POWER_OF_TEN[10] && whole < POWER_OF_TEN[10];
}

void decimal_sum_add(struct decimal_sum *sum, struct decimal value)
{
    sum->units += (int128)value.unscaled * POWER_OF_TEN[DECIMAL_SCALE_MAX - value.scale];
}

int64_t decimal_sum_cents(struct decimal_sum sum)
{
    return (int64_t)divide_half_away(sum.units, POWER_OF_TEN[DECIMAL_SCALE_MAX - 2]);
}

struct decimal decimal_of_cents(int64_t cents)
{
    struct decimal value = {cents, 2};
    while (value.scale > 0 && value.unscaled % 10 == 0) {
        value.unscaled /= 10;
        value.scale--;
    }
    return value;
}
