/* tests/unit/test_answer.c - filters and KPIs with numbers worked out by hand, then as a property: any answer equals
 * that of a naive loop over the rows as they were read, and two halves of a range add up to the whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/domain/answer.h"
#include "common/domain/score.h"
#include "tests/unit/support.h"

#define TODAY 20000

static struct decimal decimal_of(const char *text)
{
    struct decimal value = {0, 0};
    assert_true(decimal_parse(bytes_of(text), &value));
    return value;
}

static struct timestamp timestamp_of(const char *text)
{
    struct timestamp timestamp = {0, TIMESTAMP_NONE};
    int32_t offset_s;
    if (text != NULL)
        assert_true(timestamp_parse(bytes_of(text), &timestamp, &offset_s));
    return timestamp;
}

struct client_spec {
    int64_t id;
    const char *adhesion, *pipeline, *valor, *end_onboarding;
    int32_t tmo; /* INT32_MIN: none */
    const char *cnpj;
};

static struct client client_of(const struct client_spec *spec)
{
    struct client client = {.id = spec->id,
                            .pipeline = bytes_of(spec->pipeline),
                            .data_adesao = timestamp_of(spec->adhesion),
                            .data_end_onboarding = timestamp_of(spec->end_onboarding)};
    client.has_valor = spec->valor != NULL;
    if (client.has_valor)
        client.valor = decimal_of(spec->valor);
    client.has_tmo = spec->tmo != INT32_MIN;
    client.tmo_days = client.has_tmo ? spec->tmo : 0;
    client.has_cnpj_key = cnpj_key_parse(bytes_of(spec->cnpj), &client.cnpj_key);
    return client;
}

#define NO_TMO     INT32_MIN
#define ONBOARDING "CS | ONBOARDING"
#define ONGOING    "CS | ONGOING"
#define BRADESCO   "CS | BRADESCO"
#define CHURN      "Churns & Cancelamentos"

static const struct client_spec CLIENTS[] = {
    {1, NULL, ONGOING, "1000.01", NULL, 4, "101"},
    {2, NULL, CHURN, "7", NULL, NO_TMO, NULL},
    {3, "2024-03-10 23:59:59.999999", ONBOARDING, "0.005", NULL, 3, "102"},
    {4, "2024-03-10", ONGOING, "-20.5", NULL, 0, "102"},
    {5, "2024-03-09 00:00:00", BRADESCO, NULL, NULL, -7, "103"},
    {6, "2024-02-29", BRADESCO, "300", "2024-03-01", 2, "104"},
    {7, "2024-01-01", CHURN, "-99.995", NULL, NO_TMO, "101"},
    {8, "2023-12-31 23:59:59", CHURN, NULL, NULL, 1, "105"},
    {9, "1969-12-31 12:00:00", "Vendas", "5000", NULL, 11, "105"},
};

/* Tenants by score: 0 logins is Crítico; 76 logins today and 76 leads today are 0.33 + 0.22, Normal; and so on. */
static struct tenant tenant_of(uint64_t id, const char *cnpj, uint64_t logins, uint64_t leads, bool adopts)
{
    struct event_stats none = {0, DAY_NONE};
    struct tenant tenant = {.id = id, .logins = none, .entries = none, .outs = none, .leads = none};
    if (logins > 0)
        tenant.logins = (struct event_stats){logins, TODAY};
    if (leads > 0)
        tenant.leads = (struct event_stats){leads, TODAY};
    tenant.econversa_open = tenant.has_recent_message = tenant.has_recent_ad = adopts;
    tenant.is_normal = true;
    tenant.has_cnpj_key = cnpj_key_parse(bytes_of(cnpj), &tenant.cnpj_key);
    return tenant;
}

static void score_rows(struct client *clients, size_t clients_count, struct tenant *tenants,
                       size_t tenants_count, struct scored_snapshot *scored)
{
    struct snapshot snapshot = {.instants = {TODAY * US_PER_DAY, 0, 0}};
    struct error err;
    snapshot.clients.rows = clients;
    snapshot.clients.count = clients_count;
    snapshot.tenants.rows = tenants;
    snapshot.tenants.count = tenants_count;
    scored_snapshot_init(scored);
    if (score(&snapshot, &builtin_model, scored, &err) != STATUS_OK)
        fail_msg("score: %s", err.message);
}

