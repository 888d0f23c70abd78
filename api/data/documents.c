/* api/data/documents.c - the table of documents; jobs that make them. */
#include "api/data/documents.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/program/log.h"

#define WARM_DOCUMENTS 64

/* A document is assembled from the answer to its filter, or fetched for its tenant: one of the two. */
struct document_type {
    enum status (*assemble)(const struct generation *generation, const struct answer *answer,
                            enum media media, struct buffer *out, struct error *err);
    enum status (*fetch)(struct login_fetcher *fetcher, uint64_t generation, uint64_t tenant_id,
                         enum media media, struct buffer *out, struct error *err);
    bool is_warmed; /* made ahead of a flip: always without a filter, else as far as time and room allow */
    bool is_small;  /* always just some hundred bytes, so made however much is still being sent */
};

static enum status assemble_clientes(const struct generation *generation, const struct answer *answer,
                                     enum media media, struct buffer *out, struct error *err)
{
    const struct rendered_rows *rows;
    if (row_sets_get(generation->row_sets, ROW_SET_CLIENTS, media, &rows, err) != STATUS_OK)
        return err->code;
    assemble_clients(rows, answer, out);
    return STATUS_OK;
}

static enum status assemble_scores(const struct generation *generation, const struct answer *answer,
                                   enum row_set kind, enum media media, struct buffer *out, struct error *err)
{
    const struct rendered_rows *rows;
    if (row_sets_get(generation->row_sets, kind, media, &rows, err) != STATUS_OK)
        return err->code;
    assemble_tenants(rows, answer, out);
    return STATUS_OK;
}

static enum status assemble_plano(const struct generation *generation, const struct answer *answer,
                                  enum media media, struct buffer *out, struct error *err)
{
    return assemble_scores(generation, answer, ROW_SET_TENANTS_PLANO, media, out, err);
}

static enum status assemble_detalhado(const struct generation *generation, const struct answer *answer,
                                      enum media media, struct buffer *out, struct error *err)
{
    return assemble_scores(generation, answer, ROW_SET_TENANTS_DETALHADO, media, out, err);
}

static enum status assemble_dashboard(const struct generation *generation, const struct answer *answer,
                                      enum media media, struct buffer *out, struct error *err)
{
    return render_dashboard(&generation->loaded.scored.model, &answer->kpis, media, out, err);
}

static const struct document_type DOCUMENTS[DOCUMENT_COUNT] = {
    [DOCUMENT_CLIENTES] = {.assemble = assemble_clientes, .is_warmed = true},
    [DOCUMENT_HEALTH_PLANO] = {.assemble = assemble_plano, .is_warmed = true},
    [DOCUMENT_HEALTH_DETALHADO] = {.assemble = assemble_detalhado, .is_warmed = true},
    [DOCUMENT_DASHBOARD] = {.assemble = assemble_dashboard, .is_warmed = true, .is_small = true},
    [DOCUMENT_LOGINS] = {.fetch = login_fetcher_make},
};

/* ---- Making one */

static enum status assemble(const struct generation *generation, const struct document_key *key,
                            struct buffer *content, enum document_source *source, struct error *err)
{
    struct answer computed = {.tenants = NULL};
    const struct answer *answered = stored_answers_find(&generation->loaded.stored, key->filter);
    *source = answered != NULL ? SOURCE_BUCKET : SOURCE_COMPUTED;
    if (answered == NULL) {
        if (answer(&generation->loaded.scored, key->filter, &computed, err) != STATUS_OK)
            return err->code;
        answered = &computed;
    }
    enum status status = DOCUMENTS[key->document].assemble(generation, answered, key->media, content, err);
    answer_clear(&computed);
    return status;
}

