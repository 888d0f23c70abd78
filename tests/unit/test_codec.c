/* tests/unit/test_codec.c - what is stored comes back as it was, to the last bit; whatever else is offered is refused
 * as STATUS_CORRUPT: cut, flipped, foreign, out of range, out of order, more or less than announced. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/stored/codec.h"
#include "common/stored/envelope.h"
#include "common/stored/pack.h"
#include "common/stored/pack_scan.h"
#include "tests/unit/support.h"

#define KINDS    7
#define WALL_MIN (DAY_FIRST * US_PER_DAY)
#define WALL_MAX ((DAY_LAST + 1) * US_PER_DAY - 1)

static const char *const KIND_NAMES[] = {"",        "manifest", "model",         "clients",
                                         "tenants", "answer",   "worker report", "buckets"};

/* One generation, and a blob of each kind of it. */
static struct {
    struct arena model_arena;
    struct scored_snapshot scored;
    struct manifest manifest;
    struct worker_report report;
    struct answer whole;
    struct buffer blobs[KINDS + 1];
} sample;

static const struct client CLIENTS[] = {
    {.id = INT64_MIN, .group = GROUP_NONE},
    {.id = 7,
     .nome = RAW(""),
     .razao_social = RAW("A\0B"),
     .vendedor = RAW("\xC3\xA7\xF0\x9F\x98\x80"),
     .cs = RAW("\""),
     .status = RAW("\\"),
     .pipeline = RAW("CS | ONGOING"),
     .motivos_churn = RAW("a\nb"),
     .descricao_cancelamento = RAW("\x7F"),
     .cnpj = {CNPJ_NUMBER, RAW("191")},
     .valor = {-999999999999, 2},
     .data_adesao = {WALL_MAX, TIMESTAMP_TIME},
     .data_start_onboarding = {WALL_MIN, TIMESTAMP_TIME},
     .data_end_onboarding = {DAY_LAST * US_PER_DAY, TIMESTAMP_DATE},
     .data_cancelamento = {WALL_MIN, TIMESTAMP_DATE},
     .criado_em = {-1, TIMESTAMP_TIME},
     .atualizado_em = {0, TIMESTAMP_DATE},
     .tmo_days = DAY_LAST - DAY_FIRST,
     .group = 1,
     .roles = CLIENT_ACTIVE | CLIENT_PAYING | CLIENT_ONBOARDING | CLIENT_CHURNED,
     .has_valor = true,
     .has_tmo = true},
    {.id = INT64_MAX,
     .cnpj = {CNPJ_TEXT, RAW("12ABC34501DE35")},
     .valor = {1, DECIMAL_SCALE_MAX},
     .data_adesao = {19782 * US_PER_DAY, TIMESTAMP_DATE},
     .tmo_days = DAY_FIRST - DAY_LAST,
     .roles = CLIENT_ACTIVE,
     .has_valor = true,
     .has_tmo = true},
    {.id = -1, .data_adesao = {WALL_MIN, TIMESTAMP_DATE}, .has_valor = true, .group = GROUP_NONE},
};

static const struct date_filter FILTERS[] = {
    {DAY_MIN, 0}, {DAY_MIN, DAY_MAX}, {-1, -1}, {19782, 19783}, {DAY_MAX, DAY_MAX}};

static const int64_t INTEGRATORS[] = {1, 1, 16};

static const struct tenant TENANTS[] = {
    {.id = UINT64_MAX,
     .slug = RAW("loja-1"),
     .name = RAW("Loja \xC3\x89 1"),
     .cnpj = {CNPJ_NUMBER, RAW("191")},
     .logins = {UINT64_MAX, DAY_LAST},
     .entries = {0, DAY_NONE},
     .outs = {1, DAY_FIRST},
     .leads = {UINT32_MAX, -1},
     .integrators = INTEGRATORS,
     .integrators_count = COUNT(INTEGRATORS),
     .group = 1,
     .scores = {.pillar_cents = {110, 0, INT32_MAX, 100}, .total_exact = INT64_MAX},
     .team_size = UINT64_MAX,
     .store_size = 25,
     .econversa_open = true},
    {.id = 0,
     .cnpj = {CNPJ_TEXT, RAW("")},
     .logins = {0, DAY_NONE},
     .entries = {0, DAY_NONE},
     .outs = {0, DAY_NONE},
     .leads = {0, DAY_NONE},
     .group = 0,
     .scores = {.total_exact = 30000001}},
    {.id = 9,
     .logins = {0, DAY_NONE},
     .entries = {0, DAY_NONE},
     .outs = {0, DAY_NONE},
     .leads = {0, DAY_NONE},
     .group = 0},
};

static const int64_t TENANT_CENTS[] = {INT64_C(9223372036855), 30, 0};
static const uint32_t TENANT_CATEGORIES[] = {3, 1, 0};

static bool fill_sample(void)
{
    struct scored_snapshot *scored = &sample.scored;
    scored->clients = arena_take_array(&scored->arena, COUNT(CLIENTS), sizeof *scored->clients);
    scored->tenants = arena_take_array(&scored->arena, COUNT(TENANTS), sizeof *scored->tenants);
    if (scored->clients == NULL || scored->tenants == NULL)
        return false;
    memcpy(scored->clients, CLIENTS, sizeof CLIENTS);
    memcpy(scored->tenants, TENANTS, sizeof TENANTS);
    scored->clients_count = COUNT(CLIENTS);
    scored->tenants_count = COUNT(TENANTS);
    scored->groups_count = 2;
    for (size_t i = 0; i < COUNT(TENANTS); i++)
        scored->tenants[i].scores.category = TENANT_CATEGORIES[i];
    sample.manifest = (struct manifest){
        .generation = UINT64_MAX,
        .instants = {WALL_MAX, -10800, INT64_C(1789000000000)},
        .skew_us = 1500,
        .clients_count = COUNT(CLIENTS),
        .tenants_count = COUNT(TENANTS),
        .groups_count = 2,
        .client_chunks = 1,
        .tenant_chunks = 1,
        .tenant_ids_count = 5,
        .tenant_id_chunks = 1,
        .replaced = {3, UINT64_MAX},
    };
    sample.report = (struct worker_report){5, "ecosys", "MySQL: gone"};
    return true;
}