static void score_sample(struct scored_snapshot *scored)
{
    struct client clients[COUNT(CLIENTS)];
    struct tenant tenants[] = {
        tenant_of(1, "101", 76, 76, true),  /* 0.33 + 0.22 + 0.14 = 0.69: Saudável */
        tenant_of(2, "102", 0, 0, false),   /* 0: Crítico */
        tenant_of(3, "102", 76, 76, false), /* 0.55: Normal */
        tenant_of(4, "103", 0, 0, false),   /* Crítico */
        tenant_of(5, "105", 0, 0, true),    /* 0.14: Crítico */
    };
    for (size_t i = 0; i < COUNT(CLIENTS); i++)
        clients[i] = client_of(&CLIENTS[i]);
    score_rows(clients, COUNT(CLIENTS), tenants, COUNT(tenants), scored);
}

static struct date_filter filter_of(const char *first, const char *last)
{
    struct date_filter filter = DATE_FILTER_ALL;
    if (first != NULL)
        assert_true(day_parse(bytes_of(first), &filter.first_day));
    if (last != NULL)
        assert_true(day_parse(bytes_of(last), &filter.last_day));
    return filter;
}

struct answer_row {
    const char *name, *first, *last;
    const char *clients; /* ids, in order, as digits */
    const char *tenants; /* ids, in any order: as they rank */
    struct kpis kpis;
};

/* kpis: active, paying, onboarding, mrr, churn, tmo in tenths, categories. */
static const struct answer_row ANSWERS[] = {
    /* mrr 1000.01 + 0.005 - 20.5 + 300 = 1279.515; churn 7 - 99.995 = -92.995; tmo 4, 3, 2, 1, 11: 21 / 5 */
    {"open", NULL, NULL, "123456789", "13524", {5, 3, 2, 127952, -9300, 42, {3, 1, 1, 0}, 4}},
    /* mrr 0.005 - 20.5 + 300 = 279.505; churn -99.995; tmo 3, 2, 1, 11: 17 / 4 = 4.25 */
    {"both ends of time",
     "0001-01-01",
     "9999-12-31",
     "3456789",
     "13524",
     {4, 2, 2, 27951, -10000, 42, {3, 1, 1, 0}, 4}},
    {"from a day on", "2024-03-09", NULL, "345", "324", {3, 1, 2, -2050, 0, 30, {2, 1, 0, 0}, 4}},
    {"up to a day", NULL, "2024-01-01", "789", "15", {0, 0, 0, 0, -10000, 60, {1, 0, 1, 0}, 4}},
    {"a single day", "2024-03-10", "2024-03-10", "34", "32", {2, 1, 1, -2050, 0, 30, {1, 1, 0, 0}, 4}},
    {"one client", "2024-03-09", "2024-03-09", "5", "4", {1, 0, 1, 0, 0, 0, {1, 0, 0, 0}, 4}},
    {"leap day", "2024-02-29", "2024-02-29", "6", "", {1, 1, 0, 30000, 0, 20, {0}, 4}},
    {"the last second of a year", "2023-12-31", "2023-12-31", "8", "5", {0, 0, 0, 0, 0, 10, {1, 0, 0, 0}, 4}},
    {"before 1970", "1969-12-31", "1969-12-31", "9", "5", {0, 0, 0, 0, 0, 110, {1, 0, 0, 0}, 4}},
    {"the day after", "1970-01-01", "1970-01-01", "", "", {0, 0, 0, 0, 0, 0, {0}, 4}},
    {"between two days", "2024-01-02", "2024-02-28", "", "", {0, 0, 0, 0, 0, 0, {0}, 4}},
    {"after all", "2024-03-11", NULL, "", "", {0, 0, 0, 0, 0, 0, {0}, 4}},
    {"before all", NULL, "1969-12-30", "", "", {0, 0, 0, 0, 0, 0, {0}, 4}},
};

