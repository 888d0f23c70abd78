/* tests/unit/test_worker_rows.c - rows of EcoSys's queries as servers send them: texts, in any order, some of tenants
 * and users that are gone. */
#include <string.h>

#include "common/domain/date.h"
#include "tests/unit/support.h"
#include "worker/sources/ecosys_rows.h"

#define CELLS      5
#define LARGEST_ID "18446744073709551615"

struct sent {
    enum ecosys_query query;
    const char *cells[CELLS];
};

/* In 2024-03-31's eyes the windows begin at 2024-03-01. */
static const struct sent ROWS[] = {
    {QUERY_TENANTS, {LARGEST_ID, "loja-z", "Loja Z", "11222333000181", "1"}},
    {QUERY_TENANTS, {"7", NULL, "Loja 7", NULL, "0"}},
    {QUERY_TENANTS, {"08", "loja-8", NULL, "0", "1"}},
    {QUERY_USERS, {"21", "8", "Bia", "bia@x.br"}},
    {QUERY_USERS, {"3", "7", "Ana", NULL}},
    {QUERY_USERS, {"9", NULL, "Rui", NULL}},
    {QUERY_LOGIN_ROWS, {"100", "7", "3", "2024-03-30 08:00:00"}},
    {QUERY_LOGIN_ROWS,
     {"101", "7", "404", "2024-03-01 00:00:00"}}, /* the window's first instant; no such user */
    {QUERY_LOGIN_ROWS, {"102", "7", NULL, "2024-02-29 23:59:59"}},        /* before it */
    {QUERY_LOGIN_ROWS, {"103", NULL, "21", "2024-03-31 09:30:00"}},       /* known through the user */
    {QUERY_LOGIN_ROWS, {"104", NULL, "9", "2024-03-31 09:30:00"}},        /* of a user without a tenant */
    {QUERY_LOGIN_ROWS, {"105", NULL, "404", "2024-03-31 09:30:00"}},      /* of nobody */
    {QUERY_LOGIN_ROWS, {"106", "999", "3", "2024-03-31 09:30:00"}},       /* of a tenant that is gone */
    {QUERY_LOGIN_ROWS, {"107", "7", "3", "2024-04-02 00:00:00"}},         /* in the future */
    {QUERY_LOGIN_ROWS, {"110", "7", "everybody", "2024-02-01 00:00:00"}}, /* nobody, who is counted */
    {QUERY_LOGIN_ROWS, {"108", "", "3", "2024-03-30 00:00:00"}}, /* a tenant that is none, and not NULL: */
    {QUERY_LOGIN_ROWS,
     {"109", "-1", "21", "2024-04-04 00:00:00"}},              /* its user's does not count in its place */
    {QUERY_NEWEST_LOGINS, {"8", NULL, "2024-01-05 10:00:00"}}, /* older than what is known */
    {QUERY_NEWEST_LOGINS, {LARGEST_ID, NULL, "2023-12-31 23:59:59"}},
    {QUERY_NEWEST_LOGINS, {NULL, "3", "2024-04-03 00:00:00"}},
    {QUERY_NEWEST_LOGINS_BY_USER, {NULL, "21", NULL}},
    {QUERY_NEWEST_LOGINS_BY_USER, {NULL, "21", "2024-04-01 00:00:00"}},
    {QUERY_ENTRIES, {"7", "2", "2024-03-02 00:00:00"}},
    {QUERY_ENTRIES, {"07", "3", "2024-03-04 00:00:00"}}, /* the same tenant, written otherwise */
    {QUERY_ENTRIES, {NULL, "5", "2024-03-04 00:00:00"}},
    {QUERY_NEWEST_ENTRIES, {"8", "0", "2020-01-01 00:00:00"}},
    {QUERY_OUTS, {"7", "0", "0000-00-00 00:00:00"}},
    {QUERY_LEADS, {"7", "1", "2024-03-03"}},
    {QUERY_ECONVERSA, {"loja"}},
    {QUERY_ECONVERSA, {NULL}},
    {QUERY_ECONVERSA, {"LOJA-8  "}},
    {QUERY_ECONVERSA, {"loja-88"}},
    {QUERY_MESSAGES, {"7"}},
    {QUERY_ADS, {"8"}},
    {QUERY_REPORTS, {"999"}},
    {QUERY_CONTRACTS, {"8", "4"}},
    {QUERY_STORES, {"7", "51"}},
    {QUERY_INTEGRATORS, {"8", "10"}},
    {QUERY_INTEGRATORS, {"7", "5"}},
    {QUERY_INTEGRATORS, {"8", "2"}},
    {QUERY_INTEGRATORS, {"999", "1"}},
    {QUERY_INTEGRATORS, {"8", "10"}},
    {QUERY_INTEGRATORS, {"8", NULL}},
};

