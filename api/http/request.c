/* api/http/request.c - scanning a head, its request line, its fields. */
#include "api/http/request.h"

#include <string.h>

#define LENGTH_DIGITS_MAX 18 /* of Content-Length, leading zeros included */

static bool is_control(unsigned char c)
{
    return (c < ' ' && c != '\t') || c == 0x7f;
}

enum head_state request_scan_head(struct bytes received, size_t *scanned, size_t *head_len)
{
    size_t at = *scanned;
    for (; at < received.len; at++) {
        unsigned char c = (unsigned char)received.data[at];
        if (c == '\r') {
            if (at + 1 == received.len)
                break;
            if (received.data[at + 1] != '\n')
                return HEAD_REFUSED;
            continue;
        }
        if (c == '\n') {
            if (at == 0 || received.data[at - 1] != '\r')
                return HEAD_REFUSED;
            if (at >= 3 && received.data[at - 2] == '\n') {
                *head_len = at + 1;
                return HEAD_COMPLETE;
            }
            continue;
        }
        bool begins_line = at > 0 && received.data[at - 1] == '\n';
        if (is_control(c) || (begins_line && (c == ' ' || c == '\t')))
            return HEAD_REFUSED;
    }
    *scanned = at;
    return HEAD_INCOMPLETE;
}

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static enum method method_of(struct bytes text)
{
    static const char *const names[] = {
        [METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST", [METHOD_OPTIONS] = "OPTIONS"};
    for (enum method method = METHOD_GET; method < METHOD_OTHER; method++)
        if (bytes_is(text, names[method]))
            return method;
    return METHOD_OTHER;
}

/* Only what a target may contain, so no blanks, quotes or bytes above ASCII; and no encoded NUL. */
static bool is_clean_target(struct bytes target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.data[i];
        if (c <= ' ' || c >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>' || c == '\\')
            return false;
        if (c == '%' && target.len - i > 2 && target.data[i + 1] == '0' && target.data[i + 2] == '0')
            return false;
    }
    return target.len > 0;
}

static void split_target(struct bytes target, struct request *out)
{
    const char *mark = memchr(target.data, '?', target.len);
    out->path = (struct bytes){target.data, mark != NULL ? (size_t)(mark - target.data) : target.len};
    if (mark != NULL)
        out->query = (struct bytes){mark + 1, target.len - out->path.len - 1};
    if (out->path.len > 1 && out->path.data[out->path.len - 1] == '/')
        out->path.len--;
}

/* "METHOD SP TARGET SP HTTP/1.x", single blanks, origin form (or "*" for OPTIONS). */
static bool parse_request_line(struct bytes line, struct request *out, const char **problem)
{
    static const char version[] = " HTTP/1.";
    size_t method_len = 0;
    while (method_len < line.len && is_token(line.data[method_len]))
        method_len++;
    size_t tail_len = sizeof version; /* the version's last digit in place of the NUL */
    if (method_len == 0 || method_len == line.len || line.data[method_len] != ' ' ||
        line.len < method_len + 2 + tail_len) {
        *problem = "request line";
        return false;
    }
    const char *tail = line.data + line.len - tail_len;
    char minor = line.data[line.len - 1];
    if (memcmp(tail, version, tail_len - 1) != 0 || (minor != '0' && minor != '1')) {
        *problem = "HTTP version";
        return false;
    }
    struct bytes target = {line.data + method_len + 1, line.len - method_len - 1 - tail_len};
    out->method = method_of((struct bytes){line.data, method_len});
    out->is_http_1_1 = minor == '1';
    bool is_asterisk = bytes_is(target, "*") && out->method == METHOD_OPTIONS;
    if (!is_clean_target(target) || (target.data[0] != '/' && !is_asterisk)) {
        *problem = "request target";
        return false;
    }
    split_target(target, out);
    return true;
}

/* What the fields say beyond the request, and how often those came that may come only once. */
struct field_reader {
    struct request *request;
    struct bytes name;
    unsigned hosts, content_lengths, transfer_encodings, authorizations;
    struct bytes host, content_length, expect;
    bool lists_close, lists_keep_alive;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct bytes without_blanks(struct bytes text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = (struct bytes){text.data + 1, text.len - 1};
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* A field that may come only once, or of which the last one counts. */
static void set_single(struct field_reader *reader, struct bytes value)
{
    struct request *request = reader->request;
    struct bytes ignored;
    const struct {
        const char *name;
        struct bytes *value;
        unsigned *count; /* for those that may come only once */
    } fields[] = {
        {"Host", &reader->host, &reader->hosts},
        {"Content-Length", &reader->content_length, &reader->content_lengths},
        {"Transfer-Encoding", &ignored, &reader->transfer_encodings},
        {"Authorization", &request->authorization, &reader->authorizations},
        {"Origin", &request->origin, NULL},
        {"Access-Control-Request-Method", &request->wanted_method, NULL},
        {"Expect", &reader->expect, NULL},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!bytes_is_in_any_case(reader->name, fields[i].name))
            continue;
        *fields[i].value = value;
        if (fields[i].count != NULL)
            (*fields[i].count)++;
    }
}

/* What a Connection field lists. */
static void add_options(struct field_reader *reader, struct bytes list)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.data) : list.len, skip = len + (comma != NULL);
        struct bytes option = without_blanks((struct bytes){list.data, len});
        reader->lists_close = reader->lists_close || bytes_is_in_any_case(option, "close");
        reader->lists_keep_alive = reader->lists_keep_alive || bytes_is_in_any_case(option, "keep-alive");
        list = (struct bytes){list.data + skip, list.len - skip};
    }
}

