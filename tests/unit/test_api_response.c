/* tests/unit/test_api_response.c - an answer's bytes, each branch of them; what is copied, what is referred to and what
 * goes to the socket at once; what is freed when memory is out; the errors that any request may meet. */
#include "tests/unit/http_support.h"

#include <event2/buffer.h>
#include <fcntl.h>

#include "api/http/response.h"
#include "common/base/json.h"

#define DATE     "Sun, 06 Nov 1994 08:49:37 GMT"
#define NO_STORE "Cache-Control: no-store\r\n"
#define OPEN_CORS                                                                                            \
    "Access-Control-Allow-Origin: *\r\n"                                                                     \
    "Access-Control-Expose-Headers: ETag, Age, X-Cache, X-Generation\r\n"
#define EXPOSED "Access-Control-Expose-Headers: ETag, Age, X-Cache, X-Generation\r\nVary: Origin\r\n"

/* ---- Memory that is out */

static enum fault { FAULT_NONE, FAULT_MALLOC, FAULT_REALLOC, FAULT_ADD, FAULT_REFERENCE } fault;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __real_evbuffer_add(struct evbuffer *buffer, const void *data, size_t len);
int __wrap_evbuffer_add(struct evbuffer *buffer, const void *data, size_t len);
int __real_evbuffer_add_reference(struct evbuffer *buffer, const void *data, size_t len,
                                  evbuffer_ref_cleanup_cb release, void *context);
int __wrap_evbuffer_add_reference(struct evbuffer *buffer, const void *data, size_t len,
                                  evbuffer_ref_cleanup_cb release, void *context);

void *__wrap_malloc(size_t size)
{
    return fault == FAULT_MALLOC ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fault == FAULT_REALLOC ? NULL : __real_realloc(old, size);
}

int __wrap_evbuffer_add(struct evbuffer *buffer, const void *data, size_t len)
{
    return fault == FAULT_ADD ? -1 : __real_evbuffer_add(buffer, data, len);
}

int __wrap_evbuffer_add_reference(struct evbuffer *buffer, const void *data, size_t len,
                                  evbuffer_ref_cleanup_cb release, void *context)
{
    return fault == FAULT_REFERENCE ? -1 : __real_evbuffer_add_reference(buffer, data, len, release, context);
}

/* ---- What the tests share */

static struct settings settings;
static struct request request;
static struct response_context context;
static struct response response;
static struct evbuffer *output;
static char large[100000];

static int set_up(void **state)
{
    (void)state;
    fault = FAULT_NONE;
    settings = http_settings();
    request = (struct request){.is_http_1_1 = true, .keeps_alive = true};
    context = (struct response_context){.settings = &settings, .request = &request, .date = DATE};
    response_init(&response);
    memset(large, 'x', sizeof large);
    output = evbuffer_new();
    return output == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    evbuffer_free(output);
    return 0;
}

static void assert_is_empty(void)
{
    assert_int_equal(response.status, 200);
    assert_null(response.content_type);
    assert_int_equal(response.body.len, 0);
    assert_null(response.text.data);
    assert_null(response.headers.data);
    assert_null(response.representation);
    assert_int_equal(response.caching, CACHING_NO_STORE);
}

/* Appends and returns whether the body was copied. */
static bool append(void)
{
    bool is_copied = false;
    assert_true(response_append(output, -1, &context, &response, &is_copied));
    assert_is_empty();
    return is_copied;
}

static void expect_output(const char *name, const char *expected)
{
    size_t len = evbuffer_get_length(output);
    const char *found = (const char *)evbuffer_pullup(output, -1);
    if (len != strlen(expected) || memcmp(found, expected, len) != 0)
        fail_msg("%s: \"%.*s\", expected \"%s\"", name, (int)len, found, expected);
    evbuffer_drain(output, len);
}

static void set_text(const char *text)
{
    response.content_type = "text/plain";
    buffer_append_text(&response.text, text);
    response.body = buffer_bytes(&response.text);
}

/* Of JSON, as long as the text. */
static struct representation *make_representation(const char *text, size_t len)
{
    struct buffer content = BUFFER_INIT;
    struct representation *out;
    struct error err;
    buffer_append(&content, text, len);
    assert_int_equal(representation_new(&content, MEDIA_JSON, ENCODING_IDENTITY, &out, &err), STATUS_OK);
    return out;
}

static void set_representation(struct representation *take_representation)
{
    response.representation = take_representation;
    response.body = (struct bytes){take_representation->data, take_representation->len};
}

/* ---- Heads */

