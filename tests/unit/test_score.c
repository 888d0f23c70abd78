/* tests/unit/test_score.c - every band edge, roundings, totals at the cuts, roles, matching by CNPJ and order, all with
 * the built-in model. Expected numbers are worked out by hand from the tables of points. */
#include <inttypes.h>
#include <stdio.h>

#include "common/domain/score.h"
#include "tests/unit/support.h"

#define TODAY    20000 /* 2024-10-04 */
#define NEVER    INT32_MAX
#define MATCHING "11222333000181"

/* `days` before today, or NEVER. */
static struct event_stats events(uint64_t count, int64_t days)
{
    return (struct event_stats){count, days == NEVER ? DAY_NONE : (int32_t)(TODAY - days)};
}

static struct tenant tenant_without_events(void)
{
    struct event_stats none = {0, DAY_NONE};
    return (struct tenant){.logins = none, .entries = none, .outs = none, .leads = none};
}

struct band_row {
    const char *name;
    uint64_t count;
    int32_t days;
    int64_t cents;
};

/* Half of the points: one of recency and volume is 0 in each row but the last ones. */
static const struct band_row LOGIN_BANDS[] = {
    {"no event", 0, NEVER, 0},
    {"tomorrow", 0, -1, 50},
    {"far future", 0, -100000, 50},
    {"today", 0, 0, 50},
    {"3 days", 0, 3, 50},
    {"4 days", 0, 4, 45},
    {"7 days", 0, 7, 45},
    {"8 days", 0, 8, 30},
    {"14 days", 0, 14, 30},
    {"15 days", 0, 15, 10},
    {"30 days", 0, 30, 10},
    {"31 days", 0, 31, 0},
    {"9998 days", 0, 9998, 0},
    {"1 event", 1, NEVER, 0},
    {"2 events: 0.075", 2, NEVER, 8},
    {"6 events", 6, NEVER, 8},
    {"7 events", 7, NEVER, 15},
    {"11 events", 11, NEVER, 15},
    {"12 events", 12, NEVER, 25},
    {"25 events", 25, NEVER, 25},
    {"26 events", 26, NEVER, 35},
    {"40 events", 40, NEVER, 35},
    {"41 events", 41, NEVER, 50},
    {"75 events", 75, NEVER, 50},
    {"76 events", 76, NEVER, 60},
    {"the most events", UINT64_MAX, NEVER, 60},
    {"0.175 rounds up", 2, 30, 18},
    {"0.375 rounds up", 2, 14, 38},
    {"0.525 rounds up", 2, 7, 53},
    {"0.575 rounds up", 2, 3, 58},
    {"0.25", 7, 30, 25},
    {"0.6", 7, 7, 60},
    {"0.95", 41, 7, 95},
    {"1", 41, 3, 100},
    {"1.1 is not clamped", 76, 3, 110},
};

static void test_bands_of_logins_and_leads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(LOGIN_BANDS); i++) {
        const struct band_row *row = &LOGIN_BANDS[i];
        struct tenant tenant = tenant_without_events();
        tenant.logins = events(row->count, row->days);
        struct scores scores = score_tenant(&tenant, &builtin_model, TODAY);
        check_int(row->name, "engagement", scores.pillar_cents[PILLAR_ENGAGEMENT], row->cents);
        check_int(row->name, "crm beside logins", scores.pillar_cents[PILLAR_CRM], 0);
        check_int(row->name, "total of logins", scores.total_exact, row->cents * 300000);
        tenant = tenant_without_events();
        tenant.leads = events(row->count, row->days);
        scores = score_tenant(&tenant, &builtin_model, TODAY);
        check_int(row->name, "crm", scores.pillar_cents[PILLAR_CRM], row->cents);
        check_int(row->name, "engagement beside leads", scores.pillar_cents[PILLAR_ENGAGEMENT], 0);
        check_int(row->name, "total of leads", scores.total_exact, row->cents * 200000);
    }
}

