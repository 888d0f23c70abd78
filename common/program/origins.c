/* common/program/origins.c - splitting the list, and the grammar of one item (RFC 6454, section 6.2). */
#include "common/program/origins.h"

#define BLANKS " \t"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Takes the next item from the start of *rest, without surrounding blanks. False after the last one. */
static bool take_item(const char **rest, struct bytes *item)
{
    if (*rest == NULL)
        return false;
    const char *start = *rest + strspn(*rest, BLANKS);
    const char *end = start + strcspn(start, ",");
    *rest = *end == ',' ? end + 1 : NULL;
    while (end > start && strchr(BLANKS, end[-1]) != NULL)
        end--;
    *item = (struct bytes){start, (size_t)(end - start)};
    return true;
}

static bool holds_only(struct bytes text, const char *allowed)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(allowed, text.data[i]) == NULL)
            return false;
    return text.len > 0;
}

static bool is_host(struct bytes text)
{
    bool is_ipv6 = text.len > 2 && text.data[0] == '[' && text.data[text.len - 1] == ']';
    if (is_ipv6)
        return holds_only((struct bytes){text.data + 1, text.len - 2}, DIGITS "abcdef:.");
    return holds_only(text, LOWER DIGITS "-._");
}

/* Browsers omit the default port of a scheme. */
static bool is_port(struct bytes text, struct bytes scheme)
{
    uint64_t port;
    if (!bytes_parse_uint(text, 65535, &port) || port == 0 || text.data[0] == '0')
        return false;
    return !(port == 80 && bytes_is(scheme, "http")) && !(port == 443 && bytes_is(scheme, "https"));
}

static bool is_origin(struct bytes item)
{
    static const char separator[] = "://";
    const size_t separator_len = sizeof separator - 1;
    const char *found = item.len > 0 ? memmem(item.data, item.len, separator, separator_len) : NULL;
    if (found == NULL)
        return false;
    struct bytes scheme = {item.data, (size_t)(found - item.data)};
    struct bytes host = {found + separator_len, item.len - scheme.len - separator_len};
    const char *bracket = host.len > 0 ? memchr(host.data, ']', host.len) : NULL;
    const char *behind = bracket != NULL ? bracket : host.data;
    const char *colon = host.len > 0 ? memchr(behind, ':', host.len - (size_t)(behind - host.data)) : NULL;
    if (colon != NULL) {
        struct bytes port = {colon + 1, (size_t)(host.data + host.len - colon) - 1};
        host.len = (size_t)(colon - host.data);
        if (!is_port(port, scheme))
            return false;
    }
    return holds_only(scheme, LOWER DIGITS "+-.") && strchr(LOWER, scheme.data[0]) != NULL && is_host(host);
}

bool origins_are_valid(const char *list)
{
    struct bytes item;
    while (take_item(&list, &item))
        if (!bytes_is(item, "*") && !bytes_is(item, "null") && !is_origin(item))
            return false;
    return true;
}

bool origins_are_open(const char *list)
{
    return origins_have(list, bytes_of("*"));
}

bool origins_have(const char *list, struct bytes origin)
{
    struct bytes item;
    while (take_item(&list, &item))
        if (bytes_equal(item, origin))
            return true;
    return false;
}
