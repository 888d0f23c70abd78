/* api/auth.h - HTTP Basic authentication against the users of BASIC_AUTH_USERS. Immutable after loading; any
 * thread. */
#ifndef ECOSYS_API_AUTH_H
#define ECOSYS_API_AUTH_H

#include <stddef.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/status.h"

struct auth_user {
    struct bytes name;
    struct bytes password;
};

struct auth {
    const struct auth_user *users; /* in the arena */
    size_t users_count;
};

/* Reads "user:pass,user2:pass2"; the text must outlive *out. STATUS_INVALID tells which entry is wrong by its number,
 * never by its text. */
MUST_CHECK enum status auth_load(struct arena *arena, const char *users, struct auth *out, struct error *err);

enum auth_result {
    AUTH_OK,
    AUTH_MISSING,     /* no credentials, or of another scheme */
    AUTH_UNDECODABLE, /* not base64 of user:password */
    AUTH_WRONG,
};

/* Checks the value of an Authorization header (no data: there was none). Every user is compared in full, so that the
 * time it takes does not tell which user exists. */
enum auth_result auth_check(const struct auth *auth, struct bytes header);

#endif
