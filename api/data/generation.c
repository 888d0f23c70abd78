/* api/data/generation.c - rendering a generation before it takes over, making its answers, and its lifetime. */
#include "api/data/generation.h"

#include <stdlib.h>

#include "common/base/clock.h"

#define WARM_ANSWERS 64

static void stored_answers_clear(struct stored_answers *stored)
{
    for (size_t i = 0; i < stored->count; i++)
        answer_clear(&stored->items[i]);
    free(stored->items);
    *stored = (struct stored_answers){NULL, 0};
}

/* Renders and makes the most requested answers, before the generation takes over. */
static enum status make_unfiltered(struct generation *generation, struct error *err)
{
    static const enum encoding encodings[] = {ENCODING_IDENTITY, ENCODING_GZIP};
    for (int document = 0; document < DOCUMENT_LOGINS; document++) {
        for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
            const struct answer_key key = {DATE_FILTER_ALL, 0, (enum document)document, MEDIA_JSON,
                                           encodings[i]};
            struct body *body;
            enum source source;
            if (generation_make(generation, &key, NULL, &body, &source, err) != STATUS_OK)
                return err->code;
            body_to_file(body);
            answers_keep(generation->answers, &key, body);
            body_unref(body);
        }
    }
    return STATUS_OK;
}

/* False if nothing more is to be made. */
static bool warm_one(struct generation *generation, const struct answer_key *key)
{
    struct body *body;
    enum source source;
    struct error ignored;
    if (generation_make(generation, key, NULL, &body, &source, &ignored) != STATUS_OK)
        return true;
    bool is_kept = answers_keep_as_oldest(generation->answers, key, body);
    body_unref(body);
    return is_kept;
}

void generation_warm(struct generation *generation, const struct generation *previous, int64_t deadline_ms)
{
    struct answer_key keys[WARM_ANSWERS];
    size_t count = answers_list(previous->answers, keys, WARM_ANSWERS);
    bool goes_on = true;
    for (size_t i = 0; i < count && goes_on && clock_monotonic_ms() < deadline_ms; i++) {
        if (keys[i].document == DOCUMENT_LOGINS) /* they are still in Redis */
            continue;
        struct body *known = answers_find(generation->answers, &keys[i]);
        goes_on = known != NULL || warm_one(generation, &keys[i]);
        body_unref(known);
    }
}

void loaded_init(struct loaded *loaded)
{
    *loaded = (struct loaded){.tenant_ids = NULL};
    scored_snapshot_init(&loaded->scored);
}

void loaded_clear(struct loaded *loaded)
{
    stored_answers_clear(&loaded->stored);
    scored_snapshot_clear(&loaded->scored);
    free(loaded->tenant_ids);
    loaded_init(loaded);
}

enum status generation_new(struct loaded *take_loaded, struct answers_room *room, struct generation **out,
                           struct error *err)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        loaded_clear(take_loaded);
        return error_no_memory(err);
    }
    atomic_init(&generation->references, 1);
    generation->loaded = *take_loaded;
    loaded_init(take_loaded);
    generation->room = room;
    generation->answers = answers_new(room->kept_max);
    generation->row_sets = row_sets_new(&generation->loaded.scored);
    bool has_memory = generation->answers != NULL && generation->row_sets != NULL;
    enum status status = has_memory ? make_unfiltered(generation, err) : error_no_memory(err);
    if (status != STATUS_OK) {
        generation_unref(generation);
        return status;
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
    answers_free(generation->answers);
    row_sets_free(generation->row_sets);
    loaded_clear(&generation->loaded);
    free(generation);
}

struct origin generation_origin(const struct generation *generation)
{
    const struct manifest *manifest = &generation->loaded.manifest;
    return (struct origin){manifest->generation, manifest->instants.taken_at_ms};
}

static int compare_to_answer(const void *filter, const void *answer)
{
    return date_filter_compare(*(const struct date_filter *)filter, ((const struct answer *)answer)->filter);
}

static enum status assemble(const struct generation *generation, const struct answer *answer,
                            const struct answer_key *key, struct buffer *out, struct error *err)
{
    const struct rendered_rows *rows;
    if (key->document == DOCUMENT_DASHBOARD)
        return render_dashboard(&generation->loaded.scored.model, &answer->kpis, key->media, out, err);
    if (row_sets_get(generation->row_sets, key->document, key->media, &rows, err) != STATUS_OK)
        return err->code;
    if (key->document == DOCUMENT_CLIENTES)
        assemble_clients(rows, answer, out);
    else
        assemble_tenants(rows, answer, out);
    return STATUS_OK;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

bool generation_has_tenant(const struct generation *generation, uint64_t tenant_id)
{
    const struct loaded *loaded = &generation->loaded;
    return loaded->tenant_ids_count > 0 && bsearch(&tenant_id, loaded->tenant_ids, loaded->tenant_ids_count,
                                                   sizeof tenant_id, compare_ids) != NULL;
}

/* The stored answer for a filter, or NULL. */
static const struct answer *find_stored(const struct generation *generation, struct date_filter filter)
{
    const struct stored_answers *stored = &generation->loaded.stored;
    if (stored->count == 0)
        return NULL;
    return bsearch(&filter, stored->items, stored->count, sizeof *stored->items, compare_to_answer);
}

static enum status make_filtered(const struct generation *generation, const struct answer_key *key,
                                 struct buffer *content, enum source *source, struct error *err)
{
    struct answer computed = {.tenants = NULL};
    const struct answer *answered = find_stored(generation, key->filter);
    *source = answered != NULL ? SOURCE_BUCKET : SOURCE_COMPUTED;
    if (answered == NULL) {
        if (answer(&generation->loaded.scored, key->filter, &computed, err) != STATUS_OK)
            return err->code;
        answered = &computed;
    }
    enum status status = assemble(generation, answered, key, content, err);
    answer_clear(&computed);
    return status;
}

enum status generation_make(const struct generation *generation, const struct answer_key *key,
                            struct fetcher *fetcher, struct body **out, enum source *source,
                            struct error *err)
{
    struct buffer content = BUFFER_INIT;
    enum status status;
    if (key->document == DOCUMENT_LOGINS) {
        *source = SOURCE_BUCKET;
        status = logins_make(fetcher, generation->loaded.manifest.generation, key->tenant_id, key->media,
                             &content, err);
    } else {
        status = make_filtered(generation, key, &content, source, err);
    }
    if (status != STATUS_OK) {
        buffer_clear(&content);
        return status;
    }
    status = body_new(&content, key->media, key->encoding, out, err);
    if (status == STATUS_OK)
        body_count_in(*out, &generation->room->count);
    return status;
}
