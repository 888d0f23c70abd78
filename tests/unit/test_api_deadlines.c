/* tests/unit/test_api_deadlines.c - which deadline runs after which activities, and who gives way. */
#include "tests/unit/http_support.h"

#include "api/http/deadlines.h"

#define REQUEST_S 200
#define IDLE_S    500
#define LINGER_S  2

static struct event_base *base;
static struct settings settings;
static struct idle_list idle_list;
static struct deadlines deadlines;
static int owner;
static unsigned expired_count;

static void expired(void *context)
{
    assert_ptr_equal(context, &owner);
    expired_count++;
}

static int set_up(void **state)
{
    (void)state;
    base = event_base_new();
    settings = http_settings();
    settings.request_timeout_s = REQUEST_S;
    settings.idle_timeout_s = IDLE_S;
    expired_count = 0;
    idle_list_init(&idle_list);
    return !deadlines_init(&deadlines, base, &settings, &idle_list, expired, &owner);
}

static int tear_down(void **state)
{
    (void)state;
    deadlines_clear(&deadlines);
    assert_null(idle_list_first(&idle_list, INT64_MAX));
    event_base_free(base);
    return 0;
}

/* In whole seconds, rounded; 0: none runs. */
static long left_s(void)
{
    struct timeval due, now, left;
    if (!evtimer_pending(deadlines.timer, &due))
        return 0;
    evutil_gettimeofday(&now, NULL);
    evutil_timersub(&due, &now, &left);
    return left.tv_sec + (left.tv_usec >= 500000);
}

/* r, n, a, u: an activity is noted; e: a request ends. */
static void play(const char *steps)
{
    static const char letters[] = {[ACTIVITY_RECEIVING] = 'r',
                                   [ACTIVITY_NONE] = 'n',
                                   [ACTIVITY_ANSWERING] = 'a',
                                   [ACTIVITY_UNHEARD] = 'u'};
    for (; *steps != '\0'; steps++) {
        const char *letter = memchr(letters, *steps, sizeof letters);
        if (letter != NULL)
            deadlines_note(&deadlines, (enum activity)(letter - letters));
        else
            deadlines_request_ends(&deadlines);
    }
}

static void test_activities(void **state)
{
    static const struct {
        const char *name;
        const char *steps;
        long left_s;
        bool gives_way;
    } rows[] = {
        {"nothing was noted", "", 0, false},        {"receives", "r", REQUEST_S, true},
        {"nothing happens", "rn", IDLE_S, true},    {"an answer is made", "ra", 0, false},
        {"an answer nobody hears", "ru", 0, true},  {"heard again", "rua", 0, false},
        {"receives again", "rar", REQUEST_S, true}, {"after silence", "rnr", REQUEST_S, true},
        {"after an end", "rer", REQUEST_S, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_up(state);
        play(rows[i].steps);
        bool gives_way = idle_list_first(&idle_list, INT64_MAX) == &owner;
        if (left_s() != rows[i].left_s || gives_way != rows[i].gives_way)
            fail_msg("%s: %ld s left, gives way: %d; expected %ld, %d", rows[i].name, left_s(), gives_way,
                     rows[i].left_s, rows[i].gives_way);
        tear_down(state);
    }
}

/* More of the same request does not put off its deadline, nor its place among those that give way; the next request
 * has a deadline of its own. */
static void test_receiving_goes_on(void **state)
{
    static const struct timeval rest = {7, 0};
    (void)state;
    play("r");
    evtimer_add(deadlines.timer, &rest); /* so much of it has passed */
    idle_list_lead(&idle_list, &deadlines.idle);
    play("rr");
    assert_int_equal(left_s(), 7);
    assert_true(deadlines.idle.since_ms == INT64_MIN);
    play("er");
    assert_int_equal(left_s(), REQUEST_S);
    assert_true(deadlines.idle.since_ms > 0);
}

/* One that is unheard still keeps its place; one that becomes idle goes to the end. */
static void test_places(void **state)
{
    struct idle_entry other = {.owner = &other};
    (void)state;
    play("au");
    idle_list_join(&idle_list, &other, 0);
    play("u");
    assert_ptr_equal(idle_list_first(&idle_list, INT64_MAX), &owner);
    play("n");
    assert_ptr_equal(idle_list_first(&idle_list, INT64_MAX), &other);
    deadlines_linger(&deadlines, true);
    assert_ptr_equal(idle_list_first(&idle_list, INT64_MAX), &owner);
    assert_int_equal(left_s(), LINGER_S);
    idle_list_leave(&idle_list, &other);
}

static void test_linger_without_room(void **state)
{
    (void)state;
    play("a");
    deadlines_linger(&deadlines, false);
    assert_null(idle_list_first(&idle_list, INT64_MAX));
    assert_int_equal(left_s(), LINGER_S);
}

static bool has_expired(void *context)
{
    (void)context;
    return expired_count > 0;
}

static void test_expires(void **state)
{
    static const struct {
        const char *name;
        int64_t request_timeout_s, idle_timeout_s;
        const char *steps;
        bool expires;
    } rows[] = {
        {"request", 0, IDLE_S, "r", true},
        {"idle", REQUEST_S, 0, "n", true},
        {"not idle", REQUEST_S, 0, "r", false},
        {"neither", 0, 0, "rna", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_up(state);
        settings.request_timeout_s = rows[i].request_timeout_s;
        settings.idle_timeout_s = rows[i].idle_timeout_s;
        play(rows[i].steps);
        for (int k = 0; k < QUIET_ROUNDS && !rows[i].expires; k++)
            go_round(base);
        if (rows[i].expires ? !becomes_true(base, has_expired, NULL) : expired_count > 0)
            fail_msg("%s: expired %u times", rows[i].name, expired_count);
        tear_down(state);
    }
}

#define WITH_DEADLINES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activities), WITH_DEADLINES(test_receiving_goes_on),
        WITH_DEADLINES(test_places),       WITH_DEADLINES(test_linger_without_room),
        cmocka_unit_test(test_expires),
    };
    return cmocka_run_group_tests_name("api_deadlines", tests, NULL, NULL);
}
