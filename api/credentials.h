/* api/credentials.h - what an Authorization header holds (RFC 7617). Pure; any thread. */
#ifndef ECOSYS_API_CREDENTIALS_H
#define ECOSYS_API_CREDENTIALS_H

#include "common/bytes.h"

#define CREDENTIALS_MAX 1024 /* decoded; users_load takes no user with longer ones */

/* "name:password", with a NUL behind it. It holds a password: credentials_wipe must follow. */
struct credentials {
    size_t len;
    size_t name_len;
    char text[CREDENTIALS_MAX + 1];
};

enum credentials_result {
    CREDENTIALS_OK,
    CREDENTIALS_MISSING,     /* none, or of another scheme */
    CREDENTIALS_UNDECODABLE, /* not base64 of name:password */
    CREDENTIALS_TOO_LONG,    /* that, but longer than CREDENTIALS_MAX, which no user's are */
};

/* Decodes the header's value (no data: there was none). *out holds something only after CREDENTIALS_OK. */
enum credentials_result credentials_parse(struct bytes header, struct credentials *out);

/* Overwrites them. */
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
