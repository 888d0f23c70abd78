/* api/endpoints/routes.c - the table of endpoints; checks in the contract's order; the handlers. */
#include "api/endpoints/routes.h"

#include <inttypes.h>

#include "api/endpoints/health.h"
#include "api/http/etag.h"
#include "api/http/negotiation.h"
#include "api/http/parameters.h"
#include "common/base/json.h"
#include "common/domain/date.h"

/* Who may use a route. */
enum access {
    ACCESS_PUBLIC, /* anybody, without credentials */
    ACCESS_READ,   /* every user */
    ACCESS_FULL,   /* users who may do more than read; others get 403 */
};

struct route {
    const char *path;
    enum method method; /* METHOD_GET also takes HEAD */
    enum access access;
    const char *methods; /* as in Allow */
    /* Like routes_answer. */
    bool (*answer)(const struct exchange *exchange, struct wait *wait, struct reply *reply);
};

/* What answers may be written as. */
#define OBJECTS (MEDIA_BIT(MEDIA_JSON) | MEDIA_BIT(MEDIA_MSGPACK))
#define TABLES  MEDIA_BIT(MEDIA_CSV)

static bool answer_root(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    (void)exchange;
    (void)wait;
    reply->content_type = JSON_TYPE;
    reply->body = bytes_of("{\"message\":\"API de Gestão de Clientes está no ar!\"}");
    return true;
}

static bool answer_health(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    (void)wait;
    health_answer(exchange, reply);
    return true;
}

/* A bound of the filter; an empty value means none. */
static bool read_bound(const struct request *request, const char *name, int32_t *day)
{
    struct buffer value = BUFFER_INIT;
    bool is_given = parameter_find(request, name, &value) && value.len > 0;
    bool is_good = !is_given || day_parse(buffer_bytes(&value), day);
    buffer_clear(&value);
    return is_good;
}

static bool read_filter(const struct request *request, struct date_filter *out, struct reply *reply)
{
    *out = DATE_FILTER_ALL;
    if (!read_bound(request, "data_adesao_inicio", &out->first_day))
        reply_error(reply, ERROR_INICIO);
    else if (!read_bound(request, "data_adesao_fim", &out->last_day))
        reply_error(reply, ERROR_FIM);
    else if (out->first_day > out->last_day)
        reply_error(reply, ERROR_RANGE);
    else
        return true;
    return false;
}

/* A download is named after the path. */
static void put_file_name(const struct exchange *exchange, const char *extension, struct reply *reply)
{
    struct bytes path = exchange->request->path;
    buffer_append_format(&reply->headers, "Content-Disposition: attachment; filename=\"%.*s.%s\"\r\n",
                         (int)path.len - 1, path.data + 1, extension);
}

/* Takes a finished body and sets its headers; a client that already has it gets no body. */
static void put_body(const struct exchange *exchange, struct origin origin, struct body *take_body,
                     enum source source, struct reply *reply)
{
    static const char *const sources[] = {[SOURCE_CACHE] = "\r\nX-Cache: HIT\r\n",
                                          [SOURCE_BUCKET] = "\r\nX-Cache: BLOB\r\n",
                                          [SOURCE_COMPUTED] = "\r\nX-Cache: COMPUTE\r\n"};
    const struct media_row *media = media_row(take_body->media);
    bool is_known = etag_matches(&exchange->request->if_none_match, take_body->etag);
    reply->status = is_known ? 304 : 200;
    reply->shared = take_body;
    reply->body = (struct bytes){take_body->data, take_body->len};
    reply->is_data = true;
    buffer_append_text(&reply->headers, "Age: ");
    buffer_append_uint(&reply->headers, (uint64_t)health_age_s(exchange, origin.taken_at_ms));
    buffer_append_text(&reply->headers, "\r\nX-Generation: ");
    buffer_append_uint(&reply->headers, origin.generation);
    buffer_append_text(&reply->headers, sources[source]);
    if (media->extension != NULL && !is_known)
        put_file_name(exchange, media->extension, reply);
}

