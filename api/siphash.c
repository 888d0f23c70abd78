/* api/siphash.c - as in the paper; bytes are little-endian words. */
#include "api/siphash.h"

#include <endian.h>
#include <errno.h>
#include <sys/random.h>

#define ROUNDS_A_WORD   2
#define ROUNDS_AT_END   4
#define MARK_OF_128     0xee /* what tells this variant from the one of 64 bits */
#define MARK_OF_FIRST   0xee
#define MARK_OF_SECOND  0xdd
#define LENGTH_AT_SHIFT 56

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, ROUNDS_A_WORD);
    v[0] ^= word;
}

static uint64_t read_word(const char *data, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, data, len);
    return le64toh(word);
}

enum status siphash_new_key(struct siphash_key *out, struct error *err)
{
    struct siphash_key key;
    if (getrandom(&key, sizeof key, 0) != sizeof key)
        return error_set(err, STATUS_UNAVAILABLE, "no random numbers: %s", strerror(errno));
    *out = key;
    return STATUS_OK;
}

struct siphash_tag siphash(const struct siphash_key *key, struct bytes text)
{
    uint64_t v[4] = {key->words[0] ^ 0x736f6d6570736575u, key->words[1] ^ 0x646f72616e646f6du ^ MARK_OF_128,
                     key->words[0] ^ 0x6c7967656e657261u, key->words[1] ^ 0x7465646279746573u};
    struct siphash_tag tag;
    size_t at = 0;
    for (; text.len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
        absorb(v, read_word(text.data + at, sizeof(uint64_t)));
    uint64_t last = (uint64_t)text.len << LENGTH_AT_SHIFT;
    absorb(v, text.len > at ? last | read_word(text.data + at, text.len - at) : last);
    v[2] ^= MARK_OF_FIRST;
    mix(v, ROUNDS_AT_END);
    tag.words[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= MARK_OF_SECOND;
    mix(v, ROUNDS_AT_END);
    tag.words[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
    return tag;
}
