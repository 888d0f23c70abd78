/* tests/unit/support.c - see support.h */
#include "tests/unit/support.h"

#include <inttypes.h>

struct scoring_model builtin_model;
struct arena test_arena;
static struct arena model_arena; /* beside test_arena, as a test may need both */

void check_int(const char *name, const char *what, int64_t found, int64_t expected)
{
    if (found != expected)
        fail_msg("%s: %s is %" PRId64 ", expected %" PRId64, name, what, found, expected);
}

static const char *shown(struct bytes text)
{
    return text.data != NULL ? text.data : "";
}

void check_bytes(const char *name, const char *what, struct bytes found, struct bytes expected)
{
    if ((found.data == NULL) != (expected.data == NULL) || !bytes_equal(found, expected))
        fail_msg("%s: %s is \"%.*s\" (%zu), expected \"%.*s\" (%zu)", name, what, (int)found.len,
                 shown(found), found.len, (int)expected.len, shown(expected), expected.len);
}

void check_text(const char *name, const char *what, struct bytes found, const char *expected)
{
    if (!bytes_is(found, expected))
        fail_msg("%s: %s is \"%.*s\", expected \"%s\"", name, what, (int)found.len, shown(found), expected);
}

void check_text_or_none(const char *name, const char *what, struct bytes found, const char *expected)
{
    if ((found.data == NULL) != (expected == NULL))
        fail_msg("%s: %s is \"%.*s\"%s, expected \"%s\"", name, what, (int)found.len, shown(found),
                 found.data != NULL ? "" : " (none)", expected != NULL ? expected : "(none)");
    if (expected != NULL)
        check_text(name, what, found, expected);
}

void check_string(const char *name, const char *what, const char *found, const char *expected)
{
    check_text_or_none(name, what, found != NULL ? bytes_of(found) : (struct bytes){NULL, 0}, expected);
}

int load_builtin_model(void **state)
{
    struct error err;
    (void)state;
    arena_init(&model_arena);
    return scoring_model_parse(&model_arena, scoring_model_builtin(), &builtin_model, &err) == STATUS_OK ? 0
                                                                                                         : -1;
}

int free_builtin_model(void **state)
{
    (void)state;
    arena_clear(&model_arena);
    return 0;
}

int init_test_arena(void **state)
{
    (void)state;
    arena_init(&test_arena);
    return 0;
}

int clear_test_arena(void **state)
{
    (void)state;
    arena_clear(&test_arena);
    return 0;
}

void seal(struct buffer *out, enum blob_kind kind, struct bytes payload)
{
    struct error err;
    buffer_reset(out);
    envelope_begin(out);
    buffer_append(out, payload.data, payload.len);
    assert_int_equal(envelope_end(out, 0, kind, &err), STATUS_OK);
}
