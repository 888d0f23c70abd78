/* tests/unit/test_tenant_logins.c - the order of logins, and what one tenant's are counted to. */
#include <stdio.h>
#include <stdlib.h>

#include "common/domain/date.h"
#include "common/domain/tenant_logins.h"
#include "tests/unit/support.h"

#define NOBODY UINT64_MAX /* no subject */

static struct login login_of(uint64_t tenant_id, int64_t wall_us, uint64_t id, uint64_t subject)
{
    return (struct login){.id = id,
                          .tenant_id = tenant_id,
                          .wall_us = wall_us,
                          .subject_id = subject == NOBODY ? 0 : subject,
                          .user = LOGIN_WITHOUT_USER,
                          .has_subject = subject != NOBODY};
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void test_order(void **state)
{
    static const struct {
        const char *name;
        struct {
            uint64_t tenant;
            int64_t wall_us;
            uint64_t id;
        } a, b;
        int expected;
    } rows[] = {
        {"the same", {1, 5, 9}, {1, 5, 9}, 0},
        {"smaller tenant first", {1, 5, 9}, {2, 6, 10}, -1},
        {"the largest tenant last", {UINT64_MAX, 5, 9}, {INT64_MAX, 5, 9}, 1},
        {"newer first", {1, 6, 9}, {1, 5, 10}, -1},
        {"before 1970", {1, -6, 9}, {1, -5, 9}, 1},
        {"the ends of time", {1, INT64_MAX, 1}, {1, INT64_MIN, 2}, -1},
        {"highest id first", {1, 5, 10}, {1, 5, 9}, -1},
        {"the highest id of all", {1, 5, UINT64_MAX}, {1, 5, 0}, -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct login a = login_of(rows[i].a.tenant, rows[i].a.wall_us, rows[i].a.id, NOBODY);
        struct login b = login_of(rows[i].b.tenant, rows[i].b.wall_us, rows[i].b.id, NOBODY);
        check_int(rows[i].name, "order", sign(login_compare(&a, &b)), rows[i].expected);
        check_int(rows[i].name, "order the other way round", sign(login_compare(&b, &a)), -rows[i].expected);
    }
}

#define DAY(number) ((number)*US_PER_DAY)

/* One tenant each row, in order; together they are one list. */
static const struct {
    const char *name;
    struct {
        int64_t wall_us;
        uint64_t subject;
    } rows[5];
    size_t count;
    int64_t unique_users, days;
} TENANTS[] = {
    {"one login", {{DAY(20000), 7}}, 1, 1, 1},
    {"one login of nobody", {{DAY(20000), NOBODY}}, 1, 0, 1},
    {"a user whose id is 0", {{DAY(20000), 0}, {DAY(20000), NOBODY}}, 2, 1, 1},
    {"two ends of a day", {{DAY(20001) - 1, 1}, {DAY(20000), 2}}, 2, 2, 1},
    {"two sides of midnight", {{DAY(20000), 1}, {DAY(20000) - 1, 1}}, 2, 1, 2},
    {"two sides of 1970", {{0, 1}, {-1, 1}, {-US_PER_DAY, 1}, {-US_PER_DAY - 1, 1}}, 4, 1, 3},
    {"users that come again", {{9, 3}, {8, 1}, {7, 3}, {6, 2}, {5, 1}}, 5, 3, 1},
    {"the largest ids", {{9, UINT64_MAX - 1}, {8, UINT64_MAX - 2}, {7, UINT64_MAX - 1}}, 3, 2, 1},
};

static void test_tenants_one_after_another(void **state)
{
    struct login rows[64];
    size_t count = 0, next = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(TENANTS); i++)
        for (size_t j = 0; j < TENANTS[i].count; j++, count++)
            rows[count] =
                login_of(i * 10 + 1, TENANTS[i].rows[j].wall_us, 1000 - count, TENANTS[i].rows[j].subject);
    static const struct login_user users[] = {{.id = 1}};
    for (size_t i = 0; i < COUNT(TENANTS); i++) {
        struct tenant_logins found;
        size_t before = next;
        assert_true(tenant_logins_take(rows, count, users, &next, &found));
        check_int(TENANTS[i].name, "tenant", (int64_t)found.tenant_id, (int64_t)(i * 10 + 1));
        check_int(TENANTS[i].name, "count", (int64_t)found.count, (int64_t)TENANTS[i].count);
        check_int(TENANTS[i].name, "unique_users", (int64_t)found.unique_users, TENANTS[i].unique_users);
        check_int(TENANTS[i].name, "days", found.days, TENANTS[i].days);
        check_int(TENANTS[i].name, "next", (int64_t)next, (int64_t)(before + TENANTS[i].count));
        assert_ptr_equal(found.rows, &rows[before]);
        assert_ptr_equal(found.users, users);
    }
    check_int("all", "next", (int64_t)next, (int64_t)count);
}

/* Sorting puts any rows into the order in which they are taken. */
static void test_any_rows(void **state)
{
    enum { ROWS = 500 };
    struct login rows[ROWS];
    uint64_t random = 88172645463325252u, total = 0;
    size_t next = 0, tenants = 0;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        rows[i] = login_of(random >> 60, (int64_t)(random >> 40 & 0xff) * US_PER_DAY / 7, random >> 20 & 0xff,
                           (random >> 10 & 7) == 0 ? NOBODY : random >> 10 & 7);
    }
    qsort(rows, ROWS, sizeof rows[0], login_compare);
    while (next < ROWS) {
        struct tenant_logins found;
        assert_true(tenant_logins_take(rows, ROWS, NULL, &next, &found));
        for (size_t i = 1; i < found.count; i++)
            assert_true(found.rows[i - 1].wall_us > found.rows[i].wall_us ||
                        (found.rows[i - 1].wall_us == found.rows[i].wall_us &&
                         found.rows[i - 1].id >= found.rows[i].id));
        assert_true(found.unique_users <= 7 && found.days <= found.count && found.days > 0);
        total += found.count;
        tenants++;
    }
    check_int("any", "rows", (int64_t)total, ROWS);
    check_int("any", "tenants", (int64_t)tenants, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_tenants_one_after_another),
        cmocka_unit_test(test_any_rows),
    };
    return cmocka_run_group_tests_name("logins", tests, NULL, NULL);
}
