/* tests/fuzz/fuzz.h - what the fuzzers share: how one says that something does not hold, and random numbers that are
 * the same for the same input. Each fuzz_NAME.c is a program of its own. */
#ifndef ECOSYS_TESTS_FUZZ_FUZZ_H
#define ECOSYS_TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert, in every kind of build. */
#define MUST_HOLD(condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* FNV-1a: where an input is cut or changed depends on the input alone. */
static inline uint32_t fuzz_hash(struct bytes text)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash;
}

/* xorshift; *state is not 0. */
static inline uint32_t fuzz_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
