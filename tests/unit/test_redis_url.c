/* tests/unit/test_redis_url.c - the forms of a Redis address, and what is refused without being quoted. */
#include "common/redis/redis_url.h"
#include "tests/unit/support.h"

struct url_row {
    const char *url;
    struct redis_address address;
};

static const struct url_row URLS[] = {
    {"redis://localhost", {.host = "localhost", .port = 6379}},
    {"redis://localhost/", {.host = "localhost", .port = 6379}},
    {"redis://localhost:6380", {.host = "localhost", .port = 6380}},
    {"redis://127.0.0.1:6379/0", {.host = "127.0.0.1", .port = 6379}},
    {"redis://h:1/15", {.host = "h", .port = 1, .db = 15}},
    {"redis://h:65535/65535", {.host = "h", .port = 65535, .db = 65535}},
    {"redis://u:p@h:7/2", {.host = "h", .port = 7, .db = 2, .user = "u", .password = "p"}},
    {"redis://:p@h", {.host = "h", .port = 6379, .password = "p"}},
    {"redis://@h", {.host = "h", .port = 6379}},
    {"redis://u:p:q@h", {.host = "h", .port = 6379, .user = "u", .password = "p:q"}},
    {"redis://u:p@q@h", {.host = "h", .port = 6379, .user = "u", .password = "p@q"}},
    {"redis://%75:p%2f%3A%40%25%23@h", {.host = "h", .port = 6379, .user = "u", .password = "p/:@%#"}},
    {"redis://u:S%C3%A3o@h", {.host = "h", .port = 6379, .user = "u", .password = "S\xC3\xA3o"}},
    {"redis://[::1]", {.host = "::1", .port = 6379}},
    {"redis://u:p@[fe80::1]:6380/3",
     {.host = "fe80::1", .port = 6380, .db = 3, .user = "u", .password = "p"}},
    {"rediss://h", {.host = "h", .port = 6379, .tls = true}},
    {"rediss://h:6380", {.host = "h", .port = 6380, .tls = true}},
    {"rediss://u:p@h/1", {.host = "h", .port = 6379, .db = 1, .user = "u", .password = "p", .tls = true}},
    {"rediss://:p%40@[::1]:7/2", {.host = "::1", .port = 7, .db = 2, .password = "p@", .tls = true}},
    {"unix:///run/redis.sock", {.unix_path = "/run/redis.sock", .port = 6379}},
    {"unix:///run/redis.sock?db=9", {.unix_path = "/run/redis.sock", .port = 6379, .db = 9}},
    {"unix:///a%20b%3f", {.unix_path = "/a b?", .port = 6379}},
    {"unix:///@", {.unix_path = "/@", .port = 6379}},
};

static void check_address(const char *name, const struct redis_address *found,
                          const struct redis_address *expected)
{
    check_string(name, "path", found->unix_path, expected->unix_path);
    check_string(name, "host", found->host, expected->host);
    check_string(name, "user", found->user, expected->user);
    check_string(name, "password", found->password, expected->password);
    if (found->port != expected->port || found->db != expected->db || found->tls != expected->tls)
        fail_msg("%s: port, db and TLS are %u, %u, %d, expected %u, %u, %d", name, found->port, found->db,
                 found->tls, expected->port, expected->db, expected->tls);
}

static void test_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(URLS); i++) {
        struct redis_address address;
        struct error err;
        struct arena arena;
        arena_init(&arena);
        if (redis_url_parse(&arena, URLS[i].url, &address, &err) != STATUS_OK)
            fail_msg("%s: %s", URLS[i].url, err.message);
        check_address(URLS[i].url, &address, &URLS[i].address);
        arena_clear(&arena);
    }
}

static void check_refused(const char *url, enum status status, const struct error *err, const char *expected)
{
    if (status != STATUS_INVALID || strcmp(err->message, expected) != 0)
        fail_msg("%s: is %s \"%s\", expected invalid \"%s\"", url, status_word(status), err->message,
                 expected);
    if (strstr(err->message, "hunter2") != NULL)
        fail_msg("%s: \"%s\" quotes the password", url, err->message);
}

#define NOT_A_SCHEME "takes redis://, rediss:// or unix://"
#define NOT_A_PORT   "the port is not a number from 1 to 65535"
#define NO_HOST      "there is no host"
#define NOT_A_USER   "user and password are not user:password, percent-encoded"
#define NOT_A_DB     "the database behind the host is not a number"
#define NOT_A_PATH   "unix:// takes an absolute path, as in unix:///run/redis.sock"
#define NOT_A_QUERY  "behind the path only ?db=NUMBER is taken"

