/* tests/unit/test_api_render.c - rows and KPIs as JSON, to the byte; and answers put together from rendered rows equal
 * to the same rows rendered alone. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/render.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define TODAY       19782 /* 2024-02-29 */

/* A literal with NULs and all. */
#define RAW(literal)                                                                                         \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

static struct arena model_arena;
static struct scoring_model model;

static int load_model(void **state)
{
    struct error err;
    (void)state;
    arena_init(&model_arena);
    return scoring_model_parse(&model_arena, scoring_model_builtin(), &model, &err) == STATUS_OK ? 0 : -1;
}

static int free_model(void **state)
{
    (void)state;
    arena_clear(&model_arena);
    return 0;
}

static void check_text(const char *name, struct bytes found, const char *expected)
{
    if (!bytes_is(found, expected))
        fail_msg("%s: is\n%.*s\nexpected\n%s", name, (int)found.len, found.data != NULL ? found.data : "",
                 expected);
}

static struct scored_snapshot snapshot_of(struct client *clients, size_t clients_count,
                                          struct tenant *tenants, size_t tenants_count)
{
    return (struct scored_snapshot){.instants = {.as_of_wall_us = TODAY * US_PER_DAY + 1},
                                    .model = model,
                                    .clients = clients,
                                    .clients_count = clients_count,
                                    .tenants = tenants,
                                    .tenants_count = tenants_count};
}

static const struct {
    const char *name;
    struct client client;
    const char *expected; /* with a comma behind it */
} CLIENTS[] = {
    {"everything",
     {.id = 103,
      .nome = RAW("Loja \xC3\x87\xC3\xA3o \"A\""),
      .razao_social = RAW("A/B\\C\nD\tE\x01"),
      .vendedor = RAW("\xF0\x9F\x98\x80"),
      .cs = RAW("\xE2\x80\xA8"),
      .status = RAW("Em dia"),
      .pipeline = RAW("CS | ONGOING"),
      .motivos_churn = RAW(""),
      .descricao_cancelamento = RAW("a\0b"),
      .cnpj = {CNPJ_NUMBER, RAW("11222333000181")},
      .valor = {15001, 1},
      .data_adesao = {TODAY * US_PER_DAY, TIMESTAMP_DATE},
      .data_start_onboarding = {TODAY * US_PER_DAY, TIMESTAMP_TIME},
      .data_end_onboarding = {TODAY * US_PER_DAY + 1, TIMESTAMP_TIME},
      .data_cancelamento = {-1, TIMESTAMP_TIME},
      .criado_em = {0, TIMESTAMP_TIME},
      .atualizado_em = {86399 * US_PER_S + 500000, TIMESTAMP_TIME},
      .tmo_days = -1,
      .has_valor = true,
      .has_tmo = true},
     "\"103\":{\"client_id\":103,\"nome\":\"Loja \xC3\x87\xC3\xA3o \\\"A\\\"\","
     "\"razao_social\":\"A/B\\\\C\\nD\\tE\\u0001\",\"cnpj\":11222333000181,\"valor\":1500.1,"
     "\"vendedor\":\"\xF0\x9F\x98\x80\",\"cs\":\"\xE2\x80\xA8\",\"status\":\"Em dia\","
     "\"pipeline\":\"CS | ONGOING\",\"data_adesao\":\"2024-02-29\","
     "\"data_start_onboarding\":\"2024-02-29T00:00:00\","
     "\"data_end_onboarding\":\"2024-02-29T00:00:00.000001\","
     "\"data_cancelamento\":\"1969-12-31T23:59:59.999999\",\"motivos_churn\":\"\","
     "\"descricao_cancelamento\":\"a\\u0000b\",\"criado_em\":\"1970-01-01T00:00:00\","
     "\"atualizado_em\":\"1970-01-01T23:59:59.500000\",\"tmo\":-1},"},
    {"nothing",
     {.id = INT64_MIN},
     "\"-9223372036854775808\":{\"client_id\":-9223372036854775808,\"nome\":null,\"razao_social\":null,"
     "\"cnpj\":null,\"valor\":null,\"vendedor\":null,\"cs\":null,\"status\":null,\"pipeline\":null,"
     "\"data_adesao\":null,\"data_start_onboarding\":null,\"data_end_onboarding\":null,"
     "\"data_cancelamento\":null,\"motivos_churn\":null,\"descricao_cancelamento\":null,\"criado_em\":null,"
     "\"atualizado_em\":null,\"tmo\":null},"},
    {"zeros and a CNPJ with letters",
     {.id = 0, .cnpj = {CNPJ_TEXT, RAW("12ABC34501DE35")}, .has_valor = true, .has_tmo = true},
     "\"0\":{\"client_id\":0,\"nome\":null,\"razao_social\":null,\"cnpj\":\"12ABC34501DE35\",\"valor\":0,"
     "\"vendedor\":null,\"cs\":null,\"status\":null,\"pipeline\":null,\"data_adesao\":null,"
     "\"data_start_onboarding\":null,\"data_end_onboarding\":null,\"data_cancelamento\":null,"
     "\"motivos_churn\":null,\"descricao_cancelamento\":null,\"criado_em\":null,\"atualizado_em\":null,"
     "\"tmo\":0},"},
    {"a long CNPJ and a negative valor",
     {.id = -1,
      .cnpj = {CNPJ_NUMBER, RAW("123456789012345678901234567890")},
      .valor = {-3, 0},
      .has_valor = true},
     "\"-1\":{\"client_id\":-1,\"nome\":null,\"razao_social\":null,\"cnpj\":123456789012345678901234567890,"
     "\"valor\":-3,\"vendedor\":null,\"cs\":null,\"status\":null,\"pipeline\":null,\"data_adesao\":null,"
     "\"data_start_onboarding\":null,\"data_end_onboarding\":null,\"data_cancelamento\":null,"
     "\"motivos_churn\":null,\"descricao_cancelamento\":null,\"criado_em\":null,\"atualizado_em\":null,"
     "\"tmo\":null},"},
};

