/* api/http/connection.c - the states of a connection: what is read next, whether a body is let in (100 Continue), who
 * answers, when it ends. */
#include "api/http/connection.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http/deadlines.h"
#include "api/http/reader.h"
#include "api/http/sender.h"
#include "common/base/clock.h"
#include "common/program/log.h"

#define LINGER_BYTES    (1024u * 1024u)
#define UNSENT_ENOUGH   (32u * 1024u) /* pipelined requests wait while this much is unsent */
#define REQUESTS_A_TURN 8             /* pipelined ones; then it is the turn of other connections */

enum connection_state {
    STATE_HEAD,      /* waiting for a request or in the middle of its head */
    STATE_BODY,      /* in the middle of its body */
    STATE_PENDING,   /* its answer is being made elsewhere */
    STATE_CLOSING,   /* the last answer is being sent */
    STATE_LINGERING, /* it was sent; input is dropped, lest a reset destroy the answer in transit */
};

struct connection {
    struct clients *clients;
    struct client_link link;
    struct bufferevent *stream;
    struct reader reader;
    struct sender sender;
    struct deadlines deadlines;
    struct turn turn;
    struct address peer;
    struct exchange exchange;
    struct pending *pending; /* in STATE_PENDING */
    enum connection_state state;
    bool lingers;    /* after the last answer */
    bool has_ended;  /* the client has shut down its side, but may still read */
    bool is_eager;   /* its input waits for its turn */
    bool is_surplus; /* beyond HTTP_CONNECTIONS */
    size_t dropped;  /* bytes of input after the last answer */
};

static struct evbuffer *input_of(const struct connection *connection)
{
    return bufferevent_get_input(connection->stream);
}

static bool is_reading(const struct connection *connection)
{
    return connection->state == STATE_HEAD || connection->state == STATE_BODY;
}

static void connection_free(struct connection *connection)
{
    struct clients *clients = connection->clients;
    turns_leave(&clients->turns, &connection->turn);
    if (connection->pending != NULL)
        connection->pending->connection = NULL;
    clients_remove(clients, &connection->link);
    deadlines_clear(&connection->deadlines);
    bufferevent_free(connection->stream);
    reader_clear(&connection->reader);
    if (!connection->is_surplus)
        clients_uncount(clients);
    free(connection);
    clients->closed(clients->context);
}

/* Everything was sent: closes the connection, or only our side of it. */
static void finish(struct connection *connection)
{
    if (!connection->lingers || connection->has_ended) {
        connection_free(connection);
        return;
    }
    connection->state = STATE_LINGERING;
    deadlines_linger(&connection->deadlines, !connection->is_surplus);
    shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
}

/* Every answer goes through here. `request` NULL: none could be read. After a request whose body was not read, and
 * never will be, the connection is closed. */
static void send_response(struct connection *connection, const struct request *request,
                          struct response *take_response)
{
    struct clients *clients = connection->clients;
    bool is_read = request != NULL && connection->reader.body.len == request->body_len;
    bool closes = !is_read || !request->keeps_alive || clients->is_stopping;
    bool is_for_head = request != NULL ? request->method == METHOD_HEAD : connection->reader.looks_like_head;
    const struct response_context context = {.settings = clients->settings,
                                             .request = request,
                                             .date = clients_date(clients, clock_unix_ms() / 1000),
                                             .is_for_head = is_for_head,
                                             .closes = closes};
    bool is_whole = sender_add(&connection->sender, &context, take_response);
    connection->lingers = !is_read;
    connection->state = closes || !is_whole ? STATE_CLOSING : STATE_HEAD;
}

static void send_error(struct connection *connection, const struct request *request,
                       const struct http_error *error)
{
    struct response response;
    response_init(&response);
    response_fail(&response, error);
    send_response(connection, request, &response);
}

static void refuse(struct connection *connection, const char *problem)
{
    log_write(LOG_DEBUG, "a request was refused", LOG_FIELDS(log_text("problem", problem)));
    send_error(connection, NULL, &ERROR_BAD_REQUEST);
}

