/* api/render.c - which fields a row has, in which order; and putting rows together. */
#include "api/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/json_writer.h"

static void put_text(struct json_writer *writer, const char *key, struct bytes text)
{
    json_key(writer, key);
    json_text(writer, text);
}

static void put_timestamp(struct json_writer *writer, const char *key, struct timestamp timestamp)
{
    char text[TIMESTAMP_TEXT_MAX];
    json_key(writer, key);
    if (timestamp.kind == TIMESTAMP_NONE)
        json_null(writer);
    else
        json_text(writer, (struct bytes){text, timestamp_format(timestamp, text)});
}

static void put_cnpj(struct json_writer *writer, const struct cnpj_shown *cnpj)
{
    json_key(writer, "cnpj");
    if (cnpj->form == CNPJ_NUMBER)
        json_digits(writer, cnpj->text);
    else
        json_text(writer, cnpj->text);
}

static void put_uint(struct json_writer *writer, const char *key, uint64_t value)
{
    json_key(writer, key);
    json_uint(writer, value);
}

static void put_int(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_int(writer, value);
}

static void put_cents(struct json_writer *writer, const char *key, int64_t cents)
{
    json_key(writer, key);
    json_decimal(writer, decimal_of_cents(cents));
}

static void put_client(struct json_writer *writer, const struct client *client)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRId64, client->id);
    json_key(writer, id);
    json_open_object(writer);
    put_int(writer, "client_id", client->id);
    put_text(writer, "nome", client->nome);
    put_text(writer, "razao_social", client->razao_social);
    put_cnpj(writer, &client->cnpj);
    json_key(writer, "valor");
    if (client->has_valor)
        json_decimal(writer, client->valor);
    else
        json_null(writer);
    put_text(writer, "vendedor", client->vendedor);
    put_text(writer, "cs", client->cs);
    put_text(writer, "status", client->status);
    put_text(writer, "pipeline", client->pipeline);
    put_timestamp(writer, "data_adesao", client->data_adesao);
    put_timestamp(writer, "data_start_onboarding", client->data_start_onboarding);
    put_timestamp(writer, "data_end_onboarding", client->data_end_onboarding);
    put_timestamp(writer, "data_cancelamento", client->data_cancelamento);
    put_text(writer, "motivos_churn", client->motivos_churn);
    put_text(writer, "descricao_cancelamento", client->descricao_cancelamento);
    put_timestamp(writer, "criado_em", client->criado_em);
    put_timestamp(writer, "atualizado_em", client->atualizado_em);
    json_key(writer, "tmo");
    if (client->has_tmo)
        json_int(writer, client->tmo_days);
    else
        json_null(writer);
    json_close_object(writer);
}

/* What every shape of a tenant's row needs at hand. */
struct tenant_view {
    const struct tenant *tenant;
    const struct scoring_model *model;
    int32_t today;
};

static void put_integrators(struct json_writer *writer, const char *key, const struct tenant_view *view)
{
    json_key(writer, key);
    json_open_array(writer);
    for (uint32_t i = 0; i < view->tenant->integrators_count; i++)
        json_text(writer, scoring_model_integrator_name(view->model, view->tenant->integrators[i]));
    json_close_array(writer);
}

static void put_events(struct json_writer *writer, const char *count_key, const char *days_key,
                       struct event_stats stats, int32_t today)
{
    put_uint(writer, count_key, stats.count);
    put_int(writer, days_key, event_stats_days_since(stats, today));
}

static void put_plano(struct json_writer *writer, const struct tenant_view *view)
{
    const struct tenant *tenant = view->tenant;
    const int64_t *cents = tenant->scores.pillar_cents;
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, tenant->id);
    json_key(writer, id);
    json_open_object(writer);
    put_uint(writer, "tenant_id", tenant->id);
    put_text(writer, "slug", tenant->slug);
    put_text(writer, "name", tenant->name);
    put_cnpj(writer, &tenant->cnpj);
    put_events(writer, "qntd_acessos_30d", "dias_desde_ultimo_acesso", tenant->logins, view->today);
    put_cents(writer, "score_engajamento", cents[PILLAR_ENGAGEMENT]);
    put_events(writer, "qntd_entradas_30d", "dias_desde_ultima_entrada", tenant->entries, view->today);
    put_events(writer, "qntd_saidas_30d", "dias_desde_ultima_saida", tenant->outs, view->today);
    put_cents(writer, "score_movimentacao_estoque", cents[PILLAR_STOCK]);
    put_events(writer, "qntd_leads_30d", "dias_desde_ultimo_lead", tenant->leads, view->today);
    put_cents(writer, "score_crm", cents[PILLAR_CRM]);
    json_key(writer, "econversa_ativo");
    json_bool(writer, tenant->econversa_open);
    put_uint(writer, "integradores_conectados", tenant->integrators_count);
    put_integrators(writer, "integradores", view);
    put_cents(writer, "score_adoption", cents[PILLAR_ADOPTION]);
    put_cents(writer, "score_total", tenant->scores.total_cents);
    put_text(writer, "categoria", view->model->categories[tenant->scores.category].name);
    json_close_object(writer);
}

