/* common/stored/codec_rows.c - clients and tenants, row by row, in chunks that fit one key. */
#include <inttypes.h>

#include "common/domain/score.h"
#include "common/stored/codec.h"
#include "common/stored/envelope.h"
#include "common/stored/pack.h"

#define CLIENT_FIELDS     21
#define TENANT_FIELDS     23
#define CLIENT_TIMESTAMPS 6

#define WALL_US_MIN  (DAY_FIRST * US_PER_DAY)
#define WALL_US_MAX  ((DAY_LAST + 1) * US_PER_DAY - 1)
#define TMO_DAYS_MAX (DAY_LAST - DAY_FIRST + 1)
#define CENTS_MAX    INT32_MAX

static void pack_cnpj(struct buffer *out, struct cnpj_shown cnpj)
{
    pack_uint(out, cnpj.form);
    pack_text(out, cnpj.text);
}

/* A date is stored as its day number in an array of one, an instant as its microseconds. */
static void pack_timestamp(struct buffer *out, struct timestamp timestamp)
{
    switch (timestamp.kind) {
    case TIMESTAMP_NONE:
        pack_nil(out);
        break;
    case TIMESTAMP_DATE:
        pack_array(out, 1);
        pack_int(out, day_of_wall_us(timestamp.wall_us));
        break;
    case TIMESTAMP_TIME:
        pack_int(out, timestamp.wall_us);
        break;
    }
}

/* As text: it may have more digits than MessagePack's integers can hold. */
static void pack_valor(struct buffer *out, const struct client *client)
{
    char text[DECIMAL_TEXT_MAX];
    if (client->has_valor)
        pack_text(out, (struct bytes){text, decimal_format(client->valor, text)});
    else
        pack_nil(out);
}

static void pack_client(struct buffer *out, const struct client *client)
{
    const struct bytes texts[] = {
        client->nome,   client->razao_social, client->vendedor,      client->cs,
        client->status, client->pipeline,     client->motivos_churn, client->descricao_cancelamento};
    const struct timestamp timestamps[CLIENT_TIMESTAMPS] = {
        client->data_adesao,         client->data_start_onboarding,
        client->data_end_onboarding, client->data_cancelamento,
        client->criado_em,           client->atualizado_em};
    pack_array(out, CLIENT_FIELDS);
    pack_int(out, client->id);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        pack_text(out, texts[i]);
    pack_cnpj(out, client->cnpj);
    pack_valor(out, client);
    for (size_t i = 0; i < CLIENT_TIMESTAMPS; i++)
        pack_timestamp(out, timestamps[i]);
    if (client->has_tmo)
        pack_int(out, client->tmo_days);
    else
        pack_nil(out);
    pack_int(out, client->group);
    pack_uint(out, client->roles);
}

static void pack_events(struct buffer *out, struct event_stats stats)
{
    pack_uint(out, stats.count);
    if (stats.newest_day == DAY_NONE)
        pack_nil(out);
    else
        pack_int(out, stats.newest_day);
}

static void pack_tenant(struct buffer *out, const struct tenant *tenant)
{
    pack_array(out, TENANT_FIELDS);
    pack_uint(out, tenant->id);
    pack_text(out, tenant->slug);
    pack_text(out, tenant->name);
    pack_cnpj(out, tenant->cnpj);
    pack_events(out, tenant->logins);
    pack_events(out, tenant->entries);
    pack_events(out, tenant->outs);
    pack_events(out, tenant->leads);
    pack_bool(out, tenant->econversa_open);
    pack_array(out, tenant->integrators_count);
    for (uint32_t i = 0; i < tenant->integrators_count; i++)
        pack_int(out, tenant->integrators[i]);
    pack_int(out, tenant->group);
    for (int pillar = 0; pillar < PILLAR_COUNT; pillar++)
        pack_int(out, tenant->scores.pillar_cents[pillar]);
    pack_int(out, tenant->scores.total_exact);
    pack_uint(out, tenant->team_size);
    pack_uint(out, tenant->store_size);
}

/* Packs rows from *next on until the next one would not fit; `pack_row` packs the row with the given number. */
static enum status pack_rows(const struct scored_snapshot *scored, size_t count, enum blob_kind kind,
                             void (*pack_row)(struct buffer *, const struct scored_snapshot *, size_t),
                             size_t *next, struct buffer *out, struct error *err)
{
    size_t start = out->len, first = *next, row = first;
    envelope_begin(out);
    for (; row < count; row++) {
        size_t row_start = out->len;
        pack_row(out, scored, row);
        if (buffer_is_failed(out))
            return error_no_memory(err);
        if (out->len - start > ENVELOPE_LEN_MAX) {
            out->len = row_start;
            break;
        }
    }
    if (row == first && row < count)
        return error_set(err, STATUS_INVALID, "row %zu is larger than a chunk of %u bytes", row,
                         ENVELOPE_LEN_MAX);
    if (envelope_end(out, start, kind, err) != STATUS_OK)
        return err->code;
    *next = row;
    return STATUS_OK;
}

