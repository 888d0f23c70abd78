/* worker/sources/value.c - cleaning and checking single values. */
#include "worker/sources/value.h"

#include "common/base/utf8.h"

struct bytes value_text(struct value_reader *reader, struct bytes text)
{
    struct bytes clean = utf8_clean(reader->arena, text, &reader->replaced->texts);
    if (clean.data == NULL && text.data != NULL)
        reader->out_of_memory = true;
    if (clean.data == NULL || clean.len <= VALUE_TEXT_MAX)
        return clean;
    reader->replaced->values++;
    return utf8_cut(clean, VALUE_TEXT_MAX);
}

bool value_decimal(struct value_reader *reader, struct bytes text, struct decimal *out)
{
    struct decimal value;
    bool is_exact = false;
    if (text.data == NULL)
        return false;
    bool is_taken = decimal_parse_nearest(text, &value, &is_exact) && decimal_is_summable(value);
    if (!is_taken || !is_exact)
        reader->replaced->values++;
    if (is_taken)
        *out = value;
    return is_taken;
}

struct timestamp value_timestamp(struct value_reader *reader, struct bytes text, int32_t *offset_s)
{
    struct timestamp timestamp = {0, TIMESTAMP_NONE};
    *offset_s = 0;
    if (text.data != NULL && !timestamp_parse(text, &timestamp, offset_s))
        reader->replaced->values++;
    return timestamp;
}

struct cnpj_shown value_cnpj(struct value_reader *reader, struct bytes text, struct cnpj_key *key,
                             bool *has_key)
{
    struct cnpj_shown shown = {CNPJ_NULL, {NULL, 0}};
    struct bytes clean = value_text(reader, text);
    *has_key = cnpj_key_parse(clean, key);
    if (!cnpj_show(reader->arena, clean, &shown))
        reader->out_of_memory = true;
    return shown;
}

bool value_parse_uint(struct bytes text, uint64_t *out)
{
    while (text.len > 0 && text.data[text.len - 1] == ' ') /* as when databases compare char and varchar */
        text.len--;
    return bytes_parse_uint(text, UINT64_MAX, out);
}

bool value_parse_int(struct bytes text, int64_t *out)
{
    uint64_t magnitude;
    if (text.len == 0)
        return false;
    bool negative = text.data[0] == '-';
    struct bytes digits = {text.data + negative, text.len - negative};
    if (!value_parse_uint(digits, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
