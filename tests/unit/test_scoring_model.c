/* tests/unit/test_scoring_model.c - the built-in model holds the contract's numbers, and each mistake in a document is
 * told with its place and its value. */
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/domain/scoring_model.h"
#include "tests/unit/support.h"

static struct scoring_model builtin(void)
{
    struct scoring_model model;
    struct error err;
    if (scoring_model_parse(&test_arena, scoring_model_builtin(), &model, &err) != STATUS_OK)
        fail_msg("built-in model: %s", err.message);
    return model;
}

static void check_bands(const char *name, struct bands found, const struct band *expected, size_t count)
{
    check_int(name, "count", (int64_t)found.count, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        check_int(name, "limit", found.items[i].limit, expected[i].limit);
        check_int(name, "points", found.items[i].points, expected[i].points);
    }
}

static void test_bands(void **state)
{
    static const struct band recency[] = {{3, 1000000}, {7, 900000}, {14, 600000}, {30, 200000}};
    static const struct band volume[] = {{75, 1200000}, {40, 1000000}, {25, 700000},
                                         {11, 500000},  {6, 300000},   {1, 150000}};
    static const struct band stock_recency[] = {{3, 1000000}, {7, 850000}, {14, 600000}, {30, 300000}};
    static const struct band stock_volume[] = {
        {40, 1200000}, {20, 1000000}, {9, 700000}, {3, 500000}, {0, 330000}};
    struct scoring_model model = builtin();
    (void)state;
    for (int pillar = 0; pillar < PILLAR_ADOPTION; pillar++) {
        check_int("built-in model", "measure", model.events[pillar].measure, SIZE_NONE);
        check_int("built-in model", "classes", (int64_t)model.events[pillar].volumes_count, 1);
        check_int("built-in model", "the only class", model.events[pillar].volumes[0].up_to, INT64_MAX);
    }
    check_bands("engagement recency", model.events[PILLAR_ENGAGEMENT].recency, recency, COUNT(recency));
    check_bands("engagement volume", model.events[PILLAR_ENGAGEMENT].volumes[0].bands, volume, COUNT(volume));
    check_bands("stock recency", model.events[PILLAR_STOCK].recency, stock_recency, COUNT(stock_recency));
    check_bands("stock volume", model.events[PILLAR_STOCK].volumes[0].bands, stock_volume,
                COUNT(stock_volume));
    check_bands("crm recency", model.events[PILLAR_CRM].recency, recency, COUNT(recency));
    check_bands("crm volume", model.events[PILLAR_CRM].volumes[0].bands, volume, COUNT(volume));
}

static void test_weights_points_windows_and_cuts(void **state)
{
    static const char *const categories[] = {"Crítico", "Normal", "Saudável", "Campeão"};
    static const int64_t cuts[] = {30000000, 60000000, 80000000, INT64_MAX};
    struct scoring_model model = builtin();
    (void)state;
    check_int("built-in model", "weight of engagement", model.weights[PILLAR_ENGAGEMENT], 300000);
    check_int("built-in model", "weight of stock", model.weights[PILLAR_STOCK], 300000);
    check_int("built-in model", "weight of crm", model.weights[PILLAR_CRM], 200000);
    check_int("built-in model", "weight of adoption", model.weights[PILLAR_ADOPTION], 200000);
    check_int("built-in model", "econversa", model.adoption.econversa, 300000);
    check_int("built-in model", "integrator_ads", model.adoption.integrator_ads, 400000);
    check_int("built-in model", "reports", model.adoption.reports, 100000);
    check_int("built-in model", "contracts", model.adoption.contracts, 200000);
    check_int("built-in model", "contracts_at_least", model.adoption.contracts_at_least, 2);
    check_int("built-in model", "excluded integrators", (int64_t)model.adoption.excluded_integrators_count,
              2);
    check_int("built-in model", "excluded", model.adoption.excluded_integrators[0], 3);
    check_int("built-in model", "excluded", model.adoption.excluded_integrators[1], 13);
    check_int("built-in model", "events_days", model.windows.events_days, 30);
    check_int("built-in model", "messages_days", model.windows.messages_days, 15);
    check_int("built-in model", "ads_days", model.windows.ads_days, 30);
    check_int("built-in model", "reports_days", model.windows.reports_days, 30);
    check_int("built-in model", "contracts_days", model.windows.contracts_days, 30);
    check_int("built-in model", "categories", (int64_t)model.categories_count, COUNT(cuts));
    for (size_t i = 0; i < COUNT(cuts); i++) {
        check_text_or_none("built-in model", "category", model.categories[i].name, categories[i]);
        check_int(categories[i], "up_to", model.categories[i].up_to, cuts[i]);
    }
}