static void test_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CLIENTS); i++) {
        struct client client = CLIENTS[i].client;
        struct scored_snapshot scored = snapshot_of(&client, 1, NULL, 0);
        struct rendered_rows rows;
        struct error err;
        assert_int_equal(render_clients(&scored, &rows, &err), STATUS_OK);
        check_text(CLIENTS[i].name, buffer_bytes(&rows.text), CLIENTS[i].expected);
        assert_int_equal(rows.count, 1);
        assert_int_equal(rows.ends[0], rows.text.len);
        rendered_rows_clear(&rows);
    }
}

static const int64_t INTEGRATORS[] = {1, 1, 12};

static const struct {
    const char *name;
    struct tenant tenant;
    const char *plano, *detalhado;
} TENANTS[] = {
    {"everything",
     {.id = 7,
      .slug = RAW("loja-7"),
      .name = RAW("Loja S\xC3\xA9tima"),
      .cnpj = {CNPJ_NUMBER, RAW("191")},
      .logins = {76, TODAY},
      .entries = {41, TODAY - 8},
      .outs = {3, TODAY + 2},
      .leads = {0, TODAY - 45},
      .integrators = INTEGRATORS,
      .integrators_count = COUNT(INTEGRATORS),
      .scores = {.pillar_cents = {110, 98, 0, 70}, .total_exact = 76400000, .total_cents = 76, .category = 2},
      .econversa_open = true},
     "\"7\":{\"tenant_id\":7,\"slug\":\"loja-7\",\"name\":\"Loja S\xC3\xA9tima\",\"cnpj\":191,"
     "\"qntd_acessos_30d\":76,\"dias_desde_ultimo_acesso\":0,\"score_engajamento\":1.1,"
     "\"qntd_entradas_30d\":41,\"dias_desde_ultima_entrada\":8,\"qntd_saidas_30d\":3,"
     "\"dias_desde_ultima_saida\":-2,\"score_movimentacao_estoque\":0.98,\"qntd_leads_30d\":0,"
     "\"dias_desde_ultimo_lead\":45,\"score_crm\":0,\"econversa_ativo\":true,\"integradores_conectados\":3,"
     "\"integradores\":[\"WEBMOTORS\",\"WEBMOTORS\",\"MERCADO_LIVRE\"],\"score_adoption\":0.7,"
     "\"score_total\":0.76,\"categoria\":\"Saud\xC3\xA1vel\"},",
     "\"loja-7\":{\"tenant_id\":\"7\",\"name\":\"Loja S\xC3\xA9tima\",\"cnpj\":191,\"slug\":\"loja-7\","
     "\"scores\":{\"engajamento\":1.1,\"adocao\":0.7,\"estoque\":0.98,\"crm\":0,\"total\":0.76},"
     "\"integrations\":{\"econversa_status\":true,"
     "\"integrators_connected\":[\"WEBMOTORS\",\"WEBMOTORS\",\"MERCADO_LIVRE\"]},"
     "\"metrics\":{\"acessos\":{\"quantidade_30d\":76,\"dias_ultimo_acesso\":0},"
     "\"entradas\":{\"quantidade_30d\":41,\"dias_ultima_entrada\":8},"
     "\"saidas\":{\"quantidade_30d\":3,\"dias_ultima_saida\":-2},"
     "\"leads\":{\"quantidade_30d\":0,\"dias_ultimo_lead\":45}},\"categoria\":\"Saud\xC3\xA1vel\"},"},
    {"nothing",
     {.id = UINT64_MAX,
      .logins = {UINT64_MAX, DAY_NONE},
      .entries = {0, DAY_NONE},
      .outs = {0, DAY_NONE},
      .leads = {0, DAY_NONE}},
     "\"18446744073709551615\":{\"tenant_id\":18446744073709551615,\"slug\":null,\"name\":null,"
     "\"cnpj\":null,\"qntd_acessos_30d\":18446744073709551615,\"dias_desde_ultimo_acesso\":9999,"
     "\"score_engajamento\":0,\"qntd_entradas_30d\":0,\"dias_desde_ultima_entrada\":9999,"
     "\"qntd_saidas_30d\":0,\"dias_desde_ultima_saida\":9999,\"score_movimentacao_estoque\":0,"
     "\"qntd_leads_30d\":0,\"dias_desde_ultimo_lead\":9999,\"score_crm\":0,\"econversa_ativo\":false,"
     "\"integradores_conectados\":0,\"integradores\":[],\"score_adoption\":0,\"score_total\":0,"
     "\"categoria\":\"Cr\xC3\xADtico\"},",
     ""},
    {"an empty slug",
     {.id = 1,
      .slug = RAW(""),
      .name = RAW(""),
      .cnpj = {CNPJ_TEXT, RAW("--")},
      .logins = {0, DAY_NONE},
      .entries = {0, DAY_NONE},
      .outs = {0, DAY_NONE},
      .leads = {0, DAY_NONE},
      .scores = {.category = 3}},
     "\"1\":{\"tenant_id\":1,\"slug\":\"\",\"name\":\"\",\"cnpj\":\"--\",\"qntd_acessos_30d\":0,"
     "\"dias_desde_ultimo_acesso\":9999,\"score_engajamento\":0,\"qntd_entradas_30d\":0,"
     "\"dias_desde_ultima_entrada\":9999,\"qntd_saidas_30d\":0,\"dias_desde_ultima_saida\":9999,"
     "\"score_movimentacao_estoque\":0,\"qntd_leads_30d\":0,\"dias_desde_ultimo_lead\":9999,\"score_crm\":0,"
     "\"econversa_ativo\":false,\"integradores_conectados\":0,\"integradores\":[],\"score_adoption\":0,"
     "\"score_total\":0,\"categoria\":\"Campe\xC3\xA3o\"},",
     ""},
};

