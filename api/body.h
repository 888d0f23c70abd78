/* api/body.h - a finished body: what is sent, shared by everybody who asked for the same. Immutable and counted; the
 * last reference frees it. Any thread. */
#ifndef ECOSYS_API_BODY_H
#define ECOSYS_API_BODY_H

#include <stdatomic.h>

#include "api/compress.h"
#include "api/field_lines.h"
#include "api/media.h"
#include "common/buffer.h"
#include "common/status.h"

#define ETAG_MAX      40 /* W/"32 hexadecimal digits" and a NUL */
#define BODY_HEAD_MAX 192

/* Bytes of bodies: all there are, and those of them that some cache keeps. The others are on their way to clients, or
 * about to be kept. */
struct body_count {
    atomic_size_t all, kept;
};

struct body {
    atomic_uint references;
    struct body_count *count; /* not owned; NULL: not counted */
    char *data;               /* owned; mapped from `file` where there is one */
    size_t len;
    int file; /* owned; the same bytes, for sendfile; -1: none */
    enum media media;
    enum encoding encoding;
    char etag[ETAG_MAX]; /* of the content before encoding */
    char head
        [BODY_HEAD_MAX]; /* the lines of a 200 that are the same for everybody, each with its end of line */
    size_t head_len;
};

/* Takes the buffer's memory, even on failure. Content of less than COMPRESS_LEN_MIN bytes is not encoded, whatever
 * `encoding` says. */
MUST_CHECK enum status body_new(struct buffer *take_content, enum media media, enum encoding encoding,
                                struct body **out, struct error *err);

/* Has sendfile take the body from memory that is a file, which spares copying it into each connection, and costs a
 * descriptor: for what most people ask for. Before anybody else has the body. A short one stays as it is, and so does
 * one that the system has no file for. */
void body_to_file(struct body *body);

struct body *body_ref(struct body *body);
void body_unref(struct body *body); /* NULL is fine */

/* Has the body counted, from its making to its end; `count` must outlive it. */
void body_count_in(struct body *body, struct body_count *count);

/* A cache keeps the body, or does so no more. Besides its reference, and one cache at a time. */
void body_keep(struct body *body);
void body_let_go(struct body *body);

/* Bytes of counted bodies that no cache keeps. */
size_t body_count_unkept(const struct body_count *count);

/* True when If-None-Match matches: "*", or a list that holds the ETag, compared weakly. False when it came in more lines
 * than are kept. */
bool body_is_known(const struct body *body, const struct field_lines *if_none_match);

#endif
