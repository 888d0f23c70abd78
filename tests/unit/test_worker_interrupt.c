/* tests/unit/test_worker_interrupt.c - ending what blocks on a socket: registered before and after, by reason and by
 * deadline, and from another thread. */
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/support.h"
#include "worker/sources/interrupt.h"

#define DEADLINE_MS 20000
#define TOO_LONG    "waiting took longer than A_SETTING"

/* An interrupt and two connections, ours and the server's end of each. */
struct bench {
    struct interrupt interrupt;
    int ours[INTERRUPT_SLOTS], theirs[INTERRUPT_SLOTS];
};

static void bench_init(struct bench *bench)
{
    interrupt_init(&bench->interrupt);
    for (int slot = 0; slot < INTERRUPT_SLOTS; slot++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        bench->ours[slot] = ends[0];
        bench->theirs[slot] = ends[1];
    }
}

static void bench_clear(struct bench *bench)
{
    for (int slot = 0; slot < INTERRUPT_SLOTS; slot++) {
        close(bench->ours[slot]);
        close(bench->theirs[slot]);
    }
    interrupt_clear(&bench->interrupt);
}

static bool is_shut_down(int socket)
{
    struct pollfd state = {.fd = socket, .events = POLLIN};
    return poll(&state, 1, 0) == 1;
}

static void check(const char *name, struct bench *bench, bool kommo, bool ecosys, enum status expected,
                  const char *words)
{
    struct error err = {STATUS_OK, ""};
    enum status status = interrupt_status(&bench->interrupt, &err);
    if (status != expected || (expected != STATUS_OK && err.code != expected))
        fail_msg("%s: status is %s, expected %s", name, status_word(status), status_word(expected));
    if (strstr(err.message, words) == NULL)
        fail_msg("%s: message is \"%s\", expected one with \"%s\"", name, err.message, words);
    if (is_shut_down(bench->ours[INTERRUPT_KOMMO]) != kommo ||
        is_shut_down(bench->ours[INTERRUPT_ECOSYS]) != ecosys)
        fail_msg("%s: sockets are shut down: %d, %d, expected %d, %d", name,
                 is_shut_down(bench->ours[INTERRUPT_KOMMO]), is_shut_down(bench->ours[INTERRUPT_ECOSYS]),
                 kommo, ecosys);
}

static void test_registered_sockets_are_shut_down(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    check("at first", &bench, false, false, STATUS_OK, "");
    interrupt_watch(&bench.interrupt, INTERRUPT_KOMMO, bench.ours[INTERRUPT_KOMMO]);
    check("watched", &bench, false, false, STATUS_OK, "");
    interrupt_raise(&bench.interrupt, STATUS_CANCELLED);
    check("raised", &bench, true, false, STATUS_CANCELLED, "told to stop");
    interrupt_watch(&bench.interrupt, INTERRUPT_ECOSYS, bench.ours[INTERRUPT_ECOSYS]);
    check("watched too late", &bench, true, true, STATUS_CANCELLED, "told to stop");
    interrupt_watch(&bench.interrupt, INTERRUPT_ECOSYS, -1);
    bench_clear(&bench);
}

static void test_unwatched_sockets_are_left_alone(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    for (int slot = 0; slot < INTERRUPT_SLOTS; slot++)
        interrupt_watch(&bench.interrupt, (enum interrupt_slot)slot, bench.ours[slot]);
    interrupt_unwatch(&bench.interrupt, INTERRUPT_KOMMO);
    interrupt_raise(&bench.interrupt, STATUS_CANCELLED);
    check("one unwatched", &bench, false, true, STATUS_CANCELLED, "told to stop");
    bench_clear(&bench);
}

