/* common/base/decimal.h - exact decimal numbers: money, points, weights. No binary floating point anywhere.
 * Pure; any thread. */
#ifndef ECOSYS_COMMON_BASE_DECIMAL_H
#define ECOSYS_COMMON_BASE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/status.h"

#define DECIMAL_SCALE_MAX  24
#define DECIMAL_DIGITS_MAX 34 /* significant digits: ten before the point and all after it */
#define DECIMAL_TEXT_MAX   48 /* any decimal as text, including its NUL */

__extension__ typedef __int128 int128;

/* unscaled / 10^scale, without trailing zeros after the point (so equal numbers have equal fields). */
struct decimal {
    int128 unscaled; /* at most DECIMAL_DIGITS_MAX digits */
    uint8_t scale;   /* 0 to DECIMAL_SCALE_MAX */
};

/* Reads "[-+]digits[.digits][e[-+]digits]" as the nearest decimal, rounding half away from zero; *is_exact tells
 * whether that is the number itself. Returns false and leaves the others untouched for anything else ("NaN",
 * "Infinity") and for numbers with more than DECIMAL_DIGITS_MAX digits before the point. */
MUST_CHECK bool decimal_parse_nearest(struct bytes text, struct decimal *out, bool *is_exact);

/* The same, but false also for a number that cannot be represented exactly. */
MUST_CHECK bool decimal_parse(struct bytes text, struct decimal *out);

/* The shortest exact text without an exponent: "0.1", "1500", "-3". Returns its length; a NUL follows. */
size_t decimal_format(struct decimal value, char out[DECIMAL_TEXT_MAX]);

bool decimal_is_positive(struct decimal value);

/* value x 10^scale as an integer; false, with *out untouched, if it is not an integer or does not fit. */
MUST_CHECK bool decimal_to_scaled(struct decimal value, uint8_t scale, int64_t *out);

/* numerator / denominator rounded to the nearest integer, half away from zero; denominator > 0. */
int128 divide_half_away(int128 numerator, int128 denominator);

/* An exact sum of decimals: their integer parts, and their fractional parts in units of 10^-DECIMAL_SCALE_MAX. */
struct decimal_sum {
    int64_t whole;
    int128 parts;
};

#define SUMMABLE_MAX 5000000

/* |value| < 10^10, the range of numeric(12,2). Larger values from a database are rejected, so that neither the sum of
 * SUMMABLE_MAX values nor its cents can overflow: 5 x 10^6 x 10^10 x 100 < 2^63, 5 x 10^6 x 10^24 < 2^127. */
bool decimal_is_summable(struct decimal value);

void decimal_sum_add(struct decimal_sum *sum, struct decimal value);

/* to - from: what was added since the sum was `from`. */
struct decimal_sum decimal_sum_difference(struct decimal_sum to, struct decimal_sum from);

/* The sum rounded to two decimals, half away from zero, in hundredths. */
int64_t decimal_sum_cents(struct decimal_sum sum);

/* Hundredths as a decimal: 150000 is 1500, 10 is 0.1. */
struct decimal decimal_of_cents(int64_t cents);

#endif
