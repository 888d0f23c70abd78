/* tests/unit/test_api_users.c - users as the settings list them, and what is remembered of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/credentials.h"
#include "api/auth/users.h"
#include "tests/unit/support.h"

#define HASH       "$5$saltstring$jWTMC34yGMXgcAulZNqbODguAr1zI/WVc4.zhj5Hln1"
#define OTHER_HASH "$5$rounds=1000$saltstring$aOgvAHjOG8fMI4vytM4mJcvXjChncaKiI6YfZo9rnNB"

static const struct siphash_key KEY = {{1, 2}};

static struct users *load(const char *list, const char *readonly, struct users *before)
{
    struct users *users;
    struct error err;
    if (users_load(list, readonly, &KEY, before, &users, &err) != STATUS_OK)
        fail_msg("%s: %s", list, err.message);
    return users;
}

static const struct user *recognise(const struct users *users, const char *credentials)
{
    struct siphash_tag tag = siphash(&KEY, bytes_of(credentials));
    return users_recognise(users, &tag);
}

static void test_users(void **state)
{
    static const struct {
        const char *name, *users;
        size_t count;
        const char *last; /* its credentials */
    } rows[] = {
        {"one", "a:b", 1, "a:b"},
        {"two", "a:b,cc:dd", 2, "cc:dd"},
        {"blanks in front", "a:b,  cc:dd", 2, "cc:dd"},
        {"a colon in the password", "a:b:c", 1, "a:b:c"},
        {"a blank behind belongs to the password", "a:b ", 1, "a:b "},
        {"above ASCII", "jo\xC3\xA3o:\xC3\xA7", 1, "jo\xC3\xA3o:\xC3\xA7"},
        {"a dollar inside", "a:b$", 1, "a:b$"},
        {"the same password twice", "a:b,c:b", 2, "c:b"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct users *users = load(rows[i].users, "", NULL);
        if (users->count != rows[i].count)
            fail_msg("%s: %zu users, expected %zu", rows[i].name, users->count, rows[i].count);
        if (recognise(users, rows[i].last) != &users->list[users->count - 1])
            fail_msg("%s: \"%s\" is not the last one", rows[i].name, rows[i].last);
        users_unref(users);
    }
}

