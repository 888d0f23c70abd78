/* tests/unit/test_api_auth.c - users as the setting lists them, and Authorization headers against them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/auth.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_users(void **state)
{
    static const struct {
        const char *name, *users;
        size_t count;
        const char *user, *password; /* of the last one */
    } rows[] = {
        {"one", "a:b", 1, "a", "b"},
        {"two", "a:b,cc:dd", 2, "cc", "dd"},
        {"blanks in front", "a:b,  cc:dd", 2, "cc", "dd"},
        {"a colon in the password", "a:b:c", 1, "a", "b:c"},
        {"a blank behind belongs to the password", "a:b ", 1, "a", "b "},
        {"above ASCII", "jo\xC3\xA3o:\xC3\xA7", 1, "jo\xC3\xA3o", "\xC3\xA7"},
        {"a dollar inside", "a:b$", 1, "a", "b$"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct auth auth;
        struct error err;
        arena_init(&arena);
        if (auth_load(&arena, rows[i].users, &auth, &err) != STATUS_OK)
            fail_msg("%s: %s", rows[i].name, err.message);
        if (auth.users_count != rows[i].count)
            fail_msg("%s: %zu users, expected %zu", rows[i].name, auth.users_count, rows[i].count);
        const struct auth_user *last = &auth.users[auth.users_count - 1];
        if (!bytes_is(last->name, rows[i].user) || !bytes_is(last->password, rows[i].password))
            fail_msg("%s: last user is %.*s with %.*s, expected %s with %s", rows[i].name,
                     (int)last->name.len, last->name.data, (int)last->password.len, last->password.data,
                     rows[i].user, rows[i].password);
        arena_clear(&arena);
    }
}

