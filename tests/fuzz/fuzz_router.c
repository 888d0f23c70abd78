/* tests/fuzz/fuzz_router.c - whole requests, a head and what is behind it as its body, through the checks and every
 * endpoint, with no generation to serve. Whatever is asked, the answer is one of the contract's, its body is JSON
 * and none of its header lines holds a line end that was the client's. */
#include <string.h>

#include "api/endpoints/router.h"
#include "api/http/response.h"
#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"

/* In every run alike: nothing of one input is to matter for the next. */
struct gate {
    struct auth auth;
    struct users *users;
    struct arena arena;
};

static void open_gate(struct gate *gate, const struct settings *settings)
{
    struct error err;
    arena_init(&gate->arena);
    MUST_HOLD(auth_init(&gate->auth, &gate->arena, settings, &err) == STATUS_OK);
    MUST_HOLD(auth_load_users(&gate->auth, settings, NULL, &gate->users, &err) == STATUS_OK);
}

static void close_gate(struct gate *gate)
{
    users_unref(gate->users);
    auth_clear(&gate->auth);
    arena_clear(&gate->arena);
}

static void check_status(const struct response *response)
{
    static const int known[] = {200, 204, 401, 403, 404, 405, 422, 503};
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        is_known = is_known || response->status == known[i];
    MUST_HOLD(is_known);
}

/* "Name: value\r\n", again and again. */
static void check_header_lines(struct bytes lines)
{
    while (lines.len > 0) {
        const char *end = memchr(lines.data, '\r', lines.len);
        MUST_HOLD(end != NULL);
        struct bytes line = {lines.data, (size_t)(end - lines.data)};
        MUST_HOLD(line.len + 2 <= lines.len && end[1] == '\n');
        const char *colon = memchr(line.data, ':', line.len);
        MUST_HOLD(colon != NULL && colon > line.data && colon[1] == ' ');
        for (size_t i = 0; i < line.len; i++)
            MUST_HOLD((unsigned char)line.data[i] >= ' ' || line.data[i] == '\t');
        lines = (struct bytes){end + 2, lines.len - line.len - 2};
    }
}

static void check_body(const struct response *response)
{
    const struct json *document;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    MUST_HOLD(response->body.len == 0 || json_parse(&arena, response->body, &document, &err) == STATUS_OK);
    MUST_HOLD(response->status == 204 || response->body.len > 0);
    arena_clear(&arena);
}

static void check_cors(const struct request *request)
{
    static const char *const lists[] = {"*", "https://a.example", "https://a.example, https://b.example",
                                        "https://a.example,*"};
    struct settings settings = {0};
    struct buffer lines = BUFFER_INIT;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        settings.cors_allow_origins = lists[i];
        response_append_cors(&settings, request, &lines);
    }
    check_header_lines(buffer_bytes(&lines));
    buffer_clear(&lines);
}

static void answer_exchange(struct service *service, struct exchange *exchange)
{
    struct handler handler = router_handler(service);
    struct response response;
    response_init(&response);
    enum handler_verdict verdict = handler.check(handler.context, exchange, &response);
    MUST_HOLD(verdict != HANDLER_PENDING); /* nobody has a hash */
    bool needs_follower = bytes_is(exchange->request->path, "/cache/clear");
    if (verdict == HANDLER_ADMITTED && !needs_follower)
        verdict = handler.answer(handler.context, exchange, &response);
    if (verdict == HANDLER_ANSWERED) {
        check_status(&response);
        check_body(&response);
        check_header_lines(buffer_bytes(&response.headers));
    }
    response_clear(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct settings settings = {.cors_allow_origins = "*",
                                             .environment = "production",
                                             .upstash_url = "",
                                             .upstash_token = "",
                                             .basic_auth_users = "demo:demo,leo:leo",
                                             .basic_auth_readonly = "leo",
                                             .trusted_proxies = "",
                                             .cache_max_stale_s = 60};
    struct bytes received = {(const char *)data, size};
    struct request request;
    const char *problem;
    size_t scanned = 0, len;
    if (request_scan_head(received, &scanned, &len) != HEAD_COMPLETE ||
        !request_parse_head((struct bytes){received.data, len}, &request, &problem))
        return 0;
    static const struct address peer = {{0}};
    struct gate gate;
    struct current current;
    open_gate(&gate, &settings);
    current_init(&current);
    struct service service = {
        .settings = &settings, .auth = &gate.auth, .users = gate.users, .current = &current};
    struct exchange exchange = {
        .request = &request, .body = {received.data + len, received.len - len}, .peer = &peer};
    answer_exchange(&service, &exchange);
    check_cors(&request);
    current_clear(&current);
    close_gate(&gate);
    return 0;
}
