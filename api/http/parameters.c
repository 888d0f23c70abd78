/* api/http/parameters.c - names and values between ampersands, and their escapes. */
#include "api/http/parameters.h"

/* "+" is a blank; %XX is its byte. */
static void append_decoded(struct bytes text, struct buffer *out)
{
    buffer_reset(out);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%' && text.len - i > 2 && bytes_hex_value(text.data[i + 1]) >= 0 &&
            bytes_hex_value(text.data[i + 2]) >= 0) {
            c = (char)(bytes_hex_value(text.data[i + 1]) * 16 + bytes_hex_value(text.data[i + 2]));
            i += 2;
        }
        buffer_append_char(out, c);
    }
}

bool parameter_find(const struct request *request, const char *name, struct buffer *out)
{
    struct buffer decoded = BUFFER_INIT;
    struct bytes found = {NULL, 0}, rest = request->query;
    while (rest.data != NULL) {
        const char *end = memchr(rest.data, '&', rest.len);
        struct bytes pair = {rest.data, end != NULL ? (size_t)(end - rest.data) : rest.len};
        rest = end != NULL ? (struct bytes){end + 1, rest.len - pair.len - 1} : (struct bytes){NULL, 0};
        const char *equals = memchr(pair.data, '=', pair.len);
        struct bytes key = {pair.data, equals != NULL ? (size_t)(equals - pair.data) : pair.len};
        append_decoded(key, &decoded);
        if (bytes_is(buffer_bytes(&decoded), name))
            found =
                equals != NULL ? (struct bytes){equals + 1, pair.len - key.len - 1} : (struct bytes){"", 0};
    }
    buffer_clear(&decoded);
    buffer_reset(out);
    if (found.data == NULL)
        return false;
    append_decoded(found, out);
    buffer_append_char(out, '\0');
    if (!buffer_is_failed(out))
        out->len--;
    return true;
}
