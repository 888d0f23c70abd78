/* api/http/response.c - the head of an answer, and its body by reference. */
#include "api/http/response.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "common/program/origins.h"

#define HEAD_USUAL_LEN 512
#define COPIED_LEN_MAX 1024 /* a reference costs libevent more than a kilobyte of its own */

static const char *const CACHING_LINES[] = {
    [CACHING_NO_STORE] = "Cache-Control: no-store\r\n",
    [CACHING_PRIVATE] = "Cache-Control: private, no-cache\r\nVary: Accept-Encoding, Accept\r\n",
    [CACHING_IMMUTABLE] = "Cache-Control: public, max-age=31536000, immutable\r\n",
};

static const struct {
    int status;
    const char *phrase;
} REASONS[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {413, "Content Too Large"},
    {422, "Unprocessable Content"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (REASONS[i].status == status)
            return REASONS[i].phrase;
    return "Status";
}

void response_init(struct response *response)
{
    *response = (struct response){.status = 200, .text = BUFFER_INIT, .headers = BUFFER_INIT};
}

void response_clear(struct response *response)
{
    buffer_clear(&response->text);
    buffer_clear(&response->headers);
    representation_unref(response->representation);
    response_init(response);
}

void response_fail(struct response *response, const struct http_error *error)
{
    response_clear(response);
    response->status = error->status;
    response->content_type = JSON_TYPE;
    response->body = bytes_of(error->body);
    if (error->headers != NULL)
        buffer_append_text(&response->headers, error->headers);
}

void response_append_cors(const struct settings *settings, const struct request *request, struct buffer *out)
{
    bool is_open = origins_are_open(settings->cors_allow_origins);
    struct bytes origin = request != NULL ? request->origin : (struct bytes){NULL, 0};
    if (is_open)
        buffer_append_text(out, "Access-Control-Allow-Origin: *\r\n");
    else if (origin.data != NULL && origins_have(settings->cors_allow_origins, origin))
        buffer_append_format(out, "Access-Control-Allow-Origin: %.*s\r\n", (int)origin.len, origin.data);
    buffer_append_text(out, "Access-Control-Expose-Headers: ETag, Age, X-Cache, X-Generation\r\n");
    if (!is_open)
        buffer_append_text(out, "Vary: Origin\r\n");
}

/* Returns how many bytes of head and content the socket took. An error is left for libevent to find. */
static size_t send_at_once(int socket, struct bytes head, const struct representation *representation)
{
    ssize_t head_len = send(socket, head.data, head.len, MSG_MORE);
    if (head_len != (ssize_t)head.len)
        return head_len > 0 ? (size_t)head_len : 0;
    off_t begin = 0; /* the file's own offset is shared */
    ssize_t body_len = sendfile(socket, representation->file, &begin, representation->len);
    return head.len + (body_len > 0 ? (size_t)body_len : 0);
}

/* The body of an answer, while libevent sends it by reference. */
struct body_in_flight {
    struct representation *representation;
    char *text;
};

static void release_body(const void *data, size_t len, void *context)
{
    struct body_in_flight *body = context;
    (void)data;
    (void)len;
    representation_unref(body->representation);
    free(body->text);
    free(body);
}

/* Hands the body over to libevent; a static one is referred to as it is. */
static bool add_body(struct evbuffer *output, struct response *response)
{
    bool is_static = response->text.data == NULL && response->representation == NULL;
    if (is_static)
        return evbuffer_add_reference(output, response->body.data, response->body.len, NULL, NULL) == 0;
    struct body_in_flight *body = malloc(sizeof *body);
    if (body == NULL)
        return false;
    *body = (struct body_in_flight){response->representation, response->text.data};
    if (evbuffer_add_reference(output, response->body.data, response->body.len, release_body, body) != 0) {
        free(body);
        return false;
    }
    response->representation = NULL;
    response->text = (struct buffer)BUFFER_INIT;
    return true;
}

/* The header lines that describe the body. A 304 has those of its 200, except those about the bytes themselves. */
static void append_content(const struct response *response, struct buffer *head)
{
    if (response->representation != NULL && response->status == 304) {
        buffer_append_text(head, "ETag: ");
        buffer_append_text(head, response->representation->etag);
        buffer_append_text(head, "\r\n");
    } else if (response->representation != NULL) {
        buffer_append(head, response->representation->head, response->representation->head_len);
    } else if (response->status != 204) {
        buffer_append_format(head, "Content-Length: %zu\r\n", response->body.len);
        if (response->content_type != NULL)
            buffer_append_format(head, "Content-Type: %s\r\n", response->content_type);
    }
}

static void append_head(const struct response_context *context, const struct response *response,
                        struct buffer *head)
{
    buffer_append_text(head, "HTTP/1.1 ");
    buffer_append_uint(head, (uint64_t)response->status);
    buffer_append_char(head, ' ');
    buffer_append_text(head, reason_of(response->status));
    buffer_append_text(head, "\r\nDate: ");
    buffer_append_text(head, context->date);
    buffer_append_text(head, "\r\n");
    append_content(response, head);
    buffer_append_text(head, CACHING_LINES[response->caching]);
    response_append_cors(context->settings, context->request, head);
    buffer_append(head, response->headers.data, response->headers.len);
    if (context->closes)
        buffer_append_text(head, "Connection: close\r\n");
    else if (context->request != NULL && !context->request->is_http_1_1)
        buffer_append_text(head, "Connection: keep-alive\r\n");
    buffer_append_text(head, "\r\n");
}

/* Appends a head, and a body by reference. If the body has a file, and nothing is to be sent before it, the socket
 * first gets what it takes. */
static bool send_or_add(struct evbuffer *output, int socket, struct bytes head, struct response *response)
{
    const struct representation *representation = response->representation;
    bool is_next = evbuffer_get_length(output) == 0 && representation != NULL && representation->file >= 0;
    size_t sent = is_next ? send_at_once(socket, head, representation) : 0;
    size_t head_sent = sent < head.len ? sent : head.len, body_sent = sent - head_sent;
    response->body.data += body_sent;
    response->body.len -= body_sent;
    if (head_sent < head.len && evbuffer_add(output, head.data + head_sent, head.len - head_sent) != 0)
        return false;
    return response->body.len == 0 || add_body(output, response);
}

bool response_append(struct evbuffer *output, int socket, const struct response_context *context,
                     struct response *take_response, bool *is_copied)
{
    struct buffer head = BUFFER_INIT;
    bool has_body = take_response->status != 204 && take_response->status != 304 && !context->is_for_head;
    *is_copied = !has_body || take_response->body.len <= COPIED_LEN_MAX;
    buffer_reserve(&head, HEAD_USUAL_LEN);
    append_head(context, take_response, &head);
    if (has_body && *is_copied)
        buffer_append(&head, take_response->body.data, take_response->body.len);
    bool is_whole = !buffer_is_failed(&head) && !buffer_is_failed(&take_response->headers);
    if (is_whole && *is_copied)
        is_whole = evbuffer_add(output, head.data, head.len) == 0;
    else if (is_whole)
        is_whole = send_or_add(output, socket, buffer_bytes(&head), take_response);
    buffer_clear(&head);
    response_clear(take_response);
    return is_whole;
}
