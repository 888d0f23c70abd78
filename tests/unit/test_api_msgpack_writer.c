/* tests/unit/test_api_msgpack_writer.c - each type at the edges of its forms, and documents, to the byte. */
#include <stdio.h>

#include "api/formats/msgpack_writer.h"
#include "tests/unit/support.h"

/* Compares bytes with hexadecimal digits, in which blanks mean nothing. */
static void check_hex(const char *name, struct bytes found, const char *expected)
{
    struct buffer is = BUFFER_INIT, wanted = BUFFER_INIT;
    for (size_t i = 0; i < found.len; i++)
        buffer_append_format(&is, "%02x", (unsigned char)found.data[i]);
    for (const char *c = expected; *c != '\0'; c++)
        if (*c != ' ')
            buffer_append_char(&wanted, *c);
    if (!bytes_equal(buffer_bytes(&is), buffer_bytes(&wanted)))
        fail_msg("%s: is %.*s, expected %s", name, (int)is.len, is.data != NULL ? is.data : "", expected);
    buffer_clear(&is);
    buffer_clear(&wanted);
}

static struct writer writer_to(struct buffer *out)
{
    struct writer writer;
    struct error err;
    assert_int_equal(writer_init(&writer, &MSGPACK_WRITER, out, &err), STATUS_OK);
    return writer;
}

static void check_written(const char *name, struct writer *writer, const char *expected)
{
    struct error err;
    assert_int_equal(writer_status(writer, &err), STATUS_OK);
    check_hex(name, buffer_bytes(writer->out), expected);
    writer_clear(writer);
    buffer_clear(writer->out);
}

static void test_whole_numbers(void **state)
{
    static const struct {
        int64_t value;
        const char *expected;
    } rows[] = {
        {0, "00"},
        {1, "01"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {UINT32_MAX, "ceffffffff"},
        {INT64_C(4294967296), "cf0000000100000000"},
        {INT64_MAX, "cf7fffffffffffffff"},
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {-129, "d1ff7f"},
        {-32768, "d18000"},
        {-32769, "d2ffff7fff"},
        {INT32_MIN, "d280000000"},
        {INT64_C(-2147483649), "d3ffffffff7fffffff"},
        {INT64_MIN, "d38000000000000000"},
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        writer_int(&writer, rows[i].value);
        check_written("writer_int", &writer, rows[i].expected);
        writer = writer_to(&out);
        writer_decimal(&writer, (struct decimal){rows[i].value, 0});
        check_written("writer_decimal", &writer, rows[i].expected);
        if (rows[i].value < 0)
            continue;
        writer = writer_to(&out);
        writer_uint(&writer, (uint64_t)rows[i].value);
        check_written("writer_uint", &writer, rows[i].expected);
    }
    struct writer writer = writer_to(&out);
    writer_uint(&writer, UINT64_MAX);
    check_written("the highest", &writer, "cfffffffffffffffff");
}

/* The doubles are those of Python's struct.pack('>d', value). */
static void test_fractions(void **state)
{
    static const struct {
        const char *name;
        struct decimal value;
        const char *expected;
    } rows[] = {
        {"0.1", {1, 1}, "cb3fb999999999999a"},
        {"0.2", {2, 1}, "cb3fc999999999999a"},
        {"0.3", {3, 1}, "cb3fd3333333333333"},
        {"0.5", {5, 1}, "cb3fe0000000000000"},
        {"1.1", {11, 1}, "cb3ff199999999999a"},
        {"-0.01", {-1, 2}, "cbbf847ae147ae147b"},
        {"1500.1", {15001, 1}, "cb4097706666666666"},
        {"166950.4", {1669504, 1}, "cb4104613333333333"},
        {"9999999999.99", {999999999999, 2}, "cb4202a05f1fffeb85"},
        {"123456789.123456789", {123456789123456789, 9}, "cb419d6f34547e6b75"},
        {"0.999999999999999999", {999999999999999999, 18}, "cb3ff0000000000000"},
        {"0.000000000000000001", {1, 18}, "cb3c32725dd1d243ac"},
        {"9007199254740993.5", {90071992547409935, 1}, "cb4340000000000001"},
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        writer_decimal(&writer, rows[i].value);
        check_written(rows[i].name, &writer, rows[i].expected);
    }
}

static void test_other_values(void **state)
{
    const struct cnpj_shown cnpjs[] = {{CNPJ_NULL, {NULL, 0}},
                                       {CNPJ_NUMBER, {"11222333000181", 14}},
                                       {CNPJ_NUMBER, {"18446744073709551615", 20}},
                                       {CNPJ_NUMBER, {"18446744073709551616", 20}},
                                       {CNPJ_NUMBER, {"99999999999999999999", 20}},
                                       {CNPJ_TEXT, {"12ABC34501DE35", 14}},
                                       {CNPJ_TEXT, {"--", 2}}};
    struct buffer out = BUFFER_INIT;
    struct writer writer = writer_to(&out);
    (void)state;
    writer_null(&writer);
    writer_bool(&writer, true);
    writer_bool(&writer, false);
    writer_text(&writer, (struct bytes){NULL, 0});
    writer_timestamp(&writer, (struct timestamp){0, TIMESTAMP_NONE});
    check_written("nothing, true and false", &writer, "c0 c3 c2 c0 c0");
    writer = writer_to(&out);
    writer_timestamp(&writer, (struct timestamp){0, TIMESTAMP_DATE});
    writer_timestamp(&writer, (struct timestamp){1, TIMESTAMP_TIME});
    check_written("timestamps", &writer,
                  "aa 313937302d30312d3031 ba 313937302d30312d30315430303a30303a30302e303030303031");
    writer = writer_to(&out);
    for (size_t i = 0; i < COUNT(cnpjs); i++)
        writer_cnpj(&writer, &cnpjs[i]);
    check_written("CNPJs", &writer,
                  "c0 cf00000a34e72c09f5 cfffffffffffffffff b4 3138343436373434303733373039353531363136"
                  "b4 3939393939393939393939393939393939393939 ae 31324142433334353031444533 35 a2 2d2d");
}

static void test_texts(void **state)
{
    static const struct {
        size_t len;
        const char *header;
    } rows[] = {{0, "a0"},
                {1, "a1"},
                {31, "bf"},
                {32, "d920"},
                {255, "d9ff"},
                {256, "da0100"},
                {65535, "daffff"},
                {65536, "db00010000"},
                {115000, "db0001c138"}};
    static char text[115000];
    struct buffer out = BUFFER_INIT;
    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        struct bytes value = {text + sizeof text - rows[i].len, rows[i].len};
        writer_text(&writer, value);
        size_t header_len = out.len - rows[i].len;
        assert_true(bytes_equal((struct bytes){out.data + header_len, rows[i].len}, value));
        out.len = header_len;
        check_written("header of a text", &writer, rows[i].header);
    }
}

