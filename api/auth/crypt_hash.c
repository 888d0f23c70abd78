/* api/auth/crypt_hash.c - libcrypt accepts half a hash as a setting, and then no password would ever match; so the
 * format of each kind is checked here, as in crypt(5). */
#include "api/auth/crypt_hash.h"

#include <crypt.h>
#include <errno.h>
#include <sodium/utils.h>
#include <stdlib.h>

#define BASE64      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define SALT_OF_SHA 16
#define ROUNDS_MIN  1000 /* of SHA-512 and SHA-256 */
#define ROUNDS_MAX  999999999

struct crypt_scratch {
    struct crypt_data data;
};

/* The rest of a hash; each check takes its part off the front. */
struct rest {
    struct bytes text;
};

static bool take_text(struct rest *rest, const char *text)
{
    size_t len = strlen(text);
    if (rest->text.len < len || memcmp(rest->text.data, text, len) != 0)
        return false;
    rest->text = (struct bytes){rest->text.data + len, rest->text.len - len};
    return true;
}

/* A run of crypt's base64 whose length is within these bounds. */
static bool take_base64(struct rest *rest, size_t least, size_t most)
{
    size_t len = 0;
    while (len < rest->text.len && len < most && strchr(BASE64, rest->text.data[len]) != NULL &&
           rest->text.data[len] != '\0')
        len++;
    rest->text = (struct bytes){rest->text.data + len, rest->text.len - len};
    return len >= least;
}

/* A number without leading zeros. */
static bool take_number(struct rest *rest, long least, long most)
{
    long value = 0;
    size_t len = 0;
    while (len < rest->text.len && rest->text.data[len] >= '0' && rest->text.data[len] <= '9' &&
           value <= most)
        value = value * 10 + (rest->text.data[len++] - '0');
    bool is_plain = len > 0 && rest->text.data[0] != '0';
    rest->text = (struct bytes){rest->text.data + len, rest->text.len - len};
    return is_plain && value >= least && value <= most;
}

/* Parameters, salt, 43 characters of hash. */
static bool is_yescrypt(struct rest rest, size_t hash_len)
{
    return take_base64(&rest, 1, 64) && take_text(&rest, "$") && take_base64(&rest, 1, 86) &&
           take_text(&rest, "$") && take_base64(&rest, hash_len, hash_len) && rest.text.len == 0;
}

/* A cost of 04 to 31, 22 characters of salt and 31 of hash. */
static bool is_bcrypt(struct rest rest, size_t hash_len)
{
    bool has_cost = take_text(&rest, "0") ? take_number(&rest, 4, 9) : take_number(&rest, 10, 31);
    return has_cost && take_text(&rest, "$") && take_base64(&rest, hash_len, hash_len) && rest.text.len == 0;
}

/* Rounds (optional), salt, hash. */
static bool is_sha(struct rest rest, size_t hash_len)
{
    if (take_text(&rest, "rounds=") && !(take_number(&rest, ROUNDS_MIN, ROUNDS_MAX) && take_text(&rest, "$")))
        return false;
    return take_base64(&rest, 0, SALT_OF_SHA) && take_text(&rest, "$") &&
           take_base64(&rest, hash_len, hash_len) && rest.text.len == 0;
}

static const struct kind {
    const char *prefix;
    bool (*is_whole)(struct rest rest, size_t hash_len);
    size_t hash_len;
} KINDS[] = {
    {"$y$", is_yescrypt, 43}, {"$2b$", is_bcrypt, 53}, {"$2y$", is_bcrypt, 53},
    {"$2a$", is_bcrypt, 53},  {"$6$", is_sha, 86},     {"$5$", is_sha, 43},
};

enum status crypt_hash_check(struct bytes hash, struct error *err)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        struct rest rest = {hash};
        if (!take_text(&rest, KINDS[i].prefix))
            continue;
        if (KINDS[i].is_whole(rest, KINDS[i].hash_len))
            return STATUS_OK;
        return error_set(err, STATUS_INVALID, "is not a whole crypt(3) hash: %s and more, but not its shape",
                         KINDS[i].prefix);
    }
    return error_set(
        err, STATUS_INVALID,
        "is no crypt(3) hash of a kind that is taken: yescrypt ($y$), bcrypt ($2b$, $2y$, $2a$), "
        "SHA-512 ($6$) and SHA-256 ($5$)");
}

struct crypt_scratch *crypt_scratch_new(void)
{
    return calloc(1, sizeof(struct crypt_scratch));
}

void crypt_scratch_free(struct crypt_scratch *scratch)
{
    free(scratch);
}

/* The length of a hash is no secret; where two of the same length differ is. */
static bool is_equal(struct bytes known, struct bytes computed)
{
    return known.len == computed.len && sodium_memcmp(known.data, computed.data, known.len) == 0;
}

enum crypt_verdict crypt_hash_verify(const char *hash, struct bytes password, struct crypt_scratch *scratch)
{
    errno = 0;
    const char *computed = crypt_rn(password.data, hash, &scratch->data, (int)sizeof scratch->data);
    bool is_too_long = computed == NULL && errno == ERANGE;
    bool is_whole = memchr(password.data, '\0', password.len) == NULL; /* crypt(3) stops at a NUL */
    bool matches = computed != NULL && is_equal(bytes_of(hash), bytes_of(computed)) && is_whole;
    explicit_bzero(&scratch->data, sizeof scratch->data);
    if (computed == NULL && !is_too_long)
        return CRYPT_FAILED;
    return matches ? CRYPT_MATCHES : CRYPT_DIFFERS;
}
