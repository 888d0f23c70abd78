/* tests/fuzz/fuzz_redis_url.c - Redis addresses from any text. One that is taken, written down with every character
 * escaped, is read as the same; an error never holds what may be a password. */
#include <string.h>

#include "common/base/buffer.h"
#include "common/redis/redis_url.h"
#include "tests/fuzz/fuzz.h"

static void append_encoded(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        buffer_append_format(out, "%%%02x", (unsigned char)*text);
}

static void print(const struct redis_address *address, struct buffer *out)
{
    if (address->unix_path != NULL) {
        buffer_append_text(out, "unix:///");
        append_encoded(out, address->unix_path + 1);
        buffer_append_format(out, "?db=%u", address->db);
    } else {
        buffer_append_text(out, address->tls ? "rediss://" : "redis://");
        append_encoded(out, address->user != NULL ? address->user : "");
        if (address->password != NULL) {
            buffer_append_char(out, ':');
            append_encoded(out, address->password);
            buffer_append_char(out, '@');
        }
        append_encoded(out, address->host);
        buffer_append_format(out, ":%u/%u", address->port, address->db);
    }
    buffer_append_char(out, '\0');
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void check_printed(struct arena *arena, const struct redis_address *address)
{
    struct buffer url = BUFFER_INIT;
    struct redis_address again;
    struct error err;
    print(address, &url);
    MUST_HOLD(redis_url_parse(arena, url.data, &again, &err) == STATUS_OK);
    MUST_HOLD(is_same_text(again.unix_path, address->unix_path) && is_same_text(again.host, address->host));
    MUST_HOLD(is_same_text(again.user, address->user) && is_same_text(again.password, address->password));
    MUST_HOLD(again.port == address->port && again.db == address->db && again.tls == address->tls);
    buffer_clear(&url);
}

static void check_address(struct arena *arena, const struct redis_address *address)
{
    MUST_HOLD((address->unix_path != NULL) != (address->host != NULL));
    MUST_HOLD(address->port > 0 && address->db <= REDIS_DB_MAX);
    check_printed(arena, address);
}

/* Whether the message holds the text; one as short as what messages say of any address is none that tells something. */
static bool is_quoted(const char *text, const char *message)
{
    return strlen(text) > strlen("rediss://") && strstr(message, text) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_address address;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    struct bytes text = arena_copy(&arena, (struct bytes){size > 0 ? (const char *)data : "", size});
    if (redis_url_parse(&arena, text.data, &address, &err) == STATUS_OK)
        check_address(&arena, &address);
    else
        MUST_HOLD(err.code == STATUS_INVALID && !is_quoted(text.data, err.message));
    if (redis_url_of_upstash(&arena, text.data, "token", &address, &err) == STATUS_OK)
        check_address(&arena, &address);
    arena_clear(&arena);
    return 0;
}
