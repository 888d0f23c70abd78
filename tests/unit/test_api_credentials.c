/* tests/unit/test_api_credentials.c - Authorization headers: what is decoded, and what is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/credentials.h"
#include "tests/unit/support.h"

static const char *const RESULTS[] = {[CREDENTIALS_OK] = "ok",
                                      [CREDENTIALS_MISSING] = "missing",
                                      [CREDENTIALS_UNDECODABLE] = "undecodable",
                                      [CREDENTIALS_TOO_LONG] = "too long"};

/* The header is in memory of its own, so that a byte read behind it is seen. */
static void check(const char *name, struct bytes header, enum credentials_result expected, const char *user,
                  const char *password)
{
    struct credentials credentials;
    char *exact = malloc(header.len > 0 ? header.len : 1);
    assert_non_null(exact);
    if (header.len > 0)
        memcpy(exact, header.data, header.len);
    enum credentials_result found =
        credentials_parse((struct bytes){header.data != NULL ? exact : NULL, header.len}, &credentials);
    free(exact);
    if (found != expected)
        fail_msg("%s: is %s, expected %s", name, RESULTS[found], RESULTS[expected]);
    if (user == NULL)
        return;
    struct bytes found_name = credentials_name(&credentials),
                 found_password = credentials_password(&credentials);
    if (!bytes_is(found_name, user) || !bytes_is(found_password, password))
        fail_msg("%s: is \"%.*s\" with \"%.*s\", expected \"%s\" with \"%s\"", name, (int)found_name.len,
                 found_name.data, (int)found_password.len, found_password.data, user, password);
    assert_int_equal(found_password.data[found_password.len], '\0');
    credentials_wipe(&credentials);
    for (size_t i = 0; i < credentials.len; i++)
        assert_int_equal(credentials.text[i], '\0');
}

static void test_headers(void **state)
{
    static const struct {
        const char *name, *header;
        enum credentials_result expected;
        const char *user, *password;
    } rows[] = {
        {"plain", "Basic YWRtaW46YWRtaW4xMjM=", CREDENTIALS_OK, "admin", "admin123"},
        {"other letters", "bAsIc YWRtaW46YWRtaW4xMjM=", CREDENTIALS_OK, "admin", "admin123"},
        {"blanks", "Basic    YWRtaW46YWRtaW4xMjM=", CREDENTIALS_OK, "admin", "admin123"},
        {"a colon in the password", "Basic eDphOmI=", CREDENTIALS_OK, "x", "a:b"},
        {"above ASCII", "Basic am/Do286w6c=", CREDENTIALS_OK, "jo\xC3\xA3o", "\xC3\xA7"},
        {"no password", "Basic YWRtaW46", CREDENTIALS_OK, "admin", ""},
        {"no name", "Basic OmFkbWluMTIz", CREDENTIALS_OK, "", "admin123"},
        {"a colon alone", "Basic Og==", CREDENTIALS_OK, "", ""},
        {"no header", NULL, CREDENTIALS_MISSING, NULL, NULL},
        {"empty", "", CREDENTIALS_MISSING, NULL, NULL},
        {"Basic alone", "Basic", CREDENTIALS_MISSING, NULL, NULL},
        {"Basic and a blank", "Basic ", CREDENTIALS_MISSING, NULL, NULL},
        {"Basic and blanks", "Basic    ", CREDENTIALS_MISSING, NULL, NULL},
        {"Bearer", "Bearer YWRtaW46YWRtaW4xMjM=", CREDENTIALS_MISSING, NULL, NULL},
        {"no blank", "BasicYWRtaW46YWRtaW4xMjM=", CREDENTIALS_MISSING, NULL, NULL},
        {"in clear", "Basic admin:admin123", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"no padding", "Basic YWRtaW46YWRtaW4xMjM", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"padding alone", "Basic ====", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"three of padding", "Basic Y===", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"padding inside", "Basic YW=taW46", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"padding in the first group", "Basic YQ==YQ==", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"a blank inside", "Basic YWRt aW46", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"a blank behind", "Basic YWRtaW46YWRtaW4xMjM= ", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"letters of URLs", "Basic am_Do286w6c=", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"above ASCII in clear", "Basic \xC3\xA7\xC3\xA7", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"bits that belong to no byte", "Basic Oh==", CREDENTIALS_UNDECODABLE, NULL, NULL},
        {"no colon: admin", "Basic YWRtaW4=", CREDENTIALS_UNDECODABLE, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check(rows[i].name, bytes_of(rows[i].header), rows[i].expected, rows[i].user, rows[i].password);
}

/* What is longer than CREDENTIALS_MAX bytes is nobody's; whether it can be decoded is told all the same. */
static void test_long_credentials(void **state)
{
    char header[6 + 1400];
    (void)state;
    memset(header, 'A', sizeof header);
    memcpy(header, "Basic YTpi", 10);
    check("1,023 bytes", (struct bytes){header, 6 + 1364}, CREDENTIALS_OK, NULL, NULL);
    check("1,026 bytes", (struct bytes){header, 6 + 1368}, CREDENTIALS_TOO_LONG, NULL, NULL);
    header[6 + 1367] = '=';
    check("1,025 bytes", (struct bytes){header, 6 + 1368}, CREDENTIALS_TOO_LONG, NULL, NULL);
    header[6 + 1366] = '=';
    check("1,024 bytes", (struct bytes){header, 6 + 1368}, CREDENTIALS_OK, NULL, NULL);
    check("padding inside", (struct bytes){header, 6 + 1372}, CREDENTIALS_UNDECODABLE, NULL, NULL);
    memset(header + 6 + 1366, 'A', 2);
    memcpy(header + 6, "YWFh", 4);
    check("no colon", (struct bytes){header, 6 + 1368}, CREDENTIALS_UNDECODABLE, NULL, NULL);
    check("no colon, and longer", (struct bytes){header, sizeof header}, CREDENTIALS_UNDECODABLE, NULL, NULL);
    header[6 + 1023] = '=';
    check("padding at the end of a block", (struct bytes){header, 6 + 1384}, CREDENTIALS_UNDECODABLE, NULL,
          NULL);
    header[6 + 1023] = 'A';
    memcpy(header + 6 + 1380, "YTpi", 4);
    check("a colon behind 1,024 bytes", (struct bytes){header, 6 + 1384}, CREDENTIALS_TOO_LONG, NULL, NULL);
    memcpy(header + 6, "YTpi", 4);
    check("a:b", (struct bytes){header, 6 + 4}, CREDENTIALS_OK, "a", "b");
    for (size_t len = 0; len < 30; len++)
        check("cut", (struct bytes){header, len},
              len <= 6             ? CREDENTIALS_MISSING
              : (len - 6) % 4 != 0 ? CREDENTIALS_UNDECODABLE
                                   : CREDENTIALS_OK,
              NULL, NULL);
}

/* "segredo", decoded before the byte that spoils it, is not left lying about. */
static void test_nothing_stays_of_what_was_refused(void **state)
{
    struct credentials credentials;
    (void)state;
    memset(&credentials, 'x', sizeof credentials);
    assert_int_equal(credentials_parse(bytes_of("Basic YTpzZWdyZWRv!!!!"), &credentials),
                     CREDENTIALS_UNDECODABLE);
    for (size_t i = 0; i < sizeof credentials.text; i++)
        assert_int_equal(credentials.text[i], '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_long_credentials),
        cmocka_unit_test(test_nothing_stays_of_what_was_refused),
    };
    return cmocka_run_group_tests_name("api_credentials", tests, NULL, NULL);
}
