/* api/http/request.h - strict parsing of HTTP/1.x requests. Every ambiguity that proxies and servers are known to read
 * differently is refused: the answer is 400 and the connection is closed. Pure functions on bytes; any thread. */
#ifndef ECOSYS_API_HTTP_REQUEST_H
#define ECOSYS_API_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/http/field_lines.h"
#include "api/http/negotiation.h"
#include "common/base/bytes.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OPTIONS, METHOD_OTHER };

enum head_state {
    HEAD_INCOMPLETE,
    HEAD_COMPLETE,
    HEAD_REFUSED,
};

/* Looks for the end of the head in what has been received so far. *scanned is where to continue (0 at first). A bare CR
 * or LF, a control character or a folded line is refused as soon as it is seen. HEAD_COMPLETE: *head_len is the length
 * of the head, including the empty line. */
enum head_state request_scan_head(struct bytes received, size_t *scanned, size_t *head_len);

/* A parsed head; everything borrows from the head's bytes. Missing headers have no data. */
struct request {
    enum method method;
    bool is_http_1_1;
    bool keeps_alive;
    struct bytes path;  /* as received, without query; without a trailing slash, except for "/" */
    struct bytes query; /* after the '?'; no data if there is none */
    struct bytes authorization;
    struct accept accept; /* of all Accept fields */
    struct field_lines accept_encoding;
    struct field_lines if_none_match;
    struct bytes origin;
    struct field_lines forwarded;      /* X-Forwarded-For */
    struct bytes wanted_method;        /* Access-Control-Request-Method */
    struct field_lines wanted_headers; /* Access-Control-Request-Headers */
    bool expects_continue;
    uint64_t body_len; /* by Content-Length; chunked bodies are refused */
};

/* Parses a head that request_scan_head found complete. False: not clean HTTP; *problem says why, for the log, and *out
 * is untouched. */
bool request_parse_head(struct bytes head, struct request *out, const char **problem);

#endif
