/* tests/unit/test_api_loop.c - an event loop in its own thread, with real clients: it serves, is told of users and of
 * what is current, and stops; meanwhile the test is the follower, which gets the refresh requests. */
#include "tests/unit/http_support.h"

#include <event2/listener.h>
#include <signal.h>

#include "api/loop.h"

#define U_P "Authorization: Basic dTpw\r\n"
#define V_Q "Authorization: Basic djpx\r\n"

#define GET(path, headers) "GET " path " HTTP/1.1\r\nHost: h\r\n" headers "\r\n"
#define REFRESH            "POST /cache/clear HTTP/1.1\r\nHost: h\r\n" U_P "\r\n"

#define ROOT        "200 {\"message\":\"API de Gestão de Clientes está no ar!\"}"
#define REFUSED     "401 {\"detail\":\"Acesso negado.\"}"
#define NOTHING_YET "503 {\"detail\":\"Ainda não há dados para responder; tente novamente em instantes.\"}"
#define REFRESHED                                                                                            \
    "200 {\"status\":\"success\",\"message\":\"Dados recalculados.\",\"generation\":7,\"duration_ms\":8}"

static struct settings settings;
static struct arena arena;
static struct auth auth;
static struct users *users;
static struct current current;
static struct popular_filters filters;
static struct workshop workshop;
static struct follower follower;
static struct service service;
static atomic_llong open_count;
static struct loop loop;
static uint16_t port;

static int set_up(void **state)
{
    bool port_is_ours = false;
    struct error err;
    (void)state;
    settings = http_settings();
    arena_init(&arena);
    atomic_store(&open_count, 0);
    assert_int_equal(auth_init(&auth, &arena, &settings, &err), STATUS_OK);
    assert_int_equal(auth_load_users(&auth, &settings, NULL, &users, &err), STATUS_OK);
    current_init(&current);
    popular_filters_init(&filters);
    follower = (struct follower){.settings = &settings};
    assert_int_equal(mailbox_init(&follower.mailbox, &err), STATUS_OK);
    service = (struct service){.settings = &settings,
                               .auth = &auth,
                               .users = users,
                               .current = &current,
                               .workshop = &workshop,
                               .follower = &follower,
                               .filters = &filters};
    assert_int_equal(loop_init(&loop, &service, &open_count, &port_is_ours, &err), STATUS_OK);
    assert_true(port_is_ours);
    port = port_of(evconnlistener_get_fd(loop.listener.listening));
    assert_int_equal(loop_start(&loop, &err), STATUS_OK);
    return 0;
}

/* The test has stopped the loop. */
static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&open_count), 0);
    mailbox_clear(&follower.mailbox);
    popular_filters_clear(&filters);
    current_clear(&current);
    users_unref(users);
    auth_clear(&auth);
    arena_clear(&arena);
    return 0;
}

static void come(struct http_client *client)
{
    http_client_init(client, connect_to(port));
}

static void expect(struct http_client *client, const char *name, const char *expected)
{
    http_client_expect(client, NULL, name, expected);
}

static void stop(void)
{
    loop_stop(&loop);
    loop_join(&loop);
    loop_clear(&loop); /* libevent closes sockets as late as here */
}

