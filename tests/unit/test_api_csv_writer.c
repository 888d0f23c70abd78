/* tests/unit/test_api_csv_writer.c - cells to the byte: numbers and dates as Excel takes them in Brazil, quotes, and
 * text that must not become a formula. */
#include <stdio.h>

#include "api/formats/csv_writer.h"
#include "tests/unit/support.h"

static struct writer writer_to(struct buffer *out)
{
    struct writer writer;
    struct error err;
    assert_int_equal(writer_init(&writer, &CSV_WRITER, out, &err), STATUS_OK);
    return writer;
}

static void begin_row(struct writer *writer)
{
    writer_begin_row(writer);
    writer_key(writer, "key");
    writer_open_object(writer);
    writer_key(writer, "field");
}

static void end_row(struct writer *writer)
{
    writer_close_object(writer);
    writer_end_row(writer);
}

/* What was written is a row of the one cell that is expected. */
static void check_cell(const char *name, struct writer *writer, struct bytes expected)
{
    struct buffer line = BUFFER_INIT;
    struct error err;
    buffer_append(&line, expected.data, expected.len);
    buffer_append_text(&line, "\r\n");
    assert_int_equal(writer_status(writer, &err), STATUS_OK);
    check_bytes(name, "the text", buffer_bytes(writer->out), buffer_bytes(&line));
    writer_clear(writer);
    buffer_clear(writer->out);
    buffer_clear(&line);
}

static const struct {
    const char *name;
    struct bytes text, expected;
} TEXTS[] = {
    {"empty", RAW(""), RAW("")},
    {"words", RAW("Loja Ção Ltda"), RAW("Loja Ção Ltda")},
    {"emoji", RAW("\xF0\x9F\x9A\x97 carros"), RAW("\xF0\x9F\x9A\x97 carros")},
    {"a comma", RAW("a, b"), RAW("a, b")},
    {"a semicolon", RAW("a;b"), RAW("\"a;b\"")},
    {"a quote", RAW("5\" de aro"), RAW("\"5\"\" de aro\"")},
    {"quotes alone", RAW("\"\""), RAW("\"\"\"\"\"\"")},
    {"a line feed", RAW("a\nb"), RAW("\"a\nb\"")},
    {"a carriage return", RAW("a\rb"), RAW("\"a\rb\"")},
    {"both", RAW("a\r\nb"), RAW("\"a\r\nb\"")},
    {"a tab inside", RAW("a\tb"), RAW("a\tb")},
    {"control bytes", RAW("\x01\x1f\x7f"), RAW("\x01\x1f\x7f")},
    {"a NUL", RAW("a\0b"),
     RAW("a\xEF\xBF\xBD"
         "b")},
    {"a NUL and quotes", RAW("\0\"\0"), RAW("\"\xEF\xBF\xBD\"\"\xEF\xBF\xBD\"")},
    {"blanks", RAW("  a  "), RAW("  a  ")},
    {"digits", RAW("007"), RAW("007")},
    {"an apostrophe", RAW("'a"), RAW("'a")},
    {"a line separator", RAW("a\xE2\x80\xA8z"), RAW("a\xE2\x80\xA8z")},
    /* Formulas. */
    {"equals", RAW("=1+1"), RAW("'=1+1")},
    {"equals alone", RAW("="), RAW("'=")},
    {"plus", RAW("+55 11 99999-0000"), RAW("'+55 11 99999-0000")},
    {"minus", RAW("-3"), RAW("'-3")},
    {"at", RAW("@SUM(A1)"), RAW("'@SUM(A1)")},
    {"a tab", RAW("\tx"), RAW("'\tx")},
    {"a carriage return first", RAW("\rx"), RAW("\"'\rx\"")},
    {"a line feed first", RAW("\nx"), RAW("\"'\nx\"")},
    {"behind a blank", RAW(" =1"), RAW("' =1")},
    {"behind many", RAW(" \t \n\r =1"), RAW("\"' \t \n\r =1\"")},
    {"behind control bytes", RAW("\x01\x02-1"), RAW("'\x01\x02-1")},
    {"behind a NUL", RAW("\0=1"), RAW("'\xEF\xBF\xBD=1")},
    {"behind a no-break space", RAW("\xC2\xA0=1"), RAW("'\xC2\xA0=1")},
    {"behind a byte order mark", RAW("\xEF\xBB\xBF=1"), RAW("'\xEF\xBB\xBF=1")},
    {"behind spaces of Unicode", RAW("\xE2\x80\x8B\xE3\x80\x80\xE2\x81\xA0@x"),
     RAW("'\xE2\x80\x8B\xE3\x80\x80\xE2\x81\xA0@x")},
    {"full width",
     RAW("\xEF\xBC\x9D"
         "1"),
     RAW("'\xEF\xBC\x9D"
         "1")},
    {"with quotes", RAW("=HYPERLINK(\"http://x\";\"y\")"),
     RAW("\"'=HYPERLINK(\"\"http://x\"\";\"\"y\"\")\"")},
    {"a command", RAW("=cmd|' /C calc'!A0"), RAW("'=cmd|' /C calc'!A0")},
    /* None. */
    {"inside", RAW("a=1"), RAW("a=1")},
    {"behind a letter", RAW("x-1"), RAW("x-1")},
    {"behind a quote", RAW("\"=1\""), RAW("\"\"\"=1\"\"\"")},
    {"behind an accent", RAW("\xC3\xA7=1"), RAW("\xC3\xA7=1")},
    {"behind an emoji", RAW("\xF0\x9F\x98\x80=1"), RAW("\xF0\x9F\x98\x80=1")},
    {"blanks alone", RAW(" \xC2\xA0 "), RAW(" \xC2\xA0 ")},
    {"a dash", RAW("\xE2\x80\x94 x"), RAW("\xE2\x80\x94 x")},
};

