/* api/data/render.c - which fields a row has, in which order; and putting rows together. */
#include "api/data/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void put_timestamp(struct writer *writer, const char *key, struct timestamp timestamp)
{
    writer_key(writer, key);
    writer_timestamp(writer, timestamp);
}

static void put_cnpj(struct writer *writer, const struct cnpj_shown *cnpj)
{
    writer_key(writer, "cnpj");
    writer_cnpj(writer, cnpj);
}

static void put_cents(struct writer *writer, const char *key, int64_t cents)
{
    writer_key(writer, key);
    writer_decimal(writer, decimal_of_cents(cents));
}

static void put_client(struct writer *writer, const struct client *client)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRId64, client->id);
    writer_key(writer, id);
    writer_open_object(writer);
    writer_put_int(writer, "client_id", client->id);
    writer_put_text(writer, "nome", client->nome);
    writer_put_text(writer, "razao_social", client->razao_social);
    put_cnpj(writer, &client->cnpj);
    writer_key(writer, "valor");
    if (client->has_valor)
        writer_decimal(writer, client->valor);
    else
        writer_null(writer);
    writer_put_text(writer, "vendedor", client->vendedor);
    writer_put_text(writer, "cs", client->cs);
    writer_put_text(writer, "status", client->status);
    writer_put_text(writer, "pipeline", client->pipeline);
    put_timestamp(writer, "data_adesao", client->data_adesao);
    put_timestamp(writer, "data_start_onboarding", client->data_start_onboarding);
    put_timestamp(writer, "data_end_onboarding", client->data_end_onboarding);
    put_timestamp(writer, "data_cancelamento", client->data_cancelamento);
    writer_put_text(writer, "motivos_churn", client->motivos_churn);
    writer_put_text(writer, "descricao_cancelamento", client->descricao_cancelamento);
    put_timestamp(writer, "criado_em", client->criado_em);
    put_timestamp(writer, "atualizado_em", client->atualizado_em);
    writer_key(writer, "tmo");
    if (client->has_tmo)
        writer_int(writer, client->tmo_days);
    else
        writer_null(writer);
    writer_close_object(writer);
}

/* What every shape of a tenant's row needs. */
struct tenant_view {
    const struct tenant *tenant;
    const struct scoring_model *model;
    int32_t today;
};

static void put_integrators(struct writer *writer, const char *key, const struct tenant_view *view)
{
    writer_key(writer, key);
    writer_open_array(writer);
    for (uint32_t i = 0; i < view->tenant->integrators_count; i++)
        writer_text(writer, scoring_model_integrator_name(view->model, view->tenant->integrators[i]));
    writer_close_array(writer);
}

static void put_events(struct writer *writer, const char *count_key, const char *days_key,
                       struct event_stats stats, int32_t today)
{
    writer_put_uint(writer, count_key, stats.count);
    writer_put_int(writer, days_key, event_stats_days_since(stats, today));
}

static void put_plano(struct writer *writer, const struct tenant_view *view)
{
    const struct tenant *tenant = view->tenant;
    const int64_t *cents = tenant->scores.pillar_cents;
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, tenant->id);
    writer_key(writer, id);
    writer_open_object(writer);
    writer_put_uint(writer, "tenant_id", tenant->id);
    writer_put_text(writer, "slug", tenant->slug);
    writer_put_text(writer, "name", tenant->name);
    put_cnpj(writer, &tenant->cnpj);
    put_events(writer, "qntd_acessos_30d", "dias_desde_ultimo_acesso", tenant->logins, view->today);
    put_cents(writer, "score_engajamento", cents[PILLAR_ENGAGEMENT]);
    put_events(writer, "qntd_entradas_30d", "dias_desde_ultima_entrada", tenant->entries, view->today);
    put_events(writer, "qntd_saidas_30d", "dias_desde_ultima_saida", tenant->outs, view->today);
    put_cents(writer, "score_movimentacao_estoque", cents[PILLAR_STOCK]);
    put_events(writer, "qntd_leads_30d", "dias_desde_ultimo_lead", tenant->leads, view->today);
    put_cents(writer, "score_crm", cents[PILLAR_CRM]);
    writer_put_bool(writer, "econversa_ativo", tenant->econversa_open);
    writer_put_uint(writer, "integradores_conectados", tenant->integrators_count);
    put_integrators(writer, "integradores", view);
    put_cents(writer, "score_adoption", cents[PILLAR_ADOPTION]);
    put_cents(writer, "score_total", tenant->scores.total_cents);
    writer_put_text(writer, "categoria", view->model->categories[tenant->scores.category].name);
    writer_close_object(writer);
}

