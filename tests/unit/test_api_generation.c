/* tests/unit/test_api_generation.c - an answer that the worker stored and the same one computed on demand are equal to
 * the byte, and both hold exactly the rows that pass: over many random snapshots and filters. What the API gets has
 * gone through the codec, as it does through Redis. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/data/documents.h"
#include "common/domain/score.h"
#include "tests/unit/api_support.h"

#define ROWS_LIMIT    80
#define DOCUMENTS_MAX (1u << 20)
#define TODAY         19782 /* 2024-02-29 */
#define SEED          UINT64_C(20240229)
#define GENERATION    7

struct rows {
    struct client clients[ROWS_LIMIT];
    struct tenant tenants[ROWS_LIMIT];
    size_t clients_count, tenants_count;
    char names[ROWS_LIMIT][16];
};

static struct workshop workshop; /* documents_make only counts in it */
/* A number below `below`. */
static size_t pick(uint64_t *random, size_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (size_t)((*random >> 11) % below);
}

static int32_t pick_day(uint64_t *random)
{
    static const int32_t ends[] = {DAY_FIRST, -1, 0, TODAY, DAY_LAST};
    size_t kind = pick(random, 12);
    if (kind < COUNT(ends))
        return ends[kind];
    return TODAY - (int32_t)pick(random, kind < 8 ? 40 : 1200);
}

/* Few CNPJs, so that clients and tenants share some, and some have none. */
static bool pick_cnpj(uint64_t *random, struct cnpj_key *key, struct cnpj_shown *shown)
{
    static const char *const cnpjs[] = {"101", "102", "103", "104", "12ABC34501DE35", "", "0"};
    struct bytes text = bytes_of(cnpjs[pick(random, COUNT(cnpjs))]);
    bool has_key = cnpj_key_parse(text, key);
    *shown = (struct cnpj_shown){!has_key         ? CNPJ_NULL
                                 : text.len == 14 ? CNPJ_TEXT
                                                  : CNPJ_NUMBER,
                                 has_key ? text : (struct bytes){NULL, 0}};
    return has_key;
}

static struct client random_client(uint64_t *random, size_t index, const char *name)
{
    static const char *const pipelines[] = {"CS | ONBOARDING",        "CS | ONGOING", "CS | BRADESCO",
                                            "Churns & Cancelamentos", "Vendas",       NULL};
    static const struct decimal valors[] = {{0, 0}, {-1234, 2}, {1500, 0}, {999999999999, 2}, {5, 3}};
    struct client client = {.id = (int64_t)index * 3 - 20,
                            .nome = bytes_of(name),
                            .pipeline = bytes_of(pipelines[pick(random, COUNT(pipelines))]),
                            .has_valor = pick(random, 5) > 0,
                            .has_tmo = pick(random, 3) > 0,
                            .tmo_days = (int32_t)pick(random, 60) - 5};
    if (client.has_valor)
        client.valor = valors[pick(random, COUNT(valors))];
    if (pick(random, 5) > 0)
        client.data_adesao = (struct timestamp){
            pick_day(random) * US_PER_DAY + (int64_t)pick(random, 2) * 86399 * US_PER_S, TIMESTAMP_TIME};
    if (pick(random, 2) > 0)
        client.data_end_onboarding = (struct timestamp){TODAY * US_PER_DAY, TIMESTAMP_DATE};
    client.has_cnpj_key = pick_cnpj(random, &client.cnpj_key, &client.cnpj);
    return client;
}

static struct event_stats random_events(uint64_t *random)
{
    return (struct event_stats){pick(random, 90),
                                pick(random, 5) == 0 ? DAY_NONE : TODAY - (int32_t)pick(random, 40)};
}

static struct tenant random_tenant(uint64_t *random, size_t index, const char *name)
{
    static const int64_t integrators[] = {1, 3, 4, 4, 13, 16, 99};
    struct tenant tenant = {.id = index * 7,
                            .name = bytes_of(name),
                            .logins = random_events(random),
                            .entries = random_events(random),
                            .outs = random_events(random),
                            .leads = random_events(random),
                            .integrators = integrators,
                            .integrators_count = (uint32_t)pick(random, COUNT(integrators) + 1),
                            .contracts_count = pick(random, 4),
                            .is_normal = pick(random, 6) > 0,
                            .econversa_open = pick(random, 2) > 0,
                            .has_recent_message = pick(random, 2) > 0,
                            .has_recent_ad = pick(random, 2) > 0,
                            .has_recent_report = pick(random, 2) > 0};
    if (pick(random, 6) > 0)
        tenant.slug = bytes_of(name);
    tenant.has_cnpj_key = pick_cnpj(random, &tenant.cnpj_key, &tenant.cnpj);
    return tenant;
}

