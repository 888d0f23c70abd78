/* tests/fuzz/fuzz_cnpj.c - CNPJs as people and databases write them, from any bytes. How one is punctuated, and the
 * case of its letters, changes neither its key nor how it is shown; a key is its own key; and number and key agree. */
#include "common/base/buffer.h"
#include "common/domain/cnpj.h"
#include "tests/fuzz/fuzz.h"

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The same characters with others strewn in between, and some letters in the other case. */
static void punctuate(struct bytes text, struct buffer *out)
{
    static const char marks[] = ".-/ \t,";
    uint32_t random = fuzz_hash(text) | 1;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_letter = is_letter_or_digit(c) && (c < '0' || c > '9');
        buffer_append_char(out, is_letter && fuzz_random(&random) % 2 == 0 ? (char)(c ^ 0x20) : c);
        if (is_letter_or_digit(c))
            buffer_append_char(out, marks[fuzz_random(&random) % (sizeof marks - 1)]);
    }
}

static void check_alike(struct arena *arena, struct bytes text, const struct cnpj_key *key,
                        const struct cnpj_shown *shown)
{
    struct buffer other = BUFFER_INIT;
    struct cnpj_key other_key;
    struct cnpj_shown other_shown;
    punctuate(text, &other);
    struct bytes other_text = {other.len > 0 ? other.data : "", other.len};
    MUST_HOLD(cnpj_key_parse(other_text, &other_key) == (key != NULL));
    MUST_HOLD(key == NULL || memcmp(other_key.text, key->text, CNPJ_LEN) == 0);
    MUST_HOLD(cnpj_show(arena, other_text, &other_shown) && other_shown.form == shown->form);
    MUST_HOLD(bytes_equal(other_shown.text, shown->text));
    buffer_clear(&other);
}

static void check_key(struct arena *arena, const struct cnpj_key *key, const struct cnpj_shown *shown)
{
    struct bytes text = {key->text, CNPJ_LEN};
    struct cnpj_key again;
    struct cnpj_shown again_shown;
    MUST_HOLD(cnpj_key_parse(text, &again) && memcmp(again.text, key->text, CNPJ_LEN) == 0);
    for (size_t i = 0; i < CNPJ_LEN; i++)
        MUST_HOLD(is_letter_or_digit(key->text[i]) && (key->text[i] < 'a' || key->text[i] > 'z'));
    MUST_HOLD(shown->form != CNPJ_NULL);
    MUST_HOLD(cnpj_show(arena, text, &again_shown) && again_shown.form == shown->form);
    MUST_HOLD(bytes_equal(again_shown.text, shown->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {size > 0 ? (const char *)data : "", size};
    struct cnpj_shown shown;
    struct cnpj_key key;
    struct arena arena;
    bool has_cleaned = false;
    arena_init(&arena);
    bool has_key = cnpj_key_parse(text, &key);
    MUST_HOLD(cnpj_show(&arena, text, &shown));
    for (size_t i = 0; i < size; i++)
        has_cleaned = has_cleaned || is_letter_or_digit(text.data[i]);
    if (has_key)
        check_key(&arena, &key, &shown);
    if (has_cleaned)
        check_alike(&arena, text, has_key ? &key : NULL, &shown);
    if (shown.form == CNPJ_NUMBER)
        MUST_HOLD(shown.text.len > 0 && shown.text.data[0] != '0' &&
                  (!has_key || shown.text.len <= CNPJ_LEN));
    arena_clear(&arena);
    return 0;
}
