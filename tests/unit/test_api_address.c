/* tests/unit/test_api_address.c - addresses of both kinds, from text, from sockets and back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "api/net/address.h"
#include "tests/unit/support.h"

static struct address parse(const char *text)
{
    struct address address;
    if (!address_parse(bytes_of(text), &address))
        fail_msg("%s is refused", text);
    return address;
}

static void test_text(void **state)
{
    static const struct {
        const char *text, *shown; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"", NULL},
        {" ", NULL},
        {"192.0.2", NULL},
        {"192.0.2.1.1", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.01", NULL},
        {"192.0.2.1 ", NULL},
        {"192.0.2.1:80", NULL},
        {"[::1]", NULL},
        {"fe80::1%eth0", NULL},
        {"localhost", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"0000000000000000000000000000000000000000000000000000000::1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address;
        char shown[ADDRESS_TEXT_SIZE] = "";
        bool is_good = address_parse(bytes_of(rows[i].text), &address);
        if (is_good)
            address_format(&address, shown);
        if (is_good != (rows[i].shown != NULL) || (is_good && strcmp(shown, rows[i].shown) != 0))
            fail_msg("\"%s\" is \"%s\", expected %s", rows[i].text, shown, rows[i].shown);
    }
    struct address ignored;
    assert_false(address_parse((struct bytes){"::1\0", 4}, &ignored));
}

static void test_sockets(void **state)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    struct sockaddr local = {.sa_family = AF_UNIX};
    (void)state;
    inet_pton(AF_INET, "192.0.2.1", &ipv4.sin_addr);
    inet_pton(AF_INET6, "2001:db8::1", &ipv6.sin6_addr);
    struct address found = address_of_socket((struct sockaddr *)&ipv4), expected = parse("192.0.2.1");
    assert_true(address_equal(&found, &expected) && address_is_ipv4(&found));
    found = address_of_socket((struct sockaddr *)&ipv6);
    expected = parse("2001:db8::1");
    assert_true(address_equal(&found, &expected) && !address_is_ipv4(&found));
    found = address_of_socket(&local);
    expected = parse("::");
    assert_true(address_equal(&found, &expected));
}

static void test_masks(void **state)
{
    static const struct {
        const char *address;
        unsigned bits;
        const char *masked;
    } rows[] = {
        {"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"},
        {"2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6"},
        {"ffff::", 0, "::"},
        {"ffff::", 1, "8000::"},
        {"ffff::", 7, "fe00::"},
        {"ffff::", 9, "ff80::"},
        {"10.255.1.2", 96 + 8, "10.0.0.0"},
        {"192.0.2.255", 96 + 25, "192.0.2.128"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address = parse(rows[i].address), expected = parse(rows[i].masked);
        struct address masked = address_masked(&address, rows[i].bits);
        if (!address_equal(&masked, &expected))
            fail_msg("%s/%u is not %s", rows[i].address, rows[i].bits, rows[i].masked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_sockets),
                                       cmocka_unit_test(test_masks)};
    return cmocka_run_group_tests_name("api_address", tests, NULL, NULL);
}
