/* common/base/status.h - error reporting for everything that can fail. A function returns an `enum status` (0 is
 * success) and, on failure, fills the error object that is its last parameter. Out parameters are untouched on failure.
 * Any thread; an error object belongs to its caller. */
#ifndef ECOSYS_COMMON_BASE_STATUS_H
#define ECOSYS_COMMON_BASE_STATUS_H

#include <stdarg.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,     /* invalid input: a setting, a date, a model, a column type */
    STATUS_CORRUPT,     /* stored bytes refused by the codec */
    STATUS_NOT_FOUND,   /* what was requested does not exist */
    STATUS_UNAVAILABLE, /* a server is gone, slow or refuses us */
    STATUS_CONFLICT,    /* someone else holds the lease or moved the pointer */
    STATUS_CANCELLED,   /* we were told to stop */
    STATUS_NO_MEMORY,
};

#define ERROR_MESSAGE_SIZE 512

struct error {
    enum status code;
    char message[ERROR_MESSAGE_SIZE];
};

/* Fills `err` and returns `code`, so that a failing function can `return error_set(...)`. */
enum status error_set(struct error *err, enum status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prepends "context: " to the message left by a lower layer and returns its code. */
enum status error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline enum status error_no_memory(struct error *err)
{
    (void)error_set(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_NO_MEMORY;
}

/* The code as one lower-case word, for logs. */
const char *status_word(enum status code);

#endif
