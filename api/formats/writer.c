/* api/formats/writer.c - from calls to values; the rest is up to the writer's type. */
#include "api/formats/writer.h"

enum status writer_init(struct writer *writer, const struct writer_type *type, struct buffer *out,
                        struct error *err)
{
    *writer = (struct writer){.type = type, .out = out};
    return type->init != NULL ? type->init(writer, err) : STATUS_OK;
}

void writer_clear(struct writer *writer)
{
    if (writer->type->clear != NULL)
        writer->type->clear(writer);
}

void writer_open_object(struct writer *writer)
{
    writer->type->open(writer, CONTAINER_OBJECT);
}

void writer_close_object(struct writer *writer)
{
    writer->type->close(writer, CONTAINER_OBJECT);
}

void writer_open_array(struct writer *writer)
{
    writer->type->open(writer, CONTAINER_ARRAY);
}

void writer_close_array(struct writer *writer)
{
    writer->type->close(writer, CONTAINER_ARRAY);
}

void writer_key(struct writer *writer, const char *key)
{
    writer_key_text(writer, bytes_of(key));
}

void writer_key_text(struct writer *writer, struct bytes key)
{
    writer->type->key(writer, key);
}

static void put(struct writer *writer, struct value value)
{
    writer->type->value(writer, &value);
}

void writer_null(struct writer *writer)
{
    put(writer, (struct value){.kind = VALUE_NULL});
}

void writer_bool(struct writer *writer, bool value)
{
    put(writer, (struct value){.kind = VALUE_BOOL, .boolean = value});
}

void writer_int(struct writer *writer, int64_t value)
{
    writer_decimal(writer, (struct decimal){value, 0});
}

void writer_uint(struct writer *writer, uint64_t value)
{
    put(writer, (struct value){.kind = VALUE_UINT, .uint = value});
}

void writer_decimal(struct writer *writer, struct decimal value)
{
    put(writer, (struct value){.kind = VALUE_DECIMAL, .decimal = value});
}

void writer_text(struct writer *writer, struct bytes text)
{
    put(writer, (struct value){.kind = text.data != NULL ? VALUE_TEXT : VALUE_NULL, .text = text});
}

void writer_timestamp(struct writer *writer, struct timestamp timestamp)
{
    bool is_none = timestamp.kind == TIMESTAMP_NONE;
    put(writer, (struct value){.kind = is_none ? VALUE_NULL : VALUE_TIMESTAMP, .timestamp = timestamp});
}

void writer_cnpj(struct writer *writer, const struct cnpj_shown *cnpj)
{
    bool is_none = cnpj->form == CNPJ_NULL;
    put(writer, (struct value){.kind = is_none ? VALUE_NULL : VALUE_CNPJ, .cnpj = *cnpj});
}

void writer_put_text(struct writer *writer, const char *key, struct bytes text)
{
    writer_key(writer, key);
    writer_text(writer, text);
}

void writer_put_bool(struct writer *writer, const char *key, bool value)
{
    writer_key(writer, key);
    writer_bool(writer, value);
}

void writer_put_int(struct writer *writer, const char *key, int64_t value)
{
    writer_key(writer, key);
    writer_int(writer, value);
}

void writer_put_uint(struct writer *writer, const char *key, uint64_t value)
{
    writer_key(writer, key);
    writer_uint(writer, value);
}

void writer_put_null(struct writer *writer, const char *key)
{
    writer_key(writer, key);
    writer_null(writer);
}

void writer_begin_row(struct writer *writer)
{
    if (writer->type->begin_row != NULL)
        writer->type->begin_row(writer);
}

void writer_end_row(struct writer *writer)
{
    if (writer->type->end_row != NULL)
        writer->type->end_row(writer);
}

bool writer_begin_names(struct writer *writer)
{
    if (writer->type->begin_names == NULL)
        return false;
    writer->type->begin_names(writer);
    return true;
}

void writer_begin_rows(const struct writer_type *type, struct bytes names, size_t count, struct buffer *out)
{
    buffer_append(out, names.data, names.len);
    if (type->begin_rows != NULL)
        type->begin_rows(out, count);
}

void writer_end_rows(const struct writer_type *type, struct buffer *out)
{
    if (type->end_rows != NULL)
        type->end_rows(out);
}

enum status writer_status(const struct writer *writer, struct error *err)
{
    if (buffer_is_failed(writer->out))
        return error_no_memory(err);
    if (writer->failed)
        return error_set(err, STATUS_INVALID, "a value cannot be written");
    return STATUS_OK;
}