/* A quarter of the points: only one of entries and outs has events. */
static const struct band_row STOCK_BANDS[] = {
    {"no event", 0, NEVER, 0},
    {"tomorrow", 0, -1, 25},
    {"today", 0, 0, 25},
    {"3 days", 0, 3, 25},
    {"4 days: 0.2125", 0, 4, 21},
    {"7 days", 0, 7, 21},
    {"8 days", 0, 8, 15},
    {"14 days", 0, 14, 15},
    {"15 days: 0.075", 0, 15, 8},
    {"30 days", 0, 30, 8},
    {"31 days", 0, 31, 0},
    {"1 event: 0.0825", 1, NEVER, 8},
    {"3 events", 3, NEVER, 8},
    {"4 events: 0.125", 4, NEVER, 13},
    {"9 events", 9, NEVER, 13},
    {"10 events: 0.175", 10, NEVER, 18},
    {"20 events", 20, NEVER, 18},
    {"21 events", 21, NEVER, 25},
    {"40 events", 40, NEVER, 25},
    {"41 events", 41, NEVER, 30},
    {"the most events", UINT64_MAX, NEVER, 30},
    {"0.295 rounds up", 1, 7, 30},
    {"0.1575 rounds up", 1, 30, 16},
    {"0.3875 rounds up", 10, 7, 39},
    {"0.2325 rounds down", 1, 14, 23},
    {"0.55", 41, 3, 55},
};

static void test_bands_of_stock(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(STOCK_BANDS); i++) {
        const struct band_row *row = &STOCK_BANDS[i];
        struct tenant tenant = tenant_without_events();
        tenant.entries = events(row->count, row->days);
        struct scores scores = score_tenant(&tenant, &builtin_model, TODAY);
        check_int(row->name, "stock of entries", scores.pillar_cents[PILLAR_STOCK], row->cents);
        check_int(row->name, "total", scores.total_exact, row->cents * 300000);
        tenant = tenant_without_events();
        tenant.outs = events(row->count, row->days);
        scores = score_tenant(&tenant, &builtin_model, TODAY);
        check_int(row->name, "stock of outs", scores.pillar_cents[PILLAR_STOCK], row->cents);
    }
}

static void test_stock_adds_entries_and_outs(void **state)
{
    static const struct {
        const char *name;
        uint64_t entries;
        int64_t entries_days;
        uint64_t outs;
        int64_t outs_days;
        int64_t cents;
    } rows[] = {
        {"1.1", 41, 3, 41, -2, 110},
        {"0.165 is rounded once, not 0.0825 twice", 1, NEVER, 1, 9999, 17},
        {"0.85 + 0.33 + 0.3 + 0.5 = 1.98, 0.495", 1, 7, 4, 30, 50},
        {"1 + 1 + 0.6 + 0.7 = 3.3, 0.825", 21, 0, 10, 14, 83},
        {"0.85 + 1.2 + 0 + 0.33 = 2.38, 0.595", 41, 4, 3, 31, 60},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tenant tenant = tenant_without_events();
        tenant.entries = events(rows[i].entries, rows[i].entries_days);
        tenant.outs = events(rows[i].outs, rows[i].outs_days);
        struct scores scores = score_tenant(&tenant, &builtin_model, TODAY);
        check_int(rows[i].name, "stock", scores.pillar_cents[PILLAR_STOCK], rows[i].cents);
    }
}

