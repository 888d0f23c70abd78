/* common/program/log.c - the log sink: with the signal flags, the only static state of a program. */
#include "common/program/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/utf8.h"

static struct {
    const char *program;
    enum log_level level;
    enum log_format format;
} sink = {"ecosys", LOG_INFO, LOG_AS_TEXT};

static const char *const LEVEL_NAMES[] = {"debug", "info", "warning", "error"};

void log_start(const char *program, enum log_level level, enum log_format format)
{
    sink.program = program;
    sink.level = level;
    sink.format = format;
}

static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return false;
    }
    return text.len > 0;
}

static void append_quoted(struct buffer *line, struct bytes text)
{
    bool is_utf8 = utf8_is_valid(text); /* a truncated message may end inside a character */
    buffer_append_char(line, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            buffer_append_format(line, "\\%c", c);
        else if (c < ' ' || c == 0x7f || (c > 0x7f && !is_utf8))
            buffer_append_format(line, "\\u%04x", c);
        else
            buffer_append_char(line, (char)c);
    }
    buffer_append_char(line, '"');
}

static void append_field(struct buffer *line, struct log_field field)
{
    bool json = sink.format == LOG_AS_JSON;
    if (line->len > (json ? 1u : 0u))
        buffer_append_char(line, json ? ',' : ' ');
    buffer_append_format(line, json ? "\"%s\":" : "%s=", field.key);
    if (field.is_number)
        buffer_append_format(line, "%" PRId64, field.number);
    else if (!json && is_plain(field.text))
        buffer_append(line, field.text.data, field.text.len);
    else
        append_quoted(line, field.text);
}

static void append_time(struct buffer *line)
{
    struct timeval now;
    struct tm utc;
    char text[sizeof "2026-01-01T00:00:00"];
    char full[sizeof text + sizeof ".000Z"];
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(full, sizeof full, "%s.%03uZ", text, (unsigned)(now.tv_usec / 1000) % 1000);
    append_field(line, log_text("time", full));
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (level < sink.level)
        return;
    struct buffer line = BUFFER_INIT;
    if (sink.format == LOG_AS_JSON)
        buffer_append_char(&line, '{');
    append_time(&line);
    append_field(&line, log_text("level", LEVEL_NAMES[level]));
    append_field(&line, log_text("program", sink.program));
    append_field(&line, log_text("message", message));
    for (; fields != NULL && fields->key != NULL; fields++)
        append_field(&line, *fields);
    buffer_append_text(&line, sink.format == LOG_AS_JSON ? "}\n" : "\n");
    /* A full log disk must not stop the service, and there is nowhere else to report it. */
    ssize_t ignored = buffer_is_failed(&line) ? 0 : write(STDERR_FILENO, line.data, line.len);
    (void)ignored;
    buffer_clear(&line);
}
