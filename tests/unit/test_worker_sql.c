/* tests/unit/test_worker_sql.c - the texts of the queries: windows counted back from today by the model, the list of
 * excluded integrators, and no placeholder left. */
#include <stdio.h>

#include "common/domain/date.h"
#include "tests/unit/support.h"
#include "worker/sources/ecosys_sql.h"

static const int64_t EXCLUDED[] = {3, 13};

/* Each window of a length of its own, so that one in place of another is seen. */
static const struct scoring_model MODEL = {
    .windows =
        {.events_days = 30, .messages_days = 15, .ads_days = 20, .reports_days = 10, .contracts_days = 5},
    .adoption = {.excluded_integrators = EXCLUDED, .excluded_integrators_count = COUNT(EXCLUDED)},
};

static const struct ecosys_catalog BARE;

static struct ecosys_catalog indexed(void)
{
    struct ecosys_catalog catalog = BARE;
    for (size_t i = 0; i < INDEX_COUNT; i++)
        catalog.has_index[i] = true;
    return catalog;
}

/* The query as a text with a NUL, which the caller clears; empty when there is nothing to ask. */
static struct buffer query_of(enum ecosys_query query, const struct scoring_model *model,
                              const struct ecosys_catalog *catalog, const char *today)
{
    struct buffer text = BUFFER_INIT;
    int32_t day;
    assert_true(day_parse(bytes_of(today), &day));
    bool is_asked = ecosys_sql_format(query, model, catalog, day, &text);
    assert_int_equal(is_asked, text.len > 0);
    buffer_append_char(&text, '\0');
    assert_false(buffer_is_failed(&text));
    return text;
}

static void check_has(const char *name, const struct buffer *text, const char *part, bool expected)
{
    if ((strstr(text->data, part) != NULL) != expected)
        fail_msg("%s: \"%s\" is %s, expected it %s", name, text->data,
                 expected ? "without a part" : "with one", expected ? part : "without");
}

/* On 2024-03-05: 30 days before is 2024-02-04, 15 is 2024-02-19, 20 is 2024-02-14, 10 is 2024-02-24, 5 is
 * 2024-02-29. */
static const struct {
    const char *name;
    enum ecosys_query query;
    const char *table;
    const char *since; /* NULL: no window */
    bool scans, seeks; /* has something to ask in that form */
} QUERIES[] = {
    {"tenants", QUERY_TENANTS, "tenants", NULL, true, true},
    {"users", QUERY_USERS, "users", NULL, true, true},
    {"login rows", QUERY_LOGIN_ROWS, "activity_log", "'2024-02-04 00:00:00'", true, true},
    {"newest logins", QUERY_NEWEST_LOGINS, "activity_log", NULL, true, true},
    {"newest logins by user", QUERY_NEWEST_LOGINS_BY_USER, "activity_log", "'2024-02-04 00:00:00'", false,
     true},
    {"entries", QUERY_ENTRIES, "inventory_entries", "'2024-02-04 00:00:00'", true, true},
    {"newest entries", QUERY_NEWEST_ENTRIES, "inventory_entries", NULL, false, true},
    {"outs", QUERY_OUTS, "inventory_outs", "'2024-02-04 00:00:00'", true, true},
    {"newest outs", QUERY_NEWEST_OUTS, "inventory_outs", NULL, false, true},
    {"leads", QUERY_LEADS, "cards", "'2024-02-04 00:00:00'", true, true},
    {"newest leads", QUERY_NEWEST_LEADS, "cards", NULL, false, true},
    {"econversa", QUERY_ECONVERSA, "econversa_instance_configurations", NULL, true, true},
    {"messages", QUERY_MESSAGES, "econversa_messages", "'2024-02-19 00:00:00'", true, true},
    {"ads", QUERY_ADS, "integrator_ads", "'2024-02-14 00:00:00'", true, true},
    {"reports", QUERY_REPORTS, "reports", "'2024-02-24 00:00:00'", true, true},
    {"contracts", QUERY_CONTRACTS, "contracts", "'2024-02-29 00:00:00'", true, true},
    {"stores", QUERY_STORES, "inventory_entries", NULL, true, true},
    {"integrators", QUERY_INTEGRATORS, "integrator_configurations", NULL, true, true},
};

