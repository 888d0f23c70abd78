/* tests/fuzz/fuzz_request.c - HTTP heads from any bytes. One is found at the same place however it is cut on its way; a
 * naive second reader finds nothing in it that was to be refused; and printed again it is read as the same. */
#include <string.h>

#include "api/http/request.h"
#include "tests/fuzz/fuzz.h"

/* The state after bytes came in pieces of at most `piece_max` bytes. */
static enum head_state scan_in_pieces(struct bytes received, size_t piece_max, size_t *head_len)
{
    enum head_state state = HEAD_INCOMPLETE;
    uint32_t random = fuzz_hash(received) | 1;
    size_t scanned = 0, len = 0;
    while (len < received.len && state == HEAD_INCOMPLETE) {
        len += 1 + fuzz_random(&random) % piece_max;
        len = len < received.len ? len : received.len;
        state = request_scan_head((struct bytes){received.data, len}, &scanned, head_len);
        MUST_HOLD(scanned <= len);
    }
    return state;
}

static void check_clean(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        MUST_HOLD(((unsigned char)text.data[i] >= ' ' || text.data[i] == '\t') && text.data[i] != 0x7f);
}

/* How many lines of the head begin with that name and a colon. */
static unsigned count_fields(struct bytes head, const char *name)
{
    unsigned count = 0;
    size_t name_len = strlen(name);
    for (size_t i = 2; i + name_len < head.len; i++)
        count += head.data[i - 2] == '\r' && head.data[i - 1] == '\n' && head.data[i + name_len] == ':' &&
                 strncasecmp(head.data + i, name, name_len) == 0;
    return count;
}

static void check_against_naive_reader(struct bytes head, const struct request *request)
{
    MUST_HOLD(count_fields(head, "Transfer-Encoding") == 0);
    MUST_HOLD(count_fields(head, "Host") == 1 || (count_fields(head, "Host") == 0 && !request->is_http_1_1));
    MUST_HOLD(count_fields(head, "Content-Length") <= 1);
    MUST_HOLD(count_fields(head, "Content-Length") == 1 || request->body_len == 0);
    MUST_HOLD(count_fields(head, "Authorization") == (request->authorization.data != NULL));
    MUST_HOLD((count_fields(head, "Origin") > 0) == (request->origin.data != NULL));
    MUST_HOLD(count_fields(head, "Accept-Encoding") == request->accept_encoding.count);
    MUST_HOLD(count_fields(head, "If-None-Match") == request->if_none_match.count);
    MUST_HOLD(count_fields(head, "X-Forwarded-For") == request->forwarded.count);
    MUST_HOLD(count_fields(head, "Access-Control-Request-Headers") == request->wanted_headers.count);
}

static void print_field(const char *name, struct bytes value, struct buffer *out)
{
    if (value.data != NULL)
        buffer_append_format(out, "%s: %.*s\r\n", name, (int)value.len, value.data);
}

/* Those that were not kept are empty. */
static void print_lines(const char *name, const struct field_lines *lines, struct buffer *out)
{
    for (size_t i = 0; i < lines->count; i++)
        print_field(name, i < FIELD_LINES_MAX ? lines->values[i] : (struct bytes){"", 0}, out);
}

/* What was read, as a head that says the same; Accept apart, which is not kept as it came. */
static void print(const struct request *request, struct buffer *out)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "OPTIONS", "PATCH"};
    bool is_asterisk = bytes_is(request->path, "*");
    buffer_append_format(out, "%s %.*s%s", methods[request->method], (int)request->path.len,
                         request->path.data, is_asterisk ? "" : "/");
    if (request->query.data != NULL)
        buffer_append_format(out, "?%.*s", (int)request->query.len, request->query.data);
    buffer_append_format(out, " HTTP/1.%c\r\nHost: h\r\nConnection: %s\r\n", request->is_http_1_1 ? '1' : '0',
                         request->keeps_alive ? "keep-alive" : "close");
    print_field("Authorization", request->authorization, out);
    print_lines("Accept-Encoding", &request->accept_encoding, out);
    print_lines("If-None-Match", &request->if_none_match, out);
    print_lines("X-Forwarded-For", &request->forwarded, out);
    print_field("Origin", request->origin, out);
    print_field("Access-Control-Request-Method", request->wanted_method, out);
    print_lines("Access-Control-Request-Headers", &request->wanted_headers, out);
    if (request->expects_continue)
        buffer_append_text(out, "Expect: 100-continue\r\n");
    buffer_append_format(out, "Content-Length: %llu\r\n\r\n", (unsigned long long)request->body_len);
}