/* As many as there are; a header is put in front of them when they are closed. */
static void test_containers(void **state)
{
    static const struct {
        size_t count;
        const char *array, *map;
    } rows[] = {{0, "90", "80"},
                {1, "91", "81"},
                {15, "9f", "8f"},
                {16, "dc0010", "de0010"},
                {65535, "dcffff", "deffff"},
                {65536, "dd00010000", "df00010000"}};
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer writer = writer_to(&out);
        writer_open_array(&writer);
        for (size_t j = 0; j < rows[i].count; j++)
            writer_uint(&writer, j & 0x7f);
        writer_close_array(&writer);
        for (size_t j = 0; j < rows[i].count; j++)
            assert_int_equal(out.data[out.len - rows[i].count + j], j & 0x7f);
        out.len -= rows[i].count;
        check_written("header of an array", &writer, rows[i].array);
        writer = writer_to(&out);
        writer_open_object(&writer);
        for (size_t j = 0; j < rows[i].count; j++) {
            writer_key_text(&writer, (struct bytes){"", 0});
            writer_null(&writer);
        }
        writer_close_object(&writer);
        out.len -= 2 * rows[i].count;
        check_written("header of a map", &writer, rows[i].map);
    }
}

static void test_nested_document(void **state)
{
    struct buffer out = BUFFER_INIT;
    struct writer writer = writer_to(&out);
    (void)state;
    writer_open_object(&writer);
    writer_key(&writer, "a");
    writer_open_array(&writer);
    writer_open_object(&writer);
    writer_close_object(&writer);
    writer_open_array(&writer);
    writer_int(&writer, 7);
    writer_close_array(&writer);
    writer_null(&writer);
    writer_close_array(&writer);
    writer_key_text(&writer, bytes_of("\xC3\xA7"));
    writer_open_object(&writer);
    writer_key(&writer, "");
    writer_bool(&writer, true);
    writer_close_object(&writer);
    writer_close_object(&writer);
    check_written("a nested document", &writer, "82 a161 93 80 91 07 c0 a2c3a7 81 a0 c3");
}

static void test_too_deep(void **state)
{
    struct buffer out = BUFFER_INIT;
    struct error err;
    (void)state;
    for (unsigned depth = WRITER_DEPTH_MAX; depth <= WRITER_DEPTH_MAX + 1; depth++) {
        struct writer writer = writer_to(&out);
        for (unsigned i = 0; i < depth; i++)
            writer_open_array(&writer);
        for (unsigned i = 0; i < depth; i++)
            writer_close_array(&writer);
        assert_int_equal(writer_status(&writer, &err), depth > WRITER_DEPTH_MAX ? STATUS_INVALID : STATUS_OK);
        writer_clear(&writer);
        buffer_clear(&out);
    }
}

static void test_rows(void **state)
{
    static const struct {
        size_t count;
        const char *expected;
    } heads[] = {{0, "80"}, {15, "8f"}, {16, "de0010"}, {65535, "deffff"}, {65536, "df00010000"}};
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        writer_begin_rows(&MSGPACK_WRITER, (struct bytes){NULL, 0}, heads[i].count, &out);
        writer_end_rows(&MSGPACK_WRITER, &out);
        check_hex("head of rows", buffer_bytes(&out), heads[i].expected);
        buffer_clear(&out);
    }
    struct writer writer = writer_to(&out);
    assert_false(writer_begin_names(&writer));
    for (int row = 1; row <= 2; row++) {
        writer_begin_row(&writer);
        writer_key(&writer, row == 1 ? "1" : "2");
        writer_open_object(&writer);
        writer_key(&writer, "x");
        writer_int(&writer, row);
        writer_close_object(&writer);
        writer_end_row(&writer);
    }
    check_written("two rows", &writer, "a131 81 a178 01 a132 81 a178 02");
}

static void test_no_memory(void **state)
{
    struct buffer out = BUFFER_INIT;
    struct writer writer = writer_to(&out);
    struct error err;
    (void)state;
    writer_open_object(&writer);
    writer_key(&writer, "x");
    buffer_reserve(&out, SIZE_MAX / 2);
    assert_true(buffer_is_failed(&out));
    writer_int(&writer, 1);
    writer_close_object(&writer);
    assert_int_equal(writer_status(&writer, &err), STATUS_NO_MEMORY);
    writer_clear(&writer);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_fractions),
        cmocka_unit_test(test_other_values),  cmocka_unit_test(test_texts),
        cmocka_unit_test(test_containers),    cmocka_unit_test(test_nested_document),
        cmocka_unit_test(test_too_deep),      cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("api_msgpack_writer", tests, NULL, NULL);
}
