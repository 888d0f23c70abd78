/* api/http/reader.c - where a head ends, and a body of a known length. */
#include "api/http/reader.h"

#include <event2/buffer.h>
#include <string.h>

void reader_clear(struct reader *reader)
{
    buffer_clear(&reader->head);
    buffer_clear(&reader->body);
}

/* RFC 9112, 2.2: an empty line before a request is ignored. */
static void skip_empty_lines(struct reader *reader, struct evbuffer *input)
{
    char line[2];
    while (reader->scanned == 0 && evbuffer_copyout(input, line, 2) == 2 && memcmp(line, "\r\n", 2) == 0) {
        evbuffer_drain(input, 2);
        reader->has_begun = true;
    }
}

static enum reader_state parse(struct reader *reader, const char **problem)
{
    *problem = "memory";
    if (buffer_is_failed(&reader->head) ||
        !request_parse_head(buffer_bytes(&reader->head), &reader->request, problem))
        return READER_REFUSED;
    return READER_COMPLETE;
}

enum reader_state reader_take_head(struct reader *reader, struct evbuffer *input, size_t limit,
                                   const char **problem)
{
    size_t head_len;
    skip_empty_lines(reader, input);
    size_t len = evbuffer_get_length(input);
    if (len == 0)
        return READER_INCOMPLETE;
    size_t look_len = len < limit ? len : limit;
    struct bytes received = {(const char *)evbuffer_pullup(input, (ev_ssize_t)look_len), look_len};
    reader->looks_like_head =
        received.data != NULL && look_len >= 5 && memcmp(received.data, "HEAD ", 5) == 0;
    *problem = "memory";
    if (received.data == NULL)
        return READER_REFUSED;
    enum head_state state = request_scan_head(received, &reader->scanned, &head_len);
    if (state == HEAD_INCOMPLETE && len < limit)
        return READER_INCOMPLETE;
    *problem = state == HEAD_REFUSED ? "head" : "longer than HTTP_HEADER_BYTES";
    if (state != HEAD_COMPLETE)
        return READER_REFUSED;
    buffer_reset(&reader->head);
    buffer_append(&reader->head, received.data, head_len);
    buffer_reset(&reader->body);
    evbuffer_drain(input, head_len);
    reader->scanned = 0;
    reader->has_begun = false;
    return parse(reader, problem);
}

enum reader_state reader_take_body(struct reader *reader, struct evbuffer *input, const char **problem)
{
    struct buffer *body = &reader->body;
    size_t missing = (size_t)reader->request.body_len - body->len;
    size_t len = evbuffer_get_length(input);
    size_t take_len = len < missing ? len : missing;
    if (take_len == 0) /* the head came alone; a body that is waited for is never empty */
        return READER_INCOMPLETE;
    buffer_reserve(body, take_len);
    *problem = "memory";
    if (buffer_is_failed(body))
        return READER_REFUSED;
    int removed = evbuffer_remove(input, body->data + body->len, take_len);
    body->len += removed > 0 ? (size_t)removed : 0;
    return body->len < reader->request.body_len ? READER_INCOMPLETE : READER_COMPLETE;
}