static bool is_same(struct bytes a, struct bytes b)
{
    return bytes_equal(a, b) && (a.data == NULL) == (b.data == NULL);
}

static bool are_same(const struct field_lines *a, const struct field_lines *b)
{
    bool are_same = a->count == b->count;
    for (size_t i = 0; i < a->count && i < FIELD_LINES_MAX; i++)
        are_same = are_same && is_same(a->values[i], b->values[i]);
    return are_same;
}

static void check_same(const struct request *a, const struct request *b)
{
    MUST_HOLD(a->method == b->method && a->is_http_1_1 == b->is_http_1_1);
    MUST_HOLD(a->keeps_alive == b->keeps_alive && a->body_len == b->body_len);
    MUST_HOLD(a->expects_continue == b->expects_continue);
    MUST_HOLD(is_same(a->path, b->path) && is_same(a->query, b->query));
    MUST_HOLD(is_same(a->authorization, b->authorization));
    MUST_HOLD(is_same(a->origin, b->origin) && is_same(a->wanted_method, b->wanted_method));
    MUST_HOLD(are_same(&a->accept_encoding, &b->accept_encoding));
    MUST_HOLD(are_same(&a->if_none_match, &b->if_none_match));
    MUST_HOLD(are_same(&a->forwarded, &b->forwarded));
    MUST_HOLD(are_same(&a->wanted_headers, &b->wanted_headers));
}

static void check_printed(const struct request *request)
{
    struct buffer head = BUFFER_INIT;
    struct request again;
    const char *problem;
    size_t scanned = 0, head_len;
    print(request, &head);
    MUST_HOLD(request_scan_head(buffer_bytes(&head), &scanned, &head_len) == HEAD_COMPLETE);
    MUST_HOLD(head_len == head.len);
    MUST_HOLD(request_parse_head(buffer_bytes(&head), &again, &problem));
    check_same(&again, request);
    buffer_clear(&head);
}

static void check_taken(struct bytes head, const struct request *request)
{
    bool is_asterisk = bytes_is(request->path, "*") && request->method == METHOD_OPTIONS;
    MUST_HOLD(is_asterisk || (request->path.len > 0 && request->path.data[0] == '/'));
    check_clean(request->path);
    check_clean(request->query);
    check_clean(request->authorization);
    check_clean(request->origin);
    for (size_t i = 0; i < request->wanted_headers.count && i < FIELD_LINES_MAX; i++)
        check_clean(request->wanted_headers.values[i]);
    check_against_naive_reader(head, request);
    check_printed(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes received = {(const char *)data, size};
    struct request request;
    const char *problem = NULL;
    size_t scanned = 0, len = 0, slow_len = 0, cut_len = 0;
    enum head_state state = request_scan_head(received, &scanned, &len);
    MUST_HOLD(scan_in_pieces(received, 1, &slow_len) == state || size == 0);
    MUST_HOLD(scan_in_pieces(received, 40, &cut_len) == state || size == 0);
    MUST_HOLD(state != HEAD_COMPLETE || (len == slow_len && len == cut_len && len <= size));
    struct bytes head = {received.data, len};
    if (state == HEAD_COMPLETE && request_parse_head(head, &request, &problem))
        check_taken(head, &request);
    else
        MUST_HOLD(state != HEAD_COMPLETE || problem != NULL);
    return 0;
}
