/* api/http/if_none_match.c - lists of tags, in which separators between quotes mean nothing. */
#include "api/http/if_none_match.h"

static bool separates_tags(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

static struct bytes without_weakness(struct bytes tag)
{
    bool is_weak = tag.len > 2 && tag.data[0] == 'W' && tag.data[1] == '/';
    return is_weak ? (struct bytes){tag.data + 2, tag.len - 2} : tag;
}

/* Takes the text up to the next separator that is not between quotes; empty at the end. */
static struct bytes take_tag(struct bytes *rest)
{
    size_t skip = 0, len = 0;
    bool is_quoted = false;
    while (skip < rest->len && separates_tags(rest->data[skip]))
        skip++;
    for (; skip + len < rest->len && (is_quoted || !separates_tags(rest->data[skip + len])); len++)
        is_quoted = is_quoted != (rest->data[skip + len] == '"');
    struct bytes tag = {rest->data + skip, len};
    *rest = (struct bytes){tag.data + len, rest->len - skip - len};
    return tag;
}

static bool lists_tag(struct bytes list, struct bytes own)
{
    while (list.len > 0) {
        struct bytes tag = take_tag(&list);
        if (bytes_is(tag, "*") || bytes_equal(without_weakness(tag), own))
            return true;
    }
    return false;
}

bool if_none_match_has(const struct field_lines *if_none_match, const char *etag)
{
    struct bytes own = without_weakness(bytes_of(etag));
    if (!field_lines_are_whole(if_none_match))
        return false;
    for (size_t i = 0; i < if_none_match->count; i++)
        if (lists_tag(if_none_match->values[i], own))
            return true;
    return false;
}
