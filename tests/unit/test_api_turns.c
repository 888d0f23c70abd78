/* tests/unit/test_api_turns.c - who waits for a turn gets it in order, and neither they nor others keep the other from
 * going on. */
#include <event2/event.h>
#include <unistd.h>

#include "api/net/turns.h"
#include "tests/unit/support.h"

#define ROUNDS 50

struct fixture {
    struct event_base *base;
    struct turns turns;
    struct turn turn[3];
    int taken[16]; /* by number of the turn */
    size_t count;
};

static struct fixture fixture;

static void take_once(void *context)
{
    fixture.taken[fixture.count++] = (int)((struct turn *)context - fixture.turn);
}

/* Has always more to do. */
static void take_and_join(void *context)
{
    fixture.count++;
    turns_join(&fixture.turns, context);
}

static int set_up(void **state)
{
    (void)state;
    fixture = (struct fixture){.base = event_base_new()};
    assert_non_null(fixture.base);
    for (size_t i = 0; i < 3; i++)
        fixture.turn[i] = (struct turn){.take = take_once, .context = &fixture.turn[i]};
    assert_true(turns_init(&fixture.turns, fixture.base));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    turns_clear(&fixture.turns);
    event_base_free(fixture.base);
    return 0;
}

static void test_in_order(void **state)
{
    static const int order[] = {2, 0, 1};
    (void)state;
    turns_join(&fixture.turns, &fixture.turn[2]);
    turns_join(&fixture.turns, &fixture.turn[0]);
    turns_join(&fixture.turns, &fixture.turn[1]);
    turns_join(&fixture.turns, &fixture.turn[2]); /* keeps its place */
    assert_int_equal(fixture.count, 0);           /* not before the loop */
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.count, 3);
    assert_memory_equal(fixture.taken, order, sizeof order);
    assert_false(fixture.turn[2].is_waiting);
    turns_join(&fixture.turns, &fixture.turn[1]); /* and again */
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.count, 4);
}

static void test_leave(void **state)
{
    (void)state;
    turns_leave(&fixture.turns, &fixture.turn[0]); /* was not there */
    turns_join(&fixture.turns, &fixture.turn[0]);
    turns_join(&fixture.turns, &fixture.turn[1]);
    turns_leave(&fixture.turns, &fixture.turn[0]);
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.count, 1);
    assert_int_equal(fixture.taken[0], 1);
    turns_join(&fixture.turns, &fixture.turn[0]);
    turns_leave(&fixture.turns, &fixture.turn[0]);
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.count, 1);
}

/* What a descriptor that is always readable sees, as that of a client who never rests. */
struct busy {
    size_t calls, turns_before, unfair;
};

static void on_byte(evutil_socket_t fd, short events, void *context)
{
    struct busy *busy = context;
    (void)fd;
    (void)events;
    if (busy->calls > 1 && fixture.count == busy->turns_before)
        busy->unfair++; /* it was called again, and nobody had a turn meanwhile */
    busy->turns_before = fixture.count;
    if (++busy->calls == ROUNDS)
        event_base_loopbreak(fixture.base);
}

static void test_both_go_on(void **state)
{
    struct busy busy = {0};
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1); /* is never read, so it is always there */
    struct event *event = event_new(fixture.base, ends[0], EV_READ | EV_PERSIST, on_byte, &busy);
    assert_int_equal(event_add(event, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        fixture.turn[i].take = take_and_join;
        turns_join(&fixture.turns, &fixture.turn[i]);
    }
    event_base_dispatch(fixture.base);
    assert_int_equal(busy.calls, ROUNDS);
    assert_int_equal(busy.unfair, 0);
    assert_true(fixture.count >= ROUNDS - 2);
    event_free(event);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_go_on, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("api_turns", tests, NULL, NULL);
}