static void test_texts(void **state)
{
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        struct writer writer = writer_to(&out);
        begin_row(&writer);
        writer_text(&writer, TEXTS[i].text);
        end_row(&writer);
        check_cell(TEXTS[i].name, &writer, TEXTS[i].expected);
    }
}

/* A list is one text. */
static void test_lists(void **state)
{
    static const struct {
        const char *name;
        struct bytes items[3];
        size_t count;
        struct bytes expected;
    } rows[] = {
        {"none", {RAW("")}, 0, RAW("")},
        {"one", {RAW("KBB")}, 1, RAW("KBB")},
        {"some", {RAW("KBB"), RAW("OLX"), RAW("KBB")}, 3, RAW("KBB, OLX, KBB")},
        {"hostile", {RAW("=1"), RAW("a;b"), RAW("\"")}, 3, RAW("\"'=1, a;b, \"\"\"")},
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        begin_row(&writer);
        writer_open_array(&writer);
        for (size_t j = 0; j < rows[i].count; j++)
            writer_text(&writer, rows[i].items[j]);
        writer_close_array(&writer);
        end_row(&writer);
        check_cell(rows[i].name, &writer, rows[i].expected);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        struct decimal value;
        struct bytes expected;
    } rows[] = {
        {{0, 0}, RAW("0")},
        {{1190, 0}, RAW("1190")},
        {{15001, 1}, RAW("1500,1")},
        {{4499, 1}, RAW("449,9")},
        {{-3, 0}, RAW("-3")},
        {{-1, 2}, RAW("-0,01")},
        {{1, 18}, RAW("0,000000000000000001")},
        {{INT64_MIN, 0}, RAW("-9223372036854775808")},
        {{999999999999, 2}, RAW("9999999999,99")},
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        begin_row(&writer);
        writer_decimal(&writer, rows[i].value);
        end_row(&writer);
        check_cell(rows[i].expected.data, &writer, rows[i].expected);
    }
    struct writer writer = writer_to(&out);
    begin_row(&writer);
    writer_uint(&writer, UINT64_MAX);
    end_row(&writer);
    check_cell("the highest", &writer, bytes_of("18446744073709551615"));
}

static void test_timestamps(void **state)
{
    static const struct {
        struct timestamp value;
        const char *expected;
    } rows[] = {
        {{0, TIMESTAMP_NONE}, ""},
        {{0, TIMESTAMP_DATE}, "1970-01-01"},
        {{0, TIMESTAMP_TIME}, "1970-01-01 00:00:00"},
        {{86399 * US_PER_S + 999999, TIMESTAMP_TIME}, "1970-01-01 23:59:59"},
        {{-1, TIMESTAMP_TIME}, "1969-12-31 23:59:59"},
        {{DAY_FIRST * US_PER_DAY, TIMESTAMP_DATE}, "0001-01-01"},
        {{DAY_LAST * US_PER_DAY, TIMESTAMP_TIME}, "9999-12-31 00:00:00"},
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        begin_row(&writer);
        writer_timestamp(&writer, rows[i].value);
        end_row(&writer);
        check_cell(rows[i].expected, &writer, bytes_of(rows[i].expected));
    }
}

