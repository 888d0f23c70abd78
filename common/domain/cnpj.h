/* common/domain/cnpj.h - Brazilian company numbers (CNPJs): how they are compared and shown. They have been
 * alphanumeric since July 2026: twelve letters or digits, then two check digits, which are not verified here. They are
 * stored with or without punctuation, as numbers without leading zeros, or as anything a person typed. Pure; any
 * thread. */
#ifndef ECOSYS_COMMON_DOMAIN_CNPJ_H
#define ECOSYS_COMMON_DOMAIN_CNPJ_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"

#define CNPJ_LEN 14

/* The normalised form in which CNPJs are compared: clients and tenants with the same one are a group. */
struct cnpj_key {
    char text[CNPJ_LEN];
};

/* Drops everything except ASCII letters and digits and converts letters to upper case. All digits: padded with leading
 * zeros to 14, and all zeros is not a CNPJ. With letters: exactly 14 characters, the last two of them digits. Anything
 * else returns false and leaves *key untouched: such a value matches nothing. `stored` may be NULL. */
bool cnpj_key_parse(struct bytes stored, struct cnpj_key *key);

enum cnpj_form {
    CNPJ_NULL,   /* missing, blank or zero */
    CNPJ_NUMBER, /* all digits: `text` is the number without leading zeros */
    CNPJ_TEXT,   /* has letters: cleaned; neither letters nor digits: as stored */
};

struct cnpj_shown {
    enum cnpj_form form;
    struct bytes text; /* in the arena */
};

/* How a stored CNPJ appears in an answer. False only when out of memory. */
bool cnpj_show(struct arena *arena, struct bytes stored, struct cnpj_shown *out);

#endif