static void check_kpis(const char *name, const struct kpis *found, const struct kpis *expected)
{
    check_int(name, "active", found->active, expected->active);
    check_int(name, "paying", found->paying, expected->paying);
    check_int(name, "onboarding", found->onboarding, expected->onboarding);
    check_int(name, "mrr_cents", found->mrr_cents, expected->mrr_cents);
    check_int(name, "churn_cents", found->churn_cents, expected->churn_cents);
    check_int(name, "tmo_tenths", found->tmo_tenths, expected->tmo_tenths);
    check_int(name, "categories_count", found->categories_count, expected->categories_count);
    for (uint32_t i = 0; i < expected->categories_count; i++)
        check_int(name, "in_category", found->in_category[i], expected->in_category[i]);
}

static void check_answer(const struct scored_snapshot *scored, const struct answer_row *row,
                         const struct answer *made)
{
    struct buffer clients = BUFFER_INIT, tenants = BUFFER_INIT;
    for (size_t j = 0; j < made->clients_count; j++)
        buffer_append_format(&clients, "%" PRId64, scored->clients[made->first_client + j].id);
    for (size_t j = 0; j < scored->tenants_count; j++)
        if (answer_has_tenant(made, j))
            buffer_append_format(&tenants, "%" PRIu64, scored->tenants[j].id);
    check_text(row->name, "clients", buffer_bytes(&clients), row->clients);
    check_text(row->name, "tenants", buffer_bytes(&tenants), row->tenants);
    check_int(row->name, "tenants_count", (int64_t)made->tenants_count, (int64_t)strlen(row->tenants));
    check_kpis(row->name, &made->kpis, &row->kpis);
    buffer_clear(&clients);
    buffer_clear(&tenants);
}

static void test_filters_and_kpis(void **state)
{
    struct scored_snapshot scored;
    (void)state;
    score_sample(&scored);
    for (size_t i = 0; i < COUNT(ANSWERS); i++) {
        struct answer made;
        struct error err;
        assert_int_equal(answer(&scored, filter_of(ANSWERS[i].first, ANSWERS[i].last), &made, &err),
                         STATUS_OK);
        check_answer(&scored, &ANSWERS[i], &made);
        answer_clear(&made);
        assert_null(made.tenants);
    }
    scored_snapshot_clear(&scored);
}

/* All of them in one sweep, each twice, in the order of the table and backwards. */
static void test_all_filters_at_once(void **state)
{
    struct scored_snapshot scored;
    struct date_filter filters[2 * COUNT(ANSWERS)];
    struct answer made[2 * COUNT(ANSWERS)];
    struct error err;
    (void)state;
    score_sample(&scored);
    for (size_t i = 0; i < COUNT(ANSWERS); i++) {
        filters[i] = filter_of(ANSWERS[i].first, ANSWERS[i].last);
        filters[2 * COUNT(ANSWERS) - 1 - i] = filters[i];
    }
    assert_int_equal(answer_all(&scored, filters, COUNT(filters), made, &err), STATUS_OK);
    for (size_t i = 0; i < COUNT(filters); i++) {
        check_answer(&scored, &ANSWERS[i < COUNT(ANSWERS) ? i : 2 * COUNT(ANSWERS) - 1 - i], &made[i]);
        answer_clear(&made[i]);
    }
    scored_snapshot_clear(&scored);
}

/* The mean is a binary quotient that is printed with %.1f: halves that binary can hold go to the even neighbour,
 * others to where the nearest binary number lies (that of 1.15 is below it, those of 1.05 and 1.35 above). */
