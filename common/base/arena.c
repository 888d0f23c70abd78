/* common/base/arena.c - blocks of at least 64 KiB, carved from the front. */
#include "common/base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define ARENA_BLOCK_LEN (64u * 1024u)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t len;
    _Alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){NULL, 0};
}

void arena_clear(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena_init(arena);
}

static struct arena_block *block_add(struct arena *arena, size_t len)
{
    size_t data_len = len > ARENA_BLOCK_LEN ? len : ARENA_BLOCK_LEN;
    struct arena_block *block = calloc(1, sizeof *block + data_len);
    if (block == NULL)
        return NULL;
    block->len = data_len;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->total_len += data_len;
    return block;
}

void *arena_take(struct arena *arena, size_t len)
{
    const size_t align = _Alignof(max_align_t);
    if (len > SIZE_MAX / 2)
        return NULL;
    size_t rounded = (len + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->len - block->used < rounded)
        block = block_add(arena, rounded);
    if (block == NULL)
        return NULL;
    void *data = block->data + block->used;
    block->used += rounded;
    return data;
}

void *arena_take_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        return NULL;
    return arena_take(arena, count * size);
}

struct bytes arena_copy(struct arena *arena, struct bytes text)
{
    char *data = text.len < SIZE_MAX / 2 ? arena_take(arena, text.len + 1) : NULL;
    if (data == NULL)
        return (struct bytes){NULL, 0};
    if (text.len > 0)
        memcpy(data, text.data, text.len);
    return (struct bytes){data, text.len};
}