static void test_names(void **state)
{
    static const char *const integrators[] = {
        NULL,           "WEBMOTORS", "KBB",         NULL, "FIPE",     "OLX",           "EMAIL",
        "ControlStock", "MOBIAUTO",  "AUTOAVALIAR", NULL, "JSONFEED", "MERCADO_LIVRE", NULL,
        "META",         "Autoline",  "CREDERE",     NULL,
    };
    struct scoring_model model = builtin();
    (void)state;
    for (size_t id = 0; id < COUNT(integrators); id++)
        check_text_or_none("built-in model", "integrator", scoring_model_integrator_name(&model, (int64_t)id),
                           integrators[id]);
    check_text_or_none("built-in model", "integrator -1", scoring_model_integrator_name(&model, -1), NULL);
    check_text_or_none("built-in model", "the largest integrator",
                       scoring_model_integrator_name(&model, INT64_MAX), NULL);
    check_int("built-in model", "active", (int64_t)model.active_pipelines.count, 3);
    check_text_or_none("built-in model", "active", model.active_pipelines.items[0], "CS | ONBOARDING");
    check_text_or_none("built-in model", "active", model.active_pipelines.items[1], "CS | ONGOING");
    check_text_or_none("built-in model", "active", model.active_pipelines.items[2], "CS | BRADESCO");
    check_int("built-in model", "onboarding", (int64_t)model.onboarding_pipelines.count, 2);
    check_text_or_none("built-in model", "onboarding", model.onboarding_pipelines.items[0],
                       "CS | ONBOARDING");
    check_text_or_none("built-in model", "onboarding", model.onboarding_pipelines.items[1], "CS | BRADESCO");
    check_int("built-in model", "churn", (int64_t)model.churn_pipelines.count, 1);
    check_text_or_none("built-in model", "churn", model.churn_pipelines.items[0], "Churns & Cancelamentos");
    check_int("built-in model", "contains",
              names_contain(model.churn_pipelines, bytes_of("Churns & Cancelamentos")), true);
    check_int("built-in model", "contains a prefix", names_contain(model.churn_pipelines, bytes_of("Churns")),
              false);
    check_text_or_none("built-in model", "version", model.version, "1");
    check_int("built-in model", "digits of the hash", (int64_t)strspn(model.hash, "0123456789abcdef"), 32);
    check_int("built-in model", "text", bytes_equal(model.text, scoring_model_builtin()), true);
}

/* The volume of the first pillar, as the built-in document has it. */
#define VOLUME                                                                                               \
    "\"volume\": [\n        { \"more_than\": 75, \"points\": 1.2 },\n"                                       \
    "        { \"more_than\": 40, \"points\": 1 },\n        { \"more_than\": 25, \"points\": 0.7 },\n"       \
    "        { \"more_than\": 11, \"points\": 0.5 },\n        { \"more_than\": 6, \"points\": 0.3 },\n"      \
    "        { \"more_than\": 1, \"points\": 0.15 }\n      ]"
#define BY_SIZE(classes) "\"volume_by_size\": {\"size\": \"team\", \"classes\": [" classes "]}"
#define BY_SIZE_PATH     "pillars.engajamento.volume_by_size"

/* The built-in document with the first `from` replaced. */
struct mistake_row {
    const char *name, *from, *to;
    const char *message;
};

#define SCALED_6 "takes a number from 0 to 1000 with at most 6 decimals"
#define WHOLE    "takes a number from 0 to 1000000000 with at most 0 decimals"