/* Volume alone, at the edges of classes of up to 2, up to 5 and all larger sizes. */
static void test_volume_by_size(void **state)
{
    static const struct band small[] = {{30, 1200000}, {3, 300000}}, medium[] = {{50, 1200000}},
                             large[] = {{120, 1000000}};
    static const struct volume_class classes[] = {
        {2, {small, COUNT(small)}}, {5, {medium, COUNT(medium)}}, {INT64_MAX, {large, COUNT(large)}}};
    static const struct {
        const char *name;
        uint64_t size, count;
        int64_t cents;
    } rows[] = {
        {"nobody", 0, 31, 60},
        {"the last of the first class", 2, 31, 60},
        {"its lower band", 2, 30, 15},
        {"below its bands", 2, 3, 0},
        {"the first of the second", 3, 31, 0},
        {"50 of the second", 5, 50, 0},
        {"51 of the second", 5, 51, 60},
        {"the first of the last", 6, 120, 0},
        {"121 of the last", 6, 121, 50},
        {"the largest", INT64_MAX, 121, 50},
    };
    struct scoring_model by_size = builtin_model;
    (void)state;
    for (int pillar = 0; pillar < PILLAR_ADOPTION; pillar++) {
        by_size.events[pillar].volumes = classes;
        by_size.events[pillar].volumes_count = COUNT(classes);
    }
    by_size.events[PILLAR_ENGAGEMENT].measure = SIZE_TEAM;
    by_size.events[PILLAR_CRM].measure = SIZE_STORE;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tenant tenant = tenant_without_events();
        tenant.logins.count = tenant.leads.count = rows[i].count;
        tenant.team_size = rows[i].size;
        struct scores scores = score_tenant(&tenant, &by_size, TODAY);
        check_int(rows[i].name, "engagement", scores.pillar_cents[PILLAR_ENGAGEMENT], rows[i].cents);
        tenant.team_size = 1000;
        tenant.store_size = rows[i].size;
        scores = score_tenant(&tenant, &by_size, TODAY);
        check_int(rows[i].name, "crm", scores.pillar_cents[PILLAR_CRM], rows[i].cents);
    }
}

static void test_adoption_of_every_combination(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++)
        for (uint64_t contracts = 0; contracts <= 3; contracts++) {
            char name[64];
            struct tenant tenant = tenant_without_events();
            tenant.econversa_open = (bits & 1) != 0;
            tenant.has_recent_message = (bits & 2) != 0;
            tenant.has_recent_ad = (bits & 4) != 0;
            tenant.has_recent_report = (bits & 8) != 0;
            tenant.is_normal = (bits & 16) != 0;
            tenant.contracts_count = contracts;
            int64_t cents = ((bits & 3) == 3 ? 30 : 0) + ((bits & 4) != 0 ? 40 : 0) +
                            ((bits & 8) != 0 ? 10 : 0) + (contracts >= 2 ? 20 : 0);
            struct scores scores = score_tenant(&tenant, &builtin_model, TODAY);
            snprintf(name, sizeof name, "flags %u, %" PRIu64 " contracts", bits, contracts);
            check_int(name, "adoption", scores.pillar_cents[PILLAR_ADOPTION], cents);
            check_int(name, "total", scores.total_exact, cents * 200000);
        }
}

struct total_row {
    const char *name;
    struct tenant tenant;
    int64_t pillars[PILLAR_COUNT];
    int64_t total_exact; /* 10^-8 */
    int64_t total_cents;
    uint32_t category;
};

/* EVENTS(count, days): an initialiser for events that have been. */
#define EVENTS(count, days)                                                                                  \
    {                                                                                                        \
        count, TODAY - (days)                                                                                \
    }
#define NO_EVENTS                                                                                            \
    {                                                                                                        \
        0, DAY_NONE                                                                                          \
    }
#define ADOPTION(message, ad, report, contracts)                                                             \
    .econversa_open = (message), .has_recent_message = (message), .has_recent_ad = (ad),                     \
    .has_recent_report = (report), .contracts_count = (contracts)

