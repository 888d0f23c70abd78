/* common/messages.c - words in, words out. */
#include "common/messages.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/date.h"

static const char *const KINDS[MESSAGE_UNKNOWN] = {
    [MESSAGE_REFRESH] = "refresh", [MESSAGE_ASKED] = "asked",         [MESSAGE_QUEUED] = "queued",
    [MESSAGE_STARTED] = "started", [MESSAGE_PUBLISHED] = "published", [MESSAGE_FAILED] = "failed",
};

/* The first word of *rest, which moves behind it; empty at the end. */
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

static bool parse_number(struct bytes text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    *out = value;
    return text.len > 0;
}

struct message message_parse(struct bytes text)
{
    struct message message = {.kind = MESSAGE_REFRESH, .rest = text.data != NULL ? text : bytes_of("")};
    struct bytes name = take_word(&message.rest);
    while (message.kind < MESSAGE_UNKNOWN && !bytes_is(name, KINDS[message.kind]))
        message.kind++;
    if (message.kind == MESSAGE_PUBLISHED && !parse_number(take_word(&message.rest), &message.generation))
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

/* "all" for an open bound, else a day. */
static bool parse_bound(struct bytes text, int32_t open, int32_t *out)
{
    if (!bytes_is(text, "all"))
        return day_parse(text, out);
    *out = open;
    return true;
}

static bool parse_asked(struct bytes word, struct date_filter *filter, uint64_t *count)
{
    const char *colon = memchr(word.data, ':', word.len);
    const char *equals = memchr(word.data, '=', word.len);
    if (colon == NULL || equals == NULL || equals < colon)
        return false;
    struct bytes first = {word.data, (size_t)(colon - word.data)};
    struct bytes last = {colon + 1, (size_t)(equals - colon) - 1};
    struct bytes number = {equals + 1, word.len - first.len - last.len - 2};
    return parse_bound(first, DAY_MIN, &filter->first_day) && parse_bound(last, DAY_MAX, &filter->last_day) &&
           filter->first_day <= filter->last_day && parse_number(number, count);
}

bool message_next_asked(struct message *message, struct date_filter *filter, uint64_t *count)
{
    struct bytes word;
    while ((word = take_word(&message->rest)).len > 0)
        if (parse_asked(word, filter, count))
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

static void format_bound(int32_t day, char out[DATE_TEXT_LEN + 1])
{
    if (day == DAY_MIN || day == DAY_MAX)
        snprintf(out, DATE_TEXT_LEN + 1, "all");
    else
        day_format(day, out);
}

void message_add_asked(struct buffer *out, struct date_filter filter, uint64_t count)
{
    char first[DATE_TEXT_LEN + 1], last[DATE_TEXT_LEN + 1];
    format_bound(filter.first_day, first);
    format_bound(filter.last_day, last);
    buffer_append_format(out, " %s:%s=%" PRIu64, first, last, count);
}
