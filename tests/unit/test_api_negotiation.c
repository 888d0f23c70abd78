/* tests/unit/test_api_negotiation.c - lists of what a client takes, item by item, and the media type and the encoding
 * that are answered. */
#include <stdio.h>

#include "api/http/negotiation.h"
#include "common/base/buffer.h"
#include "tests/unit/support.h"

/* "name=weight name=weight" of a list. */
static void show_items(struct bytes list, struct buffer *out)
{
    struct accept_item item;
    buffer_reset(out);
    while (accept_next(&list, &item))
        buffer_append_format(out, "%s%.*s=%u", out->len > 0 ? " " : "", (int)item.name.len, item.name.data,
                             item.weight);
    buffer_append_char(out, '\0');
}

static const struct {
    const char *list, *expected;
} ITEMS[] = {
    {NULL, ""},
    {"", ""},
    {" \t,, ,", ""},
    {"gzip", "gzip=1000"},
    {"a,b", "a=1000 b=1000"},
    {" a\t,\t b ", "a=1000 b=1000"},
    {"a;q=0", "a=0"},
    {"a;q=0.", "a=0"},
    {"a;q=0.0", "a=0"},
    {"a;q=0.000", "a=0"},
    {"a;q=0.5", "a=500"},
    {"a;q=0.25", "a=250"},
    {"a;q=0.001", "a=1"},
    {"a;q=0.125", "a=125"},
    {"a;q=0.999", "a=999"},
    {"a;q=0.9999", "a=999"},
    {"a;q=0.0001", "a=1"},
    {"a;q=0.00000000000000000000", "a=0"},
    {"a;q=1", "a=1000"},
    {"a;q=1.000", "a=1000"},
    {"a;q=2", "a=1000"},
    {"a;q=-1", "a=1000"},
    {"a;q=", "a=1000"},
    {"a;q", "a=1000"},
    {"a;q=x", "a=1000"},
    {"a;q=0x", "a=1000"},
    {"a;q=0.x", "a=1000"},
    {"a;q=0.5x", "a=1000"},
    {"a;q=00", "a=1000"},
    {"a;q=.5", "a=1000"},
    {"a;Q=0.5", "a=500"},
    {"a ; q=0.5 , b", "a=500 b=1000"},
    {"a;\tq=0.5\t,b;q=0", "a=500 b=0"},
    {"a;;q=0.5", "a=500"},
    {"a;q =0.5", "a=1000"},
    {"a;q= 0.5", "a=1000"},
    {"a;q=0.5;q=0.6", "a=600"},
    {"a;q=\"0.5\"", "a=1000"},
    {"a;xq=0;qq=0;=0", "a=1000"},
    {"a;x=q=0", "a=1000"},
    {"a;x=1;q=0.5;y=2", "a=500"},
    {"a;x=\"b,c;q=0\";q=0.5,d", "a=500 d=1000"},
    {"a;x=\"\\\"\\\\\";q=0.5,d", "a=500 d=1000"},
    {"a;x=\"b,c", "a=1000"},
    {"a;x=\"b\\", "a=1000"},
    {"a;x=\"", "a=1000"},
    {"a b;q=0.5,c", "a=500 c=1000"},
    {";q=0.5,a", "=500 a=1000"},
    {"=,a", "==1000 a=1000"},
    {"text/html;level=1;q=0.3, */*;q=0.1", "text/html=300 */*=100"},
};

static void test_items(void **state)
{
    struct buffer found = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(ITEMS); i++) {
        show_items(bytes_of(ITEMS[i].list), &found);
        if (strcmp(found.data, ITEMS[i].expected) != 0)
            fail_msg("\"%s\": is \"%s\", expected \"%s\"", ITEMS[i].list != NULL ? ITEMS[i].list : "(none)",
                     found.data, ITEMS[i].expected);
    }
    buffer_clear(&found);
}

/* A NUL is nothing special, and none is read behind the end. */
static void test_any_bytes(void **state)
{
    static const char text[] = {'a', '\0', ';', 'q', '=', '0', '\0', ',', '\0', ',', (char)0xff};
    struct bytes list = {text, sizeof text};
    struct accept_item item;
    (void)state;
    assert_true(accept_next(&list, &item));
    assert_int_equal(item.name.len, 2);
    assert_int_equal(item.weight, WEIGHT_MAX);
    assert_true(accept_next(&list, &item));
    assert_int_equal(item.name.len, 1);
    assert_true(accept_next(&list, &item));
    assert_int_equal((unsigned char)item.name.data[0], 0xff);
    assert_false(accept_next(&list, &item));
}

#define OBJECTS (MEDIA_BIT(MEDIA_JSON) | MEDIA_BIT(MEDIA_MSGPACK))
#define TABLES  MEDIA_BIT(MEDIA_CSV)

