/* api/auth/crypt_hash.h - password hashes of crypt(3), through libcrypt: which kinds are accepted, and whether a
 * password matches. Any thread. */
#ifndef ECOSYS_API_AUTH_CRYPT_HASH_H
#define ECOSYS_API_AUTH_CRYPT_HASH_H

#include "common/base/bytes.h"
#include "common/base/status.h"

/* Takes yescrypt ($y$), bcrypt ($2b$, $2y$, $2a$), SHA-512 ($6$) and SHA-256 ($5$). STATUS_INVALID: another kind, or an
 * incomplete hash; err says which, without quoting the hash. */
MUST_CHECK enum status crypt_hash_check(struct bytes hash, struct error *err);

/* crypt(3)'s working memory: tens of kB, with nothing of the password left when crypt_hash_verify returns. */
struct crypt_scratch;
struct crypt_scratch *crypt_scratch_new(void); /* NULL: out of memory */
void crypt_scratch_free(struct crypt_scratch *scratch);

enum crypt_verdict {
    CRYPT_MATCHES,
    CRYPT_DIFFERS,
    CRYPT_FAILED, /* libcrypt could not compute it, most likely for lack of memory */
};

/* Computes the hash of the password (tens to hundreds of ms) and compares in constant time. The password must be
 * NUL-terminated; one that contains a NUL, or is too long for libcrypt, differs. */
enum crypt_verdict crypt_hash_verify(const char *hash, struct bytes password, struct crypt_scratch *scratch);

#endif
