/* api/http/connection.c - the states of a connection and its deadlines. */
#include "api/http/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/endpoints/routes.h"
#include "api/http/response.h"
#include "api/http/wait.h"
#include "common/base/clock.h"
#include "common/program/log.h"

#define LINGER_S        2
#define LINGER_BYTES    (1024u * 1024u)
#define WRITE_AT_ONCE   (4u * 1024u * 1024u) /* libevent's own limit is 16 KiB a write */
#define UNSENT_ENOUGH   (32u * 1024u)        /* pipelined requests wait while this much is unsent */
#define REQUESTS_A_TURN 8                    /* pipelined ones; then it is the turn of other connections */
#define GIVES_WAY_MS    1000                 /* after so long without a request from its client */

enum connection_state {
    STATE_HEAD,      /* waiting for a request or in the middle of its head */
    STATE_BODY,      /* in the middle of its body */
    STATE_WAITING,   /* its answer is being made elsewhere */
    STATE_CLOSING,   /* the last answer is being sent */
    STATE_LINGERING, /* it was sent; input is dropped, lest a reset destroy the answer in transit */
};

struct connection {
    struct loop *loop;
    struct connection *next, **link; /* in the loop's list */
    struct idle_entry idle;          /* among those that give way to new ones */
    struct bufferevent *stream;
    struct event *deadline;
    struct address peer;
    enum connection_state state;
    size_t scanned;       /* of the head */
    bool has_begun;       /* empty lines came, but no request yet */
    bool looks_like_head; /* what is being read begins with "HEAD " */
    bool is_receiving;    /* part of a request is here; its deadline runs */
    bool lingers;         /* after the last answer */
    bool has_ended;       /* the client has shut down its side, but may still read */
    bool refers_to_body;  /* what is unsent includes a body by reference, shared or costly to make */
    bool is_turn_over;    /* a large answer was sent straight away */
    bool is_eager;        /* its input waits for its turn */
    bool is_surplus;      /* beyond HTTP_CONNECTIONS */
    struct turn turn;
    size_t dropped;     /* bytes of input after the last answer */
    struct buffer head; /* of the request that is being answered */
    struct buffer body;
    struct request request; /* borrows from head */
    const struct route *route;
    struct wait *wait; /* while STATE_WAITING */
};

/* Idle from now on. */
static void join_idle(struct connection *connection)
{
    idle_list_join(&connection->loop->idle, &connection->idle, clock_monotonic_ms());
}

static void leave_idle(struct connection *connection)
{
    idle_list_leave(&connection->loop->idle, &connection->idle);
}

static void connection_free(struct connection *connection)
{
    struct loop *loop = connection->loop;
    leave_idle(connection);
    turns_leave(&loop->turns, &connection->turn);
    if (connection->wait != NULL)
        connection->wait->connection = NULL;
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    event_free(connection->deadline);
    bufferevent_free(connection->stream);
    buffer_clear(&connection->head);
    buffer_clear(&connection->body);
    if (!connection->is_surplus)
        loop_place_freed(loop);
    free(connection);
    loop_connection_closed(loop);
}

static void set_deadline(struct connection *connection, int64_t seconds)
{
    struct timeval timeout = {seconds, 0};
    evtimer_add(connection->deadline, &timeout);
}

static size_t unsent_len(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->stream));
}

/* Everything was sent: closes the connection, or only our side of it. */
static void finish(struct connection *connection)
{
    if (!connection->lingers || connection->has_ended) {
        connection_free(connection);
        return;
    }
    connection->state = STATE_LINGERING;
    if (!connection->is_surplus) /* closing it makes no room */
        idle_list_lead(&connection->loop->idle, &connection->idle);
    shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
    set_deadline(connection, LINGER_S);
}