static void test_serves(void **state)
{
    static const struct {
        const char *name;
        const char *sent;
        const char *received;
    } rows[] = {
        {"root", GET("/", ""), ROOT},
        {"one slash more", GET("/clientes/", U_P), NOTHING_YET},
        {"two slashes more", GET("/clientes//", U_P), "404 {\"detail\":\"Not Found\"}"},
        {"no credentials", GET("/clientes", ""), "401 {\"detail\":\"Not authenticated\"}"},
        {"others' credentials", GET("/clientes", V_Q), REFUSED},
        {"credentials", GET("/clientes", U_P), NOTHING_YET},
        {"server as a whole", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "204"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client client;
        come(&client);
        http_client_send(&client, rows[i].sent);
        expect(&client, rows[i].name, rows[i].received);
        http_client_clear(&client);
    }
    stop();
}

static void test_told_of_users(void **state)
{
    struct settings new_settings = settings;
    struct users *unread, *new_users;
    struct http_client client;
    struct error err;
    (void)state;
    new_settings.basic_auth_users = "w:r";
    assert_int_equal(auth_load_users(&auth, &new_settings, NULL, &unread, &err), STATUS_OK);
    new_settings.basic_auth_users = "v:q";
    assert_int_equal(auth_load_users(&auth, &new_settings, NULL, &new_users, &err), STATUS_OK);
    come(&client);
    http_client_send(&client, GET("/clientes", U_P) GET("/clientes", V_Q));
    expect(&client, "before", NOTHING_YET ", " REFUSED);
    loop_tell_users(&loop, unread);
    loop_tell_users(&loop, new_users); /* whether it has seen those before or not */
    http_client_send(&client, GET("/clientes", U_P) GET("/clientes", V_Q));
    expect(&client, "after", NOTHING_YET ", " REFUSED ", " REFUSED ", " NOTHING_YET);
    stop();
    http_client_clear(&client);
    users_unref(unread);
    users_unref(new_users);
}

static bool health_says_ok(void *context)
{
    struct http_client *client = context;
    http_client_receive(client);
    return client->received.len > 0 &&
           memmem(client->received.data, client->received.len, "\"redis_connection\":\"ok\"", 23) != NULL;
}

static void test_looks_at_what_is_current(void **state)
{
    const struct upstream upstream = {.redis_is_ok = true};
    struct http_client client;
    (void)state;
    current_set(&current, NULL, &upstream);
    come(&client);
    http_client_send(&client, GET("/health", ""));
    assert_true(becomes_true(NULL, health_says_ok, &client));
    stop();
    http_client_clear(&client);
}

/* ---- Refreshes */

static bool has_ticket(void *context)
{
    struct mail **mail = context;
    *mail = mailbox_take(&follower.mailbox, NULL);
    return *mail != NULL;
}

static struct ticket *await_ticket(void)
{
    struct mail *mail = NULL;
    assert_true(becomes_true(NULL, has_ticket, &mail));
    assert_null(mail->next);
    struct ticket *ticket = ticket_of(pending_of_mail(mail));
    ticket->generation = 7;
    ticket->duration_ms = 8;
    return ticket;
}

static void test_hands_back(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, REFRESH GET("/", ""));
    struct ticket *ticket = await_ticket();
    expect(&client, "not yet", "");
    ticket_end(ticket, TICKET_DONE);
    expect(&client, "handed back", REFRESHED ", " ROOT);
    stop();
    http_client_clear(&client);
}

/* ---- Stopping */

static void test_stops_without_clients(void **state)
{
    (void)state;
    stop();
    assert_int_equal(try_to_connect(port), -1);
}

/* Nobody is waited for who waits for nothing. */
static void test_stops_with_idle_clients(void **state)
{
    struct http_client silent, used;
    (void)state;
    come(&silent);
    come(&used);
    http_client_send(&used, GET("/", ""));
    expect(&used, "used", ROOT);
    stop();
    expect(&silent, "silent", "end");
    expect(&used, "used", ROOT ", end");
    http_client_clear(&silent);
    http_client_clear(&used);
}

static bool is_refused(void *context)
{
    int fd = try_to_connect(port);
    (void)context;
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

/* One that waits for its answer gets it; new ones are refused meanwhile. */
static void test_stops_with_busy_client(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, REFRESH);
    struct ticket *ticket = await_ticket();
    loop_stop(&loop);
    assert_true(becomes_true(NULL, is_refused, NULL));
    expect(&client, "still waits", "");
    ticket_end(ticket, TICKET_DONE);
    loop_join(&loop);
    loop_clear(&loop);
    expect(&client, "answered", REFRESHED " close, end");
    http_client_clear(&client);
}

/* One whose answer comes too late is cut off; the answer then is freed with the loop. */
static void test_cuts_off(void **state)
{
    struct http_client client;
    (void)state;
    settings.shutdown_timeout_s = 0;
    come(&client);
    http_client_send(&client, REFRESH);
    struct ticket *ticket = await_ticket();
    loop_stop(&loop);
    loop_join(&loop);
    ticket_end(ticket, TICKET_DONE);
    loop_clear(&loop);
    expect(&client, "cut off", "end");
    http_client_clear(&client);
}

/* ---- Failing to start */

static void test_taken_port(void **state)
{
    bool port_is_ours = false;
    struct loop second;
    struct error err;
    (void)state;
    settings.port = port;
    assert_int_equal(loop_init(&second, &service, &open_count, &port_is_ours, &err), STATUS_UNAVAILABLE);
    assert_false(port_is_ours);
    loop_clear(&second);
    stop();
}

/* The loops of one process listen on the same port. */
static void test_second_loop(void **state)
{
    bool port_is_ours = true;
    struct loop second;
    struct error err;
    (void)state;
    settings.port = port;
    assert_int_equal(loop_init(&second, &service, &open_count, &port_is_ours, &err), STATUS_OK);
    assert_int_equal(port_of(evconnlistener_get_fd(second.listener.listening)), port);
    loop_clear(&second);
    stop();
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_serves),
        WITH_LOOP(test_told_of_users),
        WITH_LOOP(test_looks_at_what_is_current),
        WITH_LOOP(test_hands_back),
        WITH_LOOP(test_stops_without_clients),
        WITH_LOOP(test_stops_with_idle_clients),
        WITH_LOOP(test_stops_with_busy_client),
        WITH_LOOP(test_cuts_off),
        WITH_LOOP(test_taken_port),
        WITH_LOOP(test_second_loop),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests_name("api_loop", tests, NULL, NULL);
}