static void test_users_that_are_refused(void **state)
{
    static const struct {
        const char *name, *users, *readonly, *message;
    } rows[] = {
        {"nothing", "", "", "BASIC_AUTH_USERS: entry 1: is not user:password"},
        {"no password", "secret", "", "BASIC_AUTH_USERS: entry 1: is not user:password"},
        {"an empty password", "secret:", "", "BASIC_AUTH_USERS: entry 1: is not user:password"},
        {"an empty name", ":secret", "", "BASIC_AUTH_USERS: entry 1: is not user:password"},
        {"the second", "a:b,secret", "", "BASIC_AUTH_USERS: entry 2: is not user:password"},
        {"a comma at the end", "a:secret,", "", "BASIC_AUTH_USERS: entry 2: is not user:password"},
        {"a comma first", ",a:secret", "", "BASIC_AUTH_USERS: entry 1: is not user:password"},
        {"a comma in a password", "a:b,secret,c:d", "", "BASIC_AUTH_USERS: entry 2: is not user:password"},
        {"a name twice", "a:b,secret:c,secret:d", "",
         "BASIC_AUTH_USERS: entry 3: has the name of an entry before it"},
        {"a hash that was cut", "a:b,c:$6$secret", "",
         "BASIC_AUTH_USERS: entry 2: is not a whole crypt(3) hash: $6$ and more, but not its shape"},
        {"an unknown hash", "a:$secret", "",
         "BASIC_AUTH_USERS: entry 1: is no crypt(3) hash of a kind that is taken: yescrypt ($y$), bcrypt "
         "($2b$, "
         "$2y$, $2a$), SHA-512 ($6$) and SHA-256 ($5$)"},
        {"an unknown reader", "a:b,c:d", "a,secret",
         "BASIC_AUTH_READONLY: entry 2: names no user of BASIC_AUTH_USERS"},
        {"a reader with a password", "a:b", "a:b",
         "BASIC_AUTH_READONLY: entry 1: names no user of BASIC_AUTH_USERS"},
        {"a comma behind a reader", "a:b", "a,",
         "BASIC_AUTH_READONLY: entry 2: names no user of BASIC_AUTH_USERS"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct users *users = NULL;
        struct error err = {STATUS_OK, ""};
        enum status status = users_load(rows[i].users, rows[i].readonly, &KEY, NULL, &users, &err);
        if (status != STATUS_INVALID || users != NULL)
            fail_msg("%s: status is %s, expected invalid", rows[i].name, status_word(status));
        if (strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: message is \"%s\", expected \"%s\"", rows[i].name, err.message, rows[i].message);
    }
}

/* Users that no request's credentials could ever match are refused, not taken in vain. */
static void test_users_that_could_never_log_in(void **state)
{
    static const struct {
        const char *name, *password; /* NULL: the rest of the length */
        size_t len;                  /* of the entry */
        bool expected;
    } rows[] = {
        {"a", NULL, CREDENTIALS_MAX, true},
        {"a", NULL, CREDENTIALS_MAX + 1, false},
        {NULL, "b", CREDENTIALS_MAX, true},
        {NULL, "b", CREDENTIALS_MAX + 1, false},
        {NULL, HASH, CREDENTIALS_MAX + sizeof HASH - 2, true}, /* with a password of one byte */
        {NULL, HASH, CREDENTIALS_MAX + sizeof HASH - 1, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char entry[CREDENTIALS_MAX + 100];
        struct users *users = NULL;
        struct error err = {STATUS_OK, ""};
        size_t password_len = rows[i].password != NULL ? strlen(rows[i].password) : rows[i].len - 2;
        memset(entry, 'x', sizeof entry);
        entry[rows[i].len] = '\0';
        entry[rows[i].len - password_len - 1] = ':';
        if (rows[i].password != NULL)
            memcpy(entry + rows[i].len - password_len, rows[i].password, password_len);
        enum status status = users_load(entry, "", &KEY, NULL, &users, &err);
        if ((status == STATUS_OK) != rows[i].expected)
            fail_msg("row %zu, %zu bytes: status is %s", i + 1, rows[i].len, status_word(status));
        if (!rows[i].expected)
            assert_string_equal(err.message,
                                "BASIC_AUTH_USERS: entry 1: is longer than the 1024 bytes that a "
                                "request's credentials may have");
        users_unref(users);
    }
}

static void test_credentials_in_clear(void **state)
{
    static const char *const wrong[] = {"admin:",
                                        "admin:admin12",
                                        "admin:admin1234",
                                        "Admin:admin123",
                                        "admin2:admin123",
                                        "x:admin123",
                                        "admin:a:b",
                                        "",
                                        ":",
                                        "admin",
                                        "admin:admin123,x:a:b"};
    struct users *users = load("admin:admin123,x:a:b", "", NULL);
    (void)state;
    assert_ptr_equal(recognise(users, "admin:admin123"), &users->list[0]);
    assert_ptr_equal(recognise(users, "x:a:b"), &users->list[1]);
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (recognise(users, wrong[i]) != NULL)
            fail_msg("\"%s\" is taken", wrong[i]);
    users_unref(users);
}

static void test_readers(void **state)
{
    static const struct {
        const char *list;
        bool is_readonly[3];
        size_t count;
    } rows[] = {
        {"", {false, false, false}, 0},
        {"b", {false, true, false}, 1},
        {"c, a", {true, false, true}, 2},
        {"a,b,c,a", {true, true, true}, 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct users *users = load("a:1,b:2,c:" HASH, rows[i].list, NULL);
        for (size_t j = 0; j < 3; j++)
            if (users->list[j].is_readonly != rows[i].is_readonly[j])
                fail_msg("\"%s\": user %zu is not as expected", rows[i].list, j + 1);
        assert_int_equal(users->readonly_count, rows[i].count);
        users_unref(users);
    }
}

static void test_hashes_are_remembered(void **state)
{
    struct users *users = load("a:" HASH ",b:x", "", NULL);
    struct siphash_tag first = siphash(&KEY, bytes_of("a:one")), second = siphash(&KEY, bytes_of("a:two"));
    (void)state;
    assert_int_equal(users->hashed_count, 1);
    assert_null(recognise(users, "a:one"));
    assert_null(recognise(users, "a:" HASH));
    users_remember(&users->list[0], &first);
    users_remember(&users->list[0], &second);
    assert_ptr_equal(recognise(users, "a:one"), &users->list[0]);
    assert_null(recognise(users, "a:two"));
    users_unref(users);
}

/* Until its hash changes, a user needs not be verified again when the settings are read again. */
static void test_what_is_remembered_outlives_the_set(void **state)
{
    struct users *old = load("a:" HASH ",b:" HASH ",c:" HASH, "", NULL);
    struct siphash_tag of_a = siphash(&KEY, bytes_of("a:x")), of_b = siphash(&KEY, bytes_of("b:x"));
    (void)state;
    users_remember(&old->list[0], &of_a);
    users_remember(&old->list[1], &of_b);
    struct users *users = load("c:" HASH ",b:" OTHER_HASH ",a:" HASH, "a", old);
    users_unref(old);
    assert_ptr_equal(recognise(users, "a:x"), &users->list[2]);
    assert_null(recognise(users, "b:x"));
    assert_null(recognise(users, "c:x"));
    struct users *in_clear = load("a:y", "", users);
    assert_null(recognise(in_clear, "a:x"));
    users_unref(in_clear);
    users_unref(users);
}

static void test_who_is_verified_against_what(void **state)
{
    struct users *users = load("a:" HASH ",b:plain,c:" OTHER_HASH, "", NULL);
    struct users *again = load("a:" HASH ",b:plain,c:" OTHER_HASH, "", NULL);
    size_t counts[3] = {0, 0, 0};
    bool is_theirs;
    (void)state;
    assert_ptr_equal(users_to_verify(users, bytes_of("a"), &is_theirs), &users->list[0]);
    assert_true(is_theirs);
    assert_ptr_equal(users_to_verify(users, bytes_of("c"), &is_theirs), &users->list[2]);
    assert_true(is_theirs);
    assert_non_null(users_to_verify(users, bytes_of("b"), &is_theirs)->hash);
    assert_false(is_theirs);
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "nobody%d", i);
        struct user *decoy = users_to_verify(users, bytes_of(name), &is_theirs);
        assert_false(is_theirs);
        assert_non_null(decoy->hash);
        assert_ptr_equal(users_to_verify(users, bytes_of(name), &is_theirs), decoy);
        /* In another process too: a time that changes when the service is restarted would tell who is unknown. */
        assert_int_equal(users_to_verify(again, bytes_of(name), &is_theirs) - again->list,
                         decoy - users->list);
        counts[decoy - users->list]++;
    }
    assert_true(counts[0] > 50 && counts[1] == 0 && counts[2] > 50);
    users_unref(again);
    users_unref(users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_users_that_are_refused),
        cmocka_unit_test(test_users_that_could_never_log_in),
        cmocka_unit_test(test_credentials_in_clear),
        cmocka_unit_test(test_readers),
        cmocka_unit_test(test_hashes_are_remembered),
        cmocka_unit_test(test_what_is_remembered_outlives_the_set),
        cmocka_unit_test(test_who_is_verified_against_what),
    };
    return cmocka_run_group_tests_name("api_users", tests, NULL, NULL);
}
