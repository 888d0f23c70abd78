/* api/formats/msgpack_writer.c - a map or array begins with the number of its items, which is known only when it is
 * closed: its header is then inserted in front. */
#include "api/formats/msgpack_writer.h"

#include <stdlib.h>

#include "common/stored/pack.h"

#define HEADER_LEN_MAX 5

/* In a map the keys are counted, in an array the values. */
static void count_item(struct writer *writer, enum container container)
{
    struct open_container *innermost =
        writer->pack.depth > 0 ? &writer->pack.open[writer->pack.depth - 1] : NULL;
    if (innermost != NULL && innermost->container == container)
        innermost->count++;
}

static void open_container(struct writer *writer, enum container container)
{
    count_item(writer, CONTAINER_ARRAY);
    if (writer->pack.depth == WRITER_DEPTH_MAX) {
        writer->failed = true;
        return;
    }
    writer->pack.open[writer->pack.depth++] = (struct open_container){container, writer->out->len, 0};
}

/* Moves what was appended from `tail` on in front of what begins at `start`. */
static void move_to_front(struct buffer *out, size_t start, size_t tail)
{
    char header[HEADER_LEN_MAX];
    size_t header_len = out->len - tail;
    memcpy(header, out->data + tail, header_len);
    memmove(out->data + start + header_len, out->data + start, tail - start);
    memcpy(out->data + start, header, header_len);
}

static void close_container(struct writer *writer, enum container container)
{
    struct buffer *out = writer->out;
    size_t tail = out->len;
    if (writer->failed)
        return;
    const struct open_container *closed = &writer->pack.open[--writer->pack.depth];
    if (container == CONTAINER_OBJECT)
        pack_map(out, closed->count);
    else
        pack_array(out, closed->count);
    if (!buffer_is_failed(out))
        move_to_front(out, closed->start, tail);
}

static void put_key(struct writer *writer, struct bytes key)
{
    count_item(writer, CONTAINER_OBJECT);
    pack_text(writer->out, key);
}

/* strtod rounds to nearest for any number of digits; no locale is ever set, so the decimal point is a point. */
static void put_fraction(struct buffer *out, struct decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(value, text);
    pack_double(out, strtod(text, NULL));
}

static void put_decimal(struct buffer *out, struct decimal value)
{
    if (value.scale == 0 && value.unscaled >= INT64_MIN && value.unscaled <= INT64_MAX)
        pack_int(out, (int64_t)value.unscaled);
    else
        put_fraction(out, value);
}

static void put_timestamp(struct buffer *out, struct timestamp timestamp)
{
    char text[TIMESTAMP_TEXT_MAX];
    pack_text(out, (struct bytes){text, timestamp_format(timestamp, text)});
}

/* A CNPJ has 14 digits, but anything may be stored as one: what 64 bits cannot hold stays text. */
static void put_digits(struct buffer *out, struct bytes digits)
{
    uint64_t value;
    if (bytes_parse_uint(digits, UINT64_MAX, &value))
        pack_uint(out, value);
    else
        pack_text(out, digits);
}

static void put_value(struct writer *writer, const struct value *value)
{
    struct buffer *out = writer->out;
    count_item(writer, CONTAINER_ARRAY);
    switch (value->kind) {
    case VALUE_NULL:
        pack_nil(out);
        break;
    case VALUE_BOOL:
        pack_bool(out, value->boolean);
        break;
    case VALUE_UINT:
        pack_uint(out, value->uint);
        break;
    case VALUE_DECIMAL:
        put_decimal(out, value->decimal);
        break;
    case VALUE_TEXT:
        pack_text(out, value->text);
        break;
    case VALUE_TIMESTAMP:
        put_timestamp(out, value->timestamp);
        break;
    case VALUE_CNPJ:
        if (value->cnpj.form == CNPJ_NUMBER)
            put_digits(out, value->cnpj.text);
        else
            pack_text(out, value->cnpj.text);
        break;
    }
}

static void begin_rows(struct buffer *out, size_t count)
{
    pack_map(out, (uint32_t)count);
}

/* Members of a map follow one another with nothing in between. */
const struct writer_type MSGPACK_WRITER = {
    .open = open_container,
    .close = close_container,
    .key = put_key,
    .value = put_value,
    .begin_rows = begin_rows,
};
