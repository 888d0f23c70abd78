/* common/dotenv.c - the grammar of python-dotenv's parser, one function a rule. */
#include "common/dotenv.h"

#include "common/buffer.h"

struct cursor {
    const char *at;
    const char *end;
    size_t line;
};

static bool at_end(const struct cursor *cursor)
{
    return cursor->at == cursor->end;
}

static bool at_line_end(const struct cursor *cursor)
{
    return at_end(cursor) || *cursor->at == '\n' || *cursor->at == '\r';
}

static bool is_inline_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static void skip_blanks(struct cursor *cursor)
{
    while (!at_end(cursor) && is_inline_blank(*cursor->at))
        cursor->at++;
}

static void advance(struct cursor *cursor)
{
    cursor->line += *cursor->at == '\n';
    cursor->at++;
}

static void skip_blank_lines(struct cursor *cursor)
{
    while (!at_end(cursor) && (is_inline_blank(*cursor->at) || at_line_end(cursor)))
        advance(cursor);
}

static void skip_line(struct cursor *cursor)
{
    while (!at_line_end(cursor))
        cursor->at++;
}

/* "export" counts only with a blank behind it. */
static void skip_export(struct cursor *cursor)
{
    static const char word[] = "export";
    size_t len = sizeof word - 1;
    if ((size_t)(cursor->end - cursor->at) <= len || memcmp(cursor->at, word, len) != 0 ||
        !is_inline_blank(cursor->at[len]))
        return;
    cursor->at += len;
    skip_blanks(cursor);
}

static bool read_name(struct cursor *cursor, struct bytes *name)
{
    bool quoted = !at_end(cursor) && *cursor->at == '\'';
    const char *start = cursor->at += quoted;
    while (!at_line_end(cursor)) {
        char c = *cursor->at;
        if (quoted ? c == '\'' : c == '=' || c == '#' || is_inline_blank(c))
            break;
        cursor->at++;
    }
    *name = (struct bytes){start, (size_t)(cursor->at - start)};
    if (!quoted)
        return name->len > 0;
    if (at_line_end(cursor))
        return false;
    cursor->at++;
    return name->len > 0;
}

/* What a backslash and `c` stand for between quotes, or 0 when the backslash stands for itself. */
static char unescape(char quote, char c)
{
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    if (c == '\\' || c == '\'' || (c == '"' && quote == '"'))
        return c;
    const char *found = quote == '"' ? memchr(from, c, sizeof from - 1) : NULL;
    return found == NULL ? 0 : to[found - from];
}

/* A quote that is never closed spoils its own line only: the cursor stays in front of it. */
static bool read_quoted(struct cursor *cursor, struct buffer *value)
{
    const struct cursor start = *cursor;
    char quote = *cursor->at++;
    while (!at_end(cursor) && *cursor->at != quote) {
        char c = *cursor->at;
        char escaped = c == '\\' && cursor->end - cursor->at > 1 ? unescape(quote, cursor->at[1]) : 0;
        advance(cursor);
        if (escaped != 0)
            advance(cursor);
        buffer_append_char(value, escaped != 0 ? escaped : c);
    }
    if (at_end(cursor)) {
        *cursor = start;
        return false;
    }
    cursor->at++;
    return true;
}

/* To the end of the line or to a blank and a "#", without blanks at its end. */
static void read_unquoted(struct cursor *cursor, struct buffer *value)
{
    const char *start = cursor->at;
    skip_line(cursor);
    const char *end = start;
    while (end < cursor->at && !(*end == '#' && end > start && is_inline_blank(end[-1])))
        end++;
    while (end > start && is_inline_blank(end[-1]))
        end--;
    buffer_append(value, start, (size_t)(end - start));
}

/* Behind a value: blanks, a comment, the end of the line. */
static bool read_rest(struct cursor *cursor)
{
    skip_blanks(cursor);
    if (!at_end(cursor) && *cursor->at == '#')
        skip_line(cursor);
    return at_line_end(cursor);
}

struct binding {
    struct bytes name;
    bool has_value;
};

