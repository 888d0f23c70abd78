/* common/stored/messages.c - parsing and building messages, word by word. */
#include "common/stored/messages.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/domain/date.h"

static const char *const KINDS[MESSAGE_UNKNOWN] = {
    [MESSAGE_REFRESH] = "refresh", [MESSAGE_POPULARITY] = "asked",    [MESSAGE_QUEUED] = "queued",
    [MESSAGE_STARTED] = "started", [MESSAGE_PUBLISHED] = "published", [MESSAGE_FAILED] = "failed",
};

/* Takes the first word of *rest and advances *rest past it; empty at the end. */
static struct bytes take_word(struct bytes *rest)
{
    while (rest->len > 0 && *rest->data == ' ')
        *rest = (struct bytes){rest->data + 1, rest->len - 1};
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ')
        len++;
    struct bytes word = {rest->data, len};
    *rest = (struct bytes){rest->data + len, rest->len - len};
    return word;
}

struct message message_parse(struct bytes text)
{
    struct message message = {.kind = MESSAGE_REFRESH, .rest = text.data != NULL ? text : bytes_of("")};
    struct bytes name = take_word(&message.rest);
    while (message.kind < MESSAGE_UNKNOWN && !bytes_is(name, KINDS[message.kind]))
        message.kind++;
    if (message.kind == MESSAGE_PUBLISHED &&
        !bytes_parse_uint(take_word(&message.rest), UINT64_MAX, &message.generation))
        message.kind = MESSAGE_UNKNOWN;
    if (message.kind == MESSAGE_FAILED)
        message.word = take_word(&message.rest);
    return message;
}

static bool is_id(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return word.len > 0 && word.len < REQUEST_ID_MAX;
}

bool message_next_id(struct message *message, struct request_id *out)
{
    struct bytes word;
    while ((word = take_word(&message->rest)).len > 0) {
        if (!is_id(word))
            continue;
        *out = (struct request_id){""};
        memcpy(out->text, word.data, word.len);
        return true;
    }
    return false;
}

static bool parse_popular(struct bytes word, struct date_filter *filter, uint64_t *count)
{
    const char *equals = memchr(word.data, '=', word.len);
    struct date_filter parsed;
    if (equals == NULL)
        return false;
    struct bytes bounds = {word.data, (size_t)(equals - word.data)};
    struct bytes number = {equals + 1, word.len - bounds.len - 1};
    if (!date_filter_parse(bounds, &parsed) || !bytes_parse_uint(number, UINT64_MAX, count))
        return false;
    *filter = parsed;
    return true;
}

bool message_next_popular(struct message *message, struct date_filter *filter, uint64_t *count)
{
    struct bytes word;
    while ((word = take_word(&message->rest)).len > 0)
        if (parse_popular(word, filter, count))
            return true;
    return false;
}

void message_begin(enum message_kind kind, struct buffer *out)
{
    buffer_append_text(out, KINDS[kind]);
}

void message_add_number(struct buffer *out, uint64_t number)
{
    buffer_append_format(out, " %" PRIu64, number);
}

void message_add_word(struct buffer *out, const char *word)
{
    buffer_append_format(out, " %s", word);
}

void message_add_popular(struct buffer *out, struct date_filter filter, uint64_t count)
{
    char text[DATE_FILTER_TEXT_MAX];
    date_filter_format(filter, text);
    buffer_append_format(out, " %s=%" PRIu64, text, count);
}
