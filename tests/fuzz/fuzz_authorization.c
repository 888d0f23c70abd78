/* tests/fuzz/fuzz_authorization.c - BASIC_AUTH_USERS and an Authorization header from any bytes, one byte of 0 between
 * them. Who is known has sent an entry of the list by a naive decoder's reading too; everybody whose password stands
 * there in clear is known by it, and nobody by one that is a character longer. */
#include <string.h>

#include "api/auth/credentials.h"
#include "api/auth/users.h"
#include "common/base/buffer.h"
#include "tests/fuzz/fuzz.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void append_base64(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i += 3) {
        unsigned group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (i + j < text.len ? (unsigned char)text.data[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            buffer_append_char(out, i + j <= text.len ? ALPHABET[group >> (18 - 6 * j) & 63] : '=');
    }
}

/* Bit by bit, up to the first '=' or what is no digit. */
static void naive_decode(struct bytes text, struct buffer *out)
{
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] != '\0' ? strchr(ALPHABET, text.data[i]) : NULL;
        if (digit == NULL)
            return;
        bits = bits << 6 | (unsigned)(digit - ALPHABET);
        count += 6;
        if (count >= 8) {
            count -= 8;
            buffer_append_char(out, (char)(bits >> count & 0xff));
        }
    }
}

static const struct siphash_key KEY = {{1, 2}};

static const struct user *recognise(const struct users *users, struct bytes header)
{
    struct credentials credentials;
    if (credentials_parse(header, &credentials) != CREDENTIALS_OK)
        return NULL;
    MUST_HOLD(credentials_name(&credentials).len + 1 + credentials_password(&credentials).len ==
              credentials.len);
    MUST_HOLD(credentials.text[credentials.name_len] == ':' && credentials.text[credentials.len] == '\0');
    struct siphash_tag tag = siphash(&KEY, credentials_text(&credentials));
    credentials_wipe(&credentials);
    return users_recognise(users, &tag);
}

static const struct user *send(const struct users *users, struct bytes credentials)
{
    struct buffer header = BUFFER_INIT;
    buffer_append_text(&header, "bAsIc ");
    append_base64(&header, credentials);
    const struct user *user = recognise(users, buffer_bytes(&header));
    buffer_clear(&header);
    return user;
}

/* The next "name:password" of the list; false behind the last one. */
static bool next_entry(const char **list, struct bytes *entry)
{
    if (**list == '\0')
        return false;
    *list += strspn(*list, " ");
    *entry = (struct bytes){*list, strcspn(*list, ",")};
    *list += entry->len;
    *list += **list == ',';
    return true;
}

static bool is_in_clear(struct bytes entry)
{
    const char *colon = memchr(entry.data, ':', entry.len);
    MUST_HOLD(colon != NULL && colon > entry.data && colon + 1 < entry.data + entry.len);
    return colon[1] != '$';
}

static void check_header(const struct users *users, const char *list, struct bytes header)
{
    struct buffer credentials = BUFFER_INIT;
    struct bytes entry;
    bool is_listed = false;
    if (recognise(users, header) == NULL)
        return;
    MUST_HOLD(header.len > 6 && strncasecmp(header.data, "Basic ", 6) == 0);
    struct bytes text = {header.data + 6, header.len - 6};
    for (; text.len > 0 && text.data[0] == ' '; text.len--)
        text.data++;
    naive_decode(text, &credentials);
    while (next_entry(&list, &entry))
        is_listed = is_listed || (is_in_clear(entry) && bytes_equal(entry, buffer_bytes(&credentials)));
    MUST_HOLD(is_listed);
    buffer_clear(&credentials);
}

static void check_users(const struct users *users, const char *list)
{
    struct bytes entry;
    while (next_entry(&list, &entry)) {
        const struct bytes longer = {entry.data, entry.len + 1};       /* with the comma or NUL behind it */
        MUST_HOLD((send(users, entry) != NULL) == is_in_clear(entry)); /* however long it is */
        MUST_HOLD(send(users, longer) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *list = (const char *)data;
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    struct users *users;
    struct error err;
    if (end == NULL || users_load(list, "", &KEY, NULL, &users, &err) != STATUS_OK)
        return 0;
    check_users(users, list);
    check_header(users, list, (struct bytes){(const char *)end + 1, size - (size_t)(end - data) - 1});
    users_unref(users);
    return 0;
}