static int pack_sample(void **state)
{
    struct error err;
    size_t client = 0, tenant = 0;
    struct buffer *blobs = sample.blobs;
    (void)state;
    arena_init(&sample.model_arena);
    scored_snapshot_init(&sample.scored);
    if (!fill_sample() ||
        scoring_model_parse(&sample.model_arena, scoring_model_builtin(), &sample.scored.model, &err) ||
        scored_snapshot_index(&sample.scored, &err) ||
        answer(&sample.scored, DATE_FILTER_ALL, &sample.whole, &err) ||
        codec_pack_manifest(&sample.manifest, &blobs[BLOB_MANIFEST], &err) ||
        codec_pack_model(&sample.scored.model, &blobs[BLOB_MODEL], &err) ||
        codec_pack_clients(&sample.scored, &client, &blobs[BLOB_CLIENTS], &err) ||
        codec_pack_tenants(&sample.scored, &tenant, &blobs[BLOB_TENANTS], &err) ||
        codec_pack_answer(&sample.whole, &blobs[BLOB_ANSWER], &err) ||
        codec_pack_worker_report(&sample.report, &blobs[BLOB_WORKER], &err) ||
        codec_pack_buckets(FILTERS, COUNT(FILTERS), &blobs[BLOB_BUCKETS], &err))
        return -1;
    return client == COUNT(CLIENTS) && tenant == COUNT(TENANTS) ? 0 : -1;
}

static int free_sample(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sample.blobs); i++)
        buffer_clear(&sample.blobs[i]);
    answer_clear(&sample.whole);
    scored_snapshot_clear(&sample.scored);
    arena_clear(&sample.model_arena);
    return 0;
}

static struct bytes sample_blob(int kind)
{
    return buffer_bytes(&sample.blobs[kind]);
}

static struct bytes sample_payload(int kind)
{
    struct bytes blob = sample_blob(kind);
    return (struct bytes){blob.data + ENVELOPE_HEADER_LEN, blob.len - ENVELOPE_HEADER_LEN};
}

/* Reads rows into `out`, which the caller clears. */
static enum status unpack_rows(struct bytes clients, struct bytes tenants, const struct manifest *manifest,
                               struct scored_snapshot *out, struct error *err)
{
    scored_snapshot_init(out);
    out->model = sample.scored.model;
    if (codec_begin_rows(manifest, out, err) != STATUS_OK ||
        codec_unpack_clients(clients, manifest, out, err) != STATUS_OK ||
        codec_unpack_tenants(tenants, manifest, out, err) != STATUS_OK)
        return err->code;
    return codec_end_rows(manifest, out, err);
}

/* Reads a blob as that kind, beside the sample's other blobs, and throws away what came. */
static enum status unpack_as(int kind, struct bytes blob, struct error *err)
{
    struct manifest manifest;
    struct worker_report report;
    struct scoring_model model;
    struct answer made = {.tenants = NULL};
    struct date_filter filters[BUCKETS_MAX];
    size_t filters_count;
    struct scored_snapshot scored;
    struct arena arena;
    enum status status = STATUS_OK;
    arena_init(&arena);
    scored_snapshot_init(&scored);
    if (kind == BLOB_MANIFEST)
        status = codec_unpack_manifest(blob, &manifest, err);
    else if (kind == BLOB_MODEL)
        status = codec_unpack_model(blob, &arena, &model, err);
    else if (kind == BLOB_CLIENTS)
        status = unpack_rows(blob, sample_blob(BLOB_TENANTS), &sample.manifest, &scored, err);
    else if (kind == BLOB_TENANTS)
        status = unpack_rows(sample_blob(BLOB_CLIENTS), blob, &sample.manifest, &scored, err);
    else if (kind == BLOB_ANSWER)
        status = codec_unpack_answer(blob, &sample.manifest, &made, err);
    else if (kind == BLOB_WORKER)
        status = codec_unpack_worker_report(blob, &report, err);
    else
        status = codec_unpack_buckets(blob, filters, &filters_count, err);
    answer_clear(&made);
    scored_snapshot_clear(&scored);
    arena_clear(&arena);
    return status;
}

static void check_status(const char *name, int kind, struct bytes blob, enum status expected)
{
    struct error err = {STATUS_OK, ""};
    enum status status = unpack_as(kind, blob, &err);
    if (status != expected)
        fail_msg("%s, %s: status is %s (%s), expected %s", KIND_NAMES[kind], name, status_word(status),
                 err.message, status_word(expected));
    if (status != STATUS_OK && (err.code != status || err.message[0] == '\0'))
        fail_msg("%s, %s: error is %s \"%s\", expected %s with words", KIND_NAMES[kind], name,
                 status_word(err.code), err.message, status_word(status));
}

/* An envelope around any payload. */
static void check_payload(const char *name, int kind, struct bytes payload, enum status expected)
{
    struct buffer blob = BUFFER_INIT;
    seal(&blob, (enum blob_kind)kind, payload);
    check_status(name, kind, buffer_bytes(&blob), expected);
    buffer_clear(&blob);
}

static void check_timestamp(const char *name, const char *what, struct timestamp found,
                            struct timestamp expected)
{
    check_int(name, what, found.kind, expected.kind);
    check_int(name, what, found.wall_us, expected.wall_us);
}

static void check_client(const struct client *found, const struct client *expected)
{
    char name[64];
    snprintf(name, sizeof name, "client %" PRId64, expected->id);
    check_int(name, "id", found->id, expected->id);
    check_bytes(name, "nome", found->nome, expected->nome);
    check_bytes(name, "razao_social", found->razao_social, expected->razao_social);
    check_bytes(name, "vendedor", found->vendedor, expected->vendedor);
    check_bytes(name, "cs", found->cs, expected->cs);
    check_bytes(name, "status", found->status, expected->status);
    check_bytes(name, "pipeline", found->pipeline, expected->pipeline);
    check_bytes(name, "motivos_churn", found->motivos_churn, expected->motivos_churn);
    check_bytes(name, "descricao", found->descricao_cancelamento, expected->descricao_cancelamento);
    check_int(name, "cnpj.form", found->cnpj.form, expected->cnpj.form);
    check_bytes(name, "cnpj", found->cnpj.text, expected->cnpj.text);
    check_int(name, "has_valor", found->has_valor, expected->has_valor);
    check_int(name, "valor is the same", found->valor.unscaled == expected->valor.unscaled, true);
    check_int(name, "valor.scale", found->valor.scale, expected->valor.scale);
    check_timestamp(name, "data_adesao", found->data_adesao, expected->data_adesao);
    check_timestamp(name, "start", found->data_start_onboarding, expected->data_start_onboarding);
    check_timestamp(name, "end", found->data_end_onboarding, expected->data_end_onboarding);
    check_timestamp(name, "cancelamento", found->data_cancelamento, expected->data_cancelamento);
    check_timestamp(name, "criado_em", found->criado_em, expected->criado_em);
    check_timestamp(name, "atualizado_em", found->atualizado_em, expected->atualizado_em);
    check_int(name, "has_tmo", found->has_tmo, expected->has_tmo);
    check_int(name, "tmo_days", found->tmo_days, expected->tmo_days);
    check_int(name, "group", found->group, expected->group);
    check_int(name, "roles", found->roles, expected->roles);
}

static void check_events(const char *name, const char *what, struct event_stats found,
                         struct event_stats expected)
{
    check_int(name, what, (int64_t)found.count, (int64_t)expected.count);
    check_int(name, what, found.newest_day, expected.newest_day);
}

