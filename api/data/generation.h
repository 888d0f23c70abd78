/* api/data/generation.h - one generation as the API serves it: decoded, with its rows rendered. Immutable, except that
 * answers, and rows in less common media types, are added as they are made. Shared by the event loops and
 * reference-counted; the last reference frees it. Any thread. */
#ifndef ECOSYS_API_DATA_GENERATION_H
#define ECOSYS_API_DATA_GENERATION_H

#include <stdatomic.h>

#include "api/data/answers.h"
#include "api/data/logins.h"
#include "api/data/row_sets.h"
#include "common/base/status.h"
#include "common/domain/scored_snapshot.h"
#include "common/stored/codec.h"

/* The answers that the worker stored, in the order of date_filter_compare. Unusable ones are left out. */
struct stored_answers {
    struct answer *items; /* owned */
    size_t count;
};

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
    struct answers *answers;
    struct answers_room *room; /* not owned */
};

/* Takes what was loaded (on failure too: it is cleared), renders the rows as JSON and makes the unfiltered answers.
 * `room` limits what answers take, and must outlive the generation and its bodies. The caller has the first
 * reference. */
MUST_CHECK enum status generation_new(struct loaded *take_loaded, struct answers_room *room,
                                      struct generation **out, struct error *err);

/* Makes the answers last requested of `previous`, most recent first, until `deadline_ms` (monotonic) or until the cache
 * is full, so that a flip does not slow answers down. The most recent are also kept longest. What cannot be made is
 * left to the next request for it. */
void generation_warm(struct generation *generation, const struct generation *previous, int64_t deadline_ms);

struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation); /* NULL is fine */

struct origin generation_origin(const struct generation *generation);

/* True if EcoSys has that tenant, scored or not. */
bool generation_has_tenant(const struct generation *generation, uint64_t tenant_id);

/* Makes an answer, from a stored one if there is one. `fetcher` is for logins (they are in Redis), else NULL. */
MUST_CHECK enum status generation_make(const struct generation *generation, const struct answer_key *key,
                                       struct fetcher *fetcher, struct body **out, enum source *source,
                                       struct error *err);

#endif