/* A field whose lines are one list. */
static void add_to_list(struct field_reader *reader, struct bytes value)
{
    struct request *request = reader->request;
    const struct {
        const char *name;
        struct field_lines *lines;
    } fields[] = {
        {"Accept-Encoding", &request->accept_encoding},
        {"If-None-Match", &request->if_none_match},
        {"X-Forwarded-For", &request->forwarded},
        {"Access-Control-Request-Headers", &request->wanted_headers},
    };
    if (bytes_is_in_any_case(reader->name, "Accept"))
        accept_add(&request->accept, value);
    /* No standard has Proxy-Connection, but clients that send it mean the same. */
    if (bytes_is_in_any_case(reader->name, "Connection") ||
        bytes_is_in_any_case(reader->name, "Proxy-Connection"))
        add_options(reader, value);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (bytes_is_in_any_case(reader->name, fields[i].name))
            field_lines_add(fields[i].lines, value);
}

/* A field line (RFC 9112, 5): a token, a colon right behind it, and a value that blanks may surround. */
static bool read_field(struct field_reader *reader, struct bytes line)
{
    size_t name_len = 0;
    while (name_len < line.len && is_token(line.data[name_len]))
        name_len++;
    if (name_len == 0 || name_len == line.len || line.data[name_len] != ':')
        return false;
    reader->name = (struct bytes){line.data, name_len};
    struct bytes value = without_blanks((struct bytes){line.data + name_len + 1, line.len - name_len - 1});
    set_single(reader, value);
    add_to_list(reader, value);
    return true;
}

/* Each line ends in CR LF, and an empty one is the last: request_scan_head saw to that, and to clean values. */
static bool read_fields(struct field_reader *reader, struct bytes fields)
{
    while (fields.data[0] != '\r') {
        size_t len = (size_t)((const char *)memchr(fields.data, '\r', fields.len) - fields.data);
        if (!read_field(reader, (struct bytes){fields.data, len}))
            return false;
        fields = (struct bytes){fields.data + len + 2, fields.len - len - 2};
    }
    return true;
}

static bool holds_only(struct bytes text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(set, text.data[i]) == NULL)
            return false;
    return true;
}

/* A name or an address, IPv6 in brackets, and a port (RFC 9112, 3.2); empty is fine. */
static bool is_clean_host(struct bytes host)
{
    static const char digits[] = "0123456789", of_ipv6[] = "0123456789abcdefABCDEF:.",
                      of_name[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "-._~%!$&'()*+;=";
    if (host.len == 0)
        return true;
    size_t skip = host.data[0] == '['; /* a bracket on either side */
    const char *end = memchr(host.data, skip > 0 ? ']' : ':', host.len);
    if (skip > 0 && end == NULL)
        return false;
    size_t len = end != NULL ? (size_t)(end - host.data) : host.len;
    struct bytes name = {host.data + skip, len - skip},
                 port = {host.data + len + skip, host.len - len - skip};
    bool has_port = port.len > 0;
    if (has_port && port.data[0] != ':')
        return false;
    return holds_only(name, skip > 0 ? of_ipv6 : of_name) &&
           (!has_port || holds_only((struct bytes){port.data + 1, port.len - 1}, digits));
}

/* Many parsers know only spaces behind a Content-Length, and some cut a tab off. `value` lies in the head, so a CR
 * follows. */
static bool is_followed_by_tab(struct bytes value)
{
    const char *behind = value.data + value.len;
    while (*behind == ' ')
        behind++;
    return *behind == '\t';
}

/* Refuses what RFC 9112 lets a server refuse: above all anything that leaves the end of a body open to debate. */
static const char *check_fields(const struct field_reader *reader, struct request *out)
{
    if (reader->hosts > 1 || (reader->hosts == 0 && out->is_http_1_1) || !is_clean_host(reader->host))
        return "Host";
    if (reader->transfer_encodings > 0)
        return "Transfer-Encoding, which is not taken";
    if (reader->content_lengths > 1)
        return "more than one Content-Length";
    if (reader->content_lengths == 1 &&
        (reader->content_length.len > LENGTH_DIGITS_MAX || is_followed_by_tab(reader->content_length) ||
         !bytes_parse_uint(reader->content_length, INT64_MAX, &out->body_len)))
        return "Content-Length";
    if (reader->authorizations > 1)
        return "more than one Authorization";
    out->keeps_alive = out->is_http_1_1 ? !reader->lists_close : reader->lists_keep_alive;
    out->expects_continue =
        out->is_http_1_1 && out->body_len > 0 && bytes_is_in_any_case(reader->expect, "100-continue");
    return NULL;
}

bool request_parse_head(struct bytes head, struct request *out, const char **problem)
{
    struct request request = {.method = METHOD_OTHER};
    struct field_reader reader = {.request = &request};
    const char *line_end = memchr(head.data, '\r', head.len);
    struct bytes line = {head.data, line_end != NULL ? (size_t)(line_end - head.data) : head.len};
    struct bytes fields = {head.data + line.len + 2, head.len - line.len - 2};
    if (!parse_request_line(line, &request, problem))
        return false;
    *problem = "header fields";
    if (!read_fields(&reader, fields))
        return false;
    *problem = check_fields(&reader, &request);
    if (*problem != NULL)
        return false;
    *out = request;
    return true;
}