static bool read_binding(struct cursor *cursor, struct binding *binding, struct buffer *value)
{
    skip_export(cursor);
    *binding = (struct binding){{NULL, 0}, false};
    if (!at_end(cursor) && *cursor->at == '#')
        return read_rest(cursor);
    if (!read_name(cursor, &binding->name))
        return false;
    skip_blanks(cursor);
    if (at_end(cursor) || *cursor->at != '=')
        return read_rest(cursor);
    cursor->at++;
    skip_blanks(cursor);
    binding->has_value = true;
    if (at_line_end(cursor))
        return true;
    if (*cursor->at != '\'' && *cursor->at != '"') {
        read_unquoted(cursor, value);
        return true;
    }
    return read_quoted(cursor, value) && read_rest(cursor);
}

struct expansion {
    const struct dotenv *dotenv;
    const char *(*environment)(const char *name);
    struct arena *arena;
};

static const char *look_up(const struct expansion *expansion, struct bytes name)
{
    struct bytes copy = arena_copy(expansion->arena, name);
    if (copy.data == NULL)
        return NULL;
    const char *value = expansion->environment(copy.data);
    return value != NULL ? value : dotenv_value(expansion->dotenv, copy.data);
}

/* ${NAME} and ${NAME:-default}; a name holds neither "}" nor ":". */
static void expand(const struct expansion *expansion, struct bytes value, struct buffer *out)
{
    for (size_t i = 0; i < value.len; i++) {
        const char *rest = value.data + i;
        const char *close =
            value.len - i > 2 && rest[0] == '$' && rest[1] == '{' ? memchr(rest, '}', value.len - i) : NULL;
        size_t inside = close == NULL ? 0 : (size_t)(close - rest) - 2;
        const char *colon = close == NULL ? NULL : memchr(rest + 2, ':', inside);
        if (close == NULL || (colon != NULL && (colon + 1 == close || colon[1] != '-'))) {
            buffer_append_char(out, value.data[i]);
            continue;
        }
        struct bytes name = {rest + 2, colon != NULL ? (size_t)(colon - rest) - 2 : inside};
        const char *found = look_up(expansion, name);
        if (found != NULL)
            buffer_append_text(out, found);
        else if (colon != NULL)
            buffer_append(out, colon + 2, (size_t)(close - colon) - 2);
        i += inside + 2;
    }
}

static bool add(const struct expansion *expansion, struct bytes name, struct bytes value,
                struct dotenv *dotenv)
{
    struct buffer expanded = BUFFER_INIT;
    expand(expansion, value, &expanded);
    struct dotenv_entry *entry = arena_take(expansion->arena, sizeof *entry);
    struct bytes name_copy = arena_copy(expansion->arena, name);
    struct bytes value_copy = arena_copy(expansion->arena, buffer_bytes(&expanded));
    bool complete =
        entry != NULL && name_copy.data != NULL && value_copy.data != NULL && !buffer_is_failed(&expanded);
    buffer_clear(&expanded);
    if (!complete)
        return false;
    *entry = (struct dotenv_entry){name_copy.data, value_copy.data, dotenv->newest};
    dotenv->newest = entry;
    return true;
}

enum status dotenv_parse(struct arena *arena, struct bytes text, const char *(*environment)(const char *name),
                         struct dotenv *out, struct error *err)
{
    struct dotenv dotenv = {NULL, 0, 0};
    struct expansion expansion = {&dotenv, environment, arena};
    const char *start = text.len > 0 ? text.data : "";
    struct cursor cursor = {start, start + text.len, 1};
    struct buffer value = BUFFER_INIT;
    enum status status = STATUS_OK;
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
        return error_set(err, STATUS_INVALID, "holds a NUL byte");
    for (skip_blank_lines(&cursor); !at_end(&cursor) && status == STATUS_OK; skip_blank_lines(&cursor)) {
        struct binding binding;
        size_t line = cursor.line;
        buffer_reset(&value);
        if (!read_binding(&cursor, &binding, &value)) {
            skip_line(&cursor);
            dotenv.unreadable_line = dotenv.unreadable_count++ == 0 ? line : dotenv.unreadable_line;
        } else if (binding.has_value && !add(&expansion, binding.name, buffer_bytes(&value), &dotenv)) {
            status = error_no_memory(err);
        }
    }
    buffer_clear(&value);
    if (status == STATUS_OK)
        *out = dotenv;
    return status;
}

const char *dotenv_value(const struct dotenv *dotenv, const char *name)
{
    for (const struct dotenv_entry *entry = dotenv->newest; entry != NULL; entry = entry->next)
        if (strcmp(entry->name, name) == 0)
            return entry->value;
    return NULL;
}