static void put_metric(struct json_writer *writer, const char *key, const char *days_key,
                       struct event_stats stats, int32_t today)
{
    json_key(writer, key);
    json_open_object(writer);
    put_events(writer, "quantidade_30d", days_key, stats, today);
    json_close_object(writer);
}

static void put_detalhado(struct json_writer *writer, const struct tenant_view *view)
{
    const struct tenant *tenant = view->tenant;
    const int64_t *cents = tenant->scores.pillar_cents;
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, tenant->id);
    json_key_text(writer, tenant->slug);
    json_open_object(writer);
    put_text(writer, "tenant_id", bytes_of(id));
    put_text(writer, "name", tenant->name);
    put_cnpj(writer, &tenant->cnpj);
    put_text(writer, "slug", tenant->slug);
    json_key(writer, "scores");
    json_open_object(writer);
    put_cents(writer, "engajamento", cents[PILLAR_ENGAGEMENT]);
    put_cents(writer, "adocao", cents[PILLAR_ADOPTION]);
    put_cents(writer, "estoque", cents[PILLAR_STOCK]);
    put_cents(writer, "crm", cents[PILLAR_CRM]);
    put_cents(writer, "total", tenant->scores.total_cents);
    json_close_object(writer);
    json_key(writer, "integrations");
    json_open_object(writer);
    json_key(writer, "econversa_status");
    json_bool(writer, tenant->econversa_open);
    put_integrators(writer, "integrators_connected", view);
    json_close_object(writer);
    json_key(writer, "metrics");
    json_open_object(writer);
    put_metric(writer, "acessos", "dias_ultimo_acesso", tenant->logins, view->today);
    put_metric(writer, "entradas", "dias_ultima_entrada", tenant->entries, view->today);
    put_metric(writer, "saidas", "dias_ultima_saida", tenant->outs, view->today);
    put_metric(writer, "leads", "dias_ultimo_lead", tenant->leads, view->today);
    json_close_object(writer);
    put_text(writer, "categoria", view->model->categories[tenant->scores.category].name);
    json_close_object(writer);
}

/* Renders {KEY:ROW} documents to `scratch` and appends KEY:ROW, to the rows. */
struct row_renderer {
    struct rendered_rows *rows;
    struct buffer scratch;
    struct json_writer writer;
};

static enum status renderer_init(struct row_renderer *renderer, struct rendered_rows *rows, size_t count,
                                 struct error *err)
{
    *renderer = (struct row_renderer){.rows = rows, .scratch = BUFFER_INIT};
    *rows = (struct rendered_rows){.text = BUFFER_INIT};
    rows->ends = calloc(count + 1, sizeof *rows->ends);
    if (json_writer_new(&renderer->writer, &renderer->scratch, err) != STATUS_OK)
        return err->code;
    return rows->ends != NULL ? STATUS_OK : error_no_memory(err);
}

static void renderer_clear(struct row_renderer *renderer)
{
    json_writer_free(&renderer->writer);
    buffer_clear(&renderer->scratch);
}

static void row_begin(struct row_renderer *renderer)
{
    buffer_reset(&renderer->scratch);
    json_writer_restart(&renderer->writer);
    json_open_object(&renderer->writer);
}

static enum status row_end(struct row_renderer *renderer, struct error *err)
{
    struct rendered_rows *rows = renderer->rows;
    json_close_object(&renderer->writer);
    if (json_writer_status(&renderer->writer, err) != STATUS_OK)
        return err->code;
    size_t inner_len = renderer->scratch.len - 2;
    if (inner_len > 0) {
        buffer_append(&rows->text, renderer->scratch.data + 1, inner_len);
        buffer_append_char(&rows->text, ',');
    }
    rows->ends[rows->count++] = rows->text.len;
    return buffer_is_failed(&rows->text) ? error_no_memory(err) : STATUS_OK;
}

