/* api/endpoints/router.c - the contract's checks up to 403, in their order, and OPTIONS. */
#include "api/endpoints/router.h"

#include "api/endpoints/endpoints.h"

#define TAKES_GET  "GET, HEAD, OPTIONS"
#define TAKES_POST "POST, OPTIONS"
#define TAKES_ALL  "GET, HEAD, POST, OPTIONS"

#define POINTER_TO(name) &(name),
static const struct endpoint *const ALL[] = {ENDPOINTS(POINTER_TO)};
#undef POINTER_TO

#define ALL_COUNT (sizeof ALL / sizeof ALL[0])

/* ---- Finding the endpoint */

/* Takes a slash and what follows it, up to the next slash. */
static struct bytes take_segment(struct bytes *rest)
{
    const char *slash = memchr(rest->data + 1, '/', rest->len - 1);
    struct bytes segment = {rest->data, slash != NULL ? (size_t)(slash - rest->data) : rest->len};
    *rest = (struct bytes){rest->data + segment.len, rest->len - segment.len};
    return segment;
}

bool router_path_matches(const char *pattern, struct bytes path, struct bytes *parameter)
{
    struct bytes wanted = bytes_of(pattern), found = {NULL, 0};
    while (wanted.len > 0 && path.len > 0) {
        struct bytes segment = take_segment(&wanted), given = take_segment(&path);
        bool is_parameter = segment.len > 1 && segment.data[1] == '{';
        if (is_parameter ? given.len == 1 : !bytes_equal(segment, given))
            return false;
        if (is_parameter)
            found = (struct bytes){given.data + 1, given.len - 1};
    }
    if (wanted.len > 0 || path.len > 0)
        return false;
    *parameter = found;
    return true;
}

const struct endpoint *router_find(struct bytes path, struct bytes *parameter)
{
    *parameter = (struct bytes){NULL, 0};
    for (size_t i = 0; i < ALL_COUNT; i++)
        if (bytes_is(path, ALL[i]->path))
            return ALL[i];
    for (size_t i = 0; i < ALL_COUNT; i++)
        if (router_path_matches(ALL[i]->path, path, parameter))
            return ALL[i];
    return NULL;
}

static bool takes_method(const struct endpoint *endpoint, enum method method)
{
    return method == endpoint->method || (method == METHOD_HEAD && endpoint->method == METHOD_GET);
}

/* As in Allow. `endpoint` NULL: the server as a whole. */
static const char *methods_of(const struct endpoint *endpoint)
{
    if (endpoint == NULL)
        return TAKES_ALL;
    return endpoint->method == METHOD_GET ? TAKES_GET : TAKES_POST;
}

/* ---- OPTIONS and 405 */

static void put_allow(const struct endpoint *endpoint, struct response *response)
{
    buffer_append_format(&response->headers, "Allow: %s\r\n", methods_of(endpoint));
}

/* All headers are allowed; those asked for are listed in one line. */
static void put_wanted_headers(const struct field_lines *wanted, struct response *response)
{
    size_t count = 0;
    if (!field_lines_are_whole(wanted))
        return;
    for (size_t i = 0; i < wanted->count; i++) {
        if (wanted->values[i].len == 0)
            continue;
        buffer_append_text(&response->headers, count++ > 0 ? ", " : "Access-Control-Allow-Headers: ");
        buffer_append(&response->headers, wanted->values[i].data, wanted->values[i].len);
    }
    if (count > 0)
        buffer_append_text(&response->headers, "\r\n");
}

/* A preflight is answered without credentials: browsers send none. */
static enum handler_verdict answer_options(const struct request *request, const struct endpoint *endpoint,
                                           struct response *response)
{
    response->status = 204;
    if (request->origin.data == NULL || request->wanted_method.data == NULL) {
        put_allow(endpoint, response);
        return HANDLER_ANSWERED;
    }
    buffer_append_format(&response->headers,
                         "Access-Control-Allow-Methods: %s\r\nAccess-Control-Max-Age: 600\r\n",
                         methods_of(endpoint));
    put_wanted_headers(&request->wanted_headers, response);
    return HANDLER_ANSWERED;
}

