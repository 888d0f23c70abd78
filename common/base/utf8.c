/* common/base/utf8.c - strict UTF-8: one step function, used for both checking and cleaning. */
#include "common/base/utf8.h"

static const char REPLACEMENT[] = "\xEF\xBF\xBD";

struct step {
    size_t len; /* bytes to consume, at least 1 */
    bool valid;
};

/* The lead byte determines how many bytes follow and the range of the second one; later ones are 80..BF. */
static struct step step_at(const unsigned char *p, size_t left)
{
    unsigned char lead = p[0], low = 0x80, high = 0xBF;
    size_t follow;
    if (lead < 0x80)
        return (struct step){1, true};
    if (lead >= 0xC2 && lead <= 0xDF)
        follow = 1;
    else if (lead >= 0xE0 && lead <= 0xEF)
        follow = 2;
    else if (lead >= 0xF0 && lead <= 0xF4)
        follow = 3;
    else
        return (struct step){1, false};
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    for (size_t i = 1; i <= follow; i++) {
        if (i >= left || p[i] < low || p[i] > high)
            return (struct step){i, false};
        low = 0x80;
        high = 0xBF;
    }
    return (struct step){follow + 1, true};
}

bool utf8_is_valid(struct bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    for (size_t at = 0; at < text.len;) {
        struct step step = step_at(p + at, text.len - at);
        if (!step.valid)
            return false;
        at += step.len;
    }
    return true;
}

static size_t count_ill_formed(struct bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t count = 0;
    for (size_t at = 0; at < text.len;) {
        struct step step = step_at(p + at, text.len - at);
        count += !step.valid;
        at += step.len;
    }
    return count;
}

struct bytes utf8_clean(struct arena *arena, struct bytes text, uint64_t *replaced)
{
    if (text.data == NULL)
        return text;
    size_t bad = count_ill_formed(text);
    if (bad == 0)
        return arena_copy(arena, text);
    *replaced += bad;
    char *out = arena_take(arena, text.len + bad * (sizeof REPLACEMENT - 1) + 1);
    if (out == NULL)
        return (struct bytes){NULL, 0};
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        struct step step = step_at((const unsigned char *)text.data + at, text.len - at);
        const char *from = step.valid ? text.data + at : REPLACEMENT;
        size_t from_len = step.valid ? step.len : sizeof REPLACEMENT - 1;
        memcpy(out + len, from, from_len);
        len += from_len;
        at += step.len;
    }
    return (struct bytes){out, len};
}

struct bytes utf8_cut(struct bytes text, size_t len_max)
{
    size_t len = len_max;
    if (text.len <= len_max)
        return text;
    while (len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80)
        len--;
    return (struct bytes){text.data, len};
}