static void test_the_first_reason_stays(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    interrupt_set_deadline(&bench.interrupt, 1000, 10, TOO_LONG);
    interrupt_raise(&bench.interrupt, STATUS_CANCELLED);
    interrupt_check_deadline(&bench.interrupt, 5000);
    check("cancelled, then late", &bench, false, false, STATUS_CANCELLED, "told to stop");
    bench_clear(&bench);
    bench_init(&bench);
    interrupt_set_deadline(&bench.interrupt, 1000, 10, TOO_LONG);
    interrupt_check_deadline(&bench.interrupt, 5000);
    interrupt_raise(&bench.interrupt, STATUS_CANCELLED);
    check("late, then cancelled", &bench, false, false, STATUS_UNAVAILABLE, TOO_LONG);
    bench_clear(&bench);
    bench_init(&bench);
    interrupt_raise(&bench.interrupt, STATUS_CONFLICT);
    interrupt_raise(&bench.interrupt, STATUS_CANCELLED);
    check("overtaken, then cancelled", &bench, false, false, STATUS_CONFLICT, "the lease was lost");
    bench_clear(&bench);
}

static void test_deadlines(void **state)
{
    static const struct {
        const char *name;
        int64_t set_at_ms, allowed_ms, checked_at_ms;
        bool expected;
    } rows[] = {
        {"none", 1000, 0, INT64_MAX, false},   {"less than none", 1000, -1, INT64_MAX, false},
        {"before it", 1000, 500, 1499, false}, {"at it", 1000, 500, 1500, true},
        {"behind it", 1000, 500, 9999, true},  {"a clock that was set back", 1000, 500, -1, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench;
        bench_init(&bench);
        interrupt_watch(&bench.interrupt, INTERRUPT_ECOSYS, bench.ours[INTERRUPT_ECOSYS]);
        interrupt_set_deadline(&bench.interrupt, rows[i].set_at_ms, rows[i].allowed_ms, TOO_LONG);
        interrupt_check_deadline(&bench.interrupt, rows[i].checked_at_ms);
        check(rows[i].name, &bench, false, rows[i].expected,
              rows[i].expected ? STATUS_UNAVAILABLE : STATUS_OK, "");
        bench_clear(&bench);
    }
}

static void test_time_left(void **state)
{
    static const struct {
        const char *name;
        int64_t allowed_ms, now_ms, expected;
    } rows[] = {
        {"no deadline", 0, 1000, INT64_MAX}, {"all of it", 500, 1000, 500},    {"some of it", 500, 1499, 1},
        {"none at it", 500, 1500, 0},        {"none behind it", 500, 9999, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct interrupt interrupt;
        interrupt_init(&interrupt);
        interrupt_set_deadline(&interrupt, 1000, rows[i].allowed_ms, TOO_LONG);
        int64_t left_ms = interrupt_left_ms(&interrupt, rows[i].now_ms);
        if (left_ms != rows[i].expected)
            fail_msg("%s: %" PRId64 ", not %" PRId64, rows[i].name, left_ms, rows[i].expected);
        interrupt_clear(&interrupt);
    }
}

static void test_a_deadline_that_is_taken_back(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    interrupt_check_deadline(&bench.interrupt, 5000);
    check("never set", &bench, false, false, STATUS_OK, "");
    interrupt_set_deadline(&bench.interrupt, 1000, 500, TOO_LONG);
    interrupt_end_deadline(&bench.interrupt);
    interrupt_check_deadline(&bench.interrupt, 5000);
    check("taken back", &bench, false, false, STATUS_OK, "");
    interrupt_set_deadline(&bench.interrupt, 5000, 500, TOO_LONG);
    interrupt_check_deadline(&bench.interrupt, 5499);
    check("set anew", &bench, false, false, STATUS_OK, "");
    bench_clear(&bench);
}

static void test_one_socket_is_cut(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    interrupt_cut(&bench.interrupt, INTERRUPT_KOMMO);
    check("not watched", &bench, false, false, STATUS_OK, "");
    for (int slot = 0; slot < INTERRUPT_SLOTS; slot++)
        interrupt_watch(&bench.interrupt, (enum interrupt_slot)slot, bench.ours[slot]);
    interrupt_cut(&bench.interrupt, INTERRUPT_KOMMO);
    check("watched", &bench, true, false, STATUS_OK, "");
    bench_clear(&bench);
}

static void test_looking_keeps_the_deadline(void **state)
{
    struct bench bench;
    struct error err;
    (void)state;
    bench_init(&bench);
    interrupt_watch(&bench.interrupt, INTERRUPT_KOMMO, bench.ours[INTERRUPT_KOMMO]);
    interrupt_set_deadline(&bench.interrupt, 1000, 500, TOO_LONG);
    assert_int_equal(interrupt_look(&bench.interrupt, 1499, &err), STATUS_OK);
    check("in time", &bench, false, false, STATUS_OK, "");
    assert_int_equal(interrupt_look(&bench.interrupt, 1500, &err), STATUS_UNAVAILABLE);
    assert_string_equal(err.message, TOO_LONG);
    interrupt_set_deadline(&bench.interrupt, 2000, 500, "something else");
    check("too late", &bench, true, false, STATUS_UNAVAILABLE, TOO_LONG);
    bench_clear(&bench);
}

/* Reads until the connection ends, as a database library does. */
static void *read_to_the_end(void *context)
{
    const struct bench *bench = context;
    char byte;
    while (read(bench->ours[INTERRUPT_ECOSYS], &byte, 1) > 0)
        continue;
    return NULL;
}

static void test_a_blocked_thread_comes_back(void **state)
{
    struct bench bench;
    pthread_t thread;
    struct timespec deadline;
    (void)state;
    bench_init(&bench);
    interrupt_watch(&bench.interrupt, INTERRUPT_ECOSYS, bench.ours[INTERRUPT_ECOSYS]);
    assert_int_equal(pthread_create(&thread, NULL, read_to_the_end, &bench), 0);
    assert_int_equal(write(bench.theirs[INTERRUPT_ECOSYS], "x", 1), 1);
    interrupt_raise(&bench.interrupt, STATUS_CANCELLED);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &deadline), 0);
    deadline.tv_sec += DEADLINE_MS / 1000;
    assert_int_equal(pthread_timedjoin_np(thread, NULL, &deadline), 0);
    struct pollfd theirs = {.fd = bench.theirs[INTERRUPT_ECOSYS], .events = POLLIN | POLLRDHUP};
    assert_int_equal(poll(&theirs, 1, DEADLINE_MS), 1); /* the server sees the end, too */
    bench_clear(&bench);
}

