/* api/json_writer.c - the only file that calls yajl's generator. */
#include "api/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

static void print(void *context, const char *text, size_t len)
{
    buffer_append(context, text, len);
}

enum status json_writer_new(struct json_writer *writer, struct buffer *out, struct error *err)
{
    *writer = (struct json_writer){yajl_gen_alloc(NULL), out, false};
    if (writer->gen == NULL)
        return error_no_memory(err);
    if (yajl_gen_config(writer->gen, yajl_gen_print_callback, print, out) == 0)
        return error_set(err, STATUS_INVALID, "yajl takes no print callback");
    return STATUS_OK;
}

void json_writer_free(struct json_writer *writer)
{
    if (writer->gen != NULL)
        yajl_gen_free(writer->gen);
    writer->gen = NULL;
}

void json_writer_restart(struct json_writer *writer)
{
    yajl_gen_reset(writer->gen, NULL);
}

static void check(struct json_writer *writer, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        writer->failed = true;
}

void json_open_object(struct json_writer *writer)
{
    check(writer, yajl_gen_map_open(writer->gen));
}

void json_close_object(struct json_writer *writer)
{
    check(writer, yajl_gen_map_close(writer->gen));
}

void json_open_array(struct json_writer *writer)
{
    check(writer, yajl_gen_array_open(writer->gen));
}

void json_close_array(struct json_writer *writer)
{
    check(writer, yajl_gen_array_close(writer->gen));
}

void json_key(struct json_writer *writer, const char *key)
{
    json_key_text(writer, bytes_of(key));
}

void json_key_text(struct json_writer *writer, struct bytes key)
{
    check(writer, yajl_gen_string(writer->gen, (const unsigned char *)key.data, key.len));
}

void json_text(struct json_writer *writer, struct bytes text)
{
    if (text.data == NULL)
        json_null(writer);
    else
        check(writer, yajl_gen_string(writer->gen, (const unsigned char *)text.data, text.len));
}

void json_digits(struct json_writer *writer, struct bytes digits)
{
    check(writer, yajl_gen_number(writer->gen, digits.data, digits.len));
}

void json_int(struct json_writer *writer, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, value);
    json_digits(writer, (struct bytes){text, (size_t)len});
}

void json_uint(struct json_writer *writer, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, value);
    json_digits(writer, (struct bytes){text, (size_t)len});
}

void json_bool(struct json_writer *writer, bool value)
{
    check(writer, yajl_gen_bool(writer->gen, value));
}

void json_null(struct json_writer *writer)
{
    check(writer, yajl_gen_null(writer->gen));
}

void json_decimal(struct json_writer *writer, struct decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    size_t len = decimal_format(value, text);
    json_digits(writer, (struct bytes){text, len});
}

enum status json_writer_status(const struct json_writer *writer, struct error *err)
{
    if (buffer_is_failed(writer->out))
        return error_no_memory(err);
    if (writer->failed)
        return error_set(err, STATUS_INVALID, "yajl refused a value");
    return STATUS_OK;
}
