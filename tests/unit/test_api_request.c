/* tests/unit/test_api_request.c - heads of requests: found wherever the bytes are split, refused where proxies and
 * servers have been known to differ, and what is read of those that are taken. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/http/request.h"
#include "tests/unit/support.h"

static const struct scan_row {
    const char *name;
    struct bytes text;
    enum head_state state;
    size_t head_len; /* HEAD_COMPLETE */
} SCANS[] = {
    {"nothing", RAW(""), HEAD_INCOMPLETE, 0},
    {"half a line", RAW("GET / HT"), HEAD_INCOMPLETE, 0},
    {"a line", RAW("GET / HTTP/1.1\r\n"), HEAD_INCOMPLETE, 0},
    {"all but the last byte", RAW("GET / HTTP/1.1\r\nHost: x\r\n\r"), HEAD_INCOMPLETE, 0},
    {"whole", RAW("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HEAD_COMPLETE, 27},
    {"with a body behind", RAW("POST / HTTP/1.1\r\nHost: x\r\n\r\n{\n}\0"), HEAD_COMPLETE, 28},
    {"with another behind", RAW("GET / HTTP/1.0\r\n\r\nGET"), HEAD_COMPLETE, 18},
    {"empty lines", RAW("\r\n\r\n"), HEAD_COMPLETE, 4},
    {"a tab in a value", RAW("a: b\tc\r\n\r\n"), HEAD_COMPLETE, 10},
    {"bytes above ASCII", RAW("a: \xC3\xA7\r\n\r\n"), HEAD_COMPLETE, 9},
    {"bare LF", RAW("GET / HTTP/1.1\nHost: x\n\n"), HEAD_REFUSED, 0},
    {"LF first", RAW("\nGET"), HEAD_REFUSED, 0},
    {"bare LF at the end", RAW("GET / HTTP/1.1\r\nHost: x\r\n\n"), HEAD_REFUSED, 0},
    {"bare CR", RAW("GET / HTTP/1.1\rHost"), HEAD_REFUSED, 0},
    {"two CRs", RAW("GET / HTTP/1.1\r\r\n"), HEAD_REFUSED, 0},
    {"NUL", RAW("GET /\0 HTTP"), HEAD_REFUSED, 0},
    {"NUL first", RAW("\0"), HEAD_REFUSED, 0},
    {"escape", RAW("GET /\x1b[0m"), HEAD_REFUSED, 0},
    {"delete", RAW("GET /\x7f"), HEAD_REFUSED, 0},
    {"folded by a blank", RAW("GET / HTTP/1.1\r\nHost: x\r\n y"), HEAD_REFUSED, 0},
    {"folded by a tab", RAW("GET / HTTP/1.1\r\nHost: x\r\n\ty"), HEAD_REFUSED, 0},
    {"a blank in front of the first field", RAW("GET / HTTP/1.1\r\n Host: x"), HEAD_REFUSED, 0},
    {"TLS", RAW("\x16\x03\x01\x02"), HEAD_REFUSED, 0},
};

/* Whatever is received at a time, each prefix in memory of its own. */
static enum head_state scan_in_steps(struct bytes text, size_t step, size_t *head_len)
{
    enum head_state state = HEAD_INCOMPLETE;
    size_t scanned = 0;
    for (size_t len = 0; state == HEAD_INCOMPLETE && len < text.len;) {
        len = text.len - len < step ? text.len : len + step;
        char *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, text.data, len);
        state = request_scan_head((struct bytes){copy, len}, &scanned, head_len);
        assert_true(scanned <= len);
        free(copy);
    }
    return state;
}

static void test_heads_are_found_in_any_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(SCANS); i++)
        for (size_t step = 1; step <= SCANS[i].text.len; step++) {
            char name[96];
            size_t head_len = 0;
            snprintf(name, sizeof name, "%s, %zu bytes at a time", SCANS[i].name, step);
            check_int(name, "state", scan_in_steps(SCANS[i].text, step, &head_len), SCANS[i].state);
            check_int(name, "head_len", (int64_t)head_len, (int64_t)SCANS[i].head_len);
        }
}

