/* api/formats/json_writer.c - the only file that calls yajl's generator. Every call is checked: a failed one would
 * leave half a pair behind. */
#include "api/formats/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

static void print(void *context, const char *text, size_t len)
{
    buffer_append(context, text, len);
}

static enum status init(struct writer *writer, struct error *err)
{
    writer->yajl = yajl_gen_alloc(NULL);
    if (writer->yajl == NULL)
        return error_no_memory(err);
    if (yajl_gen_config(writer->yajl, yajl_gen_print_callback, print, writer->out) == 0)
        return error_set(err, STATUS_INVALID, "yajl takes no print callback");
    return STATUS_OK;
}

static void clear(struct writer *writer)
{
    if (writer->yajl != NULL)
        yajl_gen_free(writer->yajl);
    writer->yajl = NULL;
}

static void check(struct writer *writer, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        writer->failed = true;
}

static void open_container(struct writer *writer, enum container container)
{
    bool is_object = container == CONTAINER_OBJECT;
    check(writer, is_object ? yajl_gen_map_open(writer->yajl) : yajl_gen_array_open(writer->yajl));
}

static void close_container(struct writer *writer, enum container container)
{
    bool is_object = container == CONTAINER_OBJECT;
    check(writer, is_object ? yajl_gen_map_close(writer->yajl) : yajl_gen_array_close(writer->yajl));
}

static void put_text(struct writer *writer, struct bytes text)
{
    check(writer, yajl_gen_string(writer->yajl, (const unsigned char *)text.data, text.len));
}

static void put_digits(struct writer *writer, struct bytes digits)
{
    check(writer, yajl_gen_number(writer->yajl, digits.data, digits.len));
}

static void put_uint(struct writer *writer, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, value);
    put_digits(writer, (struct bytes){text, (size_t)len});
}

static void put_decimal(struct writer *writer, struct decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    put_digits(writer, (struct bytes){text, decimal_format(value, text)});
}

static void put_timestamp(struct writer *writer, struct timestamp timestamp)
{
    char text[TIMESTAMP_TEXT_MAX];
    put_text(writer, (struct bytes){text, timestamp_format(timestamp, text)});
}

static void put_value(struct writer *writer, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        check(writer, yajl_gen_null(writer->yajl));
        break;
    case VALUE_BOOL:
        check(writer, yajl_gen_bool(writer->yajl, value->boolean));
        break;
    case VALUE_UINT:
        put_uint(writer, value->uint);
        break;
    case VALUE_DECIMAL:
        put_decimal(writer, value->decimal);
        break;
    case VALUE_TEXT:
        put_text(writer, value->text);
        break;
    case VALUE_TIMESTAMP:
        put_timestamp(writer, value->timestamp);
        break;
    case VALUE_CNPJ:
        if (value->cnpj.form == CNPJ_NUMBER)
            put_digits(writer, value->cnpj.text);
        else
            put_text(writer, value->cnpj.text);
        break;
    }
}

/* yajl writes members only inside an object: its brace is taken back, and we write the commas between rows. */
static void begin_row(struct writer *writer)
{
    size_t start = writer->out->len;
    yajl_gen_reset(writer->yajl, NULL);
    open_container(writer, CONTAINER_OBJECT);
    writer->out->len = start;
}

static void end_row(struct writer *writer)
{
    buffer_append_char(writer->out, ',');
}

static void begin_rows(struct buffer *out, size_t count)
{
    (void)count;
    buffer_append_char(out, '{');
}

/* The last row's comma becomes the closing brace. */
static void end_rows(struct buffer *out)
{
    if (!buffer_is_failed(out) && out->data[out->len - 1] == ',')
        out->len--;
    buffer_append_char(out, '}');
}

const struct writer_type JSON_WRITER = {
    .init = init,
    .clear = clear,
    .open = open_container,
    .close = close_container,
    .key = put_text,
    .value = put_value,
    .begin_row = begin_row,
    .end_row = end_row,
    .begin_rows = begin_rows,
    .end_rows = end_rows,
};