enum status documents_make(const struct generation *generation, const struct document_key *key,
                           struct workshop *workshop, struct login_fetcher *fetcher,
                           struct representation **out, enum document_source *source, struct error *err)
{
    const struct document_type *type = &DOCUMENTS[key->document];
    struct buffer content = BUFFER_INIT;
    enum document_source found = SOURCE_BUCKET;
    enum status status = type->fetch != NULL ? type->fetch(fetcher, generation_number(generation),
                                                           key->tenant_id, key->media, &content, err)
                                             : assemble(generation, key, &content, &found, err);
    if (status == STATUS_OK)
        status = representation_new(&content, key->media, key->encoding, out, err);
    buffer_clear(&content);
    if (status != STATUS_OK)
        return status;
    representation_count_in(*out, &workshop->count);
    *source = found;
    return STATUS_OK;
}

/* ---- Making one for those who wait for it */

struct making {
    struct generation *generation; /* a reference */
    struct workshop *workshop;
    struct document_key key;
    int64_t requested_ms;
};

static void pending_document_free(struct pending *pending)
{
    struct pending_document *waiting = pending_document_of(pending);
    representation_unref(waiting->document);
    free(waiting);
}

struct pending_document *pending_document_of(struct pending *pending)
{
    return (struct pending_document *)((char *)pending - offsetof(struct pending_document, pending));
}

/* Hands the result to all who wait. The last in the list, who was first to ask, had it made; for the others it came from
 * the cache. */
static void hand_out(struct pending *waiting, const struct generation *generation,
                     struct representation *document, enum document_source source,
                     const struct http_error *error)
{
    for (struct pending *next; waiting != NULL; waiting = next) {
        next = waiting->next;
        if (document == NULL) {
            pending_fail(waiting, error);
            continue;
        }
        struct pending_document *result = pending_document_of(waiting);
        result->generation = generation_number(generation);
        result->taken_at_ms = generation_taken_at_ms(generation);
        result->document = representation_ref(document);
        result->source = next == NULL ? source : SOURCE_CACHE;
        pending_done(waiting);
    }
}

/* True if clients that take their answers slowly, or not at all, hold so much that nothing large is made for now. */
static bool is_full(const struct workshop *workshop, enum document document)
{
    return !DOCUMENTS[document].is_small &&
           representation_count_unkept(&workshop->count) >= workshop->unkept_max;
}

/* The document, or NULL, with *error set to what the waiting clients are told. */
static struct representation *try_to_make(const struct making *making, struct login_fetcher *fetcher,
                                          enum document_source *source, const struct http_error **error)
{
    const struct workshop *workshop = making->workshop;
    struct representation *document = NULL;
    struct error err;
    *error = &ERROR_OVERLOADED;
    bool is_too_late = fetcher == NULL && clock_monotonic_ms() - making->requested_ms > workshop->wait_max_ms;
    if (is_too_late || is_full(workshop, making->key.document))
        return NULL;
    if (fetcher != NULL)
        fetcher->requested_ms = making->requested_ms;
    enum status status =
        documents_make(making->generation, &making->key, making->workshop, fetcher, &document, source, &err);
    /* The next generation may have what this one lacks. */
    bool is_for_now = status == STATUS_UNAVAILABLE || status == STATUS_NOT_FOUND || status == STATUS_CORRUPT;
    *error = is_for_now ? &ERROR_NO_DATA : &ERROR_INTERNAL;
    if (status != STATUS_OK)
        log_write(LOG_ERROR, "an answer could not be made", LOG_FIELDS(log_text("error", err.message)));
    return document;
}

static void making_free(struct making *making)
{
    generation_unref(making->generation);
    free(making);
}

/* In a thread of a pool; `thread_context` is a fetcher's, or NULL. */
static void run(void *context, void *thread_context)
{
    struct making *making = context;
    enum document_source source = SOURCE_COMPUTED;
    const struct http_error *error;
    struct representation *document = try_to_make(making, thread_context, &source, &error);
    struct pending *waiting = document_cache_end(making->generation->documents, &making->key, document);
    hand_out(waiting, making->generation, document, source, error);
    document_cache_trim(making->generation->documents); /* after that: freeing megabytes takes a while */
    representation_unref(document);
    making_free(making);
}

