/* tests/unit/test_api_router.c - which endpoint a path belongs to, the checks in the contract's order, and what an
 * endpoint's own table row makes of a response. No generation, no follower. */
#include <stdio.h>
#include <string.h>

#include "api/endpoints/endpoints.h"
#include "api/endpoints/router.h"
#include "tests/unit/support.h"

#define DEMO  "Basic ZGVtbzpkZW1v" /* demo:demo */
#define LEO   "Basic bGVvOmxlbw==" /* leo:leo, who may only read */
#define WRONG "Basic ZGVtbzpvdGhlcg=="

static void test_paths_and_patterns(void **state)
{
    static const struct {
        const char *pattern, *path;
        const char *parameter; /* NULL: none; "-": the path does not match */
    } rows[] = {
        {"/", "/", NULL},
        {"/clientes", "/clientes", NULL},
        {"/clientes", "/cliente", "-"},
        {"/clientes", "/clientess", "-"},
        {"/clientes", "/clientes/1", "-"},
        {"/clientes", "/clientes/", "-"},
        {"/clientes", "/", "-"},
        {"/clientes", "", "-"},
        {"/a/{id}", "/a/7", "7"},
        {"/a/{id}", "/a/x%20y", "x%20y"},
        {"/a/{id}", "/a/{id}", "{id}"},
        {"/a/{id}", "/a", "-"},
        {"/a/{id}", "/a/", "-"},
        {"/a/{id}", "/a//", "-"},
        {"/a/{id}", "/a/7/8", "-"},
        {"/a/{id}", "/a/7/", "-"},
        {"/a/{id}", "/b/7", "-"},
        {"/a/{id}/c", "/a/7/c", "7"},
        {"/a/{id}/c", "/a//c", "-"},
        {"/a/{id}/c", "/a/7", "-"},
        {"/a/{id}/c", "/a/7/d", "-"},
        {"/{id}", "/7", "7"},
        {"/{id}", "/", "-"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes parameter = bytes_of("untouched");
        bool matches = router_path_matches(rows[i].pattern, bytes_of(rows[i].path), &parameter);
        const char *expected = rows[i].parameter;
        bool is_right = expected == NULL             ? matches && parameter.data == NULL
                        : strcmp(expected, "-") == 0 ? !matches && bytes_is(parameter, "untouched")
                                                     : matches && bytes_is(parameter, expected);
        if (!is_right)
            fail_msg("%s against %s: %d, parameter \"%.*s\"", rows[i].path, rows[i].pattern, matches,
                     (int)parameter.len, parameter.data != NULL ? parameter.data : "");
    }
}

static void test_every_endpoint_is_found_by_its_path(void **state)
{
#define ROW(name) {#name, &(name)},
    static const struct {
        const char *name;
        const struct endpoint *endpoint;
    } rows[] = {ENDPOINTS(ROW)};
#undef ROW
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct endpoint *endpoint = rows[i].endpoint;
        struct bytes parameter;
        if (router_find(bytes_of(endpoint->path), &parameter) != endpoint)
            fail_msg("%s is not found at %s", rows[i].name, endpoint->path);
        if (endpoint->answer == NULL || endpoint->path[0] != '/')
            fail_msg("%s: its row is not whole", rows[i].name);
    }
}

/* Users without hashes, and nothing to serve. */
struct bench {
    struct settings settings;
    struct arena arena;
    struct auth auth;
    struct current current;
    struct service service;
    struct response response;
};

