/* tests/unit/failing_memory.h - memory that is out when a test says so, for one thread, in tests that are linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc. Libraries that are linked dynamically always get theirs. */
#ifndef ECOSYS_TESTS_UNIT_FAILING_MEMORY_H
#define ECOSYS_TESTS_UNIT_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* Allocations of this thread that still succeed before one fails; negative: all do. */
static _Thread_local int allocations_left = -1;

static bool memory_is_out(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return memory_is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_out() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_out() ? NULL : __real_realloc(memory, size);
}

#endif
