/* api/data/render.h - rows and KPIs in any media type. A row is rendered once per generation and media type; an answer
 * is assembled from rendered rows. Pure; any thread, each with its own output. */
#ifndef ECOSYS_API_DATA_RENDER_H
#define ECOSYS_API_DATA_RENDER_H

#include "api/formats/media.h"
#include "api/formats/writer.h"
#include "common/base/buffer.h"
#include "common/domain/answer.h"
#include "common/domain/scored_snapshot.h"
#include "common/program/settings.h"

/* Rows back to back, so that neighbours are one run of bytes; in JSON each is followed by its comma. A row may be
 * empty: a tenant without slug has none in the shape keyed by slug. */
struct rendered_rows {
    const struct writer_type *type;
    struct buffer text;
    size_t names_len; /* of the field names written before the rows */
    size_t *ends;     /* owned: where each row ends in the text */
    size_t count;
};

/* Fill an empty *out, which rendered_rows_clear frees, also after a failure. Tenants can be a table (MEDIA_CSV) only in
 * the shape HEALTH_FORMAT_PLANO. */
MUST_CHECK enum status render_clients(const struct scored_snapshot *scored, enum media media,
                                      struct rendered_rows *out, struct error *err);
MUST_CHECK enum status render_tenants(const struct scored_snapshot *scored, enum health_format format,
                                      enum media media, struct rendered_rows *out, struct error *err);
void rendered_rows_clear(struct rendered_rows *rows);

/* Append the documents of /clientes, /health-scores and /dashboard for one answer to `out`. KPIs cannot be a table. */
void assemble_clients(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out);
void assemble_tenants(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out);
MUST_CHECK enum status render_dashboard(const struct scoring_model *model, const struct kpis *kpis,
                                        enum media media, struct buffer *out, struct error *err);

#endif
