/* tests/unit/test_redis_names.c - the names of keys and channels, to the letter: other versions read them too. */
#include <string.h>

#include "common/domain/date.h"
#include "common/redis/redis_names.h"
#include "tests/unit/support.h"

#define LONGEST "1234567890123456789012345678901234567890123456789012345678901234"

static void test_names(void **state)
{
    const struct date_filter open = DATE_FILTER_ALL, day = {19782, 19782}, from = {-1, DAY_MAX},
                             to = {DAY_MIN, 0}, all_time = {DAY_FIRST, DAY_LAST};
    const struct {
        struct redis_name name;
        const char *expected;
    } rows[] = {
        {redis_name_of("ecosys", REDIS_CURRENT), "ecosys:current"},
        {redis_name_of("ecosys", REDIS_LEASE), "ecosys:lease"},
        {redis_name_of("ecosys", REDIS_WORKER), "ecosys:worker"},
        {redis_name_of("ecosys", REDIS_GENERATIONS), "ecosys:generations"},
        {redis_name_manifest("a:b", 0), "a:b:gen:0:manifest"},
        {redis_name_model("p", 1), "p:gen:1:model"},
        {redis_name_key_set("p", UINT64_MAX), "p:gen:18446744073709551615:keys"},
        {redis_name_clients("p", 1789000000000, 0), "p:gen:1789000000000:clients:0"},
        {redis_name_tenants("p", 2, UINT32_MAX), "p:gen:2:tenants:4294967295"},
        {redis_name_answer("p", 3, open), "p:gen:3:answer:all:all"},
        {redis_name_answer("p", 3, day), "p:gen:3:answer:2024-02-29:2024-02-29"},
        {redis_name_answer("p", 3, from), "p:gen:3:answer:1969-12-31:all"},
        {redis_name_answer("p", 3, to), "p:gen:3:answer:all:1970-01-01"},
        {redis_name_answer("p", 3, all_time), "p:gen:3:answer:0001-01-01:9999-12-31"},
        {redis_name_buckets("p", 4), "p:gen:4:buckets"},
        {redis_name_tenant_ids("p", 4, 12), "p:gen:4:tenant_ids:12"},
        {redis_name_logins("p", 4), "p:gen:4:logins"},
        {redis_name_requests("p", 5), "p:5:requests"},
        {redis_name_events("p", 0), "p:0:events"},
        {redis_name_events("p", UINT32_MAX), "p:4294967295:events"},
        {redis_name_answer(LONGEST, UINT64_MAX, day),
         LONGEST ":gen:18446744073709551615:answer:2024-02-29:2024-02-29"},
        {redis_name_clients(LONGEST, UINT64_MAX, UINT32_MAX),
         LONGEST ":gen:18446744073709551615:clients:4294967295"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].name.text, rows[i].expected) != 0)
            fail_msg("name %zu: is \"%s\", expected \"%s\"", i, rows[i].name.text, rows[i].expected);
    assert_int_equal(strlen(LONGEST), REDIS_PREFIX_MAX);
}

static void test_generations(void **state)
{
    static const struct {
        const char *text;
        uint64_t expected;
    } rows[] = {
        {"1", 1},
        {"1789000000000", 1789000000000},
        {"0007", 7},
        {"1000000000000000", GENERATION_MAX},
        {"1000000000000001", 0},
        {"18446744073709551615", 0},
        {"18446744073709551617", 0},
        {"99999999999999999999999999999999999999999999", 0},
        {"0", 0},
        {"", 0},
        {" 1", 0},
        {"1 ", 0},
        {"12abc", 0},
        {"-1", 0},
        {"+1", 0},
        {"1.0", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t got = redis_generation_parse(bytes_of(rows[i].text));
        if (got != rows[i].expected)
            fail_msg("\"%s\": is %llu, expected %llu", rows[i].text, (unsigned long long)got,
                     (unsigned long long)rows[i].expected);
    }
    assert_int_equal(redis_generation_parse((struct bytes){NULL, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_generations),
    };
    return cmocka_run_group_tests_name("redis_names", tests, NULL, NULL);
}
