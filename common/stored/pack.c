/* common/stored/pack.c - the only file that calls msgpack-c. Bytes are scanned before they reach the library, and only
 * msgpack_unpack_next over a whole buffer is used. */
#include "common/stored/pack.h"

#include <msgpack.h>

#include "common/base/utf8.h"
#include "common/stored/pack_scan.h"

static const char OUT_OF_MEMORY[] = "out of memory"; /* recognised by its address */

static int append(void *data, const char *bytes, size_t len)
{
    buffer_append(data, bytes, len);
    return buffer_is_failed(data) ? -1 : 0;
}

static msgpack_packer packer_to(struct buffer *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, append);
    return packer;
}

void pack_array(struct buffer *out, uint32_t count)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_array(&packer, count);
}

void pack_map(struct buffer *out, uint32_t count)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_map(&packer, count);
}

void pack_nil(struct buffer *out)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_nil(&packer);
}

void pack_bool(struct buffer *out, bool value)
{
    msgpack_packer packer = packer_to(out);
    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void pack_int(struct buffer *out, int64_t value)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_int64(&packer, value);
}

void pack_uint(struct buffer *out, uint64_t value)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_uint64(&packer, value);
}

void pack_double(struct buffer *out, double value)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_double(&packer, value);
}

void pack_text(struct buffer *out, struct bytes text)
{
    msgpack_packer packer = packer_to(out);
    if (text.data == NULL) {
        (void)msgpack_pack_nil(&packer);
        return;
    }
    (void)msgpack_pack_str(&packer, text.len);
    (void)msgpack_pack_str_body(&packer, text.data, text.len);
}

void pack_bin(struct buffer *out, const void *data, size_t len)
{
    msgpack_packer packer = packer_to(out);
    (void)msgpack_pack_bin(&packer, len);
    (void)msgpack_pack_bin_body(&packer, data, len);
}

enum status fields_open(struct fields *fields, struct bytes packed, size_t *offset, uint32_t count,
                        struct error *err)
{
    *fields = (struct fields){.next = NULL};
    size_t end = *offset;
    if (pack_scan(packed, &end, err) != STATUS_OK)
        return err->code;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t unpacked_end = *offset;
    msgpack_unpack_return result = msgpack_unpack_next(&unpacked, packed.data, end, &unpacked_end);
    fields->zone = msgpack_unpacked_release_zone(&unpacked);
    if (result == MSGPACK_UNPACK_NOMEM_ERROR)
        return error_no_memory(err);
    if (result != MSGPACK_UNPACK_SUCCESS || unpacked_end != end)
        return error_set(err, STATUS_CORRUPT, "MessagePack at byte %zu cannot be read", *offset);
    if (unpacked.data.type != MSGPACK_OBJECT_ARRAY)
        return error_set(err, STATUS_CORRUPT, "MessagePack at byte %zu is not an array", *offset);
    if (count != FIELDS_ANY && unpacked.data.via.array.size != count)
        return error_set(err, STATUS_CORRUPT, "MessagePack at byte %zu is not an array of %u", *offset,
                         count);
    fields->next = unpacked.data.via.array.ptr;
    fields->left = unpacked.data.via.array.size;
    *offset = end;
    return STATUS_OK;
}

void fields_refuse(struct fields *fields, const char *problem)
{
    if (fields->problem != NULL)
        return;
    fields->problem = problem;
    fields->left = 0;
}

void fields_out_of_memory(struct fields *fields)
{
    fields_refuse(fields, OUT_OF_MEMORY);
}

/* The next value, or NULL if there is none or it is of another type. */
static const msgpack_object *take(struct fields *fields, msgpack_object_type type, const char *problem)
{
    if (fields->left == 0 || fields->next->type != type) {
        fields_refuse(fields, problem);
        return NULL;
    }
    fields->left--;
    fields->at++;
    return fields->next++;
}

int64_t fields_int(struct fields *fields, int64_t low, int64_t high)
{
    static const char problem[] = "not a whole number within its range";
    bool is_negative = fields->left > 0 && fields->next->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
    const msgpack_object *value = take(
        fields, is_negative ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER, problem);
    if (value == NULL)
        return 0;
    bool is_beyond = !is_negative && value->via.u64 > INT64_MAX;
    if (is_beyond || value->via.i64 < low || value->via.i64 > high) {
        fields_refuse(fields, problem);
        return 0;
    }
    return value->via.i64;
}

uint64_t fields_uint(struct fields *fields, uint64_t high)
{
    static const char problem[] = "not a whole number within its range";
    const msgpack_object *value = take(fields, MSGPACK_OBJECT_POSITIVE_INTEGER, problem);
    if (value != NULL && value->via.u64 <= high)
        return value->via.u64;
    fields_refuse(fields, problem);
    return 0;
}

bool fields_bool(struct fields *fields)
{
    const msgpack_object *value = take(fields, MSGPACK_OBJECT_BOOLEAN, "not true or false");
    return value != NULL && value->via.boolean;
}

struct bytes fields_text(struct fields *fields)
{
    if (fields_take_nil(fields))
        return (struct bytes){NULL, 0};
    const msgpack_object *value = take(fields, MSGPACK_OBJECT_STR, "not a text");
    if (value == NULL)
        return (struct bytes){NULL, 0};
    struct bytes text = {value->via.str.ptr, value->via.str.size};
    if (text.len == 0)
        return (struct bytes){"", 0};
    if (utf8_is_valid(text))
        return text;
    fields_refuse(fields, "not UTF-8");
    return (struct bytes){NULL, 0};
}

struct bytes fields_bin(struct fields *fields, size_t len)
{
    const msgpack_object *value = take(fields, MSGPACK_OBJECT_BIN, "not a bin");
    if (value != NULL && value->via.bin.size == len)
        return (struct bytes){value->via.bin.ptr, len};
    fields_refuse(fields, "not a bin of the right length");
    return (struct bytes){NULL, 0};
}

struct bytes fields_copy_text(struct fields *fields, struct arena *arena)
{
    struct bytes text = fields_text(fields);
    if (text.data == NULL)
        return text;
    struct bytes copy = arena_copy(arena, text);
    if (copy.data == NULL)
        fields_out_of_memory(fields);
    return copy;
}

bool fields_take_nil(struct fields *fields)
{
    if (fields->left == 0 || fields->next->type != MSGPACK_OBJECT_NIL)
        return false;
    fields->left--;
    fields->at++;
    fields->next++;
    return true;
}

bool fields_next_is_array(const struct fields *fields)
{
    return fields->left > 0 && fields->next->type == MSGPACK_OBJECT_ARRAY;
}

struct fields fields_array(struct fields *fields)
{
    const msgpack_object *value = take(fields, MSGPACK_OBJECT_ARRAY, "not an array");
    if (value == NULL)
        return (struct fields){.next = NULL};
    return (struct fields){.next = value->via.array.ptr, .left = value->via.array.size};
}

static void free_zone(struct fields *fields)
{
    if (fields->zone != NULL)
        msgpack_zone_free(fields->zone);
    fields->zone = NULL;
    fields->next = NULL;
}

enum status fields_abandon(struct fields *fields, const struct error *err)
{
    free_zone(fields);
    return err->code;
}

enum status fields_close(struct fields *fields, const char *what, struct error *err)
{
    if (fields->left > 0)
        fields_refuse(fields, "more values than it has");
    free_zone(fields);
    if (fields->problem == NULL)
        return STATUS_OK;
    if (fields->problem == OUT_OF_MEMORY)
        return error_no_memory(err);
    return error_set(err, STATUS_CORRUPT, "%s, field %u: %s", what, fields->at, fields->problem);
}
