/* tests/unit/test_api_representation.c - finished bodies: ETags that depend on the content alone, gzip and zstd that
 * other libraries read back, and which ones lie in files. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "api/formats/representation.h"
#include "tests/unit/support.h"

static struct representation *make(struct bytes content, enum encoding encoding)
{
    struct buffer buffer = BUFFER_INIT;
    struct representation *body = NULL;
    struct error err;
    buffer_append(&buffer, content.data, content.len);
    assert_int_equal(representation_new(&buffer, MEDIA_JSON, encoding, &body, &err), STATUS_OK);
    assert_null(buffer.data); /* was taken */
    return body;
}

static void fill(struct buffer *out, size_t len)
{
    while (out->len < len)
        buffer_append_format(out, "{\"id\":%zu},", out->len * 7919);
    out->len = len;
}

/* What gunzip makes of a body; the caller frees it. */
static char *inflate_body(const struct representation *body, size_t size, size_t *len)
{
    z_stream stream = {.zalloc = Z_NULL};
    char *text = malloc(size + 1);
    assert_non_null(text);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (Bytef *)body->data;
    stream.avail_in = (uInt)body->len;
    stream.next_out = (Bytef *)text;
    stream.avail_out = (uInt)size + 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    *len = stream.total_out;
    inflateEnd(&stream);
    return text;
}

/* What zstd makes of a body; the caller frees it. */
static char *expand_body(const struct representation *body, size_t size, size_t *len)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    *len = ZSTD_decompress(text, size + 1, body->data, body->len);
    assert_false(ZSTD_isError(*len));
    return text;
}

static void check_comes_back(enum encoding encoding)
{
    static const size_t lens[] = {0, 1, 999, 1000, 1001, 65536, 3000000, 5000000};
    for (size_t i = 0; i < COUNT(lens); i++) {
        struct buffer content = BUFFER_INIT;
        char name[32];
        snprintf(name, sizeof name, "%zu bytes", lens[i]);
        fill(&content, lens[i]);
        struct representation *plain = make(buffer_bytes(&content), ENCODING_IDENTITY);
        struct representation *packed = make(buffer_bytes(&content), encoding);
        if (plain->encoding != ENCODING_IDENTITY ||
            !bytes_equal((struct bytes){plain->data, plain->len}, buffer_bytes(&content)))
            fail_msg("%s: the body is not its content", name);
        if (packed->encoding != (lens[i] < 1000 ? ENCODING_IDENTITY : encoding))
            fail_msg("%s: encoding is %d", name, (int)packed->encoding);
        if (packed->encoding != ENCODING_IDENTITY) {
            size_t len;
            char *text = encoding == ENCODING_GZIP ? inflate_body(packed, lens[i], &len)
                                                   : expand_body(packed, lens[i], &len);
            if (packed->len >= lens[i] || !bytes_equal((struct bytes){text, len}, buffer_bytes(&content)))
                fail_msg("%s: %s has %zu bytes and comes back as %zu", name, encoding_name(encoding),
                         packed->len, len);
            free(text);
        } else {
            assert_true(bytes_equal((struct bytes){packed->data, packed->len}, buffer_bytes(&content)));
        }
        assert_string_equal(packed->etag, plain->etag);
        representation_unref(plain);
        representation_unref(packed);
        buffer_clear(&content);
    }
}

static void test_gzip_comes_back(void **state)
{
    (void)state;
    check_comes_back(ENCODING_GZIP);
}

static void test_zstd_comes_back(void **state)
{
    (void)state;
    check_comes_back(ENCODING_ZSTD);
}

/* The lines of the head that are made once. */
static void test_heads(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        enum encoding encoding;
        const char *expected; /* up to the ETag */
    } rows[] = {
        {"short", 5, ENCODING_GZIP, "Content-Length: 5\r\nContent-Type: application/json\r\nETag: W/\""},
        {"plain", 2000, ENCODING_IDENTITY,
         "Content-Length: 2000\r\nContent-Type: application/json\r\nETag: W/\""},
        {"gzip", 2000, ENCODING_GZIP,
         "\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nETag: W/\""},
        {"zstd", 2000, ENCODING_ZSTD,
         "\r\nContent-Type: application/json\r\nContent-Encoding: zstd\r\nETag: W/\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer content = BUFFER_INIT;
        char length[48];
        fill(&content, rows[i].len);
        struct representation *body = make(buffer_bytes(&content), rows[i].encoding);
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", body->len);
        assert_int_equal(strlen(body->head), body->head_len);
        if (strstr(body->head, rows[i].expected) == NULL || strncmp(body->head, length, strlen(length)) != 0)
            fail_msg("%s: the head is \"%s\"", rows[i].name, body->head);
        representation_unref(body);
        buffer_clear(&content);
    }
}

/* What gzip cannot make smaller still comes back. */
static void test_noise_comes_back(void **state)
{
    struct buffer content = BUFFER_INIT;
    uint64_t random = 1;
    size_t len;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        buffer_append_char(&content, (char)(random >> 56));
    }
    struct representation *packed = make(buffer_bytes(&content), ENCODING_GZIP);
    char *text = inflate_body(packed, content.len, &len);
    assert_true(bytes_equal((struct bytes){text, len}, buffer_bytes(&content)));
    free(text);
    representation_unref(packed);
    buffer_clear(&content);
}