static void check_query(size_t row, const struct scoring_model *model, const struct ecosys_catalog *catalog,
                        bool is_asked)
{
    const char *name = QUERIES[row].name;
    struct buffer text = query_of(QUERIES[row].query, model, catalog, "2024-03-05");
    char from[64];
    if ((text.len > 1) != is_asked)
        fail_msg("%s: \"%s\", expected %s", name, text.data, is_asked ? "a query" : "none");
    snprintf(from, sizeof from, " FROM %s", QUERIES[row].table);
    if (is_asked) {
        check_has(name, &text, from, true);
        check_has(name, &text, "SELECT ", true);
        check_has(name, &text, QUERIES[row].since != NULL ? QUERIES[row].since : "00:00:00",
                  QUERIES[row].since != NULL);
    }
    check_has(name, &text, "{", false);
    check_has(name, &text, "}", false);
    check_has(name, &text, ";", false);
    buffer_clear(&text);
}

static void test_every_query(void **state)
{
    struct ecosys_catalog all = indexed();
    struct scoring_model model = MODEL;
    (void)state;
    model.events[PILLAR_STOCK].measure = SIZE_STORE;
    assert_int_equal(COUNT(QUERIES), QUERY_COUNT);
    for (size_t i = 0; i < COUNT(QUERIES); i++) {
        assert_int_equal(QUERIES[i].query, i);
        assert_string_equal(ecosys_sql_table(QUERIES[i].query), QUERIES[i].table);
        check_query(i, &model, &BARE, QUERIES[i].scans);
        check_query(i, &model, &all, QUERIES[i].seeks);
        check_query(i, &MODEL, &BARE, QUERIES[i].scans && QUERIES[i].query != QUERY_STORES);
    }
}

/* A form that seeks is taken only with each of its indexes. */
static void test_every_index(void **state)
{
    struct scoring_model model = MODEL;
    (void)state;
    model.events[PILLAR_STOCK].measure = SIZE_STORE;
    for (size_t i = 0; i < COUNT(QUERIES); i++) {
        struct ecosys_catalog all = indexed();
        struct buffer scanning = query_of(QUERIES[i].query, &model, &BARE, "2024-03-05");
        struct buffer seeking = query_of(QUERIES[i].query, &model, &all, "2024-03-05");
        size_t needed = 0;
        for (size_t index = 0; index < INDEX_COUNT; index++) {
            struct ecosys_catalog without = all;
            without.has_index[index] = false;
            struct buffer text = query_of(QUERIES[i].query, &model, &without, "2024-03-05");
            if (strcmp(text.data, seeking.data) != 0) {
                assert_string_equal(text.data, scanning.data);
                needed++;
            }
            buffer_clear(&text);
        }
        if ((needed > 0) != (strcmp(scanning.data, seeking.data) != 0) || needed > 2)
            fail_msg("%s: needs %zu indexes", QUERIES[i].name, needed);
        buffer_clear(&scanning);
        buffer_clear(&seeking);
    }
}