static const struct {
    const char *name;
    int status;
    const char *content_type;
    const char *text;
    const char *header;
    enum caching caching;
    bool is_for_head, closes, is_http_1_0, has_no_request;
    const char *expected;
} HEADS[] = {
    {.name = "body",
     .status = 200,
     .content_type = "text/plain",
     .text = "hello",
     .expected = "HTTP/1.1 200 OK\r\nDate: " DATE
                 "\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n" NO_STORE OPEN_CORS "\r\nhello"},
    {.name = "no body",
     .status = 200,
     .expected = "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS "\r\n"},
    {.name = "header",
     .status = 202,
     .header = "X: y\r\n",
     .expected = "HTTP/1.1 202 Accepted\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS
                 "X: y\r\n\r\n"},
    {.name = "HEAD",
     .status = 200,
     .content_type = "text/plain",
     .text = "hello",
     .is_for_head = true,
     .expected = "HTTP/1.1 200 OK\r\nDate: " DATE
                 "\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n" NO_STORE OPEN_CORS "\r\n"},
    {.name = "204",
     .status = 204,
     .content_type = "text/plain",
     .text = "hello",
     .expected = "HTTP/1.1 204 No Content\r\nDate: " DATE "\r\n" NO_STORE OPEN_CORS "\r\n"},
    {.name = "304 of its own",
     .status = 304,
     .content_type = "text/plain",
     .text = "hello",
     .expected = "HTTP/1.1 304 Not Modified\r\nDate: " DATE
                 "\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n" NO_STORE OPEN_CORS "\r\n"},
    {.name = "private",
     .status = 200,
     .caching = CACHING_PRIVATE,
     .expected =
         "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\nCache-Control: private, no-cache\r\n"
         "Vary: Accept-Encoding, Accept\r\n" OPEN_CORS "\r\n"},
    {.name = "immutable",
     .status = 200,
     .caching = CACHING_IMMUTABLE,
     .expected =
         "HTTP/1.1 200 OK\r\nDate: " DATE
         "\r\nContent-Length: 0\r\nCache-Control: public, max-age=31536000, immutable\r\n" OPEN_CORS "\r\n"},
    {.name = "closes",
     .status = 200,
     .closes = true,
     .expected = "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS
                 "Connection: close\r\n\r\n"},
    {.name = "1.0 stays open",
     .status = 200,
     .is_http_1_0 = true,
     .expected = "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS
                 "Connection: keep-alive\r\n\r\n"},
    {.name = "1.0 closes",
     .status = 200,
     .is_http_1_0 = true,
     .closes = true,
     .expected = "HTTP/1.1 200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS
                 "Connection: close\r\n\r\n"},
    {.name = "no request could be read",
     .status = 400,
     .has_no_request = true,
     .closes = true,
     .expected = "HTTP/1.1 400 Bad Request\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS
                 "Connection: close\r\n\r\n"},
    {.name = "none of the usual statuses",
     .status = 299,
     .expected = "HTTP/1.1 299 Status\r\nDate: " DATE "\r\nContent-Length: 0\r\n" NO_STORE OPEN_CORS "\r\n"},
};

static void test_heads(void **state)
{
    for (size_t i = 0; i < COUNT(HEADS); i++) {
        set_up(state);
        if (HEADS[i].text != NULL)
            set_text(HEADS[i].text);
        response.content_type = HEADS[i].content_type;
        response.status = HEADS[i].status;
        response.caching = HEADS[i].caching;
        if (HEADS[i].header != NULL)
            buffer_append_text(&response.headers, HEADS[i].header);
        request.is_http_1_1 = !HEADS[i].is_http_1_0;
        context.request = HEADS[i].has_no_request ? NULL : &request;
        context.is_for_head = HEADS[i].is_for_head;
        context.closes = HEADS[i].closes;
        assert_true(append());
        expect_output(HEADS[i].name, HEADS[i].expected);
        tear_down(state);
    }
}

static void test_reasons(void **state)
{
    static const struct {
        int status;
        const char *line;
    } rows[] = {
        {200, "HTTP/1.1 200 OK\r\n"},
        {202, "HTTP/1.1 202 Accepted\r\n"},
        {204, "HTTP/1.1 204 No Content\r\n"},
        {304, "HTTP/1.1 304 Not Modified\r\n"},
        {400, "HTTP/1.1 400 Bad Request\r\n"},
        {401, "HTTP/1.1 401 Unauthorized\r\n"},
        {403, "HTTP/1.1 403 Forbidden\r\n"},
        {404, "HTTP/1.1 404 Not Found\r\n"},
        {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
        {413, "HTTP/1.1 413 Content Too Large\r\n"},
        {422, "HTTP/1.1 422 Unprocessable Content\r\n"},
        {500, "HTTP/1.1 500 Internal Server Error\r\n"},
        {502, "HTTP/1.1 502 Bad Gateway\r\n"},
        {503, "HTTP/1.1 503 Service Unavailable\r\n"},
        {504, "HTTP/1.1 504 Gateway Timeout\r\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char found[64] = "";
        set_up(state);
        response.status = rows[i].status;
        assert_true(append());
        evbuffer_copyout(output, found, strlen(rows[i].line));
        assert_string_equal(found, rows[i].line);
        tear_down(state);
    }
}

static void test_cors(void **state)
{
    static const struct {
        const char *name;
        const char *allowed;
        const char *origin; /* NULL: none */
        const char *expected;
    } rows[] = {
        {"open", "*", "https://a.example", OPEN_CORS},
        {"open, no origin", "*", NULL, OPEN_CORS},
        {"listed", "https://b.example,https://a.example", "https://a.example",
         "Access-Control-Allow-Origin: https://a.example\r\n" EXPOSED},
        {"not listed", "https://b.example", "https://a.example", EXPOSED},
        {"no origin", "https://b.example", NULL, EXPOSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer found = BUFFER_INIT;
        settings.cors_allow_origins = rows[i].allowed;
        request.origin = rows[i].origin != NULL ? bytes_of(rows[i].origin) : (struct bytes){NULL, 0};
        response_append_cors(&settings, &request, &found);
        buffer_append_char(&found, '\0');
        if (strcmp(found.data, rows[i].expected) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, found.data, rows[i].expected);
        buffer_clear(&found);
    }
    struct buffer found = BUFFER_INIT;
    response_append_cors(&settings, NULL, &found);
    assert_int_equal(found.len, strlen(EXPOSED));
    buffer_clear(&found);
}

/* ---- Bodies */

static void test_representation(void **state)
{
    static const struct {
        const char *name;
        int status;
        bool is_for_head;
        const char *expected; /* before and after what the representation says */
        const char *body;
    } rows[] = {
        {"200", 200, false, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n", "[1]"},
        {"HEAD", 200, true, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n", ""},
        {"304", 304, false, "HTTP/1.1 304 Not Modified\r\nDate: " DATE "\r\n", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[1024];
        set_up(state);
        struct representation *representation = make_representation("[1]", 3);
        snprintf(expected, sizeof expected,
                 "%s%.*s%s%s%sCache-Control: private, no-cache\r\n"
                 "Vary: Accept-Encoding, Accept\r\n" OPEN_CORS "\r\n%s",
                 rows[i].expected, rows[i].status == 304 ? 0 : (int)representation->head_len,
                 representation->head, rows[i].status == 304 ? "ETag: " : "",
                 rows[i].status == 304 ? representation->etag : "", rows[i].status == 304 ? "\r\n" : "",
                 rows[i].body);
        set_representation(representation);
        response.status = rows[i].status;
        response.caching = CACHING_PRIVATE;
        context.is_for_head = rows[i].is_for_head;
        assert_true(append());
        expect_output(rows[i].name, expected);
        tear_down(state);
    }
}

/* The last bytes of the output are that body. */
static void expect_body(const void *body, size_t len)
{
    size_t all_len = evbuffer_get_length(output);
    const unsigned char *all = evbuffer_pullup(output, -1);
    assert_true(all_len > len);
    assert_memory_equal(all + all_len - len, body, len);
}

static void test_copied_up_to_a_kilobyte(void **state)
{
    (void)state;
    response.body = (struct bytes){large, 1024};
    assert_true(append());
    expect_body(large, 1024);
    response.body = (struct bytes){large, 1025};
    assert_false(append());
    expect_body(large, 1025);
    response.body = (struct bytes){large, 1025};
    context.is_for_head = true; /* nothing is left of it */
    assert_true(append());
}

/* Whoever owns a body that is referred to, it lives until it was sent. */
static void test_owned_bodies(void **state)
{
    (void)state;
    buffer_append(&response.text, large, sizeof large);
    response.body = buffer_bytes(&response.text);
    assert_false(append());
    expect_body(large, sizeof large);
    struct representation *shared = make_representation(large, sizeof large);
    set_representation(representation_ref(shared));
    assert_false(append());
    assert_int_equal(atomic_load(&shared->references), 2);
    expect_body(large, sizeof large);
    evbuffer_drain(output, evbuffer_get_length(output));
    assert_int_equal(atomic_load(&shared->references), 1);
    representation_unref(shared);
}

/* ---- No memory */

static void test_no_memory(void **state)
{
    static const struct {
        const char *name;
        enum fault fault;
        bool is_large, is_static;
    } rows[] = {
        {"head", FAULT_REALLOC, false, false},
        {"head of a large one", FAULT_REALLOC, true, false},
        {"short", FAULT_ADD, false, false},
        {"head of a body by reference", FAULT_ADD, true, false},
        {"owner of the body", FAULT_MALLOC, true, false},
        {"reference", FAULT_REFERENCE, true, false},
        {"static reference", FAULT_REFERENCE, true, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_copied;
        set_up(state);
        if (!rows[i].is_static)
            buffer_append(&response.text, large, rows[i].is_large ? sizeof large : 10);
        response.body =
            rows[i].is_static ? (struct bytes){large, sizeof large} : buffer_bytes(&response.text);
        buffer_append_text(&response.headers, "X: y\r\n");
        fault = rows[i].fault;
        bool is_whole = response_append(output, -1, &context, &response, &is_copied);
        fault = FAULT_NONE;
        if (is_whole)
            fail_msg("%s: is whole", rows[i].name);
        assert_is_empty();
        tear_down(state);
    }
}

/* Headers that memory was out for make an answer incomplete, too. */
static void test_failed_headers(void **state)
{
    bool is_copied;
    (void)state;
    fault = FAULT_REALLOC;
    buffer_append_text(&response.headers, "X: y\r\n");
    fault = FAULT_NONE;
    assert_false(response_append(output, -1, &context, &response, &is_copied));
    assert_int_equal(evbuffer_get_length(output), 0);
    assert_is_empty();
}

/* ---- Errors */

static void test_errors(void **state)
{
    static const struct {
        const struct http_error *error;
        int status;
        const char *message;
        const char *headers;
    } rows[] = {
        {&ERROR_BAD_REQUEST, 400, "Requisição HTTP inválida.", ""},
        {&ERROR_NOT_FOUND, 404, "Not Found", ""},
        {&ERROR_METHOD, 405, "Method Not Allowed", ""},
        {&ERROR_NOT_AUTHENTICATED, 401, "Not authenticated", "WWW-Authenticate: Basic\r\n"},
        {&ERROR_UNDECODABLE_CREDENTIALS, 401, "Invalid authentication credentials",
         "WWW-Authenticate: Basic\r\n"},
        {&ERROR_WRONG_CREDENTIALS, 401, "Acesso negado.", "WWW-Authenticate: Basic\r\n"},
        {&ERROR_THROTTLED, 503, "Credenciais erradas demais deste endereço; tente novamente em instantes.",
         "Retry-After: 5\r\n"},
        {&ERROR_READONLY, 403, "Este usuário não pode atualizar os dados.", ""},
        {&ERROR_BODY_TOO_LARGE, 413, "Corpo da requisição grande demais.", ""},
        {&ERROR_INTERNAL, 500, "Erro interno.", ""},
        {&ERROR_NO_DATA, 503, "Ainda não há dados para responder; tente novamente em instantes.",
         "Retry-After: 5\r\n"},
        {&ERROR_OVERLOADED, 503, "Serviço sobrecarregado; tente novamente em instantes.",
         "Retry-After: 5\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        const struct json *document, *detail;
        struct error err;
        set_text("what was meant to be said");
        response.caching = CACHING_PRIVATE;
        response_fail(&response, rows[i].error);
        assert_int_equal(response.status, rows[i].status);
        assert_string_equal(response.content_type, JSON_TYPE);
        assert_int_equal(response.caching, CACHING_NO_STORE);
        assert_null(response.text.data);
        assert_int_equal(response.headers.len, strlen(rows[i].headers));
        assert_memory_equal(response.headers.data != NULL ? response.headers.data : "", rows[i].headers,
                            response.headers.len);
        arena_init(&arena);
        assert_int_equal(json_parse(&arena, response.body, &document, &err), STATUS_OK);
        detail = json_member(document, "detail");
        assert_non_null(detail);
        if (!bytes_is(detail->text, rows[i].message))
            fail_msg("%d: \"%.*s\", expected \"%s\"", rows[i].status, (int)detail->text.len,
                     detail->text.data, rows[i].message);
        arena_clear(&arena);
        response_clear(&response);
        assert_is_empty();
    }
}

#define WITH_RESPONSE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_reasons),
        WITH_RESPONSE(test_cors),
        cmocka_unit_test(test_representation),
        WITH_RESPONSE(test_copied_up_to_a_kilobyte),
        WITH_RESPONSE(test_owned_bodies),
        cmocka_unit_test(test_no_memory),
        WITH_RESPONSE(test_failed_headers),
        WITH_RESPONSE(test_errors),
    };
    return cmocka_run_group_tests_name("api_response", tests, NULL, NULL);
}
