/* tests/unit/test_api_connection.c - what a connection makes of its client's bytes, with a handler that does what the
 * path says: which answers come in which order, when it ends, who gives way to whom. */
#include "tests/unit/http_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "api/http/connection.h"
#include "common/base/clock.h"

#define ERROR_400 "400 {\"detail\":\"Requisição HTTP inválida.\"} close, end"
#define ERROR_413 "413 {\"detail\":\"Corpo da requisição grande demais.\"} close, end"
#define ERROR_503 "503 {\"detail\":\"Serviço sobrecarregado; tente novamente em instantes.\"} close, end"
#define LARGE_LEN (8u * 1024u * 1024u) /* more than the sockets take unread */

/* ---- What goes wrong, and when it is */

static enum fault { FAULT_NONE, FAULT_CALLOC, FAULT_STREAM, FAULT_TIMER, FAULT_SENDER } fault;
static time_t ahead_s; /* of the monotonic clock */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
struct bufferevent *__real_bufferevent_socket_new(struct event_base *base, evutil_socket_t fd, int options);
struct bufferevent *__wrap_bufferevent_socket_new(struct event_base *base, evutil_socket_t fd, int options);
struct event *__real_event_new(struct event_base *base, evutil_socket_t fd, short events,
                               event_callback_fn callback, void *context);
struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd, short events,
                               event_callback_fn callback, void *context);
int __real_bufferevent_set_timeouts(struct bufferevent *stream, const struct timeval *read,
                                    const struct timeval *write);
int __wrap_bufferevent_set_timeouts(struct bufferevent *stream, const struct timeval *read,
                                    const struct timeval *write);
int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

void *__wrap_calloc(size_t count, size_t size)
{
    return fault == FAULT_CALLOC ? NULL : __real_calloc(count, size);
}

struct bufferevent *__wrap_bufferevent_socket_new(struct event_base *base, evutil_socket_t fd, int options)
{
    return fault == FAULT_STREAM ? NULL : __real_bufferevent_socket_new(base, fd, options);
}

struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd, short events,
                               event_callback_fn callback, void *context)
{
    return fault == FAULT_TIMER ? NULL : __real_event_new(base, fd, events, callback, context);
}

int __wrap_bufferevent_set_timeouts(struct bufferevent *stream, const struct timeval *read,
                                    const struct timeval *write)
{
    return fault == FAULT_SENDER ? -1 : __real_bufferevent_set_timeouts(stream, read, write);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = __real_clock_gettime(clock, out);
    out->tv_sec += clock == CLOCK_MONOTONIC ? ahead_s : 0;
    return result;
}

/* ---- The handler */

struct work {
    struct pending pending;
    struct bench *bench;
};

struct bench {
    struct event_base *base;
    struct settings settings;
    struct mailbox mailbox;
    struct event *mail_event;
    struct handler handler;
    struct clients clients;
    atomic_llong open;
    struct work *pending;  /* the one that was begun last */
    size_t answered_count; /* calls of `answer` */
    size_t freed_count;    /* of pending ones */
    size_t closed_count;   /* connections */
    char order[64];        /* second letters of the paths that were answered */
};

static char large[LARGE_LEN];

static void free_work(struct pending *take_pending)
{
    struct work *work = (struct work *)take_pending;
    work->bench->freed_count++;
    free(work);
}

static enum handler_verdict begin_work(struct bench *bench, struct exchange *exchange)
{
    struct work *work = malloc(sizeof *work);
    assert_non_null(work);
    work->bench = bench;
    pending_init(&work->pending, exchange, free_work);
    assert_ptr_equal(exchange->pending, &work->pending);
    bench->pending = work;
    return HANDLER_PENDING;
}

static bool path_begins(const struct exchange *exchange, const char *begin)
{
    return strncmp(exchange->request->path.data, begin, strlen(begin)) == 0;
}