static void fill_rows(uint64_t *random, struct rows *rows)
{
    *rows =
        (struct rows){.clients_count = pick(random, ROWS_LIMIT), .tenants_count = pick(random, ROWS_LIMIT)};
    for (size_t i = 0; i < ROWS_LIMIT; i++)
        snprintf(rows->names[i], sizeof rows->names[i], "n%zu \xC3\xA7", i);
    for (size_t i = 0; i < rows->clients_count; i++)
        rows->clients[i] = random_client(random, i, rows->names[i]);
    for (size_t i = 0; i < rows->tenants_count; i++)
        rows->tenants[i] = random_tenant(random, i, rows->names[i]);
}

/* What the worker would publish. */
struct published_blobs {
    struct buffer manifest, model, clients, tenants;
    struct buffer answers[BUCKETS_MAX];
    struct date_filter filters[BUCKETS_MAX];
    size_t filters_count;
};

static void pack_generation(const struct rows *rows, struct scored_snapshot *scored,
                            struct published_blobs *blobs)
{
    struct snapshot snapshot = {.instants = {.as_of_wall_us = TODAY * US_PER_DAY + 5}};
    struct error err;
    size_t client = 0, tenant = 0;
    snapshot.clients.rows = (struct client *)(uintptr_t)rows->clients;
    snapshot.clients.count = rows->clients_count;
    snapshot.tenants.rows = (struct tenant *)(uintptr_t)rows->tenants;
    snapshot.tenants.count = rows->tenants_count;
    if (score(&snapshot, &builtin_model, scored, &err) != STATUS_OK)
        fail_msg("score: %s", err.message);
    const struct manifest manifest = {.generation = GENERATION,
                                      .instants = scored->instants,
                                      .clients_count = (uint32_t)scored->clients_count,
                                      .tenants_count = (uint32_t)scored->tenants_count,
                                      .groups_count = (uint32_t)scored->groups_count,
                                      .client_chunks = scored->clients_count > 0,
                                      .tenant_chunks = scored->tenants_count > 0};
    assert_int_equal(codec_pack_manifest(&manifest, &blobs->manifest, &err), STATUS_OK);
    assert_int_equal(codec_pack_model(&builtin_model, &blobs->model, &err), STATUS_OK);
    assert_int_equal(codec_pack_clients(scored, &client, &blobs->clients, &err), STATUS_OK);
    assert_int_equal(codec_pack_tenants(scored, &tenant, &blobs->tenants, &err), STATUS_OK);
    for (size_t i = 0; i < blobs->filters_count; i++) {
        struct answer made;
        assert_int_equal(answer(scored, blobs->filters[i], &made, &err), STATUS_OK);
        assert_int_equal(codec_pack_answer(&made, &blobs->answers[i], &err), STATUS_OK);
        answer_clear(&made);
    }
}

static void free_blobs(struct published_blobs *blobs)
{
    buffer_clear(&blobs->manifest);
    buffer_clear(&blobs->model);
    buffer_clear(&blobs->clients);
    buffer_clear(&blobs->tenants);
    for (size_t i = 0; i < blobs->filters_count; i++)
        buffer_clear(&blobs->answers[i]);
}

static enum status unpack_rows(const struct published_blobs *blobs, struct loaded *loaded, struct error *err)
{
    struct scored_snapshot *scored = &loaded->scored;
    struct manifest *manifest = &loaded->manifest;
    if (codec_unpack_manifest(buffer_bytes(&blobs->manifest), manifest, err) != STATUS_OK ||
        codec_unpack_model(buffer_bytes(&blobs->model), &scored->arena, &scored->model, err) != STATUS_OK ||
        codec_begin_rows(manifest, scored, err) != STATUS_OK ||
        codec_unpack_clients(buffer_bytes(&blobs->clients), manifest, scored, err) != STATUS_OK ||
        codec_unpack_tenants(buffer_bytes(&blobs->tenants), manifest, scored, err) != STATUS_OK)
        return err->code;
    return codec_end_rows(manifest, scored, err);
}

/* What an API makes of the blobs, with or without the stored answers. */
static struct generation *load(const struct published_blobs *blobs, bool with_answers)
{
    struct generation *generation = NULL;
    struct loaded loaded;
    struct error err;
    loaded_init(&loaded);
    if (unpack_rows(blobs, &loaded, &err) != STATUS_OK)
        fail_msg("unpack_rows: %s", err.message);
    loaded.stored.items = calloc(blobs->filters_count + 1, sizeof *loaded.stored.items);
    assert_non_null(loaded.stored.items);
    for (size_t i = 0; with_answers && i < blobs->filters_count; i++) {
        struct answer *stored = &loaded.stored.items[loaded.stored.count++];
        if (codec_unpack_answer(buffer_bytes(&blobs->answers[i]), &loaded.manifest, stored, &err) !=
            STATUS_OK)
            fail_msg("answer %zu: %s", i, err.message);
    }
    if (generation_new(&loaded, DOCUMENTS_MAX, &generation, &err) != STATUS_OK)
        fail_msg("generation_new: %s", err.message);
    return generation;
}

