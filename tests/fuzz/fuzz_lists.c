/* tests/fuzz/fuzz_lists.c - the values of If-None-Match and X-Forwarded-For from any bytes that a head may hold. */
#include <string.h>

#include "api/auth/proxies.h"
#include "api/http/if_none_match.h"
#include "tests/fuzz/fuzz.h"

static bool contains(struct bytes text, const char *part)
{
    return text.len > 0 && memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* What matches holds the tag, or an asterisk; and in a list of several lines it matches just as well. */
static void check_tags(struct bytes text)
{
    static const char tag[] = "W/\"4711\"", other[] = "\"4712\"";
    struct field_lines one = {.count = 0}, several = {.count = 0};
    field_lines_add(&one, text);
    field_lines_add(&several, bytes_of(other));
    field_lines_add(&several, text);
    bool is_known = if_none_match_has(&one, tag);
    MUST_HOLD(!is_known || contains(text, tag + 2) || contains(text, "*"));
    MUST_HOLD(if_none_match_has(&several, tag) == is_known);
    while (several.count <= FIELD_LINES_MAX)
        field_lines_add(&several, bytes_of(tag));
    MUST_HOLD(!if_none_match_has(&several, tag));
}

static struct address address_from(const char *text)
{
    struct address address = {{0}};
    MUST_HOLD(address_parse(bytes_of(text), &address));
    return address;
}

static bool is_proxy(const struct address *address)
{
    const struct address network = address_from("10.0.0.0"), masked = address_masked(address, 96 + 8);
    return address_equal(&masked, &network);
}

/* A proxy more behind the list, in a line of its own, does not hide a client, nor make one; and a stranger's list is
 * not looked at. */
static void check_forwarded(const struct proxies *proxies, struct bytes text)
{
    const struct address proxy = address_from("10.0.0.1"), stranger = address_from("192.0.2.1");
    struct field_lines lines = {.count = 0};
    field_lines_add(&lines, text);
    struct address client = proxies_find_client(proxies, &proxy, &lines);
    struct address of_stranger = proxies_find_client(proxies, &stranger, &lines);
    MUST_HOLD(address_equal(&of_stranger, &stranger));
    field_lines_add(&lines, bytes_of("10.0.0.2"));
    struct address behind_another = proxies_find_client(proxies, &proxy, &lines);
    MUST_HOLD(is_proxy(&client) ? is_proxy(&behind_another) : address_equal(&behind_another, &client));
    field_lines_add(&lines, bytes_of("198.51.100.7, 10.0.0.3"));
    struct address nearest = proxies_find_client(proxies, &proxy, &lines),
                   expected = address_from("198.51.100.7");
    MUST_HOLD(address_equal(&nearest, &expected));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {size > 0 ? (const char *)data : "", size};
    struct proxies proxies;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    MUST_HOLD(proxies_load(&arena, "10.0.0.0/8", &proxies, &err) == STATUS_OK);
    check_tags(text);
    check_forwarded(&proxies, text);
    arena_clear(&arena);
    return 0;
}
