/* tests/fuzz/fuzz_authorization.c - Authorization headers and BASIC_AUTH_USERS from any bytes, one byte of 0 between
 * them. Who is let in has sent a user's name and password by a naive decoder's reading too; every user who is configured
 * gets in, and nobody with a password that is a character longer. */
#include <string.h>

#include "api/auth.h"
#include "common/buffer.h"
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

static enum auth_result try(const struct auth *auth, struct bytes name, struct bytes password,
                            const char *more)
{
    struct buffer plain = BUFFER_INIT, header = BUFFER_INIT;
    buffer_append(&plain, name.data, name.len);
    buffer_append_char(&plain, ':');
    buffer_append(&plain, password.data, password.len);
    buffer_append_text(&plain, more);
    buffer_append_text(&header, "bAsIc ");
    append_base64(&header, buffer_bytes(&plain));
    enum auth_result result = auth_check(auth, buffer_bytes(&header));
    buffer_clear(&plain);
    buffer_clear(&header);
    return result;
}

static bool is_user(const struct auth *auth, struct bytes credentials)
{
    for (size_t i = 0; i < auth->users_count; i++) {
        const struct auth_user *user = &auth->users[i];
        if (credentials.len == user->name.len + 1 + user->password.len &&
            memcmp(credentials.data, user->name.data, user->name.len) == 0 &&
            credentials.data[user->name.len] == ':' &&
            memcmp(credentials.data + user->name.len + 1, user->password.data, user->password.len) == 0)
            return true;
    }
    return false;
}

static void check_header(const struct auth *auth, struct bytes header)
{
    struct buffer credentials = BUFFER_INIT;
    if (auth_check(auth, header) != AUTH_OK)
        return;
    MUST_HOLD(header.len > 6 && strncasecmp(header.data, "Basic ", 6) == 0);
    struct bytes text = {header.data + 6, header.len - 6};
    for (; text.len > 0 && text.data[0] == ' '; text.len--)
        text.data++;
    naive_decode(text, &credentials);
    MUST_HOLD(is_user(auth, buffer_bytes(&credentials)));
    buffer_clear(&credentials);
}

/* 1024 bytes of credentials are taken, decoded; that is enough for what is asked of it here. */
static void check_users(const struct auth *auth)
{
    for (size_t i = 0; i < auth->users_count; i++) {
        const struct auth_user *user = &auth->users[i];
        struct bytes longer = {user->password.data,
                               user->password.len + 1}; /* with the comma or NUL behind it */
        MUST_HOLD(user->name.len > 0 && user->password.len > 0);
        if (user->name.len + user->password.len > 1000)
            continue;
        MUST_HOLD(try(auth, user->name, user->password, "") == AUTH_OK);
        MUST_HOLD(try(auth, user->name, longer, "") == AUTH_WRONG);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    struct arena arena;
    struct auth auth;
    struct error err;
    if (end == NULL)
        return 0;
    arena_init(&arena);
    if (auth_load(&arena, (const char *)data, &auth, &err) == STATUS_OK) {
        check_users(&auth);
        check_header(&auth, (struct bytes){(const char *)end + 1, size - (size_t)(end - data) - 1});
    }
    arena_clear(&arena);
    return 0;
}