static const struct total_row TOTALS[] = {
    {"nothing",
     {.logins = NO_EVENTS, .entries = NO_EVENTS, .outs = NO_EVENTS, .leads = NO_EVENTS},
     {0},
     0,
     0,
     0},
    {"0.299",
     {.logins = NO_EVENTS,
      .entries = EVENTS(0, 9999),
      .outs = EVENTS(10, 0),
      .leads = EVENTS(26, 20),
      ADOPTION(false, true, false, 0)},
     {0, 43, 45, 40},
     29900000,
     30,
     0},
    {"exactly 0.3 of four pillars",
     {.logins = NO_EVENTS,
      .entries = EVENTS(1, 9999),
      .outs = EVENTS(21, 0),
      .leads = EVENTS(2, 5),
      ADOPTION(false, false, true, 0)},
     {0, 58, 53, 10},
     30000000,
     30,
     0},
    {"exactly 0.3 of logins alone",
     {.logins = EVENTS(41, 3), .entries = NO_EVENTS, .outs = NO_EVENTS, .leads = NO_EVENTS},
     {100, 0, 0, 0},
     30000000,
     30,
     0},
    {"0.301",
     {.logins = NO_EVENTS,
      .entries = EVENTS(10, 9999),
      .outs = EVENTS(10, 9999),
      .leads = EVENTS(2, 20),
      ADOPTION(true, true, true, 1)},
     {0, 35, 18, 80},
     30100000,
     30,
     1},
    {"0.599",
     {.logins = NO_EVENTS,
      .entries = EVENTS(21, 5),
      .outs = EVENTS(41, 0),
      .leads = EVENTS(2, 0),
      ADOPTION(true, true, false, 2)},
     {0, 101, 58, 90},
     59900000,
     60,
     1},
    {"exactly 0.6",
     {.logins = EVENTS(12, 10),
      .entries = EVENTS(21, 9999),
      .outs = EVENTS(21, 0),
      .leads = EVENTS(26, 0),
      ADOPTION(false, false, false, 2)},
     {55, 75, 85, 20},
     60000000,
     60,
     1},
    {"0.601",
     {.logins = EVENTS(26, 20),
      .entries = EVENTS(1, 5),
      .outs = EVENTS(10, 0),
      .leads = EVENTS(12, 9999),
      ADOPTION(true, true, true, 5)},
     {45, 72, 25, 100},
     60100000,
     60,
     2},
    {"0.799",
     {.logins = EVENTS(76, 0),
      .entries = EVENTS(0, 9999),
      .outs = EVENTS(41, 5),
      .leads = EVENTS(2, 0),
      ADOPTION(true, true, true, 2)},
     {110, 51, 58, 100},
     79900000,
     80,
     2},
    {"exactly 0.8",
     {.logins = EVENTS(76, 0),
      .entries = EVENTS(21, 10),
      .outs = EVENTS(21, 0),
      .leads = EVENTS(41, 9999),
      ADOPTION(true, false, false, 2)},
     {110, 90, 50, 50},
     80000000,
     80,
     2},
    {"0.801",
     {.logins = EVENTS(76, 20),
      .entries = EVENTS(1, 20),
      .outs = EVENTS(41, 5),
      .leads = EVENTS(41, 5),
      ADOPTION(true, true, true, 2)},
     {70, 67, 95, 100},
     80100000,
     80,
     3},
    {"the highest",
     {.logins = EVENTS(76, 0),
      .entries = EVENTS(41, 0),
      .outs = EVENTS(41, 0),
      .leads = EVENTS(76, 0),
      ADOPTION(true, true, true, 2)},
     {110, 110, 110, 100},
     108000000,
     108,
     3},
};

static void test_totals_and_categories(void **state)
{
    static const char *const names[] = {"engagement", "stock", "crm", "adoption"};
    (void)state;
    for (size_t i = 0; i < COUNT(TOTALS); i++) {
        const struct total_row *row = &TOTALS[i];
        struct scores scores = score_tenant(&row->tenant, &builtin_model, TODAY);
        for (int pillar = 0; pillar < PILLAR_COUNT; pillar++)
            check_int(row->name, names[pillar], scores.pillar_cents[pillar], row->pillars[pillar]);
        check_int(row->name, "total_exact", scores.total_exact, row->total_exact);
        check_int(row->name, "total_cents", scores.total_cents, row->total_cents);
        check_int(row->name, "category", scores.category, row->category);
    }
}

