/* api/routes.c - the table of endpoints; checks in the contract's order; the handlers. */
#include "api/routes.h"

#include <inttypes.h>

#include "api/health.h"

struct route {
    const char *path;
    enum method method; /* METHOD_GET also takes HEAD */
    bool needs_auth;
    const char *allow;
    void (*answer)(const struct exchange *exchange, struct reply *reply);
};

static void answer_root(const struct exchange *exchange, struct reply *reply)
{
    (void)exchange;
    reply->content_type = JSON_TYPE;
    reply->body = bytes_of("{\"message\":\"API de Gestão de Clientes está no ar!\"}");
}

/* An empty value is no bound. */
static bool has_filter(const struct request *request)
{
    static const char *const names[] = {"data_adesao_inicio", "data_adesao_fim"};
    struct buffer value = BUFFER_INIT;
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        found = found || (request_parameter(request, names[i], &value) && value.len > 0);
    buffer_clear(&value);
    return found;
}

static void answer_document(const struct exchange *exchange, enum document document, struct reply *reply)
{
    if (has_filter(exchange->request)) {
        reply_error(reply, ERROR_FILTER_UNAVAILABLE);
        return;
    }
    if (!health_can_serve(exchange)) {
        reply_error(reply, ERROR_NO_DATA);
        return;
    }
    reply->generation = generation_ref(exchange->generation);
    reply->content_type = JSON_TYPE;
    reply->body = generation_unfiltered(exchange->generation, document);
    reply->is_data = true;
    buffer_append_format(&reply->headers, "Age: %" PRId64 "\r\nX-Generation: %" PRIu64 "\r\nX-Cache: HIT\r\n",
                         health_age_s(exchange), exchange->generation->manifest.generation);
}

static void answer_clientes(const struct exchange *exchange, struct reply *reply)
{
    answer_document(exchange, DOCUMENT_CLIENTES, reply);
}

static void answer_dashboard(const struct exchange *exchange, struct reply *reply)
{
    answer_document(exchange, DOCUMENT_DASHBOARD, reply);
}

static void answer_health_scores(const struct exchange *exchange, struct reply *reply)
{
    enum document document = exchange->settings->health_format == HEALTH_FORMAT_DETALHADO
                                 ? DOCUMENT_HEALTH_DETALHADO
                                 : DOCUMENT_HEALTH_PLANO;
    struct buffer formato = BUFFER_INIT;
    bool is_known = true;
    if (request_parameter(exchange->request, "formato", &formato) && formato.len > 0) {
        bool is_detalhado = bytes_is(buffer_bytes(&formato), "detalhado");
        is_known = is_detalhado || bytes_is(buffer_bytes(&formato), "plano");
        document = is_detalhado ? DOCUMENT_HEALTH_DETALHADO : DOCUMENT_HEALTH_PLANO;
    }
    buffer_clear(&formato);
    if (is_known)
        answer_document(exchange, document, reply);
    else
        reply_error(reply, ERROR_FORMATO);
}

#define ALLOW_GET "Allow: GET, HEAD, OPTIONS\r\n"

static const struct route ROUTES[] = {
    {"/", METHOD_GET, false, ALLOW_GET, answer_root},
    {"/health", METHOD_GET, false, ALLOW_GET, health_answer},
    {"/clientes", METHOD_GET, true, ALLOW_GET, answer_clientes},
    {"/health-scores", METHOD_GET, true, ALLOW_GET, answer_health_scores},
    {"/dashboard", METHOD_GET, true, ALLOW_GET, answer_dashboard},
};

#define ROUTES_COUNT (sizeof ROUTES / sizeof ROUTES[0])

struct route_shown routes_row(size_t index)
{
    if (index >= ROUTES_COUNT)
        return (struct route_shown){.path = NULL};
    const struct route *route = &ROUTES[index];
    return (struct route_shown){route->path, route->method == METHOD_GET, route->method == METHOD_POST,
                                route->needs_auth};
}

static const struct route *find_route(struct bytes path)
{
    for (size_t i = 0; i < ROUTES_COUNT; i++)
        if (bytes_is(path, ROUTES[i].path))
            return &ROUTES[i];
    return NULL;
}

static bool takes_method(const struct route *route, enum method method)
{
    return method == route->method || (method == METHOD_HEAD && route->method == METHOD_GET);
}

/* A preflight is answered without credentials: browsers send none. */
static void answer_options(const struct request *request, const struct route *route, struct reply *reply)
{
    reply->status = 204;
    if (request->origin.data == NULL || request->wanted_method.data == NULL) {
        buffer_append_text(&reply->headers, route->allow);
        return;
    }
    buffer_append_format(&reply->headers,
                         "Access-Control-Allow-Methods: %s\r\nAccess-Control-Max-Age: 600\r\n",
                         "GET, HEAD, POST, OPTIONS");
    if (request->wanted_headers.len > 0)
        buffer_append_format(&reply->headers, "Access-Control-Allow-Headers: %.*s\r\n",
                             (int)request->wanted_headers.len, request->wanted_headers.data);
}

static bool refuse_credentials(const struct exchange *exchange, struct reply *reply)
{
    switch (auth_check(exchange->auth, exchange->request->authorization)) {
    case AUTH_OK:
        return false;
    case AUTH_MISSING:
        reply_error(reply, ERROR_NOT_AUTHENTICATED);
        return true;
    case AUTH_UNDECODABLE:
        reply_error(reply, ERROR_UNDECODABLE_CREDENTIALS);
        return true;
    case AUTH_WRONG:
        break;
    }
    reply_error(reply, ERROR_WRONG_CREDENTIALS);
    return true;
}

bool routes_check(const struct exchange *exchange, const struct route **route, struct reply *reply)
{
    const struct request *request = exchange->request;
    *route = find_route(request->path);
    if (*route == NULL) {
        reply_error(reply, ERROR_NOT_FOUND);
        return true;
    }
    if (request->method == METHOD_OPTIONS) {
        answer_options(request, *route, reply);
        return true;
    }
    if (!takes_method(*route, request->method)) {
        reply_error(reply, ERROR_METHOD);
        buffer_append_text(&reply->headers, (*route)->allow);
        return true;
    }
    return (*route)->needs_auth && refuse_credentials(exchange, reply);
}

void routes_answer(const struct exchange *exchange, const struct route *route, struct reply *reply)
{
    route->answer(exchange, reply);
}

/* True when `origin` is in the comma-separated list. */
static bool lists_origin(const char *list, struct bytes origin)
{
    while (*list != '\0') {
        list += strspn(list, " ,");
        struct bytes item = {list, strcspn(list, " ,")};
        if (item.len > 0 && bytes_equal(item, origin))
            return true;
        list += item.len;
    }
    return false;
}

void routes_append_cors(const struct settings *settings, const struct request *request, struct buffer *out)
{
    bool is_open = strcmp(settings->cors_allow_origins, "*") == 0;
    struct bytes origin = request != NULL ? request->origin : (struct bytes){NULL, 0};
    if (is_open)
        buffer_append_text(out, "Access-Control-Allow-Origin: *\r\n");
    else if (origin.data != NULL && lists_origin(settings->cors_allow_origins, origin))
        buffer_append_format(out, "Access-Control-Allow-Origin: %.*s\r\n", (int)origin.len, origin.data);
    buffer_append_text(out, "Access-Control-Expose-Headers: ETag, Age, X-Cache, X-Generation\r\n");
    if (!is_open)
        buffer_append_text(out, "Vary: Origin\r\n");
}