static void setup(struct bench *bench)
{
    struct error err;
    *bench = (struct bench){.settings = {.basic_auth_users = "demo:demo,leo:leo",
                                         .basic_auth_readonly = "leo",
                                         .trusted_proxies = "",
                                         .upstash_url = "",
                                         .upstash_token = "",
                                         .environment = "production",
                                         .cache_max_stale_s = 60}};
    arena_init(&bench->arena);
    current_init(&bench->current);
    bench->service =
        (struct service){.settings = &bench->settings, .auth = &bench->auth, .current = &bench->current};
    if (auth_init(&bench->auth, &bench->arena, &bench->settings, &err) != STATUS_OK ||
        auth_load_users(&bench->auth, &bench->settings, NULL, &bench->service.users, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    response_init(&bench->response);
}

static void teardown(struct bench *bench)
{
    response_clear(&bench->response);
    users_unref(bench->service.users);
    auth_clear(&bench->auth);
    current_clear(&bench->current);
    arena_clear(&bench->arena);
}

/* Parses "METHOD TARGET" with an Authorization field, or none if it is NULL, and checks it. */
static enum handler_verdict check(struct bench *bench, const char *line, const char *authorization,
                                  const char *more)
{
    static const struct address peer = {{0}};
    char head[512];
    struct request request;
    const char *problem;
    int len = snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: a\r\n%s%s%s%s\r\n", line,
                       authorization != NULL ? "Authorization: " : "",
                       authorization != NULL ? authorization : "", authorization != NULL ? "\r\n" : "", more);
    if (!request_parse_head((struct bytes){head, (size_t)len}, &request, &problem))
        fail_msg("%s: %s", line, problem);
    struct exchange exchange = {.request = &request, .peer = &peer};
    struct handler handler = router_handler(&bench->service);
    response_clear(&bench->response);
    enum handler_verdict verdict = handler.check(handler.context, &exchange, &bench->response);
    if (verdict == HANDLER_ADMITTED && exchange.endpoint != &ENDPOINT_CACHE_CLEAR)
        verdict = handler.answer(handler.context, &exchange, &bench->response);
    return verdict;
}

static void test_checks_in_their_order(void **state)
{
    static const struct {
        const char *line, *authorization;
        int status; /* 0: admitted */
    } rows[] = {
        {"GET /", NULL, 200},
        {"HEAD /", NULL, 200},
        {"GET /health", NULL, 503},
        {"GET /nowhere", NULL, 404}, /* 404 before 401 and 405 */
        {"DELETE /nowhere", NULL, 404},
        {"POST /clientes", NULL, 405}, /* 405 before 401 */
        {"DELETE /cache/clear", WRONG, 405},
        {"GET /cache/clear", LEO, 405},
        {"HEAD /cache/clear", DEMO, 405},
        {"GET /clientes", NULL, 401},
        {"GET /clientes?data_adesao_inicio=x", WRONG, 401}, /* 401 before 422 */
        {"GET /clientes", "Basic !", 401},
        {"GET /clientes", "Bearer x", 401},
        {"POST /cache/clear?wait=x", LEO, 403}, /* 403 before 422 */
        {"POST /cache/clear", DEMO, 0},
        {"GET /clientes?formato=x&data_adesao_inicio=x", DEMO, 422},
        {"GET /health-scores?formato=lista&data_adesao_fim=2024-02-30", LEO, 422},
        {"GET /dashboard?formato=x", DEMO, 503}, /* it has no formato */
        {"GET /dashboard?data_adesao_inicio=2024-01-02&data_adesao_fim=2024-01-01", DEMO, 422},
        {"GET /clientes", DEMO, 503}, /* nothing to serve */
        {"GET /logins", DEMO, 422},
        {"GET /logins?tenant_id=0", DEMO, 422},
        {"GET /logins?tenant_id=1", LEO, 503},
        {"OPTIONS *", NULL, 204},
        {"OPTIONS /clientes", NULL, 204},
        {"OPTIONS /nowhere", NULL, 404},
    };
    struct bench bench;
    (void)state;
    setup(&bench);
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum handler_verdict verdict = check(&bench, rows[i].line, rows[i].authorization, "");
        int status = verdict == HANDLER_ADMITTED ? 0 : bench.response.status;
        if (verdict == HANDLER_PENDING || status != rows[i].status)
            fail_msg("%s: %d, expected %d", rows[i].line, status, rows[i].status);
    }
    teardown(&bench);
}

static bool has_line(const struct response *response, const char *line)
{
    return response->headers.len > 0 &&
           memmem(response->headers.data, response->headers.len, line, strlen(line)) != NULL;
}

static void test_methods_are_told(void **state)
{
    static const char preflight[] = "Origin: http://a\r\nAccess-Control-Request-Method: GET\r\n"
                                    "Access-Control-Request-Headers: X-A\r\n"
                                    "Access-Control-Request-Headers: X-B\r\n";
    static const struct {
        const char *line, *more, *header;
    } rows[] = {
        {"OPTIONS *", "", "Allow: GET, HEAD, POST, OPTIONS\r\n"},
        {"OPTIONS /clientes", "", "Allow: GET, HEAD, OPTIONS\r\n"},
        {"OPTIONS /cache/clear", "Origin: http://a\r\n", "Allow: POST, OPTIONS\r\n"},
        {"DELETE /clientes", "", "Allow: GET, HEAD, OPTIONS\r\n"},
        {"GET /cache/clear", "", "Allow: POST, OPTIONS\r\n"},
        {"OPTIONS /clientes", preflight, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"},
        {"OPTIONS /cache/clear", preflight, "Access-Control-Allow-Methods: POST, OPTIONS\r\n"},
        {"OPTIONS /clientes", preflight, "Access-Control-Allow-Headers: X-A, X-B\r\n"},
        {"OPTIONS /clientes", preflight, "Access-Control-Max-Age: 600\r\n"},
    };
    struct bench bench;
    (void)state;
    setup(&bench);
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)check(&bench, rows[i].line, NULL, rows[i].more);
        if (!has_line(&bench.response, rows[i].header))
            fail_msg("%s has no %s", rows[i].line, rows[i].header);
    }
    teardown(&bench);
}

