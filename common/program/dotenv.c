/* common/program/dotenv.c - the grammar of python-dotenv's parser, one function per rule. */
#include "common/program/dotenv.h"

#include "common/base/buffer.h"

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

/* Some editors put a byte order mark at the start of UTF-8; it is not part of the first name. */
static void skip_byte_order_mark(struct cursor *cursor)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t len = sizeof mark - 1;
    if ((size_t)(cursor->end - cursor->at) >= len && memcmp(cursor->at, mark, len) == 0)
        cursor->at += len;
}

static void skip_blanks(struct cursor *cursor)
{
    while (!at_end(cursor) && is_inline_blank(*cursor->at))
        cursor->at++;
}

/* LF, CR LF and CR each count as one line end. */
static void advance(struct cursor *cursor)
{
    char c = *cursor->at++;
    cursor->line += c == '\n' || (c == '\r' && (at_end(cursor) || *cursor->at != '\n'));
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

/* "export" counts only if a blank follows. */
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

/* A quoted name may contain anything but its quote; one that is never closed invalidates only its own line. */
static bool read_quoted_name(struct cursor *cursor, struct bytes *name)
{
    const struct cursor start = *cursor;
    cursor->at++;
    while (!at_end(cursor) && *cursor->at != '\'')
        advance(cursor);
    *name = (struct bytes){start.at + 1, (size_t)(cursor->at - start.at) - 1};
    if (at_end(cursor) || name->len == 0) {
        *cursor = start;
        return false;
    }
    cursor->at++;
    return true;
}

static bool read_name(struct cursor *cursor, struct bytes *name)
{
    const char *start = cursor->at;
    if (!at_end(cursor) && *start == '\'')
        return read_quoted_name(cursor, name);
    while (!at_line_end(cursor) && *cursor->at != '=' && *cursor->at != '#' && !is_inline_blank(*cursor->at))
        cursor->at++;
    *name = (struct bytes){start, (size_t)(cursor->at - start)};
    return name->len > 0;
}

/* What a backslash and `c` stand for between quotes, or 0 if the backslash stands for itself. */
static char unescape(char quote, char c)
{
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    if (c == '\\' || c == '\'' || (c == '"' && quote == '"'))
        return c;
    const char *found = quote == '"' ? memchr(from, c, sizeof from - 1) : NULL;
    return found == NULL ? 0 : to[found - from];
}

/* The quote that closes a value beginning at `start`: the first one not preceded by a backslash, whatever precedes
 * that. If there is none in the whole rest, the last one preceded by a backslash; NULL if there is no quote at all. */
static const char *find_closing_quote(const char *start, const char *end, char quote)
{
    const char *last = NULL;
    for (const char *at = start; (at = memchr(at, quote, (size_t)(end - at))) != NULL; at++) {
        if (at == start || at[-1] != '\\')
            return at;
        last = at;
    }
    return last;
}

/* Line ends in a value become LF, whatever they are in the file. A quote that is never closed invalidates only its own
 * line: the cursor stays before it. */
static bool read_quoted(struct cursor *cursor, struct buffer *value)
{
    char quote = *cursor->at;
    const char *close = find_closing_quote(cursor->at + 1, cursor->end, quote);
    if (close == NULL)
        return false;
    for (cursor->at++; cursor->at < close;) {
        char c = *cursor->at;
        char escaped = c == '\\' && close - cursor->at > 1 ? unescape(quote, cursor->at[1]) : 0;
        bool ends_with_lf = c == '\r' && cursor->at[1] == '\n';
        advance(cursor);
        if (escaped != 0)
            advance(cursor);
        if (!ends_with_lf)
            buffer_append_char(value, escaped != 0 ? escaped : c == '\r' ? '\n' : c);
    }
    cursor->at++;
    return true;
}

/* Reads to the end of the line or to a "#" preceded by a blank, even if that directly follows the "="; trailing blanks
 * are removed. */
static void read_unquoted(struct cursor *cursor, struct buffer *value)
{
    const char *start = cursor->at;
    skip_line(cursor);
    const char *end = start;
    while (end < cursor->at && !(*end == '#' && is_inline_blank(end[-1])))
        end++;
    while (end > start && is_inline_blank(end[-1]))
        end--;
    buffer_append(value, start, (size_t)(end - start));
}

/* Reads what may follow a value: blanks, a comment, the end of the line. */
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

/* ${NAME} and ${NAME:-default}; a name contains neither "}" nor ":". */
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
    skip_byte_order_mark(&cursor);
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