static void expect_body(struct connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection->state = STATE_BODY;
    if (connection->reader.request.expects_continue)
        bufferevent_write(connection->stream, go_on, sizeof go_on - 1);
}

/* Sends the answer, or waits for it; false if the request was admitted instead. */
static bool conclude(struct connection *connection, enum handler_verdict verdict, struct response *response)
{
    if (verdict == HANDLER_ADMITTED)
        return false;
    if (verdict == HANDLER_ANSWERED) {
        send_response(connection, &connection->reader.request, response);
    } else {
        assert(connection->exchange.pending != NULL);
        connection->pending = connection->exchange.pending;
        connection->state = STATE_PENDING;
    }
    return true;
}

/* The whole request was read. */
static void answer_request(struct connection *connection)
{
    const struct handler *handler = connection->clients->handler;
    struct response response;
    response_init(&response);
    connection->exchange.body = buffer_bytes(&connection->reader.body);
    conclude(connection, handler->answer(handler->context, &connection->exchange, &response), &response);
}

/* The request is allowed: its body is next, or its answer. */
static void admit(struct connection *connection)
{
    const struct request *request = &connection->reader.request;
    connection->exchange.is_admitted = true;
    if (request->body_len == 0)
        answer_request(connection);
    else if (request->body_len <= (uint64_t)connection->clients->settings->body_bytes_max)
        expect_body(connection);
    else
        send_error(connection, request, &ERROR_BODY_TOO_LARGE);
}

/* A whole head was read. */
static void check_request(struct connection *connection)
{
    const struct handler *handler = connection->clients->handler;
    struct response response;
    response_init(&response);
    connection->exchange = (struct exchange){.request = &connection->reader.request,
                                             .peer = &connection->peer,
                                             .mailbox = connection->clients->mailbox,
                                             .connection = connection};
    if (!conclude(connection, handler->check(handler->context, &connection->exchange, &response), &response))
        admit(connection);
}

/* Takes a head, or a body, from what was received. False: more input is needed. */
static bool take_request(struct connection *connection)
{
    size_t head_max = (size_t)connection->clients->settings->header_bytes_max;
    const char *problem;
    bool is_head = connection->state == STATE_HEAD;
    enum reader_state state =
        is_head ? reader_take_head(&connection->reader, input_of(connection), head_max, &problem)
                : reader_take_body(&connection->reader, input_of(connection), &problem);
    if (state == READER_REFUSED)
        refuse(connection, problem);
    else if (state == READER_COMPLETE && is_head)
        check_request(connection);
    else if (state == READER_COMPLETE)
        answer_request(connection);
    return state != READER_INCOMPLETE;
}

/* True if it stopped with input left because enough is unsent or its turn is over, not because it needs more. */
static bool take_requests(struct connection *connection)
{
    connection->sender.has_sent_body = false;
    for (unsigned taken = 0; taken < REQUESTS_A_TURN && !connection->sender.has_sent_body; taken++) {
        if (sender_unsent_len(&connection->sender) >= UNSENT_ENOUGH)
            break;
        if (!is_reading(connection) || !take_request(connection))
            return false;
        if (connection->state != STATE_BODY) /* a body must arrive by its head's deadline */
            deadlines_request_ends(&connection->deadlines);
    }
    return evbuffer_get_length(input_of(connection)) > 0;
}

/* A client that has shut down its side while its answer is being made has most likely gone, but cannot be told from one
 * that still reads: so it is answered, but gives way to others as if it were idle. So does one that only piles up short
 * answers, as to requests without credentials, and does not read them. */
