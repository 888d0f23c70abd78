/* api/formats/representation.c - the ETag, and what else is made once per body. */
#include "api/formats/representation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static void set_etag(struct representation *body, struct bytes content)
{
    XXH128_hash_t hash = XXH3_128bits(content.data, content.len);
    snprintf(body->etag, sizeof body->etag, "W/\"%016" PRIx64 "%016" PRIx64 "\"", (uint64_t)hash.high64,
             (uint64_t)hash.low64);
}

static void set_head(struct representation *body)
{
    bool is_encoded = body->encoding != ENCODING_IDENTITY;
    int len = snprintf(body->head, sizeof body->head,
                       "Content-Length: %zu\r\nContent-Type: %s\r\n%s%s%sETag: %s\r\n", body->len,
                       media_row(body->media)->content_type, is_encoded ? "Content-Encoding: " : "",
                       is_encoded ? encoding_name(body->encoding) : "", is_encoded ? "\r\n" : "", body->etag);
    body->head_len = (size_t)len;
}

/* Takes the buffer's memory, cut to its length. */
static void take_memory(struct representation *body, struct buffer *from)
{
    body->data = realloc(from->data, from->len > 0 ? from->len : 1);
    if (body->data == NULL)
        body->data = from->data;
    body->len = from->len;
    *from = (struct buffer)BUFFER_INIT;
}

enum status representation_new(struct buffer *take_content, enum media media, enum encoding encoding,
                               struct representation **out, struct error *err)
{
    struct representation *body = calloc(1, sizeof *body);
    struct buffer compressed = BUFFER_INIT;
    enum status status = STATUS_OK;
    bool compresses = encoding != ENCODING_IDENTITY && take_content->len >= COMPRESS_LEN_MIN;
    if (body == NULL || buffer_is_failed(take_content))
        status = error_no_memory(err);
    if (status == STATUS_OK) {
        set_etag(body, buffer_bytes(take_content));
        if (compresses)
            status = compress_append(buffer_bytes(take_content), encoding, &compressed, err);
    }
    if (status == STATUS_OK) {
        atomic_init(&body->references, 1);
        body->media = media;
        body->encoding = compresses ? encoding : ENCODING_IDENTITY;
        take_memory(body, compresses ? &compressed : take_content);
        set_head(body);
        *out = body;
    } else {
        free(body);
    }
    buffer_clear(&compressed);
    buffer_clear(take_content);
    return status;
}

struct representation *representation_ref(struct representation *body)
{
    atomic_fetch_add_explicit(&body->references, 1, memory_order_relaxed);
    return body;
}

void representation_unref(struct representation *body)
{
    if (body == NULL || atomic_fetch_sub_explicit(&body->references, 1, memory_order_acq_rel) > 1)
        return;
    if (body->count != NULL)
        atomic_fetch_sub_explicit(&body->count->all, body->len, memory_order_relaxed);
    free(body->data);
    free(body);
}

void representation_count_in(struct representation *body, struct representation_count *count)
{
    body->count = count;
    atomic_fetch_add_explicit(&count->all, body->len, memory_order_relaxed);
}

void representation_keep(struct representation *body)
{
    if (body->count != NULL)
        atomic_fetch_add_explicit(&body->count->kept, body->len, memory_order_relaxed);
}

void representation_let_go(struct representation *body)
{
    if (body->count != NULL)
        atomic_fetch_sub_explicit(&body->count->kept, body->len, memory_order_relaxed);
}

/* The two are read one after the other: the result may be off by what changes in between, but is never below 0. */
size_t representation_count_unkept(const struct representation_count *count)
{
    size_t kept = atomic_load_explicit(&count->kept, memory_order_relaxed);
    size_t all = atomic_load_explicit(&count->all, memory_order_relaxed);
    return all > kept ? all - kept : 0;
}