/* The head is scanned, then parsed; false also when scanning refuses it. */
static bool read_head(struct bytes text, struct request *out, const char **problem)
{
    size_t scanned = 0, head_len = 0;
    *problem = "not scanned";
    if (request_scan_head(text, &scanned, &head_len) != HEAD_COMPLETE)
        return false;
    return request_parse_head((struct bytes){text.data, head_len}, out, problem);
}

#define HOST "Host: x\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST

static const struct {
    const char *name;
    struct bytes text;
} REFUSED[] = {
    {"no line", RAW("\r\n\r\n")},
    {"an empty line first", RAW("\r\n" GET "\r\n")},
    {"no version", RAW("GET /\r\n" HOST "\r\n")},
    {"HTTP/0.9", RAW("GET / HTTP/0.9\r\n" HOST "\r\n")},
    {"HTTP/1.2", RAW("GET / HTTP/1.2\r\n" HOST "\r\n")},
    {"HTTP/1.10", RAW("GET / HTTP/1.10\r\n" HOST "\r\n")},
    {"HTTP/2.0", RAW("GET / HTTP/2.0\r\n" HOST "\r\n")},
    {"PRI * HTTP/2.0", RAW("PRI * HTTP/2.0\r\n\r\n")},
    {"http/1.1", RAW("GET / http/1.1\r\n" HOST "\r\n")},
    {"two blanks in front of the target", RAW("GET  / HTTP/1.1\r\n" HOST "\r\n")},
    {"two blanks behind it", RAW("GET /  HTTP/1.1\r\n" HOST "\r\n")},
    {"a blank behind the version", RAW("GET / HTTP/1.1 \r\n" HOST "\r\n")},
    {"a tab in front of the target", RAW("GET\t/ HTTP/1.1\r\n" HOST "\r\n")},
    {"a blank in the target", RAW("GET /a b HTTP/1.1\r\n" HOST "\r\n")},
    {"no method", RAW(" / HTTP/1.1\r\n" HOST "\r\n")},
    {"a method with a colon", RAW("GE:T / HTTP/1.1\r\n" HOST "\r\n")},
    {"no target", RAW("GET HTTP/1.1\r\n" HOST "\r\n")},
    {"whole URL", RAW("GET http://x/ HTTP/1.1\r\n" HOST "\r\n")},
    {"authority", RAW("CONNECT x:80 HTTP/1.1\r\n" HOST "\r\n")},
    {"an asterisk for GET", RAW("GET * HTTP/1.1\r\n" HOST "\r\n")},
    {"no slash", RAW("GET clientes HTTP/1.1\r\n" HOST "\r\n")},
    {"a fragment", RAW("GET /#x HTTP/1.1\r\n" HOST "\r\n")},
    {"a quote", RAW("GET /\" HTTP/1.1\r\n" HOST "\r\n")},
    {"a backslash", RAW("GET /\\ HTTP/1.1\r\n" HOST "\r\n")},
    {"a tag", RAW("GET /<b> HTTP/1.1\r\n" HOST "\r\n")},
    {"above ASCII", RAW("GET /\xC3\xA7 HTTP/1.1\r\n" HOST "\r\n")},
    {"an encoded NUL", RAW("GET /?a=%00 HTTP/1.1\r\n" HOST "\r\n")},
    {"no Host", RAW("GET / HTTP/1.1\r\n\r\n")},
    {"two Hosts", RAW(GET HOST "\r\n")},
    {"two Hosts of HTTP/1.0", RAW("GET / HTTP/1.0\r\n" HOST HOST "\r\n")},
    {"a Host with a path", RAW("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n")},
    {"a Host with a user", RAW("GET / HTTP/1.1\r\nHost: a@x\r\n\r\n")},
    {"two in one Host", RAW("GET / HTTP/1.1\r\nHost: x, y\r\n\r\n")},
    {"a blank in the Host", RAW("GET / HTTP/1.1\r\nHost: x y\r\n\r\n")},
    {"two ports", RAW("GET / HTTP/1.1\r\nHost: x:80:81\r\n\r\n")},
    {"a port that is no number", RAW("GET / HTTP/1.1\r\nHost: x:http\r\n\r\n")},
    {"a bracket that is never closed", RAW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")},
    {"a bracket alone", RAW("GET / HTTP/1.1\r\nHost: ::1]\r\n\r\n")},
    {"a name in brackets", RAW("GET / HTTP/1.1\r\nHost: [x]\r\n\r\n")},
    {"more behind the bracket", RAW("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n")},
    {"an IPv6 Host without brackets", RAW("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n")},
    {"chunked", RAW(GET "Transfer-Encoding: chunked\r\n\r\n")},
    {"chunked in other letters", RAW(GET "tRANSFER-eNCODING: Chunked\r\n\r\n")},
    {"identity", RAW(GET "Transfer-Encoding: identity\r\n\r\n")},
    {"an empty Transfer-Encoding", RAW(GET "Transfer-Encoding:\r\n\r\n")},
    {"chunked with a length", RAW(GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"chunked of HTTP/1.0", RAW("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"two lengths", RAW(GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n")},
    {"the same length twice", RAW(GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n")},
    {"a list of lengths", RAW(GET "Content-Length: 5, 5\r\n\r\n")},
    {"no length", RAW(GET "Content-Length:\r\n\r\n")},
    {"a length with a sign", RAW(GET "Content-Length: +5\r\n\r\n")},
    {"a negative length", RAW(GET "Content-Length: -5\r\n\r\n")},
    {"a length in hexadecimal digits", RAW(GET "Content-Length: 0x5\r\n\r\n")},
    {"a length with a decimal", RAW(GET "Content-Length: 5.0\r\n\r\n")},
    {"a length with a letter", RAW(GET "Content-Length: 5a\r\n\r\n")},
    {"a length beyond 64 bits", RAW(GET "Content-Length: 18446744073709551617\r\n\r\n")},
    {"a length of many zeros", RAW(GET "Content-Length: 0000000000000000000\r\n\r\n")},
    {"a tab behind the length", RAW(GET "Content-Length: 5\t\r\n\r\n")},
    {"a blank and a tab behind the length", RAW(GET "Content-Length: 5 \t\r\n\r\n")},
    {"a blank in front of the colon", RAW(GET "Content-Length : 5\r\n\r\n")},
    {"a tab in front of the colon", RAW(GET "Content-Length\t: 5\r\n\r\n")},
    {"a blank in a name", RAW(GET "Content Length: 5\r\n\r\n")},
    {"no name", RAW(GET ": x\r\n\r\n")},
    {"no colon", RAW(GET "Accept\r\n\r\n")},
    {"a name in brackets", RAW(GET "(Accept): x\r\n\r\n")},
    {"a name above ASCII", RAW(GET "H\xC3\xB6st: x\r\n\r\n")},
    {"two Authorizations", RAW(GET "Authorization: Basic YQ==\r\nAuthorization: Basic Yg==\r\n\r\n")},
};

static void test_what_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REFUSED); i++) {
        struct request request = {.body_len = 4711};
        const char *problem;
        if (read_head(REFUSED[i].text, &request, &problem))
            fail_msg("%s: was taken, expected a refusal", REFUSED[i].name);
        if (problem == NULL || problem[0] == '\0' || strcmp(problem, "not scanned") == 0)
            fail_msg("%s: problem is \"%s\", expected words of the parser", REFUSED[i].name,
                     problem != NULL ? problem : "(none)");
        check_int(REFUSED[i].name, "body_len, untouched", (int64_t)request.body_len, 4711);
    }
}

static const struct taken_row {
    const char *name;
    struct bytes text;
    enum method method;
    const char *path, *query;
    uint64_t body_len;
    bool keeps_alive, expects_continue;
} TAKEN[] = {
    {"plain", RAW(GET "\r\n"), METHOD_GET, "/", NULL, 0, true, false},
    {"close", RAW(GET "Connection: close\r\n\r\n"), METHOD_GET, "/", NULL, 0, false, false},
    {"HTTP/1.0", RAW("GET / HTTP/1.0\r\n\r\n"), METHOD_GET, "/", NULL, 0, false, false},
    {"HTTP/1.0 kept", RAW("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), METHOD_GET, "/", NULL, 0, true,
     false},
    {"a Host with an empty port", RAW("GET / HTTP/1.1\r\nHost: x_y.example:\r\n\r\n"), METHOD_GET, "/", NULL,
     0, true, false},
    {"an empty Host", RAW("GET / HTTP/1.1\r\nHost:\r\n\r\n"), METHOD_GET, "/", NULL, 0, true, false},
    {"an IPv6 Host", RAW("GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n"), METHOD_GET, "/", NULL, 0, true,
     false},
    {"HEAD", RAW("HEAD /clientes HTTP/1.1\r\n" HOST "\r\n"), METHOD_HEAD, "/clientes", NULL, 0, true, false},
    {"OPTIONS *", RAW("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), METHOD_OPTIONS, "*", NULL, 0, true, false},
    {"methods have capitals", RAW("get / HTTP/1.1\r\n" HOST "\r\n"), METHOD_OTHER, "/", NULL, 0, true, false},
    {"another method", RAW("DELETE /clientes HTTP/1.1\r\n" HOST "\r\n"), METHOD_OTHER, "/clientes", NULL, 0,
     true, false},
    {"half a method", RAW("GE / HTTP/1.1\r\n" HOST "\r\n"), METHOD_OTHER, "/", NULL, 0, true, false},
    {"a query", RAW("GET /a?b=c&d HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/a", "b=c&d", 0, true, false},
    {"an empty query", RAW("GET /a? HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/a", "", 0, true, false},
    {"two marks", RAW("GET /a?b?c HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/a", "b?c", 0, true, false},
    {"a trailing slash", RAW("GET /a/ HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/a", NULL, 0, true, false},
    {"a trailing slash and a query", RAW("GET /a/?b/ HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/a", "b/", 0,
     true, false},
    {"two slashes", RAW("GET // HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/", NULL, 0, true, false},
    {"escapes stay in the path", RAW("GET /%63lientes HTTP/1.1\r\n" HOST "\r\n"), METHOD_GET, "/%63lientes",
     NULL, 0, true, false},
    {"a body", RAW("POST /x HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\n"), METHOD_POST, "/x", NULL, 12,
     true, false},
    {"a length in blanks", RAW("POST /x HTTP/1.1\r\n" HOST "Content-Length:   12  \r\n\r\n"), METHOD_POST,
     "/x", NULL, 12, true, false},
    {"a long length", RAW("POST /x HTTP/1.1\r\n" HOST "content-length: 000000000000000012\r\n\r\n"),
     METHOD_POST, "/x", NULL, 12, true, false},
    {"a large length", RAW("POST /x HTTP/1.1\r\n" HOST "Content-Length: 999999999999999999\r\n\r\n"),
     METHOD_POST, "/x", NULL, 999999999999999999, true, false},
    {"a body to be waited for",
     RAW("POST /x HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"), METHOD_POST, "/x",
     NULL, 1, true, true},
    {"nothing to wait for", RAW("POST /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n"), METHOD_POST,
     "/x", NULL, 0, true, false},
    {"HTTP/1.0 does not wait", RAW("POST /x HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"),
     METHOD_POST, "/x", NULL, 1, false, false},
    {"a tab in front of the length", RAW("POST /x HTTP/1.1\r\n" HOST "Content-Length:\t12\r\n\r\n"),
     METHOD_POST, "/x", NULL, 12, true, false},
    {"a name that begins like another",
     RAW("POST /x HTTP/1.1\r\n" HOST "Transfer-Encodings: 1\r\nContent-Length: 12\r\n\r\n"), METHOD_POST,
     "/x", NULL, 12, true, false},
    {"an upgrade that is not taken", RAW(GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), METHOD_GET, "/",
     NULL, 0, true, false},
};

static void test_what_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TAKEN); i++) {
        const struct taken_row *row = &TAKEN[i];
        struct request request;
        const char *problem;
        if (!read_head(row->text, &request, &problem))
            fail_msg("%s: was refused for its %s", row->name, problem);
        check_int(row->name, "method", request.method, row->method);
        check_text_or_none(row->name, "path", request.path, row->path);
        check_text_or_none(row->name, "query", request.query, row->query);
        check_int(row->name, "body_len", (int64_t)request.body_len, (int64_t)row->body_len);
        check_int(row->name, "keeps_alive", request.keeps_alive, row->keeps_alive);
        check_int(row->name, "expects_continue", request.expects_continue, row->expects_continue);
        bool is_1_1 = memmem(row->text.data, row->text.len, "HTTP/1.1", 8) != NULL;
        check_int(row->name, "is_http_1_1", request.is_http_1_1, is_1_1);
    }
}

static void test_what_keeps_a_connection(void **state)
{
    static const struct {
        const char *fields;
        bool keeps_1_1, keeps_1_0;
    } rows[] = {
        {"", true, false},
        {"Connection: close\r\n", false, false},
        {"Connection: keep-alive\r\n", true, true},
        {"connection:CLOSE\r\n", false, false},
        {"CONNECTION:\tKeep-Alive \t\r\n", true, true},
        {"Connection: close, keep-alive\r\n", false, true},
        {"Connection: keep-alive\r\nConnection: close\r\n", false, true},
        {"Connection: close\r\nConnection:\r\n", false, false},
        {"Connection: Upgrade,close\r\n", false, false},
        {"Connection: Upgrade \t, \tkeep-alive\t,TE\r\n", true, true},
        {"Connection: ,,close,\r\n", false, false},
        {"Connection: keep, close\r\n", false, false},
        {"Connection: c, keep-alive\r\n", true, true},
        {"Connection: closed\r\n", true, false},
        {"Connection: clos\r\n", true, false},
        {"Connection: close keep-alive\r\n", true, false},
        {"Connection: \"close\"\r\n", true, false},
        {"Connection: keep-alive;q=1\r\n", true, false},
        {"Keep-Alive: timeout=5\r\n", true, false},
        {"Proxy-Connection: close\r\n", false, false},
        {"Proxy-Connection: keep-alive\r\n", true, true},
        {"X-Connection: close\r\nConnections: keep-alive\r\n", true, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int minor = 0; minor <= 1; minor++) {
            char head[256];
            struct request request;
            const char *problem;
            snprintf(head, sizeof head, "GET / HTTP/1.%d\r\n" HOST "%s\r\n", minor, rows[i].fields);
            if (!read_head(bytes_of(head), &request, &problem))
                fail_msg("%s: was refused for its %s", head, problem);
            check_int(head, "keeps_alive", request.keeps_alive,
                      minor == 1 ? rows[i].keeps_1_1 : rows[i].keeps_1_0);
        }
}

/* "one|other" of a field's lines; NULL: there is none. */
static void check_lines(const char *name, const char *what, const struct field_lines *lines,
                        const char *expected)
{
    struct buffer found = BUFFER_INIT;
    for (size_t i = 0; i < lines->count && i < FIELD_LINES_MAX; i++) {
        buffer_append_text(&found, i > 0 ? "|" : "");
        buffer_append(&found, lines->values[i].data, lines->values[i].len);
    }
    struct bytes text = {found.len > 0 ? found.data : "", found.len};
    check_text_or_none(name, what, lines->count > 0 ? text : (struct bytes){NULL, 0}, expected);
    buffer_clear(&found);
}

static void test_fields(void **state)
{
    static const struct bytes text = RAW(GET "authorization:Basic YTpi  \r\nACCEPT-ENCODING: gzip \t\r\n"
                                             "If-None-Match:\r\nX-Other: 1\r\nOrigin: null\r\n"
                                             "Access-Control-Request-Method: GET\r\n"
                                             "Access-Control-Request-Headers: a, b\r\n\r\n");
    static const struct bytes none = RAW(GET "\r\n");
    struct request request;
    const char *problem;
    (void)state;
    assert_true(read_head(text, &request, &problem));
    check_text_or_none("fields", "authorization", request.authorization, "Basic YTpi");
    check_lines("fields", "accept_encoding", &request.accept_encoding, "gzip");
    check_lines("fields", "if_none_match", &request.if_none_match, "");
    check_text_or_none("fields", "origin", request.origin, "null");
    check_text_or_none("fields", "wanted_method", request.wanted_method, "GET");
    check_lines("fields", "wanted_headers", &request.wanted_headers, "a, b");
    assert_true(read_head(none, &request, &problem));
    check_text_or_none("none", "authorization", request.authorization, NULL);
    check_lines("none", "accept_encoding", &request.accept_encoding, NULL);
    check_lines("none", "if_none_match", &request.if_none_match, NULL);
    check_text_or_none("none", "origin", request.origin, NULL);
    check_text_or_none("none", "wanted_method", request.wanted_method, NULL);
    check_lines("none", "wanted_headers", &request.wanted_headers, NULL);
}

/* Each line is kept as it came, in order, up to a number; above it they are counted. */
static void test_fields_in_several_lines(void **state)
{
    static const struct bytes two =
        RAW(GET "X-Forwarded-For: a, b\r\nAccept-Encoding: gzip;q=0\r\nIf-None-Match: \"a\"\r\n"
                "Access-Control-Request-Headers: a\r\nx-forwarded-for:\r\nX-Forwarded: c\r\n"
                "ACCEPT-ENCODING: *\r\nif-none-match: \"b\"\r\naccess-control-request-headers: b \r\n\r\n");
    char many[1024] = GET;
    struct request request;
    const char *problem;
    (void)state;
    assert_true(read_head(two, &request, &problem));
    check_lines("two", "forwarded", &request.forwarded, "a, b|");
    check_lines("two", "accept_encoding", &request.accept_encoding, "gzip;q=0|*");
    check_lines("two", "if_none_match", &request.if_none_match, "\"a\"|\"b\"");
    check_lines("two", "wanted_headers", &request.wanted_headers, "a|b");
    check_int("two", "encoding", negotiate_encoding(&request.accept_encoding), ENCODING_IDENTITY);
    for (int i = 0; i < FIELD_LINES_MAX + 2; i++)
        strcat(many, "Accept-Encoding: gzip\r\n");
    strcat(many, "\r\n");
    assert_true(read_head(bytes_of(many), &request, &problem));
    check_int("many", "count", (int64_t)request.accept_encoding.count, FIELD_LINES_MAX + 2);
    check_text_or_none("many", "the last one kept", request.accept_encoding.values[FIELD_LINES_MAX - 1],
                       "gzip");
    check_int("many", "encoding", negotiate_encoding(&request.accept_encoding), ENCODING_IDENTITY);
}

/* All Accept fields are one list; other fields are none of it. */
static void test_accept(void **state)
{
    static const struct {
        const char *name;
        struct bytes text;
        enum media expected;
    } rows[] = {
        {"none", RAW(GET "\r\n"), MEDIA_JSON},
        {"one", RAW(GET "Accept: text/csv\r\n\r\n"), MEDIA_CSV},
        {"in other letters", RAW(GET "aCCEPT:text/CSV \t\r\n\r\n"), MEDIA_CSV},
        {"empty", RAW(GET "Accept:\r\n\r\n"), MEDIA_JSON},
        {"two", RAW(GET "Accept: text/csv;q=0.5\r\nA: b\r\nAccept: application/msgpack;q=0.6\r\n\r\n"),
         MEDIA_MSGPACK},
        {"two the other way round",
         RAW(GET "Accept: application/msgpack;q=0.6\r\nA: b\r\nAccept: text/csv;q=0.5\r\n\r\n"),
         MEDIA_MSGPACK},
        {"one and an empty one", RAW(GET "Accept: text/csv\r\nAccept:\r\n\r\n"), MEDIA_CSV},
        {"another field", RAW(GET "Accept-Charset: text/csv\r\nX-Accept: text/csv\r\n\r\n"), MEDIA_JSON},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request request;
        const char *problem;
        assert_true(read_head(rows[i].text, &request, &problem));
        unsigned all = MEDIA_BIT(MEDIA_JSON) | MEDIA_BIT(MEDIA_MSGPACK) | MEDIA_BIT(MEDIA_CSV);
        check_int(rows[i].name, "media", negotiate_media(&request.accept, all), rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_are_found_in_any_steps),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_is_taken),
        cmocka_unit_test(test_what_keeps_a_connection),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_fields_in_several_lines),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests_name("api_request", tests, NULL, NULL);
}
