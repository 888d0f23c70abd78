/* tests/unit/test_api_render.c - rows and KPIs as each media type, to the byte; and answers put together from rendered
 * rows equal to the same rows rendered alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/data/render.h"
#include "tests/unit/support.h"

#define TODAY 19782 /* 2024-02-29 */

static struct scored_snapshot snapshot_of(struct client *clients, size_t clients_count,
                                          struct tenant *tenants, size_t tenants_count)
{
    return (struct scored_snapshot){.instants = {.as_of_wall_us = TODAY * US_PER_DAY + 1},
                                    .model = builtin_model,
                                    .clients = clients,
                                    .clients_count = clients_count,
                                    .tenants = tenants,
                                    .tenants_count = tenants_count};
}

static const struct {
    const char *name;
    struct client client;
    const char *json; /* with a comma behind it */
    const char *csv;  /* without its end of line */
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
     "\"atualizado_em\":\"1970-01-01T23:59:59.500000\",\"tmo\":-1},",
     "103;\"Loja \xC3\x87\xC3\xA3o \"\"A\"\"\";\"A/B\\C\nD\tE\x01\";11.222.333/0001-81;1500,1;"
     "\xF0\x9F\x98\x80;\xE2\x80\xA8;Em dia;CS | ONGOING;2024-02-29;2024-02-29 00:00:00;"
     "2024-02-29 00:00:00;1969-12-31 23:59:59;;a\xEF\xBF\xBD"
     "b;1970-01-01 00:00:00;1970-01-01 23:59:59;-1"},
    {"nothing",
     {.id = INT64_MIN},
     "\"-9223372036854775808\":{\"client_id\":-9223372036854775808,\"nome\":null,\"razao_social\":null,"
     "\"cnpj\":null,\"valor\":null,\"vendedor\":null,\"cs\":null,\"status\":null,\"pipeline\":null,"
     "\"data_adesao\":null,\"data_start_onboarding\":null,\"data_end_onboarding\":null,"
     "\"data_cancelamento\":null,\"motivos_churn\":null,\"descricao_cancelamento\":null,\"criado_em\":null,"
     "\"atualizado_em\":null,\"tmo\":null},",
     "-9223372036854775808;;;;;;;;;;;;;;;;;"},
    {"zeros and a CNPJ with letters",
     {.id = 0, .cnpj = {CNPJ_TEXT, RAW("12ABC34501DE35")}, .has_valor = true, .has_tmo = true},
     "\"0\":{\"client_id\":0,\"nome\":null,\"razao_social\":null,\"cnpj\":\"12ABC34501DE35\",\"valor\":0,"
     "\"vendedor\":null,\"cs\":null,\"status\":null,\"pipeline\":null,\"data_adesao\":null,"
     "\"data_start_onboarding\":null,\"data_end_onboarding\":null,\"data_cancelamento\":null,"
     "\"motivos_churn\":null,\"descricao_cancelamento\":null,\"criado_em\":null,\"atualizado_em\":null,"
     "\"tmo\":0},",
     "0;;;12.ABC.345/01DE-35;0;;;;;;;;;;;;;0"},
    {"a long CNPJ and a negative valor",
     {.id = -1,
      .cnpj = {CNPJ_NUMBER, RAW("123456789012345678901234567890")},
      .valor = {-3, 0},
      .has_valor = true},
     "\"-1\":{\"client_id\":-1,\"nome\":null,\"razao_social\":null,\"cnpj\":123456789012345678901234567890,"
     "\"valor\":-3,\"vendedor\":null,\"cs\":null,\"status\":null,\"pipeline\":null,\"data_adesao\":null,"
     "\"data_start_onboarding\":null,\"data_end_onboarding\":null,\"data_cancelamento\":null,"
     "\"motivos_churn\":null,\"descricao_cancelamento\":null,\"criado_em\":null,\"atualizado_em\":null,"
     "\"tmo\":null},",
     "-1;;;'123456789012345678901234567890;-3;;;;;;;;;;;;;"},
};

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define CLIENT_NAMES                                                                                         \
    BYTE_ORDER_MARK                                                                                          \
    "client_id;nome;razao_social;cnpj;valor;vendedor;cs;status;pipeline;data_adesao;data_start_onboarding;"  \
    "data_end_onboarding;data_cancelamento;motivos_churn;descricao_cancelamento;criado_em;atualizado_em;"    \
    "tmo\r\n"
