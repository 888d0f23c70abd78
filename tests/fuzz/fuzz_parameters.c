/* tests/fuzz/fuzz_parameters.c - query strings from any bytes. Each parameter has the value that a naive second reader
 * finds, says the same when it is encoded anew, and gives way to another one behind it. */
#include <string.h>

#include "api/http/parameters.h"
#include "common/domain/date.h"
#include "tests/fuzz/fuzz.h"

static int naive_hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

static void naive_decode(struct bytes text, struct buffer *out)
{
    buffer_reset(out);
    while (text.len > 0) {
        size_t len = 1;
        char c = text.data[0];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && text.len >= 3 && naive_hex(text.data[1]) >= 0 &&
                   naive_hex(text.data[2]) >= 0) {
            c = (char)(naive_hex(text.data[1]) << 4 | naive_hex(text.data[2]));
            len = 3;
        }
        buffer_append_char(out, c);
        text = (struct bytes){text.data + len, text.len - len};
    }
}

/* From the end, where the one that counts is the first to be met. */
static bool naive_parameter(struct bytes query, const char *name, struct buffer *out)
{
    size_t end = query.len;
    for (;;) {
        size_t start = end;
        while (start > 0 && query.data[start - 1] != '&')
            start--;
        size_t equals = start;
        while (equals < end && query.data[equals] != '=')
            equals++;
        naive_decode((struct bytes){query.data + start, equals - start}, out);
        if (bytes_is(buffer_bytes(out), name)) {
            size_t value = equals < end ? equals + 1 : end;
            naive_decode((struct bytes){query.data + value, end - value}, out);
            return true;
        }
        if (start == 0)
            return false;
        end = start - 1;
    }
}

static void append_encoded(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        buffer_append_format(out, "%%%02X", (unsigned char)text.data[i]);
}

static bool has_value(struct bytes query, const char *name, struct bytes expected)
{
    struct request request = {.query = query};
    struct buffer value = BUFFER_INIT;
    bool is_equal = parameter_find(&request, name, &value) && bytes_equal(buffer_bytes(&value), expected);
    buffer_clear(&value);
    return is_equal;
}

/* Behind what came: another one of that name, encoded; it wins, whatever came. */
static void check_last_wins(struct bytes query, const char *name, struct bytes value)
{
    struct buffer longer = BUFFER_INIT;
    buffer_append(&longer, query.data, query.len);
    buffer_append_char(&longer, '&');
    append_encoded(&longer, bytes_of(name));
    buffer_append_char(&longer, '=');
    append_encoded(&longer, value);
    MUST_HOLD(has_value(buffer_bytes(&longer), name, value));
    buffer_clear(&longer);
}

static void check_day(struct bytes value)
{
    char shown[DATE_TEXT_LEN + 1];
    int32_t day = DAY_NONE;
    if (!day_parse(value, &day)) {
        MUST_HOLD(day == DAY_NONE);
        return;
    }
    day_format(day, shown);
    MUST_HOLD(day >= DAY_FIRST && day <= DAY_LAST && bytes_is(value, shown));
}

static void check(struct bytes query, const char *name)
{
    struct request request = {.query = query};
    struct buffer value = BUFFER_INIT, naive = BUFFER_INIT;
    bool is_given = parameter_find(&request, name, &value);
    MUST_HOLD(naive_parameter(query, name, &naive) == is_given);
    if (is_given) {
        MUST_HOLD(bytes_equal(buffer_bytes(&value), buffer_bytes(&naive)));
        MUST_HOLD(value.data[value.len] == '\0');
        check_last_wins((struct bytes){"x", 1}, name, buffer_bytes(&value));
        check_day(buffer_bytes(&value));
    }
    check_last_wins(query, name, bytes_of("2024-02-29"));
    buffer_clear(&value);
    buffer_clear(&naive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"data_adesao_inicio", "data_adesao_fim", "tenant_id", "formato",
                                        "wait"};
    struct bytes query = {size > 0 ? (const char *)data : "", size};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check(query, names[i]);
    return 0;
}