/* Every answer goes through here. `request` NULL: none could be read. Takes what the reply owns. */
static void send_reply(struct connection *connection, const struct request *request, struct reply *reply)
{
    struct loop *loop = connection->loop;
    bool closes = reply->closes || request == NULL || !request->keeps_alive || loop->is_stopping;
    bool is_for_head = request != NULL ? request->method == METHOD_HEAD : connection->looks_like_head;
    const struct response_context context = {.settings = loop->shared->settings,
                                             .request = request,
                                             .date = loop_date(loop, clock_unix_ms() / 1000),
                                             .is_for_head = is_for_head,
                                             .closes = closes};
    connection->lingers = reply->closes || request == NULL;
    bool is_copied;
    bool is_whole = response_append(bufferevent_get_output(connection->stream),
                                    bufferevent_getfd(connection->stream), &context, reply, &is_copied);
    connection->refers_to_body = connection->refers_to_body || !is_copied;
    connection->is_turn_over = !is_copied && unsent_len(connection) == 0;
    connection->state = closes || !is_whole ? STATE_CLOSING : STATE_HEAD;
}

static struct exchange exchange_of(const struct connection *connection)
{
    struct loop *loop = connection->loop;
    const struct newest_view *view = loop_look(loop);
    return (struct exchange){.request = &connection->request,
                             .settings = loop->shared->settings,
                             .auth = loop->shared->auth,
                             .users = loop->users,
                             .peer = &connection->peer,
                             .generation = view->generation,
                             .outlook = &view->outlook,
                             .body = buffer_bytes(&connection->body),
                             .makers = loop->shared->makers,
                             .fetchers = loop->shared->fetchers,
                             .follower = loop->shared->follower,
                             .asked = &loop->shared->asked,
                             .now_ms = clock_unix_ms()};
}

static void refuse(struct connection *connection, const char *problem)
{
    struct reply reply;
    reply_init(&reply);
    reply_error(&reply, ERROR_BAD_REQUEST);
    log_write(LOG_DEBUG, "a request was refused", LOG_FIELDS(log_text("problem", problem)));
    send_reply(connection, NULL, &reply);
}

static void answer_request(struct connection *connection)
{
    struct exchange exchange = exchange_of(connection);
    struct reply reply;
    struct wait *wait = wait_new(connection->loop, connection);
    reply_init(&reply);
    if (wait == NULL) {
        reply_error(&reply, ERROR_OVERLOADED);
    } else if (!routes_answer(&exchange, connection->route, wait, &reply)) {
        connection->wait = wait;
        connection->state = STATE_WAITING;
        return;
    }
    wait_free(wait);
    send_reply(connection, &connection->request, &reply);
}

static void expect_body(struct connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection->state = STATE_BODY;
    if (connection->request.expects_continue)
        bufferevent_write(connection->stream, go_on, sizeof go_on - 1);
}

/* Answers a request whose body has not been read, and never will be. */
static void answer_before_body(struct connection *connection, struct reply *reply)
{
    reply->closes = connection->request.body_len > 0;
    send_reply(connection, &connection->request, reply);
}

/* The request is allowed: its body is next, or its answer. */
static void admit(struct connection *connection)
{
    const struct settings *settings = connection->loop->shared->settings;
    if (connection->request.body_len == 0) {
        answer_request(connection);
    } else if (connection->request.body_len <= (uint64_t)settings->body_bytes_max) {
        expect_body(connection);
    } else {
        struct reply reply;
        reply_init(&reply);
        reply_error(&reply, ERROR_BODY_TOO_LARGE);
        answer_before_body(connection, &reply);
    }
}

/* Credentials that were not recognised go to the verifier. */
static void verify(struct connection *connection)
{
    struct loop *loop = connection->loop;
    struct reply reply;
    struct wait *wait = wait_new(loop, connection);
    enum verifier_result result = VERIFIER_BUSY;
    if (wait != NULL) {
        wait->kind = WAIT_VERIFICATION;
        result = auth_verify(loop->shared->auth, loop->users, &connection->request, &connection->peer, wait);
    }
    if (result == VERIFIER_WAITING) {
        connection->wait = wait;
        connection->state = STATE_WAITING;
        return;
    }
    wait_free(wait);
    reply_init(&reply);
    reply_error(&reply, result == VERIFIER_THROTTLED ? ERROR_THROTTLED : ERROR_OVERLOADED);
    answer_before_body(connection, &reply);
}

