/* common/base/buffer.c - the growing byte buffer. */
#include "common/base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_CAPACITY 256

void buffer_reserve(struct buffer *buffer, size_t extra)
{
    if (buffer->failed || buffer->capacity - buffer->len >= extra)
        return;
    size_t need = buffer->len + extra;
    if (need < extra || need > SIZE_MAX / 2) {
        buffer->failed = true;
        return;
    }
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : BUFFER_FIRST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return;
    }
    buffer->data = data;
    buffer->capacity = capacity;
}

void buffer_append(struct buffer *buffer, const void *data, size_t len)
{
    buffer_reserve(buffer, len);
    if (buffer->failed || len == 0)
        return;
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
    buffer_append(buffer, &c, 1);
}

void buffer_append_uint(struct buffer *buffer, uint64_t value)
{
    char digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buffer_append(buffer, digits + at, sizeof digits - at);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        buffer->failed = true;
    else
        buffer_reserve(buffer, (size_t)len + 1);
    if (!buffer->failed) {
        vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, again);
        buffer->len += (size_t)len;
    }
    va_end(again);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer)BUFFER_INIT;
}