static bool path_has(const struct exchange *exchange, const char *part)
{
    struct bytes path = exchange->request->path;
    return memmem(path.data, path.len, part, strlen(part)) != NULL;
}

/* Path and body. */
static enum handler_verdict echo(const struct exchange *exchange, struct response *response)
{
    response->content_type = "text/plain";
    buffer_append(&response->text, exchange->request->path.data, exchange->request->path.len);
    buffer_append(&response->text, exchange->body.data, exchange->body.len);
    response->body = buffer_bytes(&response->text);
    return HANDLER_ANSWERED;
}

static enum handler_verdict forbid(struct response *response)
{
    static const struct http_error forbidden = {403, "no", NULL};
    response_fail(response, &forbidden);
    return HANDLER_ANSWERED;
}

static enum handler_verdict check(void *context, struct exchange *exchange, struct response *response)
{
    assert_false(exchange->is_admitted);
    assert_int_equal(exchange->body.len, 0);
    assert_null(exchange->pending);
    if (path_begins(exchange, "/verify"))
        return begin_work(context, exchange);
    return path_begins(exchange, "/forbidden") ? forbid(response) : HANDLER_ADMITTED;
}

static enum handler_verdict answer(void *context, struct exchange *exchange, struct response *response)
{
    struct bench *bench = context;
    assert_true(exchange->is_admitted);
    assert_int_equal(exchange->body.len, exchange->request->body_len);
    if (bench->answered_count < sizeof bench->order - 1)
        bench->order[bench->answered_count] = exchange->request->path.data[1];
    bench->answered_count++;
    if (path_has(exchange, "later"))
        return begin_work(bench, exchange);
    echo(exchange, response);
    if (path_begins(exchange, "/large")) {
        buffer_clear(&response->text);
        response->body = (struct bytes){large, sizeof large};
    }
    return HANDLER_ANSWERED;
}

static enum handler_verdict resume(void *context, struct exchange *exchange, struct pending *pending,
                                   struct response *response)
{
    assert_ptr_equal(((struct work *)pending)->bench, context);
    if (pending->error != NULL) {
        response_fail(response, pending->error);
        return HANDLER_ANSWERED;
    }
    if (!exchange->is_admitted)
        return path_begins(exchange, "/verify/no") ? forbid(response) : HANDLER_ADMITTED;
    return echo(exchange, response);
}

/* ---- The bench */

static struct bench bench;

static void closed(void *context)
{
    assert_ptr_equal(context, &bench);
    bench.closed_count++;
}

static void on_mail(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    (void)context;
    for (struct mail *mail = mailbox_take(&bench.mailbox, NULL), *next; mail != NULL; mail = next) {
        next = mail->next;
        connection_resume(pending_of_mail(mail));
    }
}

static int set_up(void **state)
{
    struct error err;
    (void)state;
    bench = (struct bench){.base = event_base_new(), .settings = http_settings()};
    bench.handler = (struct handler){.context = &bench, .check = check, .answer = answer, .resume = resume};
    assert_int_equal(mailbox_init(&bench.mailbox, &err), STATUS_OK);
    bench.mail_event = event_new(bench.base, bench.mailbox.fd, EV_READ | EV_PERSIST, on_mail, NULL);
    assert_int_equal(event_add(bench.mail_event, NULL), 0);
    bench.clients = (struct clients){.base = bench.base,
                                     .settings = &bench.settings,
                                     .handler = &bench.handler,
                                     .mailbox = &bench.mailbox,
                                     .open = &bench.open,
                                     .closed = closed,
                                     .context = &bench};
    assert_true(clients_init(&bench.clients));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fault = FAULT_NONE;
    ahead_s = 0;
    connection_free_all(&bench.clients);
    assert_true(clients_are_gone(&bench.clients));
    assert_int_equal(atomic_load(&bench.open), 0);
    clients_clear(&bench.clients);
    event_free(bench.mail_event);
    event_base_free(bench.base);
    mailbox_clear(&bench.mailbox);
    return 0;
}

