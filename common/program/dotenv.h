/* common/program/dotenv.h - reads .env files as python-dotenv 1.x does, so that existing files keep working: `export`,
 * quotes with escapes, quoted values spanning lines, " #" comments, ${NAME} and ${NAME:-default}. Only ASCII blanks
 * count as blanks; A = "x y" # z sets A to x y. Any thread; the result lives in the arena. */
#ifndef ECOSYS_COMMON_PROGRAM_DOTENV_H
#define ECOSYS_COMMON_PROGRAM_DOTENV_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"

struct dotenv_entry {
    const char *name;
    const char *value;
    const struct dotenv_entry *next; /* the entry before it in the file; of equal names the later wins */
};

struct dotenv {
    const struct dotenv_entry *newest;
    size_t unreadable_count; /* lines that are not assignments; they are skipped */
    size_t unreadable_line;  /* the first such line, from 1; 0 if there is none */
};

/* `environment` is asked for ${NAME} before the file, as the environment takes precedence; it returns NULL for an
 * unknown name. Fails only when out of memory or for a NUL byte. */
MUST_CHECK enum status dotenv_parse(struct arena *arena, struct bytes text,
                                    const char *(*environment)(const char *name), struct dotenv *out,
                                    struct error *err);

/* The value, or NULL. */
const char *dotenv_value(const struct dotenv *dotenv, const char *name);

#endif
