/* tests/unit/test_worker_catalog.c - columns and indexes as a server's catalogue lists them. */
#include <string.h>

#include "tests/unit/support.h"
#include "worker/sources/ecosys_catalog.h"

/* Every column, with a type that will do. */
static const struct column {
    const char *table, *column, *type;
} COLUMNS[] = {
    {"tenants", "id", "bigint"},
    {"tenants", "slug", "varchar"},
    {"tenants", "name", "text"},
    {"tenants", "cnpj", "bigint"},
    {"tenants", "type", "enum"},
    {"users", "id", "int"},
    {"users", "tenant_id", "bigint"},
    {"users", "name", "longtext"},
    {"users", "email", "char"},
    {"activity_log", "id", "bigint"},
    {"activity_log", "tenant_id", "mediumint"},
    {"activity_log", "subject_id", "bigint"},
    {"activity_log", "event", "set"},
    {"activity_log", "created_at", "datetime"},
    {"inventory_entries", "tenant_id", "bigint"},
    {"inventory_entries", "created_at", "timestamp"},
    {"inventory_entries", "deleted_at", "json"},
    {"inventory_entries", "status", "tinytext"},
    {"inventory_entries", "vehicle_id", "bigint"},
    {"inventory_outs", "tenant_id", "bigint"},
    {"inventory_outs", "created_at", "date"},
    {"inventory_outs", "deleted_at", "tinyint"},
    {"inventory_outs", "vehicle_id", "smallint"},
    {"cards", "tenant_id", "bigint"},
    {"cards", "created_at", "timestamp"},
    {"cards", "deleted_at", "timestamp"},
    {"econversa_instance_configurations", "name", "varchar"},
    {"econversa_instance_configurations", "status", "varchar"},
    {"econversa_messages", "tenant_id", "bigint"},
    {"econversa_messages", "created_at", "timestamp"},
    {"integrator_ads", "tenant_id", "bigint"},
    {"integrator_ads", "integrator_id", "tinyint"},
    {"integrator_ads", "created_at", "timestamp"},
    {"reports", "tenant_id", "bigint"},
    {"reports", "created_at", "timestamp"},
    {"contracts", "tenant_id", "bigint"},
    {"contracts", "created_at", "timestamp"},
    {"integrator_configurations", "tenant_id", "bigint"},
    {"integrator_configurations", "integrator_id", "varchar"},
    {"integrator_configurations", "deleted_at", "timestamp"},
};

static struct catalog_row row_of(const struct column *column)
{
    return (struct catalog_row){
        {bytes_of(column->table), bytes_of(column->column), bytes_of(column->type), bytes_of(column->type)}};
}

/* The catalogue with `changed` in place of its column; one without a type is left out. */
static enum status take(const struct column *changed, bool by_store_size, struct ecosys_catalog *catalog,
                        struct error *err)
{
    struct catalog_row rows[COUNT(COLUMNS)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(COLUMNS); i++) {
        const struct column *column = &COLUMNS[i];
        if (changed != NULL && strcmp(changed->table, column->table) == 0 &&
            (changed->column == NULL || strcmp(changed->column, column->column) == 0))
            column = changed;
        if (column->type != NULL)
            rows[count++] = row_of(column);
    }
    return ecosys_catalog_take_columns(catalog, rows, count, by_store_size, err);
}

static void test_columns_that_will_do(void **state)
{
    struct ecosys_catalog catalog;
    struct error err;
    (void)state;
    assert_int_equal(take(NULL, true, &catalog, &err), STATUS_OK);
    for (size_t i = 0; i < INDEX_COUNT; i++) {
        assert_false(catalog.has_index[i]);
        assert_false(catalog.is_useless[i]);
    }
}

static const struct {
    const char *name;
    struct column changed;
    bool by_store_size;
    const char *message; /* NULL: it will do */
} CHANGES[] = {
    {"no table",
     {"reports", NULL, NULL},
     false,
     "MySQL: table reports is missing, or its user may not read it"},
    {"no column",
     {"cards", "deleted_at", NULL},
     false,
     "MySQL: column cards.deleted_at is missing, or its user may not read it"},
    {"an instant as a number",
     {"activity_log", "created_at", "bigint"},
     false,
     "MySQL: column activity_log.created_at is bigint, takes datetime, timestamp or date"},
    {"an instant as a text",
     {"contracts", "created_at", "varchar"},
     false,
     "MySQL: column contracts.created_at is varchar"},
    {"a time of day", {"reports", "created_at", "time"}, false, "MySQL: column reports.created_at is time"},
    {"an id with a point",
     {"tenants", "id", "double"},
     false,
     "MySQL: column tenants.id is double, takes an integer"},
    {"a name as a document",
     {"tenants", "name", "json"},
     false,
     "MySQL: column tenants.name is json, takes char"},
    {"a name in bytes", {"tenants", "name", "varbinary"}, false, NULL},
    {"a status in bytes",
     {"econversa_instance_configurations", "status", "varbinary"},
     false,
     "MySQL: column econversa_instance_configurations.status is varbinary, takes char"},
    {"a type as a number", {"tenants", "type", "tinyint"}, false, "MySQL: column tenants.type is tinyint"},
    {"a CNPJ with a point", {"tenants", "cnpj", "float"}, false, "MySQL: column tenants.cnpj is float"},
    {"a CNPJ with a scale", {"tenants", "cnpj", "decimal"}, false, NULL},
    {"capitals", {"tenants", "name", "VARCHAR"}, false, NULL},
    {"a status nobody asks for", {"inventory_entries", "status", NULL}, false, NULL},
    {"a status the model asks for",
     {"inventory_entries", "status", NULL},
     true,
     "MySQL: column inventory_entries.status is missing"},
};