/* Returns the server's socket. */
static int come(struct http_client *client)
{
    struct sockaddr_in peer = loopback(1);
    int socket, server_socket;
    tcp_pair(&socket, &server_socket);
    http_client_init(client, socket);
    connection_new(&bench.clients, server_socket, (struct sockaddr *)&peer);
    return server_socket;
}

static void expect(struct http_client *client, const char *name, const char *expected)
{
    http_client_expect(client, bench.base, name, expected);
}

static bool is_pending(void *context)
{
    (void)context;
    return bench.pending != NULL;
}

static struct pending *await_pending(void)
{
    assert_true(becomes_true(bench.base, is_pending, NULL));
    struct pending *pending = &bench.pending->pending;
    bench.pending = NULL;
    return pending;
}

static bool all_are_closed(void *context)
{
    (void)context;
    return clients_are_gone(&bench.clients);
}

static void expect_closed(void)
{
    assert_true(becomes_true(bench.base, all_are_closed, NULL));
}

static void go_on_for_a_while(void)
{
    for (int i = 0; i < QUIET_ROUNDS; i++)
        go_round(bench.base);
}

/* ---- Requests */

static void test_requests(void **state)
{
    static const struct {
        const char *name;
        const char *sent;
        const char *received;
    } rows[] = {
        {"one", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "200 /a"},
        {"pipelined", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "200 /a, 200 /b"},
        {"HEAD", "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n", "200, 200 /b"},
        {"empty lines before", "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", "200 /a"},
        {"asks to close", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "200 /a close, end"},
        {"1.0", "GET /a HTTP/1.0\r\n\r\n", "200 /a close, end"},
        {"1.0 that stays", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
         "200 /a keep-alive, 200 /b close, end"},
        {"body",
         "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n-xyGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "200 /a-xy, 200 /b"},
        {"nothing else before the body",
         "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", "100"},
        {"forbidden", "GET /forbidden HTTP/1.1\r\nHost: h\r\n\r\n", "403 no"},
        {"forbidden with a body",
         "POST /forbidden HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
         "403 no close, end"},
        {"body too large", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\n", ERROR_413},
        {"body as large as can be",
         "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 64\r\n\r\n"
         "-123456789-123456789-123456789-123456789-123456789-123456789-123",
         "200 /a-123456789-123456789-123456789-123456789-123456789-123456789-123"},
        {"refused", "GET /a HTTP/1.1\r\n\r\n", ERROR_400},
        {"refused HEAD", "HEAD /a HTTP/1.1\r\n\r\n", "400 close, end"},
        {"refused, and what follows it", "GET\n\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", ERROR_400},
        {"refused after a good one", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n\x01", "200 /a, " ERROR_400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client client;
        set_up(state);
        come(&client);
        http_client_send(&client, rows[i].sent);
        expect(&client, rows[i].name, rows[i].received);
        http_client_clear(&client);
        tear_down(state);
    }
}

static void test_pieces(void **state)
{
    static const char request[] = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n-xy";
    struct http_client client;
    (void)state;
    come(&client);
    for (size_t i = 0; i + 2 < sizeof request; i++) {
        http_client_send_bytes(&client, &request[i], 1);
        expect(&client, "in pieces", "");
    }
    http_client_send(&client, "y");
    expect(&client, "whole", "200 /a-xy");
    http_client_clear(&client);
}

static void test_continue(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client,
                     "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    expect(&client, "head", "100");
    http_client_send(&client, "-xy");
    expect(&client, "body", "100, 200 /a-xy");
    http_client_clear(&client);
}

static void test_head_too_long(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, "GET /a HTTP/1.1\r\nX: ");
    for (size_t i = 0; i < 1024; i++)
        http_client_send(&client, "x");
    expect(&client, "longer than HTTP_HEADER_BYTES", ERROR_400);
    http_client_clear(&client);
}

/* ---- The end */

/* Our side is shut down, but the socket stays open, and input is dropped, until the client has ended, too. */
static void test_lingers(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, "bad\n");
    expect(&client, "refused", ERROR_400);
    for (int i = 0; i < 3; i++) {
        http_client_send(&client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        go_on_for_a_while();
    }
    assert_int_equal(bench.closed_count, 0);
    assert_int_equal(bench.answered_count, 0);
    assert_int_equal(atomic_load(&bench.open), 1);
    shutdown(client.socket, SHUT_WR);
    expect_closed();
    assert_int_equal(bench.closed_count, 1);
    http_client_clear(&client);
}

/* One that sends on and on is not listened to for ever. */
static void test_lingers_for_a_megabyte(void **state)
{
    struct http_client client;
    size_t sent = 0;
    time_t end = time(NULL) + DEADLINE_S;
    (void)state;
    come(&client);
    http_client_send(&client, "bad\n");
    expect(&client, "refused", ERROR_400);
    while (bench.closed_count == 0 && time(NULL) <= end) {
        ssize_t len = send(client.socket, large, 16384, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += len > 0 ? (size_t)len : 0;
        go_round(bench.base);
    }
    assert_int_equal(bench.closed_count, 1);
    assert_true(sent > 1024u * 1024u);
    http_client_clear(&client);
}

/* After an answer that the client was told is the last, and that has followed a whole request, there is nothing to
 * linger for. */
static void test_closes_at_once(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, "GET /a HTTP/1.0\r\n\r\n");
    expect(&client, "1.0", "200 /a close, end");
    assert_int_equal(bench.closed_count, 1);
    http_client_clear(&client);
}

static void test_client_shuts_down(void **state)
{
    static const struct {
        const char *name;
        const char *sent;
        const char *received;
    } rows[] = {
        {"before", "", "end"},
        {"during a head", "GET /a HTT", "end"},
        {"during a body", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n-x", "end"},
        {"after one", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "200 /a, end"},
        {"after some", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "200 /a, 200 /b, end"},
        {"after one that is refused", "bad\n", ERROR_400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client client;
        set_up(state);
        come(&client);
        http_client_send(&client, rows[i].sent);
        shutdown(client.socket, SHUT_WR);
        expect(&client, rows[i].name, rows[i].received);
        assert_int_equal(bench.closed_count, 1);
        http_client_clear(&client);
        tear_down(state);
    }
}

static void test_client_goes(void **state)
{
    struct http_client client;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)state;
    come(&client);
    http_client_send(&client, "GET /a HTT");
    assert_int_equal(setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    http_client_clear(&client); /* a reset */
    expect_closed();
    assert_int_equal(bench.answered_count, 0);
}

static void test_deadlines(void **state)
{
    static const struct {
        const char *name;
        int64_t request_timeout_s;
        int64_t idle_timeout_s;
        const char *sent;
        const char *received;
    } rows[] = {
        {"nothing ever", 0, 100, "", "end"},
        {"rest of a head", 0, 100, "GET", "end"},
        {"next request", 100, 0, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "200 /a, end"},
        {"next request, of which a part is here", 100, 0, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET", "200 /a"},
        {"an empty line is a part", 100, 0, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\n", "200 /a"},
        {"an answer that is made", 100, 0, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client client;
        set_up(state);
        bench.settings.request_timeout_s = rows[i].request_timeout_s;
        bench.settings.idle_timeout_s = rows[i].idle_timeout_s;
        come(&client);
        http_client_send(&client, rows[i].sent);
        expect(&client, rows[i].name, rows[i].received);
        http_client_clear(&client);
        if (bench.pending != NULL)
            connection_resume(&bench.pending->pending);
        tear_down(state);
    }
}

/* ---- Pending answers */

static void *hand_back(void *context)
{
    pending_done(context);
    return NULL;
}

static void *hand_back_error(void *context)
{
    pending_fail(context, &ERROR_NO_DATA);
    return NULL;
}

static void test_pending_from_another_thread(void **state)
{
    static const struct {
        const char *name;
        void *(*hand_back)(void *);
        const char *received;
    } rows[] = {
        {"result", hand_back, "200 /later, 200 /b"},
        {"error", hand_back_error,
         "503 {\"detail\":\"Ainda não há dados para responder; tente novamente em instantes.\"}, 200 /b"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client client;
        pthread_t worker;
        come(&client);
        http_client_send(&client, "GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        struct pending *pending = await_pending();
        expect(&client, "not yet", "");
        assert_int_equal(pthread_create(&worker, NULL, rows[i].hand_back, pending), 0);
        expect(&client, rows[i].name, rows[i].received);
        assert_int_equal(pthread_join(worker, NULL), 0);
        assert_int_equal(bench.freed_count, i + 1);
        http_client_clear(&client);
    }
}

static void test_resumed(void **state)
{
    static const struct {
        const char *name;
        const char *sent;
        const char *received;  /* once what was pending was resumed */
        const char *sent_then; /* and what then */
        const char *received_then;
        bool is_pending_again;
    } rows[] = {
        {"answered", "GET /later HTTP/1.1\r\nHost: h\r\n\r\n", "200 /later",
         "GET /b HTTP/1.1\r\nHost: h\r\n\r\n", "200 /later, 200 /b", false},
        {"answered after a body", "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n-xy",
         "200 /later-xy", "", "200 /later-xy", false},
        {"1.0", "GET /later HTTP/1.0\r\n\r\n", "200 /later close, end", "", "200 /later close, end", false},
        {"admitted", "GET /verify HTTP/1.1\r\nHost: h\r\n\r\n", "200 /verify",
         "GET /b HTTP/1.1\r\nHost: h\r\n\r\n", "200 /verify, 200 /b", false},
        {"admitted with a body that is here",
         "POST /verify HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n-xy", "200 /verify-xy", "",
         "200 /verify-xy", false},
        {"admitted with a body that is not", "POST /verify HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
         "", "-xy", "200 /verify-xy", false},
        {"admitted with a body that is asked for",
         "POST /verify HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", "100",
         "-xy", "100, 200 /verify-xy", false},
        {"admitted with a body too large", "POST /verify HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\n",
         ERROR_413, "", ERROR_413, false},
        {"not admitted", "GET /verify/no HTTP/1.1\r\nHost: h\r\n\r\n", "403 no",
         "GET /b HTTP/1.1\r\nHost: h\r\n\r\n", "403 no, 200 /b", false},
        {"not admitted with a body", "POST /verify/no HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n-xy",
         "403 no close, end", "", "403 no close, end", false},
        {"pending again", "GET /verify/later HTTP/1.1\r\nHost: h\r\n\r\n", "", "", "200 /verify/later", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client client;
        set_up(state);
        come(&client);
        http_client_send(&client, rows[i].sent);
        struct pending *pending = await_pending();
        expect(&client, rows[i].name, "");
        connection_resume(pending);
        assert_int_equal(bench.freed_count, 1);
        expect(&client, rows[i].name, rows[i].received);
        if (rows[i].is_pending_again)
            connection_resume(await_pending());
        assert_null(bench.pending);
        http_client_send(&client, rows[i].sent_then);
        expect(&client, rows[i].name, rows[i].received_then);
        http_client_clear(&client);
        tear_down(state);
    }
}

/* Freed, and nothing else. */
static void test_resumed_without_client(void **state)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    struct pending *pending = await_pending();
    assert_non_null(pending->connection);
    assert_int_equal(setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    http_client_clear(&client);
    expect_closed();
    assert_null(pending->connection);
    assert_int_equal(bench.freed_count, 0);
    pending_done(pending);
    go_on_for_a_while();
    assert_int_equal(bench.freed_count, 1);
    assert_int_equal(bench.closed_count, 1);
}

/* A client that has shut down its side may still read. */
static void test_resumed_after_shutdown(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    shutdown(client.socket, SHUT_WR);
    struct pending *pending = await_pending();
    expect(&client, "not yet", "");
    connection_resume(pending);
    expect(&client, "answered", "200 /later, end");
    assert_int_equal(bench.closed_count, 1);
    http_client_clear(&client);
}

/* ---- Stopping */

static void test_retire(void **state)
{
    struct http_client idle, used, busy, halfway, slow;
    (void)state;
    bench.settings.connections_max = 100;
    come(&idle);
    come(&used);
    http_client_send(&used, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(&used, "used", "200 /a");
    come(&busy);
    http_client_send(&busy, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    struct pending *pending = await_pending();
    come(&halfway);
    http_client_send(&halfway, "GET /a HT");
    come(&slow);
    http_client_send(&slow, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    while (bench.answered_count < 3)
        go_round(bench.base);
    go_on_for_a_while();
    bench.clients.is_stopping = true;
    connection_retire_all(&bench.clients);
    assert_int_equal(bench.closed_count, 2);
    expect(&idle, "idle", "end");
    expect(&used, "used", "200 /a, end");
    connection_resume(pending);
    expect(&busy, "busy", "200 /later close, end");
    http_client_send(&halfway, "TP/1.1\r\nHost: h\r\n\r\n");
    expect(&halfway, "halfway", "200 /a close, end");
    expect(&slow, "slow", "200 <8388608>, end");
    assert_int_equal(bench.closed_count, 5);
    assert_true(clients_are_gone(&bench.clients));
    struct http_client *clients[] = {&idle, &used, &busy, &halfway, &slow};
    for (size_t i = 0; i < COUNT(clients); i++)
        http_client_clear(clients[i]);
}

/* ---- As many as there is room for */

static void test_no_room(void **state)
{
    struct http_client first, second, surplus;
    (void)state;
    bench.settings.connections_max = 2;
    come(&first);
    assert_true(connection_has_room(&bench.clients));
    come(&second);
    assert_false(connection_has_room(&bench.clients));
    come(&surplus);
    expect(&surplus, "surplus", ERROR_503);
    assert_int_equal(atomic_load(&bench.open), 2); /* without the one that lingers */
    http_client_send(&first, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(&first, "first", "200 /a");
    http_client_clear(&surplus);
    http_client_clear(&first);
    http_client_clear(&second);
    expect_closed();
    assert_int_equal(atomic_load(&bench.open), 0);
}

/* The clients that came first, and what they have sent; then a second passes; then another one comes. */
static void test_idlest_gives_way(void **state)
{
    static const char later[] = "GET /later HTTP/1.1\r\nHost: h\r\n\r\n";
    static const struct {
        const char *name;
        const char *sent[2];
        bool is_shut_down; /* first */
        const char *received[3];
    } rows[] = {
        {"longest",
         {"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"},
         false,
         {"200 /a, end", "200 /b", "200 /c"}},
        {"silent from the start",
         {"", "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"},
         false,
         {"end", "200 /b", "200 /c"}},
        {"not while an answer is made",
         {later, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"},
         false,
         {"", "200 /b, end", "200 /c"}},
        {"nobody, while answers are made", {later, later}, false, {"", "", ERROR_503}},
        {"but one that has shut down its side", {later, later}, true, {"end", "", "200 /c"}},
        {"one that has had its last answer", {"", "bad\n"}, false, {"", ERROR_400, "200 /c"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_client clients[3];
        struct pending *pending[2] = {NULL, NULL};
        set_up(state);
        bench.settings.connections_max = 2;
        for (size_t k = 0; k < 2; k++) {
            come(&clients[k]);
            http_client_send(&clients[k], rows[i].sent[k]);
            if (rows[i].is_shut_down && k == 0)
                shutdown(clients[k].socket, SHUT_WR);
            if (strcmp(rows[i].sent[k], later) == 0)
                pending[k] = await_pending();
            go_on_for_a_while();
        }
        ahead_s = 2;
        come(&clients[2]);
        http_client_send(&clients[2], "GET /c HTTP/1.1\r\nHost: h\r\n\r\n");
        for (size_t k = 0; k < 3; k++)
            expect(&clients[k], rows[i].name, rows[i].received[k]);
        connection_free_all(&bench.clients);
        for (size_t k = 0; k < 2; k++)
            if (pending[k] != NULL)
                connection_resume(pending[k]);
        for (size_t k = 0; k < 3; k++)
            http_client_clear(&clients[k]);
        tear_down(state);
    }
}

/* ---- Fairness */

/* While much is unsent, further requests stay where they are. */
static void test_unsent_holds_requests(void **state)
{
    struct http_client client;
    (void)state;
    come(&client);
    http_client_send(&client, "GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    while (bench.answered_count == 0)
        go_round(bench.base);
    go_on_for_a_while();
    assert_int_equal(bench.answered_count, 1);
    expect(&client, "read", "200 <8388608>, 200 /b");
    assert_int_equal(bench.answered_count, 2);
    http_client_clear(&client);
}

/* Of twenty pipelined requests, eight are answered, then it is the turn of another client. */
static void test_turns(void **state)
{
    struct http_client greedy, modest;
    struct pollfd arrivals[2] = {{.events = POLLIN}, {.events = POLLIN}};
    struct buffer requests = BUFFER_INIT;
    (void)state;
    for (int i = 0; i < 20; i++)
        buffer_append_text(&requests, "GET /g HTTP/1.1\r\nHost: h\r\n\r\n");
    arrivals[0].fd = come(&greedy);
    arrivals[1].fd = come(&modest);
    http_client_send_bytes(&greedy, requests.data, requests.len);
    http_client_send(&modest, "GET /m HTTP/1.1\r\nHost: h\r\n\r\n");
    while (poll(arrivals, 2, 1000 * DEADLINE_S) == 1) {
    }
    while (bench.answered_count < 21)
        go_round(bench.base);
    const char *modest_one = strchr(bench.order, 'm');
    assert_non_null(modest_one);
    assert_true(modest_one - bench.order == 8 || modest_one == bench.order);
    buffer_clear(&requests);
    http_client_clear(&greedy);
    http_client_clear(&modest);
}

/* ---- No memory */

static void test_no_memory(void **state)
{
    static const enum fault faults[] = {FAULT_CALLOC, FAULT_STREAM, FAULT_TIMER, FAULT_SENDER};
    struct http_client client;
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        fault = faults[i];
        int server_socket = come(&client);
        fault = FAULT_NONE;
        go_round(bench.base); /* libevent closes later */
        assert_int_equal(fcntl(server_socket, F_GETFD), -1);
        assert_int_equal(errno, EBADF);
        assert_int_equal(atomic_load(&bench.open), 0);
        assert_int_equal(bench.closed_count, 0); /* it never was one */
        assert_true(clients_are_gone(&bench.clients));
        expect(&client, "no memory", "end");
        http_client_clear(&client);
    }
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        ON_BENCH(test_pieces),
        ON_BENCH(test_continue),
        ON_BENCH(test_head_too_long),
        ON_BENCH(test_lingers),
        ON_BENCH(test_lingers_for_a_megabyte),
        ON_BENCH(test_closes_at_once),
        cmocka_unit_test(test_client_shuts_down),
        ON_BENCH(test_client_goes),
        cmocka_unit_test(test_deadlines),
        ON_BENCH(test_pending_from_another_thread),
        cmocka_unit_test(test_resumed),
        ON_BENCH(test_resumed_without_client),
        ON_BENCH(test_resumed_after_shutdown),
        ON_BENCH(test_retire),
        ON_BENCH(test_no_room),
        cmocka_unit_test(test_idlest_gives_way),
        ON_BENCH(test_unsent_holds_requests),
        ON_BENCH(test_turns),
        ON_BENCH(test_no_memory),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests_name("api_connection", tests, NULL, NULL);
}