#define TENANT_NAMES                                                                                         \
    BYTE_ORDER_MARK                                                                                          \
    "tenant_id;slug;name;cnpj;qntd_acessos_30d;dias_desde_ultimo_acesso;score_engajamento;qntd_entradas_"    \
    "30d;"                                                                                                   \
    "dias_desde_ultima_entrada;qntd_saidas_30d;dias_desde_ultima_saida;score_movimentacao_estoque;"          \
    "qntd_leads_30d;dias_desde_ultimo_lead;score_crm;econversa_ativo;integradores_conectados;integradores;"  \
    "score_adoption;score_total;categoria\r\n"

static struct rendered_rows clients_as(enum media media, const struct client *client)
{
    struct client copy = *client;
    struct scored_snapshot scored = snapshot_of(&copy, 1, NULL, 0);
    struct rendered_rows rows;
    struct error err;
    assert_int_equal(render_clients(&scored, media, &rows, &err), STATUS_OK);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.ends[0], rows.text.len);
    return rows;
}

/* The names in front, then the row and its end of line. */
static void check_table(const char *name, const struct rendered_rows *rows, const char *names,
                        const char *expected)
{
    struct buffer whole = BUFFER_INIT;
    buffer_append_format(&whole, "%s%s\r\n", names, expected);
    buffer_append_char(&whole, '\0');
    assert_int_equal(rows->names_len, strlen(names));
    check_text(name, "the text", buffer_bytes(&rows->text), whole.data);
    buffer_clear(&whole);
}

static void test_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CLIENTS); i++) {
        struct rendered_rows json = clients_as(MEDIA_JSON, &CLIENTS[i].client);
        struct rendered_rows table = clients_as(MEDIA_CSV, &CLIENTS[i].client);
        assert_int_equal(json.names_len, 0);
        check_text(CLIENTS[i].name, "the text", buffer_bytes(&json.text), CLIENTS[i].json);
        check_table(CLIENTS[i].name, &table, CLIENT_NAMES, CLIENTS[i].csv);
        rendered_rows_clear(&json);
        rendered_rows_clear(&table);
    }
}

static const int64_t INTEGRATORS[] = {1, 1, 12};

static const struct {
    const char *name;
    struct tenant tenant;
    const char *plano, *detalhado, *csv;
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
     "\"leads\":{\"quantidade_30d\":0,\"dias_ultimo_lead\":45}},\"categoria\":\"Saud\xC3\xA1vel\"},",
     "7;loja-7;Loja S\xC3\xA9tima;00.000.000/0001-91;76;0;1,1;41;8;3;-2;0,98;0;45;0;VERDADEIRO;3;"
     "WEBMOTORS, WEBMOTORS, MERCADO_LIVRE;0,7;0,76;Saud\xC3\xA1vel"},
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
     "",
     "18446744073709551615;;;;18446744073709551615;9999;0;0;9999;0;9999;0;0;9999;0;FALSO;0;;0;0;"
     "Cr\xC3\xADtico"},
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
     "",
     "1;;;'--;0;9999;0;0;9999;0;9999;0;0;9999;0;FALSO;0;;0;0;Campe\xC3\xA3o"},
};

static struct rendered_rows tenants_as(enum health_format format, enum media media,
                                       const struct tenant *tenant)
{
    struct tenant copy = *tenant;
    struct scored_snapshot scored = snapshot_of(NULL, 0, &copy, 1);
    struct rendered_rows rows;
    struct error err;
    assert_int_equal(render_tenants(&scored, format, media, &rows, &err), STATUS_OK);
    return rows;
}

