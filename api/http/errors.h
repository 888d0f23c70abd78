/* api/http/errors.h - what an error answer says: status, document and headers. Here are those that any request may
 * meet; what only one endpoint says is in that endpoint's file. Texts that the Python service had are kept; others are
 * Portuguese. They never name a host or quote a store's message. Constants; any thread. */
#ifndef ECOSYS_API_HTTP_ERRORS_H
#define ECOSYS_API_HTTP_ERRORS_H

#include <stddef.h>

struct http_error {
    int status;
    const char *body;    /* JSON */
    const char *headers; /* finished lines "Name: value\r\n"; NULL: none */
};

/* The document of an error, and of a 422. `place` is query, body or path. */
#define ERROR_DETAIL(message) "{\"detail\":\"" message "\"}"
#define ERROR_INVALID(place, name, message, type)                                                            \
    "{\"detail\":[{\"loc\":[\"" place "\",\"" name "\"],\"msg\":\"" message "\",\"type\":\"" type "\"}]}"
#define ERROR_RETRY_AFTER "Retry-After: 5\r\n"

extern const struct http_error ERROR_BAD_REQUEST;
extern const struct http_error ERROR_NOT_FOUND;
extern const struct http_error ERROR_METHOD;
extern const struct http_error ERROR_NOT_AUTHENTICATED;
extern const struct http_error ERROR_UNDECODABLE_CREDENTIALS;
extern const struct http_error ERROR_WRONG_CREDENTIALS;
extern const struct http_error ERROR_THROTTLED;
extern const struct http_error ERROR_READONLY;
extern const struct http_error ERROR_BODY_TOO_LARGE;
extern const struct http_error ERROR_INTERNAL;
extern const struct http_error ERROR_NO_DATA;
extern const struct http_error ERROR_OVERLOADED;

#endif