static void test_mean_of_tmo(void **state)
{
    static const struct {
        const char *name;
        int64_t days, clients, tenths;
    } rows[] = {
        {"5 / 4 = 1.25", 5, 4, 12},
        {"7 / 4 = 1.75", 7, 4, 18},
        {"9 / 4 = 2.25", 9, 4, 22},
        {"11 / 4 = 2.75", 11, 4, 28},
        {"23 / 20 = 1.15", 23, 20, 11},
        {"21 / 20 = 1.05", 21, 20, 11},
        {"27 / 20 = 1.35", 27, 20, 14},
        {"10 / 3", 10, 3, 33},
        {"20 / 3", 20, 3, 67},
        {"one day", 1, 1, 10},
        {"the longest", 3652059, 1, 36520590},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client clients[20];
        struct scored_snapshot scored;
        struct answer made;
        struct error err;
        for (int64_t j = 0; j < rows[i].clients; j++) {
            const struct client_spec spec = {j, NULL, NULL, NULL, NULL, 1, NULL};
            clients[j] = client_of(&spec);
        }
        clients[0].tmo_days = (int32_t)(rows[i].days - rows[i].clients + 1);
        score_rows(clients, (size_t)rows[i].clients, NULL, 0, &scored);
        assert_int_equal(answer(&scored, DATE_FILTER_ALL, &made, &err), STATUS_OK);
        check_int(rows[i].name, "tmo_tenths", made.kpis.tmo_tenths, rows[i].tenths);
        answer_clear(&made);
        scored_snapshot_clear(&scored);
    }
}

static void test_nothing_at_all(void **state)
{
    struct scored_snapshot scored;
    struct answer made;
    struct error err;
    const struct kpis zero = {.categories_count = 4};
    (void)state;
    score_rows(NULL, 0, NULL, 0, &scored);
    assert_int_equal(answer(&scored, DATE_FILTER_ALL, &made, &err), STATUS_OK);
    check_kpis("open", &made.kpis, &zero);
    check_int("open", "tenants_len", (int64_t)made.tenants_len, 1);
    answer_clear(&made);
    assert_int_equal(answer(&scored, (struct date_filter){0, 0}, &made, &err), STATUS_OK);
    check_kpis("one day", &made.kpis, &zero);
    answer_clear(&made);
    scored_snapshot_clear(&scored);
}

/* The property test. Rows are few and their values from small sets, so that ties and matches are frequent. */
#define SNAPSHOTS 2500
#define FILTERS   6
#define ROWS      12

static uint64_t next_random(uint64_t *prng)
{
    *prng ^= *prng >> 12;
    *prng ^= *prng << 25;
    *prng ^= *prng >> 27;
    return *prng * UINT64_C(2685821657736338717) >> 33;
}

static int32_t pick(uint64_t *prng, int32_t below)
{
    return (int32_t)(next_random(prng) % (uint64_t)below);
}

static const char *const CNPJS[] = {NULL, "", "0", "101", "102", "103", "12ABC34501DE35"};

/* Of the seven values, the last two have more than two decimals. */
static struct client random_client(uint64_t *prng, int64_t id, int32_t valors_count)
{
    static const char *const pipelines[] = {ONBOARDING, ONGOING, BRADESCO, CHURN, "Vendas", NULL};
    static const char *const valors[] = {NULL, "0", "-12.34", "1500", "9999999999.99", "99.995", "0.0049"};
    static const char *const ends[] = {NULL, "2024-01-01"};
    const struct client_spec spec = {id,
                                     NULL,
                                     pipelines[pick(prng, COUNT(pipelines))],
                                     valors[pick(prng, valors_count)],
                                     ends[pick(prng, COUNT(ends))],
                                     pick(prng, 4) == 0 ? NO_TMO : pick(prng, 9) - 3,
                                     CNPJS[pick(prng, COUNT(CNPJS))]};
    struct client client = client_of(&spec);
    if (pick(prng, 5) > 0)
        client.data_adesao = (struct timestamp){
            (pick(prng, 10) - 5) * US_PER_DAY + pick(prng, 2) * (US_PER_DAY - 1), TIMESTAMP_TIME};
    return client;
}

static struct tenant random_tenant(uint64_t *prng, uint64_t id)
{
    struct tenant tenant = tenant_of(id, CNPJS[pick(prng, COUNT(CNPJS))], (uint64_t)pick(prng, 80),
                                     (uint64_t)pick(prng, 80), pick(prng, 2) == 0);
    tenant.is_normal = pick(prng, 5) > 0;
    return tenant;
}

static struct date_filter random_filter(uint64_t *prng)
{
    struct date_filter filter = DATE_FILTER_ALL;
    if (pick(prng, 3) > 0)
        filter.first_day = pick(prng, 14) - 7;
    if (pick(prng, 3) > 0)
        filter.last_day = (filter.first_day == DAY_MIN ? -7 : filter.first_day) + pick(prng, 8);
    return filter;
}

