/* common/base/buffer.h - a growing byte buffer for everything that is rendered or packed. The owner calls buffer_clear.
 * A failed allocation leaves the buffer "failed": later appends do nothing and buffer_is_failed returns true, so a
 * renderer checks only once, at its end. One thread at a time. */
#ifndef ECOSYS_COMMON_BASE_BUFFER_H
#define ECOSYS_COMMON_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

struct buffer {
    char *data; /* owned */
    size_t len;
    size_t capacity;
    bool failed;
};

#define BUFFER_INIT                                                                                          \
    {                                                                                                        \
        NULL, 0, 0, false                                                                                    \
    }

void buffer_append(struct buffer *buffer, const void *data, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In decimal digits. */
void buffer_append_uint(struct buffer *buffer, uint64_t value);

/* Makes room for `extra` more bytes, so that appending them does not allocate. */
void buffer_reserve(struct buffer *buffer, size_t extra);

/* Empties the buffer and keeps its memory; a failed buffer stays failed. */
void buffer_reset(struct buffer *buffer);

/* Frees the memory and leaves an empty buffer that can be used again. */
void buffer_clear(struct buffer *buffer);

static inline bool buffer_is_failed(const struct buffer *buffer)
{
    return buffer->failed;
}

/* The contents so far; valid until the next append. */
static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->data, buffer->len};
}

#endif
