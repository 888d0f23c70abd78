/* common/bytes.h - a borrowed run of bytes: text travels with its length, never with a terminator.
 * `data` NULL is "no value" (SQL's NULL), which is not the empty text. Any thread. */
#ifndef ECOSYS_COMMON_BYTES_H
#define ECOSYS_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
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

/* As bytes_is, but ASCII letters are equal in either case. */
static inline bool bytes_is_in_any_case(struct bytes a, const char *text)
{
    return a.len == strlen(text) && (a.len == 0 || strncasecmp(a.data, text, a.len) == 0);
}

#endif
