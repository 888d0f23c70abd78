/* api/data/stored_answers.c - a sorted array; an answer that cannot be used is missing, and computed from the rows. */
#include "api/data/stored_answers.h"

#include <stdlib.h>

enum status stored_answers_reserve(struct stored_answers *stored, size_t max, struct error *err)
{
    stored->items = calloc(max + 1, sizeof *stored->items);
    return stored->items != NULL ? STATUS_OK : error_no_memory(err);
}

void stored_answers_clear(struct stored_answers *stored)
{
    for (size_t i = 0; i < stored->count; i++)
        answer_clear(&stored->items[i]);
    free(stored->items);
    *stored = (struct stored_answers){NULL, 0};
}

bool stored_answers_add(struct stored_answers *stored, struct bytes blob, struct date_filter filter,
                        const struct manifest *manifest, size_t categories_count)
{
    struct answer *answer = &stored->items[stored->count];
    struct error ignored;
    if (blob.data == NULL || codec_unpack_answer(blob, manifest, answer, &ignored) != STATUS_OK)
        return false;
    if (date_filter_compare(answer->filter, filter) != 0 ||
        answer->kpis.categories_count != categories_count) {
        answer_clear(answer);
        return false;
    }
    stored->count++;
    return true;
}

static int compare_to_answer(const void *filter, const void *answer)
{
    return date_filter_compare(*(const struct date_filter *)filter, ((const struct answer *)answer)->filter);
}

const struct answer *stored_answers_find(const struct stored_answers *stored, struct date_filter filter)
{
    if (stored->count == 0)
        return NULL;
    return bsearch(&filter, stored->items, stored->count, sizeof *stored->items, compare_to_answer);
}
