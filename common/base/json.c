/* common/base/json.c - builds a tree from yajl's events; readers whose errors name the place. */
#include "common/base/json.h"

#include <inttypes.h>
#include <yajl/yajl_parse.h>

#include "common/base/utf8.h"

#define QUOTED_MAX 60

/* One open array or object while parsing. */
struct level {
    struct json *node;
    struct json *last; /* last item of node so far */
    struct bytes key;  /* read, waiting for its value */
};

struct builder {
    struct arena *arena;
    struct error *err;
    struct level levels[JSON_DEPTH_MAX];
    size_t depth;
    struct json *root;
};

static int fail(struct builder *builder, enum status code, const char *message)
{
    (void)error_set(builder->err, code, "%s", message);
    return 0;
}

static struct json *add(struct builder *builder, enum json_type type)
{
    struct json *node = arena_take(builder->arena, sizeof *node);
    if (node == NULL) {
        (void)error_no_memory(builder->err);
        return NULL;
    }
    node->type = type;
    if (builder->depth == 0) {
        builder->root = node;
        return node;
    }
    struct level *level = &builder->levels[builder->depth - 1];
    node->key = level->key;
    if (level->last == NULL)
        level->node->first = node;
    else
        level->last->next = node;
    level->last = node;
    level->node->count++;
    return node;
}

static int on_null(void *context)
{
    return add(context, JSON_NULL) != NULL;
}

static int on_bool(void *context, int truth)
{
    struct json *node = add(context, JSON_BOOL);
    if (node == NULL)
        return 0;
    node->truth = truth != 0;
    return 1;
}

static int add_text(struct builder *builder, enum json_type type, const char *data, size_t len)
{
    struct json *node = add(builder, type);
    if (node == NULL)
        return 0;
    /* The document is UTF-8, but an escape such as \udc00 turns into bytes that are not. */
    if (!utf8_is_valid((struct bytes){data, len}))
        return fail(builder, STATUS_INVALID, "not UTF-8");
    node->text = arena_copy(builder->arena, (struct bytes){data, len});
    return node->text.data != NULL || fail(builder, STATUS_NO_MEMORY, "out of memory");
}

static int on_number(void *context, const char *data, size_t len)
{
    return add_text(context, JSON_NUMBER, data, len);
}

static int on_text(void *context, const unsigned char *data, size_t len)
{
    return add_text(context, JSON_TEXT, (const char *)data, len);
}

static int open_level(struct builder *builder, enum json_type type)
{
    if (builder->depth == JSON_DEPTH_MAX)
        return fail(builder, STATUS_INVALID, "nested too deeply");
    struct json *node = add(builder, type);
    if (node == NULL)
        return 0;
    builder->levels[builder->depth++] = (struct level){node, NULL, {NULL, 0}};
    return 1;
}

static int on_open_object(void *context)
{
    return open_level(context, JSON_OBJECT);
}

static int on_open_array(void *context)
{
    return open_level(context, JSON_ARRAY);
}

static int on_close(void *context)
{
    struct builder *builder = context;
    builder->depth--;
    return 1;
}

static int on_key(void *context, const unsigned char *data, size_t len)
{
    struct builder *builder = context;
    struct level *level = &builder->levels[builder->depth - 1];
    struct bytes key = {(const char *)data, len};
    if (!utf8_is_valid(key))
        return fail(builder, STATUS_INVALID, "not UTF-8");
    if (level->node->count == JSON_MEMBERS_MAX)
        return fail(builder, STATUS_INVALID, "too many members");
    for (const struct json *item = level->node->first; item != NULL; item = item->next)
        if (bytes_equal(item->key, key)) {
            (void)error_set(builder->err, STATUS_INVALID, "member \"%.*s\" occurs twice",
                            len < QUOTED_MAX ? (int)len : QUOTED_MAX, key.data);
            return 0;
        }
    level->key = arena_copy(builder->arena, key);
    return level->key.data != NULL || fail(builder, STATUS_NO_MEMORY, "out of memory");
}

static const yajl_callbacks CALLBACKS = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_text,
    .yajl_start_map = on_open_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_open_array,
    .yajl_end_array = on_close,
};