static void pack_client_row(struct buffer *out, const struct scored_snapshot *scored, size_t row)
{
    pack_client(out, &scored->clients[row]);
}

static void pack_tenant_row(struct buffer *out, const struct scored_snapshot *scored, size_t row)
{
    pack_tenant(out, &scored->tenants[row]);
}

enum status codec_pack_clients(const struct scored_snapshot *scored, size_t *next, struct buffer *out,
                               struct error *err)
{
    return pack_rows(scored, scored->clients_count, BLOB_CLIENTS, pack_client_row, next, out, err);
}

enum status codec_pack_tenants(const struct scored_snapshot *scored, size_t *next, struct buffer *out,
                               struct error *err)
{
    return pack_rows(scored, scored->tenants_count, BLOB_TENANTS, pack_tenant_row, next, out, err);
}

static bool is_number_text(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0 && text.data[0] != '0';
}

static struct cnpj_shown take_cnpj(struct fields *fields, struct arena *arena)
{
    struct cnpj_shown cnpj;
    cnpj.form = (enum cnpj_form)fields_uint(fields, CNPJ_TEXT);
    cnpj.text = fields_copy_text(fields, arena);
    if ((cnpj.form == CNPJ_NULL) != (cnpj.text.data == NULL) ||
        (cnpj.form == CNPJ_NUMBER && !is_number_text(cnpj.text)))
        fields_refuse(fields, "a CNPJ that is not of its form");
    return cnpj;
}

static struct timestamp take_timestamp(struct fields *fields)
{
    if (fields_take_nil(fields))
        return (struct timestamp){0, TIMESTAMP_NONE};
    if (!fields_next_is_array(fields))
        return (struct timestamp){fields_int(fields, WALL_US_MIN, WALL_US_MAX), TIMESTAMP_TIME};
    struct fields day = fields_array(fields);
    struct timestamp timestamp = {fields_int(&day, DAY_FIRST, DAY_LAST) * US_PER_DAY, TIMESTAMP_DATE};
    if (day.problem != NULL || day.left > 0)
        fields_refuse(fields, "not a day");
    return timestamp;
}

static void take_valor(struct fields *fields, struct client *client)
{
    char shortest[DECIMAL_TEXT_MAX] = "";
    struct decimal value;
    if (fields_take_nil(fields))
        return;
    struct bytes text = fields_text(fields);
    bool is_usable = text.data != NULL && decimal_parse(text, &value) && decimal_is_summable(value);
    size_t len = is_usable ? decimal_format(value, shortest) : 0;
    if (!is_usable || !bytes_equal(text, (struct bytes){shortest, len})) {
        fields_refuse(fields, "a number that is too large or not in its shortest form");
        return;
    }
    client->has_valor = true;
    client->valor = value;
}

static void unpack_client(struct fields *fields, struct arena *arena, struct client *client)
{
    struct bytes *const texts[] = {
        &client->nome,   &client->razao_social, &client->vendedor,      &client->cs,
        &client->status, &client->pipeline,     &client->motivos_churn, &client->descricao_cancelamento};
    struct timestamp *const timestamps[CLIENT_TIMESTAMPS] = {
        &client->data_adesao,         &client->data_start_onboarding,
        &client->data_end_onboarding, &client->data_cancelamento,
        &client->criado_em,           &client->atualizado_em};
    *client = (struct client){.id = fields_int(fields, INT64_MIN, INT64_MAX)};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = fields_copy_text(fields, arena);
    client->cnpj = take_cnpj(fields, arena);
    take_valor(fields, client);
    for (size_t i = 0; i < CLIENT_TIMESTAMPS; i++)
        *timestamps[i] = take_timestamp(fields);
    client->has_tmo = !fields_take_nil(fields);
    if (client->has_tmo)
        client->tmo_days = (int32_t)fields_int(fields, -TMO_DAYS_MAX, TMO_DAYS_MAX);
    client->group = (int32_t)fields_int(fields, GROUP_NONE, ROWS_MAX);
    client->roles =
        (uint32_t)fields_uint(fields, CLIENT_ACTIVE | CLIENT_PAYING | CLIENT_ONBOARDING | CLIENT_CHURNED);
}

static struct event_stats take_events(struct fields *fields)
{
    struct event_stats stats;
    stats.count = fields_uint(fields, UINT64_MAX);
    stats.newest_day = fields_take_nil(fields) ? DAY_NONE : (int32_t)fields_int(fields, DAY_FIRST, DAY_LAST);
    return stats;
}

