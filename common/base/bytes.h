/* common/base/bytes.h - a borrowed run of bytes: text is passed with its length, never with a terminator. `data` NULL
 * is "no value" (SQL's NULL), which is different from empty text. Any thread. */
#ifndef ECOSYS_COMMON_BASE_BYTES_H
#define ECOSYS_COMMON_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes {
    const char *data; /* not owned */
    size_t len;
};

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){text, text == NULL ? 0 : strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_is(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of(text));
}

/* Like bytes_is, but ignores the case of ASCII letters. */
static inline bool bytes_is_in_any_case(struct bytes a, const char *text)
{
    return a.len == strlen(text) && (a.len == 0 || strncasecmp(a.data, text, a.len) == 0);
}

/* Parses a number of decimal digits only, at most `most`. Returns false and leaves *out untouched if the text is
 * anything else or the number is larger. */
__attribute__((warn_unused_result)) static inline bool bytes_parse_uint(struct bytes text, uint64_t most,
                                                                        uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    if (text.len == 0 || value > most)
        return false;
    *out = value;
    return true;
}

/* 0 to 15, or -1 if `c` is not a hexadecimal digit. */
static inline int bytes_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