static void check_tenant(const struct tenant *found, const struct tenant *expected, size_t row)
{
    char name[64];
    snprintf(name, sizeof name, "tenant %" PRIu64, expected->id);
    check_int(name, "id", (int64_t)found->id, (int64_t)expected->id);
    check_bytes(name, "slug", found->slug, expected->slug);
    check_bytes(name, "name", found->name, expected->name);
    check_int(name, "cnpj.form", found->cnpj.form, expected->cnpj.form);
    check_bytes(name, "cnpj", found->cnpj.text, expected->cnpj.text);
    check_events(name, "logins", found->logins, expected->logins);
    check_events(name, "entries", found->entries, expected->entries);
    check_events(name, "outs", found->outs, expected->outs);
    check_events(name, "leads", found->leads, expected->leads);
    check_int(name, "econversa_open", found->econversa_open, expected->econversa_open);
    check_int(name, "integrators_count", found->integrators_count, expected->integrators_count);
    for (uint32_t i = 0; i < expected->integrators_count; i++)
        check_int(name, "integrator", found->integrators[i], expected->integrators[i]);
    check_int(name, "group", found->group, expected->group);
    for (int i = 0; i < PILLAR_COUNT; i++)
        check_int(name, "pillar", found->scores.pillar_cents[i], expected->scores.pillar_cents[i]);
    check_int(name, "total_exact", found->scores.total_exact, expected->scores.total_exact);
    check_int(name, "total_cents", found->scores.total_cents, TENANT_CENTS[row]);
    check_int(name, "category", found->scores.category, TENANT_CATEGORIES[row]);
    check_int(name, "team_size", (int64_t)found->team_size, (int64_t)expected->team_size);
    check_int(name, "store_size", (int64_t)found->store_size, (int64_t)expected->store_size);
}

static void test_rows_come_back(void **state)
{
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    if (unpack_rows(sample_blob(BLOB_CLIENTS), sample_blob(BLOB_TENANTS), &sample.manifest, &scored, &err))
        fail_msg("unpack_rows: %s", err.message);
    for (size_t i = 0; i < COUNT(CLIENTS); i++)
        check_client(&scored.clients[i], &CLIENTS[i]);
    for (size_t i = 0; i < COUNT(TENANTS); i++)
        check_tenant(&scored.tenants[i], &TENANTS[i], i);
    check_int("snapshot", "groups_count", (int64_t)scored.groups_count, 2);
    check_int("snapshot", "undated_count", (int64_t)scored.undated_count, 1);
    check_int("snapshot", "taken_at_ms", scored.instants.taken_at_ms, INT64_C(1789000000000));
    check_int("snapshot", "replaced.texts", (int64_t)scored.replaced.texts, 3);
    check_int("snapshot", "mrr", decimal_sum_cents(scored.sums[COUNT(CLIENTS)].mrr), -999999999999);
    scored_snapshot_clear(&scored);
}

static void check_manifest(const char *name, const struct manifest *expected)
{
    struct buffer blob = BUFFER_INIT;
    struct manifest found;
    struct error err;
    assert_int_equal(codec_pack_manifest(expected, &blob, &err), STATUS_OK);
    if (codec_unpack_manifest(buffer_bytes(&blob), &found, &err) != STATUS_OK)
        fail_msg("%s: %s", name, err.message);
    check_int(name, "generation", (int64_t)found.generation, (int64_t)expected->generation);
    check_int(name, "as_of", found.instants.as_of_wall_us, expected->instants.as_of_wall_us);
    check_int(name, "offset", found.instants.as_of_offset_s, expected->instants.as_of_offset_s);
    check_int(name, "taken_at", found.instants.taken_at_ms, expected->instants.taken_at_ms);
    check_int(name, "skew", found.skew_us, expected->skew_us);
    check_int(name, "clients", found.clients_count, expected->clients_count);
    check_int(name, "tenants", found.tenants_count, expected->tenants_count);
    check_int(name, "groups", found.groups_count, expected->groups_count);
    check_int(name, "client chunks", found.client_chunks, expected->client_chunks);
    check_int(name, "tenant chunks", found.tenant_chunks, expected->tenant_chunks);
    check_int(name, "ids", found.tenant_ids_count, expected->tenant_ids_count);
    check_int(name, "id chunks", found.tenant_id_chunks, expected->tenant_id_chunks);
    check_int(name, "texts", (int64_t)found.replaced.texts, (int64_t)expected->replaced.texts);
    check_int(name, "values", (int64_t)found.replaced.values, (int64_t)expected->replaced.values);
    buffer_clear(&blob);
}

static void test_manifests_come_back(void **state)
{
    const struct manifest zero = {.generation = 0};
    const struct manifest early = {.generation = 1, .instants = {WALL_MIN, -86400, 0}, .clients_count = 1};
    const struct manifest large = {.generation = INT64_MAX,
                                   .instants = {0, 86400, INT64_C(253402300800000)},
                                   .skew_us = INT64_MAX,
                                   .clients_count = SUMMABLE_MAX,
                                   .tenants_count = ROWS_MAX,
                                   .groups_count = SUMMABLE_MAX,
                                   .client_chunks = SUMMABLE_MAX,
                                   .tenant_chunks = ROWS_MAX,
                                   .tenant_ids_count = ROWS_MAX,
                                   .tenant_id_chunks = ROWS_MAX,
                                   .replaced = {UINT64_MAX, UINT64_MAX}};
    (void)state;
    check_manifest("sample", &sample.manifest);
    check_manifest("zero", &zero);
    check_manifest("early", &early);
    check_manifest("large", &large);
}

static void test_reports_and_models_come_back(void **state)
{
    static const struct worker_report reports[] = {
        {0, "", ""}, {UINT64_MAX, "1234567890123456789012345678901", "São"}, {3, "mysql", "MySQL: gone"}};
    struct arena arena;
    struct scoring_model model;
    struct error err;
    (void)state;
    for (size_t i = 0; i < COUNT(reports); i++) {
        struct buffer blob = BUFFER_INIT;
        struct worker_report found = {77, "77", "77"};
        assert_int_equal(codec_pack_worker_report(&reports[i], &blob, &err), STATUS_OK);
        assert_int_equal(codec_unpack_worker_report(buffer_bytes(&blob), &found, &err), STATUS_OK);
        check_int(reports[i].last_error, "failures", (int64_t)found.failures, (int64_t)reports[i].failures);
        assert_string_equal(found.last_error, reports[i].last_error);
        assert_string_equal(found.reason, reports[i].reason);
        buffer_clear(&blob);
    }
    arena_init(&arena);
    assert_int_equal(codec_unpack_model(sample_blob(BLOB_MODEL), &arena, &model, &err), STATUS_OK);
    check_bytes("model", "text", model.text, scoring_model_builtin());
    check_int("model", "categories", (int64_t)model.categories_count, 4);
    arena_clear(&arena);
}

