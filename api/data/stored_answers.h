/* api/data/stored_answers.h - the answers that the worker stored with a generation, in the order of
 * date_filter_compare. Immutable once loaded; then any thread. */
#ifndef ECOSYS_API_DATA_STORED_ANSWERS_H
#define ECOSYS_API_DATA_STORED_ANSWERS_H

#include <stdbool.h>

#include "common/domain/answer.h"
#include "common/stored/codec.h"

struct stored_answers {
    struct answer *items; /* owned */
    size_t count;
};

/* Makes room for `max` answers; it must be empty. */
MUST_CHECK enum status stored_answers_reserve(struct stored_answers *stored, size_t max, struct error *err);
void stored_answers_clear(struct stored_answers *stored);

/* Adds what is stored for a filter, which must come after those of the answers that are there; the key's value has no
 * data if it is not there. False, and it is left out: it is not usable, or of another filter, generation or model. */
bool stored_answers_add(struct stored_answers *stored, struct bytes blob, struct date_filter filter,
                        const struct manifest *manifest, size_t categories_count);

/* The answer for a filter, or NULL. */
const struct answer *stored_answers_find(const struct stored_answers *stored, struct date_filter filter);

#endif
