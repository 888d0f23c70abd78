/* tests/unit/test_api_loader.c - loading without a Redis. What is made of the keys is tested where there is one, in
 * tests/integration/test_matrix.py and test_faults_redis.py. */
#include <string.h>

#include "api/data/loader.h"
#include "tests/unit/support.h"

static void test_unreachable(void **state)
{
    const struct redis_address address = {.unix_path = "/nonexistent/redis.sock"};
    struct generation untouched, *generation = &untouched;
    struct redis_link link;
    struct error err;
    (void)state;
    redis_link_init(&link, &address, 1000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(loader_load(&link, "ecosys", 7, 1000, &generation, &err), STATUS_UNAVAILABLE);
        assert_int_equal(err.code, STATUS_UNAVAILABLE);
        assert_string_equal(err.message, "Redis: No such file or directory");
        assert_ptr_equal(generation, &untouched);
        assert_int_equal(redis_link_fd(&link), -1);
    }
    redis_link_close(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unreachable),
    };
    return cmocka_run_group_tests_name("api_loader", tests, NULL, NULL);
}