static void test_answers_come_back(void **state)
{
    static const struct date_filter filters[] = {
        {DAY_MIN, DAY_MAX}, {0, 0}, {DAY_MIN, 19782}, {19782, DAY_MAX}, {DAY_FIRST, DAY_LAST}};
    (void)state;
    for (size_t i = 0; i < COUNT(filters); i++) {
        struct buffer blob = BUFFER_INIT;
        struct answer made, found;
        struct error err;
        char name[64];
        snprintf(name, sizeof name, "days %d to %d", filters[i].first_day, filters[i].last_day);
        assert_int_equal(answer(&sample.scored, filters[i], &made, &err), STATUS_OK);
        made.kpis.churn_cents = INT64_MIN;
        made.kpis.mrr_cents = INT64_MAX;
        made.kpis.tmo_tenths = INT64_MAX;
        assert_int_equal(codec_pack_answer(&made, &blob, &err), STATUS_OK);
        if (codec_unpack_answer(buffer_bytes(&blob), &sample.manifest, &found, &err) != STATUS_OK)
            fail_msg("%s: %s", name, err.message);
        check_int(name, "first_day", found.filter.first_day, filters[i].first_day);
        check_int(name, "last_day", found.filter.last_day, filters[i].last_day);
        check_int(name, "first_client", (int64_t)found.first_client, (int64_t)made.first_client);
        check_int(name, "clients_count", (int64_t)found.clients_count, (int64_t)made.clients_count);
        check_int(name, "tenants_count", (int64_t)found.tenants_count, (int64_t)made.tenants_count);
        check_bytes(name, "tenants", (struct bytes){(const char *)found.tenants, found.tenants_len},
                    (struct bytes){(const char *)made.tenants, made.tenants_len});
        assert_memory_equal(&found.kpis, &made.kpis, sizeof found.kpis);
        answer_clear(&made);
        answer_clear(&found);
        buffer_clear(&blob);
    }
}

static void test_buckets_come_back(void **state)
{
    struct date_filter many[BUCKETS_MAX + 1], found[BUCKETS_MAX];
    struct error err;
    size_t count = 0;
    (void)state;
    assert_int_equal(codec_unpack_buckets(sample_blob(BLOB_BUCKETS), found, &count, &err), STATUS_OK);
    check_int("sample", "count", (int64_t)count, COUNT(FILTERS));
    for (size_t i = 0; i < COUNT(FILTERS); i++)
        check_int("sample", "order", date_filter_compare(found[i], FILTERS[i]), 0);
    for (int32_t i = 0; i <= BUCKETS_MAX; i++)
        many[i] = (struct date_filter){i, i};
    for (size_t len = BUCKETS_MAX; len <= BUCKETS_MAX + 1; len++) {
        struct buffer blob = BUFFER_INIT;
        assert_int_equal(codec_pack_buckets(many, len, &blob, &err), STATUS_OK);
        enum status status = codec_unpack_buckets(buffer_bytes(&blob), found, &count, &err);
        check_int("many", "status", status, len > BUCKETS_MAX ? STATUS_CORRUPT : STATUS_OK);
        check_int("many", "count", (int64_t)count, BUCKETS_MAX);
        buffer_clear(&blob);
    }
}

static void test_samples_are_fine(void **state)
{
    (void)state;
    for (int kind = 1; kind <= KINDS; kind++) {
        check_status("as it was packed", kind, sample_blob(kind), STATUS_OK);
        check_payload("sealed again", kind, sample_payload(kind), STATUS_OK);
    }
}

/* Each prefix is in memory of its own, so that a byte read behind it is seen. */
static void test_cut_at_every_length(void **state)
{
    (void)state;
    for (int kind = 1; kind <= KINDS; kind++) {
        struct bytes blob = sample_blob(kind), payload = sample_payload(kind);
        for (size_t len = 0; len < blob.len; len++) {
            char name[64], *copy = malloc(len + 1);
            assert_non_null(copy);
            snprintf(name, sizeof name, "cut to %zu bytes", len);
            memcpy(copy, blob.data, len);
            check_status(name, kind, (struct bytes){copy, len}, STATUS_CORRUPT);
            free(copy);
        }
        for (size_t len = 0; len < payload.len; len++) {
            char name[64];
            snprintf(name, sizeof name, "payload cut to %zu bytes", len);
            check_payload(name, kind, (struct bytes){payload.data, len}, STATUS_CORRUPT);
        }
        check_status("nothing", kind, (struct bytes){NULL, 0}, STATUS_CORRUPT);
    }
}

static void test_every_bit_flipped(void **state)
{
    struct buffer copy = BUFFER_INIT;
    (void)state;
    for (int kind = 1; kind <= KINDS; kind++) {
        buffer_reset(&copy);
        buffer_append(&copy, sample_blob(kind).data, sample_blob(kind).len);
        for (size_t bit = 0; bit < copy.len * 8; bit++) {
            char name[64];
            snprintf(name, sizeof name, "bit %zu flipped", bit);
            copy.data[bit / 8] = (char)(copy.data[bit / 8] ^ (1 << bit % 8));
            check_status(name, kind, buffer_bytes(&copy), STATUS_CORRUPT);
            copy.data[bit / 8] = (char)(copy.data[bit / 8] ^ (1 << bit % 8));
        }
    }
    buffer_clear(&copy);
}

/* Damage that the checksum does not show: any value may come out, but nothing else than OK or CORRUPT. */
static void test_every_byte_changed_under_a_right_checksum(void **state)
{
    static const unsigned char values[] = {0x00, 0x7f, 0x80, 0x9f, 0xbf, 0xc0, 0xc1,
                                           0xc6, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf, 0xff};
    struct buffer payload = BUFFER_INIT, blob = BUFFER_INIT;
    (void)state;
    for (int kind = 1; kind <= KINDS; kind++) {
        buffer_reset(&payload);
        buffer_append(&payload, sample_payload(kind).data, sample_payload(kind).len);
        for (size_t at = 0; at < payload.len; at++) {
            char old = payload.data[at];
            for (size_t i = 0; i < COUNT(values); i++) {
                struct error err = {STATUS_OK, ""};
                payload.data[at] = (char)values[i];
                seal(&blob, (enum blob_kind)kind, buffer_bytes(&payload));
                enum status status = unpack_as(kind, buffer_bytes(&blob), &err);
                if (status != STATUS_OK && status != STATUS_CORRUPT)
                    fail_msg("%s, byte %zu is %02x: status is %s (%s), expected ok or corrupt",
                             KIND_NAMES[kind], at, values[i], status_word(status), err.message);
            }
            payload.data[at] = old;
        }
    }
    buffer_clear(&payload);
    buffer_clear(&blob);
}