/* Looks an answer up, or has it made. */
static bool answer_key(const struct exchange *exchange, struct answer_key *key, struct pool *pool,
                       struct wait *wait, struct reply *reply)
{
    struct body *body;
    key->encoding = negotiate_encoding(&exchange->request->accept_encoding);
    switch (answers_get(exchange->generation, key, pool, wait, &body)) {
    case ANSWERS_WAITING:
        return false;
    case ANSWERS_READY:
        put_body(exchange, generation_origin(exchange->generation), body, SOURCE_CACHE, reply);
        return true;
    case ANSWERS_BUSY:
        break;
    }
    reply_error(reply, ERROR_OVERLOADED);
    return true;
}

/* Answers with a document made for a filter; `key` holds document and media type. */
static bool answer_document(const struct exchange *exchange, struct answer_key *key, struct wait *wait,
                            struct reply *reply)
{
    if (!read_filter(exchange->request, &key->filter, reply))
        return true;
    if (!health_can_serve(exchange)) {
        reply_error(reply, ERROR_NO_DATA);
        return true;
    }
    if (!date_filter_is_open(key->filter))
        asked_add(exchange->asked, key->filter);
    return answer_key(exchange, key, exchange->makers, wait, reply);
}

/* False: *problem is `malformed`, or ERROR_NO_TENANT for a number larger than any id. */
static bool parse_id(struct bytes text, enum reply_error malformed, uint64_t *out, enum reply_error *problem)
{
    bool has_digits_only = true, is_zero = true;
    for (size_t i = 0; i < text.len; i++) {
        has_digits_only = has_digits_only && text.data[i] >= '0' && text.data[i] <= '9';
        is_zero = is_zero && text.data[i] == '0';
    }
    *problem = has_digits_only && !is_zero ? ERROR_NO_TENANT : malformed;
    return !is_zero && bytes_parse_uint(text, UINT64_MAX, out);
}

/* {"tenant_id": "1"} or {"tenant_id": 1}, as the Python service took it. */
static bool read_tenant_in_body(struct bytes body, uint64_t *out, enum reply_error *problem)
{
    const struct json *document, *member = NULL;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    *problem = ERROR_BODY;
    if (json_parse(&arena, body, &document, &err) == STATUS_OK && document->type == JSON_OBJECT) {
        member = json_member(document, "tenant_id");
        *problem = member != NULL ? ERROR_TENANT_IN_BODY : ERROR_TENANT_MISSING;
    }
    bool is_good = member != NULL && (member->type == JSON_TEXT || member->type == JSON_NUMBER) &&
                   parse_id(member->text, ERROR_TENANT_IN_BODY, out, problem);
    arena_clear(&arena);
    return is_good;
}

static bool read_tenant(const struct exchange *exchange, uint64_t *out, enum reply_error *problem)
{
    struct buffer value = BUFFER_INIT;
    bool is_in_query = parameter_find(exchange->request, "tenant_id", &value) && value.len > 0;
    *problem = ERROR_TENANT_MISSING;
    bool is_good = is_in_query && parse_id(buffer_bytes(&value), ERROR_TENANT_IN_QUERY, out, problem);
    buffer_clear(&value);
    if (!is_in_query && exchange->body.len > 0)
        return read_tenant_in_body(exchange->body, out, problem);
    return is_good;
}

static bool answer_logins(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    struct answer_key key = {.document = DOCUMENT_LOGINS,
                             .filter = DATE_FILTER_ALL,
                             .media = negotiate_media(&exchange->request->accept, OBJECTS)};
    enum reply_error problem;
    if (!read_tenant(exchange, &key.tenant_id, &problem))
        reply_error(reply, problem);
    else if (exchange->generation != NULL && !generation_has_tenant(exchange->generation, key.tenant_id))
        reply_error(reply, ERROR_NO_TENANT); /* even a generation too old to be served knows that */
    else if (!health_can_serve(exchange))
        reply_error(reply, ERROR_NO_DATA);
    else
        return answer_key(exchange, &key, exchange->fetchers, wait, reply);
    return true;
}

static bool answer_dashboard(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    struct answer_key key = {.document = DOCUMENT_DASHBOARD,
                             .media = negotiate_media(&exchange->request->accept, OBJECTS)};
    return answer_document(exchange, &key, wait, reply);
}

/* A value of `formato`: which document it stands for, and what that may be written as. */
struct formato {
    const char *word; /* "": none was given; NULL: the end of a list */
    enum document document;
    unsigned offered; /* of MEDIA_BIT */
};