enum status render_clients(const struct scored_snapshot *scored, struct rendered_rows *out, struct error *err)
{
    struct row_renderer renderer;
    enum status status = renderer_init(&renderer, out, scored->clients_count, err);
    for (size_t i = 0; i < scored->clients_count && status == STATUS_OK; i++) {
        row_begin(&renderer);
        put_client(&renderer.writer, &scored->clients[i]);
        status = row_end(&renderer, err);
    }
    renderer_clear(&renderer);
    return status;
}

enum status render_tenants(const struct scored_snapshot *scored, enum health_format format,
                           struct rendered_rows *out, struct error *err)
{
    struct row_renderer renderer;
    struct tenant_view view = {NULL, &scored->model, instants_today(&scored->instants)};
    enum status status = renderer_init(&renderer, out, scored->tenants_count, err);
    for (size_t i = 0; i < scored->tenants_count && status == STATUS_OK; i++) {
        view.tenant = &scored->tenants[i];
        row_begin(&renderer);
        if (format == HEALTH_FORMAT_PLANO)
            put_plano(&renderer.writer, &view);
        else if (view.tenant->slug.len > 0)
            put_detalhado(&renderer.writer, &view);
        status = row_end(&renderer, err);
    }
    renderer_clear(&renderer);
    return status;
}

void rendered_rows_clear(struct rendered_rows *rows)
{
    buffer_clear(&rows->text);
    free(rows->ends);
    *rows = (struct rendered_rows){.text = BUFFER_INIT};
}

static size_t row_start(const struct rendered_rows *rows, size_t row)
{
    return row == 0 ? 0 : rows->ends[row - 1];
}

/* Appends the rows first..last-1, which are one run of bytes. */
static void append_run(const struct rendered_rows *rows, size_t first, size_t last, struct buffer *out)
{
    size_t start = row_start(rows, first), end = row_start(rows, last);
    if (start < end)
        buffer_append(out, rows->text.data + start, end - start);
}

/* The last row's comma becomes the closing brace. */
static void close_document(struct buffer *out)
{
    if (!buffer_is_failed(out) && out->data[out->len - 1] == ',')
        out->len--;
    buffer_append_char(out, '}');
}

void assemble_clients(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out)
{
    buffer_append_char(out, '{');
    append_run(rows, answer->first_client, answer->first_client + answer->clients_count, out);
    close_document(out);
}

void assemble_tenants(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out)
{
    buffer_append_char(out, '{');
    for (size_t first = 0; first < rows->count;) {
        size_t last = first;
        while (last < rows->count && answer_has_tenant(answer, last))
            last++;
        append_run(rows, first, last, out);
        first = last + 1;
    }
    close_document(out);
}

enum status render_dashboard(const struct scoring_model *model, const struct kpis *kpis, struct buffer *out,
                             struct error *err)
{
    struct json_writer writer;
    if (kpis->categories_count != model->categories_count)
        return error_set(err, STATUS_CORRUPT, "KPIs of %u categories, the model has %zu",
                         kpis->categories_count, model->categories_count);
    if (json_writer_new(&writer, out, err) != STATUS_OK) {
        json_writer_free(&writer);
        return err->code;
    }
    json_open_object(&writer);
    put_uint(&writer, "clientes_ativos", kpis->active);
    put_uint(&writer, "clientes_pagantes", kpis->paying);
    put_uint(&writer, "clientes_onboarding", kpis->onboarding);
    put_cents(&writer, "mrr_value", kpis->mrr_cents);
    put_cents(&writer, "churn_value", kpis->churn_cents);
    json_key(&writer, "tmo_dias");
    json_decimal(&writer, decimal_of_cents(kpis->tmo_tenths * 10));
    json_key(&writer, "clientes_health");
    json_open_object(&writer);
    for (uint32_t i = 0; i < kpis->categories_count; i++) {
        json_key_text(&writer, model->categories[i].name);
        json_uint(&writer, kpis->in_category[i]);
    }
    json_close_object(&writer);
    json_close_object(&writer);
    enum status status = json_writer_status(&writer, err);
    json_writer_free(&writer);
    return status;
}
