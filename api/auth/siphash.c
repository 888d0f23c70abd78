/* api/auth/siphash.c - libsodium's, behind types that keep a key and a tag apart. */
#include "api/auth/siphash.h"

#include <errno.h>
#include <sodium/crypto_shorthash_siphash24.h>
#include <sys/random.h>

_Static_assert(sizeof(struct siphash_key) == crypto_shorthash_siphashx24_KEYBYTES, "a key of SipHash");
_Static_assert(sizeof(struct siphash_tag) == crypto_shorthash_siphashx24_BYTES, "128 bits");

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
    struct siphash_tag tag;
    (void)crypto_shorthash_siphashx24((unsigned char *)&tag, (const unsigned char *)text.data, text.len,
                                      (const unsigned char *)key);
    return tag;
}
