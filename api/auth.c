/* api/auth.c - base64, then comparison in constant time. */
#include "api/auth.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define CREDENTIALS_MAX 1024 /* decoded */

static enum status load_user(struct bytes entry, size_t number, struct auth_user *out, struct error *err)
{
    const char *colon = memchr(entry.data, ':', entry.len);
    if (colon == NULL || colon == entry.data || colon + 1 == entry.data + entry.len)
        return error_set(err, STATUS_INVALID, "BASIC_AUTH_USERS: entry %zu is not user:password", number);
    out->name = (struct bytes){entry.data, (size_t)(colon - entry.data)};
    out->password = (struct bytes){colon + 1, entry.len - out->name.len - 1};
    if (out->password.data[0] == '$')
        return error_set(
            err, STATUS_INVALID,
            "BASIC_AUTH_USERS: entry %zu has a crypt(3) hash, which this version does not check; it takes "
            "passwords in clear",
            number);
    return STATUS_OK;
}

enum status auth_load(struct arena *arena, const char *users, struct auth *out, struct error *err)
{
    size_t count = 1;
    for (const char *c = users; *c != '\0'; c++)
        count += *c == ',';
    struct auth_user *list = arena_take_array(arena, count, sizeof *list);
    if (list == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        users += strspn(users, " ");
        struct bytes entry = {users, strcspn(users, ",")};
        if (load_user(entry, i + 1, &list[i], err) != STATUS_OK)
            return err->code;
        users += entry.len + 1;
    }
    *out = (struct auth){list, count};
    return STATUS_OK;
}

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

/* Standard base64 with its padding; false for anything else or more than fits. */
static bool decode_base64(struct bytes text, char out[CREDENTIALS_MAX], size_t *out_len)
{
    size_t len = text.len, written = 0;
    if (len == 0 || len % 4 != 0 || len / 4 * 3 > CREDENTIALS_MAX)
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
        for (size_t j = 0; j < 3 - padded; j++)
            out[written++] = (char)(group >> (16 - 8 * j));
    }
    *out_len = written;
    return true;
}

/* Takes as long for any `given` of the same length, equal or not. */
static unsigned differs(struct bytes known, struct bytes given)
{
    unsigned difference = known.len != given.len;
    for (size_t i = 0; i < given.len; i++)
        difference |= (unsigned char)given.data[i] ^ (unsigned char)known.data[i % known.len];
    return difference;
}

static bool is_user(const struct auth *auth, struct bytes name, struct bytes password)
{
    unsigned found = 0;
    for (size_t i = 0; i < auth->users_count; i++)
        found |= (differs(auth->users[i].name, name) | differs(auth->users[i].password, password)) == 0;
    return found != 0;
}

enum auth_result auth_check(const struct auth *auth, struct bytes header)
{
    static const char scheme[] = "Basic ";
    char decoded[CREDENTIALS_MAX];
    size_t decoded_len, skip = sizeof scheme - 1;
    if (header.data == NULL || header.len < skip || strncasecmp(header.data, scheme, skip) != 0)
        return AUTH_MISSING;
    while (skip < header.len && header.data[skip] == ' ')
        skip++;
    if (skip == header.len)
        return AUTH_MISSING;
    if (!decode_base64((struct bytes){header.data + skip, header.len - skip}, decoded, &decoded_len))
        return AUTH_UNDECODABLE;
    const char *colon = memchr(decoded, ':', decoded_len);
    if (colon == NULL)
        return AUTH_UNDECODABLE;
    struct bytes name = {decoded, (size_t)(colon - decoded)};
    struct bytes password = {colon + 1, decoded_len - name.len - 1};
    return is_user(auth, name, password) ? AUTH_OK : AUTH_WRONG;
}
