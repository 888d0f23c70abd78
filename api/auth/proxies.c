/* api/auth/proxies.c - TRUSTED_PROXIES as networks, and X-Forwarded-For, which is read from its end. */
#include "api/auth/proxies.h"

#define MAPPED_BITS (ADDRESS_BITS - ADDRESS_BITS_IPV4)

/* An address, with or without a prefix length; the bits beyond that must be zero. */
static bool parse_network(struct bytes text, struct network *out)
{
    const char *slash = memchr(text.data, '/', text.len);
    struct bytes address = {text.data, slash != NULL ? (size_t)(slash - text.data) : text.len};
    if (!address_parse(address, &out->address))
        return false;
    bool is_ipv4 = memchr(address.data, ':', address.len) == NULL;
    unsigned most = is_ipv4 ? ADDRESS_BITS_IPV4 : ADDRESS_BITS;
    uint64_t bits = most;
    if (slash != NULL &&
        !bytes_parse_uint((struct bytes){slash + 1, text.len - address.len - 1}, most, &bits))
        return false;
    out->bits = (unsigned)bits + (is_ipv4 ? MAPPED_BITS : 0);
    struct address masked = address_masked(&out->address, out->bits);
    return address_equal(&masked, &out->address);
}

static struct bytes trimmed(struct bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct bytes){text.data + 1, text.len - 1};
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

enum status proxies_load(struct arena *arena, const char *text, struct proxies *out, struct error *err)
{
    size_t count = text[0] != '\0';
    for (const char *c = text; *c != '\0'; c++)
        count += *c == ',';
    struct network *networks = arena_take_array(arena, count, sizeof *networks);
    if (networks == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct bytes entry = {text, strcspn(text, ",")};
        text += entry.len + 1;
        entry = trimmed(entry);
        if (!parse_network(entry, &networks[i]))
            return error_set(err, STATUS_INVALID,
                             "TRUSTED_PROXIES: entry %zu is \"%.*s\", takes an address or a network such as "
                             "10.0.0.0/8 or 2001:db8::/32",
                             i + 1, (int)(entry.len < 60 ? entry.len : 60), entry.data);
    }
    *out = (struct proxies){networks, count};
    return STATUS_OK;
}

static bool is_trusted(const struct proxies *proxies, const struct address *address)
{
    for (size_t i = 0; i < proxies->count; i++) {
        struct address masked = address_masked(address, proxies->networks[i].bits);
        if (address_equal(&masked, &proxies->networks[i].address))
            return true;
    }
    return false;
}

static bool is_port(struct bytes text)
{
    uint64_t ignored;
    return bytes_parse_uint(text, 65535, &ignored);
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:4711". */
static bool parse_hop(struct bytes text, struct address *out)
{
    struct bytes address = text, port = {NULL, 0};
    const char *close = text.len > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.len) : NULL;
    const char *colon = memchr(text.data, ':', text.len);
    if (close != NULL) {
        address = (struct bytes){text.data + 1, (size_t)(close - text.data) - 1};
        struct bytes behind = {close + 1, text.len - address.len - 2};
        if (behind.len > 0 && behind.data[0] != ':')
            return false;
        port = behind.len > 0 ? (struct bytes){behind.data + 1, behind.len - 1} : port;
    } else if (colon != NULL && memchr(text.data, '.', (size_t)(colon - text.data)) != NULL) {
        address.len = (size_t)(colon - text.data);
        port = (struct bytes){colon + 1, text.len - address.len - 1};
    }
    return (port.data == NULL || is_port(port)) && address_parse(address, out);
}

/* Takes the last item off a comma-separated list. */
static struct bytes take_last(struct bytes *list)
{
    const char *comma = memrchr(list->data, ',', list->len);
    struct bytes last = *list;
    if (comma != NULL)
        last = (struct bytes){comma + 1, list->len - (size_t)(comma - list->data) - 1};
    list->len = comma != NULL ? (size_t)(comma - list->data) : 0;
    return trimmed(last);
}

struct address proxies_find_client(const struct proxies *proxies, const struct address *peer,
                                   const struct field_lines *forwarded)
{
    struct address client = *peer;
    if (!field_lines_are_whole(forwarded) || !is_trusted(proxies, peer))
        return client;
    for (size_t i = forwarded->count; i-- > 0;) {
        struct bytes rest = forwarded->values[i];
        while (rest.len > 0) {
            if (!parse_hop(take_last(&rest), &client))
                return *peer;
            if (!is_trusted(proxies, &client))
                return client;
        }
    }
    return client;
}
