/* api/auth/credentials.c - the scheme, then base64 (RFC 4648, 4), then the colon. */
#include "api/auth/credentials.h"

#include <sodium/utils.h>

#define BLOCK_LEN 1024 /* of base64: a multiple of 4 */

/* Standard base64 with padding; false for anything else. Of what is longer than CREDENTIALS_MAX only the length is
 * kept, and whether it contains a colon. */
static bool decode_base64(struct bytes text, struct credentials *out, bool *has_colon)
{
    unsigned char block[BLOCK_LEN / 4 * 3];
    bool is_good = true;
    out->len = 0;
    *has_colon = false;
    for (size_t at = 0, len; at < text.len; at += BLOCK_LEN) {
        bool is_last = text.len - at <= BLOCK_LEN;
        is_good = sodium_base642bin(block, sizeof block, text.data + at, is_last ? text.len - at : BLOCK_LEN,
                                    NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
                  (is_last || len == sizeof block); /* else there is padding in the middle */
        if (!is_good)
            break;
        *has_colon = *has_colon || memchr(block, ':', len) != NULL;
        if (out->len + len <= CREDENTIALS_MAX)
            memcpy(out->text + out->len, block, len);
        out->len += len;
    }
    sodium_memzero(block, sizeof block);
    return is_good;
}

static enum credentials_result parse(struct bytes header, struct credentials *out)
{
    static const char scheme[] = "Basic ";
    size_t skip = sizeof scheme - 1;
    bool has_colon;
    if (header.data == NULL || header.len < skip || strncasecmp(header.data, scheme, skip) != 0)
        return CREDENTIALS_MISSING;
    while (skip < header.len && header.data[skip] == ' ')
        skip++;
    if (skip == header.len)
        return CREDENTIALS_MISSING;
    struct bytes text = {header.data + skip, header.len - skip};
    if (!decode_base64(text, out, &has_colon) || !has_colon)
        return CREDENTIALS_UNDECODABLE;
    if (out->len > CREDENTIALS_MAX)
        return CREDENTIALS_TOO_LONG;
    out->name_len = (size_t)((const char *)memchr(out->text, ':', out->len) - out->text);
    out->text[out->len] = '\0';
    return CREDENTIALS_OK;
}

enum credentials_result credentials_parse(struct bytes header, struct credentials *out)
{
    enum credentials_result result = parse(header, out);
    if (result == CREDENTIALS_UNDECODABLE || result == CREDENTIALS_TOO_LONG) /* partly decoded */
        sodium_memzero(out->text, sizeof out->text);
    return result;
}

void credentials_wipe(struct credentials *credentials)
{
    sodium_memzero(credentials->text, credentials->len);
}