struct rows {
    struct client clients[ROWS];
    struct tenant tenants[ROWS];
    size_t clients_count, tenants_count;
};

static bool naive_passes(const struct client *client, struct date_filter filter)
{
    if (client->data_adesao.kind == TIMESTAMP_NONE)
        return filter.first_day == DAY_MIN && filter.last_day == DAY_MAX;
    int64_t wall_us = client->data_adesao.wall_us;
    return (filter.first_day == DAY_MIN || wall_us >= filter.first_day * US_PER_DAY) &&
           (filter.last_day == DAY_MAX || wall_us < (filter.last_day + INT64_C(1)) * US_PER_DAY);
}

static bool naive_matches(const struct rows *rows, const struct tenant *tenant, struct date_filter filter)
{
    bool found = false;
    for (size_t i = 0; i < rows->clients_count; i++) {
        const struct client *client = &rows->clients[i];
        bool same = client->has_cnpj_key && memcmp(&client->cnpj_key, &tenant->cnpj_key, CNPJ_LEN) == 0;
        found = found || (same && naive_passes(client, filter));
    }
    return tenant->is_normal && tenant->has_cnpj_key && found;
}

/* In units of 10^-4, the most decimals that random rows have. */
static int64_t naive_valor(const struct client *client)
{
    int64_t units = 0;
    if (client->has_valor)
        assert_true(decimal_to_scaled(client->valor, 4, &units));
    return units;
}

static int64_t naive_cents(int64_t units)
{
    return units < 0 ? -((-units + 50) / 100) : (units + 50) / 100;
}

static bool is_in(const struct client *client, const char *pipeline)
{
    return client->pipeline.data != NULL && bytes_is(client->pipeline, pipeline);
}

static struct kpis naive_kpis(const struct rows *rows, struct date_filter filter)
{
    struct kpis kpis = {.categories_count = 4};
    int64_t mrr = 0, churn = 0, tmo_days = 0, tmo_count = 0;
    for (size_t i = 0; i < rows->clients_count; i++) {
        const struct client *client = &rows->clients[i];
        if (!naive_passes(client, filter))
            continue;
        bool starts = is_in(client, ONBOARDING) || is_in(client, BRADESCO);
        bool active = starts || is_in(client, ONGOING);
        kpis.active += active;
        kpis.paying += active && naive_valor(client) > 0;
        kpis.onboarding += starts && client->data_end_onboarding.kind == TIMESTAMP_NONE;
        mrr += active ? naive_valor(client) : 0;
        churn += is_in(client, CHURN) ? naive_valor(client) : 0;
        bool counts = client->has_tmo && client->tmo_days > 0;
        tmo_count += counts;
        tmo_days += counts ? client->tmo_days : 0;
    }
    kpis.mrr_cents = naive_cents(mrr);
    kpis.churn_cents = naive_cents(churn);
    if (tmo_count > 0) {
        char text[32], *point;
        snprintf(text, sizeof text, "%.1f", (double)tmo_days / (double)tmo_count);
        point = strchr(text, '.');
        kpis.tmo_tenths = strtoll(text, NULL, 10) * 10 + (point[1] - '0');
    }
    for (size_t i = 0; i < rows->tenants_count; i++)
        if (naive_matches(rows, &rows->tenants[i], filter))
            kpis.in_category[score_tenant(&rows->tenants[i], &builtin_model, TODAY).category]++;
    return kpis;
}

static void check_membership(const char *name, const struct rows *rows, const struct scored_snapshot *scored,
                             const struct answer *made)
{
    size_t passing = 0, matching = 0;
    for (size_t i = 0; i < rows->clients_count; i++)
        passing += naive_passes(&rows->clients[i], made->filter);
    for (size_t i = 0; i < rows->tenants_count; i++)
        matching += naive_matches(rows, &rows->tenants[i], made->filter);
    check_int(name, "clients_count", (int64_t)made->clients_count, (int64_t)passing);
    check_int(name, "tenants_count", (int64_t)made->tenants_count, (int64_t)matching);
    for (size_t i = 0; i < made->clients_count; i++)
        check_int(name, "listed client passes",
                  naive_passes(&scored->clients[made->first_client + i], made->filter), true);
    for (size_t i = 0; i < scored->tenants_count; i++)
        check_int(name, "listed tenant matches", answer_has_tenant(made, i),
                  naive_matches(rows, &scored->tenants[i], made->filter));
}

