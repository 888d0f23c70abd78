/* tests/unit/test_api_server.c - the whole server in a thread, without Redis: what it answers then, what signals do,
 * and why it does not start. */
#include "tests/unit/http_support.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include "api/server.h"

#define U_P "Authorization: Basic dTpw\r\n"
#define V_Q "Authorization: Basic djpx\r\n"

#define GET(path, headers) "GET " path " HTTP/1.1\r\nHost: h\r\n" headers "\r\n"

#define ROOT        "200 {\"message\":\"API de Gestão de Clientes está no ar!\"}"
#define REFUSED     "401 {\"detail\":\"Acesso negado.\"}"
#define NOTHING_YET "503 {\"detail\":\"Ainda não há dados para responder; tente novamente em instantes.\"}"

static int problem; /* what the resolver is to answer; 0: ask the real one */

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    return problem != 0 ? problem : __real_getaddrinfo(host, port, hints, out);
}

static struct settings settings;
static const char *env_file;
static struct arena arena;
static struct auth auth;
static struct users *users;
static pthread_t thread;

/* Nobody listens on it. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = loopback(0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    uint16_t port = port_of(fd);
    close(fd);
    return port;
}

static int set_up(void **state)
{
    struct error err;
    (void)state;
    problem = 0;
    env_file = NULL;
    settings = http_settings();
    settings.port = free_port();
    settings.api_threads = 2;
    settings.redis = (struct redis_address){.host = "127.0.0.1", .port = free_port()};
    arena_init(&arena);
    assert_int_equal(auth_init(&auth, &arena, &settings, &err), STATUS_OK);
    assert_int_equal(auth_load_users(&auth, &settings, NULL, &users, &err), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_clear(&auth);
    arena_clear(&arena);
    return 0;
}

static void *run(void *exit_status)
{
    *(enum exit_status *)exit_status = server_run(&settings, env_file, &auth, users);
    return NULL;
}

static bool come(void *context)
{
    int fd = try_to_connect((uint16_t)settings.port);
    if (fd >= 0)
        http_client_init(context, fd);
    return fd >= 0;
}

/* Who comes while the server still tries whether the port is free is turned away. */
static bool serves(void *context)
{
    static const char request[] = GET("/", "");
    struct http_client *client = context;
    char found[256];
    if (!come(client))
        return false;
    (void)!send(client->socket, request, sizeof request - 1, MSG_NOSIGNAL);
    shutdown(client->socket, SHUT_WR);
    while (!client->has_ended)
        http_client_receive(client);
    http_client_summarise(client, found, sizeof found);
    http_client_clear(client);
    return strcmp(found, ROOT ", end") == 0;
}

/* Starts the server, and one client of it. */
static void start(struct http_client *client, enum exit_status *exit_status)
{
    assert_int_equal(pthread_create(&thread, NULL, run, exit_status), 0);
    assert_true(becomes_true(NULL, serves, client));
    assert_true(come(client));
}