/* Two ends of a TCP connection on this machine. */
static void connect_over_tcp(int *ours, int *theirs)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *ours = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*ours, (struct sockaddr *)&address, len), 0);
    *theirs = accept(listener, NULL, NULL);
    assert_true(*theirs >= 0);
    close(listener);
}

/* A server that waits for room in our buffers hears of the end, though all that came is read before it: else its
 * transaction would stay open until it gives up by itself. */
static void test_a_server_that_sends_is_told(void **state)
{
    static char block[8192];
    struct interrupt interrupt;
    int ours, theirs;
    (void)state;
    connect_over_tcp(&ours, &theirs);
    interrupt_init(&interrupt);
    interrupt_watch(&interrupt, INTERRUPT_KOMMO, ours);
    struct pollfd room = {.fd = theirs, .events = POLLOUT};
    while (poll(&room, 1, 700) == 1) /* acknowledgements may yet make room, and early probes would tell it */
        while (send(theirs, block, sizeof block, MSG_DONTWAIT) > 0)
            continue;
    interrupt_cut(&interrupt, INTERRUPT_KOMMO);
    while (recv(ours, block, sizeof block, 0) > 0)
        continue;
    interrupt_unwatch(&interrupt, INTERRUPT_KOMMO);
    close(ours);
    struct pollfd error = {.fd = theirs, .events = 0}; /* POLLERR or POLLHUP */
    assert_int_equal(poll(&error, 1, DEADLINE_MS), 1);
    assert_true(send(theirs, block, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0);
    close(theirs);
    interrupt_clear(&interrupt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered_sockets_are_shut_down),
        cmocka_unit_test(test_unwatched_sockets_are_left_alone),
        cmocka_unit_test(test_the_first_reason_stays),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_time_left),
        cmocka_unit_test(test_a_deadline_that_is_taken_back),
        cmocka_unit_test(test_one_socket_is_cut),
        cmocka_unit_test(test_looking_keeps_the_deadline),
        cmocka_unit_test(test_a_blocked_thread_comes_back),
        cmocka_unit_test(test_a_server_that_sends_is_told),
    };
    return cmocka_run_group_tests_name("worker_interrupt", tests, NULL, NULL);
}
