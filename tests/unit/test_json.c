/* tests/unit/test_json.c - trees, what is no JSON, and readers whose errors name the place. */
#include <inttypes.h>

#include "common/base/buffer.h"
#include "common/base/json.h"
#include "tests/unit/support.h"

static const struct json *parse(const char *text)
{
    const struct json *root = NULL;
    struct error err;
    if (json_parse(&test_arena, bytes_of(text), &root, &err) != STATUS_OK)
        fail_msg("%s: %s", text, err.message);
    return root;
}

/* A value, or the bracket that opens an array or an object, behind the name of a member. */
static void write_node(const struct json *node, struct buffer *out)
{
    if (node->key.data != NULL)
        buffer_append_format(out, "%.*s:", (int)node->key.len, node->key.data);
    if (node->type == JSON_NULL)
        buffer_append_text(out, "null");
    else if (node->type == JSON_BOOL)
        buffer_append_text(out, node->truth ? "true" : "false");
    else if (node->type == JSON_NUMBER)
        buffer_append(out, node->text.data, node->text.len);
    else if (node->type == JSON_TEXT)
        buffer_append_format(out, "'%.*s'", (int)node->text.len, node->text.data);
    else
        buffer_append_char(out, node->type == JSON_ARRAY ? '[' : '{');
}

static void write_end(const struct json *node, struct buffer *out)
{
    size_t items = 0;
    for (const struct json *item = node->first; item != NULL; item = item->next)
        items++;
    assert_int_equal(node->count, items);
    if (node->type == JSON_ARRAY || node->type == JSON_OBJECT)
        buffer_append_char(out, node->type == JSON_ARRAY ? ']' : '}');
}

/* The tree, written compactly again. */
static void write_tree(const struct json *root, struct buffer *out)
{
    const struct json *open[JSON_DEPTH_MAX], *at = root;
    size_t depth = 0;
    for (;;) {
        write_node(at, out);
        if (at->first != NULL) {
            open[depth++] = at;
            at = at->first;
            continue;
        }
        write_end(at, out);
        while (depth > 0 && at->next == NULL) {
            at = open[--depth];
            write_end(at, out);
        }
        if (depth == 0)
            return;
        buffer_append_char(out, ',');
        at = at->next;
    }
}

static void test_trees(void **state)
{
    static const struct {
        const char *text, *tree;
    } rows[] = {
        {"null", "null"},
        {" true ", "true"},
        {"false\n", "false"},
        {"0", "0"},
        {"-1.50e+10", "-1.50e+10"},
        {"123456789012345678901234567890.5", "123456789012345678901234567890.5"},
        {"\"\"", "''"},
        {"\"S\xC3\xA3o\"", "'S\xC3\xA3o'"},
        {"\"\\u00e9\\n\\\"\\\\\\/\"", "'\xC3\xA9\n\"\\/'"},
        {"\"\\ud83d\\ude00\"", "'\xF0\x9F\x98\x80'"},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[1, [2, []], {\"a\": {}}]", "[1,[2,[]],{a:{}}]"},
        {"{\"b\": 1, \"a\": [null, true], \"\": \"x\"}", "{b:1,a:[null,true],:'x'}"},
        {"{\"a\": {\"a\": {\"a\": 1}}}", "{a:{a:{a:1}}}"},
        {"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer tree = BUFFER_INIT;
        write_tree(parse(rows[i].text), &tree);
        if (!bytes_is(buffer_bytes(&tree), rows[i].tree))
            fail_msg("%s: is read as %.*s, expected %s", rows[i].text, (int)tree.len, tree.data,
                     rows[i].tree);
        buffer_clear(&tree);
    }
}

static const struct {
    const char *text, *message; /* NULL: "not JSON at byte ..." */
} NO_JSON[] = {
    {"", NULL},
    {" ", NULL},
    {"nul", NULL},
    {"nulL", NULL},
    {"True", NULL},
    {"'a'", NULL},
    {"{a: 1}", NULL},
    {"[1,]", NULL},
    {"[1 2]", NULL},
    {"{\"a\"}", NULL},
    {"{\"a\": 1,}", NULL},
    {"{1: 2}", NULL},
    {"[1", NULL},
    {"{\"a\": ", NULL},
    {"[1}", NULL},
    {"]", NULL},
    {"1 2", NULL},
    {"{} {}", NULL},
    {"{}x", NULL},
    {"[01]", NULL},
    {"[1.]", NULL},
    {"[.5]", NULL},
    {"[+1]", NULL},
    {"[1e]", NULL},
    {"-", NULL},
    {"NaN", NULL},
    {"[Infinity]", NULL},
    {"\"open", NULL},
    {"\"line\nbreak\"", NULL},
    {"\"\\x41\"", NULL},
    {"\"\\u12\"", NULL},
    {"// comment\n1", NULL},
    {"[1] /* comment */", NULL},
    {"\xEF\xBB\xBF{}", NULL},
    {"\"\xFF\"", "not UTF-8"},
    {"\"\xED\xA0\x80\"", "not UTF-8"},
    {"\"\\udc00\"", "not UTF-8"},
    {"{\"\\udfff\": 1}", "not UTF-8"},
    {"{\"a\": 1, \"a\": 2}", "member \"a\" occurs twice"},
    {"{\"a\": 1, \"\\u0061\": 2}", "member \"a\" occurs twice"},
    {"{\"b\": {\"c\": 1, \"d\": 2, \"c\": 3}}", "member \"c\" occurs twice"},
    {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "nested too deeply"},
    {"[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]", "nested too deeply"},
};

static void test_no_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(NO_JSON); i++) {
        const struct json *root = NULL;
        struct error err = {STATUS_OK, ""};
        enum status status = json_parse(&test_arena, bytes_of(NO_JSON[i].text), &root, &err);
        const char *expected = NO_JSON[i].message != NULL ? NO_JSON[i].message : "not JSON at byte ";
        if (status != STATUS_INVALID || strncmp(err.message, expected, strlen(expected)) != 0)
            fail_msg("%s: is %s \"%s\", expected invalid \"%s\"", NO_JSON[i].text, status_word(status),
                     err.message, expected);
        assert_null(root);
    }
    const struct json *root;
    struct error err;
    assert_int_equal(json_parse(&test_arena, (struct bytes){NULL, 0}, &root, &err), STATUS_INVALID);
    assert_int_equal(json_parse(&test_arena, (struct bytes){"1\0", 2}, &root, &err), STATUS_INVALID);
}

