/* tests/unit/test_scored_snapshot.c - the check of rows that come from elsewhere, and the sums in front of each
 * place. */
#include <inttypes.h>

#include "common/domain/scored_snapshot.h"
#include "tests/unit/support.h"

static struct client dated(int64_t id, int32_t day, int32_t group)
{
    return (struct client){.id = id, .data_adesao = {day * US_PER_DAY, TIMESTAMP_DATE}, .group = group};
}

static struct client undated(int64_t id)
{
    return (struct client){.id = id, .group = GROUP_NONE};
}

static struct tenant ranked(uint64_t id, int64_t total, uint32_t category, int32_t group)
{
    return (struct tenant){.id = id, .group = group, .scores = {.total_exact = total, .category = category}};
}

struct refused_row {
    const char *name;
    struct client clients[2];
    struct tenant tenants[2];
    const char *message; /* NULL: taken */
};

static void check_rows(const struct refused_row *row)
{
    struct client clients[] = {row->clients[0], row->clients[1]};
    struct tenant tenants[] = {row->tenants[0], row->tenants[1]};
    const char *expected = row->message != NULL ? row->message : "";
    struct scored_snapshot scored;
    struct error err = {STATUS_OK, ""};
    scored_snapshot_init(&scored);
    scored.clients = clients;
    scored.tenants = tenants;
    scored.clients_count = scored.tenants_count = scored.groups_count = 2;
    scored.model.categories_count = 2;
    enum status status = scored_snapshot_index(&scored, &err);
    if (status != (row->message != NULL ? STATUS_CORRUPT : STATUS_OK) || strcmp(err.message, expected) != 0)
        fail_msg("%s: is %s \"%s\", expected \"%s\"", row->name, status_word(status), err.message, expected);
    scored_snapshot_clear(&scored);
}

