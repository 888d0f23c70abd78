/* api/auth/credentials.c - the scheme, then base64, then the colon. */
#include "api/auth/credentials.h"

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Standard base64 with padding; false for anything else. *decoded_len is the full length, although only what fits is
 * kept; *has_colon tells whether it contains a colon. libsodium's sodium_base642bin
 * would refuse a last character with bits that belong to no byte, needs room for any length, and takes three times as
 * long. */
static bool decode_base64(struct bytes text, char out[CREDENTIALS_MAX], size_t *decoded_len, bool *has_colon)
{
    size_t len = text.len, written = 0;
    *has_colon = false;
    if (len == 0 || len % 4 != 0)
        return false;
    size_t padding = text.data[len - 1] != '=' ? 0 : text.data[len - 2] != '=' ? 1 : 2;
    for (size_t i = 0; i < len; i += 4) {
        unsigned group = 0;
        size_t padded = i + 4 == len ? padding : 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j >= 4 - padded ? 0 : base64_value(text.data[i + j]);
            if (value < 0)
                return false;
            group = group << 6 | (unsigned)value;
        }
        for (size_t j = 0; j < 3 - padded; j++, written++) {
            char c = (char)(group >> (16 - 8 * j));
            *has_colon = *has_colon || c == ':';
            if (written < CREDENTIALS_MAX)
                out[written] = c;
        }
    }
    *decoded_len = written;
    return true;
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
    if (!decode_base64(text, out->text, &out->len, &has_colon) || !has_colon)
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
        explicit_bzero(out->text, sizeof out->text);
    return result;
}

void credentials_wipe(struct credentials *credentials)
{
    explicit_bzero(credentials->text, credentials->len);
}
