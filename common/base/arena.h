/* common/base/arena.h - memory that is freed all at once: a snapshot, a settings table, a parsed document. arena_init
 * and arena_clear own it; what arena_take returns is valid until arena_clear. One thread at a time. */
#ifndef ECOSYS_COMMON_BASE_ARENA_H
#define ECOSYS_COMMON_BASE_ARENA_H

#include <stddef.h>

#include "common/base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t total_len;           /* bytes allocated from the heap */
};

void arena_init(struct arena *arena);
void arena_clear(struct arena *arena);

/* `len` zeroed bytes aligned for any type, or NULL when out of memory. */
void *arena_take(struct arena *arena, size_t len);

/* Like arena_take, for `count` items of `size` bytes; NULL also when the product overflows. */
void *arena_take_array(struct arena *arena, size_t count, size_t size);

/* A copy followed by a NUL that is not counted in the length; its data is NULL when out of memory. */
struct bytes arena_copy(struct arena *arena, struct bytes text);

#endif