static void test_other_kinds_versions_and_magic(void **state)
{
    (void)state;
    for (int kind = 1; kind <= KINDS; kind++)
        for (int other = 1; other <= KINDS; other++) {
            struct buffer blob = BUFFER_INIT;
            buffer_append(&blob, sample_blob(other).data, sample_blob(other).len);
            if (other != kind) {
                check_status(KIND_NAMES[other], kind, buffer_bytes(&blob), STATUS_CORRUPT);
                check_payload("payload of another kind", kind, sample_payload(other), STATUS_CORRUPT);
            }
            blob.data[5] = ENVELOPE_VERSION + 1;
            check_status("next version", kind, buffer_bytes(&blob), STATUS_CORRUPT);
            blob.data[5] = 0;
            check_status("version 0", kind, buffer_bytes(&blob), STATUS_CORRUPT);
            blob.data[5] = ENVELOPE_VERSION;
            blob.data[3] = 'P';
            check_status("other magic", kind, buffer_bytes(&blob), STATUS_CORRUPT);
            buffer_clear(&blob);
        }
}

static void test_garbage(void **state)
{
    static const struct {
        const char *name;
        struct bytes payload;
    } rows[] = {
        {"empty", RAW("")},
        {"nil", RAW("\xC0")},
        {"empty array", RAW("\x90")},
        {"text", RAW("\xA3"
                     "abc")},
        {"map", RAW("\x81\x01\x02")},
        {"reserved type", RAW("\xC1")},
        {"extension", RAW("\xD4\x01\x02")},
        {"huge array", RAW("\xDD\x0F\xFF\xFF\xFF")},
        {"hugest array", RAW("\xDD\xFF\xFF\xFF\xFF")},
        {"huge map", RAW("\xDF\x0F\xFF\xFF\xFF")},
        {"huge text", RAW("\xDB\xFF\xFF\xFF\xFF")},
        {"huge bin", RAW("\xC6\xFF\xFF\xFF\xFF")},
        {"huge array in an array", RAW("\x91\xDD\x0F\xFF\xFF\xFF")},
        {"twelve huge arrays", RAW("\x9C\xDD\x0F\xFF\xFF\xFF\xDD\x0F\xFF\xFF\xFF\xC0\xC0\xC0\xC0\xC0\xC0")},
        {"deep", RAW("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xC0")},
        {"words", RAW("hello, world")},
    };
    char deep[5000];
    (void)state;
    memset(deep, '\x91', sizeof deep);
    for (int kind = 1; kind <= KINDS; kind++) {
        struct buffer more = BUFFER_INIT;
        for (size_t i = 0; i < COUNT(rows); i++)
            check_payload(rows[i].name, kind, rows[i].payload, STATUS_CORRUPT);
        check_payload("very deep", kind, (struct bytes){deep, sizeof deep}, STATUS_CORRUPT);
        buffer_append(&more, sample_payload(kind).data, sample_payload(kind).len);
        buffer_append_char(&more, '\xC0');
        check_payload("a byte behind", kind, buffer_bytes(&more), STATUS_CORRUPT);
        buffer_append(&more, sample_payload(kind).data, sample_payload(kind).len);
        check_payload("twice", kind, buffer_bytes(&more), STATUS_CORRUPT);
        buffer_clear(&more);
    }
}

/* The bytes of value `field` of the first array of a payload become `bytes`. */
static void replace_field(struct bytes payload, size_t field, struct bytes bytes, struct buffer *out)
{
    struct error err;
    size_t start = payload.data[0] == '\xDC' ? 3 : 1, end;
    for (size_t i = 0; i < field; i++)
        assert_int_equal(pack_scan(payload, &start, &err), STATUS_OK);
    end = start;
    assert_int_equal(pack_scan(payload, &end, &err), STATUS_OK);
    buffer_reset(out);
    buffer_append(out, payload.data, start);
    buffer_append(out, bytes.data, bytes.len);
    buffer_append(out, payload.data + end, payload.len - end);
}

struct field_row {
    const char *name;
    int kind;
    size_t field;
    struct bytes bytes;
};

#define U64_MAX "\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"

