/* common/decimal.h - exact decimal numbers: money, points, weights. No binary floating point anywhere.
 * Pure; any thread. */
#ifndef ECOSYS_COMMON_DECIMAL_H
#define ECOSYS_COMMON_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

#define DECIMAL_SCALE_MAX 18
#define DECIMAL_TEXT_MAX  48 /* any decimal or decimal_sum as text, with its NUL */

__extension__ typedef __int128 int128;

/* unscaled / 10^scale, with no trailing zero behind the point (so equal numbers have equal fields). */
struct decimal {
    int64_t unscaled;
    uint8_t scale; /* 0 to DECIMAL_SCALE_MAX */
};

/* Reads "[-+]digits[.digits][e[-+]digits]" whose value is exactly representable: at most 18 significant digits,
 * at most 18 decimals. False, *out untouched, for anything else ("NaN", "Infinity", a longer number). */
bool decimal_parse(struct bytes text, struct decimal *out);

/* The shortest exact text without exponent: "0.1", "1500", "-3". Returns its length; a NUL follows. */
size_t decimal_format(struct decimal value, char out[DECIMAL_TEXT_MAX]);

bool decimal_is_positive(struct decimal value);

/* value x 10^scale as an integer; false when it is not one or does not fit. */
bool decimal_to_scaled(struct decimal value, uint8_t scale, int64_t *out);

/* numerator / denominator to the nearest integer, halves away from zero; denominator > 0. */
int128 divide_half_away(int128 numerator, int128 denominator);

/* A sum of decimals, in units of 10^-DECIMAL_SCALE_MAX. */
struct decimal_sum {
    int128 units;
};

#define SUMMABLE_MAX 5000000

/* |value| < 10^10, the range of numeric(12,2). What is read from a database is refused above, so that neither the
 * sum of SUMMABLE_MAX values nor its cents can overflow. */
bool decimal_is_summable(struct decimal value);

void decimal_sum_add(struct decimal_sum *sum, struct decimal value);

/* The sum rounded to two decimals, half away from zero, in hundredths. */
int64_t decimal_sum_cents(struct decimal_sum sum);

/* hundredths as a decimal: 150000 is 1500, 10 is 0.1. */
struct decimal decimal_of_cents(int64_t cents);

#endif
