/* tests/unit/test_api_proxies.c - TRUSTED_PROXIES, and what X-Forwarded-For is believed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/proxies.h"
#include "tests/unit/support.h"

static void test_settings(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *refused; /* the entry that is, or NULL */
    } rows[] = {
        {"", 0, NULL},
        {"127.0.0.1", 1, NULL},
        {"127.0.0.1,::1", 2, NULL},
        {" 10.0.0.0/8 , 2001:db8::/32 ", 2, NULL},
        {"0.0.0.0/0,::/0", 2, NULL},
        {"192.0.2.1/32", 1, NULL},
        {",", 0, "entry 1 is \"\""},
        {"127.0.0.1,", 0, "entry 2 is \"\""},
        {"localhost", 0, "entry 1 is \"localhost\""},
        {"127.0.0.1,10.0.0.0/33", 0, "entry 2 is \"10.0.0.0/33\""},
        {"10.0.0.1/8", 0, "entry 1 is \"10.0.0.1/8\""},
        {"10.0.0.0/", 0, "entry 1 is \"10.0.0.0/\""},
        {"10.0.0.0/-1", 0, "entry 1 is \"10.0.0.0/-1\""},
        {"10.0.0.0/8/8", 0, "entry 1 is \"10.0.0.0/8/8\""},
        {"2001:db8::/129", 0, "entry 1 is \"2001:db8::/129\""},
        {"2001:db8::1/64", 0, "entry 1 is \"2001:db8::1/64\""},
        {"10.0.0.0/4294967304", 0, "entry 1 is \"10.0.0.0/4294967304\""},
        {"10.0.0.1:80", 0, "entry 1 is \"10.0.0.1:80\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct proxies proxies = {NULL, 0};
        struct error err = {STATUS_OK, ""};
        arena_init(&arena);
        enum status status = proxies_load(&arena, rows[i].text, &proxies, &err);
        if ((status == STATUS_OK) != (rows[i].refused == NULL) || proxies.count != rows[i].count)
            fail_msg("\"%s\": status is %s, %zu networks: %s", rows[i].text, status_word(status),
                     proxies.count, err.message);
        if (rows[i].refused != NULL && (strncmp(err.message, "TRUSTED_PROXIES: ", 17) != 0 ||
                                        strstr(err.message, rows[i].refused) == NULL))
            fail_msg("\"%s\": message is \"%s\"", rows[i].text, err.message);
        arena_clear(&arena);
    }
}

static void check_client(const struct proxies *proxies, const char *name, const char *peer,
                         const struct field_lines *forwarded, const char *expected)
{
    struct address address, found;
    char shown[ADDRESS_TEXT_SIZE];
    assert_true(address_parse(bytes_of(peer), &address));
    found = proxies_find_client(proxies, &address, forwarded);
    address_format(&found, shown);
    if (strcmp(shown, expected) != 0)
        fail_msg("%s: the client is %s, expected %s", name, shown, expected);
}

