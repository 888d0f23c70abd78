/* api/generation.c - rendering a generation before it takes over, and its life. */
#include "api/generation.h"

#include <stdlib.h>

static enum status render_rows(struct generation *generation, struct error *err)
{
    const struct scored_snapshot *scored = &generation->scored;
    if (render_clients(scored, &generation->client_rows, err) != STATUS_OK ||
        render_tenants(scored, HEALTH_FORMAT_PLANO, &generation->tenant_rows[HEALTH_FORMAT_PLANO], err) !=
            STATUS_OK)
        return err->code;
    return render_tenants(scored, HEALTH_FORMAT_DETALHADO, &generation->tenant_rows[HEALTH_FORMAT_DETALHADO],
                          err);
}

static enum status assemble_unfiltered(struct generation *generation, const struct answer *all,
                                       struct error *err)
{
    struct buffer *bodies = generation->unfiltered;
    assemble_clients(&generation->client_rows, all, &bodies[DOCUMENT_CLIENTES]);
    assemble_tenants(&generation->tenant_rows[HEALTH_FORMAT_PLANO], all, &bodies[DOCUMENT_HEALTH_PLANO]);
    assemble_tenants(&generation->tenant_rows[HEALTH_FORMAT_DETALHADO], all,
                     &bodies[DOCUMENT_HEALTH_DETALHADO]);
    if (render_dashboard(&generation->scored.model, &all->kpis, &bodies[DOCUMENT_DASHBOARD], err) !=
        STATUS_OK)
        return err->code;
    for (int document = 0; document < DOCUMENT_COUNT; document++)
        if (buffer_is_failed(&bodies[document]))
            return error_no_memory(err);
    return STATUS_OK;
}

static enum status make_unfiltered(struct generation *generation, const struct answer *stored,
                                   struct error *err)
{
    struct answer computed;
    if (stored != NULL && stored->kpis.categories_count == generation->scored.model.categories_count)
        return assemble_unfiltered(generation, stored, err);
    generation->answer_was_refused = true;
    if (answer(&generation->scored, DATE_FILTER_ALL, &computed, err) != STATUS_OK)
        return err->code;
    enum status status = assemble_unfiltered(generation, &computed, err);
    answer_clear(&computed);
    return status;
}

enum status generation_new(const struct manifest *manifest, struct scored_snapshot *take_scored,
                           const struct answer *stored, struct generation **out, struct error *err)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        scored_snapshot_clear(take_scored);
        return error_no_memory(err);
    }
    atomic_init(&generation->references, 1);
    generation->manifest = *manifest;
    generation->scored = *take_scored;
    scored_snapshot_init(take_scored);
    if (render_rows(generation, err) != STATUS_OK || make_unfiltered(generation, stored, err) != STATUS_OK) {
        generation_unref(generation);
        return err->code;
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
    for (int document = 0; document < DOCUMENT_COUNT; document++)
        buffer_clear(&generation->unfiltered[document]);
    rendered_rows_clear(&generation->client_rows);
    rendered_rows_clear(&generation->tenant_rows[HEALTH_FORMAT_PLANO]);
    rendered_rows_clear(&generation->tenant_rows[HEALTH_FORMAT_DETALHADO]);
    scored_snapshot_clear(&generation->scored);
    free(generation);
}

struct bytes generation_unfiltered(const struct generation *generation, enum document document)
{
    return buffer_bytes(&generation->unfiltered[document]);
}