static const struct {
    const char *accept, *more; /* the values of two fields; NULL: there is none */
    enum media objects, all;   /* what is answered where no table is offered, and where everything is */
} CHOICES[] = {
    {NULL, NULL, MEDIA_JSON, MEDIA_JSON},
    {"", NULL, MEDIA_JSON, MEDIA_JSON},
    {"*/*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/json", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpack", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/csv", NULL, MEDIA_JSON, MEDIA_CSV},
    {"text/*", NULL, MEDIA_JSON, MEDIA_CSV},
    {"Application/MsgPack", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"TEXT/CSV;charset=UTF-8", NULL, MEDIA_JSON, MEDIA_CSV},
    {"text/csv; header=present; charset=\"utf-8\"", NULL, MEDIA_JSON, MEDIA_CSV},
    {"text/html", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/x-msgpack", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpackx", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpac", NULL, MEDIA_JSON, MEDIA_JSON},
    {"text/csvs, xtext/csv, text", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/", NULL, MEDIA_JSON, MEDIA_JSON},
    {"*/msgpack", NULL, MEDIA_JSON, MEDIA_JSON},
    {"garbage", NULL, MEDIA_JSON, MEDIA_JSON},
    {",,;;==\"", NULL, MEDIA_JSON, MEDIA_JSON},
    /* JSON wins ties, then MessagePack. */
    {"application/msgpack, application/json", NULL, MEDIA_JSON, MEDIA_JSON},
    {"text/csv, application/msgpack", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/csv, application/json", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpack, application/*", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    /* But what is named comes before what a wildcard covers. */
    {"application/msgpack, */*", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"*/*, application/msgpack", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"application/msgpack;q=0.5, */*;q=0.5", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/csv, */*", NULL, MEDIA_JSON, MEDIA_CSV},
    {"text/csv, application/msgpack, */*", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/*, */*", NULL, MEDIA_JSON, MEDIA_CSV},
    {"application/json, text/plain, */*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/json, text/*, */*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"text/html, */*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpack;q=0, */*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpack;q=0, */*;q=0", NULL, MEDIA_JSON, MEDIA_JSON},
    /* The higher weight. */
    {"application/json;q=0.5, application/msgpack", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"application/json;q=0.5, application/msgpack;q=0.501", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"application/json;q=0.5, application/msgpack;q=0.499", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/msgpack, */*;q=0.9", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"*/*;q=0.9, application/msgpack", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/csv, application/json;q=0.9", NULL, MEDIA_JSON, MEDIA_CSV},
    {"text/csv;q=0.8, application/msgpack;q=0.7, application/json;q=0.6", NULL, MEDIA_MSGPACK, MEDIA_CSV},
    {"application/msgpack;q=0.001", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/html, application/xhtml+xml, application/xml;q=0.9, image/webp, */*;q=0.8", NULL, MEDIA_JSON,
     MEDIA_JSON},
    {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", NULL, MEDIA_JSON, MEDIA_JSON},
    /* The more precise range has its say, whatever the order. */
    {"*/*, application/json;q=0.5", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"application/json;q=0.5, */*", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"application/*;q=0.5, */*", NULL, MEDIA_JSON, MEDIA_CSV},
    {"*/*;q=0.1, text/*;q=0.2, text/csv;q=0.05", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/*;q=0.9, application/json;q=0.8, text/csv;q=0.85", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/csv;q=0.3, text/csv;q=0.6, application/json;q=0.5", NULL, MEDIA_JSON, MEDIA_CSV},
    {"text/csv;q=0.6, text/csv;q=0.3, application/json;q=0.5", NULL, MEDIA_JSON, MEDIA_CSV},
    /* A weight of zero is a no. */
    {"application/json;q=0", NULL, MEDIA_JSON, MEDIA_JSON}, /* to all that there is */
    {"*/*;q=0", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/json;q=0, */*", NULL, MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"*/*, application/json;q=0, application/msgpack;q=0.0", NULL, MEDIA_JSON, MEDIA_CSV},
    {"application/*;q=0, */*;q=0.1", NULL, MEDIA_JSON, MEDIA_CSV},
    {"application/msgpack;q=0, application/*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"text/csv;q=0", NULL, MEDIA_JSON, MEDIA_JSON},
    {"text/csv;q=0, text/*", NULL, MEDIA_JSON, MEDIA_JSON},
    {"application/json;q=0, application/msgpack;q=0, text/csv;q=0", NULL, MEDIA_JSON, MEDIA_JSON},
    /* Two fields are one list. */
    {"application/json;q=0.5", "application/msgpack", MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"application/msgpack", "application/json;q=0.5", MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"*/*", "application/json;q=0", MEDIA_MSGPACK, MEDIA_MSGPACK},
    {"text/csv", "", MEDIA_JSON, MEDIA_CSV},
};

static void check_choice(const char *name, const char *offered_name, const struct accept *accept,
                         unsigned offered, enum media expected)
{
    enum media found = negotiate_media(accept, offered);
    if (found != expected)
        fail_msg("\"%s\" of %s: is %s, expected %s", name, offered_name, media_row(found)->type,
                 media_row(expected)->type);
}

static void test_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CHOICES); i++) {
        const char *name = CHOICES[i].accept != NULL ? CHOICES[i].accept : "(none)";
        struct accept accept = {.of[0].weight = 0};
        if (CHOICES[i].accept != NULL)
            accept_add(&accept, bytes_of(CHOICES[i].accept));
        if (CHOICES[i].more != NULL)
            accept_add(&accept, bytes_of(CHOICES[i].more));
        check_choice(name, "objects", &accept, OBJECTS, CHOICES[i].objects);
        check_choice(name, "everything", &accept, OBJECTS | TABLES, CHOICES[i].all);
        check_choice(name, "tables", &accept, TABLES, MEDIA_CSV); /* there is nothing to choose */
    }
}

static const struct {
    const char *accept_encoding; /* lines with | between them */
    enum encoding expected;
} ENCODINGS[] = {
    {NULL, ENCODING_IDENTITY},
    {"", ENCODING_IDENTITY},
    {"gzip", ENCODING_GZIP},
    {"GZip", ENCODING_GZIP},
    {"deflate, gzip, br", ENCODING_GZIP},
    {"deflate,gzip", ENCODING_GZIP},
    {" \tgzip\t", ENCODING_GZIP},
    {"gzip;q=1", ENCODING_GZIP},
    {"gzip;q=0.5", ENCODING_GZIP},
    {"gzip;q=0.001", ENCODING_GZIP},
    {"gzip ; q=0.001", ENCODING_GZIP},
    {"gzip;q=0", ENCODING_IDENTITY},
    {"gzip;q=0.0", ENCODING_IDENTITY},
    {"gzip;q=0.000", ENCODING_IDENTITY},
    {"gzip; q=0", ENCODING_IDENTITY},
    {"gzip;Q=0", ENCODING_IDENTITY},
    {"gzip;q=0, *", ENCODING_IDENTITY},
    {"*, gzip;q=0", ENCODING_IDENTITY},
    {"*", ENCODING_GZIP},
    {"*;q=0", ENCODING_IDENTITY},
    {"*;q=0.1", ENCODING_GZIP},
    {"*;q=0, gzip", ENCODING_GZIP},
    {"identity", ENCODING_IDENTITY},
    {"identity;q=0", ENCODING_IDENTITY},
    {"br", ENCODING_IDENTITY},
    {"gzipped", ENCODING_IDENTITY},
    {"gzi", ENCODING_IDENTITY},
    {",,", ENCODING_IDENTITY},
    {", gzip", ENCODING_GZIP},
    {";", ENCODING_IDENTITY},
    {"deflate;q=1.0, gzip;q=0.8", ENCODING_GZIP},
    {"zstd", ENCODING_ZSTD},
    {"gzip, deflate, br, zstd", ENCODING_ZSTD},
    {"gzip;q=1.0, zstd;q=0.9", ENCODING_GZIP},
    {"gzip;q=0.9, ZSTD;q=0.9", ENCODING_ZSTD},
    {"zstd;q=0, gzip", ENCODING_GZIP},
    {"zstd;q=0", ENCODING_IDENTITY},
    {"zstd;q=0.5, *", ENCODING_GZIP},
    {"zstd, *;q=0", ENCODING_ZSTD},
    {"gzip;q=0, zstd;q=0.1", ENCODING_ZSTD},
    {"gzip|br", ENCODING_GZIP},
    {"br|gzip", ENCODING_GZIP},
    {"gzip;q=0|*", ENCODING_IDENTITY},
    {"*|gzip;q=0", ENCODING_IDENTITY},
    {"gzip|", ENCODING_GZIP},
    {"gzip|zstd", ENCODING_ZSTD},
    {"zstd;q=0.5|gzip", ENCODING_GZIP},
    {"a|b|c|d|e|f|g|gzip", ENCODING_GZIP},
    {"gzip|b|c|d|e|f|g|h|i", ENCODING_IDENTITY},
};

static void test_encodings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ENCODINGS); i++) {
        struct field_lines lines = {.count = 0};
        const char *name = ENCODINGS[i].accept_encoding != NULL ? ENCODINGS[i].accept_encoding : "(none)";
        for (const char *line = ENCODINGS[i].accept_encoding; line != NULL;) {
            const char *end = strchr(line, '|');
            field_lines_add(&lines, (struct bytes){line, end != NULL ? (size_t)(end - line) : strlen(line)});
            line = end != NULL ? end + 1 : NULL;
        }
        enum encoding found = negotiate_encoding(&lines);
        if (found != ENCODINGS[i].expected)
            fail_msg("\"%s\": is %s, expected %s", name, encoding_name(found),
                     encoding_name(ENCODINGS[i].expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_encodings),
    };
    return cmocka_run_group_tests_name("api_negotiation", tests, NULL, NULL);
}
