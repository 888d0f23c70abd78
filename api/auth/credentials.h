/* api/auth/credentials.h - decodes Authorization headers (RFC 7617). Pure; any thread. */
#ifndef ECOSYS_API_AUTH_CREDENTIALS_H
#define ECOSYS_API_AUTH_CREDENTIALS_H

#include "common/base/bytes.h"

#define CREDENTIALS_MAX 1024 /* decoded; users_load refuses users with longer ones */

/* "name:password", NUL-terminated. Holds a password: credentials_wipe must follow. */
struct credentials {
    size_t len;
    size_t name_len;
    char text[CREDENTIALS_MAX + 1];
};

enum credentials_result {
    CREDENTIALS_OK,
    CREDENTIALS_MISSING,     /* none, or another scheme */
    CREDENTIALS_UNDECODABLE, /* not base64 of name:password */
    CREDENTIALS_TOO_LONG,    /* valid, but longer than CREDENTIALS_MAX, so no user's */
};

/* Decodes the header's value (no data: there was none). *out is valid only after CREDENTIALS_OK. */
enum credentials_result credentials_parse(struct bytes header, struct credentials *out);

void credentials_wipe(struct credentials *credentials);

static inline struct bytes credentials_text(const struct credentials *credentials)
{
    return (struct bytes){credentials->text, credentials->len};
}

static inline struct bytes credentials_name(const struct credentials *credentials)
{
    return (struct bytes){credentials->text, credentials->name_len};
}

static inline struct bytes credentials_password(const struct credentials *credentials)
{
    size_t skip = credentials->name_len + 1;
    return (struct bytes){credentials->text + skip, credentials->len - skip};
}

#endif
