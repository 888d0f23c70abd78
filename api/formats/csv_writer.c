/* api/formats/csv_writer.c - one cell at a time; quoting is RFC 4180's. */
#include "api/formats/csv_writer.h"

#include <inttypes.h>
#include <stdio.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define IN_PLACE_OF_NUL "\xEF\xBF\xBD" /* U+FFFD: programs end a text at its NUL */
#define BETWEEN_ITEMS   ", "

#define WHOLE_SECONDS_LEN 19 /* YYYY-MM-DD HH:MM:SS */

#define ROW_DEPTH  1 /* inside a row's object */
#define LIST_DEPTH 2 /* inside a list that is one of its fields */

/* The first character of a non-empty text, and its length. */
static uint32_t first_character(struct bytes text, size_t *len)
{
    unsigned char lead = (unsigned char)text.data[0];
    uint32_t character = lead;
    *len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (*len > text.len)
        *len = text.len;
    if (*len > 1)
        character = lead & (0xffu >> (*len + 1));
    for (size_t i = 1; i < *len; i++)
        character = character << 6 | ((unsigned char)text.data[i] & 0x3f);
    return character;
}

/* Blanks and other invisible characters. */
static bool is_blank(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } blanks[] = {{0, ' '},         {0x7f, 0xa0},     {0xad, 0xad},     {0x1680, 0x1680}, {0x180e, 0x180e},
                  {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x2064}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
        if (character >= blanks[i].first && character <= blanks[i].last)
            return true;
    return false;
}

/* "=", "+", "-" and "@", also in full width, which some spreadsheets treat the same. */
static bool begins_formulas(uint32_t character)
{
    static const uint32_t marks[] = {'=', '+', '-', '@', 0xff1d, 0xff0b, 0xff0d, 0xff20};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (character == marks[i])
            return true;
    return false;
}

/* True for what a spreadsheet may take for a formula: also after blanks, and whatever begins with a tab or line end,
 * which some drop before they look. */
static bool is_formula(struct bytes text)
{
    if (text.len > 0 && (text.data[0] == '\t' || text.data[0] == '\r' || text.data[0] == '\n'))
        return true;
    while (text.len > 0) {
        size_t len;
        uint32_t character = first_character(text, &len);
        if (!is_blank(character))
            return begins_formulas(character);
        text = (struct bytes){text.data + len, text.len - len};
    }
    return false;
}

static bool needs_quotes(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == ';' || text.data[i] == '"' || text.data[i] == '\r' || text.data[i] == '\n')
            return true;
    return false;
}

static void put_text(struct buffer *out, struct bytes text)
{
    const char *quote = needs_quotes(text) ? "\"" : "";
    size_t done = 0;
    buffer_append_text(out, quote);
    if (is_formula(text))
        buffer_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '"' && text.data[i] != '\0')
            continue;
        buffer_append(out, text.data + done, i - done);
        buffer_append_text(out, text.data[i] == '"' ? "\"\"" : IN_PLACE_OF_NUL);
        done = i + 1;
    }
    if (done < text.len)
        buffer_append(out, text.data + done, text.len - done);
    buffer_append_text(out, quote);
}

static void put_decimal(struct buffer *out, struct decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    size_t len = decimal_format(value, text);
    char *point = memchr(text, '.', len);
    if (point != NULL)
        *point = ',';
    buffer_append(out, text, len);
}

/* With a blank instead of the T, and without fractions of a second, any Excel takes it for a date. */
static void put_timestamp(struct buffer *out, struct timestamp timestamp)
{
    char text[TIMESTAMP_TEXT_MAX];
    size_t len = timestamp_format(timestamp, text);
    if (len > DATE_TEXT_LEN) {
        text[DATE_TEXT_LEN] = ' ';
        len = WHOLE_SECONDS_LEN;
    }
    buffer_append(out, text, len);
}

