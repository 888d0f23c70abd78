/* tests/unit/test_api_upstream.c - what the keys of lease and report, and a Redis that is gone, tell of the worker. */
#include <string.h>

#include "api/data/upstream.h"
#include "tests/unit/support.h"

static const struct bytes NOTHING = {NULL, 0};

static void test_replies(void **state)
{
    static const struct {
        const char *name;
        const char *lease, *report; /* NULL: no such key; report: its last error, or "damaged" */
        bool is_alive;
        const char *error;
    } rows[] = {
        {"an empty Redis", NULL, NULL, false, ""},
        {"a worker that has not failed", "host/1/abc", "", true, ""},
        {"a worker that failed", "host/1/abc", "mysql", true, "mysql"},
        {"a worker that failed and died", NULL, "kommo", false, "kommo"},
        {"a lease without a report", "host/1/abc", NULL, true, ""},
        {"an empty lease", "", NULL, true, ""},
        {"a damaged report", "host/1/abc", "damaged", true, "unreadable"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct upstream upstream = {.worker_is_alive = !rows[i].is_alive, .worker_error = "what was before"};
        struct worker_report report = {.failures = 0};
        struct buffer blob = BUFFER_INIT;
        struct error err;
        if (rows[i].report != NULL) {
            report.failures = rows[i].report[0] != '\0';
            strcpy(report.last_error, rows[i].report);
            assert_int_equal(codec_pack_worker_report(&report, &blob, &err), STATUS_OK);
            if (strcmp(rows[i].report, "damaged") == 0)
                blob.len--;
        }
        upstream_take(&upstream, rows[i].lease != NULL ? bytes_of(rows[i].lease) : NOTHING,
                      rows[i].report != NULL ? buffer_bytes(&blob) : NOTHING);
        if (!upstream.redis_is_ok || upstream.worker_is_alive != rows[i].is_alive ||
            strcmp(upstream.worker_error, rows[i].error) != 0)
            fail_msg("%s: alive is %d, the error \"%s\"; expected %d and \"%s\"", rows[i].name,
                     upstream.worker_is_alive, upstream.worker_error, rows[i].is_alive, rows[i].error);
        buffer_clear(&blob);
    }
}

static void test_redis_is_gone(void **state)
{
    struct upstream upstream = {.redis_is_ok = true, .worker_is_alive = true, .worker_error = "mysql"};
    (void)state;
    upstream_lose(&upstream);
    assert_false(upstream.redis_is_ok);
    assert_false(upstream.worker_is_alive);
    assert_string_equal(upstream.worker_error, "mysql");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_redis_is_gone),
    };
    return cmocka_run_group_tests_name("api_upstream", tests, NULL, NULL);
}
