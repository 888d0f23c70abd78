/* tests/unit/test_api_listener.c - what a resolver that fails is to us: wrong configuration, or something that passes;
 * how many are let in at a time, and what follows when there is no room for them or none can be accepted. */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/net/listener.h"
#include "common/base/clock.h"
#include "tests/unit/support.h"

static int problem; /* what the resolver is to answer; 0: ask the real one */

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out);

/* The linker leads every call here. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    errno = ENFILE;
    return problem != 0 ? problem : __real_getaddrinfo(host, port, hints, out);
}

static void test_resolver_that_fails(void **state)
{
    static const struct {
        const char *name;
        int problem;
        enum status status;
        const char *message;
    } rows[] = {
        {"unknown name", EAI_NONAME, STATUS_INVALID,
         "HOST: is \"name.example\", takes an address of this machine (Name or service not known)"},
        {"no address", EAI_FAMILY, STATUS_INVALID,
         "HOST: is \"name.example\", takes an address of this machine (ai_family not supported)"},
        {"for ever", EAI_FAIL, STATUS_INVALID,
         "HOST: is \"name.example\", takes an address of this machine (Non-recoverable failure in name "
         "resolution)"},
        {"for now", EAI_AGAIN, STATUS_UNAVAILABLE,
         "HOST: is \"name.example\", takes an address of this machine (Temporary failure in name "
         "resolution)"},
        {"the system", EAI_SYSTEM, STATUS_UNAVAILABLE,
         "HOST: is \"name.example\", takes an address of this machine (Too many open files in system)"},
        {"memory", EAI_MEMORY, STATUS_NO_MEMORY,
         "HOST: is \"name.example\", takes an address of this machine (Memory allocation failure)"},
    };
    const struct settings settings = {.host = "name.example", .port = 8000};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct addrinfo *addresses = NULL;
        struct error err = {STATUS_OK, ""};
        problem = rows[i].problem;
        enum status status = listener_resolve(&settings, &addresses, &err);
        if (status != rows[i].status || err.code != rows[i].status || addresses != NULL)
            fail_msg("%s: %d, expected %d", rows[i].name, status, rows[i].status);
        if (strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, err.message, rows[i].message);
    }
}

static void test_addresses(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};
    (void)state;
    problem = 0;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const struct settings settings = {.host = hosts[i], .port = 65535};
        struct addrinfo *addresses;
        struct error err;
        if (listener_resolve(&settings, &addresses, &err) != STATUS_OK)
            fail_msg("%s: %s", hosts[i], err.message);
        assert_int_equal(addresses->ai_socktype, SOCK_STREAM);
        freeaddrinfo(addresses);
    }
}

/* ---- Accepting */

#define CLIENTS   30
#define ACCEPT_US 100

struct bench {
    struct event_base *base;
    struct listener listener;
    struct sockaddr_in address;
    int clients[CLIENTS];
    size_t clients_count;
    size_t accepted;
    size_t room;
};

static void spend_us(int64_t us)
{
    int64_t end_us = clock_monotonic_us() + us;
    while (clock_monotonic_us() < end_us) {
    }
}

static void on_accept(void *context, int socket, const struct sockaddr *peer)
{
    struct bench *bench = context;
    assert_int_equal(peer->sa_family, AF_INET);
    close(socket);
    bench->accepted++;
    spend_us(ACCEPT_US);
}

static bool has_room(void *context)
{
    const struct bench *bench = context;
    return bench->accepted < bench->room;
}

static void bench_init(struct bench *bench)
{
    const struct settings settings = {.host = "127.0.0.1", .port = 0};
    socklen_t len = sizeof bench->address;
    bool port_is_ours = false;
    struct error err;
    const struct listener_callbacks callbacks = {
        .has_room = has_room, .on_accept = on_accept, .context = bench};
    *bench = (struct bench){.base = event_base_new(), .room = CLIENTS};
    problem = 0;
    assert_int_equal(listener_open(&bench->listener, bench->base, &settings, &port_is_ours, &callbacks, &err),
                     STATUS_OK);
    assert_true(port_is_ours);
    int fd = evconnlistener_get_fd(bench->listener.listening);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bench->address, &len), 0);
}

static void bench_clear(struct bench *bench)
{
    for (size_t i = 0; i < bench->clients_count; i++)
        close(bench->clients[i]);
    listener_close(&bench->listener);
    event_base_free(bench->base);
}