/* Handles a complete head. */
static void take_head(struct connection *connection)
{
    const char *problem = "memory";
    struct reply reply;
    if (buffer_is_failed(&connection->head) ||
        !request_parse_head(buffer_bytes(&connection->head), &connection->request, &problem)) {
        refuse(connection, problem);
        return;
    }
    struct exchange exchange = exchange_of(connection);
    reply_init(&reply);
    switch (routes_check(&exchange, &connection->route, &reply)) {
    case CHECK_ANSWERED:
        answer_before_body(connection, &reply);
        break;
    case CHECK_PASSED:
        admit(connection);
        break;
    case CHECK_UNVERIFIED:
        verify(connection);
        break;
    }
}

/* False: more input is needed. */
static bool step_head(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    size_t limit = (size_t)connection->loop->shared->settings->header_bytes_max, head_len;
    char blank[2];
    while (connection->scanned == 0 && evbuffer_copyout(input, blank, 2) == 2 &&
           memcmp(blank, "\r\n", 2) == 0) {
        evbuffer_drain(input, 2); /* RFC 9112, 2.2: an empty line before a request is ignored */
        connection->has_begun = true;
    }
    size_t len = evbuffer_get_length(input);
    if (len == 0)
        return false;
    size_t look_len = len < limit ? len : limit;
    struct bytes received = {(const char *)evbuffer_pullup(input, (ev_ssize_t)look_len), look_len};
    connection->looks_like_head =
        look_len >= 5 && received.data != NULL && memcmp(received.data, "HEAD ", 5) == 0;
    enum head_state state =
        received.data == NULL ? HEAD_REFUSED : request_scan_head(received, &connection->scanned, &head_len);
    if (state == HEAD_REFUSED || (state == HEAD_INCOMPLETE && len >= limit)) {
        refuse(connection, state == HEAD_REFUSED ? "head" : "longer than HTTP_HEADER_BYTES");
        return true;
    }
    if (state == HEAD_INCOMPLETE)
        return false;
    buffer_reset(&connection->head);
    buffer_append(&connection->head, received.data, head_len);
    buffer_reset(&connection->body);
    evbuffer_drain(input, head_len);
    connection->scanned = 0;
    connection->has_begun = false;
    take_head(connection);
    return true;
}

static bool step_body(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    size_t missing = (size_t)connection->request.body_len - connection->body.len;
    size_t len = evbuffer_get_length(input);
    size_t take_len = len < missing ? len : missing;
    if (take_len == 0) /* the head came alone; an awaited body is never empty */
        return false;
    buffer_reserve(&connection->body, take_len);
    if (buffer_is_failed(&connection->body)) {
        refuse(connection, "memory");
        return true;
    }
    int removed = evbuffer_remove(input, connection->body.data + connection->body.len, take_len);
    connection->body.len += removed > 0 ? (size_t)removed : 0;
    if (connection->body.len < connection->request.body_len)
        return false;
    answer_request(connection);
    return true;
}

static bool is_reading(const struct connection *connection)
{
    return connection->state == STATE_HEAD || connection->state == STATE_BODY;
}

/* Nothing is expected from the client now. One that has shut down its side while its answer is being made has most
 * likely gone, but cannot be told from a client that still reads: so it is answered, but gives way to others as if it
 * were idle. So does one that only piles up short answers, as to requests without credentials, and does not read
 * them. */
static void keep_place(struct connection *connection)
{
    bool has_left = connection->state == STATE_WAITING && connection->has_ended;
    bool is_deaf = is_reading(connection) && unsent_len(connection) > 0 && !connection->refers_to_body;
    if (!has_left && !is_deaf)
        leave_idle(connection);
    else if (!connection->idle.is_listed)
        join_idle(connection);
}

