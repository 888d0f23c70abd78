/* api/render.h - rows and KPIs as any media type. A row is rendered once a generation and media type; an answer is an
 * assembly of rendered rows. Pure; any thread, each with its own output. */
#ifndef ECOSYS_API_RENDER_H
#define ECOSYS_API_RENDER_H

#include "api/media.h"
#include "api/writer.h"
#include "common/answer.h"
#include "common/buffer.h"
#include "common/scored_snapshot.h"
#include "common/settings.h"

/* Rows one behind the other, so that neighbours are one run of bytes; in JSON each with its comma behind it. A row may be
 * empty: a tenant without slug has none in the shape keyed by slug. */
struct rendered_rows {
    const struct writer_type *type;
    struct buffer text;
    size_t names_len; /* of what was written for the names of the fields, in front of the rows */
    size_t *ends;     /* owned: where each row ends in the text */
    size_t count;
};

/* Fill an empty *out, which rendered_rows_clear frees, also after a failure. Tenants are a table (MEDIA_CSV) in the
 * shape HEALTH_FORMAT_PLANO only. */
MUST_CHECK enum status render_clients(const struct scored_snapshot *scored, enum media media,
                                      struct rendered_rows *out, struct error *err);
MUST_CHECK enum status render_tenants(const struct scored_snapshot *scored, enum health_format format,
                                      enum media media, struct rendered_rows *out, struct error *err);
void rendered_rows_clear(struct rendered_rows *rows);

/* The documents of /clientes, /health-scores and /dashboard for one answer, appended to `out`. KPIs are no table. */
void assemble_clients(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out);
void assemble_tenants(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out);
MUST_CHECK enum status render_dashboard(const struct scoring_model *model, const struct kpis *kpis,
                                        enum media media, struct buffer *out, struct error *err);

#endif
