/* common/stored/pack_scan.c - walks MessagePack headers without allocation or recursion. */
#include "common/stored/pack_scan.h"

#include <stdint.h>

/* What one header says: the number of bytes of the value itself and of values it contains. */
struct header {
    uint64_t len;   /* header and inline data */
    uint64_t items; /* contained values */
    bool known;
};

static uint64_t big_endian(const unsigned char *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

/* A header whose type byte is followed by a length of `width` bytes. */
static struct header sized(const unsigned char *at, size_t left, size_t width, uint64_t item_len,
                           uint64_t items_each)
{
    if (left < 1 + width)
        return (struct header){1 + width, 0, true};
    uint64_t size = big_endian(at + 1, width);
    return (struct header){1 + width + size * item_len, size * items_each, true};
}

static struct header read_header(const unsigned char *at, size_t left)
{
    unsigned char type = at[0];
    if (type <= 0x7f || type >= 0xe0)
        return (struct header){1, 0, true};
    if (type <= 0x8f)
        return (struct header){1, (type & 0x0fu) * 2u, true};
    if (type <= 0x9f)
        return (struct header){1, type & 0x0fu, true};
    if (type <= 0xbf)
        return (struct header){1 + (type & 0x1fu), 0, true};
    switch (type) {
    case 0xc0: /* nil, false, true */
    case 0xc2:
    case 0xc3:
        return (struct header){1, 0, true};
    case 0xc4: /* bin */
    case 0xc5:
    case 0xc6:
        return sized(at, left, (size_t)1 << (type - 0xc4), 1, 0);
    case 0xca: /* float */
        return (struct header){5, 0, true};
    case 0xcb:
        return (struct header){9, 0, true};
    case 0xcc: /* unsigned */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return (struct header){1 + ((uint64_t)1 << (type - 0xcc)), 0, true};
    case 0xd0: /* signed */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return (struct header){1 + ((uint64_t)1 << (type - 0xd0)), 0, true};
    case 0xd9: /* text */
    case 0xda:
    case 0xdb:
        return sized(at, left, (size_t)1 << (type - 0xd9), 1, 0);
    case 0xdc: /* array */
    case 0xdd:
        return sized(at, left, (size_t)2 << (type - 0xdc), 0, 1);
    case 0xde: /* map */
    case 0xdf:
        return sized(at, left, (size_t)2 << (type - 0xde), 0, 2);
    default:
        return (struct header){0, 0, false};
    }
}

enum status pack_scan(struct bytes packed, size_t *offset, struct error *err)
{
    const unsigned char *data = (const unsigned char *)packed.data;
    uint64_t open[PACK_DEPTH_MAX + 1] = {1}; /* values still to come at each depth */
    size_t depth = 0, at = *offset;
    while (open[0] > 0 || depth > 0) {
        if (open[depth] == 0) {
            depth--;
            continue;
        }
        open[depth]--;
        size_t left = packed.len - at;
        if (left == 0)
            return error_set(err, STATUS_CORRUPT, "MessagePack ends early, at byte %zu", at);
        struct header header = read_header(data + at, left);
        if (!header.known)
            return error_set(err, STATUS_CORRUPT, "MessagePack type 0x%02x at byte %zu is not used here",
                             data[at], at);
        if (header.len > left || header.items > left - header.len)
            return error_set(err, STATUS_CORRUPT, "MessagePack at byte %zu claims more than there is", at);
        at += (size_t)header.len;
        if (header.items == 0)
            continue;
        if (depth == PACK_DEPTH_MAX)
            return error_set(err, STATUS_CORRUPT, "MessagePack at byte %zu is nested too deeply", at);
        open[++depth] = header.items;
    }
    *offset = at;
    return STATUS_OK;
}