/* One step of 10^-8 on either side of each cut; the category is decided before the total is rounded. */
static void test_category_cuts_to_the_last_digit(void **state)
{
    static const struct {
        const char *name;
        int64_t total_exact, cents;
        uint32_t category;
    } rows[] = {
        {"0", 0, 0, 0},
        {"below 0.3", 29999999, 30, 0},
        {"0.3", 30000000, 30, 0},
        {"above 0.3", 30000001, 30, 1},
        {"half a cent", 30500000, 31, 1},
        {"below half a cent", 30499999, 30, 1},
        {"below 0.6", 59999999, 60, 1},
        {"0.6", 60000000, 60, 1},
        {"above 0.6", 60000001, 60, 2},
        {"below 0.8", 79999999, 80, 2},
        {"0.8", 80000000, 80, 2},
        {"above 0.8", 80000001, 80, 3},
        {"1.1", 110000000, 110, 3},
        {"the largest", INT64_MAX, INT64_C(9223372036855), 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scores pillars = {.pillar_cents = {1, 2, 3, 4}};
        struct scores scores = scores_complete(&builtin_model, pillars, rows[i].total_exact);
        check_int(rows[i].name, "total_exact", scores.total_exact, rows[i].total_exact);
        check_int(rows[i].name, "total_cents", scores.total_cents, rows[i].cents);
        check_int(rows[i].name, "category", scores.category, rows[i].category);
        check_int(rows[i].name, "a pillar", scores.pillar_cents[2], 3);
    }
}

static void test_roles_of_clients(void **state)
{
    const struct timestamp some_day = {0, TIMESTAMP_DATE}, none = {0, TIMESTAMP_NONE};
    const struct {
        const char *name, *pipeline;
        struct timestamp end;
        bool has_valor;
        int64_t valor;
        int64_t roles;
    } rows[] = {
        {"onboarding, pays", "CS | ONBOARDING", none, true, 1,
         CLIENT_ACTIVE | CLIENT_PAYING | CLIENT_ONBOARDING},
        {"onboarding is over", "CS | ONBOARDING", some_day, true, 1, CLIENT_ACTIVE | CLIENT_PAYING},
        {"bradesco", "CS | BRADESCO", none, true, 5, CLIENT_ACTIVE | CLIENT_PAYING | CLIENT_ONBOARDING},
        {"ongoing never is in onboarding", "CS | ONGOING", none, true, 5, CLIENT_ACTIVE | CLIENT_PAYING},
        {"no valor", "CS | ONGOING", none, false, 5, CLIENT_ACTIVE},
        {"zero", "CS | ONGOING", none, true, 0, CLIENT_ACTIVE},
        {"negative", "CS | ONGOING", none, true, -1, CLIENT_ACTIVE},
        {"churned", "Churns & Cancelamentos", none, true, 1, CLIENT_CHURNED},
        {"other pipeline", "Vendas", none, true, 1, 0},
        {"letter case counts", "cs | ongoing", none, true, 1, 0},
        {"blank behind", "CS | ONGOING ", none, true, 1, 0},
        {"empty pipeline", "", none, true, 1, 0},
        {"no pipeline", NULL, none, true, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client = {.pipeline = bytes_of(rows[i].pipeline),
                                .data_end_onboarding = rows[i].end,
                                .has_valor = rows[i].has_valor,
                                .valor = {rows[i].valor, 0}};
        check_int(rows[i].name, "roles", client_roles(&client, &builtin_model), rows[i].roles);
    }
}

/* A client with a stored CNPJ, and the second of 1970-01-02 at which it came; below 0: undated. */
static struct client client_row(int64_t id, const char *cnpj, int64_t second)
{
    struct client client = {.id = id, .group = 77, .pipeline = bytes_of("CS | ONGOING")};
    client.has_cnpj_key = cnpj_key_parse(bytes_of(cnpj), &client.cnpj_key);
    if (second >= 0)
        client.data_adesao = (struct timestamp){US_PER_DAY + second * US_PER_S, TIMESTAMP_TIME};
    return client;
}

static struct tenant tenant_row(uint64_t id, const char *cnpj, uint64_t logins)
{
    struct tenant tenant = tenant_without_events();
    tenant.id = id;
    tenant.logins.count = logins;
    tenant.is_normal = true;
    tenant.has_cnpj_key = cnpj_key_parse(bytes_of(cnpj), &tenant.cnpj_key);
    return tenant;
}

static struct snapshot snapshot_of(struct client *clients, size_t clients_count, struct tenant *tenants,
                                   size_t tenants_count)
{
    struct snapshot snapshot = {.instants = {TODAY * US_PER_DAY + 7, -10800, 42}};
    snapshot.clients.rows = clients;
    snapshot.clients.count = clients_count;
    snapshot.tenants.rows = tenants;
    snapshot.tenants.count = tenants_count;
    return snapshot;
}

static void test_matching_by_cnpj(void **state)
{
    struct client clients[] = {
        client_row(1, "11.222.333/0001-81", 1), client_row(2, MATCHING, 2), client_row(3, "191", 3),
        client_row(4, "12abc34501de35", 4),     client_row(5, NULL, 5),     client_row(6, "0", 6),
        client_row(7, "99999999000199", 7),
    };
    struct tenant tenants[] = {
        tenant_row(10, MATCHING, 0),
        tenant_row(11, "11222333/0001-81", 0),
        tenant_row(12, "00000000000191", 0),
        tenant_row(13, "12.ABC.345/01DE-35", 0),
        tenant_row(14, NULL, 0),
        tenant_row(15, "000", 0),
        tenant_row(16, MATCHING, 0),
        tenant_row(17, "55555555000155", 0),
    };
    static const struct {
        uint64_t id;
        int64_t first_client, second_client; /* that share its group */
    } expected[] = {{10, 1, 2}, {11, 1, 2}, {12, 3, 3}, {13, 4, 4}};
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    tenants[6].is_normal = false;
    struct snapshot snapshot = snapshot_of(clients, COUNT(clients), tenants, COUNT(tenants));
    scored_snapshot_init(&scored);
    assert_int_equal(score(&snapshot, &builtin_model, &scored, &err), STATUS_OK);
    check_int("matching", "tenants", (int64_t)scored.tenants_count, COUNT(expected));
    check_int("matching", "groups", (int64_t)scored.groups_count, 3);
    for (size_t i = 0; i < COUNT(expected); i++) {
        check_int("matching", "tenant", (int64_t)scored.tenants[i].id, (int64_t)expected[i].id);
        for (size_t j = 0; j < scored.clients_count; j++) {
            const struct client *client = &scored.clients[j];
            bool shares = client->id == expected[i].first_client || client->id == expected[i].second_client;
            check_int("matching", "shared group", client->group == scored.tenants[i].group, shares);
        }
    }
    for (size_t j = 0; j < scored.clients_count; j++)
        if (scored.clients[j].id >= 5)
            check_int("client without tenant", "group", scored.clients[j].group, GROUP_NONE);
    scored_snapshot_clear(&scored);
}

static void test_order_of_clients_and_tenants(void **state)
{
    struct client clients[] = {
        client_row(5, MATCHING, 10), client_row(9, MATCHING, -1), client_row(4, MATCHING, 10),
        client_row(7, MATCHING, 11), client_row(-3, NULL, -1),    client_row(8, MATCHING, 0),
    };
    static const int64_t client_ids[] = {-3, 9, 7, 4, 5, 8};
    struct tenant tenants[] = {
        tenant_row(3, MATCHING, 2), tenant_row(2, MATCHING, 6), tenant_row(UINT64_MAX, MATCHING, 76),
        tenant_row(1, MATCHING, 0), tenant_row(4, MATCHING, 7),
    };
    static const uint64_t tenant_ids[] = {UINT64_MAX, 4, 2, 3, 1};
    struct snapshot snapshot = snapshot_of(clients, COUNT(clients), tenants, COUNT(tenants));
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    assert_int_equal(score(&snapshot, &builtin_model, &scored, &err), STATUS_OK);
    for (size_t i = 0; i < COUNT(client_ids); i++)
        check_int("order", "client", scored.clients[i].id, client_ids[i]);
    for (size_t i = 0; i < COUNT(tenant_ids); i++)
        if (scored.tenants[i].id != tenant_ids[i])
            fail_msg("tenant %zu is %" PRIu64 ", expected %" PRIu64, i, scored.tenants[i].id, tenant_ids[i]);
    check_int("order", "undated", (int64_t)scored.undated_count, 2);
    check_int("order", "the first dated day", scored.adhesion_days[2], 1);
    check_int("instants", "as_of", scored.instants.as_of_wall_us, TODAY * US_PER_DAY + 7);
    scored_snapshot_clear(&scored);
}

static void test_integrators_and_replacements(void **state)
{
    static const int64_t ids[] = {1, 1, 2, 3, 10, 13, 16, 17};
    static const int64_t named[] = {1, 1, 2, 16};
    struct client client = client_row(1, MATCHING, 1);
    struct tenant tenant = tenant_row(2, MATCHING, 0);
    tenant.integrators = ids;
    tenant.integrators_count = COUNT(ids);
    struct snapshot snapshot = snapshot_of(&client, 1, &tenant, 1);
    snapshot.clients.replaced = (struct replacements){3, 40};
    snapshot.tenants.replaced = (struct replacements){500, 6000};
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    assert_int_equal(score(&snapshot, &builtin_model, &scored, &err), STATUS_OK);
    check_int("integrators", "count", scored.tenants[0].integrators_count, COUNT(named));
    for (size_t i = 0; i < COUNT(named); i++)
        check_int("integrators", "id", scored.tenants[0].integrators[i], named[i]);
    check_int("replaced", "texts", (int64_t)scored.replaced.texts, 503);
    check_int("replaced", "values", (int64_t)scored.replaced.values, 6040);
    check_int("source row", "integrators", tenant.integrators_count, COUNT(ids));
    scored_snapshot_clear(&scored);
}

static void test_nothing_and_a_client_twice(void **state)
{
    struct client twice[] = {client_row(1, MATCHING, 1), client_row(1, MATCHING, 1)};
    struct snapshot nothing = snapshot_of(NULL, 0, NULL, 0);
    struct snapshot doubled = snapshot_of(twice, 2, NULL, 0);
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    assert_int_equal(score(&nothing, &builtin_model, &scored, &err), STATUS_OK);
    check_int("nothing", "rows", (int64_t)(scored.clients_count + scored.tenants_count), 0);
    scored_snapshot_clear(&scored);
    assert_int_equal(score(&doubled, &builtin_model, &scored, &err), STATUS_CORRUPT);
    assert_string_equal(err.message, "client 1: out of order or twice");
    scored_snapshot_clear(&scored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bands_of_logins_and_leads),
        cmocka_unit_test(test_bands_of_stock),
        cmocka_unit_test(test_stock_adds_entries_and_outs),
        cmocka_unit_test(test_volume_by_size),
        cmocka_unit_test(test_adoption_of_every_combination),
        cmocka_unit_test(test_totals_and_categories),
        cmocka_unit_test(test_category_cuts_to_the_last_digit),
        cmocka_unit_test(test_roles_of_clients),
        cmocka_unit_test(test_matching_by_cnpj),
        cmocka_unit_test(test_order_of_clients_and_tenants),
        cmocka_unit_test(test_integrators_and_replacements),
        cmocka_unit_test(test_nothing_and_a_client_twice),
    };
    return cmocka_run_group_tests_name("score", tests, load_builtin_model, free_builtin_model);
}