/* One deadline runs from a request's first byte to its last, another while nothing is in progress in either direction.
 * While an answer is being sent, the stream's write timeout watches the client. */
static void keep_time(struct connection *connection)
{
    const struct settings *settings = connection->loop->shared->settings;
    bool is_held = unsent_len(connection) >= UNSENT_ENOUGH; /* we do not read, so the client is not late */
    bool has_input =
        connection->has_begun || evbuffer_get_length(bufferevent_get_input(connection->stream)) > 0;
    bool is_receiving =
        !is_held && (connection->state == STATE_BODY || (is_reading(connection) && has_input));
    if (is_receiving && !connection->is_receiving) {
        set_deadline(connection, settings->request_timeout_s);
        join_idle(connection);
    } else if (!is_receiving && is_reading(connection) && unsent_len(connection) == 0) {
        set_deadline(connection, settings->idle_timeout_s);
        join_idle(connection);
    } else if (!is_receiving) {
        evtimer_del(connection->deadline);
        keep_place(connection);
    }
    connection->is_receiving = is_receiving;
}

/* True if it stopped with input left because enough is unsent or its turn is over, not because it needs more. */
static bool take_requests(struct connection *connection)
{
    const struct evbuffer *input = bufferevent_get_input(connection->stream);
    connection->is_turn_over = false;
    for (unsigned taken = 0; taken < REQUESTS_A_TURN && !connection->is_turn_over; taken++) {
        if (unsent_len(connection) >= UNSENT_ENOUGH)
            break;
        bool goes_on = false;
        if (connection->state == STATE_HEAD)
            goes_on = step_head(connection);
        else if (connection->state == STATE_BODY)
            goes_on = step_body(connection);
        if (!goes_on)
            return false;
        if (connection->state != STATE_BODY) /* a body must arrive by its head's deadline */
            connection->is_receiving = false;
    }
    return evbuffer_get_length(input) > 0;
}

/* Writes what the socket takes. libevent would first wait until the socket is writable, which it nearly always is:
 * three more system calls per answer. So libevent writes only what is left over, under its timeout. It also reports a
 * socket that has failed, as then everything is left over. Enabling EV_WRITE again would restart the timeout, and a
 * client that keeps sending without reading would never be late. */
static void flush(struct connection *connection)
{
    struct evbuffer *output = bufferevent_get_output(connection->stream);
    bool is_enabled = (bufferevent_get_enabled(connection->stream) & EV_WRITE) != 0;
    if (evbuffer_get_length(output) > 0) {
        evbuffer_unfreeze(output, 1); /* libevent keeps its front from others */
        evbuffer_write_atmost(output, bufferevent_getfd(connection->stream), WRITE_AT_ONCE);
        evbuffer_freeze(output, 1);
    }
    connection->refers_to_body = connection->refers_to_body && evbuffer_get_length(output) > 0;
    if (!is_enabled && evbuffer_get_length(output) > 0)
        bufferevent_enable(connection->stream, EV_WRITE);
}