static void stop(int signal_number)
{
    assert_int_equal(kill(getpid(), signal_number), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_does_not_start(void **state)
{
    static const struct {
        const char *name;
        int problem;
        bool is_port_taken;
        enum exit_status exit_status;
    } rows[] = {
        {"HOST is no name or address", EAI_NONAME, false, EXIT_USAGE},
        {"HOST cannot be resolved at the moment", EAI_AGAIN, false, EXIT_FAILED},
        {"port is taken", 0, true, EXIT_FAILED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_in address = loopback(0);
        int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        set_up(state);
        problem = rows[i].problem;
        assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(other, 1), 0);
        if (rows[i].is_port_taken)
            settings.port = port_of(other);
        enum exit_status found = server_run(&settings, NULL, &auth, users);
        if (found != rows[i].exit_status)
            fail_msg("%s: %d, expected %d", rows[i].name, found, rows[i].exit_status);
        close(other);
        tear_down(state);
    }
}

static bool health_is_whole(void *context)
{
    struct http_client *client = context;
    http_client_receive(client);
    return client->received.len > 0 && client->received.data[client->received.len - 1] == '}';
}

/* It serves although there is no Redis, says so, and ends on each of the signals that stop it. */
static void test_serves_without_redis(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < COUNT(signals); i++) {
        enum exit_status exit_status = EXIT_FAILED;
        struct http_client client, health;
        set_up(state);
        start(&client, &exit_status);
        http_client_send(&client, GET("/", ""));
        http_client_expect(&client, NULL, "root", ROOT);
        assert_true(come(&health));
        http_client_send(&health, GET("/health", ""));
        assert_true(becomes_true(NULL, health_is_whole, &health));
        buffer_append_char(&health.received, '\0');
        assert_non_null(strstr(health.received.data, "HTTP/1.1 503 Service Unavailable\r\n"));
        assert_non_null(strstr(health.received.data, "\"status\":\"unhealthy\""));
        assert_non_null(strstr(health.received.data, "\"redis_connection\":\"error\""));
        stop(signals[i]);
        assert_int_equal(exit_status, EXIT_DONE);
        http_client_expect(&client, NULL, "stopped", ROOT ", end");
        assert_int_equal(try_to_connect((uint16_t)settings.port), -1);
        http_client_clear(&client);
        http_client_clear(&health);
        tear_down(state);
    }
}

static bool has_received(void *context)
{
    struct http_client *client = context;
    http_client_receive(client);
    return client->received.len > 0;
}

/* The refresh that a client waits for fails before the end, so that the client is answered. */
static void test_answers_before_it_ends(void **state)
{
    enum exit_status exit_status = EXIT_FAILED;
    struct http_client client;
    (void)state;
    start(&client, &exit_status);
    http_client_send(&client, GET("/", "") "POST /cache/clear HTTP/1.1\r\nHost: h\r\n" U_P "\r\n");
    assert_true(becomes_true(NULL, has_received, &client)); /* so it has taken both */
    stop(SIGTERM);
    assert_int_equal(exit_status, EXIT_DONE);
    http_client_receive(&client);
    buffer_append_char(&client.received, '\0');
    assert_non_null(strstr(client.received.data, "O serviço de atualização não está disponível."));
    http_client_clear(&client);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Asks with new credentials until they, or no others, are right. */
static bool new_user_is_known(void *context)
{
    struct http_client client;
    char found[256];
    (void)context;
    assert_true(come(&client));
    http_client_send(&client, "GET /clientes HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" V_Q "\r\n");
    while (!client.has_ended)
        http_client_receive(&client);
    http_client_summarise(&client, found, sizeof found);
    http_client_clear(&client);
    return strcmp(found, NOTHING_YET " close, end") == 0;
}

/* A file that is wrong leaves the users as they are. */
static void test_reads_users_again(void **state)
{
    char path[] = "/tmp/test_api_server.XXXXXX";
    enum exit_status exit_status = EXIT_FAILED;
    struct http_client client;
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    close(file);
    env_file = path;
    start(&client, &exit_status);
    http_client_send(&client, GET("/clientes", V_Q));
    http_client_expect(&client, NULL, "before", REFUSED);
    write_file(path, "BASIC_AUTH_USERS=v:q\n");
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_true(becomes_true(NULL, new_user_is_known, NULL));
    write_file(path, "BASIC_AUTH_USERS=nonsense\n");
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    stop(SIGTERM);
    http_client_receive(&client);
    http_client_expect(&client, NULL, "after", REFUSED ", end");
    assert_int_equal(exit_status, EXIT_DONE);
    unlink(path);
    http_client_clear(&client);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_does_not_start),
        cmocka_unit_test(test_serves_without_redis),
        WITH_SERVER(test_answers_before_it_ends),
        WITH_SERVER(test_reads_users_again),
    };
    sigset_t signals; /* only the server takes them */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests_name("api_server", tests, NULL, NULL);
}
