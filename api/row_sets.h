/* api/row_sets.h - the rendered rows of one generation, in each document and media type that somebody has asked for: each
 * rendered once, on the first question. Any thread; who comes while rows are being rendered waits, so it is for threads
 * that may. */
#ifndef ECOSYS_API_ROW_SETS_H
#define ECOSYS_API_ROW_SETS_H

#include "api/answers.h"
#include "api/render.h"

/* Documents that are made of rows: those in front of it. */
#define ROW_DOCUMENTS DOCUMENT_DASHBOARD

struct row_sets;

/* `scored` must outlive them. NULL when memory is out. */
struct row_sets *row_sets_new(const struct scored_snapshot *scored);
void row_sets_free(struct row_sets *sets); /* NULL is fine */

/* *out is immutable and lives as long as the sets. After a failure the next question has them rendered again. */
MUST_CHECK enum status row_sets_get(struct row_sets *sets, enum document document, enum media media,
                                    const struct rendered_rows **out, struct error *err);

#endif