/* Drops what was read and what the socket has received since: libevent would read that in small pieces, a turn each. */
static void drop_input(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    connection->dropped += evbuffer_get_length(input);
    evbuffer_drain(input, evbuffer_get_length(input));
    ssize_t len = recv(bufferevent_getfd(connection->stream), NULL, LINGER_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    connection->dropped += len > 0 ? (size_t)len : 0;
}

static size_t input_max(const struct connection *connection)
{
    const struct settings *settings = connection->loop->shared->settings;
    return (size_t)(settings->header_bytes_max + settings->body_bytes_max);
}

/* Stops reading at the client's end of input, while there is no room for more, and until what was read has had its
 * turn: otherwise libevent would call on_read again and again meanwhile. */
static void mind_input(struct connection *connection)
{
    bool is_enabled = (bufferevent_get_enabled(connection->stream) & EV_READ) != 0;
    bool has_room = evbuffer_get_length(bufferevent_get_input(connection->stream)) < input_max(connection);
    bool is_wanted = has_room && !connection->turn.is_waiting && !connection->has_ended;
    if (is_enabled && !is_wanted)
        bufferevent_disable(connection->stream, EV_READ);
    else if (!is_enabled && is_wanted)
        bufferevent_enable(connection->stream, EV_READ);
}

/* If a client has sent more than was taken, or sends after its last answer, its next input waits for its turn. */
static void mind_others(struct connection *connection, bool goes_on)
{
    bool has_input = evbuffer_get_length(bufferevent_get_input(connection->stream)) > 0;
    connection->is_eager = has_input || connection->state == STATE_CLOSING;
    if (goes_on && is_reading(connection) && unsent_len(connection) < UNSENT_ENOUGH)
        turns_join(&connection->loop->turns, &connection->turn);
}

/* Goes on until more input is needed, enough is unsent, or the turn is over. May free the connection. */
static void advance(struct connection *connection)
{
    bool goes_on = take_requests(connection);
    flush(connection);
    bool is_starved = !goes_on && is_reading(connection);
    if (connection->has_ended && is_starved)
        connection->state = STATE_CLOSING;
    if (connection->state == STATE_CLOSING)
        drop_input(connection);
    keep_time(connection);
    mind_others(connection, goes_on);
    mind_input(connection);
    if (connection->state == STATE_CLOSING && unsent_len(connection) == 0)
        finish(connection);
}

static void finish_answer(struct connection *connection, struct wait *wait)
{
    struct exchange exchange = exchange_of(connection);
    struct reply reply;
    reply_init(&reply);
    routes_finish(&exchange, wait, &reply);
    send_reply(connection, &connection->request, &reply);
}

static void finish_verification(struct connection *connection, const struct wait *wait)
{
    struct reply reply;
    reply_init(&reply);
    if (wait->has_failed)
        reply_error(&reply, wait->error);
    if (!wait->has_failed && routes_admit(connection->route, wait->is_readonly, &reply) == CHECK_PASSED)
        admit(connection);
    else
        answer_before_body(connection, &reply);
}

void connection_resume(struct wait *take_wait)
{
    struct connection *connection = take_wait->connection;
    if (connection != NULL) {
        connection->wait = NULL;
        if (take_wait->kind == WAIT_VERIFICATION)
            finish_verification(connection, take_wait);
        else
            finish_answer(connection, take_wait);
        advance(connection);
    }
    wait_free(take_wait);
}

/* Takes the input, or drops it after the last answer. May free the connection. */
static void take_turn(void *context)
{
    struct connection *connection = context;
    if (is_reading(connection)) {
        advance(connection);
        return;
    }
    if (connection->state != STATE_WAITING)
        drop_input(connection);
    if (connection->state == STATE_LINGERING && connection->dropped > LINGER_BYTES)
        connection_free(connection);
    else
        mind_input(connection);
}

static void take_turn_in_order(struct connection *connection)
{
    if (connection->is_eager) {
        turns_join(&connection->loop->turns, &connection->turn);
        mind_input(connection);
    } else {
        take_turn(connection);
    }
}

static void on_read(struct bufferevent *stream, void *context)
{
    (void)stream;
    take_turn_in_order(context);
}

/* Everything was sent: libevent is not to write until something is left over again. */
static void on_written(struct bufferevent *stream, void *context)
{
    struct connection *connection = context;
    bufferevent_disable(stream, EV_WRITE);
    if (connection->state == STATE_CLOSING)
        finish(connection);
    else if (connection->state != STATE_LINGERING)
        take_turn_in_order(connection);
}

/* A client that has shut down its side may still read: what it requested before is answered and sent first. */
static void on_event(struct bufferevent *stream, short events, void *context)
{
    const short ended = BEV_EVENT_EOF | BEV_EVENT_READING;
    struct connection *connection = context;
    (void)stream;
    if (events != ended || connection->state == STATE_LINGERING) {
        connection_free(connection);
        return;
    }
    connection->has_ended = true;
    if (connection->state == STATE_HEAD || connection->state == STATE_BODY)
        advance(connection);
    else
        keep_place(connection);
}

static void on_deadline(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    connection_free(context);
}

static void link_to_loop(struct connection *connection)
{
    struct loop *loop = connection->loop;
    connection->next = loop->connections;
    connection->link = &loop->connections;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    loop->connections = connection;
}

static bool open_stream(struct connection *connection, int socket)
{
    const struct settings *settings = connection->loop->shared->settings;
    struct timeval write_timeout = {settings->request_timeout_s, 0};
    int on = 1; /* else the rest of an answer waits for an acknowledgement that the client delays */
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->stream = bufferevent_socket_new(connection->loop->base, socket, BEV_OPT_CLOSE_ON_FREE);
    connection->deadline = evtimer_new(connection->loop->base, on_deadline, connection);
    if (connection->stream == NULL || connection->deadline == NULL)
        return false;
    bufferevent_setcb(connection->stream, on_read, on_written, on_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, input_max(connection));
    bufferevent_set_max_single_write(connection->stream, WRITE_AT_ONCE);
    bufferevent_set_timeouts(connection->stream, NULL, &write_timeout);
    return bufferevent_disable(connection->stream, EV_WRITE) == 0 &&
           bufferevent_enable(connection->stream, EV_READ) == 0;
}

struct connection *connection_idlest(const struct loop *loop)
{
    return idle_list_first(&loop->idle, clock_monotonic_ms() - GIVES_WAY_MS);
}

static bool send_idlest_away(struct loop *loop)
{
    struct connection *idlest = connection_idlest(loop);
    if (idlest != NULL)
        connection_free(idlest);
    return idlest != NULL;
}

void connection_new(struct loop *loop, int socket, const struct sockaddr *peer, bool overloaded)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection != NULL) {
        connection->loop = loop;
        connection->idle.owner = connection;
        connection->turn = (struct turn){.take = take_turn, .context = connection};
        connection->is_eager = true; /* until its first request was taken */
        connection->peer = address_of_socket(peer);
    }
    if (connection == NULL || !open_stream(connection, socket)) {
        if (connection != NULL && connection->deadline != NULL)
            event_free(connection->deadline);
        if (connection != NULL && connection->stream != NULL)
            bufferevent_free(connection->stream); /* closes the socket */
        else
            close(socket);
        free(connection);
        loop_place_freed(loop);
        return;
    }
    link_to_loop(connection);
    connection->is_surplus = overloaded && !send_idlest_away(loop);
    if (connection->is_surplus) {
        struct reply reply;
        loop_place_freed(loop);
        reply_init(&reply);
        reply_error(&reply, ERROR_OVERLOADED);
        send_reply(connection, NULL, &reply);
        advance(connection);
        return;
    }
    set_deadline(connection, loop->shared->settings->request_timeout_s);
    join_idle(connection);
    connection->is_receiving = true;
}

void connection_retire_all(struct loop *loop)
{
    struct connection *next;
    for (struct connection *connection = loop->connections; connection != NULL; connection = next) {
        next = connection->next;
        bool is_idle = connection->state == STATE_HEAD &&
                       evbuffer_get_length(bufferevent_get_input(connection->stream)) == 0;
        if (!is_idle)
            continue;
        connection->state = STATE_CLOSING;
        connection->lingers = false;
        if (unsent_len(connection) == 0)
            connection_free(connection);
    }
}

void connection_free_all(struct loop *loop)
{
    struct connection *next;
    for (struct connection *connection = loop->connections; connection != NULL; connection = next) {
        next = connection->next;
        connection_free(connection);
    }
}