static void test_users_that_are_refused(void **state)
{
    static const struct {
        const char *name, *users, *entry;
    } rows[] = {
        {"nothing", "", "entry 1 "},
        {"no password", "secret", "entry 1 "},
        {"an empty password", "secret:", "entry 1 "},
        {"an empty name", ":secret", "entry 1 "},
        {"the second", "a:b,secret", "entry 2 "},
        {"a comma at the end", "a:secret,", "entry 2 "},
        {"a comma first", ",a:secret", "entry 1 "},
        {"a comma in a password", "a:b,secret,c:d", "entry 2 "},
        {"a hash", "a:$6$secret", "entry 1 "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct auth auth = {NULL, 4711};
        struct error err = {STATUS_OK, ""};
        arena_init(&arena);
        enum status status = auth_load(&arena, rows[i].users, &auth, &err);
        if (status != STATUS_INVALID || auth.users_count != 4711)
            fail_msg("%s: status is %s, expected invalid", rows[i].name, status_word(status));
        if (strstr(err.message, rows[i].entry) == NULL || strstr(err.message, "secret") != NULL)
            fail_msg("%s: message is \"%s\", expected one of %sand no text of it", rows[i].name, err.message,
                     rows[i].entry);
        arena_clear(&arena);
    }
}

static const char *const RESULTS[] = {
    [AUTH_OK] = "ok", [AUTH_MISSING] = "missing", [AUTH_UNDECODABLE] = "undecodable", [AUTH_WRONG] = "wrong"};

/* The header is in memory of its own, so that a byte read behind it is seen. */
static void check_header(const struct auth *auth, const char *name, struct bytes header,
                         enum auth_result expected)
{
    char *copy = malloc(header.len + 1);
    assert_non_null(copy);
    if (header.len > 0)
        memcpy(copy, header.data, header.len);
    char *exact = realloc(copy, header.len > 0 ? header.len : 1);
    assert_non_null(exact);
    enum auth_result found = auth_check(auth, (struct bytes){header.data != NULL ? exact : NULL, header.len});
    free(exact);
    if (found != expected)
        fail_msg("%s: is %s, expected %s", name, RESULTS[found], RESULTS[expected]);
}

static void test_headers(void **state)
{
    static const struct {
        const char *name, *header;
        enum auth_result expected;
    } rows[] = {
        {"admin:admin123", "Basic YWRtaW46YWRtaW4xMjM=", AUTH_OK},
        {"other letters", "bAsIc YWRtaW46YWRtaW4xMjM=", AUTH_OK},
        {"blanks", "Basic    YWRtaW46YWRtaW4xMjM=", AUTH_OK},
        {"x:a:b, a colon in the password", "Basic eDphOmI=", AUTH_OK},
        {"jo\xC3\xA3o:\xC3\xA7", "Basic am/Do286w6c=", AUTH_WRONG},
        {"no header", NULL, AUTH_MISSING},
        {"empty", "", AUTH_MISSING},
        {"Basic alone", "Basic", AUTH_MISSING},
        {"Basic and a blank", "Basic ", AUTH_MISSING},
        {"Basic and blanks", "Basic    ", AUTH_MISSING},
        {"Bearer", "Bearer YWRtaW46YWRtaW4xMjM=", AUTH_MISSING},
        {"no blank", "BasicYWRtaW46YWRtaW4xMjM=", AUTH_MISSING},
        {"in clear", "Basic admin:admin123", AUTH_UNDECODABLE},
        {"no padding", "Basic YWRtaW46YWRtaW4xMjM", AUTH_UNDECODABLE},
        {"padding alone", "Basic ====", AUTH_UNDECODABLE},
        {"three of padding", "Basic Y===", AUTH_UNDECODABLE},
        {"padding inside", "Basic YW=taW46", AUTH_UNDECODABLE},
        {"padding in the first group", "Basic YQ==YQ==", AUTH_UNDECODABLE},
        {"a blank inside", "Basic YWRt aW46", AUTH_UNDECODABLE},
        {"a blank behind", "Basic YWRtaW46YWRtaW4xMjM= ", AUTH_UNDECODABLE},
        {"letters of URLs", "Basic am_Do286w6c=", AUTH_UNDECODABLE},
        {"above ASCII", "Basic \xC3\xA7\xC3\xA7", AUTH_UNDECODABLE},
        {"no colon: admin", "Basic YWRtaW4=", AUTH_UNDECODABLE},
        {"admin:", "Basic YWRtaW46", AUTH_WRONG},
        {":admin123", "Basic OmFkbWluMTIz", AUTH_WRONG},
        {":", "Basic Og==", AUTH_WRONG},
        {"admin:admin12", "Basic YWRtaW46YWRtaW4xMg==", AUTH_WRONG},
        {"admin:admin1234", "Basic YWRtaW46YWRtaW4xMjM0", AUTH_WRONG},
        {"Admin:admin123", "Basic QWRtaW46YWRtaW4xMjM=", AUTH_WRONG},
        {"admin2:admin123", "Basic YWRtaW4yOmFkbWluMTIz", AUTH_WRONG},
        {"x:admin123, another one's password", "Basic eDphZG1pbjEyMw==", AUTH_WRONG},
        {"admin:a:b, another one's password", "Basic YWRtaW46YTpi", AUTH_WRONG},
    };
    static const struct auth_user users[] = {{{"admin", 5}, {"admin123", 8}}, {{"x", 1}, {"a:b", 3}}};
    static const struct auth auth = {users, COUNT(users)};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_header(&auth, rows[i].name, bytes_of(rows[i].header), rows[i].expected);
}

/* 1,024 decoded bytes are the most that is looked at. */
static void test_long_credentials(void **state)
{
    static const struct auth_user user = {{"a", 1}, {"b", 1}};
    static const struct auth auth = {&user, 1};
    char header[6 + 1400];
    (void)state;
    memset(header, 'A', sizeof header);
    memcpy(header, "Basic YTpi", 10);
    check_header(&auth, "a:b and 1,020 NULs", (struct bytes){header, 6 + 1364}, AUTH_WRONG);
    check_header(&auth, "a group more", (struct bytes){header, 6 + 1368}, AUTH_UNDECODABLE);
    check_header(&auth, "a:b and three NULs", (struct bytes){header, 6 + 8}, AUTH_WRONG);
    check_header(&auth, "a:b", (struct bytes){header, 6 + 4}, AUTH_OK);
    for (size_t len = 0; len < 30; len++)
        if (len != 6 + 4)
            check_header(&auth, "cut", (struct bytes){header, len},
                         len <= 6             ? AUTH_MISSING
                         : (len - 6) % 4 != 0 ? AUTH_UNDECODABLE
                                              : AUTH_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_users_that_are_refused),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_long_credentials),
    };
    return cmocka_run_group_tests_name("api_auth", tests, NULL, NULL);
}
