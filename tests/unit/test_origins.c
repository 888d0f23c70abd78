/* tests/unit/test_origins.c - lists of origins: which are taken, which are open to all, which have an origin. */
#include "common/program/origins.h"
#include "tests/unit/support.h"

static void check(const char *name, bool found, bool expected)
{
    if (found != expected)
        fail_msg("\"%s\": is %d, expected %d", name, found, expected);
}

static void test_valid(void **state)
{
    static const char *const lists[] = {
        "*",
        "null",
        "https://a.example",
        "http://localhost:3000",
        "https://a.example:8443",
        "http://a.example:443",
        "https://a.example:80",
        "https://a.example:1,https://a.example:65535",
        "http://127.0.0.1:8080",
        "http://[::1]",
        "http://[2001:db8::1]:8080",
        "https://xn--so-paulo-xyz.example",
        "http://my_host-1",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "https://a.example,*",
        "https://a.example, https://b.example ,\tnull",
        " * ",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++)
        check(lists[i], origins_are_valid(lists[i]), true);
}

static void test_invalid(void **state)
{
    static const char *const lists[] = {
        "",
        " ",
        ",",
        "*,",
        ",https://a.example",
        "https://a.example,,https://b.example",
        "https://a.example https://b.example",
        "a.example",
        "https:a.example",
        "https:/a.example",
        "://a.example",
        "1http://a.example",
        "https://",
        "https://:8443",
        "https://a.example/",
        "https://a.example/path",
        "https://a.example?x",
        "https://a.example#x",
        "https://u:p@a.example",
        "https://*.a.example",
        "https://A.example",
        "HTTPS://a.example",
        "Null",
        "**",
        "https://a.example:",
        "https://a.example:0",
        "https://a.example:0443",
        "https://a.example:65536",
        "https://a.example:x",
        "https://a.example:443",
        "http://a.example:80",
        "https://s\xC3\xA3o.example",
        "http://[::1",
        "http://::1]",
        "http://[]",
        "http://[::g]",
        "http://[::1]x",
        "http://::1",
        "https://a.example\n",
        "'https://a.example'",
        "[\"https://a.example\"]",
        "*,https://a.example/",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++)
        check(lists[i], origins_are_valid(lists[i]), false);
}

static void test_open(void **state)
{
    static const struct {
        const char *list;
        bool expected;
    } rows[] = {
        {"*", true},
        {"https://a.example,*", true},
        {"*,https://a.example", true},
        {"null, * ,https://a.example", true},
        {"https://a.example", false},
        {"null", false},
        {"**", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check(rows[i].list, origins_are_open(rows[i].list), rows[i].expected);
}

static void test_have(void **state)
{
    static const struct {
        const char *list, *origin;
        bool expected;
    } rows[] = {
        {"https://a.example", "https://a.example", true},
        {"https://b.example, https://a.example ", "https://a.example", true},
        {"null,https://a.example", "null", true},
        {"https://a.example", "null", false},
        {"https://a.example:8443", "https://a.example", false},
        {"https://a.example", "https://a.example:8443", false},
        {"https://a.example", "https://a.example.evil", false},
        {"https://a.example", "https://A.example", false},
        {"https://a.example", "", false},
        {"https://a.example", "https://a.example,", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check(rows[i].origin, origins_have(rows[i].list, bytes_of(rows[i].origin)), rows[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_have),
    };
    return cmocka_run_group_tests_name("origins", tests, NULL, NULL);
}
