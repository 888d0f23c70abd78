/* api/formats/representation.c - the ETag, and what else is made once for each representation. */
#include "api/formats/representation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

/* Shorter content is not worth a descriptor; longer content does not fit into a socket's buffer at once, and sent in
 * pieces it costs more from a file than from memory. */
#define FILE_LEN_MIN (64u * 1024u)
#define FILE_LEN_MAX (512u * 1024u)

static void set_etag(struct representation *made, struct bytes content)
{
    XXH128_hash_t hash = XXH3_128bits(content.data, content.len);
    snprintf(made->etag, sizeof made->etag, "W/\"%016" PRIx64 "%016" PRIx64 "\"", (uint64_t)hash.high64,
             (uint64_t)hash.low64);
}

static void set_head(struct representation *made)
{
    bool is_encoded = made->encoding != ENCODING_IDENTITY;
    int len = snprintf(made->head, sizeof made->head,
                       "Content-Length: %zu\r\nContent-Type: %s\r\n%s%s%sETag: %s\r\n", made->len,
                       media_row(made->media)->content_type, is_encoded ? "Content-Encoding: " : "",
                       is_encoded ? encoding_name(made->encoding) : "", is_encoded ? "\r\n" : "", made->etag);
    made->head_len = (size_t)len;
}

/* Takes the buffer's memory, cut to its length. */
static void take_memory(struct representation *made, struct buffer *from)
{
    made->data = realloc(from->data, from->len > 0 ? from->len : 1);
    if (made->data == NULL)
        made->data = from->data;
    made->len = from->len;
    *from = (struct buffer)BUFFER_INIT;
}

enum status representation_new(struct buffer *take_content, enum media media, enum encoding encoding,
                               struct representation **out, struct error *err)
{
    struct representation *made = calloc(1, sizeof *made);
    struct buffer compressed = BUFFER_INIT;
    enum status status = STATUS_OK;
    enum encoding applied = encoding_for(encoding, take_content->len);
    bool compresses = applied != ENCODING_IDENTITY;
    if (made == NULL || buffer_is_failed(take_content))
        status = error_no_memory(err);
    if (status == STATUS_OK) {
        set_etag(made, buffer_bytes(take_content));
        if (compresses)
            status = compress_append(buffer_bytes(take_content), applied, &compressed, err);
    }
    if (status == STATUS_OK) {
        atomic_init(&made->references, 1);
        made->media = media;
        made->file = -1;
        made->encoding = applied;
        take_memory(made, compresses ? &compressed : take_content);
        set_head(made);
        *out = made;
    } else {
        free(made);
    }
    buffer_clear(&compressed);
    buffer_clear(take_content);
    return status;
}

/* A memory file with the content; -1: none could be made. */
static int file_of(const struct representation *made)
{
    int file = memfd_create("representation", MFD_CLOEXEC);
    size_t written = 0;
    while (file >= 0 && written < made->len) {
        ssize_t len = write(file, made->data + written, made->len - written);
        if (len <= 0) {
            close(file);
            return -1;
        }
        written += (size_t)len;
    }
    return file;
}

void representation_to_file(struct representation *made)
{
    bool is_worth_it = made->len >= FILE_LEN_MIN && made->len <= FILE_LEN_MAX;
    int file = is_worth_it ? file_of(made) : -1;
    if (file < 0)
        return;
    char *data = mmap(NULL, made->len, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (data == MAP_FAILED) {
        close(file);
        return;
    }
    free(made->data);
    made->data = data;
    made->file = file;
}

struct representation *representation_ref(struct representation *made)
{
    atomic_fetch_add_explicit(&made->references, 1, memory_order_relaxed);
    return made;
}

void representation_unref(struct representation *made)
{
    if (made == NULL || atomic_fetch_sub_explicit(&made->references, 1, memory_order_acq_rel) > 1)
        return;
    if (made->count != NULL)
        atomic_fetch_sub_explicit(&made->count->all, made->len, memory_order_relaxed);
    if (made->file >= 0) {
        munmap(made->data, made->len);
        close(made->file);
    } else {
        free(made->data);
    }
    free(made);
}

void representation_count_in(struct representation *made, struct representation_count *count)
{
    made->count = count;
    atomic_fetch_add_explicit(&count->all, made->len, memory_order_relaxed);
}

void representation_keep(struct representation *made)
{
    if (made->count != NULL)
        atomic_fetch_add_explicit(&made->count->kept, made->len, memory_order_relaxed);
}

void representation_let_go(struct representation *made)
{
    if (made->count != NULL)
        atomic_fetch_sub_explicit(&made->count->kept, made->len, memory_order_relaxed);
}

/* The two are read one after the other: the result may be off by what changes in between, but is never below 0. */
size_t representation_count_unkept(const struct representation_count *count)
{
    size_t kept = atomic_load_explicit(&count->kept, memory_order_relaxed);
    size_t all = atomic_load_explicit(&count->all, memory_order_relaxed);
    return all > kept ? all - kept : 0;
}