static void test_tenants(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TENANTS); i++) {
        const struct tenant *tenant = &TENANTS[i].tenant;
        struct rendered_rows plano = tenants_as(HEALTH_FORMAT_PLANO, MEDIA_JSON, tenant);
        struct rendered_rows detalhado = tenants_as(HEALTH_FORMAT_DETALHADO, MEDIA_JSON, tenant);
        struct rendered_rows table = tenants_as(HEALTH_FORMAT_PLANO, MEDIA_CSV, tenant);
        check_text(TENANTS[i].name, "the text", buffer_bytes(&plano.text), TENANTS[i].plano);
        check_text(TENANTS[i].name, "the text", buffer_bytes(&detalhado.text), TENANTS[i].detalhado);
        check_table(TENANTS[i].name, &table, TENANT_NAMES, TENANTS[i].csv);
        rendered_rows_clear(&plano);
        rendered_rows_clear(&detalhado);
        rendered_rows_clear(&table);
    }
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Expected bytes are told as hexadecimal digits and, between apostrophes, text. */
static void check_packed(const char *name, struct bytes found, const char *told)
{
    struct buffer expected = BUFFER_INIT;
    bool is_text = false;
    for (const char *c = told; *c != '\0'; c++) {
        if (*c == '\'') {
            is_text = !is_text;
        } else if (is_text) {
            buffer_append_char(&expected, *c);
        } else if (*c != ' ') {
            buffer_append_char(&expected, (char)(hex_digit(c[0]) * 16 + hex_digit(c[1])));
            c++;
        }
    }
    check_bytes(name, "the text", found, buffer_bytes(&expected));
    buffer_clear(&expected);
}

static const char NOTHING_PACKED[] =
    "b4'-9223372036854775808' de0012 a9'client_id' d38000000000000000 a4'nome' c0 ac'razao_social' c0 "
    "a4'cnpj' c0 a5'valor' c0 a8'vendedor' c0 a2'cs' c0 a6'status' c0 a8'pipeline' c0 ab'data_adesao' c0 "
    "b5'data_start_onboarding' c0 b3'data_end_onboarding' c0 b1'data_cancelamento' c0 ad'motivos_churn' c0 "
    "b6'descricao_cancelamento' c0 a9'criado_em' c0 ad'atualizado_em' c0 a3'tmo' c0";

static const char SOME_PACKED[] =
    "a3'103' de0012 a9'client_id' 67 a4'nome' ae'Loja Ção \"A\"' ac'razao_social' c0 a4'cnpj' "
    "cf00000a34e72c09f5 a5'valor' cb4097706666666666 a8'vendedor' c0 a2'cs' c0 a6'status' c0 a8'pipeline' c0 "
    "ab'data_adesao' aa'2024-02-29' b5'data_start_onboarding' c0 b3'data_end_onboarding' c0 "
    "b1'data_cancelamento' c0 ad'motivos_churn' c0 b6'descricao_cancelamento' c0 a9'criado_em' c0 "
    "ad'atualizado_em' ba'1970-01-01T23:59:59.500000' a3'tmo' ff";

static void test_packed_clients(void **state)
{
    static const struct client nothing = {.id = INT64_MIN},
                               some = {.id = 103,
                                       .nome = RAW("Loja \xC3\x87\xC3\xA3o \"A\""),
                                       .cnpj = {CNPJ_NUMBER, RAW("11222333000181")},
                                       .valor = {15001, 1},
                                       .data_adesao = {TODAY * US_PER_DAY, TIMESTAMP_DATE},
                                       .atualizado_em = {86399 * US_PER_S + 500000, TIMESTAMP_TIME},
                                       .tmo_days = -1,
                                       .has_valor = true,
                                       .has_tmo = true};
    struct rendered_rows rows = clients_as(MEDIA_MSGPACK, &nothing);
    (void)state;
    check_packed("nothing", buffer_bytes(&rows.text), NOTHING_PACKED);
    rendered_rows_clear(&rows);
    rows = clients_as(MEDIA_MSGPACK, &some);
    check_packed("some", buffer_bytes(&rows.text), SOME_PACKED);
    assert_int_equal(rows.names_len, 0);
    rendered_rows_clear(&rows);
}

