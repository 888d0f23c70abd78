/* tests/unit/test_api_reader.c - where a reader finds heads and bodies, whatever pieces they arrive in. */
#include "tests/unit/http_support.h"

#include <event2/buffer.h>

#include "api/http/reader.h"

#define HEAD_LEN_MAX 64

static bool is_out_of_memory;

unsigned char *__real_evbuffer_pullup(struct evbuffer *buffer, ev_ssize_t len);
unsigned char *__wrap_evbuffer_pullup(struct evbuffer *buffer, ev_ssize_t len);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

unsigned char *__wrap_evbuffer_pullup(struct evbuffer *buffer, ev_ssize_t len)
{
    return is_out_of_memory ? NULL : __real_evbuffer_pullup(buffer, len);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_out_of_memory ? NULL : __real_realloc(old, size);
}

static struct reader reader;
static struct evbuffer *input;

static int set_up(void **state)
{
    (void)state;
    is_out_of_memory = false;
    reader = (struct reader){.scanned = 0};
    input = evbuffer_new();
    return input == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    reader_clear(&reader);
    evbuffer_free(input);
    return 0;
}

static void receive(const char *text)
{
    assert_int_equal(evbuffer_add(input, text, strlen(text)), 0);
}

static enum reader_state take_head(const char **problem)
{
    return reader_take_head(&reader, input, HEAD_LEN_MAX, problem);
}

static void assert_bytes(struct bytes found, const char *expected)
{
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.data, expected, found.len);
}

static void test_heads(void **state)
{
    static const struct {
        const char *name;
        const char *input;
        enum reader_state state;
        size_t left_len;     /* of the input */
        const char *problem; /* NULL: any */
        bool has_begun;
        bool looks_like_head;
    } rows[] = {
        {"nothing", "", READER_INCOMPLETE, 0, NULL, false, false},
        {"an empty line", "\r\n", READER_INCOMPLETE, 0, NULL, true, false},
        {"half of one", "\r\n\r", READER_INCOMPLETE, 1, NULL, true, false},
        {"part of a head", "GET / HTTP/1.1\r\n", READER_INCOMPLETE, 16, NULL, false, false},
        {"part of a HEAD", "HEAD ", READER_INCOMPLETE, 5, NULL, false, true},
        {"less than a HEAD", "HEAD", READER_INCOMPLETE, 4, NULL, false, false},
        {"whole", "GET / HTTP/1.0\r\n\r\n", READER_COMPLETE, 0, NULL, false, false},
        {"whole HEAD", "HEAD / HTTP/1.0\r\n\r\n", READER_COMPLETE, 0, NULL, false, true},
        {"whole after empty lines", "\r\n\r\nGET / HTTP/1.0\r\n\r\n", READER_COMPLETE, 0, NULL, false, false},
        {"whole, and more", "GET / HTTP/1.0\r\n\r\nGET", READER_COMPLETE, 3, NULL, false, false},
        {"not clean", "GET\n", READER_REFUSED, 4, "head", false, false},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", READER_REFUSED, 0, NULL, false, false},
        {"as long as can be", "GET / HTTP/1.0\r\nX: 123456789-123456789-123456789-123456789-1\r\n\r\n",
         READER_COMPLETE, 0, NULL, false, false},
        {"too long by one", "GET / HTTP/1.0\r\nX: 123456789-123456789-123456789-123456789-12\r\n\r\n",
         READER_REFUSED, 65, "longer than HTTP_HEADER_BYTES", false, false},
        {"too long, and not whole", "HEAD /123456789-123456789-123456789-123456789-123456789-123456789-",
         READER_REFUSED, 66, "longer than HTTP_HEADER_BYTES", false, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *problem = NULL;
        set_up(state);
        receive(rows[i].input);
        enum reader_state found = take_head(&problem);
        if (found != rows[i].state || evbuffer_get_length(input) != rows[i].left_len)
            fail_msg("%s: state %d, %zu bytes left, expected %d, %zu", rows[i].name, found,
                     evbuffer_get_length(input), rows[i].state, rows[i].left_len);
        if (found == READER_REFUSED && problem == NULL)
            fail_msg("%s: refused without a reason", rows[i].name);
        if (rows[i].problem != NULL && strcmp(problem, rows[i].problem) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, problem, rows[i].problem);
        if (reader.has_begun != rows[i].has_begun || reader.looks_like_head != rows[i].looks_like_head)
            fail_msg("%s: has begun %d, looks like HEAD %d", rows[i].name, reader.has_begun,
                     reader.looks_like_head);
        tear_down(state);
    }
}

/* The request stays valid when its input is gone, until the next head. */
static void test_byte_by_byte(void **state)
{
    static const char *const requests[] = {"POST /a?b HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
                                           "GET /cd HTTP/1.0\r\n\r\n"};
    const char *problem;
    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        size_t len = strlen(requests[i]);
        for (size_t k = 0; k < len; k++) {
            assert_int_equal(take_head(&problem), READER_INCOMPLETE);
            assert_int_equal(evbuffer_add(input, &requests[i][k], 1), 0);
        }
        assert_int_equal(take_head(&problem), READER_COMPLETE);
        assert_int_equal(evbuffer_get_length(input), 0);
        if (i > 0)
            break;
        assert_bytes(reader.request.path, "/a");
        assert_bytes(reader.request.query, "b");
        for (const char *body = "xyz"; *body != '\0'; body++) {
            assert_int_equal(reader_take_body(&reader, input, &problem), READER_INCOMPLETE);
            assert_int_equal(evbuffer_add(input, body, 1), 0);
        }
        assert_int_equal(reader_take_body(&reader, input, &problem), READER_COMPLETE);
        assert_bytes(buffer_bytes(&reader.body), "xyz");
        assert_bytes(reader.request.path, "/a");
    }
    assert_int_equal(reader.request.method, METHOD_GET);
    assert_bytes(reader.request.path, "/cd");
    assert_int_equal(reader.body.len, 0); /* none of the request before */
}