/* The rows of logins are those of /logins and of the model's window, whichever is longer. */
static void test_window_of_logins(void **state)
{
    static const struct {
        int64_t days;
        const char *since;
    } rows[] = {{1, "'2024-02-04 00:00:00'"}, {30, "'2024-02-04 00:00:00'"}, {31, "'2024-02-03 00:00:00'"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scoring_model model = MODEL;
        model.windows.events_days = rows[i].days;
        struct buffer text = query_of(QUERY_LOGIN_ROWS, &model, &BARE, "2024-03-05");
        check_has(rows[i].since, &text, rows[i].since, true);
        buffer_clear(&text);
    }
}

static void test_windows(void **state)
{
    static const struct {
        const char *name, *today;
        int64_t days;
        const char *since;
    } rows[] = {
        {"over a leap day", "2024-03-01", 1, ">= '2024-02-29 00:00:00'"},
        {"over no leap day", "2023-03-01", 1, ">= '2023-02-28 00:00:00'"},
        {"over a year's end", "2024-01-01", 1, ">= '2023-12-31 00:00:00'"},
        {"ten years", "2024-03-05", 3660, ">= '2014-02-26 00:00:00'"},
        {"before 1970", "1970-01-01", 1, ">= '1969-12-31 00:00:00'"},
        {"to the first day there is", "0001-01-31", 30, ">= '0001-01-01 00:00:00'"},
        {"behind it", "0001-01-30", 30, ">= '0001-01-01 00:00:00'"},
        {"far behind it", "0001-01-01", 3660, ">= '0001-01-01 00:00:00'"},
        {"the last day there is", "9999-12-31", 30, ">= '9999-12-01 00:00:00'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scoring_model model = MODEL;
        model.windows.reports_days = rows[i].days;
        struct buffer text = query_of(QUERY_REPORTS, &model, &BARE, rows[i].today);
        check_has(rows[i].name, &text, rows[i].since, true);
        buffer_clear(&text);
    }
}

static void test_excluded_integrators(void **state)
{
    static const int64_t ends[] = {INT64_MIN, 0, INT64_MAX};
    static const struct {
        const char *name;
        const int64_t *ids;
        size_t count;
        const char *expected;
    } rows[] = {
        {"none", NULL, 0, "integrator_id NOT IN (-1)"},
        {"one", EXCLUDED, 1, "integrator_id NOT IN (-1, 3)"},
        {"two", EXCLUDED, 2, "integrator_id NOT IN (-1, 3, 13)"},
        {"the largest", ends, 3, "integrator_id NOT IN (-1, -9223372036854775808, 0, 9223372036854775807)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scoring_model model = MODEL;
        model.adoption.excluded_integrators = rows[i].ids;
        model.adoption.excluded_integrators_count = rows[i].count;
        struct buffer text = query_of(QUERY_ADS, &model, &BARE, "2024-03-05");
        check_has(rows[i].name, &text, rows[i].expected, true);
        buffer_clear(&text);
    }
}

static void test_cnpj_with_decimals(void **state)
{
    static const struct ecosys_catalog with_decimals = {.cnpj_is_decimal = true};
    (void)state;
    struct buffer plain = query_of(QUERY_TENANTS, &MODEL, &BARE, "2024-03-05");
    struct buffer cut = query_of(QUERY_TENANTS, &MODEL, &with_decimals, "2024-03-05");
    check_has("plain", &plain, "name, cnpj, ", true);
    check_has("decimal", &cut, "name, TRUNCATE(cnpj, 0), ", true);
    buffer_clear(&plain);
    buffer_clear(&cut);
}

/* Configurations and slugs are not compared by the server, whose collations may forbid it. */
static void test_names_of_configurations(void **state)
{
    (void)state;
    struct buffer text = query_of(QUERY_ECONVERSA, &MODEL, &BARE, "2024-03-05");
    assert_string_equal(text.data,
                        "SELECT name FROM econversa_instance_configurations WHERE LOWER(status) = 'open'");
    buffer_clear(&text);
}

/* Texts are appended, and one that is to be counted and shown has both. */
static void test_a_whole_text(void **state)
{
    struct buffer text = BUFFER_INIT;
    (void)state;
    buffer_append_text(&text, "EXPLAIN ");
    assert_true(ecosys_sql_format(QUERY_LEADS, &MODEL, &BARE, 0, &text));
    buffer_append_char(&text, '\0');
    assert_string_equal(text.data,
                        "EXPLAIN SELECT COALESCE(tenant_id), COUNT(CASE WHEN created_at >= '1969-12-02 "
                        "00:00:00' THEN 1 END), "
                        "MAX(created_at) FROM cards WHERE deleted_at IS NULL GROUP BY COALESCE(tenant_id)");
    buffer_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_query),          cmocka_unit_test(test_every_index),
        cmocka_unit_test(test_window_of_logins),     cmocka_unit_test(test_windows),
        cmocka_unit_test(test_excluded_integrators), cmocka_unit_test(test_a_whole_text),
        cmocka_unit_test(test_cnpj_with_decimals),   cmocka_unit_test(test_names_of_configurations),
    };
    return cmocka_run_group_tests_name("worker_sql", tests, NULL, NULL);
}