static void test_very_deep_and_very_long(void **state)
{
    struct buffer text = BUFFER_INIT;
    const struct json *root;
    struct error err;
    (void)state;
    for (int i = 0; i < 100000; i++)
        buffer_append_char(&text, '[');
    assert_int_equal(json_parse(&test_arena, buffer_bytes(&text), &root, &err), STATUS_INVALID);
    assert_string_equal(err.message, "nested too deeply");
    buffer_reset(&text);
    buffer_append_text(&text, "[0");
    for (int i = 1; i < 10000; i++)
        buffer_append_format(&text, ",%d", i);
    buffer_append_char(&text, ']');
    assert_int_equal(json_parse(&test_arena, buffer_bytes(&text), &root, &err), STATUS_OK);
    assert_int_equal(root->count, 10000);
    buffer_clear(&text);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        uint8_t scale;
        int64_t high, expected;
        const char *message; /* NULL: taken */
    } rows[] = {
        {"{\"n\": 5}", 0, 10, 5, NULL},
        {"{\"n\": 10}", 0, 10, 10, NULL},
        {"{\"n\": 5.0}", 0, 10, 5, NULL},
        {"{\"n\": 1e1}", 0, 10, 10, NULL},
        {"{\"n\": -0}", 0, 10, 0, NULL},
        {"{\"n\": 0.33}", 2, 1, 33, NULL},
        {"{\"n\": 1}", 2, 1, 100, NULL},
        {"{\"n\": 11}", 0, 10, 0, "p.n: is 11, takes a number from 0 to 10 with at most 0 decimals"},
        {"{\"n\": -1}", 0, 10, 0, "p.n: is -1, takes a number from 0 to 10 with at most 0 decimals"},
        {"{\"n\": 0.333}", 2, 1, 0, "p.n: is 0.333, takes a number from 0 to 1 with at most 2 decimals"},
        {"{\"n\": 1.01}", 2, 1, 0, "p.n: is 1.01, takes a number from 0 to 1 with at most 2 decimals"},
        {"{\"n\": 1e300}", 2, 1, 0, "p.n: is 1e300, takes a number from 0 to 1 with at most 2 decimals"},
        {"{\"n\": \"1\"}", 0, 10, 0, "p.n: is a text, takes a number"},
        {"{\"n\": null}", 0, 10, 0, "p.n: is null, takes a number"},
        {"{\"n\": true}", 0, 10, 0, "p.n: is true or false, takes a number"},
        {"{\"n\": []}", 0, 10, 0, "p.n: is an array, takes a number"},
        {"{\"n\": {}}", 0, 10, 0, "p.n: is an object, takes a number"},
        {"{\"m\": 1}", 0, 10, 0, "p.n: missing"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t found = 4711;
        struct error err = {STATUS_OK, ""};
        enum status status =
            json_need_scaled(parse(rows[i].text), "p", "n", rows[i].scale, rows[i].high, &found, &err);
        int64_t expected = rows[i].message == NULL ? rows[i].expected : 4711;
        if ((status == STATUS_OK) != (rows[i].message == NULL) || found != expected)
            fail_msg("%s: is %s, %" PRId64 ", expected %" PRId64, rows[i].text, status_word(status), found,
                     expected);
        if (rows[i].message != NULL && strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: message is \"%s\", expected \"%s\"", rows[i].text, err.message, rows[i].message);
    }
}

static void test_members(void **state)
{
    static const char *const known[] = {"a", "b", NULL};
    const struct json *root = parse("{\"a\": \"x\", \"b\": -7}"), *found = NULL;
    struct error err;
    int64_t number = 0;
    (void)state;
    assert_ptr_equal(json_member(root, "a"), root->first);
    assert_null(json_member(root, "A"));
    assert_int_equal(json_need(root, "", "a", JSON_TEXT, &found, &err), STATUS_OK);
    assert_ptr_equal(found, root->first);
    assert_int_equal(json_need(root, "", "c", JSON_TEXT, &found, &err), STATUS_INVALID);
    assert_string_equal(err.message, "c: missing");
    assert_int_equal(json_need_int(root, "", "b", -7, -7, &number, &err), STATUS_OK);
    assert_int_equal(number, -7);
    assert_int_equal(json_need_int(root, "", "b", -6, 5, &number, &err), STATUS_INVALID);
    assert_string_equal(err.message, "b: is -7, takes a number from -6 to 5 with at most 0 decimals");
    assert_int_equal(json_refuse_others(root, "", known, &err), STATUS_OK);
    assert_int_equal(json_refuse_others(root, "p[1]", known + 1, &err), STATUS_INVALID);
    assert_string_equal(err.message, "p[1].a: unknown member");
    assert_int_equal(json_refuse_others(parse("{}"), "", known + 2, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trees, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_no_json, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_very_deep_and_very_long, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_numbers, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_members, init_test_arena, clear_test_arena),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