static const struct {
    const char *url, *message;
} REFUSED[] = {
    {"", NOT_A_SCHEME},
    {"localhost:6379", NOT_A_SCHEME},
    {"http://hunter2@h", NOT_A_SCHEME},
    {"REDIS://h", NOT_A_SCHEME},
    {"redis:h", NOT_A_SCHEME},
    {"redisss://h", NOT_A_SCHEME},
    {"rediss://u:hunter2@", NO_HOST},
    {"rediss://u:hunter2@h:0", NOT_A_PORT},
    {"rediss://u@h", NOT_A_USER},
    {"rediss://h/x", NOT_A_DB},
    {"rediss://h?verify=no", "takes no '?' or '#' (percent-encode them)"},
    {"redis://", NO_HOST},
    {"redis://:6379", NO_HOST},
    {"redis://u:hunter2@", NO_HOST},
    {"redis://u:hunter2@:6379", NO_HOST},
    {"redis://[]", NO_HOST},
    {"redis://[::1]x", NO_HOST},
    {"redis://h:", NOT_A_PORT},
    {"redis://h:0", NOT_A_PORT},
    {"redis://h:65536", NOT_A_PORT},
    {"redis://h:99999999999", NOT_A_PORT},
    {"redis://h:+1", NOT_A_PORT},
    {"redis://h:6379 ", NOT_A_PORT},
    {"redis://::1", NOT_A_PORT},
    {"redis://u:hunter2@h:x", NOT_A_PORT},
    {"redis://[::1]:x", NOT_A_PORT},
    {"redis://u@h", NOT_A_USER},
    {"redis://u:@h", NOT_A_USER},
    {"redis://u:hunter2%@h", NOT_A_USER},
    {"redis://u:hunter2%4@h", NOT_A_USER},
    {"redis://u:hunter2%zz@h", NOT_A_USER},
    {"redis://u:hunter2%00@h", NOT_A_USER},
    {"redis://u%0:hunter2@h", NOT_A_USER},
    {"redis://h%zz", "the host is not percent-encoded text"},
    {"redis://h/x", NOT_A_DB},
    {"redis://h/-1", NOT_A_DB},
    {"redis://h/65536", NOT_A_DB},
    {"redis://h/0/1", NOT_A_DB},
    {"redis://h?db=1", "takes no '?' or '#' (percent-encode them)"},
    {"redis://u:hunter2#@h", "takes no '?' or '#' (percent-encode them)"},
    {"unix://", NOT_A_PATH},
    {"unix://run/redis.sock", NOT_A_PATH},
    {"unix://?db=1", NOT_A_PATH},
    {"unix:///r?", NOT_A_QUERY},
    {"unix:///r?db=", NOT_A_QUERY},
    {"unix:///r?db=x", NOT_A_QUERY},
    {"unix:///r?db=1&x=2", NOT_A_QUERY},
    {"unix:///r?password=hunter2", NOT_A_QUERY},
    {"unix:///r%0", "the path is not percent-encoded text"},
};

static void test_refused_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REFUSED); i++) {
        struct redis_address address = {.port = 4711};
        struct error err = {STATUS_OK, ""};
        struct arena arena;
        arena_init(&arena);
        check_refused(REFUSED[i].url, redis_url_parse(&arena, REFUSED[i].url, &address, &err), &err,
                      REFUSED[i].message);
        assert_int_equal(address.port, 4711);
        arena_clear(&arena);
    }
}

#define NOT_A_REST_HOST "takes https://HOST without a user, a path or a query"

static void test_upstash(void **state)
{
    static const struct {
        const char *url, *host, *message; /* host NULL: refused */
    } rows[] = {
        {"https://eu1-x.upstash.io", "eu1-x.upstash.io", NULL},
        {"https://eu1-x.upstash.io/", "eu1-x.upstash.io", NULL},
        {"https://eu1-x.upstash.io:443", "eu1-x.upstash.io", NULL},
        {"http://eu1", NULL, "takes https://HOST"},
        {"eu1", NULL, "takes https://HOST"},
        {"", NULL, "takes https://HOST"},
        {"https://eu1-x.upstash.io:8443/", "eu1-x.upstash.io", NULL},
        {"https://[::1]", "::1", NULL},
        {"https://", NULL, NOT_A_REST_HOST},
        {"https:///", NULL, NOT_A_REST_HOST},
        {"https://eu1/get", NULL, NOT_A_REST_HOST},
        {"https://eu1//get", NULL, NOT_A_REST_HOST},
        {"https://eu1?a=b", NULL, NOT_A_REST_HOST},
        {"https://eu1/?a=b", NULL, NOT_A_REST_HOST},
        {"https://eu1#a", NULL, NOT_A_REST_HOST},
        {"https://user@eu1", NULL, NOT_A_REST_HOST},
        {"https://:443", NULL, "there is no host"},
        {"HTTPS://eu1", NULL, "takes https://HOST"},
        {"rediss://eu1", NULL, "takes https://HOST"},
        {"https://eu1:0", NULL, "the port is not a number from 1 to 65535"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct redis_address address = {.port = 4711};
        struct error err = {STATUS_OK, ""};
        struct arena arena;
        arena_init(&arena);
        enum status status = redis_url_of_upstash(&arena, rows[i].url, "hunter2", &address, &err);
        const struct redis_address expected = {
            .host = rows[i].host, .port = 6379, .user = "default", .password = "hunter2", .tls = true};
        if (rows[i].host == NULL)
            check_refused(rows[i].url, status, &err, rows[i].message);
        else
            check_address(rows[i].url, &address, &expected);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_refused_urls),
        cmocka_unit_test(test_upstash),
    };
    return cmocka_run_group_tests_name("redis_url", tests, NULL, NULL);
}
