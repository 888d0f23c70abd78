/* api/data/row_sets.c - a mutex for each set of rows, held while that set is rendered. */
#include "api/data/row_sets.h"

#include <pthread.h>
#include <stdlib.h>

struct rendered_set {
    pthread_mutex_t mutex;
    bool is_rendered; /* from then on the rows do not change */
    struct rendered_rows rendered;
};

struct row_sets {
    const struct scored_snapshot *scored;
    struct rendered_set of[ROW_SET_COUNT][MEDIA_COUNT];
};

struct row_sets *row_sets_new(const struct scored_snapshot *scored)
{
    struct row_sets *sets = calloc(1, sizeof *sets);
    if (sets == NULL)
        return NULL;
    sets->scored = scored;
    for (size_t kind = 0; kind < ROW_SET_COUNT; kind++)
        for (size_t media = 0; media < MEDIA_COUNT; media++)
            pthread_mutex_init(&sets->of[kind][media].mutex, NULL);
    return sets;
}

void row_sets_free(struct row_sets *sets)
{
    if (sets == NULL)
        return;
    for (size_t kind = 0; kind < ROW_SET_COUNT; kind++)
        for (size_t media = 0; media < MEDIA_COUNT; media++) {
            struct rendered_set *set = &sets->of[kind][media];
            rendered_rows_clear(&set->rendered);
            pthread_mutex_destroy(&set->mutex);
        }
    free(sets);
}

static enum status render(const struct scored_snapshot *scored, enum row_set kind, enum media media,
                          struct rendered_rows *out, struct error *err)
{
    if (kind == ROW_SET_CLIENTS)
        return render_clients(scored, media, out, err);
    bool is_detalhado = kind == ROW_SET_TENANTS_DETALHADO;
    return render_tenants(scored, is_detalhado ? HEALTH_FORMAT_DETALHADO : HEALTH_FORMAT_PLANO, media, out,
                          err);
}

enum status row_sets_get(struct row_sets *sets, enum row_set kind, enum media media,
                         const struct rendered_rows **out, struct error *err)
{
    struct rendered_set *set = &sets->of[kind][media];
    enum status status = STATUS_OK;
    pthread_mutex_lock(&set->mutex);
    if (!set->is_rendered) {
        status = render(sets->scored, kind, media, &set->rendered, err);
        set->is_rendered = status == STATUS_OK;
        if (!set->is_rendered)
            rendered_rows_clear(&set->rendered);
    }
    pthread_mutex_unlock(&set->mutex);
    if (status == STATUS_OK)
        *out = &set->rendered;
    return status;
}
