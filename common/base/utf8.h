/* common/base/utf8.h - the only place where external text becomes clean UTF-8. Pure; any thread. */
#ifndef ECOSYS_COMMON_BASE_UTF8_H
#define ECOSYS_COMMON_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"

/* True when every byte belongs to a well-formed sequence (Unicode 15, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF). NUL and control characters are well-formed. */
bool utf8_is_valid(struct bytes text);

/* A copy of `text` in the arena in which each ill-formed sequence is replaced by U+FFFD, one for each maximal subpart
 * (Unicode 15, 3.9, "U+FFFD Substitution of Maximal Subparts"); *replaced grows by their number. If `text.data` is
 * NULL, so is the result's; otherwise that is NULL only when out of memory. */
struct bytes utf8_clean(struct arena *arena, struct bytes text, uint64_t *replaced);

/* The longest prefix of well-formed text that fits `len_max` bytes without splitting a character. */
struct bytes utf8_cut(struct bytes text, size_t len_max);

#endif