static void test_tenants(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TENANTS); i++) {
        struct tenant tenant = TENANTS[i].tenant;
        struct scored_snapshot scored = snapshot_of(NULL, 0, &tenant, 1);
        struct rendered_rows plano, detalhado;
        struct error err;
        assert_int_equal(render_tenants(&scored, HEALTH_FORMAT_PLANO, &plano, &err), STATUS_OK);
        assert_int_equal(render_tenants(&scored, HEALTH_FORMAT_DETALHADO, &detalhado, &err), STATUS_OK);
        check_text(TENANTS[i].name, buffer_bytes(&plano.text), TENANTS[i].plano);
        check_text(TENANTS[i].name, buffer_bytes(&detalhado.text), TENANTS[i].detalhado);
        rendered_rows_clear(&plano);
        rendered_rows_clear(&detalhado);
    }
}

static void test_dashboards(void **state)
{
    static const struct {
        const char *name;
        struct kpis kpis;
        const char *expected;
    } rows[] = {
        {"nothing",
         {.categories_count = 4},
         "{\"clientes_ativos\":0,\"clientes_pagantes\":0,\"clientes_onboarding\":0,\"mrr_value\":0,"
         "\"churn_value\":0,\"tmo_dias\":0,\"clientes_health\":{\"Cr\xC3\xADtico\":0,\"Normal\":0,"
         "\"Saud\xC3\xA1vel\":0,\"Campe\xC3\xA3o\":0}}"},
        {"some",
         {12, 9, 3, 1500010, -5, 425, {1, 2, 3, 4}, 4},
         "{\"clientes_ativos\":12,\"clientes_pagantes\":9,\"clientes_onboarding\":3,\"mrr_value\":15000.1,"
         "\"churn_value\":-0.05,\"tmo_dias\":42.5,\"clientes_health\":{\"Cr\xC3\xADtico\":1,\"Normal\":2,"
         "\"Saud\xC3\xA1vel\":3,\"Campe\xC3\xA3o\":4}}"},
        {"large",
         {UINT32_MAX, 0, 0, INT64_C(5000000000000000000), -1, 365205900, {0, 0, 0, UINT32_MAX}, 4},
         "{\"clientes_ativos\":4294967295,\"clientes_pagantes\":0,\"clientes_onboarding\":0,"
         "\"mrr_value\":50000000000000000,\"churn_value\":-0.01,\"tmo_dias\":36520590,\"clientes_health\":"
         "{\"Cr\xC3\xADtico\":0,\"Normal\":0,\"Saud\xC3\xA1vel\":0,\"Campe\xC3\xA3o\":4294967295}}"},
    };
    const struct kpis foreign = {.categories_count = 3};
    struct buffer out = BUFFER_INIT;
    struct error err;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_reset(&out);
        assert_int_equal(render_dashboard(&model, &rows[i].kpis, &out, &err), STATUS_OK);
        check_text(rows[i].name, buffer_bytes(&out), rows[i].expected);
    }
    assert_int_equal(render_dashboard(&model, &foreign, &out, &err), STATUS_CORRUPT);
    buffer_clear(&out);
}

