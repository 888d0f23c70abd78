/* api/crypt_hash.h - password hashes of crypt(3), by libcrypt: which are taken, and whether a password is the one. Any
 * thread. */
#ifndef ECOSYS_API_CRYPT_HASH_H
#define ECOSYS_API_CRYPT_HASH_H

#include "common/bytes.h"
#include "common/status.h"

/* STATUS_INVALID: of another kind, or not a whole hash; err says which, without any of the text. */
MUST_CHECK enum status crypt_hash_check(struct bytes hash, struct error *err);

/* Where crypt(3) works; tens of kB, and nothing of the password when crypt_hash_verify returns. */
struct crypt_scratch;
struct crypt_scratch *crypt_scratch_new(void); /* NULL when memory is out */
void crypt_scratch_free(struct crypt_scratch *scratch);

enum crypt_verdict {
    CRYPT_MATCHES,
    CRYPT_DIFFERS,
    CRYPT_FAILED, /* libcrypt could not compute it, for want of memory above all */
};

/* Computes the hash of the password (tens to hundreds of ms) and compares in constant time. The password must
 * have a NUL behind it; one that holds a NUL, or is longer than libcrypt takes, differs. */
enum crypt_verdict crypt_hash_verify(const char *hash, struct bytes password, struct crypt_scratch *scratch);

#endif