static void put_metric(struct writer *writer, const char *key, const char *days_key, struct event_stats stats,
                       int32_t today)
{
    writer_key(writer, key);
    writer_open_object(writer);
    put_events(writer, "quantidade_30d", days_key, stats, today);
    writer_close_object(writer);
}

static void put_detalhado(struct writer *writer, const struct tenant_view *view)
{
    const struct tenant *tenant = view->tenant;
    const int64_t *cents = tenant->scores.pillar_cents;
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, tenant->id);
    writer_key_text(writer, tenant->slug);
    writer_open_object(writer);
    writer_put_text(writer, "tenant_id", bytes_of(id));
    writer_put_text(writer, "name", tenant->name);
    put_cnpj(writer, &tenant->cnpj);
    writer_put_text(writer, "slug", tenant->slug);
    writer_key(writer, "scores");
    writer_open_object(writer);
    put_cents(writer, "engajamento", cents[PILLAR_ENGAGEMENT]);
    put_cents(writer, "adocao", cents[PILLAR_ADOPTION]);
    put_cents(writer, "estoque", cents[PILLAR_STOCK]);
    put_cents(writer, "crm", cents[PILLAR_CRM]);
    put_cents(writer, "total", tenant->scores.total_cents);
    writer_close_object(writer);
    writer_key(writer, "integrations");
    writer_open_object(writer);
    writer_put_bool(writer, "econversa_status", tenant->econversa_open);
    put_integrators(writer, "integrators_connected", view);
    writer_close_object(writer);
    writer_key(writer, "metrics");
    writer_open_object(writer);
    put_metric(writer, "acessos", "dias_ultimo_acesso", tenant->logins, view->today);
    put_metric(writer, "entradas", "dias_ultima_entrada", tenant->entries, view->today);
    put_metric(writer, "saidas", "dias_ultima_saida", tenant->outs, view->today);
    put_metric(writer, "leads", "dias_ultimo_lead", tenant->leads, view->today);
    writer_close_object(writer);
    writer_put_text(writer, "categoria", view->model->categories[tenant->scores.category].name);
    writer_close_object(writer);
}

/* Appends rows to rows->text. */
struct row_renderer {
    struct rendered_rows *rows;
    struct writer writer;
};

static enum status renderer_init(struct row_renderer *renderer, enum media media, size_t count,
                                 struct rendered_rows *rows, struct error *err)
{
    *rows = (struct rendered_rows){.type = media_row(media)->writer, .text = BUFFER_INIT};
    rows->ends = calloc(count + 1, sizeof *rows->ends);
    renderer->rows = rows;
    if (writer_init(&renderer->writer, rows->type, &rows->text, err) != STATUS_OK)
        return err->code;
    return rows->ends != NULL ? STATUS_OK : error_no_memory(err);
}

static void renderer_clear(struct row_renderer *renderer)
{
    writer_clear(&renderer->writer);
}

static enum status names_end(struct row_renderer *renderer, struct error *err)
{
    writer_end_row(&renderer->writer);
    renderer->rows->names_len = renderer->rows->text.len;
    return writer_status(&renderer->writer, err);
}

static size_t row_start(const struct rendered_rows *rows, size_t row)
{
    return row == 0 ? rows->names_len : rows->ends[row - 1];
}

static enum status row_end(struct row_renderer *renderer, struct error *err)
{
    struct rendered_rows *rows = renderer->rows;
    if (rows->text.len > row_start(rows, rows->count))
        writer_end_row(&renderer->writer);
    rows->ends[rows->count++] = rows->text.len;
    return writer_status(&renderer->writer, err);
}