/* ---- Credentials */

/* Whether a user whose credentials are right may use the endpoint. */
static enum handler_verdict admit(const struct endpoint *endpoint, bool is_readonly,
                                  struct response *response)
{
    if (endpoint->access == ACCESS_FULL && is_readonly)
        return endpoint_fail(response, &ERROR_READONLY);
    return HANDLER_ADMITTED;
}

/* Credentials that were not recognised go to the verifier. */
static enum handler_verdict verify(const struct service *service, struct exchange *exchange,
                                   struct response *response)
{
    switch (auth_verify(service->auth, service->users, exchange)) {
    case VERIFIER_PENDING:
        return HANDLER_PENDING;
    case VERIFIER_THROTTLED:
        return endpoint_fail(response, &ERROR_THROTTLED);
    case VERIFIER_BUSY:
        break;
    }
    return endpoint_fail(response, &ERROR_OVERLOADED);
}

static enum handler_verdict check_credentials(const struct service *service, struct exchange *exchange,
                                              struct response *response)
{
    static const struct http_error *const errors[] = {[AUTH_MISSING] = &ERROR_NOT_AUTHENTICATED,
                                                      [AUTH_UNDECODABLE] = &ERROR_UNDECODABLE_CREDENTIALS,
                                                      [AUTH_WRONG] = &ERROR_WRONG_CREDENTIALS,
                                                      [AUTH_THROTTLED] = &ERROR_THROTTLED};
    bool is_readonly;
    enum auth_result result =
        auth_check(service->auth, service->users, exchange->request, exchange->peer, &is_readonly);
    if (result == AUTH_OK)
        return admit(exchange->endpoint, is_readonly, response);
    if (result == AUTH_UNVERIFIED)
        return verify(service, exchange, response);
    return endpoint_fail(response, errors[result]);
}

/* ---- The handler */

static enum handler_verdict check_request(void *context, struct exchange *exchange, struct response *response)
{
    const struct service *service = context;
    const struct request *request = exchange->request;
    const struct endpoint *endpoint = router_find(request->path, &exchange->path_parameter);
    if (endpoint == NULL && !bytes_is(request->path, "*"))
        return endpoint_fail(response, &ERROR_NOT_FOUND);
    if (request->method == METHOD_OPTIONS)
        return answer_options(request, endpoint, response);
    if (endpoint == NULL || !takes_method(endpoint, request->method)) {
        response_fail(response, &ERROR_METHOD);
        put_allow(endpoint, response);
        return HANDLER_ANSWERED;
    }
    exchange->endpoint = endpoint;
    if (endpoint->access == ACCESS_PUBLIC)
        return HANDLER_ADMITTED;
    return check_credentials(service, exchange, response);
}

static void prepare(const struct endpoint *endpoint, struct response *response)
{
    response->caching = endpoint->caching;
    response->content_type = endpoint->content_type;
}

static enum handler_verdict answer_request(void *context, struct exchange *exchange,
                                           struct response *response)
{
    struct service *service = context;
    const struct endpoint *endpoint = exchange->endpoint;
    service_look(service);
    prepare(endpoint, response);
    return endpoint->answer(service, exchange, response);
}

static enum handler_verdict resume_request(void *context, struct exchange *exchange, struct pending *pending,
                                           struct response *response)
{
    struct service *service = context;
    const struct endpoint *endpoint = exchange->endpoint;
    if (pending->error != NULL)
        return endpoint_fail(response, pending->error);
    if (!exchange->is_admitted)
        return admit(endpoint, pending_verification_of(pending)->is_readonly, response);
    service_look(service);
    prepare(endpoint, response);
    endpoint->finish(service, exchange, pending, response);
    return HANDLER_ANSWERED;
}

struct handler router_handler(struct service *service)
{
    return (struct handler){
        .context = service, .check = check_request, .answer = answer_request, .resume = resume_request};
}