static void connect_clients(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&bench->address, sizeof bench->address), 0);
        bench->clients[bench->clients_count++] = client;
    }
    struct pollfd listening = {.fd = evconnlistener_get_fd(bench->listener.listening), .events = POLLIN};
    assert_int_equal(poll(&listening, 1, 20000), 1); /* the kernel may still be at it */
}

/* How many are accepted in a round of the loop. */
static size_t accepted_in_round(struct bench *bench)
{
    size_t before = bench->accepted;
    event_base_loop(bench->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return bench->accepted - before;
}

static void test_as_long_as_others(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    connect_clients(&bench, CLIENTS);
    assert_int_equal(accepted_in_round(&bench), 1);
    size_t most = 0;
    while (bench.accepted < CLIENTS) {
        spend_us((int64_t)10 * ACCEPT_US); /* the others */
        size_t count = accepted_in_round(&bench);
        assert_in_range(count, 1, 10);
        most = count > most ? count : most;
    }
    assert_true(most > 1); /* each time but for when the system interrupted us */
    assert_int_equal(accepted_in_round(&bench), 0);
    bench_clear(&bench);
}

/* Time in which nobody connected does not count. */
static void test_one_after_silence(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    connect_clients(&bench, 1);
    assert_int_equal(accepted_in_round(&bench), 1);
    spend_us((int64_t)10 * ACCEPT_US);
    connect_clients(&bench, 5);
    assert_int_equal(accepted_in_round(&bench), 1);
    bench_clear(&bench);
}

static void go_on_until_accepted(struct bench *bench, size_t count)
{
    while (bench->accepted < count) {
        spend_us((int64_t)10 * ACCEPT_US); /* the others */
        event_base_loop(bench->base, EVLOOP_ONCE);
    }
}

/* Connections that find no room are accepted after a wait, whether there is room then or not; the next ones wait
 * again. */
static void test_waits_for_room(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.room = 0;
    for (size_t round = 1; round <= 2; round++) {
        connect_clients(&bench, 1);
        assert_int_equal(accepted_in_round(&bench), 0);
        go_on_until_accepted(&bench, round);
    }
    bench.room = CLIENTS;
    connect_clients(&bench, 1);
    assert_int_equal(accepted_in_round(&bench), 1);
    bench_clear(&bench);
}

/* Of many, as many are accepted as there is room for, even if there is time for more; the others wait, and wait again
 * if meanwhile there was room for only one of them. */
static void test_room_for_some(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.room = 7;
    connect_clients(&bench, CLIENTS);
    go_on_until_accepted(&bench, 7);
    for (size_t room = 7; room < CLIENTS - 1; room++) {
        assert_int_equal(bench.accepted, room);
        assert_int_equal(accepted_in_round(&bench), 0);
        bench.room = room + 1;
        go_on_until_accepted(&bench, room + 1);
    }
    bench_clear(&bench);
}

/* As many connect as there is room for: the next one waits, however much later it comes. */
static void test_room_for_all(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.room = 7;
    connect_clients(&bench, 7);
    go_on_until_accepted(&bench, 7);
    for (int round = 0; round < 20; round++) {
        spend_us((int64_t)10 * ACCEPT_US);
        assert_int_equal(accepted_in_round(&bench), 0);
    }
    connect_clients(&bench, 1);
    assert_int_equal(accepted_in_round(&bench), 0);
    go_on_until_accepted(&bench, 8);
    bench_clear(&bench);
}

/* Connections stay pending and are accepted when there are descriptors again. */
static void test_rests_without_descriptors(void **state)
{
    struct bench bench;
    struct rlimit usual, none;
    (void)state;
    bench_init(&bench);
    connect_clients(&bench, 2);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = usual;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(accepted_in_round(&bench), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(accepted_in_round(&bench), 0);
    go_on_until_accepted(&bench, 2);
    bench_clear(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolver_that_fails), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_as_long_as_others),   cmocka_unit_test(test_one_after_silence),
        cmocka_unit_test(test_waits_for_room),      cmocka_unit_test(test_room_for_some),
        cmocka_unit_test(test_room_for_all),        cmocka_unit_test(test_rests_without_descriptors),
    };
    return cmocka_run_group_tests_name("api_listener", tests, NULL, NULL);
}
