/* tests/fuzz/fuzz_negotiation.c - Accept and Accept-Encoding from any bytes: lists that end, items that lie within them
 * and come back the same when they are printed, and choices among what is offered. */
#include "api/http/negotiation.h"
#include "common/base/buffer.h"
#include "tests/fuzz/fuzz.h"

static void print(struct bytes list, struct buffer *out)
{
    struct accept_item item;
    while (accept_next(&list, &item)) {
        buffer_append(out, item.name.data, item.name.len);
        buffer_append_format(out, item.weight == WEIGHT_MAX ? ";q=1," : ";q=0.%03u,", item.weight);
    }
}

static void check_items(struct bytes list)
{
    const char *end = list.data + list.len;
    struct accept_item item;
    struct bytes rest = list;
    for (size_t before = rest.len; accept_next(&rest, &item); before = rest.len) {
        MUST_HOLD(rest.len < before);
        MUST_HOLD(item.weight <= WEIGHT_MAX);
        MUST_HOLD(item.name.data >= list.data && item.name.len <= (size_t)(end - item.name.data));
    }
}

static void check_choices(struct bytes value, struct bytes printed)
{
    struct accept accept = {0}, again = {0};
    accept_add(&accept, value);
    accept_add(&again, printed);
    for (unsigned offered = 1; offered < 1u << MEDIA_COUNT; offered++) {
        enum media media = negotiate_media(&accept, offered);
        MUST_HOLD((MEDIA_BIT(media) & offered) != 0);
        MUST_HOLD(negotiate_media(&again, offered) == media);
        for (enum media other = 0; other < MEDIA_COUNT; other++)
            MUST_HOLD(
                (MEDIA_BIT(other) & offered) == 0 || accept.of[other].weight < accept.of[media].weight ||
                (accept.of[other].weight == accept.of[media].weight &&
                 (accept.of[media].weight == 0 || accept.of[other].precision <= accept.of[media].precision)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes list = {size > 0 ? (const char *)data : "", size};
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    check_items(list);
    print(list, &once);
    struct bytes printed = {once.len > 0 ? once.data : "", once.len};
    print(printed, &twice);
    MUST_HOLD(bytes_equal(printed, buffer_bytes(&twice)));
    check_choices(list, printed);
    struct field_lines lines = {.values = {list}, .count = 1}, again = {.values = {printed}, .count = 1};
    MUST_HOLD(negotiate_encoding(&lines) == negotiate_encoding(&again));
    buffer_clear(&once);
    buffer_clear(&twice);
    return 0;
}
