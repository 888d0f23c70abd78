/* tests/unit/http_support.h - for tests of api/http: a loop that runs until something is so, a pair of TCP sockets, a
 * client that notes what it is answered, in short. */
#ifndef ECOSYS_TESTS_UNIT_HTTP_SUPPORT_H
#define ECOSYS_TESTS_UNIT_HTTP_SUPPORT_H

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/program/settings.h"
#include "tests/unit/support.h"

#define DEADLINE_S   10 /* for what is expected to happen */
#define QUIET_ROUNDS 20 /* of a loop, in which nothing is expected to happen */

static inline struct settings http_settings(void)
{
    return (struct settings){.host = "127.0.0.1",
                             .port = 0,
                             .upstash_url = "",
                             .upstash_token = "",
                             .redis_prefix = "test",
                             .redis_timeout_ms = 1000,
                             .basic_auth_users = "u:p",
                             .basic_auth_readonly = "",
                             .trusted_proxies = "",
                             .environment = "test",
                             .auth_queue = 4,
                             .compute_queue = 4,
                             .compute_timeout_s = 5,
                             .cors_allow_origins = "*",
                             .connections_max = 10,
                             .header_bytes_max = 1024,
                             .body_bytes_max = 64,
                             .request_timeout_s = 100,
                             .idle_timeout_s = 100,
                             .shutdown_timeout_s = 100};
}

/* One round: what is due is done, nothing is waited for. */
static inline void go_round(struct event_base *base)
{
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* Whether it became true in time. `base` NULL: the loop has a thread of its own. */
static inline bool becomes_true(struct event_base *base, bool (*is_true)(void *context), void *context)
{
    time_t end = time(NULL) + DEADLINE_S;
    while (!is_true(context)) {
        if (time(NULL) > end)
            return false;
        if (base != NULL)
            go_round(base);
    }
    return true;
}

static inline struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline uint16_t port_of(int socket)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(socket, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

/* -1: nobody listens. */
static inline int try_to_connect(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline int connect_to(uint16_t port)
{
    int fd = try_to_connect(port);
    assert_true(fd >= 0);
    return fd;
}

/* The client's socket, and the server's, which is non-blocking. */
static inline void tcp_pair(int *client, int *server)
{
    struct sockaddr_in address = loopback(0);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 1), 0);
    *client = connect_to(port_of(listening));
    *server = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(*server >= 0);
    close(listening);
}

/* ---- A client */

struct http_client {
    int socket;
    struct buffer received;
    bool has_ended; /* the server has shut down its side, or the connection was reset */
};

static inline void http_client_init(struct http_client *client, int socket)
{
    *client = (struct http_client){.socket = socket, .received = BUFFER_INIT};
}

static inline void http_client_clear(struct http_client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    buffer_clear(&client->received);
    client->socket = -1;
}

static inline void http_client_send_bytes(struct http_client *client, const char *data, size_t len)
{
    assert_int_equal(send(client->socket, data, len, MSG_NOSIGNAL), len);
}

static inline void http_client_send(struct http_client *client, const char *text)
{
    http_client_send_bytes(client, text, strlen(text));
}

static inline void http_client_receive(struct http_client *client)
{
    char piece[65536];
    ssize_t len;
    while ((len = recv(client->socket, piece, sizeof piece, MSG_DONTWAIT)) > 0)
        buffer_append(&client->received, piece, (size_t)len);
    client->has_ended = client->has_ended || len == 0 || (errno != EAGAIN && errno != EINTR);
}

/* What was received, for comparison: status, body unless it was left out, and what `Connection` says of each answer,
 * then whether the server has ended; as "200 hello, 100, 400 {...} close, end". A long body is shown as its length. */
static inline void http_client_summarise(const struct http_client *client, char *out, size_t out_len)
{
    struct buffer text = BUFFER_INIT, all = BUFFER_INIT;
    buffer_append(&all, client->received.data, client->received.len);
    buffer_append_char(&all, '\0');
    const char *next = all.data, *end = all.data + all.len - 1, *body;
    for (; next < end && (body = strstr(next, "\r\n\r\n")) != NULL; buffer_append_text(&text, ", ")) {
        const char *length = strstr(next, "Content-Length: "), *connection = strstr(next, "Connection: ");
        size_t len = length != NULL && length < body ? strtoul(length + 16, NULL, 10) : 0;
        buffer_append(&text, next + strlen("HTTP/1.1 "), 3);
        body += 4;
        bool has_body = len > 0 && body < end && strncmp(body, "HTTP/1.1 ", 9) != 0;
        len = !has_body ? 0 : len < (size_t)(end - body) ? len : (size_t)(end - body);
        if (len > 200)
            buffer_append_format(&text, " <%zu>", len);
        else if (len > 0)
            buffer_append_format(&text, " %.*s", (int)len, body);
        if (connection != NULL && connection < body)
            buffer_append_format(&text, " %.*s", (int)strcspn(connection + 12, "\r"), connection + 12);
        next = body + len;
    }
    if (next < end)
        buffer_append_format(&text, "part of an answer, ");
    if (client->has_ended)
        buffer_append_text(&text, "end, ");
    snprintf(out, out_len, "%.*s", text.len > 2 ? (int)text.len - 2 : 0, text.data != NULL ? text.data : "");
    buffer_clear(&text);
    buffer_clear(&all);
}

/* The client receives exactly that, and then nothing more for a while. `base` NULL: the server runs elsewhere. */
static inline void http_client_expect(struct http_client *client, struct event_base *base, const char *name,
                                      const char *expected)
{
    char found[2048] = "";
    time_t end = time(NULL) + DEADLINE_S;
    int quiet_rounds = 0;
    while (quiet_rounds < QUIET_ROUNDS && time(NULL) <= end) {
        if (base != NULL)
            go_round(base);
        http_client_receive(client);
        http_client_summarise(client, found, sizeof found);
        quiet_rounds = strcmp(found, expected) == 0 ? quiet_rounds + 1 : 0;
    }
    if (strcmp(found, expected) != 0)
        fail_msg("%s: received \"%s\", expected \"%s\"", name, found, expected);
}

#endif
