/* api/data/row_sets.c - a mutex for each set of rows, held while that set is rendered. */
#include "api/data/row_sets.h"

#include <pthread.h>
#include <stdlib.h>

struct row_set {
    pthread_mutex_t mutex;
    bool is_rendered; /* from then on the rows do not change */
    struct rendered_rows rendered;
};

struct row_sets {
    const struct scored_snapshot *scored;
    struct row_set of[ROW_DOCUMENTS][MEDIA_COUNT];
};

struct row_sets *row_sets_new(const struct scored_snapshot *scored)
{
    struct row_sets *sets = calloc(1, sizeof *sets);
    if (sets == NULL)
        return NULL;
    sets->scored = scored;
    for (size_t document = 0; document < ROW_DOCUMENTS; document++)
        for (size_t media = 0; media < MEDIA_COUNT; media++)
            pthread_mutex_init(&sets->of[document][media].mutex, NULL);
    return sets;
}

void row_sets_free(struct row_sets *sets)
{
    if (sets == NULL)
        return;
    for (size_t document = 0; document < ROW_DOCUMENTS; document++)
        for (size_t media = 0; media < MEDIA_COUNT; media++) {
            struct row_set *set = &sets->of[document][media];
            rendered_rows_clear(&set->rendered);
            pthread_mutex_destroy(&set->mutex);
        }
    free(sets);
}

static enum status render(const struct scored_snapshot *scored, enum document document, enum media media,
                          struct rendered_rows *out, struct error *err)
{
    if (document == DOCUMENT_CLIENTES)
        return render_clients(scored, media, out, err);
    bool is_detalhado = document == DOCUMENT_HEALTH_DETALHADO;
    return render_tenants(scored, is_detalhado ? HEALTH_FORMAT_DETALHADO : HEALTH_FORMAT_PLANO, media, out,
                          err);
}

enum status row_sets_get(struct row_sets *sets, enum document document, enum media media,
                         const struct rendered_rows **out, struct error *err)
{
    struct row_set *set = &sets->of[document][media];
    enum status status = STATUS_OK;
    pthread_mutex_lock(&set->mutex);
    if (!set->is_rendered) {
        status = render(sets->scored, document, media, &set->rendered, err);
        set->is_rendered = status == STATUS_OK;
        if (!set->is_rendered)
            rendered_rows_clear(&set->rendered);
    }
    pthread_mutex_unlock(&set->mutex);
    if (status == STATUS_OK)
        *out = &set->rendered;
    return status;
}