static const struct field_row FIELDS[] = {
    {"generation is negative", BLOB_MANIFEST, 0, RAW("\xFF")},
    {"generation is a float", BLOB_MANIFEST, 0, RAW("\xCB\x3F\xF0\x00\x00\x00\x00\x00\x00")},
    {"as_of beyond the year 9999", BLOB_MANIFEST, 1, RAW(U64_MAX)},
    {"as_of before the year 1", BLOB_MANIFEST, 1, RAW("\xD3\x80\x00\x00\x00\x00\x00\x00\x00")},
    {"offset of more than a day", BLOB_MANIFEST, 2, RAW("\xCE\x00\x01\x51\x81")},
    {"offset of less than minus a day", BLOB_MANIFEST, 2, RAW("\xD2\xFF\xFE\xAE\x7F")},
    {"taken before 1970", BLOB_MANIFEST, 3, RAW("\xFF")},
    {"taken beyond the year 9999", BLOB_MANIFEST, 3, RAW(U64_MAX)},
    {"negative skew", BLOB_MANIFEST, 4, RAW("\xFF")},
    {"more clients than can be summed", BLOB_MANIFEST, 5, RAW("\xCE\x00\x4C\x4B\x41")},
    {"more tenants than there may be", BLOB_MANIFEST, 6, RAW("\xCE\x00\x98\x96\x81")},
    {"more groups than there may be", BLOB_MANIFEST, 7, RAW("\xCE\x00\x98\x96\x81")},
    {"more chunks than clients", BLOB_MANIFEST, 8, RAW("\x05")},
    {"more chunks than tenants", BLOB_MANIFEST, 9, RAW("\x04")},
    {"more ids than there may be", BLOB_MANIFEST, 10, RAW("\xCE\x00\x98\x96\x81")},
    {"more chunks than ids", BLOB_MANIFEST, 11, RAW("\x06")},
    {"count of texts is a text", BLOB_MANIFEST, 12, RAW("\xA1\x31")},
    {"count of values is nil", BLOB_MANIFEST, 13, RAW("\xC0")},
    {"no model", BLOB_MODEL, 0, RAW("\xC0")},
    {"an empty model", BLOB_MODEL, 0, RAW("\xA0")},
    {"another document", BLOB_MODEL, 0, RAW("\xA2{}")},
    {"a model that is not UTF-8", BLOB_MODEL, 0, RAW("\xA1\xFF")},
    {"a model as bin", BLOB_MODEL, 0, RAW("\xC4\x02{}")},
    {"half a filter", BLOB_BUCKETS, 0, RAW("\x91\x01")},
    {"last day before the first", BLOB_BUCKETS, 0, RAW("\x92\x05\x04")},
    {"a filter twice", BLOB_BUCKETS, 0, RAW("\x94\x01\x02\x01\x02")},
    {"filters out of order", BLOB_BUCKETS, 0, RAW("\x94\x02\x02\x01\x02")},
    {"a day beyond 32 bits", BLOB_BUCKETS, 0, RAW("\x92\x01\xCE\x80\x00\x00\x00")},
    {"a day that is nil", BLOB_BUCKETS, 0, RAW("\x92\x01\xC0")},
    {"filters are nil", BLOB_BUCKETS, 0, RAW("\xC0")},
    {"failures are negative", BLOB_WORKER, 0, RAW("\xFF")},
    {"word of 32 bytes", BLOB_WORKER, 1,
     RAW("\xD9\x20"
         "12345678901234567890123456789012")},
    {"word that is not UTF-8", BLOB_WORKER, 1, RAW("\xA1\x80")},
    {"word with a NUL", BLOB_WORKER, 1, RAW("\xA2\x61\x00")},
    {"reason that is not UTF-8", BLOB_WORKER, 2, RAW("\xA1\x80")},
    {"reason that is a number", BLOB_WORKER, 2, RAW("\x01")},
    {"id beyond 64 bits with sign", BLOB_CLIENTS, 0, RAW(U64_MAX)},
    {"id is nil", BLOB_CLIENTS, 0, RAW("\xC0")},
    {"nome is a number", BLOB_CLIENTS, 1, RAW("\x01")},
    {"nome is not UTF-8", BLOB_CLIENTS, 1, RAW("\xA2\xC0\x80")},
    {"pipeline is a bin", BLOB_CLIENTS, 6, RAW("\xC4\x01\x61")},
    {"CNPJ of no form", BLOB_CLIENTS, 9, RAW("\x03")},
    {"CNPJ missing where there is a number", BLOB_CLIENTS, 9, RAW("\x01")},
    {"CNPJ where there is none", BLOB_CLIENTS, 10,
     RAW("\xA1"
         "1")},
    {"time beyond the year 9999", BLOB_CLIENTS, 13, RAW(U64_MAX)},
    {"an empty day", BLOB_CLIENTS, 13, RAW("\x90")},
    {"a day of two numbers", BLOB_CLIENTS, 13, RAW("\x92\x01\x02")},
    {"a day that is a text", BLOB_CLIENTS, 13, RAW("\x91\xA1\x31")},
    {"a day beyond the year 9999", BLOB_CLIENTS, 13, RAW("\x91\xCE\x00\x2C\xC0\xA1")},
    {"a day before the year 1", BLOB_CLIENTS, 13, RAW("\x91\xD2\xFF\xF5\x06\xC5")},
    {"a day in a day", BLOB_CLIENTS, 13, RAW("\x91\x91\x01")},
    {"tmo beyond all time", BLOB_CLIENTS, 18, RAW("\xCE\x00\x37\xB9\xDC")},
    {"group -2", BLOB_CLIENTS, 19, RAW("\xFE")},
    {"group behind the last", BLOB_CLIENTS, 19, RAW("\x02")},
    {"group far behind the last", BLOB_CLIENTS, 19, RAW("\xCE\x7F\xFF\xFF\xFF")},
    {"a role that there is not", BLOB_CLIENTS, 20, RAW("\x10")},
    {"roles are true", BLOB_CLIENTS, 20, RAW("\xC3")},
    {"the oldest client is the first", BLOB_CLIENTS, 12, RAW("\x01")},
    {"negative id", BLOB_TENANTS, 0, RAW("\xFF")},
    {"slug is not UTF-8", BLOB_TENANTS, 1, RAW("\xA1\xED")},
    {"number with a leading zero", BLOB_TENANTS, 4,
     RAW("\xA2"
         "01")},
    {"number with a letter", BLOB_TENANTS, 4,
     RAW("\xA2"
         "1A")},
    {"number without digits", BLOB_TENANTS, 4, RAW("\xA0")},
    {"negative count", BLOB_TENANTS, 5, RAW("\xFF")},
    {"newest day beyond the year 9999", BLOB_TENANTS, 6, RAW("\xCE\x00\x2C\xC0\xA1")},
    {"econversa is 1", BLOB_TENANTS, 13, RAW("\x01")},
    {"integrators are nil", BLOB_TENANTS, 14, RAW("\xC0")},
    {"integrator without a name", BLOB_TENANTS, 14, RAW("\x91\x03")},
    {"integrator that is a text", BLOB_TENANTS, 14, RAW("\x92\x01\xA1\x31")},
    {"no group", BLOB_TENANTS, 15, RAW("\xFF")},
    {"group behind the last", BLOB_TENANTS, 15, RAW("\x02")},
    {"negative pillar", BLOB_TENANTS, 16, RAW("\xFF")},
    {"pillar beyond 32 bits", BLOB_TENANTS, 19, RAW("\xCE\x80\x00\x00\x00")},
    {"negative total", BLOB_TENANTS, 20, RAW("\xFF")},
    {"total beyond 64 bits with sign", BLOB_TENANTS, 20, RAW(U64_MAX)},
    {"the best tenant is not the first", BLOB_TENANTS, 20, RAW("\x01")},
    {"negative team", BLOB_TENANTS, 21, RAW("\xFF")},
    {"store that is nil", BLOB_TENANTS, 22, RAW("\xC0")},
    {"first day beyond 32 bits", BLOB_ANSWER, 0, RAW("\xCE\xFF\xFF\xFF\xFF")},
    {"first client behind the last", BLOB_ANSWER, 2, RAW("\x05")},
    {"slice that ends behind the last client", BLOB_ANSWER, 2, RAW("\x01")},
    {"more clients than there are", BLOB_ANSWER, 3, RAW("\x05")},
    {"more tenants than there are", BLOB_ANSWER, 4, RAW("\x04")},
    {"fewer tenants than bits", BLOB_ANSWER, 4, RAW("\x02")},
    {"a bit too few", BLOB_ANSWER, 5, RAW("\xC4\x01\x03")},
    {"a bit behind the last tenant", BLOB_ANSWER, 5, RAW("\xC4\x01\x0F")},
    {"only a bit behind the last tenant", BLOB_ANSWER, 5, RAW("\xC4\x01\x0B")},
    {"no bits", BLOB_ANSWER, 5, RAW("\xC4\x00")},
    {"too many bits", BLOB_ANSWER, 5, RAW("\xC4\x02\x07\x00")},
    {"bits as text", BLOB_ANSWER, 5, RAW("\xA1\x07")},
    {"bits are nil", BLOB_ANSWER, 5, RAW("\xC0")},
    {"more active clients than there are", BLOB_ANSWER, 6, RAW("\x05")},
    {"paying clients are negative", BLOB_ANSWER, 7, RAW("\xFF")},
    {"onboarding is a text", BLOB_ANSWER, 8, RAW("\xA1\x31")},
    {"mrr beyond 64 bits with sign", BLOB_ANSWER, 9, RAW(U64_MAX)},
    {"churn is nil", BLOB_ANSWER, 10, RAW("\xC0")},
    {"negative tmo", BLOB_ANSWER, 11, RAW("\xFF")},
    {"categories are a number", BLOB_ANSWER, 12, RAW("\x04")},
    {"more categories than there may be", BLOB_ANSWER, 12,
     RAW("\xDC\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
    {"more tenants in a category than there are", BLOB_ANSWER, 12, RAW("\x94\x00\x00\x00\x04")},
    {"a category that is nil", BLOB_ANSWER, 12, RAW("\x94\x00\xC0\x00\x00")},
};

static void test_fields_out_of_range(void **state)
{
    struct buffer payload = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(FIELDS); i++) {
        const struct field_row *row = &FIELDS[i];
        replace_field(sample_payload(row->kind), row->field, row->bytes, &payload);
        check_payload(row->name, row->kind, buffer_bytes(&payload), STATUS_CORRUPT);
    }
    buffer_clear(&payload);
}

static void test_an_answer_for_no_range(void **state)
{
    struct buffer blob = BUFFER_INIT;
    struct answer made = sample.whole;
    struct error err;
    (void)state;
    made.filter = (struct date_filter){5, 4};
    assert_int_equal(codec_pack_answer(&made, &blob, &err), STATUS_OK);
    check_status("last day before the first", BLOB_ANSWER, buffer_bytes(&blob), STATUS_CORRUPT);
    buffer_clear(&blob);
}

static void test_valores_that_are_refused(void **state)
{
    static const struct {
        const char *name;
        struct bytes packed;
    } rows[] = {
        {"a number", RAW("\x01")},
        {"an empty text", RAW("\xA0")},
        {"a word", RAW("\xA3"
                       "NaN")},
        {"ten billion", RAW("\xAB"
                            "10000000000")},
        {"minus ten billion", RAW("\xAC"
                                  "-10000000000")},
        {"1.0", RAW("\xA3"
                    "1.0")},
        {"01", RAW("\xA2"
                   "01")},
        {"minus zero", RAW("\xA2"
                           "-0")},
        {"with an exponent", RAW("\xA3"
                                 "1e2")},
        {"25 decimals", RAW("\xBB"
                            "0.0000000000000000000000001")},
    };
    struct buffer payload = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        replace_field(sample_payload(BLOB_CLIENTS), 11, rows[i].packed, &payload);
        check_payload(rows[i].name, BLOB_CLIENTS, buffer_bytes(&payload), STATUS_CORRUPT);
    }
    buffer_clear(&payload);
}