enum status json_parse(struct arena *arena, struct bytes text, const struct json **out, struct error *err)
{
    struct builder builder = {.arena = arena, .err = err};
    if (!utf8_is_valid(text))
        return error_set(err, STATUS_INVALID, "not UTF-8");
    yajl_handle parser = yajl_alloc(&CALLBACKS, NULL, &builder);
    if (parser == NULL)
        return error_no_memory(err);
    yajl_status result = yajl_parse(parser, (const unsigned char *)text.data, text.len);
    if (result == yajl_status_ok)
        result = yajl_complete_parse(parser);
    size_t consumed = yajl_get_bytes_consumed(parser);
    yajl_free(parser);
    if (result == yajl_status_client_canceled)
        return err->code;
    if (result != yajl_status_ok || builder.root == NULL || builder.depth != 0)
        return error_set(err, STATUS_INVALID, "not JSON at byte %zu", consumed);
    *out = builder.root;
    return STATUS_OK;
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"null",   "true or false", "a number",
                                        "a text", "an array",      "an object"};
    return names[type];
}

const struct json *json_member(const struct json *object, const char *key)
{
    for (const struct json *item = object->first; item != NULL; item = item->next)
        if (bytes_is(item->key, key))
            return item;
    return NULL;
}

static const char *dot(const char *path)
{
    return path[0] == '\0' ? "" : ".";
}

enum status json_need(const struct json *object, const char *path, const char *key, enum json_type type,
                      const struct json **out, struct error *err)
{
    const struct json *member = json_member(object, key);
    if (member == NULL) {
        (void)error_set(err, STATUS_INVALID, "%s%s%s: missing", path, dot(path), key);
        return STATUS_INVALID;
    }
    if (member->type != type) {
        (void)error_set(err, STATUS_INVALID, "%s%s%s: is %s, takes %s", path, dot(path), key,
                        json_type_name(member->type), json_type_name(type));
        return STATUS_INVALID;
    }
    *out = member;
    return STATUS_OK;
}

/* Reads a number in units of 10^-scale, between low and high in the same units. */
static enum status need_number(const struct json *object, const char *path, const char *key, uint8_t scale,
                               int64_t low, int64_t high, int64_t *out, struct error *err)
{
    const struct json *member;
    struct decimal value;
    int64_t scaled;
    if (json_need(object, path, key, JSON_NUMBER, &member, err) != STATUS_OK)
        return err->code;
    if (!decimal_parse(member->text, &value) || !decimal_to_scaled(value, scale, &scaled) || scaled < low ||
        scaled > high) {
        char low_text[DECIMAL_TEXT_MAX], high_text[DECIMAL_TEXT_MAX];
        int64_t unit = 1;
        for (uint8_t i = 0; i < scale; i++)
            unit *= 10;
        decimal_format((struct decimal){low / unit, 0}, low_text);
        decimal_format((struct decimal){high / unit, 0}, high_text);
        return error_set(err, STATUS_INVALID,
                         "%s%s%s: is %.*s, takes a number from %s to %s with at most %u decimals", path,
                         dot(path), key, member->text.len < QUOTED_MAX ? (int)member->text.len : QUOTED_MAX,
                         member->text.data, low_text, high_text, scale);
    }
    *out = scaled;
    return STATUS_OK;
}

enum status json_need_int(const struct json *object, const char *path, const char *key, int64_t low,
                          int64_t high, int64_t *out, struct error *err)
{
    return need_number(object, path, key, 0, low, high, out, err);
}

enum status json_need_scaled(const struct json *object, const char *path, const char *key, uint8_t scale,
                             int64_t high, int64_t *out, struct error *err)
{
    int64_t unit = 1;
    for (uint8_t i = 0; i < scale; i++)
        unit *= 10;
    return need_number(object, path, key, scale, 0, high * unit, out, err);
}

enum status json_refuse_others(const struct json *object, const char *path, const char *const *known_keys,
                               struct error *err)
{
    for (const struct json *item = object->first; item != NULL; item = item->next) {
        const char *const *known = known_keys;
        while (*known != NULL && !bytes_is(item->key, *known))
            known++;
        if (*known == NULL)
            return error_set(err, STATUS_INVALID, "%s%s%.*s: unknown member", path, dot(path),
                             item->key.len < QUOTED_MAX ? (int)item->key.len : QUOTED_MAX, item->key.data);
    }
    return STATUS_OK;
}
