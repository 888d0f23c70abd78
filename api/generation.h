/* api/generation.h - one generation as the API serves it: decoded, rendered, immutable. Event loops share it and
 * count references; the last one frees it. Any thread. */
#ifndef ECOSYS_API_GENERATION_H
#define ECOSYS_API_GENERATION_H

#include <stdatomic.h>

#include "api/render.h"
#include "common/codec.h"
#include "common/scored_snapshot.h"
#include "common/status.h"

/* The documents that are made for an answer. */
enum document {
    DOCUMENT_CLIENTES,
    DOCUMENT_HEALTH_PLANO,
    DOCUMENT_HEALTH_DETALHADO,
    DOCUMENT_DASHBOARD,
    DOCUMENT_COUNT,
};

struct generation {
    atomic_uint references;
    struct manifest manifest;
    struct scored_snapshot scored;
    struct rendered_rows client_rows;
    struct rendered_rows tenant_rows[2];      /* by enum health_format */
    struct buffer unfiltered[DOCUMENT_COUNT]; /* finished bodies */
    bool answer_was_refused; /* the stored answer was unusable and was computed from the rows instead */
};

/* Takes the scored snapshot (even on failure, when it is cleared) and renders it. `stored` is the unfiltered answer
 * as the worker stored it, or NULL: then it is computed here, to the same result. The caller has the first
 * reference. */
MUST_CHECK enum status generation_new(const struct manifest *manifest, struct scored_snapshot *take_scored,
                                      const struct answer *stored, struct generation **out,
                                      struct error *err);

struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation); /* NULL is fine */

/* The finished body of a document without filter; lives as long as the generation. */
struct bytes generation_unfiltered(const struct generation *generation, enum document document);

#endif
