/* common/base/status.c - the error object: a code and a message that grows context on its way up. */
#include "common/base/status.h"

#include <stdio.h>
#include <string.h>

enum status error_set(struct error *err, enum status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return code;
}

enum status error_context(struct error *err, const char *format, ...)
{
    char context[ERROR_MESSAGE_SIZE / 2];
    char inner[ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(inner, err->message, sizeof inner);
    int room = (int)(sizeof err->message - strlen(context) - sizeof ": ");
    snprintf(err->message, sizeof err->message, "%s: %.*s", context, room, inner);
    return err->code;
}

const char *status_word(enum status code)
{
    switch (code) {
    case STATUS_OK:
        return "ok";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_CORRUPT:
        return "corrupt";
    case STATUS_NOT_FOUND:
        return "not_found";
    case STATUS_UNAVAILABLE:
        return "unavailable";
    case STATUS_CONFLICT:
        return "conflict";
    case STATUS_CANCELLED:
        return "cancelled";
    case STATUS_NO_MEMORY:
        return "memory";
    }
    return "unknown";
}