/* The row's caching and content type are for what succeeds; an error is never kept. */
static void test_caching_is_for_success(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench);
    (void)check(&bench, "GET /", NULL, "");
    assert_int_equal(bench.response.caching, CACHING_NO_STORE);
    assert_string_equal(bench.response.content_type, JSON_TYPE);
    (void)check(&bench, "GET /clientes", DEMO, "");
    assert_int_equal(bench.response.status, 503);
    assert_int_equal(bench.response.caching, CACHING_NO_STORE);
    assert_int_equal(ENDPOINT_CLIENTES.caching, CACHING_PRIVATE);
    teardown(&bench);
}

static void test_what_was_pending(void **state)
{
    static const struct http_error error = {422, ERROR_DETAIL("x"), NULL};
    struct bench bench;
    (void)state;
    setup(&bench);
    struct handler handler = router_handler(&bench.service);
    struct pending_verification verified = {.is_readonly = true};
    struct exchange exchange = {.endpoint = &ENDPOINT_CLIENTES};
    assert_int_equal(handler.resume(handler.context, &exchange, &verified.pending, &bench.response),
                     HANDLER_ADMITTED);
    exchange.endpoint = &ENDPOINT_CACHE_CLEAR;
    assert_int_equal(handler.resume(handler.context, &exchange, &verified.pending, &bench.response),
                     HANDLER_ANSWERED);
    assert_int_equal(bench.response.status, 403);
    verified.is_readonly = false;
    assert_int_equal(handler.resume(handler.context, &exchange, &verified.pending, &bench.response),
                     HANDLER_ADMITTED);
    verified.pending.error = &error;
    assert_int_equal(handler.resume(handler.context, &exchange, &verified.pending, &bench.response),
                     HANDLER_ANSWERED);
    assert_int_equal(bench.response.status, 422);
    teardown(&bench);
}

static void test_outcomes_of_cache_clear(void **state)
{
    static const struct {
        const char *name;
        struct ticket ticket;
        int status;
        const char *body;
    } rows[] = {
        {"done",
         {.outcome = TICKET_DONE, .generation = 7, .duration_ms = 12},
         200,
         "{\"status\":\"success\",\"message\":\"Dados recalculados.\",\"generation\":7,\"duration_ms\":12}"},
        {"accepted",
         {.outcome = TICKET_DONE, .accepted_is_enough = true},
         202,
         "{\"status\":\"accepted\",\"message\":\"Atualização solicitada.\"}"},
        {"failed",
         {.outcome = TICKET_FAILED},
         502,
         "{\"detail\":\"A atualização falhou; os dados anteriores continuam no ar.\"}"},
        {"no worker",
         {.outcome = TICKET_NO_WORKER},
         503,
         "{\"detail\":\"O serviço de atualização não está disponível.\"}"},
        {"timed out",
         {.outcome = TICKET_TIMED_OUT},
         504,
         "{\"detail\":\"A atualização não terminou a tempo; os dados anteriores continuam no ar.\"}"},
    };
    struct bench bench;
    (void)state;
    setup(&bench);
    struct handler handler = router_handler(&bench.service);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exchange exchange = {.endpoint = &ENDPOINT_CACHE_CLEAR, .is_admitted = true};
        struct ticket ticket = rows[i].ticket;
        response_clear(&bench.response);
        assert_int_equal(handler.resume(handler.context, &exchange, &ticket.pending, &bench.response),
                         HANDLER_ANSWERED);
        if (bench.response.status != rows[i].status || !bytes_is(bench.response.body, rows[i].body))
            fail_msg("%s: %d %.*s", rows[i].name, bench.response.status, (int)bench.response.body.len,
                     bench.response.body.data);
        assert_int_equal(has_line(&bench.response, "Retry-After: 5\r\n"), rows[i].status == 503);
    }
    teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_and_patterns),
        cmocka_unit_test(test_every_endpoint_is_found_by_its_path),
        cmocka_unit_test(test_checks_in_their_order),
        cmocka_unit_test(test_methods_are_told),
        cmocka_unit_test(test_caching_is_for_success),
        cmocka_unit_test(test_what_was_pending),
        cmocka_unit_test(test_outcomes_of_cache_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