static void test_body_and_what_follows(void **state)
{
    const char *problem;
    (void)state;
    receive("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nxyzGET / HTTP/1.0\r\n\r\n");
    assert_int_equal(take_head(&problem), READER_COMPLETE);
    assert_int_equal(reader_take_body(&reader, input, &problem), READER_COMPLETE);
    assert_bytes(buffer_bytes(&reader.body), "xyz");
    assert_int_equal(take_head(&problem), READER_COMPLETE);
    assert_int_equal(reader.request.method, METHOD_GET);
    assert_int_equal(evbuffer_get_length(input), 0);
}

static void test_no_memory_for_head(void **state)
{
    const char *problem = "";
    (void)state;
    receive("HEAD / HTTP/1.0\r\n\r\n");
    assert_int_equal(take_head(&problem), READER_COMPLETE);
    receive("GET / HTTP/1.0\r\n\r\n");
    is_out_of_memory = true;
    assert_int_equal(take_head(&problem), READER_REFUSED);
    assert_string_equal(problem, "memory");
    assert_false(reader.looks_like_head); /* nothing is known of this one */
}

static void test_no_memory_for_body(void **state)
{
    const char *problem = "";
    (void)state;
    receive("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nxyz");
    assert_int_equal(take_head(&problem), READER_COMPLETE);
    is_out_of_memory = true;
    assert_int_equal(reader_take_body(&reader, input, &problem), READER_REFUSED);
    assert_string_equal(problem, "memory");
}

#define WITH_READER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        WITH_READER(test_byte_by_byte),
        WITH_READER(test_body_and_what_follows),
        WITH_READER(test_no_memory_for_head),
        WITH_READER(test_no_memory_for_body),
    };
    return cmocka_run_group_tests_name("api_reader", tests, NULL, NULL);
}
