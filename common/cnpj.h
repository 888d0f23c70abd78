/* common/cnpj.h - Brazil's company numbers: how two of them compare and how one is shown.
 * CNPJs are alphanumeric since July 2026: twelve letters or digits, then two check digits, which nobody here
 * verifies. Stored ones come with and without punctuation, as numbers without their leading zeros, or as
 * anything a person typed. Pure; any thread. */
#ifndef ECOSYS_COMMON_CNPJ_H
#define ECOSYS_COMMON_CNPJ_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/bytes.h"

#define CNPJ_LEN 14

/* The form in which CNPJs are compared. */
struct cnpj_key {
    char text[CNPJ_LEN];
};

/* Everything but ASCII letters and digits is dropped and letters become upper case. All digits: zeros are put in
 * front up to 14, and all zeros is no CNPJ. With letters: exactly 14, the last two of them digits. False, *key
 * untouched, for anything else: such a value matches nothing. `stored` NULL is fine. */
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

/* How a stored CNPJ appears in an answer. False only when memory is out. */
bool cnpj_show(struct arena *arena, struct bytes stored, struct cnpj_shown *out);

#endif