static const struct formato *find_formato(const struct formato *formatos, const struct request *request)
{
    struct buffer word = BUFFER_INIT;
    (void)parameter_find(request, "formato", &word); /* empty when there is none */
    while (formatos->word != NULL && !bytes_is(buffer_bytes(&word), formatos->word))
        formatos++;
    buffer_clear(&word);
    return formatos->word != NULL ? formatos : NULL;
}

/* Answers with the document that `formato` selects; `problem` is for a value that is not among them. */
static bool answer_formato(const struct exchange *exchange, const struct formato *formatos,
                           enum reply_error problem, struct wait *wait, struct reply *reply)
{
    const struct formato *formato = find_formato(formatos, exchange->request);
    if (formato == NULL) {
        reply_error(reply, problem);
        return true;
    }
    struct answer_key key = {.document = formato->document,
                             .media = negotiate_media(&exchange->request->accept, formato->offered)};
    if (key.media == MEDIA_CSV && key.document == DOCUMENT_HEALTH_DETALHADO)
        key.document = DOCUMENT_HEALTH_PLANO; /* the one shape that is a table */
    return answer_document(exchange, &key, wait, reply);
}

static bool answer_clientes(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    static const struct formato formatos[] = {
        {"", DOCUMENT_CLIENTES, OBJECTS | TABLES}, {"csv", DOCUMENT_CLIENTES, TABLES}, {NULL, 0, 0}};
    return answer_formato(exchange, formatos, ERROR_FORMATO_CLIENTES, wait, reply);
}

static bool answer_health_scores(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    bool is_detalhado = exchange->settings->health_format == HEALTH_FORMAT_DETALHADO;
    const struct formato formatos[] = {
        {"", is_detalhado ? DOCUMENT_HEALTH_DETALHADO : DOCUMENT_HEALTH_PLANO, OBJECTS | TABLES},
        {"plano", DOCUMENT_HEALTH_PLANO, OBJECTS | TABLES},
        {"detalhado", DOCUMENT_HEALTH_DETALHADO, OBJECTS},
        {"csv", DOCUMENT_HEALTH_PLANO, TABLES},
        {NULL, 0, 0}};
    return answer_formato(exchange, formatos, ERROR_FORMATO_HEALTH_SCORES, wait, reply);
}

static bool answer_cache_clear(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    struct buffer value = BUFFER_INIT;
    bool is_given = parameter_find(exchange->request, "wait", &value) && value.len > 0;
    bool is_false = is_given && bytes_is_in_any_case(buffer_bytes(&value), "false");
    bool is_good = !is_given || is_false || bytes_is_in_any_case(buffer_bytes(&value), "true");
    buffer_clear(&value);
    if (!is_good) {
        reply_error(reply, ERROR_WAIT);
        return true;
    }
    wait->kind = WAIT_REFRESH;
    wait->refresh.accepted_is_enough = is_false;
    follower_ask(exchange->follower, wait);
    return false;
}

static void put_refresh(const struct wait_refresh *refresh, struct reply *reply)
{
    reply->content_type = JSON_TYPE;
    reply->status = refresh->accepted_is_enough ? 202 : 200;
    if (refresh->accepted_is_enough)
        buffer_append_text(&reply->text, "{\"status\":\"accepted\",\"message\":\"Atualização solicitada.\"}");
    else
        buffer_append_format(
            &reply->text,
            "{\"status\":\"success\",\"message\":\"Dados recalculados.\",\"generation\":%" PRIu64
            ",\"duration_ms\":%" PRId64 "}",
            refresh->generation, refresh->duration_ms);
    reply->body = buffer_bytes(&reply->text);
}

void routes_finish(const struct exchange *exchange, struct wait *wait, struct reply *reply)
{
    if (wait->has_failed) {
        reply_error(reply, wait->error);
    } else if (wait->kind == WAIT_REFRESH) {
        put_refresh(&wait->refresh, reply);
    } else {
        put_body(exchange, wait->origin, wait->body, wait->source, reply);
        wait->body = NULL;
    }
}

#define TAKES_GET  "GET, HEAD, OPTIONS"
#define TAKES_POST "POST, OPTIONS"