static struct representation *make(const char *name, const struct generation *generation,
                                   const struct document_key *key, enum document_source expected)
{
    struct representation *body = NULL;
    struct error err;
    enum document_source source = SOURCE_CACHE;
    if (documents_make(generation, key, &workshop, NULL, &body, &source, &err) != STATUS_OK)
        fail_msg("%s, document %d: %s", name, (int)key->document, err.message);
    if (source != expected)
        fail_msg("%s, document %d: source is %d, expected %d", name, (int)key->document, (int)source,
                 (int)expected);
    return body;
}

static bool passes(const struct client *client, struct date_filter filter)
{
    if (client->data_adesao.kind == TIMESTAMP_NONE)
        return date_filter_is_open(filter);
    int32_t day = day_of_wall_us(client->data_adesao.wall_us);
    return day >= filter.first_day && day <= filter.last_day;
}

static bool matches(const struct rows *rows, const struct tenant *tenant, struct date_filter filter)
{
    for (size_t i = 0; tenant->is_normal && tenant->has_cnpj_key && i < rows->clients_count; i++) {
        const struct client *client = &rows->clients[i];
        if (client->has_cnpj_key && passes(client, filter) &&
            memcmp(&client->cnpj_key, &tenant->cnpj_key, sizeof tenant->cnpj_key) == 0)
            return true;
    }
    return false;
}

/* How often a text is in a body. */
static size_t occurrences(const struct representation *body, const char *text)
{
    const char *at = body->data, *end = body->data + body->len;
    size_t found = 0, len = strlen(text);
    while ((at = memmem(at, (size_t)(end - at), text, len)) != NULL) {
        found++;
        at += len;
    }
    return found;
}

static void check_member(const char *name, const struct representation *body, const char *key, bool expected)
{
    size_t found = occurrences(body, key);
    if (found != (expected ? 1 : 0))
        fail_msg("%s: %s is there %zu times, expected %d", name, key, found, expected);
}

/* The rows that pass, found one by one, and no others. */
static void check_members(const char *name, const struct rows *rows, const struct document_key *key,
                          const struct representation *body)
{
    char text[64];
    for (size_t i = 0; key->document == DOCUMENT_CLIENTES && i < rows->clients_count; i++) {
        snprintf(text, sizeof text, "\"%" PRId64 "\":{\"client_id\":%" PRId64 ",", rows->clients[i].id,
                 rows->clients[i].id);
        check_member(name, body, text, passes(&rows->clients[i], key->filter));
    }
    for (size_t i = 0; key->document == DOCUMENT_HEALTH_PLANO && i < rows->tenants_count; i++) {
        snprintf(text, sizeof text, "\"%" PRIu64 "\":{\"tenant_id\":%" PRIu64 ",", rows->tenants[i].id,
                 rows->tenants[i].id);
        check_member(name, body, text, matches(rows, &rows->tenants[i], key->filter));
    }
    for (size_t i = 0; key->document == DOCUMENT_HEALTH_DETALHADO && i < rows->tenants_count; i++) {
        snprintf(text, sizeof text, ":{\"tenant_id\":\"%" PRIu64 "\",", rows->tenants[i].id);
        check_member(name, body, text,
                     rows->tenants[i].slug.len > 0 && matches(rows, &rows->tenants[i], key->filter));
    }
}

/* KPIs and the nested shape are no tables. */
static bool is_offered(enum document document, enum media media)
{
    return media != MEDIA_CSV || document == DOCUMENT_CLIENTES || document == DOCUMENT_HEALTH_PLANO;
}

static void check_key(const char *name, const struct rows *rows, const struct generation *with,
                      const struct generation *without, const struct document_key *key)
{
    struct representation *stored = make(name, with, key, SOURCE_BUCKET);
    struct representation *computed = make(name, without, key, SOURCE_COMPUTED);
    if (!bytes_equal((struct bytes){stored->data, stored->len},
                     (struct bytes){computed->data, computed->len}) ||
        strcmp(stored->etag, computed->etag) != 0 || stored->encoding != computed->encoding ||
        stored->media != key->media)
        fail_msg("%s, document %d as %s: stored is\n%.*s\ncomputed is\n%.*s", name, (int)key->document,
                 media_row(key->media)->type, (int)stored->len, stored->data, (int)computed->len,
                 computed->data);
    if (key->encoding == ENCODING_IDENTITY && key->media == MEDIA_JSON)
        check_members(name, rows, key, stored);
    representation_unref(stored);
    representation_unref(computed);
}