enum status render_clients(const struct scored_snapshot *scored, enum media media, struct rendered_rows *out,
                           struct error *err)
{
    static const struct client nobody;
    struct row_renderer renderer;
    enum status status = renderer_init(&renderer, media, scored->clients_count, out, err);
    if (status == STATUS_OK && writer_begin_names(&renderer.writer)) {
        put_client(&renderer.writer, &nobody);
        status = names_end(&renderer, err);
    }
    for (size_t i = 0; i < scored->clients_count && status == STATUS_OK; i++) {
        writer_begin_row(&renderer.writer);
        put_client(&renderer.writer, &scored->clients[i]);
        status = row_end(&renderer, err);
    }
    renderer_clear(&renderer);
    return status;
}

enum status render_tenants(const struct scored_snapshot *scored, enum health_format format, enum media media,
                           struct rendered_rows *out, struct error *err)
{
    static const struct tenant nobody;
    struct row_renderer renderer;
    struct tenant_view view = {&nobody, &scored->model, instants_today(&scored->instants)};
    enum status status = renderer_init(&renderer, media, scored->tenants_count, out, err);
    if (status == STATUS_OK && writer_begin_names(&renderer.writer)) {
        put_plano(&renderer.writer, &view);
        status = names_end(&renderer, err);
    }
    for (size_t i = 0; i < scored->tenants_count && status == STATUS_OK; i++) {
        view.tenant = &scored->tenants[i];
        writer_begin_row(&renderer.writer);
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

/* Appends the rows first..last-1, which are one run of bytes. */
static void append_run(const struct rendered_rows *rows, size_t first, size_t last, struct buffer *out)
{
    size_t start = row_start(rows, first), end = row_start(rows, last);
    if (start < end)
        buffer_append(out, rows->text.data + start, end - start);
}

static void begin_document(const struct rendered_rows *rows, size_t count, struct buffer *out)
{
    writer_begin_rows(rows->type, (struct bytes){rows->text.data, rows->names_len}, count, out);
}

void assemble_clients(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out)
{
    begin_document(rows, answer->clients_count, out);
    append_run(rows, answer->first_client, answer->first_client + answer->clients_count, out);
    writer_end_rows(rows->type, out);
}

static size_t count_tenants(const struct rendered_rows *rows, const struct answer *answer)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += answer_has_tenant(answer, i) && rows->ends[i] > row_start(rows, i);
    return count;
}

void assemble_tenants(const struct rendered_rows *rows, const struct answer *answer, struct buffer *out)
{
    begin_document(rows, count_tenants(rows, answer), out);
    for (size_t first = 0; first < rows->count;) {
        size_t last = first;
        while (last < rows->count && answer_has_tenant(answer, last))
            last++;
        append_run(rows, first, last, out);
        first = last + 1;
    }
    writer_end_rows(rows->type, out);
}

enum status render_dashboard(const struct scoring_model *model, const struct kpis *kpis, enum media media,
                             struct buffer *out, struct error *err)
{
    struct writer writer;
    if (kpis->categories_count != model->categories_count)
        return error_set(err, STATUS_CORRUPT, "KPIs of %u categories, the model has %zu",
                         kpis->categories_count, model->categories_count);
    if (writer_init(&writer, media_row(media)->writer, out, err) != STATUS_OK) {
        writer_clear(&writer);
        return err->code;
    }
    writer_open_object(&writer);
    writer_put_uint(&writer, "clientes_ativos", kpis->active);
    writer_put_uint(&writer, "clientes_pagantes", kpis->paying);
    writer_put_uint(&writer, "clientes_onboarding", kpis->onboarding);
    put_cents(&writer, "mrr_value", kpis->mrr_cents);
    put_cents(&writer, "churn_value", kpis->churn_cents);
    writer_key(&writer, "tmo_dias");
    writer_decimal(&writer, decimal_of_cents(kpis->tmo_tenths * 10));
    writer_key(&writer, "clientes_health");
    writer_open_object(&writer);
    for (uint32_t i = 0; i < kpis->categories_count; i++) {
        writer_key_text(&writer, model->categories[i].name);
        writer_uint(&writer, kpis->in_category[i]);
    }
    writer_close_object(&writer);
    writer_close_object(&writer);
    enum status status = writer_status(&writer, err);
    writer_clear(&writer);
    return status;
}