static void test_cnpjs(void **state)
{
    static const struct {
        struct cnpj_shown value;
        const char *expected;
    } rows[] = {
        {{CNPJ_NULL, {NULL, 0}}, ""},
        {{CNPJ_NUMBER, RAW("11222333000181")}, "11.222.333/0001-81"},
        {{CNPJ_NUMBER, RAW("191")}, "00.000.000/0001-91"},
        {{CNPJ_NUMBER, RAW("1")}, "00.000.000/0000-01"},
        {{CNPJ_NUMBER, RAW("123456789012345")}, "'123456789012345"},
        {{CNPJ_TEXT, RAW("12ABC34501DE35")}, "12.ABC.345/01DE-35"},
        {{CNPJ_TEXT, RAW("12ABC34501DE3X")}, "12ABC34501DE3X"},
        {{CNPJ_TEXT, RAW("ISENTO")}, "ISENTO"},
        {{CNPJ_TEXT, RAW("--------------")}, "'--------------"},
        {{CNPJ_TEXT, RAW("./;")}, "\"./;\""},
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        begin_row(&writer);
        writer_cnpj(&writer, &rows[i].value);
        end_row(&writer);
        check_cell(rows[i].expected, &writer, bytes_of(rows[i].expected));
    }
}

static void put_some_row(struct writer *writer, const char *key, int value)
{
    writer_key(writer, key);
    writer_open_object(writer);
    writer_key(writer, "id");
    writer_int(writer, value);
    writer_key(writer, "nome");
    writer_null(writer);
    writer_key(writer, "lista");
    writer_open_array(writer);
    writer_text(writer, bytes_of("x"));
    writer_close_array(writer);
    writer_key(writer, "ativo");
    writer_bool(writer, value > 1);
    writer_close_object(writer);
    writer_end_row(writer);
}

/* Names first, of a row whose values do not count. */
static void test_rows(void **state)
{
    struct buffer out = BUFFER_INIT, document = BUFFER_INIT;
    struct writer writer = writer_to(&out);
    struct error err;
    (void)state;
    assert_true(writer_begin_names(&writer));
    put_some_row(&writer, "none", 99);
    check_bytes("names", "the text", buffer_bytes(&out), bytes_of("\xEF\xBB\xBFid;nome;lista;ativo\r\n"));
    writer_begin_rows(&CSV_WRITER, buffer_bytes(&out), 2, &document);
    buffer_reset(&out);
    for (int row = 1; row <= 2; row++) {
        writer_begin_row(&writer);
        put_some_row(&writer, "key", row);
    }
    assert_int_equal(writer_status(&writer, &err), STATUS_OK);
    buffer_append(&document, out.data, out.len);
    writer_end_rows(&CSV_WRITER, &document);
    check_bytes("rows", "the text", buffer_bytes(&document),
                bytes_of("\xEF\xBB\xBFid;nome;lista;ativo\r\n1;;x;FALSO\r\n2;;x;VERDADEIRO\r\n"));
    writer_clear(&writer);
    buffer_clear(&out);
    buffer_clear(&document);
}

static void put_object_in_row(struct writer *writer)
{
    begin_row(writer);
    writer_open_object(writer);
    writer_close_object(writer);
    end_row(writer);
}

static void put_list_in_list(struct writer *writer)
{
    begin_row(writer);
    writer_open_array(writer);
    writer_open_array(writer);
    writer_close_array(writer);
    writer_close_array(writer);
    end_row(writer);
}

static void put_number_in_list(struct writer *writer)
{
    begin_row(writer);
    writer_open_array(writer);
    writer_int(writer, 1);
    writer_close_array(writer);
    end_row(writer);
}

static void put_list_alone(struct writer *writer)
{
    writer_open_array(writer);
    writer_close_array(writer);
}

/* What is no table is refused, rather than shown as half of it. */
static void test_what_is_no_table(void **state)
{
    static void (*const puts[])(struct writer *) = {put_object_in_row, put_list_in_list, put_number_in_list,
                                                    put_list_alone};
    struct buffer out = BUFFER_INIT;
    struct error err;
    (void)state;
    for (size_t i = 0; i < COUNT(puts); i++) {
        struct writer writer = writer_to(&out);
        puts[i](&writer);
        assert_int_equal(writer_status(&writer, &err), STATUS_INVALID);
        writer_clear(&writer);
        buffer_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_cnpjs),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_no_table),
    };
    return cmocka_run_group_tests_name("api_csv_writer", tests, NULL, NULL);
}