static const struct mistake_row MISTAKES[] = {
    {"no schema", "\"schema\": 1,", "", "schema: missing"},
    {"schema 2", "\"schema\": 1", "\"schema\": 2",
     "schema: is 2, takes a number from 1 to 1 with at most 0 decimals"},
    {"schema is a text", "\"schema\": 1", "\"schema\": \"1\"", "schema: is a text, takes a number"},
    {"version is a number", "\"version\": \"1\"", "\"version\": 1", "version: is a number, takes a text"},
    {"no version", "\"version\": \"1\",", "", "version: missing"},
    {"unknown member", "\"schema\": 1,", "\"schema\": 1, \"colour\": 2,", "colour: unknown member"},
    {"a member twice", "\"schema\": 1,", "\"schema\": 1, \"schema\": 1,", "member \"schema\" occurs twice"},
    {"a pillar twice", "\"adocao\":", "\"crm\":", "member \"crm\" occurs twice"},
    {"a pillar missing", "\"adocao\":", "\"adoption\":", "pillars.adoption: unknown member"},
    {"weight missing", "\"weight\": 0.3,", "", "pillars.engajamento.weight: missing"},
    {"negative weight", "\"weight\": 0.3", "\"weight\": -0.3",
     "pillars.engajamento.weight: is -0.3, " SCALED_6},
    {"weight too large", "\"weight\": 0.3", "\"weight\": 1000.5",
     "pillars.engajamento.weight: is 1000.5, " SCALED_6},
    {"too many decimals", "\"weight\": 0.3", "\"weight\": 0.3000001",
     "pillars.engajamento.weight: is 0.3000001, " SCALED_6},
    {"too many digits", "\"weight\": 0.3", "\"weight\": 0.30000000000000000001",
     "pillars.engajamento.weight: is 0.30000000000000000001, " SCALED_6},
    {"weight is a text", "\"weight\": 0.3", "\"weight\": \"0.3\"",
     "pillars.engajamento.weight: is a text, takes a number"},
    {"weight is null", "\"weight\": 0.3", "\"weight\": null",
     "pillars.engajamento.weight: is null, takes a number"},
    {"unknown member of a band", "\"points\": 1 }", "\"points\": 1, \"x\": 1 }",
     "pillars.engajamento.recency[0].x: unknown member"},
    {"band that is a number", "{ \"days_up_to\": 3, \"points\": 1 }", "3",
     "pillars.engajamento.recency[0]: is a number, takes an object"},
    {"bands that are an object", "\"recency\": [", "\"recency\": {}, \"volume\": [",
     "member \"volume\" occurs twice"},
    {"points missing", "{ \"days_up_to\": 7, \"points\": 0.9 }", "{ \"days_up_to\": 7 }",
     "pillars.engajamento.recency[1].points: missing"},
    {"days do not rise", "\"days_up_to\": 7,", "\"days_up_to\": 3,",
     "pillars.engajamento.recency[1].days_up_to: limits must rise from band to band"},
    {"counts do not fall", "\"more_than\": 40,", "\"more_than\": 75,",
     "pillars.engajamento.volume[1].more_than: limits must fall from band to band"},
    {"no volume", VOLUME, "\"volume_by_size\": null", BY_SIZE_PATH ": is null, takes an object"},
    {"two volumes", VOLUME, VOLUME ", " BY_SIZE("{\"bands\": []}"),
     "pillars.engajamento: has volume and volume_by_size, takes one of them"},
    {"unknown size", VOLUME, "\"volume_by_size\": {\"size\": \"city\"}",
     BY_SIZE_PATH ".size: is \"city\", takes team or store"},
    {"no class", VOLUME, BY_SIZE(""), BY_SIZE_PATH ".classes: is empty, takes at least one class"},
    {"last class with a size", VOLUME, BY_SIZE("{\"up_to\": 2, \"bands\": []}"),
     BY_SIZE_PATH ".classes[0].up_to: the last class has no upper size"},
    {"class without a size", VOLUME, BY_SIZE("{\"bands\": []}, {\"bands\": []}"),
     BY_SIZE_PATH ".classes[0].up_to: missing"},
    {"sizes do not rise", VOLUME,
     BY_SIZE("{\"up_to\": 2, \"bands\": []}, {\"up_to\": 2, \"bands\": []}, {\"bands\": []}"),
     BY_SIZE_PATH ".classes[1].up_to: sizes must rise"},
    {"class that is a number", VOLUME, BY_SIZE("7"),
     BY_SIZE_PATH ".classes[0]: is a number, takes an object"},
    {"class without bands", VOLUME, BY_SIZE("{}"), BY_SIZE_PATH ".classes[0].bands: missing"},
    {"unknown member of a class", VOLUME, BY_SIZE("{\"bands\": [], \"x\": 1}"),
     BY_SIZE_PATH ".classes[0].x: unknown member"},
    {"days with decimals", "\"days_up_to\": 7,", "\"days_up_to\": 7.5,",
     "pillars.engajamento.recency[1].days_up_to: is 7.5, " WHOLE},
    {"negative days", "\"days_up_to\": 3,", "\"days_up_to\": -3,",
     "pillars.engajamento.recency[0].days_up_to: is -3, " WHOLE},
    {"econversa missing", "\"econversa\": 0.3,", "", "pillars.adocao.econversa: missing"},
    {"econversa is true", "\"econversa\": 0.3", "\"econversa\": true",
     "pillars.adocao.econversa: is true or false, takes a number"},
    {"no contract", "\"contracts_at_least\": 2", "\"contracts_at_least\": 0",
     "pillars.adocao.contracts_at_least: is 0, takes a number from 1 to 1000000000 with at most 0 decimals"},
    {"excluded integrator with decimals", "[3, 13]", "[3, 13.5]",
     "pillars.adocao.excluded_integrators[1]: is 13.5, takes a whole number"},
    {"excluded integrator that is null", "[3, 13]", "[null]",
     "pillars.adocao.excluded_integrators[0]: is null, takes a whole number"},
    {"excluded integrators are a number", "[3, 13]", "3",
     "pillars.adocao.excluded_integrators: is a number, takes an array"},
    {"window of no day", "\"events_days\": 30", "\"events_days\": 0",
     "windows.events_days: is 0, takes a number from 1 to 3660 with at most 0 decimals"},
    {"window of more than ten years", "\"ads_days\": 30", "\"ads_days\": 3661",
     "windows.ads_days: is 3661, takes a number from 1 to 3660 with at most 0 decimals"},
    {"window missing", "\"messages_days\": 15, ", "", "windows.messages_days: missing"},
    {"windows are null", "\"windows\": {", "\"windows\": null, \"pillars\": {",
     "member \"pillars\" occurs twice"},
    {"category without name", "{ \"name\": \"Normal\", \"up_to\": 0.6 }", "{ \"up_to\": 0.6 }",
     "categories[1].name: missing"},
    {"category without cut", "{ \"name\": \"Normal\", \"up_to\": 0.6 }", "{ \"name\": \"Normal\" }",
     "categories[1].up_to: missing"},
    {"category twice", "\"name\": \"Normal\"", "\"name\": \"Crítico\"",
     "categories[1].name: \"Crítico\" occurs twice"},
    {"cuts do not rise", "\"up_to\": 0.6", "\"up_to\": 0.3", "categories[1].up_to: cuts must rise"},
    {"cut with nine decimals", "\"up_to\": 0.6", "\"up_to\": 0.600000001",
     "categories[1].up_to: is 0.600000001, takes a number from 0 to 1000 with at most 8 decimals"},
    {"last category with a cut", "{ \"name\": \"Campeão\" }", "{ \"name\": \"Campeão\", \"up_to\": 2 }",
     "categories[3].up_to: the last category has no upper cut"},
    {"category that is a text", "{ \"name\": \"Campeão\" }", "\"Campeão\"",
     "categories[3]: is a text, takes an object"},
    {"integrators out of order", "\"id\": 2,", "\"id\": 1,", "integrators[1].id: ids must rise"},
    {"integrator without name", "{ \"id\": 2, \"name\": \"KBB\" }", "{ \"id\": 2 }",
     "integrators[1].name: missing"},
    {"integrator that is null", "{ \"id\": 2, \"name\": \"KBB\" }", "null",
     "integrators[1]: is null, takes an object"},
    {"pipeline that is a number", "[\"Churns & Cancelamentos\"]", "[7]",
     "pipelines.churn[0]: is a number, takes a text"},
    {"pipelines missing", "\"churn\": [\"Churns & Cancelamentos\"]", "\"churned\": []",
     "pipelines.churned: unknown member"},
    {"not UTF-8", "Campe\xC3\xA3o", "Campe\xE3o", "not UTF-8"},
    {"half a surrogate", "Campe\xC3\xA3o", "Campe\\udc00o", "not UTF-8"},
    {"a comma too many", "[3, 13]", "[3, 13,]", NULL},
    {"NaN", "\"weight\": 0.3", "\"weight\": NaN", NULL},
    {"something behind it", "\"churn\": [\"Churns & Cancelamentos\"]\n  }\n}",
     "\"churn\": [\"Churns & Cancelamentos\"]\n  }\n}{}", NULL},
};

