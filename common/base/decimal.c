/* common/base/decimal.c - exact decimals in integer arithmetic. */
#include "common/base/decimal.h"

#define EXPONENT_MAX 400
#define POWERS       18 /* of ten in the table */
#define CENTS_DIGITS 2

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

static int128 power_of_ten(int exponent)
{
    return exponent <= POWERS ? POWER_OF_TEN[exponent]
                              : (int128)POWER_OF_TEN[POWERS] * POWER_OF_TEN[exponent - POWERS];
}

/* A number being read: its digits without the point, and where the point was. Digits after the point for which there is
 * no room are dropped, except that the first of them decides the rounding. */
struct reading {
    int128 digits;
    int significant; /* number of digits in `digits` */
    int exponent;    /* value = digits x 10^exponent */
    bool any_digit;
    bool is_cut; /* a digit other than zero was dropped */
    bool rounds_up;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void drop_digit(struct reading *out, char c, bool is_first)
{
    if (is_first)
        out->rounds_up = c >= '5';
    out->is_cut = out->is_cut || c != '0';
}

/* Trailing zeros are held back, so that "1500.000000000000000000" has two significant digits. */
static bool read_mantissa(struct bytes text, size_t *at, struct reading *out)
{
    bool has_point = false, is_full = false;
    int zeros_held = 0;
    for (; *at < text.len; (*at)++) {
        char c = text.data[*at];
        if (c == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        out->any_digit = true;
        bool is_first_dropped = has_point && !is_full && out->significant + zeros_held >= DECIMAL_DIGITS_MAX;
        is_full = is_full || is_first_dropped;
        if (is_full) {
            drop_digit(out, c, is_first_dropped);
            continue;
        }
        out->exponent -= has_point;
        if (c == '0') {
            zeros_held += out->significant > 0;
            continue;
        }
        out->significant += zeros_held + 1;
        if (out->significant > DECIMAL_DIGITS_MAX)
            return false;
        out->digits = out->digits * power_of_ten(zeros_held + 1) + (c - '0');
        zeros_held = 0;
    }
    if (!is_full) {
        out->exponent += zeros_held;
        return out->any_digit;
    }
    out->significant += zeros_held; /* they are before the cut, hence significant */
    if (out->significant > DECIMAL_DIGITS_MAX)
        return false; /* too many before the point */
    out->digits *= power_of_ten(zeros_held);
    return true;
}

static bool read_exponent(struct bytes text, size_t *at, int *exponent)
{
    if (*at == text.len)
        return true;
    if (text.data[*at] != 'e' && text.data[*at] != 'E')
        return false;
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

/* Rounds to DECIMAL_SCALE_MAX decimals. What was dropped earlier cannot change this rounding: it is less than one unit
 * of the last digit kept. */
static void round_to_scale(struct reading *reading)
{
    int surplus = -reading->exponent - DECIMAL_SCALE_MAX;
    if (surplus <= 0) {
        reading->digits += reading->rounds_up;
        return;
    }
    int128 unit = power_of_ten(surplus < 2 * POWERS ? surplus : 2 * POWERS); /* above all digits */
    reading->is_cut = reading->is_cut || reading->digits % unit != 0;
    reading->digits = divide_half_away(reading->digits, unit);
    reading->exponent = -DECIMAL_SCALE_MAX;
}

static bool without_exponent(struct reading *reading)
{
    if (reading->digits == 0)
        reading->exponent = 0;
    while (reading->exponent < 0 && reading->digits % 10 == 0) {
        reading->digits /= 10;
        reading->exponent++;
    }
    if (reading->exponent > 0 && reading->significant + reading->exponent > DECIMAL_DIGITS_MAX)
        return false;
    if (reading->exponent > 0)
        reading->digits *= power_of_ten(reading->exponent);
    reading->exponent = reading->exponent < 0 ? reading->exponent : 0;
    return reading->digits < power_of_ten(DECIMAL_DIGITS_MAX); /* else rounding up added a digit */
}

bool decimal_parse_nearest(struct bytes text, struct decimal *out, bool *is_exact)
{
    struct reading reading = {.digits = 0};
    size_t at = 0;
    bool negative = text.len > 0 && text.data[0] == '-';
    if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        at++;
    if (!read_mantissa(text, &at, &reading) || !read_exponent(text, &at, &reading.exponent) || at != text.len)
        return false;
    round_to_scale(&reading);
    if (!without_exponent(&reading))
        return false;
    *out = (struct decimal){negative ? -reading.digits : reading.digits, (uint8_t)-reading.exponent};
    *is_exact = !reading.is_cut;
    return true;
}

bool decimal_parse(struct bytes text, struct decimal *out)
{
    struct decimal nearest;
    bool is_exact;
    if (!decimal_parse_nearest(text, &nearest, &is_exact) || !is_exact)
        return false;
    *out = nearest;
    return true;
}

/* Writes the last `count` digits of a number, with leading zeros if it has fewer. */
static void put_digits(int128 number, int count, char *out)
{
    while (count-- > 0) {
        out[count] = (char)('0' + (int)(number % 10));
        number /= 10;
    }
}

size_t decimal_format(struct decimal value, char out[DECIMAL_TEXT_MAX])
{
    int128 magnitude = value.unscaled < 0 ? -value.unscaled : value.unscaled,
           unit = power_of_ten(value.scale);
    int128 whole = magnitude / unit;
    int digits = 1;
    size_t len = 0;
    while (digits <= DECIMAL_DIGITS_MAX && whole >= power_of_ten(digits))
        digits++;
    if (value.unscaled < 0)
        out[len++] = '-';
    put_digits(whole, digits, out + len);
    len += (size_t)digits;
    if (value.scale > 0) {
        out[len++] = '.';
        put_digits(magnitude % unit, value.scale, out + len);
        len += value.scale;
    }
    out[len] = '\0';
    return len;
}

bool decimal_is_positive(struct decimal value)
{
    return value.unscaled > 0;
}

bool decimal_to_scaled(struct decimal value, uint8_t scale, int64_t *out)
{
    int128 scaled;
    if (value.scale > scale || scale - value.scale > POWERS ||
        __builtin_mul_overflow(value.unscaled, power_of_ten(scale - value.scale), &scaled) ||
        scaled < INT64_MIN || scaled > INT64_MAX)
        return false;
    *out = (int64_t)scaled;
    return true;
}

int128 divide_half_away(int128 numerator, int128 denominator)
{
    int128 magnitude = numerator < 0 ? -numerator : numerator;
    int128 quotient = magnitude / denominator;
    if (magnitude % denominator >= denominator - magnitude % denominator)
        quotient++;
    return numerator < 0 ? -quotient : quotient;
}

bool decimal_is_summable(struct decimal value)
{
    int128 whole = value.unscaled / power_of_ten(value.scale);
    return whole > -power_of_ten(10) && whole < power_of_ten(10);
}

void decimal_sum_add(struct decimal_sum *sum, struct decimal value)
{
    int128 unit = power_of_ten(value.scale);
    sum->whole += (int64_t)(value.unscaled / unit);
    sum->parts += value.unscaled % unit * power_of_ten(DECIMAL_SCALE_MAX - value.scale);
}

struct decimal_sum decimal_sum_difference(struct decimal_sum to, struct decimal_sum from)
{
    return (struct decimal_sum){to.whole - from.whole, to.parts - from.parts};
}

int64_t decimal_sum_cents(struct decimal_sum sum)
{
    int128 one = power_of_ten(DECIMAL_SCALE_MAX);
    int64_t whole = sum.whole + (int64_t)(sum.parts / one);
    int128 parts = sum.parts % one;
    /* Give both the same sign, so that halves are rounded away from zero for the sum as a whole. */
    if (whole > 0 && parts < 0) {
        whole--;
        parts += one;
    } else if (whole < 0 && parts > 0) {
        whole++;
        parts -= one;
    }
    return whole * POWER_OF_TEN[CENTS_DIGITS] +
           (int64_t)divide_half_away(parts, power_of_ten(DECIMAL_SCALE_MAX - CENTS_DIGITS));
}

struct decimal decimal_of_cents(int64_t cents)
{
    struct decimal value = {cents, CENTS_DIGITS};
    while (value.scale > 0 && value.unscaled % 10 == 0) {
        value.unscaled /= 10;
        value.scale--;
    }
    return value;
}
