/* tests/unit/test_score_by_size.c - schemas/scoring-by-size.json, read from the source tree: tenants worked out by
 * hand, and each edge of each class and band from both sides. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/domain/score.h"
#include "tests/unit/support.h"

#define TODAY 20000 /* 2024-10-04 */
#define NEVER INT32_MAX

static struct arena model_arena;
static struct scoring_model model;

/* The document lies two folders above this file's. */
static bool read_document(struct buffer *out)
{
    static const char here[] = "tests/unit/test_score_by_size.c";
    char path[4096], chunk[4096];
    size_t root_len = strlen(__FILE__) - strlen(here), len;
    snprintf(path, sizeof path, "%.*sschemas/scoring-by-size.json", (int)root_len, __FILE__);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_append(out, chunk, len);
    return fclose(file) == 0 && out->len > 0;
}

static int load_model(void **state)
{
    struct buffer text = BUFFER_INIT;
    struct error err = {STATUS_OK, "the document cannot be read"};
    (void)state;
    arena_init(&model_arena);
    bool is_loaded = read_document(&text) &&
                     scoring_model_parse(&model_arena, buffer_bytes(&text), &model, &err) == STATUS_OK;
    buffer_clear(&text);
    if (!is_loaded)
        print_error("scoring-by-size.json: %s\n", err.message);
    return is_loaded ? 0 : -1;
}

static int free_model(void **state)
{
    (void)state;
    arena_clear(&model_arena);
    return 0;
}

/* `days` before today, or NEVER. */
static struct event_stats events(uint64_t count, int32_t days)
{
    return (struct event_stats){count, days == NEVER ? DAY_NONE : TODAY - days};
}

struct tenant_row {
    const char *name;
    uint64_t team, store;
    struct {
        uint64_t count;
        int32_t days;
    } logins, entries, outs, leads;
    bool econversa_open, has_message, has_ad, has_report;
    uint64_t contracts;
    struct scores expected;
};

/* expected: engagement, stock, crm, adoption in hundredths; total in 10^-8, rounded total, category. */
static const struct tenant_row TENANTS[] = {
    /* team 2: 31 > 30 is 1.2, with 1 of today: 2.2 / 2 = 1.1. Store 15: 13 > 12 is 1.2, with 1 of 3 days, and
     * 9 > 8 is 1, with 0.85 of 4 days: 4.05 / 4 = 1.0125, rounded 1.01. Leads: 1.2 and 1: 1.1. Adoption: all, 1.
     * 0.3 x 1.1 + 0.3 x 1.01 + 0.2 x 1.1 + 0.2 x 1 = 0.33 + 0.303 + 0.22 + 0.2 = 1.053. */
    {"a small champion",
     2,
     15,
     {31, 0},
     {13, 3},
     {9, 4},
     {76, 1},
     true,
     true,
     true,
     true,
     2,
     {{110, 101, 110, 100}, 105300000, 105, 3}},
    /* team 5: 18 is not > 18, but > 8: 0.5, with 0.9 of 7 days: 0.7. Store 50: 8 is not > 8, but > 3: 0.5, with
     * 0.6 of 14 days, and 4 > 3: 0.5, with 0.3 of 30 days: 1.9 / 4 = 0.475, rounded 0.48. Leads: 25 is not > 25,
     * but > 11: 0.5, with 0.6: 0.55. Adoption: 0.3 + 0.1. 0.21 + 0.144 + 0.11 + 0.08 = 0.544. */
    {"a medium one at the upper edges",
     5,
     50,
     {18, 7},
     {8, 14},
     {4, 30},
     {25, 14},
     true,
     true,
     false,
     true,
     1,
     {{70, 48, 55, 40}, 54400000, 54, 1}},
    /* team 9: 26 > 25: 0.7, with 0.6 of 8 days: 0.65. Store 51: 10 > 9: 0.7, with 1: 1.7 / 4 = 0.425, rounded 0.43.
     * No lead. Adoption: 0.4. 0.195 + 0.129 + 0 + 0.08 = 0.404. */
    {"a large one that sells nothing",
     9,
     51,
     {26, 8},
     {10, 0},
     {0, NEVER},
     {0, NEVER},
     false,
     true,
     true,
     false,
     0,
     {{65, 43, 0, 40}, 40400000, 40, 1}},
    /* team 10: 26 > 20: 0.5, with 1 of 3 days: 0.75. Store 0: 1 > 0: 0.33, with 0.85 of 7 days, and 3 > 2: 0.5, with
     * 0.6 of 8 days: 2.28 / 4 = 0.57. Leads: 7 > 6: 0.3, with 0.2: 0.25. Adoption: 0.3 + 0.4 + 0.2 = 0.9.
     * 0.225 + 0.171 + 0.05 + 0.18 = 0.626. */
    {"a very large team with an empty store",
     10,
     0,
     {26, 3},
     {1, 7},
     {3, 8},
     {7, 30},
     true,
     true,
     true,
     false,
     2,
     {{75, 57, 25, 90}, 62600000, 63, 2}},
    /* nobody: 1 is not > 1. Store 16: 1 > 0: 0.33, none of 31 days: 0.33 / 4 = 0.0825, rounded 0.08. One contract is
     * too few, and a message without econversa counts nothing. 0.3 x 0.08 = 0.024. */
    {"nearly nothing",
     0,
     16,
     {1, 31},
     {0, NEVER},
     {1, 31},
     {1, 31},
     false,
     true,
     false,
     false,
     1,
     {{0, 8, 0, 0}, 2400000, 2, 0}},
};

