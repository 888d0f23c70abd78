/* common/program/log.h - one line per event on standard error, as key=value text or JSON. Whoever handles an event at
 * the top (main loop, request handler) logs it, once; lower layers return errors. A text that is not one
 * plain word is put in quotes, and control characters in it are written as \uXXXX. Any thread: a line is one write. */
#ifndef ECOSYS_COMMON_PROGRAM_LOG_H
#define ECOSYS_COMMON_PROGRAM_LOG_H

#include <stdint.h>

#include "common/base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_AS_TEXT, LOG_AS_JSON };

struct log_field {
    const char *key; /* NULL ends a list of fields */
    struct bytes text;
    int64_t number;
    bool is_number;
};

/* The fields of a line: LOG_FIELDS(log_text("host", host), log_int("port", port)). */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.key = NULL}})

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){.key = key, .text = bytes_of(text)};
}

static inline struct log_field log_int(const char *key, int64_t number)
{
    return (struct log_field){.key = key, .number = number, .is_number = true};
}

/* Called once, before other threads start. `program` is not copied. */
void log_start(const char *program, enum log_level level, enum log_format format);

/* `fields` may be NULL. Lines below the level cost one comparison. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

#endif