static void take_integrators(struct fields *fields, struct arena *arena, const struct scoring_model *model,
                             struct tenant *tenant)
{
    struct fields list = fields_array(fields);
    int64_t *ids = arena_take_array(arena, list.left, sizeof *ids);
    if (ids == NULL) {
        fields_out_of_memory(fields);
        return;
    }
    tenant->integrators = ids;
    while (list.left > 0) {
        int64_t id = fields_int(&list, INT64_MIN, INT64_MAX);
        ids[tenant->integrators_count++] = id;
        if (list.problem != NULL || scoring_model_integrator_name(model, id).data == NULL)
            fields_refuse(fields, "an integrator without a name");
        if (list.problem != NULL)
            return;
    }
}

static void unpack_tenant(struct fields *fields, struct scored_snapshot *scored, struct tenant *tenant)
{
    struct arena *arena = &scored->arena;
    *tenant = (struct tenant){.id = fields_uint(fields, UINT64_MAX)};
    tenant->slug = fields_copy_text(fields, arena);
    tenant->name = fields_copy_text(fields, arena);
    tenant->cnpj = take_cnpj(fields, arena);
    tenant->logins = take_events(fields);
    tenant->entries = take_events(fields);
    tenant->outs = take_events(fields);
    tenant->leads = take_events(fields);
    tenant->econversa_open = fields_bool(fields);
    take_integrators(fields, arena, &scored->model, tenant);
    tenant->group = (int32_t)fields_int(fields, 0, ROWS_MAX);
    for (int pillar = 0; pillar < PILLAR_COUNT; pillar++)
        tenant->scores.pillar_cents[pillar] = fields_int(fields, 0, CENTS_MAX);
    int64_t total = fields_int(fields, 0, INT64_MAX);
    tenant->scores = scores_complete(&scored->model, tenant->scores, total);
    tenant->team_size = fields_uint(fields, UINT64_MAX);
    tenant->store_size = fields_uint(fields, UINT64_MAX);
}

enum status codec_begin_rows(const struct manifest *manifest, struct scored_snapshot *out, struct error *err)
{
    out->instants = manifest->instants;
    out->groups_count = manifest->groups_count;
    out->replaced = manifest->replaced;
    out->clients = arena_take_array(&out->arena, manifest->clients_count, sizeof *out->clients);
    out->tenants = arena_take_array(&out->arena, manifest->tenants_count, sizeof *out->tenants);
    if (out->clients == NULL || out->tenants == NULL)
        return error_no_memory(err);
    return STATUS_OK;
}

enum status codec_unpack_clients(struct bytes blob, const struct manifest *manifest,
                                 struct scored_snapshot *out, struct error *err)
{
    struct bytes payload;
    if (envelope_open(blob, BLOB_CLIENTS, &payload, err) != STATUS_OK)
        return err->code;
    for (size_t offset = 0; offset < payload.len;) {
        struct fields fields;
        if (out->clients_count == manifest->clients_count)
            return error_set(err, STATUS_CORRUPT, "more clients than the manifest says");
        if (fields_open(&fields, payload, &offset, CLIENT_FIELDS, err) != STATUS_OK)
            return fields_abandon(&fields, err);
        unpack_client(&fields, &out->arena, &out->clients[out->clients_count]);
        if (fields_close(&fields, "client", err) != STATUS_OK)
            return err->code;
        out->clients_count++;
    }
    return STATUS_OK;
}

enum status codec_unpack_tenants(struct bytes blob, const struct manifest *manifest,
                                 struct scored_snapshot *out, struct error *err)
{
    struct bytes payload;
    if (envelope_open(blob, BLOB_TENANTS, &payload, err) != STATUS_OK)
        return err->code;
    for (size_t offset = 0; offset < payload.len;) {
        struct fields fields;
        if (out->tenants_count == manifest->tenants_count)
            return error_set(err, STATUS_CORRUPT, "more tenants than the manifest says");
        if (fields_open(&fields, payload, &offset, TENANT_FIELDS, err) != STATUS_OK)
            return fields_abandon(&fields, err);
        unpack_tenant(&fields, out, &out->tenants[out->tenants_count]);
        if (fields_close(&fields, "tenant", err) != STATUS_OK)
            return err->code;
        out->tenants_count++;
    }
    return STATUS_OK;
}

enum status codec_end_rows(const struct manifest *manifest, struct scored_snapshot *out, struct error *err)
{
    if (out->clients_count != manifest->clients_count || out->tenants_count != manifest->tenants_count)
        return error_set(
            err, STATUS_CORRUPT, "%zu clients and %zu tenants, the manifest says %" PRIu32 " and %" PRIu32,
            out->clients_count, out->tenants_count, manifest->clients_count, manifest->tenants_count);
    return scored_snapshot_index(out, err);
}
