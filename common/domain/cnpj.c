/* common/domain/cnpj.c - cleaning, comparing and showing CNPJs. */
#include "common/domain/cnpj.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ' ' && (text.data[i] < '\t' || text.data[i] > '\r'))
            return false;
    return true;
}

bool cnpj_key_parse(struct bytes stored, struct cnpj_key *key)
{
    char clean[CNPJ_LEN];
    size_t len = 0, letters = 0;
    bool all_zero = true;
    for (size_t i = 0; i < stored.len; i++) {
        char c = to_upper(stored.data[i]);
        if (!is_digit(c) && !is_letter(c))
            continue;
        if (len == CNPJ_LEN)
            return false;
        letters += is_letter(c);
        all_zero = all_zero && c == '0';
        clean[len++] = c;
    }
    if (len == 0 || all_zero)
        return false;
    if (letters > 0 && (len != CNPJ_LEN || !is_digit(clean[CNPJ_LEN - 2]) || !is_digit(clean[CNPJ_LEN - 1])))
        return false;
    memset(key->text, '0', CNPJ_LEN - len);
    memcpy(key->text + CNPJ_LEN - len, clean, len);
    return true;
}

bool cnpj_show(struct arena *arena, struct bytes stored, struct cnpj_shown *out)
{
    *out = (struct cnpj_shown){CNPJ_NULL, {NULL, 0}};
    if (stored.data == NULL || is_blank(stored))
        return true;
    char *clean = arena_take(arena, stored.len);
    if (clean == NULL)
        return false;
    size_t len = 0, letters = 0;
    for (size_t i = 0; i < stored.len; i++) {
        char c = to_upper(stored.data[i]);
        if (!is_digit(c) && !is_letter(c))
            continue;
        letters += is_letter(c);
        clean[len++] = c;
    }
    if (len == 0) {
        *out = (struct cnpj_shown){CNPJ_TEXT, arena_copy(arena, stored)};
        return out->text.data != NULL;
    }
    if (letters > 0) {
        *out = (struct cnpj_shown){CNPJ_TEXT, {clean, len}};
        return true;
    }
    size_t zeros = 0;
    while (zeros < len && clean[zeros] == '0')
        zeros++;
    if (zeros < len)
        *out = (struct cnpj_shown){CNPJ_NUMBER, {clean + zeros, len - zeros}};
    return true;
}