#define ROWS 12

/* Clients and tenants that differ in all they have; each third tenant has no slug. */
static void fill_rows(struct client clients[ROWS], struct tenant tenants[ROWS], char names[ROWS][8])
{
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        clients[i] = (struct client){.id = (int64_t)i * 100, .nome = bytes_of(names[i])};
        tenants[i] = (struct tenant){.id = i, .name = bytes_of(names[i])};
        if (i % 3 != 0)
            tenants[i].slug = bytes_of(names[i]);
    }
}

/* "{" row row "}" with commas between, from the rows alone. */
static void join(const struct buffer *alone, const bool *picked, struct buffer *out)
{
    buffer_reset(out);
    buffer_append_char(out, '{');
    for (size_t i = 0; i < ROWS; i++)
        if (picked[i] && alone[i].len > 0) {
            if (out->len > 1)
                buffer_append_char(out, ',');
            buffer_append(out, alone[i].data, alone[i].len - 1);
        }
    buffer_append_char(out, '}');
    buffer_append_char(out, '\0');
}

static void test_slices_of_clients(void **state)
{
    struct client clients[ROWS];
    struct tenant tenants[ROWS];
    char names[ROWS][8];
    struct buffer alone[ROWS], expected = BUFFER_INIT;
    struct rendered_rows rows, one;
    struct error err;
    (void)state;
    fill_rows(clients, tenants, names);
    struct scored_snapshot scored = snapshot_of(clients, ROWS, NULL, 0);
    assert_int_equal(render_clients(&scored, &rows, &err), STATUS_OK);
    for (size_t i = 0; i < ROWS; i++) {
        struct scored_snapshot single = snapshot_of(&clients[i], 1, NULL, 0);
        assert_int_equal(render_clients(&single, &one, &err), STATUS_OK);
        alone[i] = one.text;
        free(one.ends);
    }
    for (size_t first = 0; first <= ROWS; first++)
        for (size_t end = first; end <= ROWS; end++) {
            struct answer slice = {.first_client = first, .clients_count = end - first};
            struct buffer found = BUFFER_INIT;
            char name[64];
            bool picked[ROWS];
            for (size_t i = 0; i < ROWS; i++)
                picked[i] = i >= first && i < end;
            snprintf(name, sizeof name, "clients %zu to %zu", first, end);
            assemble_clients(&rows, &slice, &found);
            join(alone, picked, &expected);
            check_text(name, buffer_bytes(&found), expected.data);
            buffer_clear(&found);
        }
    for (size_t i = 0; i < ROWS; i++)
        buffer_clear(&alone[i]);
    buffer_clear(&expected);
    rendered_rows_clear(&rows);
}