static const struct route ROUTES[] = {
    {"/", METHOD_GET, ACCESS_PUBLIC, TAKES_GET, answer_root},
    {"/health", METHOD_GET, ACCESS_PUBLIC, TAKES_GET, answer_health},
    {"/clientes", METHOD_GET, ACCESS_READ, TAKES_GET, answer_clientes},
    {"/health-scores", METHOD_GET, ACCESS_READ, TAKES_GET, answer_health_scores},
    {"/dashboard", METHOD_GET, ACCESS_READ, TAKES_GET, answer_dashboard},
    {"/logins", METHOD_GET, ACCESS_READ, TAKES_GET, answer_logins},
    {"/cache/clear", METHOD_POST, ACCESS_FULL, TAKES_POST, answer_cache_clear},
};

/* "OPTIONS *": the server as a whole. */
static const struct route ANY_ROUTE = {"*", METHOD_OPTIONS, ACCESS_PUBLIC, "GET, HEAD, POST, OPTIONS", NULL};

#define ROUTES_COUNT (sizeof ROUTES / sizeof ROUTES[0])

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

static void put_allow(const struct route *route, struct reply *reply)
{
    buffer_append_format(&reply->headers, "Allow: %s\r\n", route->methods);
}

/* All headers are allowed; those asked for are listed in one line. */
static void put_wanted_headers(const struct field_lines *wanted, struct reply *reply)
{
    size_t count = 0;
    if (!field_lines_are_whole(wanted))
        return;
    for (size_t i = 0; i < wanted->count; i++) {
        if (wanted->values[i].len == 0)
            continue;
        buffer_append_text(&reply->headers, count++ > 0 ? ", " : "Access-Control-Allow-Headers: ");
        buffer_append(&reply->headers, wanted->values[i].data, wanted->values[i].len);
    }
    if (count > 0)
        buffer_append_text(&reply->headers, "\r\n");
}

/* A preflight is answered without credentials: browsers send none. */
static void answer_options(const struct request *request, const struct route *route, struct reply *reply)
{
    reply->status = 204;
    if (request->origin.data == NULL || request->wanted_method.data == NULL) {
        put_allow(route, reply);
        return;
    }
    buffer_append_format(&reply->headers,
                         "Access-Control-Allow-Methods: %s\r\nAccess-Control-Max-Age: 600\r\n",
                         route->methods);
    put_wanted_headers(&request->wanted_headers, reply);
}

enum routes_check routes_admit(const struct route *route, bool is_readonly, struct reply *reply)
{
    if (route->access != ACCESS_FULL || !is_readonly)
        return CHECK_PASSED;
    reply_error(reply, ERROR_READONLY);
    return CHECK_ANSWERED;
}

static enum routes_check check_credentials(const struct exchange *exchange, const struct route *route,
                                           struct reply *reply)
{
    static const enum reply_error errors[] = {[AUTH_MISSING] = ERROR_NOT_AUTHENTICATED,
                                              [AUTH_UNDECODABLE] = ERROR_UNDECODABLE_CREDENTIALS,
                                              [AUTH_WRONG] = ERROR_WRONG_CREDENTIALS,
                                              [AUTH_THROTTLED] = ERROR_THROTTLED};
    bool is_readonly;
    enum auth_result result =
        auth_check(exchange->auth, exchange->users, exchange->request, exchange->peer, &is_readonly);
    if (result == AUTH_OK)
        return routes_admit(route, is_readonly, reply);
    if (result == AUTH_UNVERIFIED)
        return CHECK_UNVERIFIED;
    reply_error(reply, errors[result]);
    return CHECK_ANSWERED;
}

enum routes_check routes_check(const struct exchange *exchange, const struct route **route,
                               struct reply *reply)
{
    const struct request *request = exchange->request;
    *route = bytes_is(request->path, "*") ? &ANY_ROUTE : find_route(request->path);
    if (*route == NULL) {
        reply_error(reply, ERROR_NOT_FOUND);
        return CHECK_ANSWERED;
    }
    if (request->method == METHOD_OPTIONS) {
        answer_options(request, *route, reply);
        return CHECK_ANSWERED;
    }
    if (!takes_method(*route, request->method)) {
        reply_error(reply, ERROR_METHOD);
        put_allow(*route, reply);
        return CHECK_ANSWERED;
    }
    return (*route)->access == ACCESS_PUBLIC ? CHECK_PASSED : check_credentials(exchange, *route, reply);
}

bool routes_answer(const struct exchange *exchange, const struct route *route, struct wait *wait,
                   struct reply *reply)
{
    return route->answer(exchange, wait, reply);
}
