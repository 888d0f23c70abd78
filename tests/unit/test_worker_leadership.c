/* tests/unit/test_worker_leadership.c - what a worker concludes from the replies about the lease, and when it looks
 * again. Redis and the clock are stood in for. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"
#include "worker/leadership.h"

#define TOOK_MS 10 /* that a look takes */

static int64_t clock_ms;
static const char
    *token; /* of the holder in the next reply: "" is ours, renewed; "new" ours, taken; NULL no reply */
static int64_t left_ms;

enum status __wrap_lease_take(struct lease *lease, struct lease_holder *holder, struct error *err);

enum status __wrap_lease_take(struct lease *lease, struct lease_holder *holder, struct error *err)
{
    clock_ms += TOOK_MS;
    lease->is_held = false;
    if (token == NULL)
        return error_set(err, STATUS_UNAVAILABLE, "lease: no answer");
    holder->is_new = strcmp(token, "new") == 0;
    if (holder->is_new)
        memcpy(lease->token, lease->next_token, sizeof lease->token);
    lease->is_held = holder->is_new || token[0] == '\0';
    snprintf(holder->token, sizeof holder->token, "%s", lease->is_held ? lease->token : token);
    holder->left_ms = left_ms;
    return STATUS_OK;
}

static int64_t now_ms(void)
{
    return clock_ms;
}

struct row {
    const char *name;
    const char *token;
    int64_t left_ms;
    enum leadership_change change;
    bool is_standby;
    int64_t wait_ms; /* from the end of the look */
};

static void run(bool once, const struct row *rows, size_t count)
{
    const struct settings settings = {.redis_prefix = "ecosys", .lease_s = 9};
    struct leadership leadership;
    clock_ms = 5000;
    leadership_init(&leadership, NULL, &settings, once, now_ms);
    assert_true(leadership_is_due(&leadership));
    for (size_t i = 0; i < count; i++) {
        token = rows[i].token;
        left_ms = rows[i].left_ms;
        enum leadership_change change = leadership_check(&leadership);
        bool is_held = token != NULL && !rows[i].is_standby;
        if (change != rows[i].change || leadership.is_standby != rows[i].is_standby ||
            leadership_is_held(&leadership) != is_held || leadership.check_ms - clock_ms != rows[i].wait_ms)
            fail_msg("%s: change %d, standby %d, held %d, wait %lld", rows[i].name, (int)change,
                     leadership.is_standby, leadership_is_held(&leadership),
                     (long long)(leadership.check_ms - clock_ms));
        assert_false(leadership_is_due(&leadership));
        clock_ms = leadership.check_ms;
        assert_true(leadership_is_due(&leadership));
    }
}

static void test_daemon(void **state)
{
    static const struct row rows[] = {
        {"a free lease", "new", 9000, LEADERSHIP_GAINED, false, 1000},
        {"renewed", "", 9000, LEADERSHIP_SAME, false, 1000},
        {"no answer: a look a second, from its start", NULL, 0, LEADERSHIP_UNREACHABLE, false,
         1000 - TOOK_MS},
        {"still ours", "", 9000, LEADERSHIP_SAME, false, 1000},
        {"lost to another", "other/1/a", 8000, LEADERSHIP_SAME, true, 1000},
        {"renewed by the other", "other/1/a", 8900, LEADERSHIP_SAME, true, 1000},
        {"no answer to a standby", NULL, 0, LEADERSHIP_UNREACHABLE, true, 1000 - TOOK_MS},
        {"about to expire", "other/1/a", 40, LEADERSHIP_SAME, true, 41},
        {"regained", "new", 9000, LEADERSHIP_GAINED, false, 1000},
        {"Redis lost everything", "new", 9000, LEADERSHIP_GAINED, false, 1000},
        {"a lease that never expires", "other/1/a", -1, LEADERSHIP_SAME, true, 1000},
    };
    (void)state;
    run(false, rows, sizeof rows / sizeof rows[0]);
}

static void test_once_takes_over_from_the_dead(void **state)
{
    static const struct row rows[] = {
        {"held: is its holder alive?", "other/1/a", 9000, LEADERSHIP_SAME, true, 300},
        {"less left", "other/1/a", 8690, LEADERSHIP_SAME, true, 300},
        {"no answer", NULL, 0, LEADERSHIP_UNREACHABLE, true, 1000 - TOOK_MS},
        {"about to expire", "other/1/a", 0, LEADERSHIP_SAME, true, 1},
        {"expired", "new", 9000, LEADERSHIP_GAINED, false, 1000},
    };
    (void)state;
    run(true, rows, sizeof rows / sizeof rows[0]);
}

static void test_once_gives_way_to_the_living(void **state)
{
    static const struct row renewed[] = {
        {"held: is its holder alive?", "other/1/a", 8700, LEADERSHIP_SAME, true, 300},
        {"less left", "other/1/a", 8390, LEADERSHIP_SAME, true, 300},
        {"renewed", "other/1/a", 8391, LEADERSHIP_REFUSED, true, 300},
    };
    static const struct row taken[] = {
        {"held: is its holder alive?", "other/1/a", 8700, LEADERSHIP_SAME, true, 300},
        {"taken over", "another/2/b", 8000, LEADERSHIP_REFUSED, true, 300},
    };
    (void)state;
    run(true, renewed, sizeof renewed / sizeof renewed[0]);
    run(true, taken, sizeof taken / sizeof taken[0]);
}

static void test_work_is_lost_with_its_lease(void **state)
{
    const struct settings settings = {.redis_prefix = "ecosys", .lease_s = 9};
    struct leadership leadership;
    char began_under[LEASE_TOKEN_MAX];
    (void)state;
    leadership_init(&leadership, NULL, &settings, false, now_ms);
    token = "new";
    left_ms = 9000;
    assert_int_equal(leadership_check(&leadership), LEADERSHIP_GAINED);
    memcpy(began_under, leadership.lease.token, sizeof began_under);
    assert_false(leadership_is_lost_since(&leadership, began_under));
    token = NULL; /* it may still be ours */
    assert_int_equal(leadership_check(&leadership), LEADERSHIP_UNREACHABLE);
    assert_false(leadership_is_lost_since(&leadership, began_under));
    token = "other/1/a";
    assert_int_equal(leadership_check(&leadership), LEADERSHIP_SAME);
    assert_true(leadership_is_lost_since(&leadership, began_under));
    token = "new";
    snprintf(leadership.lease.next_token, sizeof leadership.lease.next_token, "own/1/second");
    assert_int_equal(leadership_check(&leadership), LEADERSHIP_GAINED);
    assert_true(leadership_is_lost_since(&leadership, began_under));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daemon),
        cmocka_unit_test(test_once_takes_over_from_the_dead),
        cmocka_unit_test(test_once_gives_way_to_the_living),
        cmocka_unit_test(test_work_is_lost_with_its_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
