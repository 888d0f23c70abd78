/* tests/fuzz/fuzz_dotenv.c - settings files from any bytes. Each entry, written down again in quotes, is read as the
 * same; and what the file sets either makes settings of each program, within their ranges, or one line that says why
 * not. */
#include <string.h>

#include "common/base/buffer.h"
#include "common/program/dotenv.h"
#include "common/program/settings.h"
#include "tests/fuzz/fuzz.h"

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

/* Not at the beginning, where a byte order mark would be no part of it. */
static void append_name(struct buffer *out, const char *name)
{
    bool needs_quotes = strpbrk(name, "=# \t\v\f\r\n") != NULL;
    buffer_append_char(out, '\n');
    buffer_append_format(out, needs_quotes ? "'%s'=" : "%s=", name);
}

/* A CR as its escape: as itself it would end a line, and be read as LF. */
static void append_value(struct buffer *out, const char *value)
{
    buffer_append_char(out, '"');
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"' || *value == '\r')
            buffer_append_char(out, '\\');
        buffer_append_char(out, *value == '\r' ? 'r' : *value);
    }
    buffer_append_char(out, '"');
}

static void check_entry(const struct dotenv_entry *entry)
{
    struct buffer line = BUFFER_INIT;
    struct arena arena;
    struct dotenv again;
    struct error err;
    arena_init(&arena);
    append_name(&line, entry->name);
    append_value(&line, entry->value);
    MUST_HOLD(dotenv_parse(&arena, buffer_bytes(&line), no_environment, &again, &err) == STATUS_OK);
    MUST_HOLD(again.unreadable_count == 0 && again.newest != NULL && again.newest->next == NULL);
    MUST_HOLD(strcmp(again.newest->name, entry->name) == 0);
    MUST_HOLD(strcmp(again.newest->value, entry->value) == 0);
    arena_clear(&arena);
    buffer_clear(&line);
}

static void check_settings(struct arena *arena, const struct dotenv *dotenv, enum program program)
{
    struct settings settings;
    struct error err;
    if (settings_load(arena, program, no_environment, dotenv, &settings, &err) != STATUS_OK) {
        MUST_HOLD(err.code == STATUS_INVALID && strlen(err.message) > 0);
        return;
    }
    MUST_HOLD(settings.port >= 1 && settings.port <= 65535 && settings.ttl_clientes_s >= 1);
    MUST_HOLD(settings.header_bytes_max >= 1024 && settings.body_bytes_max >= 0);
    MUST_HOLD(settings_refresh_interval_s(&settings) >= 0);
    MUST_HOLD(settings.redis.unix_path != NULL || settings.redis.host != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct dotenv dotenv;
    struct error err;
    arena_init(&arena);
    if (dotenv_parse(&arena, (struct bytes){(const char *)data, size}, no_environment, &dotenv, &err) ==
        STATUS_OK) {
        for (const struct dotenv_entry *entry = dotenv.newest; entry != NULL; entry = entry->next)
            if (strstr(entry->value, "${") == NULL) /* that would be replaced in the second reading */
                check_entry(entry);
        MUST_HOLD((dotenv.unreadable_count == 0) == (dotenv.unreadable_line == 0));
        check_settings(&arena, &dotenv, PROGRAM_API);
        check_settings(&arena, &dotenv, PROGRAM_WORKER);
    }
    arena_clear(&arena);
    return 0;
}