static void test_counts_that_do_not_fit(void **state)
{
    static const struct {
        const char *name;
        uint32_t clients, tenants, groups;
    } rows[] = {
        {"a client fewer", 3, 3, 2}, {"a client more", 5, 3, 2}, {"a tenant fewer", 4, 2, 2},
        {"a tenant more", 4, 4, 2},  {"no rows", 0, 0, 2},       {"a group fewer", 4, 3, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct manifest manifest = sample.manifest;
        struct scored_snapshot scored;
        struct error err;
        manifest.clients_count = rows[i].clients;
        manifest.tenants_count = rows[i].tenants;
        manifest.groups_count = rows[i].groups;
        enum status status =
            unpack_rows(sample_blob(BLOB_CLIENTS), sample_blob(BLOB_TENANTS), &manifest, &scored, &err);
        check_int(rows[i].name, "status", status, STATUS_CORRUPT);
        scored_snapshot_clear(&scored);
    }
}

static void test_rows_out_of_order(void **state)
{
    struct scored_snapshot scored = sample.scored, out;
    struct client clients[COUNT(CLIENTS)];
    struct tenant tenants[COUNT(TENANTS)];
    struct error err;
    (void)state;
    scored.clients = clients;
    scored.tenants = tenants;
    for (size_t i = 0; i + 1 < COUNT(CLIENTS) + COUNT(TENANTS); i++) {
        struct buffer client_blob = BUFFER_INIT, tenant_blob = BUFFER_INIT;
        size_t client = 0, tenant = 0, j = i < COUNT(CLIENTS) - 1 ? i : i - COUNT(CLIENTS);
        memcpy(clients, CLIENTS, sizeof clients);
        memcpy(tenants, TENANTS, sizeof tenants);
        if (i == COUNT(CLIENTS) - 1)
            continue;
        if (i < COUNT(CLIENTS)) {
            clients[j] = CLIENTS[j + 1];
            clients[j + 1] = CLIENTS[j];
        } else {
            tenants[j] = TENANTS[j + 1];
            tenants[j + 1] = TENANTS[j];
        }
        assert_int_equal(codec_pack_clients(&scored, &client, &client_blob, &err), STATUS_OK);
        assert_int_equal(codec_pack_tenants(&scored, &tenant, &tenant_blob, &err), STATUS_OK);
        enum status status =
            unpack_rows(buffer_bytes(&client_blob), buffer_bytes(&tenant_blob), &sample.manifest, &out, &err);
        check_int(i < COUNT(CLIENTS) ? "clients" : "tenants", "status", status, STATUS_CORRUPT);
        scored_snapshot_clear(&out);
        buffer_clear(&client_blob);
        buffer_clear(&tenant_blob);
    }
}

/* A chunk that was refused leaves nothing behind in the place of the row that takes its turn. */
static void test_a_good_chunk_behind_a_bad_one(void **state)
{
    struct buffer payload = BUFFER_INIT, blob = BUFFER_INIT;
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    scored.model = sample.scored.model;
    assert_int_equal(codec_begin_rows(&sample.manifest, &scored, &err), STATUS_OK);
    replace_field(sample_payload(BLOB_CLIENTS), 21, (struct bytes){"\x10", 1}, &payload);
    replace_field(buffer_bytes(&payload), 12, (struct bytes){NULL, 0}, &blob);
    replace_field(buffer_bytes(&blob), 11, (struct bytes){"\x05\x00", 2}, &payload);
    seal(&blob, BLOB_CLIENTS, buffer_bytes(&payload));
    assert_int_equal(codec_unpack_clients(buffer_bytes(&blob), &sample.manifest, &scored, &err),
                     STATUS_CORRUPT);
    replace_field(sample_payload(BLOB_TENANTS), 20, (struct bytes){"\xFF", 1}, &payload);
    seal(&blob, BLOB_TENANTS, buffer_bytes(&payload));
    assert_int_equal(codec_unpack_tenants(buffer_bytes(&blob), &sample.manifest, &scored, &err),
                     STATUS_CORRUPT);
    assert_int_equal(codec_unpack_clients(sample_blob(BLOB_CLIENTS), &sample.manifest, &scored, &err),
                     STATUS_OK);
    assert_int_equal(codec_unpack_tenants(sample_blob(BLOB_TENANTS), &sample.manifest, &scored, &err),
                     STATUS_OK);
    assert_int_equal(codec_end_rows(&sample.manifest, &scored, &err), STATUS_OK);
    check_client(&scored.clients[0], &CLIENTS[0]);
    check_tenant(&scored.tenants[0], &TENANTS[0], 0);
    scored_snapshot_clear(&scored);
    buffer_clear(&payload);
    buffer_clear(&blob);
}

/* Rows for a snapshot that only is packed. */
static struct scored_snapshot plain_rows(struct client *clients, size_t count, char *text, size_t text_len)
{
    struct scored_snapshot scored = {.clients = clients, .clients_count = count};
    memset(text, 'x', text_len);
    for (size_t i = 0; i < count; i++)
        clients[i] = (struct client){.id = (int64_t)i, .nome = {text, text_len}, .group = GROUP_NONE};
    return scored;
}

static void test_several_chunks(void **state)
{
    enum { ROW_COUNT = 3000, TEXT_LEN = 1000 };
    struct client *clients = calloc(ROW_COUNT, sizeof *clients);
    char text[TEXT_LEN];
    struct manifest manifest = {.clients_count = ROW_COUNT};
    struct scored_snapshot out;
    struct error err;
    size_t next = 0, chunks = 0;
    (void)state;
    assert_non_null(clients);
    struct scored_snapshot scored = plain_rows(clients, ROW_COUNT, text, sizeof text);
    scored_snapshot_init(&out);
    assert_int_equal(codec_begin_rows(&manifest, &out, &err), STATUS_OK);
    while (next < ROW_COUNT) {
        struct buffer blob = BUFFER_INIT;
        size_t before = next;
        assert_int_equal(codec_pack_clients(&scored, &next, &blob, &err), STATUS_OK);
        check_int("chunk", "fits", blob.len <= ENVELOPE_LEN_MAX && next > before, true);
        assert_int_equal(codec_unpack_clients(buffer_bytes(&blob), &manifest, &out, &err), STATUS_OK);
        check_int("rows so far", "count", (int64_t)out.clients_count, (int64_t)next);
        buffer_clear(&blob);
        chunks++;
    }
    /* A row has 1,025 bytes: 3 of the array's header, 1 to 3 of its id, 1,003 of its text, 18 or 19 of the rest. */
    check_int("3,000 rows of about 1,025 bytes", "chunks", (int64_t)chunks, 3);
    assert_int_equal(codec_end_rows(&manifest, &out, &err), STATUS_OK);
    for (size_t i = 0; i < ROW_COUNT; i++)
        check_client(&out.clients[i], &clients[i]);
    scored_snapshot_clear(&out);
    free(clients);
}

static void test_a_row_too_large_for_a_chunk(void **state)
{
    static char text[ENVELOPE_LEN_MAX];
    struct client clients[2];
    struct error err;
    (void)state;
    for (size_t spare = 0; spare < 100; spare++) {
        struct buffer blob = BUFFER_INIT;
        size_t next = 0;
        struct scored_snapshot scored = plain_rows(clients, 2, text, sizeof text - spare);
        enum status status = codec_pack_clients(&scored, &next, &blob, &err);
        /* 20 of the envelope, 3 of the array, 1 of the id, 5 of the text's length, 19 of the other fields. */
        char name[64];
        snprintf(name, sizeof name, "%zu bytes to spare", spare);
        check_int(name, "status", status, spare < 48 ? STATUS_INVALID : STATUS_OK);
        check_int(name, "rows packed", (int64_t)next, spare < 48 ? 0 : 1);
        if (status == STATUS_OK)
            check_int(name, "fits", blob.len <= ENVELOPE_LEN_MAX, true);
        buffer_clear(&blob);
    }
}

/* Two rows have 20 + 2 x (28 + text) bytes, less the one that the first text is shorter: 1,048,575 or 1,048,577. */
static void test_the_last_byte_of_a_chunk(void **state)
{
    static char text[ENVELOPE_LEN_MAX / 2];
    struct client clients[2];
    struct error err;
    (void)state;
    for (size_t len = 524250; len <= 524251; len++) {
        struct buffer blob = BUFFER_INIT;
        size_t next = 0;
        struct scored_snapshot scored = plain_rows(clients, 2, text, len);
        clients[0].nome.len--;
        assert_int_equal(codec_pack_clients(&scored, &next, &blob, &err), STATUS_OK);
        check_int("two rows", "packed", (int64_t)next, len == 524250 ? 2 : 1);
        check_int("two rows", "bytes", (int64_t)blob.len, len == 524250 ? 1048575 : 524298);
        buffer_clear(&blob);
    }
}

static void test_out_parameters_are_untouched(void **state)
{
    struct bytes bad = {"ECOS", 4};
    struct manifest manifest = {.generation = 4711};
    struct worker_report report = {4711, "x", "y"};
    struct answer made = {.first_client = 4711};
    struct scoring_model model = {.categories_count = 4711};
    struct error err;
    struct arena arena;
    (void)state;
    arena_init(&arena);
    assert_int_equal(codec_unpack_manifest(bad, &manifest, &err), STATUS_CORRUPT);
    assert_int_equal(codec_unpack_worker_report(bad, &report, &err), STATUS_CORRUPT);
    assert_int_equal(codec_unpack_answer(bad, &sample.manifest, &made, &err), STATUS_CORRUPT);
    assert_int_equal(codec_unpack_model(bad, &arena, &model, &err), STATUS_CORRUPT);
    check_int("manifest", "generation", (int64_t)manifest.generation, 4711);
    check_int("report", "failures", (int64_t)report.failures, 4711);
    check_int("answer", "first_client", (int64_t)made.first_client, 4711);
    check_int("model", "categories_count", (int64_t)model.categories_count, 4711);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_are_fine),
        cmocka_unit_test(test_rows_come_back),
        cmocka_unit_test(test_manifests_come_back),
        cmocka_unit_test(test_reports_and_models_come_back),
        cmocka_unit_test(test_answers_come_back),
        cmocka_unit_test(test_buckets_come_back),
        cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_every_byte_changed_under_a_right_checksum),
        cmocka_unit_test(test_other_kinds_versions_and_magic),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_fields_out_of_range),
        cmocka_unit_test(test_an_answer_for_no_range),
        cmocka_unit_test(test_valores_that_are_refused),
        cmocka_unit_test(test_counts_that_do_not_fit),
        cmocka_unit_test(test_rows_out_of_order),
        cmocka_unit_test(test_a_good_chunk_behind_a_bad_one),
        cmocka_unit_test(test_several_chunks),
        cmocka_unit_test(test_a_row_too_large_for_a_chunk),
        cmocka_unit_test(test_the_last_byte_of_a_chunk),
        cmocka_unit_test(test_out_parameters_are_untouched),
    };
    return cmocka_run_group_tests_name("codec", tests, pack_sample, free_sample);
}