/* Every choice of tenants, in both shapes. */
static void check_every_choice(enum health_format format)
{
    struct client clients[ROWS];
    struct tenant tenants[ROWS];
    char names[ROWS][8];
    struct buffer alone[ROWS], expected = BUFFER_INIT, found = BUFFER_INIT;
    struct rendered_rows rows, one;
    struct error err;
    fill_rows(clients, tenants, names);
    struct scored_snapshot scored = snapshot_of(NULL, 0, tenants, ROWS);
    assert_int_equal(render_tenants(&scored, format, &rows, &err), STATUS_OK);
    for (size_t i = 0; i < ROWS; i++) {
        struct scored_snapshot single = snapshot_of(NULL, 0, &tenants[i], 1);
        assert_int_equal(render_tenants(&single, format, &one, &err), STATUS_OK);
        alone[i] = one.text;
        free(one.ends);
    }
    for (unsigned choice = 0; choice < 1u << ROWS; choice++) {
        unsigned char bits[2] = {(unsigned char)choice, (unsigned char)(choice >> 8)};
        struct answer answer = {.tenants = bits, .tenants_len = sizeof bits};
        bool picked[ROWS];
        char name[64];
        for (size_t i = 0; i < ROWS; i++)
            picked[i] = (choice >> i & 1) != 0;
        snprintf(name, sizeof name, "format %d, tenants %03x", (int)format, choice);
        buffer_reset(&found);
        assemble_tenants(&rows, &answer, &found);
        join(alone, picked, &expected);
        check_text(name, buffer_bytes(&found), expected.data);
    }
    for (size_t i = 0; i < ROWS; i++)
        buffer_clear(&alone[i]);
    buffer_clear(&expected);
    buffer_clear(&found);
    rendered_rows_clear(&rows);
}

static void test_choices_of_tenants(void **state)
{
    (void)state;
    check_every_choice(HEALTH_FORMAT_PLANO);
    check_every_choice(HEALTH_FORMAT_DETALHADO);
}

/* No row at all, and rows that are all empty. */
static void test_nothing_to_assemble(void **state)
{
    struct tenant tenants[2] = {{.id = 1}, {.id = 2}};
    unsigned char bits = 3;
    struct answer answer = {.tenants = &bits, .tenants_len = 1};
    (void)state;
    for (size_t count = 0; count <= COUNT(tenants); count++) {
        struct scored_snapshot scored = snapshot_of(NULL, 0, tenants, count);
        struct rendered_rows clients, rows;
        struct buffer found = BUFFER_INIT;
        struct error err;
        assert_int_equal(render_clients(&scored, &clients, &err), STATUS_OK);
        assert_int_equal(render_tenants(&scored, HEALTH_FORMAT_DETALHADO, &rows, &err), STATUS_OK);
        assemble_clients(&clients, &answer, &found);
        check_text("clients", buffer_bytes(&found), "{}");
        buffer_reset(&found);
        assemble_tenants(&rows, &answer, &found);
        check_text("tenants without slug", buffer_bytes(&found), "{}");
        buffer_clear(&found);
        rendered_rows_clear(&rows);
        rendered_rows_clear(&clients);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_dashboards),
        cmocka_unit_test(test_slices_of_clients),
        cmocka_unit_test(test_choices_of_tenants),
        cmocka_unit_test(test_nothing_to_assemble),
    };
    return cmocka_run_group_tests_name("api_render", tests, load_model, free_model);
}