/* Counts add up exactly, and so do cents unless there are more than two decimals: then each half is rounded, and
 * both together may differ from the whole by `most_cents`. */
static void check_split(const char *name, const struct scored_snapshot *scored, const struct answer *whole,
                        int32_t last_of_first, int64_t most_cents)
{
    struct answer first, second;
    struct error err;
    const struct date_filter halves[] = {{whole->filter.first_day, last_of_first},
                                         {last_of_first + 1, whole->filter.last_day}};
    assert_int_equal(answer(scored, halves[0], &first, &err), STATUS_OK);
    assert_int_equal(answer(scored, halves[1], &second, &err), STATUS_OK);
    const struct kpis *a = &first.kpis, *b = &second.kpis, *all = &whole->kpis;
    check_int(name, "clients of halves", (int64_t)(first.clients_count + second.clients_count),
              (int64_t)whole->clients_count);
    check_int(name, "active of halves", a->active + b->active, all->active);
    check_int(name, "paying of halves", a->paying + b->paying, all->paying);
    check_int(name, "onboarding of halves", a->onboarding + b->onboarding, all->onboarding);
    int64_t mrr = all->mrr_cents - a->mrr_cents - b->mrr_cents;
    int64_t churn = all->churn_cents - a->churn_cents - b->churn_cents;
    check_int(name, "mrr of halves adds up", mrr >= -most_cents && mrr <= most_cents, true);
    check_int(name, "churn of halves adds up", churn >= -most_cents && churn <= most_cents, true);
    answer_clear(&first);
    answer_clear(&second);
}

static void check_random_snapshot(uint64_t seed)
{
    uint64_t prng = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    const int32_t valors_count = seed % 2 == 0 ? 5 : 7;
    struct rows rows;
    struct scored_snapshot scored;
    rows.clients_count = (size_t)pick(&prng, ROWS + 1);
    rows.tenants_count = (size_t)pick(&prng, ROWS + 1);
    for (size_t i = 0; i < rows.clients_count; i++)
        rows.clients[i] = random_client(&prng, (int64_t)i - 3, valors_count);
    for (size_t i = 0; i < rows.tenants_count; i++)
        rows.tenants[i] = random_tenant(&prng, i);
    score_rows(rows.clients, rows.clients_count, rows.tenants, rows.tenants_count, &scored);
    for (int i = 0; i < FILTERS; i++) {
        struct date_filter filter = random_filter(&prng);
        struct answer made;
        struct error err;
        char name[96];
        snprintf(name, sizeof name, "seed %" PRIu64 ", days %d to %d", seed, filter.first_day,
                 filter.last_day);
        assert_int_equal(answer(&scored, filter, &made, &err), STATUS_OK);
        struct kpis expected = naive_kpis(&rows, filter);
        check_kpis(name, &made.kpis, &expected);
        check_membership(name, &rows, &scored, &made);
        int32_t middle = filter.first_day == DAY_MIN ? pick(&prng, 5) - 8 : filter.first_day + pick(&prng, 4);
        if (!date_filter_is_open(filter) && middle >= filter.first_day && middle < filter.last_day)
            check_split(name, &scored, &made, middle, valors_count == 5 ? 0 : 1);
        answer_clear(&made);
    }
    scored_snapshot_clear(&scored);
}

static void test_any_answer_equals_a_naive_loop(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SNAPSHOTS; seed++)
        check_random_snapshot(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters_and_kpis),
        cmocka_unit_test(test_all_filters_at_once),
        cmocka_unit_test(test_mean_of_tmo),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_any_answer_equals_a_naive_loop),
    };
    return cmocka_run_group_tests_name("answer", tests, load_builtin_model, free_builtin_model);
}
