/* tests/fuzz/fuzz_value.c - values of database rows from any bytes, as the worker cleans them. Texts become well-formed
 * UTF-8, by a naive second check, and well-formed ones stay as they are; a replacement is never silent. */
#include <inttypes.h>

#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/sources/value.h"

/* The code point at the front, decoded without a table; its length, or 0 when it is ill-formed. */
static size_t naive_character(struct bytes text)
{
    unsigned char first = (unsigned char)text.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t point = len == 1 ? first : first & (0x7Fu >> len);
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (len == 0 || len > text.len || first > 0xF7)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text.data[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | ((unsigned char)text.data[i] & 0x3Fu);
    }
    return point < least[len] || (point >= 0xD800 && point < 0xE000) || point > 0x10FFFF ? 0 : len;
}

static bool naive_is_valid(struct bytes text)
{
    while (text.len > 0) {
        size_t len = naive_character(text);
        if (len == 0)
            return false;
        text = (struct bytes){text.data + len, text.len - len};
    }
    return true;
}

static void check_text(struct value_reader *reader, struct bytes text)
{
    bool is_valid = naive_is_valid(text);
    uint64_t texts = reader->replaced->texts, values = reader->replaced->values;
    struct bytes clean = value_text(reader, text);
    bool is_cut = reader->replaced->values > values;
    MUST_HOLD(utf8_is_valid(text) == is_valid);
    MUST_HOLD(clean.data != NULL && naive_is_valid(clean) && clean.len <= VALUE_TEXT_MAX);
    MUST_HOLD((reader->replaced->texts == texts) == is_valid);
    MUST_HOLD(!is_valid || is_cut || bytes_equal(clean, text));
    MUST_HOLD(clean.len <= 3 * text.len);
}

static void check_whole_numbers(struct bytes text)
{
    char shown[24];
    uint64_t natural, natural_again;
    int64_t whole, whole_again;
    if (value_parse_uint(text, &natural)) {
        int len = snprintf(shown, sizeof shown, "%" PRIu64, natural);
        MUST_HOLD(value_parse_uint((struct bytes){shown, (size_t)len}, &natural_again));
        MUST_HOLD(natural_again == natural);
    }
    if (value_parse_int(text, &whole)) {
        int len = snprintf(shown, sizeof shown, "%" PRId64, whole);
        MUST_HOLD(value_parse_int((struct bytes){shown, (size_t)len}, &whole_again) && whole_again == whole);
    }
}

static void check_values(struct value_reader *reader, struct bytes text)
{
    struct decimal number, exact;
    struct cnpj_key key;
    int32_t offset;
    bool has_key;
    uint64_t before = reader->replaced->values;
    bool is_number = value_decimal(reader, text, &number);
    bool is_exact = decimal_parse(text, &exact) && decimal_is_summable(exact);
    MUST_HOLD(is_exact == (reader->replaced->values == before));
    MUST_HOLD(is_number || !is_exact);
    MUST_HOLD(!is_number || decimal_is_summable(number));
    MUST_HOLD(!is_exact || (number.unscaled == exact.unscaled && number.scale == exact.scale));
    before = reader->replaced->values;
    bool is_null = value_timestamp(reader, text, &offset).kind == TIMESTAMP_NONE;
    MUST_HOLD(is_null == (reader->replaced->values > before));
    struct cnpj_shown shown = value_cnpj(reader, text, &key, &has_key);
    MUST_HOLD(!has_key || shown.form != CNPJ_NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {size > 0 ? (const char *)data : "", size};
    struct replacements replaced = {0, 0};
    struct arena arena;
    struct value_reader reader = {&arena, &replaced, false};
    arena_init(&arena);
    check_text(&reader, text);
    check_whole_numbers(text);
    check_values(&reader, text);
    MUST_HOLD(!reader.out_of_memory);
    arena_clear(&arena);
    return 0;
}
