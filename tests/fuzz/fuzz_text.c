/* tests/fuzz/fuzz_text.c - the small texts that people and databases write: settings files, scoring models, Redis
 * addresses, dates, numbers, CNPJs, UTF-8. The first byte chooses; what is taken must come back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "common/cnpj.h"
#include "common/date.h"
#include "common/decimal.h"
#include "common/dotenv.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0)
        return 0;
    struct bytes text = {(const char *)data + 1, size - 1};
    arena_init(&arena);
    if (data[0] % 4 < 3)
        read_documents(&arena, text, data[0] % 4);
    else
        read_values(&arena, text);
    arena_clear(&arena);
    return 0;
}
