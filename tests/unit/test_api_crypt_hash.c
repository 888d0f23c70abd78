/* tests/unit/test_api_crypt_hash.c - hashes that are whole, hashes that are not, and passwords against them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/crypt_hash.h"
#include "tests/unit/support.h"

#define PASSWORD "senha: \xC3\xA9,$"
#define SHA512   "ZhLIWVI./FnuOhx3K6fIjK3chDlmnXbR5wacUpNWsLN9SUHnkIcck.B46JYbUaeOOxpRoa7NG/V3vx/BJTgAP/"
#define SHA256   "aOgvAHjOG8fMI4vytM4mJcvXjChncaKiI6YfZo9rnNB"
#define YESCRYPT "Ur9zCD7GlEZ3Nz1L/PCz/gJux14Wj3Mo0R9ZTLBtfm8"
#define BCRYPT   "abcdefghijklmnopqrstuubornI3ffO8SFOn2el9TfC8k6IfGpfTK"

/* The first two are what OpenSSL, which has an implementation of its own, makes of "Hello world!". */
static const struct {
    const char *name, *hash, *password;
} KNOWN[] = {
    {"SHA-512",
     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
     "Hello world!"},
    {"SHA-256", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
    {"yescrypt", "$y$j75$saltsalt$" YESCRYPT, PASSWORD},
    {"bcrypt", "$2b$04$" BCRYPT, PASSWORD},
    {"bcrypt of others", "$2y$04$" BCRYPT, PASSWORD},
    {"old bcrypt", "$2a$04$" BCRYPT, PASSWORD},
    {"SHA-512 with rounds", "$6$rounds=1000$saltstring$" SHA512, PASSWORD},
    {"SHA-256 with rounds", "$5$rounds=1000$saltstring$" SHA256, PASSWORD},
};

static void test_passwords(void **state)
{
    struct crypt_scratch *scratch = crypt_scratch_new();
    struct error err;
    (void)state;
    assert_non_null(scratch);
    for (size_t i = 0; i < COUNT(KNOWN); i++) {
        const char *hash = KNOWN[i].hash, *password = KNOWN[i].password;
        char other[64];
        size_t len = strlen(password);
        if (crypt_hash_check(bytes_of(hash), &err) != STATUS_OK)
            fail_msg("%s: %s", KNOWN[i].name, err.message);
        if (crypt_hash_verify(hash, bytes_of(password), scratch) != CRYPT_MATCHES)
            fail_msg("%s: the password does not match", KNOWN[i].name);
        snprintf(other, sizeof other, "%sx", password);
        if (crypt_hash_verify(hash, bytes_of(other), scratch) != CRYPT_DIFFERS)
            fail_msg("%s: a longer password does not differ", KNOWN[i].name);
        other[len - 1] = '\0';
        if (crypt_hash_verify(hash, bytes_of(other), scratch) != CRYPT_DIFFERS)
            fail_msg("%s: a shorter password does not differ", KNOWN[i].name);
        snprintf(other, sizeof other, "%s", password);
        if (crypt_hash_verify(hash, (struct bytes){other, len + 1}, scratch) != CRYPT_DIFFERS)
            fail_msg("%s: a password with a NUL behind it does not differ", KNOWN[i].name);
        if (crypt_hash_verify(hash, bytes_of(""), scratch) != CRYPT_DIFFERS)
            fail_msg("%s: no password does not differ", KNOWN[i].name);
    }
    crypt_scratch_free(scratch);
}

static void test_limits(void **state)
{
    struct crypt_scratch *scratch = crypt_scratch_new();
    char longest[600];
    (void)state;
    assert_non_null(scratch);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(crypt_hash_verify(KNOWN[7].hash, bytes_of(longest), scratch), CRYPT_DIFFERS);
    assert_int_equal(crypt_hash_verify("$6$:", bytes_of("x"), scratch), CRYPT_FAILED);
    crypt_scratch_free(scratch);
}

static void check_refused(const char *hash, const char *message)
{
    struct error err;
    if (crypt_hash_check(bytes_of(hash), &err) != STATUS_INVALID)
        fail_msg("%s is taken", hash);
    if (strstr(err.message, message) == NULL || strstr(err.message, "secret") != NULL)
        fail_msg("%s: message is \"%s\"", hash, err.message);
}

static void test_unknown_kinds(void **state)
{
    static const char *const rows[] = {
        "$",  "$$",        "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "$secret",   "$y",
        "$6", "$7$secret", "$argon2id$v=19$m=65536",         "$2$secret", "$2x$04$secret"};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i], "of a kind that is taken: yescrypt ($y$)");
}

static void test_what_is_no_whole_hash(void **state)
{
    static const struct {
        const char *head, *hash, *tail;
    } rows[] = {
        {"$6$", "", ""},
        {"$6$secret", "", ""},
        {"$6$$", "", ""},
        {"$6$saltstring$", SHA256, ""},
        {"$6$saltstring$", SHA512, "x"},
        {"$6$saltstring$$", SHA512, ""},
        {"$6$saltstring1234567$", SHA512, ""},
        {"$6$salt:string$", SHA512, ""},
        {"$6$rounds=$saltstring$", SHA512, ""},
        {"$6$rounds=999$saltstring$", SHA512, ""},
        {"$6$rounds=01000$saltstring$", SHA512, ""},
        {"$6$rounds=1000000000$saltstring$", SHA512, ""},
        {"$6$rounds=99999999999999999999$saltstring$", SHA512, ""},
        {"$6$rounds=1000saltstring$", SHA512, ""},
        {"$5$saltstring$", SHA512, ""},
        {"$5$saltstring$", "secret", ""},
        {"$y$", "", ""},
        {"$y$j75", "", ""},
        {"$y$j75$", "", ""},
        {"$y$$saltsalt$", YESCRYPT, ""},
        {"$y$j75$$", YESCRYPT, ""},
        {"$y$j75$saltsalt$", "", ""},
        {"$y$j75$saltsalt$", "secret", ""},
        {"$y$j75$saltsalt$", YESCRYPT, "x"},
        {"$2b$", "", ""},
        {"$2b$04$", "", ""},
        {"$2b$03$", BCRYPT, ""},
        {"$2b$32$", BCRYPT, ""},
        {"$2b$4$", BCRYPT, ""},
        {"$2b$004$", BCRYPT, ""},
        {"$2b$04$", BCRYPT, "x"},
        {"$2b$0x$", BCRYPT, ""},
        {"$2b$04", BCRYPT, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char hash[256];
        snprintf(hash, sizeof hash, "%s%s%s", rows[i].head, rows[i].hash, rows[i].tail);
        check_refused(hash, "is not a whole crypt(3) hash");
    }
}

/* Each in memory of its own, so that a byte read behind it is seen. */
static void test_every_cut(void **state)
{
    struct error err;
    (void)state;
    for (size_t i = 0; i < COUNT(KNOWN); i++) {
        for (size_t len = 1; len < strlen(KNOWN[i].hash); len++) {
            char *exact = malloc(len);
            assert_non_null(exact);
            memcpy(exact, KNOWN[i].hash, len);
            enum status status = crypt_hash_check((struct bytes){exact, len}, &err);
            free(exact);
            if (status != STATUS_INVALID)
                fail_msg("%s: taken after %zu bytes", KNOWN[i].name, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passwords),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_unknown_kinds), cmocka_unit_test(test_what_is_no_whole_hash),
        cmocka_unit_test(test_every_cut),
    };
    return cmocka_run_group_tests_name("api_crypt_hash", tests, NULL, NULL);
}
