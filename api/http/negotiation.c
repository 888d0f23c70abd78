/* api/http/negotiation.c - lists of names with parameters, which media types a range covers, and the choice. */
#include "api/http/negotiation.h"

#include <limits.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct bytes take(struct bytes *rest, size_t len)
{
    struct bytes taken = {rest->data, len};
    *rest = (struct bytes){rest->data + len, rest->len - len};
    return taken;
}

static struct bytes take_until(struct bytes *rest, const char *ends)
{
    size_t len = 0;
    while (len < rest->len && (rest->data[len] == '\0' || strchr(ends, rest->data[len]) == NULL))
        len++;
    return take(rest, len);
}

/* A quoted text with its quotes, in which separators mean nothing; otherwise all up to the next separator. */
static struct bytes take_value(struct bytes *rest)
{
    size_t len = 1;
    if (rest->len == 0 || rest->data[0] != '"')
        return take_until(rest, ";, \t");
    while (len < rest->len && rest->data[len] != '"')
        len += rest->data[len] == '\\' ? 2 : 1;
    return take(rest, len < rest->len ? len + 1 : rest->len);
}

/* "0", "0.5", "0.125", "1". Digits after the third only keep a weight from being 0. */
static unsigned parse_weight(struct bytes text)
{
    unsigned weight = 0, unit = WEIGHT_MAX / 10;
    bool is_zero = true;
    if (text.len == 0 || text.data[0] != '0' || (text.len > 1 && text.data[1] != '.'))
        return WEIGHT_MAX;
    for (size_t i = 2; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return WEIGHT_MAX;
        weight += unit * (unsigned)(text.data[i] - '0');
        unit /= 10;
        is_zero = is_zero && text.data[i] == '0';
    }
    return weight == 0 && !is_zero ? 1 : weight;
}

/* Takes a separator, or a parameter of the item. */
static void take_parameter(struct bytes *rest, struct accept_item *item)
{
    if (is_blank(rest->data[0]) || rest->data[0] == ';') {
        (void)take(rest, 1);
        return;
    }
    struct bytes name = take_until(rest, "=;, \t");
    if (rest->len == 0 || rest->data[0] != '=')
        return;
    (void)take(rest, 1);
    struct bytes value = take_value(rest);
    if (bytes_is_in_any_case(name, "q"))
        item->weight = parse_weight(value);
}

bool accept_next(struct bytes *rest, struct accept_item *out)
{
    while (rest->len > 0 && (is_blank(rest->data[0]) || rest->data[0] == ','))
        (void)take(rest, 1);
    if (rest->len == 0)
        return false;
    out->name = take_until(rest, ";, \t");
    out->weight = WEIGHT_MAX;
    while (rest->len > 0 && rest->data[0] != ',')
        take_parameter(rest, out);
    return true;
}

/* How precisely a range names a media type; 0: it does not. */
static unsigned char precision_of(struct bytes range, const char *type)
{
    size_t kind_len = strcspn(type, "/") + 1; /* with its slash */
    if (bytes_is_in_any_case(range, type))
        return 3;
    if (range.len == kind_len + 1 && range.data[kind_len] == '*' &&
        strncasecmp(range.data, type, kind_len) == 0)
        return 2;
    return bytes_is(range, "*/*") || bytes_is(range, "*") ? 1 : 0;
}

void accept_add(struct accept *accept, struct bytes value)
{
    struct accept_item item;
    while (accept_next(&value, &item))
        for (enum media media = 0; media < MEDIA_COUNT; media++) {
            unsigned char precision = precision_of(item.name, media_row(media)->type);
            bool is_equal = precision == accept->of[media].precision;
            if (precision < accept->of[media].precision || precision == 0 ||
                (is_equal && item.weight <= accept->of[media].weight))
                continue;
            accept->of[media].precision = precision;
            accept->of[media].weight = (unsigned short)item.weight;
        }
}

/* Among equal weights, the type that the client named more precisely: many name what they want and add a wildcard
 * without a weight. */
static bool is_wanted_more(const struct accept *accept, enum media media, enum media than)
{
    if (accept->of[media].weight != accept->of[than].weight)
        return accept->of[media].weight > accept->of[than].weight;
    return accept->of[media].weight > 0 && accept->of[media].precision > accept->of[than].precision;
}

enum media negotiate_media(const struct accept *accept, unsigned offered)
{
    enum media best = MEDIA_COUNT;
    for (enum media media = 0; media < MEDIA_COUNT; media++)
        if ((offered & MEDIA_BIT(media)) != 0 && (best == MEDIA_COUNT || is_wanted_more(accept, media, best)))
            best = media;
    return best;
}

/* What all lists together say about encodings. */
struct encoding_weights {
    unsigned any, zstd;
    unsigned gzip; /* UINT_MAX: not named, so that "*" decides */
};

static void weigh(struct bytes list, struct encoding_weights *weights)
{
    struct accept_item item;
    while (accept_next(&list, &item)) {
        if (weights->gzip == UINT_MAX && bytes_is_in_any_case(item.name, encoding_name(ENCODING_GZIP)))
            weights->gzip = item.weight;
        else if (bytes_is_in_any_case(item.name, encoding_name(ENCODING_ZSTD)))
            weights->zstd = item.weight;
        else if (bytes_is(item.name, "*"))
            weights->any = item.weight;
    }
}

enum encoding negotiate_encoding(const struct field_lines *accept_encoding)
{
    struct encoding_weights weights = {.any = 0, .gzip = UINT_MAX, .zstd = 0};
    if (!field_lines_are_whole(accept_encoding))
        return ENCODING_IDENTITY;
    for (size_t i = 0; i < accept_encoding->count; i++)
        weigh(accept_encoding->values[i], &weights);
    unsigned gzip = weights.gzip == UINT_MAX ? weights.any : weights.gzip;
    if (weights.zstd > 0 && weights.zstd >= gzip)
        return ENCODING_ZSTD;
    return gzip > 0 ? ENCODING_GZIP : ENCODING_IDENTITY;
}
