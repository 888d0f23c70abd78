/* tests/fuzz/fuzz_messages.c - what comes on the channels, from any bytes. What was taken of a message, said again, is
 * taken as the same. */
#include "common/stored/messages.h"
#include "tests/fuzz/fuzz.h"

static void say_again(struct message message, struct buffer *again)
{
    struct date_filter filter;
    struct request_id id;
    uint64_t count;
    message_begin(message.kind, again);
    if (message.kind == MESSAGE_PUBLISHED)
        message_add_number(again, message.generation);
    if (message.kind == MESSAGE_FAILED && message.word.len > 0)
        buffer_append_format(again, " %.*s", (int)message.word.len, message.word.data);
    if (message.kind == MESSAGE_POPULARITY)
        while (message_next_popular(&message, &filter, &count)) {
            MUST_HOLD(filter.first_day <= filter.last_day);
            message_add_popular(again, filter, count);
        }
    else
        while (message_next_id(&message, &id))
            message_add_word(again, id.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {size > 0 ? (const char *)data : "", size};
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    struct message first = message_parse(text);
    if (first.kind == MESSAGE_UNKNOWN || memchr(text.data, '\0', text.len) != NULL)
        return 0;
    say_again(first, &once);
    struct message second = message_parse(buffer_bytes(&once));
    MUST_HOLD(second.kind == first.kind && second.generation == first.generation);
    say_again(second, &twice);
    MUST_HOLD(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    buffer_clear(&once);
    buffer_clear(&twice);
    return 0;
}
