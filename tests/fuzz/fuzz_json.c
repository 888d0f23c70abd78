/* tests/fuzz/fuzz_json.c - JSON documents, as scoring models and request bodies are, from any bytes. A tree that was
 * read is within its limits, and printed it is read as the same tree. */
#include "common/base/buffer.h"
#include "common/base/json.h"
#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void print_text(struct bytes text, struct buffer *out)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c == '"' || c == '\\')
            buffer_append_format(out, "\\u%04x", c);
        else
            buffer_append_char(out, (char)c);
    }
    buffer_append_char(out, '"');
}

static void print_begin(const struct json *node, struct buffer *out)
{
    static const char *const words[] = {[JSON_NULL] = "null", [JSON_ARRAY] = "[", [JSON_OBJECT] = "{"};
    if (node->key.data != NULL) {
        print_text(node->key, out);
        buffer_append_char(out, ':');
    }
    if (node->type == JSON_TEXT)
        print_text(node->text, out);
    else if (node->type == JSON_NUMBER)
        buffer_append(out, node->text.data, node->text.len);
    else
        buffer_append_text(out, node->type != JSON_BOOL ? words[node->type] : node->truth ? "true" : "false");
}

static void print_end(const struct json *node, struct buffer *out)
{
    if (node->type == JSON_ARRAY || node->type == JSON_OBJECT)
        buffer_append_char(out, node->type == JSON_ARRAY ? ']' : '}');
}

static void check_node(const struct json *node)
{
    size_t count = 0;
    MUST_HOLD(utf8_is_valid(node->text) && utf8_is_valid(node->key));
    for (const struct json *item = node->first; item != NULL; item = item->next, count++)
        for (const struct json *other = item->next; other != NULL && node->type == JSON_OBJECT;
             other = other->next)
            MUST_HOLD(!bytes_equal(item->key, other->key));
    MUST_HOLD(count == node->count && (node->type != JSON_OBJECT || count <= JSON_MEMBERS_MAX));
}

/* Checks each node and prints the whole. */
static void print(const struct json *node, struct buffer *out)
{
    const struct json *open[JSON_DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        check_node(node);
        print_begin(node, out);
        if (node->first != NULL) {
            MUST_HOLD(depth < JSON_DEPTH_MAX);
            open[depth++] = node;
            node = node->first;
            continue;
        }
        print_end(node, out);
        for (; depth > 0 && node->next == NULL; print_end(node, out))
            node = open[--depth];
        if (depth == 0)
            return;
        buffer_append_char(out, ',');
        node = node->next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    const struct json *document;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    if (json_parse(&arena, (struct bytes){(const char *)data, size}, &document, &err) == STATUS_OK) {
        print(document, &once);
        MUST_HOLD(json_parse(&arena, buffer_bytes(&once), &document, &err) == STATUS_OK);
        print(document, &twice);
        MUST_HOLD(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    } else {
        MUST_HOLD(err.code == STATUS_INVALID);
    }
    buffer_clear(&once);
    buffer_clear(&twice);
    arena_clear(&arena);
    return 0;
}
