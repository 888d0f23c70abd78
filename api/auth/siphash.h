/* api/auth/siphash.h - SipHash-2-4 with 128 bits (Aumasson and Bernstein, https://www.aumasson.jp/siphash/): a keyed
 * hash that nobody without the key can predict or invert, at some 50 ns for what an Authorization header holds. Keys
 * are random and never leave the process. Pure; any thread. */
#ifndef ECOSYS_API_AUTH_SIPHASH_H
#define ECOSYS_API_AUTH_SIPHASH_H

#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/status.h"

struct siphash_key {
    uint64_t words[2];
};

struct siphash_tag {
    uint64_t words[2];
};

/* A key from the kernel's random numbers. */
MUST_CHECK enum status siphash_new_key(struct siphash_key *out, struct error *err);

struct siphash_tag siphash(const struct siphash_key *key, struct bytes text);

#endif
