/* api/auth/credentials.c - the scheme, then base64 (RFC 4648, 4), then the colon. */
#include "api/auth/credentials.h"

#include <sodium/utils.h>

#define BASE64_LEN_MAX                                                                                       \
    ((CREDENTIALS_MAX + 2) / 3 * 4) /* of credentials that are not too long, padding included */

static enum credentials_result parse(struct bytes header, struct credentials *out)
{
    static const char scheme[] = "Basic ";
    size_t skip = sizeof scheme - 1;
    if (header.data == NULL || header.len < skip || strncasecmp(header.data, scheme, skip) != 0)
        return CREDENTIALS_MISSING;
    while (skip < header.len && header.data[skip] == ' ')
        skip++;
    if (skip == header.len)
        return CREDENTIALS_MISSING;
    struct bytes text = {header.data + skip, header.len - skip};
    if (text.len > BASE64_LEN_MAX)
        return CREDENTIALS_TOO_LONG;
    if (sodium_base642bin((unsigned char *)out->text, sizeof out->text, text.data, text.len, NULL, &out->len,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return CREDENTIALS_UNDECODABLE;
    const char *colon = memchr(out->text, ':', out->len);
    if (colon == NULL)
        return CREDENTIALS_UNDECODABLE;
    if (out->len > CREDENTIALS_MAX)
        return CREDENTIALS_TOO_LONG;
    out->name_len = (size_t)(colon - out->text);
    out->text[out->len] = '\0';
    return CREDENTIALS_OK;
}

enum credentials_result credentials_parse(struct bytes header, struct credentials *out)
{
    enum credentials_result result = parse(header, out);
    if (result == CREDENTIALS_UNDECODABLE || result == CREDENTIALS_TOO_LONG) /* partly decoded */
        explicit_bzero(out->text, sizeof out->text);
    return result;
}

void credentials_wipe(struct credentials *credentials)
{
    explicit_bzero(credentials->text, credentials->len);
}