static void test_tenants_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TENANTS); i++) {
        const struct tenant_row *row = &TENANTS[i];
        const struct tenant tenant = {.logins = events(row->logins.count, row->logins.days),
                                      .entries = events(row->entries.count, row->entries.days),
                                      .outs = events(row->outs.count, row->outs.days),
                                      .leads = events(row->leads.count, row->leads.days),
                                      .team_size = row->team,
                                      .store_size = row->store,
                                      .econversa_open = row->econversa_open,
                                      .has_recent_message = row->has_message,
                                      .has_recent_ad = row->has_ad,
                                      .has_recent_report = row->has_report,
                                      .contracts_count = row->contracts};
        struct scores found = score_tenant(&tenant, &model, TODAY);
        const int64_t *cents = found.pillar_cents, *expected = row->expected.pillar_cents;
        check_int(row->name, "engagement", cents[PILLAR_ENGAGEMENT], expected[PILLAR_ENGAGEMENT]);
        check_int(row->name, "stock", cents[PILLAR_STOCK], expected[PILLAR_STOCK]);
        check_int(row->name, "crm", cents[PILLAR_CRM], expected[PILLAR_CRM]);
        check_int(row->name, "adoption", cents[PILLAR_ADOPTION], expected[PILLAR_ADOPTION]);
        check_int(row->name, "total_exact", found.total_exact, row->expected.total_exact);
        check_int(row->name, "total_cents", found.total_cents, row->expected.total_cents);
        check_int(row->name, "category", found.category, row->expected.category);
    }
}

enum event { LOGINS, ENTRIES, OUTS, LEADS };

/* The hundredths of the pillar that the rows of one kind alone give, none of them recent. */
static int64_t cents_of(enum event event, uint64_t team, uint64_t store, uint64_t count)
{
    static const enum pillar pillars[] = {
        [LOGINS] = PILLAR_ENGAGEMENT, [ENTRIES] = PILLAR_STOCK, [OUTS] = PILLAR_STOCK, [LEADS] = PILLAR_CRM};
    struct event_stats none = events(0, NEVER), some = events(count, NEVER);
    const struct tenant tenant = {.logins = event == LOGINS ? some : none,
                                  .entries = event == ENTRIES ? some : none,
                                  .outs = event == OUTS ? some : none,
                                  .leads = event == LEADS ? some : none,
                                  .team_size = team,
                                  .store_size = store};
    return score_tenant(&tenant, &model, TODAY).pillar_cents[pillars[event]];
}