static void test_columns_that_will_not_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CHANGES); i++) {
        struct ecosys_catalog catalog;
        struct error err = {.code = STATUS_OK};
        enum status status = take(&CHANGES[i].changed, CHANGES[i].by_store_size, &catalog, &err);
        if (status != (CHANGES[i].message == NULL ? STATUS_OK : STATUS_INVALID))
            fail_msg("%s: status %d", CHANGES[i].name, status);
        if (CHANGES[i].message != NULL &&
            strncmp(err.message, CHANGES[i].message, strlen(CHANGES[i].message)) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", CHANGES[i].name, err.message, CHANGES[i].message);
    }
}

static void test_indexes(void **state)
{
    static const struct {
        const char *name, *table, *columns;
        int index; /* -1: none of ours */
    } rows[] = {
        {"ours", "cards", "tenant_id,deleted_at,created_at", INDEX_LEADS_BY_TENANT},
        {"one that goes on", "cards", "deleted_at,created_at,tenant_id,id", INDEX_LEADS_BY_TIME},
        {"capitals", "CARDS", "Tenant_Id,Deleted_At,Created_At", INDEX_LEADS_BY_TENANT},
        {"too short", "cards", "tenant_id,deleted_at", -1},
        {"another order", "cards", "tenant_id,created_at,deleted_at", -1},
        {"a longer name", "cards", "tenant_id,deleted_at,created_at_utc", -1},
        {"another table", "kanban_cards", "tenant_id,deleted_at,created_at", -1},
        {"nothing", "cards", "", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ecosys_catalog catalog = {.has_index = {false}};
        const struct catalog_row row = {{bytes_of(rows[i].table), bytes_of(rows[i].columns)}};
        ecosys_catalog_take_index(&catalog, &row);
        for (int index = 0; index < INDEX_COUNT; index++)
            if (catalog.has_index[index] != (index == rows[i].index))
                fail_msg("%s: index %d is %s", rows[i].name, index,
                         catalog.has_index[index] ? "there" : "missing");
    }
}

/* Seeking by a column of another type would read the whole table once for each row. */
static void test_joins_of_different_types(void **state)
{
    static const struct {
        struct column changed;
        enum ecosys_index useless[2];
    } rows[] = {
        {{"activity_log", "subject_id", "varchar"}, {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER}},
        {{"users", "id", "char"}, {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER}},
        {{"users", "tenant_id", "varchar"}, {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER}},
        {{"activity_log", "tenant_id", "char"}, {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER}},
        {{"inventory_outs", "vehicle_id", "varchar"}, {INDEX_STORES, INDEX_DEPARTURES}},
        {{"inventory_entries", "vehicle_id", "varchar"}, {INDEX_STORES, INDEX_DEPARTURES}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ecosys_catalog catalog;
        struct error err;
        assert_int_equal(take(&rows[i].changed, true, &catalog, &err), STATUS_OK);
        for (int index = 0; index < INDEX_COUNT; index++) {
            const struct ecosys_index_advice *advice = ecosys_index_advice((enum ecosys_index)index);
            const struct catalog_row row = {{bytes_of(advice->table), bytes_of(advice->columns)}};
            bool is_useless = index == (int)rows[i].useless[0] || index == (int)rows[i].useless[1];
            ecosys_catalog_take_index(&catalog, &row);
            assert_int_equal(catalog.is_useless[index], is_useless);
            assert_int_equal(catalog.has_index[index], !is_useless);
        }
    }
}

/* "name made" of each table, before and after. */
static void test_altered_tables(void **state)
{
    static const struct {
        const char *name, *before[4], *after[4], *altered;
    } rows[] = {
        {"nothing", {"a", "1", "b", "2"}, {"a", "1", "b", "2"}, NULL},
        {"another time", {"a", "1", "b", "2"}, {"a", "1", "b", "3"}, "b"},
        {"gone", {"a", "1", "b", "2"}, {"a", "1"}, "b"},
        {"the first one gone", {"a", "1", "b", "2"}, {"b", "2"}, "a"},
        {"new", {"a", "1"}, {"a", "1", "b", "2"}, "b"},
        {"no time", {"a", NULL}, {"a", NULL}, NULL},
        {"no time any more", {"a", "1"}, {"a", NULL}, "a"},
        {"no tables", {NULL}, {NULL}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ecosys_catalog before = {.tables_count = 0}, after = {.tables_count = 0};
        for (size_t j = 0; j < 4; j += 2) {
            const char *const *was = &rows[i].before[j], *const *is = &rows[i].after[j];
            struct catalog_row row = {{{NULL, 0}}};
            if (was[0] != NULL) {
                row.cells[0] = bytes_of(was[0]);
                row.cells[1] = was[1] != NULL ? bytes_of(was[1]) : (struct bytes){NULL, 0};
                ecosys_catalog_take_made(&before, &row);
            }
            if (is[0] != NULL) {
                row.cells[0] = bytes_of(is[0]);
                row.cells[1] = is[1] != NULL ? bytes_of(is[1]) : (struct bytes){NULL, 0};
                ecosys_catalog_take_made(&after, &row);
            }
        }
        const char *altered = ecosys_catalog_find_altered(&before, &after);
        if (altered == NULL ? rows[i].altered != NULL
                            : rows[i].altered == NULL || strcmp(altered, rows[i].altered) != 0)
            fail_msg("%s: %s", rows[i].name, altered != NULL ? altered : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_that_will_do),
        cmocka_unit_test(test_columns_that_will_not_do),
        cmocka_unit_test(test_indexes),
        cmocka_unit_test(test_joins_of_different_types),
        cmocka_unit_test(test_altered_tables),
    };
    return cmocka_run_group_tests_name("worker_catalog", tests, NULL, NULL);
}
