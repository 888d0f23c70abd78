/* tests/unit/test_arena_buffer.c - memory in one piece: alignment, zeros, growth, and sizes that cannot be. */
#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "tests/unit/support.h"

/* Every piece is aligned, zeroed, its own, and stays where it is. */
static void test_pieces_of_an_arena(void **state)
{
    enum { PIECES = 3000 };
    unsigned char *pieces[PIECES];
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < PIECES; i++) {
        size_t len = i * 37 % 301;
        pieces[i] = arena_take(&arena, len);
        assert_non_null(pieces[i]);
        if ((uintptr_t)pieces[i] % _Alignof(max_align_t) != 0)
            fail_msg("piece %zu: is at %p, expected a multiple of %zu", i, (void *)pieces[i],
                     _Alignof(max_align_t));
        for (size_t j = 0; j < len; j++)
            if (pieces[i][j] != 0)
                fail_msg("piece %zu, byte %zu: is %d, expected 0", i, j, pieces[i][j]);
        memset(pieces[i], (int)(i % 251), len);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t j = 0; j < i * 37 % 301; j++)
            if (pieces[i][j] != i % 251)
                fail_msg("piece %zu, byte %zu: is %d, expected %zu", i, j, pieces[i][j], i % 251);
    arena_clear(&arena);
    assert_null(arena.blocks);
    assert_int_equal(arena.total_len, 0);
}

static void test_large_pieces(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    unsigned char *large = arena_take(&arena, 1000001);
    assert_non_null(large);
    large[0] = large[1000000] = 1;
    unsigned char *small = arena_take(&arena, 1);
    assert_non_null(small);
    assert_true(arena.total_len >= 1000002);
    arena_clear(&arena);
    assert_non_null(arena_take(&arena, 0));
    arena_clear(&arena);
}

static void test_sizes_that_cannot_be(void **state)
{
    static const struct {
        const char *name;
        size_t count, size;
    } rows[] = {
        {"the most bytes", 1, SIZE_MAX},
        {"half of them", 1, SIZE_MAX / 2 + 1},
        {"a product that wraps around to 0", SIZE_MAX / 16 + 1, 16},
        {"a product that wraps around to a little", SIZE_MAX / 8 + 2, 8},
        {"the largest product", SIZE_MAX, SIZE_MAX},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (arena_take_array(&arena, rows[i].count, rows[i].size) != NULL)
            fail_msg("%s: is given, expected NULL", rows[i].name);
    assert_null(arena_take(&arena, SIZE_MAX));
    assert_null(arena_copy(&arena, (struct bytes){"x", SIZE_MAX}).data);
    assert_non_null(arena_take_array(&arena, 0, SIZE_MAX));
    assert_non_null(arena_take_array(&arena, SIZE_MAX, 0));
    assert_int_equal(((char *)arena_take_array(&arena, 7, 3))[20], 0);
    arena_clear(&arena);
}

static void test_copies(void **state)
{
    static const struct {
        const char *name;
        struct bytes text;
    } rows[] = {{"text", {"abc", 3}},
                {"a part", {"abcdef", 3}},
                {"with a NUL", {"a\0c", 3}},
                {"empty", {"", 0}},
                {"no value", {NULL, 0}}};
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes copy = arena_copy(&arena, rows[i].text);
        if (copy.data == NULL || !bytes_equal(copy, rows[i].text) || copy.data[copy.len] != '\0')
            fail_msg("%s: is \"%.*s\", expected \"%.*s\" and a NUL", rows[i].name, (int)copy.len,
                     copy.data != NULL ? copy.data : "", (int)rows[i].text.len,
                     rows[i].text.data != NULL ? rows[i].text.data : "");
        assert_ptr_not_equal(copy.data, rows[i].text.data);
    }
    arena_clear(&arena);
}

static void test_bytes(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of("ab"), (struct bytes){"abc", 2}));
    assert_false(bytes_equal(bytes_of("ab"), bytes_of("abc")));
    assert_false(bytes_equal(bytes_of("ab"), bytes_of("aB")));
    assert_true(bytes_equal(bytes_of(""), bytes_of(NULL)));
    assert_true(bytes_is((struct bytes){"ab\0c", 2}, "ab"));
    assert_false(bytes_is((struct bytes){"ab\0", 3}, "ab"));
    assert_null(bytes_of(NULL).data);
    assert_int_equal(bytes_of(NULL).len, 0);
}

static void test_appends(void **state)
{
    struct buffer buffer = BUFFER_INIT;
    (void)state;
    buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer_bytes(&buffer).len, 0);
    buffer_append_text(&buffer, "ab");
    buffer_append_char(&buffer, '\0');
    buffer_append(&buffer, "cd", 1);
    buffer_append_format(&buffer, "%03d|%s", 7, "");
    assert_true(bytes_equal(buffer_bytes(&buffer), (struct bytes){"ab\0c007|", 8}));
    buffer_reset(&buffer);
    assert_int_equal(buffer.len, 0);
    assert_true(buffer.capacity > 0);
    buffer_append_text(&buffer, "x");
    assert_true(bytes_is(buffer_bytes(&buffer), "x"));
    buffer_clear(&buffer);
    assert_null(buffer.data);
    buffer_append_text(&buffer, "again");
    assert_true(bytes_is(buffer_bytes(&buffer), "again"));
    buffer_clear(&buffer);
}

static void test_growth(void **state)
{
    struct buffer buffer = BUFFER_INIT;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        buffer_append_char(&buffer, (char)('a' + i % 26));
        if (i % 7 == 0)
            buffer_append_format(&buffer, "%s", "");
    }
    assert_int_equal(buffer.len, 20000);
    for (unsigned i = 0; i < 20000; i++)
        if (buffer.data[i] != (char)('a' + i % 26))
            fail_msg("byte %u: is %c, expected %c", i, buffer.data[i], 'a' + i % 26);
    buffer_reset(&buffer);
    buffer_append_format(&buffer, "%5000d", 1);
    assert_int_equal(buffer.len, 5000);
    assert_int_equal(buffer.data[4999], '1');
    buffer_clear(&buffer);
}

static void test_reserve_keeps_the_place(void **state)
{
    struct buffer buffer = BUFFER_INIT;
    (void)state;
    buffer_append_char(&buffer, 'x');
    buffer_reserve(&buffer, 100000);
    const char *data = buffer.data;
    for (int i = 0; i < 100000; i++)
        buffer_append_char(&buffer, 'y');
    assert_ptr_equal(buffer.data, data);
    assert_int_equal(buffer.len, 100001);
    buffer_clear(&buffer);
}

static void test_a_failed_buffer(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buffer buffer = BUFFER_INIT;
        buffer_append_text(&buffer, "abc");
        assert_false(buffer_is_failed(&buffer));
        buffer_reserve(&buffer, sizes[i]);
        if (!buffer_is_failed(&buffer))
            fail_msg("%zu more bytes: are reserved, expected to fail", sizes[i]);
        buffer_append_text(&buffer, "d");
        buffer_append_char(&buffer, 'e');
        buffer_append_format(&buffer, "%d", 1);
        assert_int_equal(buffer.len, 3);
        buffer_reset(&buffer);
        assert_true(buffer_is_failed(&buffer));
        buffer_clear(&buffer);
        assert_false(buffer_is_failed(&buffer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_of_an_arena),
        cmocka_unit_test(test_large_pieces),
        cmocka_unit_test(test_sizes_that_cannot_be),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_reserve_keeps_the_place),
        cmocka_unit_test(test_a_failed_buffer),
    };
    return cmocka_run_group_tests_name("arena and buffer", tests, NULL, NULL);
}
