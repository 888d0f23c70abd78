/* common/redis/redis_url.c - the three forms of a Redis address. */
#include "common/redis/redis_url.h"

#include <string.h>

#define DEFAULT_PORT 6379

/* The text with %XX decoded, NUL-terminated; NULL for an invalid escape, a NUL, or when out of memory. */
static const char *decode(struct arena *arena, struct bytes text)
{
    char *out = arena_take(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = text.len - i > 2 ? bytes_hex_value(text.data[i + 1]) : -1;
            int low = text.len - i > 2 ? bytes_hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[len++] = c;
    }
    return out;
}

static bool parse_number(struct bytes text, uint32_t most, uint32_t *out)
{
    uint64_t value;
    if (!bytes_parse_uint(text, most, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static struct bytes until(const char *start, const char *end)
{
    return (struct bytes){start, (size_t)(end - start)};
}

static enum status parse_credentials(struct arena *arena, struct bytes text, struct redis_address *out,
                                     struct error *err)
{
    const char *colon = memchr(text.data, ':', text.len);
    struct bytes user = colon == NULL ? text : until(text.data, colon);
    struct bytes password = colon == NULL ? (struct bytes){NULL, 0} : until(colon + 1, text.data + text.len);
    out->user = user.len > 0 ? decode(arena, user) : NULL;
    out->password = password.len > 0 ? decode(arena, password) : NULL;
    bool broken = (user.len > 0 && out->user == NULL) || (password.len > 0 && out->password == NULL);
    if (broken || (out->user != NULL && out->password == NULL))
        return error_set(err, STATUS_INVALID, "user and password are not user:password, percent-encoded");
    return STATUS_OK;
}

static enum status parse_host(struct arena *arena, struct bytes text, struct redis_address *out,
                              struct error *err)
{
    const char *end = text.data + text.len;
    const char *bracket = text.len > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.len) : NULL;
    const char *colon = bracket != NULL ? (bracket + 1 < end && bracket[1] == ':' ? bracket + 1 : NULL)
                                        : memchr(text.data, ':', text.len);
    struct bytes host =
        bracket != NULL ? until(text.data + 1, bracket) : until(text.data, colon ? colon : end);
    uint32_t port = DEFAULT_PORT;
    if (colon != NULL && (!parse_number(until(colon + 1, end), 65535, &port) || port == 0))
        return error_set(err, STATUS_INVALID, "the port is not a number from 1 to 65535");
    if (host.len == 0 || (bracket != NULL && colon == NULL && bracket + 1 != end))
        return error_set(err, STATUS_INVALID, "there is no host");
    out->host = decode(arena, host);
    out->port = (uint16_t)port;
    return out->host != NULL ? STATUS_OK
                             : error_set(err, STATUS_INVALID, "the host is not percent-encoded text");
}

static enum status parse_tcp(struct arena *arena, const char *rest, struct redis_address *out,
                             struct error *err)
{
    const char *slash = strchr(rest, '/');
    const char *end = slash != NULL ? slash : rest + strlen(rest);
    const char *at = end;
    while (at > rest && *at != '@')
        at--;
    bool has_credentials = at > rest || *rest == '@';
    if (strpbrk(rest, "?#") != NULL)
        return error_set(err, STATUS_INVALID, "takes no '?' or '#' (percent-encode them)");
    if (has_credentials && parse_credentials(arena, until(rest, at), out, err) != STATUS_OK)
        return err->code;
    if (parse_host(arena, until(has_credentials ? at + 1 : rest, end), out, err) != STATUS_OK)
        return err->code;
    if (slash != NULL && slash[1] != '\0' && !parse_number(bytes_of(slash + 1), REDIS_DB_MAX, &out->db))
        return error_set(err, STATUS_INVALID, "the database behind the host is not a number");
    return STATUS_OK;
}

static enum status parse_unix(struct arena *arena, const char *rest, struct redis_address *out,
                              struct error *err)
{
    const char *query = strchr(rest, '?');
    struct bytes path = query != NULL ? until(rest, query) : bytes_of(rest);
    if (path.len == 0 || path.data[0] != '/')
        return error_set(err, STATUS_INVALID, "unix:// takes an absolute path, as in unix:///run/redis.sock");
    if (query != NULL &&
        (!starts_with(query, "?db=") || !parse_number(bytes_of(query + 4), REDIS_DB_MAX, &out->db)))
        return error_set(err, STATUS_INVALID, "behind the path only ?db=NUMBER is taken");
    out->unix_path = decode(arena, path);
    return out->unix_path != NULL ? STATUS_OK
                                  : error_set(err, STATUS_INVALID, "the path is not percent-encoded text");
}

enum status redis_url_parse(struct arena *arena, const char *url, struct redis_address *out,
                            struct error *err)
{
    struct redis_address address = {.port = DEFAULT_PORT};
    enum status status;
    if (starts_with(url, "redis://"))
        status = parse_tcp(arena, url + strlen("redis://"), &address, err);
    else if (starts_with(url, "rediss://")) {
        address.tls = true;
        status = parse_tcp(arena, url + strlen("rediss://"), &address, err);
    } else if (starts_with(url, "unix://"))
        status = parse_unix(arena, url + strlen("unix://"), &address, err);
    else
        status = error_set(err, STATUS_INVALID, "takes redis://, rediss:// or unix://");
    if (status == STATUS_OK)
        *out = address;
    return status;
}

enum status redis_url_of_upstash(struct arena *arena, const char *rest_url, const char *token,
                                 struct redis_address *out, struct error *err)
{
    struct redis_address address = {.user = "default", .password = token, .tls = true};
    if (!starts_with(rest_url, "https://"))
        return error_set(err, STATUS_INVALID, "takes https://HOST");
    const char *host = rest_url + strlen("https://");
    size_t len = strcspn(host, "/");
    if (len == 0 || strpbrk(host, "?#@") != NULL || host[len + strspn(host + len, "/")] != '\0')
        return error_set(err, STATUS_INVALID, "takes https://HOST without a user, a path or a query");
    if (parse_host(arena, (struct bytes){host, len}, &address, err) != STATUS_OK)
        return err->code;
    address.port = DEFAULT_PORT;
    *out = address;
    return STATUS_OK;
}