static void replace(struct buffer *out, const char *from, const char *to)
{
    struct bytes text = scoring_model_builtin();
    const char *found = memmem(text.data, text.len, from, strlen(from));
    if (found == NULL)
        fail_msg("%s: is not in the built-in model", from);
    buffer_append(out, text.data, (size_t)(found - text.data));
    buffer_append_text(out, to);
    buffer_append(out, found + strlen(from), text.len - (size_t)(found - text.data) - strlen(from));
}

static void check_refused(const char *name, struct bytes text, const char *message)
{
    static const char context[] = "scoring model: ";
    struct scoring_model model = {.categories_count = 4711};
    struct error err = {STATUS_OK, ""};
    enum status status = scoring_model_parse(&test_arena, text, &model, &err);
    const char *rest = err.message + strlen(context);
    if (status != STATUS_INVALID || strncmp(err.message, context, strlen(context)) != 0)
        fail_msg("%s: is %s \"%s\", expected invalid \"%s...\"", name, status_word(status), err.message,
                 context);
    if (message != NULL ? strcmp(rest, message) != 0 : strncmp(rest, "not JSON at byte ", 17) != 0)
        fail_msg("%s: message is \"%s\", expected \"%s\"", name, rest,
                 message != NULL ? message : "not JSON ...");
    check_int(name, "categories_count", (int64_t)model.categories_count, 4711);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(MISTAKES); i++) {
        struct buffer text = BUFFER_INIT;
        replace(&text, MISTAKES[i].from, MISTAKES[i].to);
        check_refused(MISTAKES[i].name, buffer_bytes(&text), MISTAKES[i].message);
        buffer_clear(&text);
    }
}

