/* tests/unit/test_api_sender.c - what is sent at once, what libevent sends later, and who is late. */
#include "tests/unit/http_support.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <signal.h>

#include "api/http/sender.h"

#define LARGE_LEN (8u * 1024u * 1024u) /* more than the sockets take unread */

static struct event_base *base;
static struct settings settings;
static struct response_context context;
static struct bufferevent *stream;
static struct sender sender;
static struct http_client client;
static bool is_written;
static short events_seen;
static char large[LARGE_LEN];

static void on_written(struct bufferevent *bufferevent, void *unused)
{
    (void)bufferevent;
    (void)unused;
    is_written = true;
    sender_rest(&sender);
}

static void on_event(struct bufferevent *bufferevent, short events, void *unused)
{
    (void)bufferevent;
    (void)unused;
    events_seen = events;
}

static int set_up_for(int64_t timeout_s)
{
    int socket, server_socket;
    base = event_base_new();
    settings = http_settings();
    context = (struct response_context){.settings = &settings, .date = "now"};
    is_written = false;
    events_seen = 0;
    tcp_pair(&socket, &server_socket);
    http_client_init(&client, socket);
    stream = bufferevent_socket_new(base, server_socket, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(stream, NULL, on_written, on_event, NULL);
    return !sender_init(&sender, stream, timeout_s);
}

static int set_up(void **state)
{
    (void)state;
    return set_up_for(100);
}

static int tear_down(void **state)
{
    (void)state;
    bufferevent_free(stream);
    event_base_free(base);
    http_client_clear(&client);
    return 0;
}

static bool libevent_writes(void)
{
    return (bufferevent_get_enabled(stream) & EV_WRITE) != 0;
}

static void add(size_t body_len)
{
    struct response response;
    response_init(&response);
    response.body = (struct bytes){large, body_len};
    assert_true(sender_add(&sender, &context, &response));
}

static bool was_written(void *unused)
{
    (void)unused;
    http_client_receive(&client);
    return is_written;
}

static bool was_seen(void *unused)
{
    (void)unused;
    return events_seen != 0;
}

/* libevent is not needed for it. */
static void test_at_once(void **state)
{
    (void)state;
    assert_false(libevent_writes());
    add(0);
    assert_true(sender_unsent_len(&sender) > 0);
    assert_false(sender.refers_to_body);
    sender_flush(&sender);
    assert_int_equal(sender_unsent_len(&sender), 0);
    assert_false(libevent_writes());
    http_client_expect(&client, base, "at once", "200");
    assert_false(is_written);
}

/* Some at once; the rest as the client reads; then libevent rests again. */
static void test_rest_later(void **state)
{
    (void)state;
    add(LARGE_LEN);
    size_t all_len = sender_unsent_len(&sender);
    assert_true(all_len > LARGE_LEN);
    sender_flush(&sender);
    assert_true(sender_unsent_len(&sender) < all_len);
    assert_true(sender_unsent_len(&sender) > 0);
    assert_true(sender.refers_to_body);
    assert_true(libevent_writes());
    assert_true(becomes_true(base, was_written, NULL));
    http_client_expect(&client, base, "all", "200 <8388608>");
    assert_int_equal(sender_unsent_len(&sender), 0);
    assert_false(libevent_writes());
    sender_flush(&sender);
    assert_false(sender.refers_to_body);
}

/* Of `len` bytes, in a file if that is a length for one. */
static struct representation *make_in_file(size_t len)
{
    struct buffer content = BUFFER_INIT;
    struct representation *made;
    struct error err;
    for (size_t i = 0; i < len; i++)
        buffer_append_char(&content, (char)('a' + i % 23));
    assert_int_equal(representation_new(&content, MEDIA_JSON, ENCODING_IDENTITY, &made, &err), STATUS_OK);
    representation_to_file(made);
    assert_true(made->file >= 0);
    return made;
}

static void add_representation(struct representation *made)
{
    struct response response;
    response_init(&response);
    response.representation = representation_ref(made);
    response.body = (struct bytes){made->data, made->len};
    assert_true(sender_add(&sender, &context, &response));
}

/* Reads what the client was sent until it ends with `count` times the body, and checks each of them. */
static void expect_bodies(const struct representation *made, size_t count)
{
    size_t len = 0, room = count * (made->len + 1000);
    char *received = malloc(room), *at = received;
    assert_non_null(received);
    time_t end = time(NULL) + DEADLINE_S;
    for (size_t found = 0; found < count;) {
        go_round(base);
        ssize_t got = recv(client.socket, received + len, room - len, MSG_DONTWAIT);
        len += got > 0 ? (size_t)got : 0;
        char *body = memmem(at, len - (size_t)(at - received), "\r\n\r\n", 4);
        if (body != NULL && len - (size_t)(body + 4 - received) >= made->len) {
            assert_memory_equal(at, "HTTP/1.1 200 OK\r\n", 17);
            assert_memory_equal(body + 4, made->data, made->len);
            at = body + 4 + made->len;
            found++;
        }
        assert_true(time(NULL) <= end);
    }
    assert_int_equal(at - received, len);
    free(received);
}

/* The socket gets it before anything is flushed, and the turn is over. */
static void test_file_at_once(void **state)
{
    struct representation *made = make_in_file(100000);
    (void)state;
    add_representation(made);
    assert_int_equal(sender_unsent_len(&sender), 0);
    assert_true(sender.has_sent_body);
    sender_flush(&sender);
    assert_false(sender.refers_to_body);
    expect_bodies(made, 1);
    representation_unref(made);
}

/* Nothing overtakes what is unsent, and what the socket did not take of a file comes later, in order. */
static void test_file_behind_others(void **state)
{
    struct representation *made = make_in_file(500000);
    size_t count = 0;
    (void)state;
    do
        add_representation(made), count++;
    while (sender_unsent_len(&sender) == 0);
    assert_false(sender.has_sent_body);
    add_representation(made), count++;
    assert_true(sender_unsent_len(&sender) > made->len);
    sender_flush(&sender);
    assert_true(sender.refers_to_body);
    expect_bodies(made, count);
    assert_int_equal(sender_unsent_len(&sender), 0);
    representation_unref(made);
}

/* An answer before it that is not flushed yet goes first. */
static void test_file_behind_a_short_answer(void **state)
{
    struct representation *made = make_in_file(100000);
    (void)state;
    add(0);
    add_representation(made);
    assert_true(sender_unsent_len(&sender) > made->len);
    sender_flush(&sender);
    assert_int_equal(sender_unsent_len(&sender), 0);
    http_client_expect(&client, base, "in order", "200, 200 <100000>");
    representation_unref(made);
}

/* Short answers behind a large one do not hide that one is there; once all are sent there is none. */
static void test_refers_to_body(void **state)
{
    static const struct {
        const char *name;
        size_t body_lens[2];
        bool refers;
    } rows[] = {
        {"short", {10, 10}, false},
        {"large", {10, 2000}, true},
        {"large before", {2000, 10}, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_up(state);
        add(rows[i].body_lens[0]);
        add(rows[i].body_lens[1]);
        if (sender.refers_to_body != rows[i].refers)
            fail_msg("%s: refers to a body: %d", rows[i].name, sender.refers_to_body);
        sender_flush(&sender);
        assert_false(sender.refers_to_body);
        tear_down(state);
    }
}

/* One that reads nothing is reported, even if more is added and flushed meanwhile: that does not put it off. */
static void test_late_client(void **state)
{
    const struct timeval every = {0, 100000};
    (void)state;
    set_up_for(1);
    add(LARGE_LEN);
    sender_flush(&sender);
    time_t end = time(NULL) + DEADLINE_S;
    while (!was_seen(NULL) && time(NULL) <= end) {
        event_base_loopexit(base, &every);
        event_base_dispatch(base);
        add(10);
        sender_flush(&sender);
    }
    assert_int_equal(events_seen, BEV_EVENT_TIMEOUT | BEV_EVENT_WRITING);
    tear_down(state);
}

/* The client resets the connection. */
static void client_goes(void)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    http_client_clear(&client);
}

/* libevent reports it also if the file is the first to notice. */
static void test_gone_client_of_a_file(void **state)
{
    struct representation *made = make_in_file(100000);
    (void)state;
    client_goes();
    add_representation(made);
    assert_true(sender_unsent_len(&sender) > made->len);
    sender_flush(&sender);
    assert_true(becomes_true(base, was_seen, NULL));
    assert_int_equal(events_seen, BEV_EVENT_ERROR | BEV_EVENT_WRITING);
    representation_unref(made);
}

/* One that has gone is reported by libevent, as what could not be written is left over. */
static void test_gone_client(void **state)
{
    (void)state;
    client_goes();
    add(0);
    sender_flush(&sender);
    assert_true(sender_unsent_len(&sender) > 0);
    assert_true(becomes_true(base, was_seen, NULL));
    assert_int_equal(events_seen, BEV_EVENT_ERROR | BEV_EVENT_WRITING);
}

#define WITH_SENDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SENDER(test_at_once),
        WITH_SENDER(test_rest_later),
        cmocka_unit_test(test_refers_to_body),
        cmocka_unit_test(test_late_client),
        WITH_SENDER(test_gone_client),
        WITH_SENDER(test_file_at_once),
        WITH_SENDER(test_file_behind_others),
        WITH_SENDER(test_file_behind_a_short_answer),
        WITH_SENDER(test_gone_client_of_a_file),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests_name("api_sender", tests, NULL, NULL);
}
