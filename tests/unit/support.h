/* tests/unit/support.h - what unit tests have in common, with what cmocka.h needs before it. A check that fails names
 * the row and what of it, and shows both values. */
#ifndef ECOSYS_TESTS_SUPPORT_H
#define ECOSYS_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/domain/scoring_model.h"
#include "common/stored/envelope.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A struct bytes of a literal, with NULs and all. */
#define RAW(literal)                                                                                         \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

void check_int(const char *name, const char *what, int64_t found, int64_t expected);

/* No bytes (data is NULL) are not the same as an empty text. */
void check_bytes(const char *name, const char *what, struct bytes found, struct bytes expected);

/* No bytes are the same as an empty text. */
void check_text(const char *name, const char *what, struct bytes found, const char *expected);

/* They are not: NULL expects that there are none. */
void check_text_or_none(const char *name, const char *what, struct bytes found, const char *expected);
void check_string(const char *name, const char *what, const char *found, const char *expected);

/* A group's setup and teardown: the built-in model is there in between. */
extern struct scoring_model builtin_model;
int load_builtin_model(void **state);
int free_builtin_model(void **state);

/* A test's or a group's: an arena in between. */
extern struct arena test_arena;
int init_test_arena(void **state);
int clear_test_arena(void **state);

/* Replaces what out holds by an envelope of generation 0 around the payload. */
void seal(struct buffer *out, enum blob_kind kind, struct bytes payload);

#endif
