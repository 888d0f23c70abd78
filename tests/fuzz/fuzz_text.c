/* tests/fuzz/fuzz_text.c - the small texts that people and databases write: settings files, scoring models, Redis
 * addresses, dates, numbers, CNPJs, UTF-8, messages. The first byte chooses; what is taken must come back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "common/cnpj.h"
#include "common/date.h"
#include "common/decimal.h"
#include "common/dotenv.h"
#include "common/messages.h"
#include "common/redis_url.h"
#include "common/scoring_model.h"
#include "common/utf8.h"

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void read_documents(struct arena *arena, struct bytes text, unsigned choice)
{
    struct scoring_model model;
    struct redis_address address;
    struct dotenv dotenv;
    struct error err;
    if (choice == 0)
        (void)!dotenv_parse(arena, text, no_environment, &dotenv, &err);
    else if (choice == 1)
        (void)!scoring_model_parse(arena, text, &model, &err);
    else {
        struct bytes copy = arena_copy(arena, text);
        (void)!redis_url_parse(arena, copy.data, &address, &err);
    }
}

static void read_timestamp(struct bytes text)
{
    char shown[TIMESTAMP_TEXT_MAX];
    struct timestamp first, second;
    int32_t offset;
    if (!timestamp_parse(text, &first, &offset))
        return;
    size_t len = timestamp_format(first, shown);
    if (!timestamp_parse((struct bytes){shown, len}, &second, &offset) || first.wall_us != second.wall_us)
        abort();
}

static void read_decimal(struct bytes text)
{
    char shown[DECIMAL_TEXT_MAX];
    struct decimal first, second;
    if (!decimal_parse(text, &first))
        return;
    size_t len = decimal_format(first, shown);
    if (!decimal_parse((struct bytes){shown, len}, &second) || first.unscaled != second.unscaled ||
        first.scale != second.scale)
        abort();
}

static void read_values(struct arena *arena, struct bytes text)
{
    struct cnpj_shown shown;
    struct cnpj_key key;
    uint64_t replaced = 0;
    struct bytes clean = utf8_clean(arena, text, &replaced);
    if (!utf8_is_valid(clean) || utf8_is_valid(text) != (replaced == 0))
        abort();
    (void)cnpj_key_parse(clean, &key);
    (void)cnpj_show(arena, clean, &shown);
    read_timestamp(text);
    read_decimal(text);
}

/* What was taken of a message, said again, is taken as the same; `again` is a message of its own. */
static void say_again(struct message *message, struct buffer *again)
{
    struct date_filter filter;
    struct request_id id;
    uint64_t count;
    message_begin(message->kind, again);
    if (message->kind == MESSAGE_PUBLISHED)
        message_add_number(again, message->generation);
    if (message->kind == MESSAGE_FAILED && message->word.len > 0)
        buffer_append_format(again, " %.*s", (int)message->word.len, message->word.data);
    if (message->kind == MESSAGE_ASKED)
        while (message_next_asked(message, &filter, &count))
            message_add_asked(again, filter, count);
    else
        while (message_next_id(message, &id))
            message_add_word(again, id.text);
}

static void read_message(struct bytes text)
{
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    struct message first = message_parse(text);
    if (first.kind == MESSAGE_UNKNOWN || memchr(text.data, '\0', text.len) != NULL)
        return;
    say_again(&first, &once);
    struct message second = message_parse(buffer_bytes(&once));
    if (second.kind != first.kind || second.generation != first.generation)
        abort();
    say_again(&second, &twice);
    if (!bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)))
        abort();
    buffer_clear(&once);
    buffer_clear(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0)
        return 0;
    struct bytes text = {(const char *)data + 1, size - 1};
    arena_init(&arena);
    if (data[0] % 5 < 3)
        read_documents(&arena, text, data[0] % 5);
    else if (data[0] % 5 == 3)
        read_values(&arena, text);
    else
        read_message(text);
    arena_clear(&arena);
    return 0;
}