static enum activity activity_of(const struct connection *connection)
{
    size_t unsent_len = sender_unsent_len(&connection->sender);
    bool is_held = unsent_len >= UNSENT_ENOUGH; /* we do not read, so the client is not late */
    bool has_input = connection->reader.has_begun || evbuffer_get_length(input_of(connection)) > 0;
    if (!is_held && (connection->state == STATE_BODY || (connection->state == STATE_HEAD && has_input)))
        return ACTIVITY_RECEIVING;
    if (is_reading(connection) && unsent_len == 0)
        return ACTIVITY_NONE;
    bool has_left = connection->state == STATE_PENDING && connection->has_ended;
    bool is_deaf = is_reading(connection) && !connection->sender.refers_to_body;
    return has_left || is_deaf ? ACTIVITY_UNHEARD : ACTIVITY_ANSWERING;
}

/* Drops what was read and what the socket has received since: libevent would read that in small pieces, a turn each. */
static void drop_input(struct connection *connection)
{
    struct evbuffer *input = input_of(connection);
    connection->dropped += evbuffer_get_length(input);
    evbuffer_drain(input, evbuffer_get_length(input));
    ssize_t len = recv(bufferevent_getfd(connection->stream), NULL, LINGER_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    connection->dropped += len > 0 ? (size_t)len : 0;
}

static size_t input_max(const struct settings *settings)
{
    return (size_t)(settings->header_bytes_max + settings->body_bytes_max);
}

/* Stops reading at the client's end of input, while there is no room for more, and until what was read has had its
 * turn: otherwise libevent would call on_read again and again meanwhile. */
static void mind_input(struct connection *connection)
{
    bool is_enabled = (bufferevent_get_enabled(connection->stream) & EV_READ) != 0;
    bool has_room = evbuffer_get_length(input_of(connection)) < input_max(connection->clients->settings);
    bool is_wanted = has_room && !connection->turn.is_waiting && !connection->has_ended;
    if (is_enabled && !is_wanted)
        bufferevent_disable(connection->stream, EV_READ);
    else if (!is_enabled && is_wanted)
        bufferevent_enable(connection->stream, EV_READ);
}

/* If a client has sent more than was taken, or sends after its last answer, its next input waits for its turn. */
static void mind_others(struct connection *connection, bool goes_on)
{
    bool has_input = evbuffer_get_length(input_of(connection)) > 0;
    connection->is_eager = has_input || connection->state == STATE_CLOSING;
    if (goes_on && is_reading(connection) && sender_unsent_len(&connection->sender) < UNSENT_ENOUGH)
        turns_join(&connection->clients->turns, &connection->turn);
}

/* Goes on until more input is needed, enough is unsent, or the turn is over. May free the connection. */
static void advance(struct connection *connection)
{
    bool goes_on = take_requests(connection);
    sender_flush(&connection->sender);
    bool is_starved = !goes_on && is_reading(connection);
    if (connection->has_ended && is_starved)
        connection->state = STATE_CLOSING;
    if (connection->state == STATE_CLOSING)
        drop_input(connection);
    deadlines_note(&connection->deadlines, activity_of(connection));
    mind_others(connection, goes_on);
    mind_input(connection);
    if (connection->state == STATE_CLOSING && sender_unsent_len(&connection->sender) == 0)
        finish(connection);
}

void connection_resume(struct pending *take_pending)
{
    struct connection *connection = take_pending->connection;
    if (connection == NULL) {
        pending_free(take_pending);
        return;
    }
    const struct handler *handler = connection->clients->handler;
    struct response response;
    response_init(&response);
    connection->pending = NULL;
    connection->exchange.pending = NULL;
    enum handler_verdict verdict =
        handler->resume(handler->context, &connection->exchange, take_pending, &response);
    pending_free(take_pending);
    if (!conclude(connection, verdict, &response))
        admit(connection);
    advance(connection);
}

/* Takes the input, or drops it after the last answer. May free the connection. */
static void take_turn(void *context)
{
    struct connection *connection = context;
    if (is_reading(connection)) {
        advance(connection);
        return;
    }
    if (connection->state != STATE_PENDING)
        drop_input(connection);
    if (connection->state == STATE_LINGERING && connection->dropped > LINGER_BYTES)
        connection_free(connection);
    else
        mind_input(connection);
}

static void take_turn_in_order(struct connection *connection)
{
    if (connection->is_eager) {
        turns_join(&connection->clients->turns, &connection->turn);
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

/* Everything was sent. */
static void on_written(struct bufferevent *stream, void *context)
{
    struct connection *connection = context;
    (void)stream;
    sender_rest(&connection->sender);
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
    if (is_reading(connection))
        advance(connection);
    else
        deadlines_note(&connection->deadlines, activity_of(connection));
}

static void on_deadline(void *owner)
{
    connection_free(owner);
}

/* Everything that needs memory; what was opened is closed again on failure, the socket always. */
static bool open_stream(struct connection *connection, int take_socket)
{
    struct clients *clients = connection->clients;
    const struct settings *settings = clients->settings;
    int on = 1; /* else the rest of an answer waits for an acknowledgement that the client delays */
    setsockopt(take_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->stream = bufferevent_socket_new(clients->base, take_socket, BEV_OPT_CLOSE_ON_FREE);
    if (connection->stream == NULL) {
        close(take_socket);
        return false;
    }
    bufferevent_setcb(connection->stream, on_read, on_written, on_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, input_max(settings));
    if (deadlines_init(&connection->deadlines, clients->base, settings, &clients->idle, on_deadline,
                       connection) &&
        sender_init(&connection->sender, connection->stream, settings->request_timeout_s) &&
        bufferevent_enable(connection->stream, EV_READ) == 0)
        return true;
    deadlines_clear(&connection->deadlines);
    bufferevent_free(connection->stream);
    return false;
}

static struct connection *connection_open(struct clients *clients, int take_socket,
                                          const struct sockaddr *peer)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        close(take_socket);
        return NULL;
    }
    connection->clients = clients;
    connection->turn = (struct turn){.take = take_turn, .context = connection};
    connection->is_eager = true; /* until its first request was taken */
    connection->peer = address_of_socket(peer);
    if (open_stream(connection, take_socket))
        return connection;
    free(connection);
    return NULL;
}

static struct connection *idlest(const struct clients *clients)
{
    return idle_list_first(&clients->idle, clock_monotonic_ms());
}

bool connection_has_room(const struct clients *clients)
{
    return clients_have_room(clients) || idlest(clients) != NULL;
}

static bool send_idlest_away(const struct clients *clients)
{
    struct connection *connection = idlest(clients);
    if (connection != NULL)
        connection_free(connection);
    return connection != NULL;
}

void connection_new(struct clients *clients, int take_socket, const struct sockaddr *peer)
{
    bool has_room = clients_count(clients);
    struct connection *connection = connection_open(clients, take_socket, peer);
    if (connection == NULL) {
        clients_uncount(clients);
        return;
    }
    clients_add(clients, &connection->link, connection);
    connection->is_surplus = !has_room && !send_idlest_away(clients);
    if (connection->is_surplus) {
        clients_uncount(clients);
        send_error(connection, NULL, &ERROR_OVERLOADED);
        advance(connection);
        return;
    }
    deadlines_note(&connection->deadlines, ACTIVITY_RECEIVING);
}

static void retire(struct connection *connection)
{
    bool is_idle = connection->state == STATE_HEAD && evbuffer_get_length(input_of(connection)) == 0;
    if (!is_idle)
        return;
    connection->state = STATE_CLOSING;
    connection->lingers = false;
    if (sender_unsent_len(&connection->sender) == 0)
        connection_free(connection);
}

void connection_retire_all(struct clients *clients)
{
    for (struct client_link *link = clients->first, *next; link != NULL; link = next) {
        next = link->next;
        retire(link->owner);
    }
}

void connection_free_all(struct clients *clients)
{
    for (struct client_link *link = clients->first, *next; link != NULL; link = next) {
        next = link->next;
        connection_free(link->owner);
    }
}