/* Always the same one: clients keep it over restarts and upgrades. */
static void test_etags(void **state)
{
    static const struct {
        const char *content, *etag;
    } rows[] = {
        {"", "W/\"99aa06d3014798d86001c324468d497f\""}, /* XXH3's published value for no bytes */
        {"{}", NULL},
        {"{} ", NULL},
        {"{\"1\":{}}", NULL},
        {"{\"1\":{} }", NULL},
    };
    char seen[COUNT(rows)][ETAG_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct representation *first = make(bytes_of(rows[i].content), ENCODING_IDENTITY);
        struct representation *second = make(bytes_of(rows[i].content), ENCODING_GZIP);
        assert_string_equal(first->etag, second->etag);
        if (rows[i].etag != NULL)
            assert_string_equal(first->etag, rows[i].etag);
        if (strlen(first->etag) != ETAG_MAX - 4 || strncmp(first->etag, "W/\"", 3) != 0 ||
            strspn(first->etag + 3, "0123456789abcdef") != 32 || strcmp(first->etag + 35, "\"") != 0)
            fail_msg("\"%s\": ETag is %s, expected W/\"32 digits\"", rows[i].content, first->etag);
        snprintf(seen[i], ETAG_MAX, "%s", first->etag);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        representation_unref(first);
        representation_unref(second);
    }
}

static void test_references(void **state)
{
    struct representation *body = make(bytes_of("{}"), ENCODING_IDENTITY);
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(representation_ref(body), body);
    for (int i = 0; i < 10; i++)
        representation_unref(body);
    assert_memory_equal(body->data, "{}", 2);
    representation_unref(body);
    representation_unref(NULL);
}

static void test_files_by_length(void **state)
{
    static const struct {
        size_t len;
        bool has_file;
    } rows[] = {{65535, false}, {65536, true}, {100000, true}, {524288, true}, {524289, false}};
    struct buffer content = BUFFER_INIT;
    (void)state;
    fill(&content, 600000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct representation *body = make((struct bytes){content.data, rows[i].len}, ENCODING_IDENTITY);
        assert_int_equal(body->file, -1);
        representation_to_file(body);
        if ((body->file >= 0) != rows[i].has_file)
            fail_msg("%zu bytes: file %d", rows[i].len, body->file);
        assert_int_equal(body->len, rows[i].len);
        assert_memory_equal(body->data, content.data, rows[i].len);
        representation_unref(body);
    }
    buffer_clear(&content);
}

static void test_file_has_the_content_and_goes_with_it(void **state)
{
    struct buffer content = BUFFER_INIT;
    char read_back[100000];
    (void)state;
    fill(&content, sizeof read_back);
    struct representation *body = make(buffer_bytes(&content), ENCODING_IDENTITY);
    representation_to_file(body);
    int file = body->file;
    assert_int_equal(pread(file, read_back, sizeof read_back, 0), sizeof read_back);
    assert_memory_equal(read_back, content.data, sizeof read_back);
    representation_unref(body);
    assert_int_equal(close(file), -1);
    buffer_clear(&content);
}

/* The content of 100000 bytes stays in memory. */
static void check_stays_copied(void)
{
    struct buffer content = BUFFER_INIT;
    fill(&content, 100000);
    struct representation *body = make(buffer_bytes(&content), ENCODING_IDENTITY);
    representation_to_file(body);
    assert_int_equal(body->file, -1);
    assert_memory_equal(body->data, content.data, content.len);
    representation_unref(body);
    buffer_clear(&content);
}

static void test_no_descriptor_left(void **state)
{
    struct rlimit former;
    (void)state;
    getrlimit(RLIMIT_NOFILE, &former);
    struct rlimit none = {0, former.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    check_stays_copied();
    setrlimit(RLIMIT_NOFILE, &former);
}

static void test_file_that_may_not_grow(void **state)
{
    struct rlimit former;
    (void)state;
    void (*former_handler)(int) = signal(SIGXFSZ, SIG_IGN); /* as the program does */
    getrlimit(RLIMIT_FSIZE, &former);
    struct rlimit shorter = {65536, former.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &shorter), 0);
    check_stays_copied();
    setrlimit(RLIMIT_FSIZE, &former);
    signal(SIGXFSZ, former_handler);
}

static void test_content_that_failed(void **state)
{
    struct buffer content = BUFFER_INIT;
    struct representation *body = NULL;
    struct error err;
    (void)state;
    buffer_append_text(&content, "{");
    buffer_reserve(&content, SIZE_MAX / 2);
    assert_true(buffer_is_failed(&content));
    assert_int_equal(representation_new(&content, MEDIA_CSV, ENCODING_GZIP, &body, &err), STATUS_NO_MEMORY);
    assert_null(body);
    assert_null(content.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip_comes_back),
        cmocka_unit_test(test_zstd_comes_back),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_noise_comes_back),
        cmocka_unit_test(test_etags),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_content_that_failed),
        cmocka_unit_test(test_files_by_length),
        cmocka_unit_test(test_file_has_the_content_and_goes_with_it),
        cmocka_unit_test(test_no_descriptor_left),
        cmocka_unit_test(test_file_that_may_not_grow),
    };
    return cmocka_run_group_tests_name("api_representation", tests, NULL, NULL);
}