static const char PLANO_PACKED[] =
    "a1'7' de0015 a9'tenant_id' 07 a4'slug' a6'loja-7' a4'name' ac'Loja Sétima' a4'cnpj' ccbf "
    "b0'qntd_acessos_30d' 4c b8'dias_desde_ultimo_acesso' 00 b1'score_engajamento' cb3ff199999999999a "
    "b1'qntd_entradas_30d' 29 b9'dias_desde_ultima_entrada' 08 af'qntd_saidas_30d' 03 "
    "b7'dias_desde_ultima_saida' fe ba'score_movimentacao_estoque' cb3fef5c28f5c28f5c ae'qntd_leads_30d' 00 "
    "b6'dias_desde_ultimo_lead' 2d a9'score_crm' 00 af'econversa_ativo' c3 b7'integradores_conectados' 03 "
    "ac'integradores' 93 a9'WEBMOTORS' a9'WEBMOTORS' ad'MERCADO_LIVRE' ae'score_adoption' cb3fe6666666666666 "
    "ab'score_total' cb3fe851eb851eb852 a9'categoria' a9'Saudável'";

static const char DETALHADO_PACKED[] =
    "a6'loja-7' 88 a9'tenant_id' a1'7' a4'name' ac'Loja Sétima' a4'cnpj' ccbf a4'slug' a6'loja-7' a6'scores' "
    "85 ab'engajamento' cb3ff199999999999a a6'adocao' cb3fe6666666666666 a7'estoque' cb3fef5c28f5c28f5c "
    "a3'crm' 00 a5'total' cb3fe851eb851eb852 ac'integrations' 82 b0'econversa_status' c3 "
    "b5'integrators_connected' 93 a9'WEBMOTORS' a9'WEBMOTORS' ad'MERCADO_LIVRE' a7'metrics' 84 a7'acessos' "
    "82 ae'quantidade_30d' 4c b2'dias_ultimo_acesso' 00 a8'entradas' 82 ae'quantidade_30d' 29 "
    "b3'dias_ultima_entrada' 08 a6'saidas' 82 ae'quantidade_30d' 03 b1'dias_ultima_saida' fe a5'leads' 82 "
    "ae'quantidade_30d' 00 b0'dias_ultimo_lead' 2d a9'categoria' a9'Saudável'";

/* The first of the tenants above. */
static void test_packed_tenants(void **state)
{
    struct rendered_rows rows = tenants_as(HEALTH_FORMAT_PLANO, MEDIA_MSGPACK, &TENANTS[0].tenant);
    (void)state;
    check_packed("plano", buffer_bytes(&rows.text), PLANO_PACKED);
    rendered_rows_clear(&rows);
    rows = tenants_as(HEALTH_FORMAT_DETALHADO, MEDIA_MSGPACK, &TENANTS[0].tenant);
    check_packed("detalhado", buffer_bytes(&rows.text), DETALHADO_PACKED);
    rendered_rows_clear(&rows);
}