/* Sizes on both sides of an edge, with a count that the two classes value differently. */
static void test_edges_of_classes(void **state)
{
    static const struct {
        const char *name;
        enum event event;
        uint64_t team, store, count;
        int64_t cents;
    } rows[] = {
        {"nobody", LOGINS, 0, 1000, 17, 50},
        {"team of 2", LOGINS, 2, 1000, 17, 50},
        {"team of 3", LOGINS, 3, 0, 17, 25},
        {"team of 5", LOGINS, 5, 0, 29, 50},
        {"team of 6", LOGINS, 6, 0, 29, 35},
        {"team of 9", LOGINS, 9, 0, 41, 50},
        {"team of 10", LOGINS, 10, 0, 41, 35},
        {"the largest team of signed numbers", LOGINS, INT64_MAX, 0, 41, 35},
        {"the largest team", LOGINS, UINT64_MAX, 0, 41, 35},
        {"empty store", ENTRIES, 1000, 0, 13, 30},
        {"store of 15", ENTRIES, 1000, 15, 13, 30},
        {"store of 16: 0.175 rounds up", ENTRIES, 0, 16, 13, 18},
        {"store of 50", ENTRIES, 0, 50, 26, 30},
        {"store of 51", ENTRIES, 0, 51, 26, 25},
        {"the largest store", ENTRIES, 0, UINT64_MAX, 26, 25},
        {"outs of a store of 15", OUTS, 0, 15, 13, 30},
        {"outs of a store of 16", OUTS, 0, 16, 13, 18},
        {"outs of a store of 50", OUTS, 0, 50, 26, 30},
        {"outs of a store of 51", OUTS, 0, 51, 26, 25},
        {"leads know no size", LEADS, 0, 0, 76, 60},
        {"nor a large one", LEADS, 1000, 1000, 76, 60},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_int(rows[i].name, "cents", cents_of(rows[i].event, rows[i].team, rows[i].store, rows[i].count),
                  rows[i].cents);
}

#define BANDS_MAX 6

/* What a class of the document says: hundredths of the pillar for more than so many rows; limits fall. */
struct class_row {
    const char *name;
    enum event event;
    uint64_t team, store;
    struct {
        uint64_t more_than;
        int64_t cents;
    } bands[BANDS_MAX];
    size_t bands_count;
};

/* Half of the points of logins, a quarter of those of stock: 1.2, 1, 0.7, 0.5, 0.3, 0.15 and 1.2, 1, 0.7, 0.5, 0.33. */
static const struct class_row CLASSES[] = {
    {"team to 2", LOGINS, 1, 0, {{30, 60}, {16, 50}, {10, 35}, {5, 25}, {3, 15}, {1, 8}}, 6},
    {"team to 5", LOGINS, 4, 0, {{50, 60}, {28, 50}, {18, 35}, {8, 25}, {5, 15}, {1, 8}}, 6},
    {"team to 9", LOGINS, 7, 0, {{75, 60}, {40, 50}, {25, 35}, {11, 25}, {6, 15}, {1, 8}}, 6},
    {"team above 9", LOGINS, 40, 0, {{120, 60}, {70, 50}, {40, 35}, {20, 25}, {10, 15}, {2, 8}}, 6},
    {"store to 15", ENTRIES, 0, 7, {{12, 30}, {8, 25}, {5, 18}, {2, 13}, {0, 8}}, 5},
    {"store to 50", ENTRIES, 0, 33, {{25, 30}, {15, 25}, {8, 18}, {3, 13}, {0, 8}}, 5},
    {"store above 50", OUTS, 0, 400, {{40, 30}, {20, 25}, {9, 18}, {3, 13}, {0, 8}}, 5},
    {"leads", LEADS, 3, 20, {{75, 60}, {40, 50}, {25, 35}, {11, 25}, {6, 15}, {1, 8}}, 6},
};

static void test_edges_of_bands(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CLASSES); i++) {
        const struct class_row *row = &CLASSES[i];
        for (size_t j = 0; j < row->bands_count; j++) {
            char name[64];
            uint64_t limit = row->bands[j].more_than;
            int64_t below = j + 1 < row->bands_count ? row->bands[j + 1].cents : 0;
            snprintf(name, sizeof name, "%s, %" PRIu64, row->name, limit);
            check_int(name, "cents at the limit", cents_of(row->event, row->team, row->store, limit), below);
            check_int(name, "cents above it", cents_of(row->event, row->team, row->store, limit + 1),
                      row->bands[j].cents);
        }
    }
}

/* What is not measured by size is as in the built-in model. */
static void test_the_rest_is_as_built_in(void **state)
{
    const struct scoring_model plain = builtin_model;
    (void)state;
    for (int pillar = 0; pillar < PILLAR_COUNT; pillar++)
        check_int("weight", "of a pillar", model.weights[pillar], plain.weights[pillar]);
    for (int pillar = 0; pillar < PILLAR_ADOPTION; pillar++) {
        const struct bands *found = &model.events[pillar].recency, *expected = &plain.events[pillar].recency;
        check_int("recency", "bands", (int64_t)found->count, (int64_t)expected->count);
        assert_memory_equal(found->items, expected->items, expected->count * sizeof *expected->items);
    }
    check_int("engagement", "measure", model.events[PILLAR_ENGAGEMENT].measure, SIZE_TEAM);
    check_int("stock", "measure", model.events[PILLAR_STOCK].measure, SIZE_STORE);
    check_int("crm", "measure", model.events[PILLAR_CRM].measure, SIZE_NONE);
    assert_memory_equal(&model.windows, &plain.windows, sizeof plain.windows);
    check_int("categories", "count", (int64_t)model.categories_count, (int64_t)plain.categories_count);
    for (size_t i = 0; i < plain.categories_count; i++)
        check_int("category", "cut", model.categories[i].up_to, plain.categories[i].up_to);
    check_int("integrators", "count", (int64_t)model.integrators_count, (int64_t)plain.integrators_count);
    assert_string_not_equal(model.hash, plain.hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenants_by_hand),
        cmocka_unit_test(test_edges_of_classes),
        cmocka_unit_test(test_edges_of_bands),
        cmocka_unit_test_setup_teardown(test_the_rest_is_as_built_in, load_builtin_model, free_builtin_model),
    };
    return cmocka_run_group_tests_name("score_by_size", tests, load_model, free_model);
}
