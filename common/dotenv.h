/* common/dotenv.h - reads .env files as python-dotenv 1.x does, so that an existing file keeps working: `export`,
 * quotes with escapes, values over several lines in quotes, " #" comments, ${NAME} and ${NAME:-default}. Of blanks it
 * knows those of ASCII. Any thread; what is read lives in the arena. */
#ifndef ECOSYS_COMMON_DOTENV_H
#define ECOSYS_COMMON_DOTENV_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/status.h"

struct dotenv_entry {
    const char *name;
    const char *value;
    const struct dotenv_entry *next; /* set earlier in the file; a later one of the same name wins */
};

struct dotenv {
    const struct dotenv_entry *newest;
    size_t unreadable_count; /* lines that are no assignment; they are skipped */
    size_t unreadable_line;  /* the first of them, from 1; 0 when there is none */
};

/* `environment` answers ${NAME} before the file does (NULL for an unknown name), as the environment wins.
 * Fails only for want of memory or for a NUL byte. */
MUST_CHECK enum status dotenv_parse(struct arena *arena, struct bytes text,
                                    const char *(*environment)(const char *name), struct dotenv *out,
                                    struct error *err);

/* The value, or NULL. */
const char *dotenv_value(const struct dotenv *dotenv, const char *name);

#endif