static enum status send_rows(const struct sent *sent, size_t count, const struct scoring_model *model,
                             struct tenant_rows *out, struct error *err)
{
    struct ecosys_rows rows;
    int32_t today;
    size_t next = 0;
    assert_true(day_parse(bytes_of("2024-03-31"), &today));
    *out = (struct tenant_rows){.count = 0};
    arena_init(&out->arena);
    ecosys_rows_begin(&rows, out, model, today);
    for (enum ecosys_query query = 0; query < QUERY_COUNT; query++) {
        for (; next < count && sent[next].query == query; next++) {
            unsigned long lens[CELLS];
            for (size_t i = 0; i < CELLS; i++)
                lens[i] = sent[next].cells[i] != NULL ? strlen(sent[next].cells[i]) : 0;
            const struct ecosys_row row = {(char *const *)sent[next].cells, lens};
            if (ecosys_rows_take(&rows, query, &row, err) != STATUS_OK)
                return err->code;
        }
        if (ecosys_rows_end(&rows, query, err) != STATUS_OK)
            return err->code;
    }
    assert_int_equal(next, count);
    return ecosys_rows_finish(&rows, err);
}

static const struct scoring_model MODEL = {.windows = {.events_days = 30}};

static int32_t day_of(const char *text)
{
    int32_t day;
    assert_true(day_parse(bytes_of(text), &day));
    return day;
}

static void test_tenants(void **state)
{
    struct tenant_rows found;
    struct error err;
    (void)state;
    assert_int_equal(send_rows(ROWS, COUNT(ROWS), &MODEL, &found, &err), STATUS_OK);
    assert_int_equal(found.count, 3);
    const struct tenant *seven = &found.rows[0], *eight = &found.rows[1], *last = &found.rows[2];
    assert_int_equal(seven->id, 7);
    assert_int_equal(eight->id, 8);
    assert_true(last->id == UINT64_MAX);
    assert_true(seven->slug.data == NULL && !seven->is_normal && !seven->has_cnpj_key);
    assert_true(last->is_normal && last->has_cnpj_key && bytes_is(last->slug, "loja-z"));

    assert_int_equal(seven->logins.count, 3); /* 100, 101, 107 */
    assert_int_equal(seven->logins.newest_day, day_of("2024-04-03"));
    assert_int_equal(seven->team_size, 2);
    assert_int_equal(eight->logins.count, 1);
    assert_int_equal(eight->logins.newest_day, day_of("2024-04-01"));
    assert_int_equal(last->logins.count, 0);
    assert_int_equal(last->logins.newest_day, day_of("2023-12-31"));

    assert_int_equal(seven->entries.count, 5);
    assert_int_equal(seven->entries.newest_day, day_of("2024-03-04"));
    assert_int_equal(eight->entries.count, 0);
    assert_int_equal(eight->entries.newest_day, day_of("2020-01-01"));
    assert_int_equal(seven->outs.newest_day, DAY_NONE);
    assert_int_equal(seven->leads.newest_day, day_of("2024-03-03"));
    assert_true(eight->econversa_open && eight->has_recent_ad && !eight->has_recent_message);
    assert_true(seven->has_recent_message && !seven->has_recent_report && !eight->has_recent_report);
    assert_int_equal(eight->contracts_count, 4);
    assert_int_equal(seven->store_size, 51);
    assert_true(!seven->econversa_open && !last->econversa_open);
    assert_int_equal(found.replaced.values, 3); /* of 108, 109, 110 */
    arena_clear(&found.arena);
}

static void test_integrators(void **state)
{
    static const int64_t of_eight[] = {2, 10, 10};
    struct tenant_rows found;
    struct error err;
    (void)state;
    assert_int_equal(send_rows(ROWS, COUNT(ROWS), &MODEL, &found, &err), STATUS_OK);
    assert_int_equal(found.rows[0].integrators_count, 1);
    assert_int_equal(found.rows[0].integrators[0], 5);
    assert_int_equal(found.rows[1].integrators_count, COUNT(of_eight));
    assert_memory_equal(found.rows[1].integrators, of_eight, sizeof of_eight);
    assert_int_equal(found.rows[2].integrators_count, 0);
    arena_clear(&found.arena);
}

static void test_logins(void **state)
{
    static const uint64_t ids[] = {107, 100, 101, 103}; /* by tenant, newest first */
    struct tenant_rows found;
    struct error err;
    (void)state;
    assert_int_equal(send_rows(ROWS, COUNT(ROWS), &MODEL, &found, &err), STATUS_OK);
    assert_int_equal(found.logins_count, COUNT(ids));
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_int_equal(found.logins[i].id, ids[i]);
    assert_int_equal(found.logins[2].user, LOGIN_WITHOUT_USER);
    assert_true(bytes_is(found.users[found.logins[3].user].name, "Bia"));
    arena_clear(&found.arena);
}

