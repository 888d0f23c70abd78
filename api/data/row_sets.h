/* api/data/row_sets.h - the rendered rows of one generation, of each kind and media type that was requested: each set
 * is rendered once, on the first request. Any thread that may block: others wait while a set is being rendered. */
#ifndef ECOSYS_API_DATA_ROW_SETS_H
#define ECOSYS_API_DATA_ROW_SETS_H

#include "api/data/render.h"

enum row_set {
    ROW_SET_CLIENTS,
    ROW_SET_TENANTS_PLANO,
    ROW_SET_TENANTS_DETALHADO,
    ROW_SET_COUNT,
};

struct row_sets;

/* `scored` must outlive them. NULL when memory is out. */
struct row_sets *row_sets_new(const struct scored_snapshot *scored);
void row_sets_free(struct row_sets *sets); /* NULL is fine */

/* *out is immutable and lives as long as the sets. After a failure the next call renders them again. */
MUST_CHECK enum status row_sets_get(struct row_sets *sets, enum row_set kind, enum media media,
                                    const struct rendered_rows **out, struct error *err);

#endif
