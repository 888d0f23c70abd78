/* common/stored/pack.h - MessagePack in small steps: pack_ functions write one value to a buffer, fields_ functions
 * read the values of one array in order. The first unexpected value puts the reader in a failed state: later reads
 * return zeros, and fields_close reports what was wrong. One thread at a time. */
#ifndef ECOSYS_COMMON_STORED_PACK_H
#define ECOSYS_COMMON_STORED_PACK_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/status.h"

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
    uint32_t at;         /* number of the next field, from 0 */
    const char *problem; /* NULL while there is none */
    struct msgpack_zone *zone;
};

#define FIELDS_ANY UINT32_MAX /* an array of any length */

/* Reads the array of `count` values at *offset and advances *offset past it. fields_close must follow, or
 * fields_abandon after a failure. Texts and bins borrow from `packed`. */
MUST_CHECK enum status fields_open(struct fields *fields, struct bytes packed, size_t *offset, uint32_t count,
                                   struct error *err);

/* Each takes the next value. */
int64_t fields_int(struct fields *fields, int64_t low, int64_t high);
uint64_t fields_uint(struct fields *fields, uint64_t high);
bool fields_bool(struct fields *fields);
struct bytes fields_text(struct fields *fields);            /* well-formed UTF-8; NULL data for nil */
struct bytes fields_bin(struct fields *fields, size_t len); /* of exactly `len` bytes */
/* Copies the text into the arena. */
struct bytes fields_copy_text(struct fields *fields, struct arena *arena);
bool fields_take_nil(struct fields *fields); /* if the next value is nil, takes it and returns true */
bool fields_next_is_array(const struct fields *fields); /* takes nothing */

/* Opens the next value, which is an array; its zone belongs to `fields`. */
struct fields fields_array(struct fields *fields);

/* For checks beyond those of the readers above. */
void fields_refuse(struct fields *fields, const char *problem);

/* There is no memory for what was read: the bytes are not at fault. */
void fields_out_of_memory(struct fields *fields);

/* Frees what fields_open allocated and reports the first problem, or unread values, as STATUS_CORRUPT, or as
 * STATUS_NO_MEMORY after fields_out_of_memory. */
MUST_CHECK enum status fields_close(struct fields *fields, const char *what, struct error *err);

/* Frees after a failed fields_open, and returns the code of its error. */
enum status fields_abandon(struct fields *fields, const struct error *err);

#endif