static bool submit(struct generation *generation, const struct document_key *key, struct workshop *workshop)
{
    struct pool *pool = DOCUMENTS[key->document].fetch != NULL ? workshop->fetchers : workshop->makers;
    struct making *making = is_full(workshop, key->document) ? NULL : malloc(sizeof *making);
    if (making == NULL)
        return false;
    *making = (struct making){generation_ref(generation), workshop, *key, clock_monotonic_ms()};
    if (pool_submit(pool, run, making))
        return true;
    making_free(making);
    return false;
}

static enum documents_result begin(struct generation *generation, const struct document_key *key,
                                   struct workshop *workshop, struct pending *pending,
                                   struct representation **out)
{
    switch (document_cache_begin(generation->documents, key, pending, out)) {
    case DOCUMENT_CACHE_FOUND: /* finished since it was looked up */
        pending_free(pending);
        return DOCUMENTS_FOUND;
    case DOCUMENT_CACHE_NO_MEMORY:
        pending_free(pending);
        return DOCUMENTS_NO_MEMORY;
    case DOCUMENT_CACHE_AWAITED:
        break;
    case DOCUMENT_CACHE_BEGUN:
        if (!submit(generation, key, workshop))
            hand_out(document_cache_end(generation->documents, key, NULL), generation, NULL, SOURCE_CACHE,
                     &ERROR_OVERLOADED);
        break;
    }
    return DOCUMENTS_PENDING;
}

enum documents_result documents_get(struct generation *generation, const struct document_key *key,
                                    struct workshop *workshop, struct exchange *exchange,
                                    struct representation **out)
{
    struct representation *found = document_cache_find(generation->documents, key);
    if (found != NULL) {
        *out = found;
        return DOCUMENTS_FOUND;
    }
    struct pending_document *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL)
        return DOCUMENTS_NO_MEMORY;
    pending_init(&waiting->pending, exchange, pending_document_free);
    return begin(generation, key, workshop, &waiting->pending, out);
}

/* ---- Making them ahead */

enum status documents_prepare(struct generation *generation, struct workshop *workshop, struct error *err)
{
    static const enum encoding encodings[] = {ENCODING_IDENTITY, ENCODING_GZIP};
    struct document_key key = {.filter = DATE_FILTER_ALL, .media = MEDIA_JSON};
    for (unsigned document = 0; document < DOCUMENT_COUNT; document++) {
        key.document = (enum document)document;
        for (size_t i = 0; i < sizeof encodings / sizeof encodings[0] && DOCUMENTS[document].is_warmed; i++) {
            struct representation *made;
            enum document_source source;
            key.encoding = encodings[i];
            if (documents_make(generation, &key, workshop, NULL, &made, &source, err) != STATUS_OK)
                return err->code;
            representation_to_file(made);
            document_cache_keep(generation->documents, &key, made);
            representation_unref(made);
        }
    }
    return STATUS_OK;
}

/* False if nothing more is to be made. */
static bool warm_one(struct generation *generation, const struct document_key *key, struct workshop *workshop)
{
    struct representation *made;
    enum document_source source;
    struct error ignored;
    if (documents_make(generation, key, workshop, NULL, &made, &source, &ignored) != STATUS_OK)
        return true;
    bool is_kept = document_cache_keep_as_oldest(generation->documents, key, made);
    representation_unref(made);
    return is_kept;
}

void documents_warm(struct generation *generation, const struct generation *previous,
                    struct workshop *workshop, int64_t deadline_ms)
{
    struct document_key keys[WARM_DOCUMENTS];
    size_t count = document_cache_list(previous->documents, keys, WARM_DOCUMENTS);
    bool goes_on = true;
    for (size_t i = 0; i < count && goes_on && clock_monotonic_ms() < deadline_ms; i++) {
        if (!DOCUMENTS[keys[i].document].is_warmed)
            continue;
        struct representation *known = document_cache_find(generation->documents, &keys[i]);
        goes_on = known != NULL || warm_one(generation, &keys[i], workshop);
        representation_unref(known);
    }
}