/* The model's window and that of /logins are two. */
static void test_windows_of_logins(void **state)
{
    static const struct {
        int64_t days;
        uint64_t counted;
    } rows[] = {{1, 2}, {2, 2}, {30, 3}, {31, 4}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct scoring_model model = {.windows = {.events_days = rows[i].days}};
        struct tenant_rows found;
        struct error err;
        assert_int_equal(send_rows(ROWS, COUNT(ROWS), &model, &found, &err), STATUS_OK);
        assert_int_equal(found.rows[0].logins.count, rows[i].counted);
        assert_int_equal(found.logins_count, 4);
        arena_clear(&found.arena);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        struct sent rows[2];
        size_t count;
        const char *message;
    } cases[] = {
        {"twice",
         {{QUERY_TENANTS, {"7", NULL, NULL, NULL, "1"}}, {QUERY_TENANTS, {"07", NULL, NULL, NULL, "1"}}},
         2,
         "MySQL: tenant 7 occurs twice"},
        {"no id", {{QUERY_TENANTS, {NULL, NULL, NULL, NULL, "1"}}}, 1, "MySQL: tenants.id '' is not"},
        {"an id that is none",
         {{QUERY_TENANTS, {"18446744073709551616", NULL, NULL, NULL, "1"}}},
         1,
         "MySQL: tenants.id '18446744073709551616' is not a whole number from 0 to 2^64 - 1"},
        {"a user that is none",
         {{QUERY_USERS, {"nobody", "7", "Eva", NULL}}},
         1,
         "MySQL: users.id 'nobody' is not a whole number from 0 to 2^64 - 1"},
        {"a login without an id",
         {{QUERY_LOGIN_ROWS, {NULL, "7", "3", "2024-03-30 08:00:00"}}},
         1,
         "MySQL: activity_log.id '' is not"},
        {"a login that is none",
         {{QUERY_LOGIN_ROWS, {"6f9619ff-8b86", "7", "3", "2024-03-30 08:00:00"}}},
         1,
         "MySQL: activity_log.id '6f9619ff-8b86' is not"},
        {"below nought",
         {{QUERY_TENANTS, {"-1", NULL, NULL, NULL, "1"}}},
         1,
         "MySQL: tenants.id '-1' is not"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tenant_rows found;
        struct error err;
        assert_int_equal(send_rows(cases[i].rows, cases[i].count, &MODEL, &found, &err), STATUS_INVALID);
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].name, err.message, cases[i].message);
        arena_clear(&found.arena);
    }
}

/* Slugs and names that are equal but for what does not count. */
static void test_names_of_configurations(void **state)
{
    static const struct {
        const char *slug, *name;
        bool is_open;
    } rows[] = {
        {"loja", "loja", true},
        {"loja", "Loja", true},
        {"LOJA", "loja", true},
        {"loja", "loja  ", true},
        {"loja ", "loja", true},
        {"loja", " loja", false},
        {"loja", "lojas", false},
        {"lojas", "loja", false},
        {"loja", "", false},
        {"", "  ", true},
        {NULL, "loja", false},
        {"loja", NULL, false},
        {"s\xC3\xA3o", "S\xC3\xA3O", true},
        {"s\xC3\xA3o", "S\xC3\x83O", false},
        {"s\xC3\xA3o", "sao", false},
        {"\xFF", "\xFF", true},
        {"a_", "A@", false},
        {"[", "{", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct sent sent[] = {
            {QUERY_TENANTS, {"7", rows[i].slug, NULL, NULL, "1"}},
            {QUERY_ECONVERSA, {"another"}},
            {QUERY_ECONVERSA, {rows[i].name}},
            {QUERY_ECONVERSA, {"zebra"}},
        };
        struct tenant_rows found;
        struct error err;
        assert_int_equal(send_rows(sent, COUNT(sent), &MODEL, &found, &err), STATUS_OK);
        if (found.rows[0].econversa_open != rows[i].is_open)
            fail_msg("'%s' and '%s': %d", rows[i].slug != NULL ? rows[i].slug : "NULL",
                     rows[i].name != NULL ? rows[i].name : "NULL", found.rows[0].econversa_open);
        arena_clear(&found.arena);
    }
}

static void test_nothing_at_all(void **state)
{
    struct tenant_rows found;
    struct error err;
    (void)state;
    assert_int_equal(send_rows(NULL, 0, &MODEL, &found, &err), STATUS_OK);
    assert_int_equal(found.count + found.users_count + found.logins_count, 0);
    arena_clear(&found.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_integrators),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_windows_of_logins),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_names_of_configurations),
    };
    return cmocka_run_group_tests_name("worker_rows", tests, NULL, NULL);
}