/* Every document for one filter; returns how many were compared. */
static size_t check_filter(const char *name, const struct rows *rows, const struct generation *with,
                           const struct generation *without, struct date_filter filter)
{
    size_t compared = 0;
    for (enum document document = 0; document < DOCUMENT_LOGINS; document++)
        for (enum media media = 0; media < MEDIA_COUNT; media++)
            for (int encoding = ENCODING_IDENTITY; encoding <= ENCODING_GZIP; encoding++) {
                const struct document_key key = {filter, 0, document, media, (enum encoding)encoding};
                if (!is_offered(document, media))
                    continue;
                check_key(name, rows, with, without, &key);
                compared++;
            }
    return compared;
}

/* The buckets of a worker, of which some were asked for by people. */
static void pick_filters(uint64_t *random, struct published_blobs *blobs)
{
    struct date_filter popular[40];
    for (size_t i = 0; i < COUNT(popular); i++) {
        int32_t a = pick_day(random), b = pick_day(random);
        popular[i] = (struct date_filter){pick(random, 5) == 0 ? DAY_MIN
                                          : a < b              ? a
                                                               : b,
                                          pick(random, 5) == 0 ? DAY_MAX
                                          : a < b              ? b
                                                               : a};
    }
    blobs->filters_count =
        buckets_list(TODAY - (int32_t)pick(random, 400), TODAY, popular, COUNT(popular), blobs->filters);
}

static void test_stored_answers_equal_computed_ones(void **state)
{
    enum { SNAPSHOTS = 30 };
    static struct published_blobs blobs;
    static struct rows rows;
    uint64_t random = SEED;
    size_t cases = 0;
    (void)state;
    for (int i = 0; i < SNAPSHOTS; i++) {
        struct scored_snapshot scored;
        blobs = (struct published_blobs){.filters_count = 0};
        scored_snapshot_init(&scored);
        fill_rows(&random, &rows);
        pick_filters(&random, &blobs);
        pack_generation(&rows, &scored, &blobs);
        struct generation *with = load(&blobs, true), *without = load(&blobs, false);
        for (size_t j = 0; j < blobs.filters_count; j++) {
            char name[96];
            snprintf(name, sizeof name, "seed %" PRIu64 ", snapshot %d, days %" PRId32 " to %" PRId32, SEED,
                     i, blobs.filters[j].first_day, blobs.filters[j].last_day);
            cases += check_filter(name, &rows, with, without, blobs.filters[j]);
        }
        generation_unref(with);
        generation_unref(without);
        scored_snapshot_clear(&scored);
        free_blobs(&blobs);
    }
    print_message("seed %" PRIu64 ": %zu answers compared\n", SEED, cases);
    assert_true(cases >= 2000);
}

static struct generation *empty_generation(const uint64_t *ids, size_t count)
{
    struct generation *generation = NULL;
    struct loaded loaded;
    struct error err;
    loaded_nothing(&loaded, GENERATION);
    assert_int_equal(scored_snapshot_index(&loaded.scored, &err), STATUS_OK);
    loaded.tenant_ids = calloc(count + 1, sizeof *ids);
    assert_non_null(loaded.tenant_ids);
    for (size_t i = 0; i < count; i++)
        loaded.tenant_ids[i] = ids[i];
    loaded.tenant_ids_count = count;
    assert_int_equal(generation_new(&loaded, DOCUMENTS_MAX, &generation, &err), STATUS_OK);
    assert_null(loaded.tenant_ids); /* was taken */
    return generation;
}

static void test_tenants_that_there_are(void **state)
{
    static const uint64_t ids[] = {1, 2, 40, UINT32_MAX, UINT64_MAX};
    struct generation *none = empty_generation(ids, 0), *some = empty_generation(ids, COUNT(ids));
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        assert_true(generation_has_tenant(some, ids[i]));
        assert_false(generation_has_tenant(none, ids[i]));
        if (ids[i] + 1 != 2)
            assert_false(generation_has_tenant(some, ids[i] + 1));
    }
    assert_false(generation_has_tenant(some, 0));
    generation_unref(none);
    generation_unref(some);
}

static void test_lifetime(void **state)
{
    struct generation *generation = empty_generation(NULL, 0);
    (void)state;
    assert_int_equal(generation_number(NULL), 0);
    assert_int_equal(generation_number(generation), GENERATION);
    assert_int_equal(generation_taken_at_ms(generation), TAKEN_AT_MS);
    assert_null(
        document_cache_find(generation->documents, &(struct document_key){.filter = DATE_FILTER_ALL}));
    assert_ptr_equal(generation_ref(generation), generation);
    generation_unref(generation);
    generation_unref(generation);
    generation_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_answers_equal_computed_ones),
        cmocka_unit_test(test_tenants_that_there_are),
        cmocka_unit_test(test_lifetime),
    };
    return cmocka_run_group_tests_name("api_generation", tests, load_builtin_model, free_builtin_model);
}