static void test_packed_dashboard(void **state)
{
    static const struct kpis kpis = {12, 9, 3, 1500010, -5, 425, {1, 2, 3, 4}, 4};
    static const char expected[] =
        "87 af'clientes_ativos' 0c b1'clientes_pagantes' 09 b3'clientes_onboarding' 03 a9'mrr_value' "
        "cb40cd4c0ccccccccd ab'churn_value' cbbfa999999999999a a8'tmo_dias' cb4045400000000000 "
        "af'clientes_health' 84 a8'Crítico' 01 a6'Normal' 02 a9'Saudável' 03 a8'Campeão' 04";
    struct buffer out = BUFFER_INIT;
    struct error err;
    (void)state;
    assert_int_equal(render_dashboard(&builtin_model, &kpis, MEDIA_MSGPACK, &out, &err), STATUS_OK);
    check_packed("dashboard", buffer_bytes(&out), expected);
    buffer_reset(&out);
    assert_int_equal(render_dashboard(&builtin_model, &kpis, MEDIA_CSV, &out, &err),
                     STATUS_INVALID); /* no table */
    buffer_clear(&out);
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
        assert_int_equal(render_dashboard(&builtin_model, &rows[i].kpis, MEDIA_JSON, &out, &err), STATUS_OK);
        check_text(rows[i].name, "the text", buffer_bytes(&out), rows[i].expected);
    }
    assert_int_equal(render_dashboard(&builtin_model, &foreign, MEDIA_JSON, &out, &err), STATUS_CORRUPT);
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

/* A document of the rows that are picked, from what each is alone: behind the names, or between braces with commas, or
 * behind their number. */
static void join(enum media media, const struct rendered_rows *alone, const bool *picked, struct buffer *out)
{
    unsigned count = 0;
    buffer_reset(out);
    if (media == MEDIA_CSV)
        buffer_append(out, alone[0].text.data, alone[0].names_len);
    if (media == MEDIA_JSON)
        buffer_append_char(out, '{');
    if (media == MEDIA_MSGPACK)
        buffer_append_char(out, '?');
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = alone[i].text.len - alone[i].names_len;
        if (!picked[i] || len == 0)
            continue;
        count++;
        buffer_append(out, alone[i].text.data + alone[i].names_len, len);
    }
    if (media == MEDIA_JSON && count > 0)
        out->len--; /* the last comma */
    if (media == MEDIA_JSON)
        buffer_append_char(out, '}');
    if (media == MEDIA_MSGPACK)
        out->data[0] = (char)(0x80 | count); /* ROWS is below 16 */
}

static void test_slices_of_clients(void **state)
{
    struct client clients[ROWS];
    struct tenant tenants[ROWS];
    char names[ROWS][8];
    struct buffer found = BUFFER_INIT, expected = BUFFER_INIT;
    struct error err;
    (void)state;
    fill_rows(clients, tenants, names);
    struct scored_snapshot scored = snapshot_of(clients, ROWS, NULL, 0);
    for (enum media media = 0; media < MEDIA_COUNT; media++) {
        struct rendered_rows rows, alone[ROWS];
        assert_int_equal(render_clients(&scored, media, &rows, &err), STATUS_OK);
        for (size_t i = 0; i < ROWS; i++)
            alone[i] = clients_as(media, &clients[i]);
        for (size_t slice = 0; slice < (ROWS + 1) * (ROWS + 1); slice++) {
            size_t first = slice / (ROWS + 1), end = slice % (ROWS + 1);
            struct answer answer = {.first_client = first, .clients_count = end - first};
            char name[64];
            bool picked[ROWS];
            if (first > end)
                continue;
            for (size_t i = 0; i < ROWS; i++)
                picked[i] = i >= first && i < end;
            snprintf(name, sizeof name, "%s, clients %zu to %zu", media_row(media)->type, first, end);
            buffer_reset(&found);
            assemble_clients(&rows, &answer, &found);
            join(media, alone, picked, &expected);
            check_bytes(name, "the text", buffer_bytes(&found), buffer_bytes(&expected));
        }
        for (size_t i = 0; i < ROWS; i++)
            rendered_rows_clear(&alone[i]);
        rendered_rows_clear(&rows);
    }
    buffer_clear(&found);
    buffer_clear(&expected);
}

