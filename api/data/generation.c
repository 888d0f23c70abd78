/* api/data/generation.c - what was loaded, and its lifetime. */
#include "api/data/generation.h"

#include <stdlib.h>

void loaded_init(struct loaded *loaded)
{
    *loaded = (struct loaded){.tenant_ids = NULL};
    scored_snapshot_init(&loaded->scored);
}

void loaded_clear(struct loaded *loaded)
{
    stored_answers_clear(&loaded->stored);
    scored_snapshot_clear(&loaded->scored);
    free(loaded->tenant_ids);
    loaded_init(loaded);
}

enum status generation_new(struct loaded *take_loaded, size_t documents_max, struct generation **out,
                           struct error *err)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        loaded_clear(take_loaded);
        return error_no_memory(err);
    }
    atomic_init(&generation->references, 1);
    generation->loaded = *take_loaded;
    loaded_init(take_loaded);
    generation->documents = document_cache_new(documents_max);
    generation->row_sets = row_sets_new(&generation->loaded.scored);
    if (generation->documents == NULL || generation->row_sets == NULL) {
        generation_unref(generation);
        return error_no_memory(err);
    }
    *out = generation;
    return STATUS_OK;
}

struct generation *generation_ref(struct generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
    return generation;
}

void generation_unref(struct generation *generation)
{
    if (generation == NULL || atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) > 1)
        return;
    document_cache_free(generation->documents);
    row_sets_free(generation->row_sets);
    loaded_clear(&generation->loaded);
    free(generation);
}

uint64_t generation_number(const struct generation *generation)
{
    return generation != NULL ? generation->loaded.manifest.generation : 0;
}

int64_t generation_taken_at_ms(const struct generation *generation)
{
    return generation->loaded.manifest.instants.taken_at_ms;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

bool generation_has_tenant(const struct generation *generation, uint64_t tenant_id)
{
    const struct loaded *loaded = &generation->loaded;
    return loaded->tenant_ids_count > 0 && bsearch(&tenant_id, loaded->tenant_ids, loaded->tenant_ids_count,
                                                   sizeof tenant_id, compare_ids) != NULL;
}
