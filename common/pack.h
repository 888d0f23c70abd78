/* common/pack.h - MessagePack in small steps: pack_ writes one value to a buffer, fields_ reads the values of one
 * array in their order. The first value that is not what was asked for makes the reader bad: later reads give
 * zeros, and fields_close says what was wrong. One thread at a time. */
#ifndef ECOSYS_COMMON_PACK_H
#define ECOSYS_COMMON_PACK_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/bytes.h"
#include "common/status.h"

struct msgpack_object;
struct msgpack_zone;

void pack_array(struct buffer *out, uint32_t count);
void pack_map(struct buffer *out, uint32_t count);
void pack_nil(struct buffer *out);
void pack_bool(struct buffer *out, bool value);
void pack_int(struct buffer *out, int64_t value);
void pack_uint(struct buffer *out, uint64_t value);
void pack_double(struct buffer *out, double value);
void pack_text(struct buffer *out, struct bytes text); /* nil without data */
void pack_bin(struct buffer *out, const void *data, size_t len);

struct fields {
    const struct msgpack_object *next;
    uint32_t left;
    uint32_t at;         /* number of the field that is read next, from 0 */
    const char *problem; /* NULL while all is well */
    struct msgpack_zone *zone;
};

#define FIELDS_ANY UINT32_MAX /* an array of any length */

/* Reads the array of `count` values at *offset and moves *offset behind it. fields_close must follow, whatever
 * the result. Texts and bins borrow from `packed`. */
MUST_CHECK enum status fields_open(struct fields *fields, struct bytes packed, size_t *offset, uint32_t count,
                                   struct error *err);

/* Each takes the next value. */
int64_t fields_int(struct fields *fields, int64_t low, int64_t high);
uint64_t fields_uint(struct fields *fields, uint64_t high);
bool fields_bool(struct fields *fields);
struct bytes fields_text(struct fields *fields);            /* well-formed UTF-8; nil is no data */
struct bytes fields_bin(struct fields *fields, size_t len); /* of exactly that length */
/* A text whose copy is in the arena. */
struct bytes fields_copy_text(struct fields *fields, struct arena *arena);
bool fields_take_nil(struct fields *fields);            /* true, and takes it, when the next value is nil */
bool fields_next_is_array(const struct fields *fields); /* takes nothing */

/* Opens the array that is the next value; its zone belongs to `fields`. */
struct fields fields_array(struct fields *fields);

/* For checks that the readers above do not know. */
void fields_refuse(struct fields *fields, const char *problem);

/* What was read cannot be kept; not the bytes' fault. */
void fields_out_of_memory(struct fields *fields);

/* Frees what fields_open took and reports the first problem, or that values are left, as STATUS_CORRUPT, or as
 * STATUS_NO_MEMORY after fields_out_of_memory. */
MUST_CHECK enum status fields_close(struct fields *fields, const char *what, struct error *err);

/* Frees after a fields_open that failed, and returns the code of the error that it left. */
enum status fields_abandon(struct fields *fields, const struct error *err);

#endif