static void check_every_choice(enum health_format format, enum media media)
{
    struct client clients[ROWS];
    struct tenant tenants[ROWS];
    char names[ROWS][8];
    struct buffer expected = BUFFER_INIT, found = BUFFER_INIT;
    struct rendered_rows rows, alone[ROWS];
    struct error err;
    fill_rows(clients, tenants, names);
    struct scored_snapshot scored = snapshot_of(NULL, 0, tenants, ROWS);
    assert_int_equal(render_tenants(&scored, format, media, &rows, &err), STATUS_OK);
    for (size_t i = 0; i < ROWS; i++)
        alone[i] = tenants_as(format, media, &tenants[i]);
    for (unsigned choice = 0; choice < 1u << ROWS; choice++) {
        unsigned char bits[2] = {(unsigned char)choice, (unsigned char)(choice >> 8)};
        struct answer answer = {.tenants = bits, .tenants_len = sizeof bits};
        bool picked[ROWS];
        char name[64];
        for (size_t i = 0; i < ROWS; i++)
            picked[i] = (choice >> i & 1) != 0;
        snprintf(name, sizeof name, "format %d, %s, tenants %03x", (int)format, media_row(media)->type,
                 choice);
        buffer_reset(&found);
        assemble_tenants(&rows, &answer, &found);
        join(media, alone, picked, &expected);
        check_bytes(name, "the text", buffer_bytes(&found), buffer_bytes(&expected));
    }
    for (size_t i = 0; i < ROWS; i++)
        rendered_rows_clear(&alone[i]);
    buffer_clear(&expected);
    buffer_clear(&found);
    rendered_rows_clear(&rows);
}

/* In both shapes, of which one is a table too. */
static void test_choices_of_tenants(void **state)
{
    (void)state;
    for (enum media media = 0; media < MEDIA_COUNT; media++)
        check_every_choice(HEALTH_FORMAT_PLANO, media);
    check_every_choice(HEALTH_FORMAT_DETALHADO, MEDIA_JSON);
    check_every_choice(HEALTH_FORMAT_DETALHADO, MEDIA_MSGPACK);
}

/* No row at all, and rows that are all empty. */
static void check_nothing(enum media media, const char *clients_expected, const char *tenants_expected)
{
    struct tenant tenants[2] = {{.id = 1}, {.id = 2}};
    unsigned char bits = 3;
    struct answer answer = {.tenants = &bits, .tenants_len = 1};
    for (size_t count = 0; count <= COUNT(tenants); count++) {
        struct scored_snapshot scored = snapshot_of(NULL, 0, tenants, count);
        struct rendered_rows clients, rows;
        struct buffer found = BUFFER_INIT;
        struct error err;
        assert_int_equal(render_clients(&scored, media, &clients, &err), STATUS_OK);
        assert_int_equal(render_tenants(&scored, HEALTH_FORMAT_DETALHADO, media, &rows, &err), STATUS_OK);
        assemble_clients(&clients, &answer, &found);
        check_text("clients", "the text", buffer_bytes(&found), clients_expected);
        buffer_reset(&found);
        assemble_tenants(&rows, &answer, &found);
        check_text("tenants without slug", "the text", buffer_bytes(&found), tenants_expected);
        buffer_clear(&found);
        rendered_rows_clear(&rows);
        rendered_rows_clear(&clients);
    }
}

static void test_nothing_to_assemble(void **state)
{
    (void)state;
    check_nothing(MEDIA_JSON, "{}", "{}");
    check_nothing(MEDIA_MSGPACK, "\x80", "\x80");
    check_nothing(MEDIA_CSV, CLIENT_NAMES, TENANT_NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_dashboards),
        cmocka_unit_test(test_packed_clients),
        cmocka_unit_test(test_packed_tenants),
        cmocka_unit_test(test_packed_dashboard),
        cmocka_unit_test(test_slices_of_clients),
        cmocka_unit_test(test_choices_of_tenants),
        cmocka_unit_test(test_nothing_to_assemble),
    };
    return cmocka_run_group_tests_name("api_render", tests, load_builtin_model, free_builtin_model);
}