static void test_clients(void **state)
{
    static const struct {
        const char *name, *peer, *fields[3], *client;
    } rows[] = {
        {"nobody in between", "192.0.2.1", {NULL}, "192.0.2.1"},
        {"an own invention", "192.0.2.1", {"198.51.100.7"}, "192.0.2.1"},
        {"a proxy", "127.0.0.1", {"198.51.100.7"}, "198.51.100.7"},
        {"a proxy that says nothing", "127.0.0.1", {NULL}, "127.0.0.1"},
        {"a proxy that says nothing in a field", "127.0.0.1", {""}, "127.0.0.1"},
        {"an invention in front", "127.0.0.1", {"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
        {"garbage in front", "127.0.0.1", {"<script>, 198.51.100.7"}, "198.51.100.7"},
        {"two proxies", "127.0.0.1", {"198.51.100.7, 10.1.2.3"}, "198.51.100.7"},
        {"two proxies and an invention", "127.0.0.1", {"10.9.9.9, 198.51.100.7,10.1.2.3"}, "198.51.100.7"},
        {"proxies alone", "127.0.0.1", {"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
        {"a field each", "127.0.0.1", {"203.0.113.9", "198.51.100.7", "10.1.2.3"}, "198.51.100.7"},
        {"an empty field behind", "127.0.0.1", {"198.51.100.7", ""}, "198.51.100.7"},
        {"IPv6", "2001:db8::5", {"2001:db9::1"}, "2001:db9::1"},
        {"a network of IPv6", "2001:db8:ffff::5", {"2001:db9::1, 2001:db8::9"}, "2001:db9::1"},
        {"IPv4 in IPv6", "::ffff:127.0.0.1", {"::ffff:198.51.100.7"}, "198.51.100.7"},
        {"with a port", "127.0.0.1", {"198.51.100.7:4711"}, "198.51.100.7"},
        {"IPv6 with a port", "127.0.0.1", {"[2001:db9::1]:4711"}, "2001:db9::1"},
        {"IPv6 in brackets", "127.0.0.1", {"[2001:db9::1]"}, "2001:db9::1"},
        {"blanks and tabs", "127.0.0.1", {" \t198.51.100.7 \t"}, "198.51.100.7"},
        {"garbage", "127.0.0.1", {"unknown"}, "127.0.0.1"},
        {"garbage behind", "127.0.0.1", {"198.51.100.7, _hidden"}, "127.0.0.1"},
        {"garbage on the way", "127.0.0.1", {"198.51.100.7, nonsense, 10.1.2.3"}, "127.0.0.1"},
        {"garbage in a field before", "127.0.0.1", {"x", "10.1.2.3"}, "127.0.0.1"},
        {"nothing between commas", "127.0.0.1", {"198.51.100.7,,10.1.2.3"}, "127.0.0.1"},
        {"a comma at the end", "127.0.0.1", {"198.51.100.7,"}, "127.0.0.1"},
        {"a port that is none", "127.0.0.1", {"198.51.100.7:http"}, "127.0.0.1"},
        {"a port above all", "127.0.0.1", {"198.51.100.7:65536"}, "127.0.0.1"},
        {"a colon without a port", "127.0.0.1", {"198.51.100.7:"}, "127.0.0.1"},
        {"text behind brackets", "127.0.0.1", {"[2001:db9::1]x"}, "127.0.0.1"},
        {"an open bracket", "127.0.0.1", {"[2001:db9::1"}, "127.0.0.1"},
        {"empty brackets", "127.0.0.1", {"[]"}, "127.0.0.1"},
        {"a quoted one", "127.0.0.1", {"\"198.51.100.7\""}, "127.0.0.1"},
    };
    struct arena arena;
    struct proxies proxies;
    struct error err;
    (void)state;
    arena_init(&arena);
    assert_int_equal(proxies_load(&arena, "127.0.0.1,10.0.0.0/8,2001:db8::/32", &proxies, &err), STATUS_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct field_lines forwarded = {.count = 0};
        while (forwarded.count < 3 && rows[i].fields[forwarded.count] != NULL) {
            forwarded.values[forwarded.count] = bytes_of(rows[i].fields[forwarded.count]);
            forwarded.count++;
        }
        check_client(&proxies, rows[i].name, rows[i].peer, &forwarded, rows[i].client);
    }
    arena_clear(&arena);
}

static void test_too_many_fields(void **state)
{
    static const struct network any = {.bits = 0};
    static const struct proxies nobody = {NULL, 0}, everybody = {&any, 1};
    struct field_lines forwarded = {.count = FIELD_LINES_MAX};
    (void)state;
    for (size_t i = 0; i < FIELD_LINES_MAX; i++)
        forwarded.values[i] = bytes_of("198.51.100.7");
    check_client(&everybody, "as many as are kept", "127.0.0.1", &forwarded, "198.51.100.7");
    check_client(&nobody, "trusting nobody", "127.0.0.1", &forwarded, "127.0.0.1");
    forwarded.count++;
    check_client(&everybody, "one more", "127.0.0.1", &forwarded, "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings), cmocka_unit_test(test_clients),
                                       cmocka_unit_test(test_too_many_fields)};
    return cmocka_run_group_tests_name("api_proxies", tests, NULL, NULL);
}
