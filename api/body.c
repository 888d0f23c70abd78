/* api/body.c - ETags and gzip. */
#include "api/body.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>
#define ZLIB_CONST /* it only reads its input */
#include <zlib.h>

#define GZIP_LEVEL  6
#define GZIP_WINDOW (15 + 16) /* the largest, in gzip's format */
#define GZIP_MEMORY 9

static enum status compress_gzip(struct bytes content, struct buffer *out, struct error *err)
{
    z_stream stream = {.zalloc = Z_NULL};
    if (content.len > UINT32_MAX)
        return error_set(err, STATUS_INVALID, "a body of %zu bytes", content.len);
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return error_no_memory(err);
    buffer_reserve(out, deflateBound(&stream, (uLong)content.len));
    if (buffer_is_failed(out)) {
        deflateEnd(&stream);
        return error_no_memory(err);
    }
    stream.next_in = (const Bytef *)content.data;
    stream.avail_in = (uInt)content.len;
    stream.next_out = (Bytef *)out->data;
    stream.avail_out = (uInt)(out->capacity < UINT32_MAX ? out->capacity : UINT32_MAX);
    int result = deflate(&stream, Z_FINISH);
    out->len = stream.total_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "gzip did not finish");
}

static void set_etag(struct body *body, struct bytes content)
{
    XXH128_hash_t hash = XXH3_128bits(content.data, content.len);
    snprintf(body->etag, sizeof body->etag, "W/\"%016" PRIx64 "%016" PRIx64 "\"", (uint64_t)hash.high64,
             (uint64_t)hash.low64);
}

/* The memory of a buffer that is no longer needed otherwise, cut to its length. */
static void take_memory(struct body *body, struct buffer *from)
{
    body->data = realloc(from->data, from->len > 0 ? from->len : 1);
    if (body->data == NULL)
        body->data = from->data;
    body->len = from->len;
    *from = (struct buffer)BUFFER_INIT;
}

enum status body_new(struct buffer *take_content, enum media media, enum encoding encoding, struct body **out,
                     struct error *err)
{
    struct body *body = calloc(1, sizeof *body);
    struct buffer compressed = BUFFER_INIT;
    enum status status = STATUS_OK;
    bool compresses = encoding == ENCODING_GZIP && take_content->len >= GZIP_LEN_MIN;
    if (body == NULL || buffer_is_failed(take_content))
        status = error_no_memory(err);
    if (status == STATUS_OK) {
        set_etag(body, buffer_bytes(take_content));
        if (compresses)
            status = compress_gzip(buffer_bytes(take_content), &compressed, err);
    }
    if (status == STATUS_OK) {
        atomic_init(&body->references, 1);
        body->media = media;
        body->encoding = compresses ? ENCODING_GZIP : ENCODING_IDENTITY;
        take_memory(body, compresses ? &compressed : take_content);
        *out = body;
    } else {
        free(body);
    }
    buffer_clear(&compressed);
    buffer_clear(take_content);
    return status;
}

struct body *body_ref(struct body *body)
{
    atomic_fetch_add_explicit(&body->references, 1, memory_order_relaxed);
    return body;
}

void body_unref(struct body *body)
{
    if (body == NULL || atomic_fetch_sub_explicit(&body->references, 1, memory_order_acq_rel) > 1)
        return;
    free(body->data);
    free(body);
}

static bool separates_tags(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

static struct bytes without_weakness(struct bytes tag)
{
    bool is_weak = tag.len > 2 && tag.data[0] == 'W' && tag.data[1] == '/';
    return is_weak ? (struct bytes){tag.data + 2, tag.len - 2} : tag;
}

bool body_is_known(const struct body *body, struct bytes if_none_match)
{
    struct bytes rest = if_none_match, own = without_weakness(bytes_of(body->etag));
    while (rest.len > 0) {
        size_t skip = 0, len = 0;
        while (skip < rest.len && separates_tags(rest.data[skip]))
            skip++;
        while (skip + len < rest.len && !separates_tags(rest.data[skip + len]))
            len++;
        struct bytes tag = {rest.data + skip, len};
        if (bytes_is(tag, "*") || bytes_equal(without_weakness(tag), own))
            return true;
        rest = (struct bytes){rest.data + skip + len, rest.len - skip - len};
    }
    return false;
}