static void test_documents_that_are_no_models(void **state)
{
    static const struct {
        const char *name, *text, *message;
    } rows[] = {
        {"empty", "", NULL},
        {"blanks", " \n", NULL},
        {"null", "null", "is null, takes an object"},
        {"number", "1", "is a number, takes an object"},
        {"array", "[]", "is an array, takes an object"},
        {"empty object", "{}", "schema: missing"},
        {"cut short", "{\"schema\": 1", NULL},
        {"deep", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "nested too deeply"},
    };
    struct buffer text = BUFFER_INIT;
    char message[100];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i].name, bytes_of(rows[i].text), rows[i].message);
    buffer_append(&text, scoring_model_builtin().data, scoring_model_builtin().len);
    while (text.len < SCORING_MODEL_TEXT_MAX)
        buffer_append_char(&text, ' ');
    struct scoring_model model;
    struct error err;
    assert_int_equal(scoring_model_parse(&test_arena, buffer_bytes(&text), &model, &err), STATUS_OK);
    buffer_append_char(&text, ' ');
    snprintf(message, sizeof message, "has %zu bytes, takes at most %u", text.len, SCORING_MODEL_TEXT_MAX);
    check_refused("too large", buffer_bytes(&text), message);
    buffer_clear(&text);
}

static void test_too_many_categories(void **state)
{
    (void)state;
    for (int count = 0; count <= CATEGORIES_MAX + 1; count++) {
        struct buffer list = BUFFER_INIT, text = BUFFER_INIT;
        struct scoring_model model;
        struct error err = {STATUS_OK, ""};
        buffer_append_text(&list, "\"categories\": [");
        for (int i = 1; i < count; i++)
            buffer_append_format(&list, "{\"name\": \"%d\", \"up_to\": %d},", i, i);
        buffer_append_text(&list,
                           count > 0 ? "{\"name\": \"last\"}],\n  \"integrators\"" : "],\n  \"integrators\"");
        struct bytes all = scoring_model_builtin();
        const char *from = memmem(all.data, all.len, "\"categories\"", 12);
        const char *behind = memmem(all.data, all.len, "\"integrators\"", 13);
        assert_true(from != NULL && behind != NULL);
        buffer_append(&text, all.data, (size_t)(from - all.data));
        buffer_append(&text, list.data, list.len);
        buffer_append(&text, behind + 13, all.len - (size_t)(behind - all.data) - 13);
        enum status status = scoring_model_parse(&test_arena, buffer_bytes(&text), &model, &err);
        check_int("built-in model", "categories", status,
                  count >= 1 && count <= CATEGORIES_MAX ? STATUS_OK : STATUS_INVALID);
        if (status != STATUS_OK)
            check_int(err.message, "mention of categories", strstr(err.message, "categories: has ") != NULL,
                      true);
        buffer_clear(&list);
        buffer_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bands, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_weights_points_windows_and_cuts, init_test_arena,
                                        clear_test_arena),
        cmocka_unit_test_setup_teardown(test_names, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_mistakes, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_documents_that_are_no_models, init_test_arena, clear_test_arena),
        cmocka_unit_test_setup_teardown(test_too_many_categories, init_test_arena, clear_test_arena),
    };
    return cmocka_run_group_tests_name("scoring_model", tests, NULL, NULL);
}
