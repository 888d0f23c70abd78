/* api/formats/representation.h - the finished content of an answer in one media type and encoding, with its ETag,
 * shared by everybody who asked for the same. Immutable and reference-counted; the last reference frees it. Any
 * thread. */
#ifndef ECOSYS_API_FORMATS_REPRESENTATION_H
#define ECOSYS_API_FORMATS_REPRESENTATION_H

#include <stdatomic.h>

#include "api/formats/compression.h"
#include "api/formats/media.h"
#include "common/base/buffer.h"
#include "common/base/status.h"

#define ETAG_MAX                40 /* W/"32 hexadecimal digits" and a NUL */
#define REPRESENTATION_HEAD_MAX 192

/* Bytes of all representations, and of those that a cache keeps. The others are on their way to clients, or about to be
 * kept. */
struct representation_count {
    atomic_size_t all, kept;
};

struct representation {
    atomic_uint references;
    struct representation_count *count; /* not owned; NULL: not counted */
    char *data;                         /* owned; mapped from `file` if there is one */
    size_t len;
    int file; /* owned; the same bytes, for sendfile; -1: none */
    enum media media;
    enum encoding encoding;
    char etag[ETAG_MAX]; /* W/ and XXH3-128 of the content before encoding: the same in all processes */
    char head[REPRESENTATION_HEAD_MAX]; /* the lines of a 200 that are the same for everybody */
    size_t head_len;
};

/* Takes the buffer's memory, even on failure. Short content is not encoded, whatever `encoding` says (encoding_for). */
MUST_CHECK enum status representation_new(struct buffer *take_content, enum media media,
                                          enum encoding encoding, struct representation **out,
                                          struct error *err);

/* Moves the content to a memory file, from which sendfile takes it without copying it into each socket, for a fifth
 * less processor time (docs/benchmarks.md). Costs a descriptor, so this is for what is requested most. Must come before
 * anybody else has the representation. It stays as it is if it is short or very long, or if the system has no file. */
void representation_to_file(struct representation *representation);

struct representation *representation_ref(struct representation *representation);
void representation_unref(struct representation *representation); /* NULL is fine */

/* Counts it until it is freed; `count` must outlive it. */
void representation_count_in(struct representation *representation, struct representation_count *count);

/* Marks it as kept by a cache, or no longer so; its reference is separate. One cache at a time. */
void representation_keep(struct representation *representation);
void representation_let_go(struct representation *representation);

/* Bytes of counted ones that no cache keeps. */
size_t representation_count_unkept(const struct representation_count *count);

#endif
