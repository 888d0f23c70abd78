/* api/data/generation.h - one generation as the API serves it: decoded, with the rows and documents that were made of
 * it. What was loaded is immutable. Shared by the event loops and reference-counted; the last reference frees it. Any
 * thread. */
#ifndef ECOSYS_API_DATA_GENERATION_H
#define ECOSYS_API_DATA_GENERATION_H

#include <stdatomic.h>

#include "api/data/document_cache.h"
#include "api/data/row_sets.h"
#include "api/data/stored_answers.h"
#include "common/base/status.h"
#include "common/domain/scored_snapshot.h"
#include "common/stored/codec.h"

/* What was loaded of a generation. */
struct loaded {
    struct manifest manifest;
    struct scored_snapshot scored;
    struct stored_answers stored;
    uint64_t *tenant_ids; /* owned; of all tenants, ascending */
    size_t tenant_ids_count;
};

void loaded_init(struct loaded *loaded);
void loaded_clear(struct loaded *loaded);

struct generation {
    atomic_uint references;
    struct loaded loaded;
    struct row_sets *row_sets;
    struct document_cache *documents;
};

/* Takes what was loaded (on failure too: it is cleared). Keeps at most `documents_max` bytes of documents. The caller
 * has the first reference. */
MUST_CHECK enum status generation_new(struct loaded *take_loaded, size_t documents_max,
                                      struct generation **out, struct error *err);

struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation); /* NULL is fine */

/* 0 for NULL. */
uint64_t generation_number(const struct generation *generation);

/* When its snapshot was taken: milliseconds since 1970-01-01 UTC. */
int64_t generation_taken_at_ms(const struct generation *generation);

/* True if EcoSys has that tenant, scored or not. */
bool generation_has_tenant(const struct generation *generation, uint64_t tenant_id);

#endif