static void test_rows_that_are_refused(void **state)
{
    const struct refused_row rows[] = {
        {"fine", {undated(1), dated(1, 5, 1)}, {ranked(1, 9, 1, 1), ranked(1, 8, 0, 0)}, NULL},
        {"ties by id", {dated(1, 5, 0), dated(2, 5, 0)}, {ranked(1, 9, 1, 1), ranked(2, 9, 0, 0)}, NULL},
        {"two undated ones", {undated(-5), undated(4)}, {ranked(1, 9, 1, 1), ranked(2, 9, 0, 0)}, NULL},
        {"dated before undated", {dated(1, 5, 1), undated(1)}, {{0}}, "client 1: out of order or twice"},
        {"older first", {dated(3, 4, 1), dated(4, 5, 1)}, {{0}}, "client 4: out of order or twice"},
        {"larger id first", {dated(3, 5, 1), dated(2, 5, 1)}, {{0}}, "client 2: out of order or twice"},
        {"client twice", {undated(7), undated(7)}, {{0}}, "client 7: out of order or twice"},
        {"client's group too high", {undated(1), dated(2, 5, 2)}, {{0}}, "client 2: group 2 of 2"},
        {"client's group too low", {dated(2, 5, -2), dated(3, 4, 0)}, {{0}}, "client 2: group -2 of 2"},
        {"lower total first",
         {undated(1), undated(2)},
         {ranked(1, 8, 0, 0), ranked(2, 9, 0, 0)},
         "tenant 2: out of order or twice"},
        {"tenant twice",
         {undated(1), undated(2)},
         {ranked(1, 8, 0, 0), ranked(1, 8, 0, 0)},
         "tenant 1: out of order or twice"},
        {"tenant's larger id first",
         {undated(1), undated(2)},
         {ranked(UINT64_MAX, 8, 0, 0), ranked(1, 8, 0, 0)},
         "tenant 1: out of order or twice"},
        {"tenant without group",
         {undated(1), undated(2)},
         {ranked(1, 8, 0, GROUP_NONE), ranked(2, 8, 0, 0)},
         "tenant 1: group -1 of 2"},
        {"tenant's group too high",
         {undated(1), undated(2)},
         {ranked(1, 8, 0, 0), ranked(2, 8, 0, 2)},
         "tenant 2: group 2 of 2"},
        {"category too high",
         {undated(1), undated(2)},
         {ranked(1, 8, 0, 0), ranked(2, 8, 2, 0)},
         "tenant 2: category 2 of 2"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_rows(&rows[i]);
}

static void test_sums_in_front_of_each_place(void **state)
{
    struct client clients[] = {undated(1), dated(2, 9, 0), dated(3, 7, 0), dated(4, -2, 0)};
    static const struct client_sums expected[] = {
        {.active = 0},
        {.active = 1, .paying = 1, .tmo_count = 1, .tmo_days = 4},
        {.active = 2, .paying = 1, .onboarding = 1, .tmo_count = 1, .tmo_days = 4},
        {.active = 2, .paying = 1, .onboarding = 1, .tmo_count = 2, .tmo_days = 14},
        {.active = 2, .paying = 1, .onboarding = 1, .tmo_count = 2, .tmo_days = 14},
    };
    struct tenant tenant = ranked(1, 9, 0, 0);
    static const int64_t mrr[] = {0, 1050, 850, 850, 850}, churn[] = {0, 0, 0, 700, 700};
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    clients[0].roles = CLIENT_ACTIVE | CLIENT_PAYING;
    clients[1].roles = CLIENT_ACTIVE | CLIENT_ONBOARDING;
    clients[2].roles = CLIENT_CHURNED;
    clients[0].valor = (struct decimal){105, 1};
    clients[1].valor = (struct decimal){-2, 0};
    clients[2].valor = (struct decimal){7, 0};
    clients[3].valor = (struct decimal){1000, 0};
    clients[0].tmo_days = 4;
    clients[1].tmo_days = -3;
    clients[2].tmo_days = 10;
    for (size_t i = 0; i < COUNT(clients); i++)
        clients[i].has_valor = clients[i].has_tmo = true;
    scored_snapshot_init(&scored);
    scored.clients = clients;
    scored.clients_count = COUNT(clients);
    scored.tenants = &tenant;
    scored.tenants_count = scored.groups_count = scored.model.categories_count = 1;
    assert_int_equal(scored_snapshot_index(&scored, &err), STATUS_OK);
    assert_int_equal(scored.undated_count, 1);
    assert_int_equal(scored.adhesion_days[1], 9);
    assert_int_equal(scored.adhesion_days[3], -2);
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct client_sums *sums = &scored.sums[i];
        if (sums->active != expected[i].active || sums->paying != expected[i].paying ||
            sums->onboarding != expected[i].onboarding || sums->tmo_count != expected[i].tmo_count ||
            sums->tmo_days != expected[i].tmo_days)
            fail_msg("place %zu: %u %u %u %u %" PRId64 ", expected %u %u %u %u %" PRId64, i, sums->active,
                     sums->paying, sums->onboarding, sums->tmo_count, sums->tmo_days, expected[i].active,
                     expected[i].paying, expected[i].onboarding, expected[i].tmo_count, expected[i].tmo_days);
        assert_int_equal(decimal_sum_cents(sums->mrr), mrr[i]);
        assert_int_equal(decimal_sum_cents(sums->churn), churn[i]);
    }
    scored_snapshot_clear(&scored);
}

/* Tenants of a group come in the order of tenants. */
static void test_tenants_of_a_group(void **state)
{
    struct tenant tenants[] = {ranked(4, 9, 0, 2), ranked(1, 8, 0, 0), ranked(3, 7, 0, 2), ranked(2, 6, 0, 1),
                               ranked(5, 5, 0, 2)};
    static const uint32_t of_two[] = {0, 2, 4};
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    scored.tenants = tenants;
    scored.tenants_count = COUNT(tenants);
    scored.groups_count = 3;
    scored.model.categories_count = 1;
    assert_int_equal(scored_snapshot_index(&scored, &err), STATUS_OK);
    assert_int_equal(scored_snapshot_group(&scored, GROUP_NONE).count, 0);
    assert_int_equal(scored_snapshot_group(&scored, 0).count, 1);
    assert_int_equal(scored_snapshot_group(&scored, 0).indexes[0], 1);
    assert_int_equal(scored_snapshot_group(&scored, 1).indexes[0], 3);
    assert_int_equal(scored_snapshot_group(&scored, 2).count, COUNT(of_two));
    assert_memory_equal(scored_snapshot_group(&scored, 2).indexes, of_two, sizeof of_two);
    scored_snapshot_clear(&scored);
}

static void test_more_groups_than_tenants(void **state)
{
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    scored.groups_count = 1;
    assert_int_equal(scored_snapshot_index(&scored, &err), STATUS_CORRUPT);
    assert_string_equal(err.message, "1 groups of 0 tenants");
    scored_snapshot_clear(&scored);
}

/* No row is looked at before their number is. */
static void test_too_many_clients(void **state)
{
    struct scored_snapshot scored;
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    scored.clients_count = SUMMABLE_MAX + 1;
    assert_int_equal(scored_snapshot_index(&scored, &err), STATUS_INVALID);
    assert_string_equal(err.message, "5000001 clients, at most 5000000 can be summed exactly");
    scored_snapshot_clear(&scored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_that_are_refused), cmocka_unit_test(test_sums_in_front_of_each_place),
        cmocka_unit_test(test_tenants_of_a_group),    cmocka_unit_test(test_more_groups_than_tenants),
        cmocka_unit_test(test_too_many_clients),
    };
    return cmocka_run_group_tests_name("scored_snapshot", tests, NULL, NULL);
}
