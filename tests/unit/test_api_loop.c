/* tests/unit/test_api_loop.c - what a resolver that fails is to us: wrong configuration, or something that passes. */
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/loop.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int problem; /* what the resolver is to answer; 0: ask the real one */

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out);

/* The linker leads every call here. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    errno = ENFILE;
    return problem != 0 ? problem : __real_getaddrinfo(host, port, hints, out);
}

static void test_resolver_that_fails(void **state)
{
    static const struct {
        const char *name;
        int problem;
        enum status status;
        const char *message;
    } rows[] = {
        {"unknown name", EAI_NONAME, STATUS_INVALID,
         "HOST: is \"name.example\", takes an address of this machine (Name or service not known)"},
        {"no address", EAI_FAMILY, STATUS_INVALID,
         "HOST: is \"name.example\", takes an address of this machine (ai_family not supported)"},
        {"for ever", EAI_FAIL, STATUS_INVALID,
         "HOST: is \"name.example\", takes an address of this machine (Non-recoverable failure in name "
         "resolution)"},
        {"for now", EAI_AGAIN, STATUS_UNAVAILABLE,
         "HOST: is \"name.example\", takes an address of this machine (Temporary failure in name "
         "resolution)"},
        {"the system", EAI_SYSTEM, STATUS_UNAVAILABLE,
         "HOST: is \"name.example\", takes an address of this machine (Too many open files in system)"},
        {"memory", EAI_MEMORY, STATUS_NO_MEMORY,
         "HOST: is \"name.example\", takes an address of this machine (Memory allocation failure)"},
    };
    const struct settings settings = {.host = "name.example", .port = 8000};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct addrinfo *addresses = NULL;
        struct error err = {STATUS_OK, ""};
        problem = rows[i].problem;
        enum status status = loop_resolve(&settings, &addresses, &err);
        if (status != rows[i].status || err.code != rows[i].status || addresses != NULL)
            fail_msg("%s: %d, expected %d", rows[i].name, status, rows[i].status);
        if (strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, err.message, rows[i].message);
    }
}

static void test_addresses(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};
    (void)state;
    problem = 0;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const struct settings settings = {.host = hosts[i], .port = 65535};
        struct addrinfo *addresses;
        struct error err;
        if (loop_resolve(&settings, &addresses, &err) != STATUS_OK)
            fail_msg("%s: %s", hosts[i], err.message);
        assert_int_equal(addresses->ai_socktype, SOCK_STREAM);
        freeaddrinfo(addresses);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolver_that_fails),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests_name("api_loop", tests, NULL, NULL);
}