/* In the usual notation, so that it is not taken for a number and rounded. What is no CNPJ is written as text; digits
 * alone get an apostrophe, as they would be a number. */
static void put_cnpj(struct buffer *out, const struct cnpj_shown *cnpj)
{
    struct cnpj_key key;
    if (cnpj_key_parse(cnpj->text, &key)) {
        buffer_append_format(out, "%.2s.%.3s.%.3s/%.4s-%.2s", key.text, key.text + 2, key.text + 5,
                             key.text + 8, key.text + 12);
        return;
    }
    if (cnpj->form == CNPJ_NUMBER)
        buffer_append_char(out, '\'');
    put_text(out, cnpj->text);
}

static void begin_cell(struct writer *writer)
{
    if (writer->csv.has_cells)
        buffer_append_char(writer->out, ';');
    writer->csv.has_cells = true;
}

static void put_item(struct writer *writer, const struct value *value)
{
    struct buffer *list = &writer->csv.list;
    if (value->kind != VALUE_TEXT) {
        writer->failed = true;
        return;
    }
    if (list->len > 0)
        buffer_append_text(list, BETWEEN_ITEMS);
    buffer_append(list, value->text.data, value->text.len);
}

static void put_cell(struct writer *writer, const struct value *value)
{
    struct buffer *out = writer->out;
    begin_cell(writer);
    switch (value->kind) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        buffer_append_text(out, value->boolean ? "VERDADEIRO" : "FALSO");
        break;
    case VALUE_UINT:
        buffer_append_format(out, "%" PRIu64, value->uint);
        break;
    case VALUE_DECIMAL:
        put_decimal(out, value->decimal);
        break;
    case VALUE_TEXT:
        put_text(out, value->text);
        break;
    case VALUE_TIMESTAMP:
        put_timestamp(out, value->timestamp);
        break;
    case VALUE_CNPJ:
        put_cnpj(out, &value->cnpj);
        break;
    }
}

static void put_value(struct writer *writer, const struct value *value)
{
    if (writer->csv.takes_names)
        return;
    if (writer->csv.depth == LIST_DEPTH)
        put_item(writer, value);
    else
        put_cell(writer, value);
}

/* A row's own key comes outside its object, and is left out. */
static void put_key(struct writer *writer, struct bytes key)
{
    if (!writer->csv.takes_names || writer->csv.depth != ROW_DEPTH)
        return;
    begin_cell(writer);
    put_text(writer->out, key);
}

static void open_container(struct writer *writer, enum container container)
{
    unsigned depth = ++writer->csv.depth;
    bool is_row = container == CONTAINER_OBJECT && depth == ROW_DEPTH;
    bool is_list = container == CONTAINER_ARRAY && depth == LIST_DEPTH;
    if (!is_row && !is_list)
        writer->failed = true;
    buffer_reset(&writer->csv.list);
}

static void close_container(struct writer *writer, enum container container)
{
    writer->csv.depth--;
    if (container != CONTAINER_ARRAY || writer->csv.takes_names)
        return;
    begin_cell(writer);
    put_text(writer->out, buffer_bytes(&writer->csv.list));
    if (buffer_is_failed(&writer->csv.list))
        writer->failed = true;
}

static void begin_row(struct writer *writer)
{
    writer->csv.takes_names = false;
    writer->csv.has_cells = false;
}

static void begin_names(struct writer *writer)
{
    begin_row(writer);
    writer->csv.takes_names = true;
    buffer_append_text(writer->out, BYTE_ORDER_MARK);
}

static void end_row(struct writer *writer)
{
    buffer_append_text(writer->out, "\r\n");
}

static void clear(struct writer *writer)
{
    buffer_clear(&writer->csv.list);
}

const struct writer_type CSV_WRITER = {
    .clear = clear,
    .open = open_container,
    .close = close_container,
    .key = put_key,
    .value = put_value,
    .begin_names = begin_names,
    .begin_row = begin_row,
    .end_row = end_row,
};
