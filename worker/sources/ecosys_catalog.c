/* worker/sources/ecosys_catalog.c - the EcoSys tables we need, compared with the server's catalogue. */
#include "worker/sources/ecosys_catalog.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OUR_TABLES                                                                                           \
    "('tenants', 'users', 'activity_log', 'inventory_entries', 'inventory_outs', 'cards',"                   \
    " 'econversa_instance_configurations', 'econversa_messages', 'integrator_ads', 'reports', 'contracts',"  \
    " 'integrator_configurations')"

const char ECOSYS_CATALOG_COLUMNS[] =
    "SELECT table_name, column_name, column_type, data_type FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name IN " OUR_TABLES;

/* The conditional comments are executed only by MariaDB from 10.6 and by MySQL from 8.0: each has its own word for an
 * index that is maintained but not used. */
const char ECOSYS_CATALOG_INDEXES[] =
    "SELECT table_name, GROUP_CONCAT(column_name ORDER BY seq_in_index) FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND index_type = 'BTREE' AND table_name IN " OUR_TABLES
    " /*M!100600 AND ignored = 'NO' */ /*!80000 AND is_visible = 'YES' */ GROUP BY table_name, index_name"
    " HAVING COUNT(sub_part) = 0 AND COUNT(column_name) = COUNT(*) AND MAX(collation) = 'A'";

/* In MariaDB, create_time is when the table's definition file was last touched, which renaming does; in MySQL, when the
 * table was created, which differs for another table of that name. Both in whole seconds. */
const char ECOSYS_CATALOG_MADE[] =
    "SELECT table_name, create_time FROM information_schema.tables WHERE table_schema = DATABASE()"
    " AND table_type = 'BASE TABLE' AND table_name IN " OUR_TABLES " ORDER BY table_name";

const char ECOSYS_CATALOG_TABLES[] =
    "SELECT table_name, engine, table_rows FROM information_schema.tables WHERE table_schema = DATABASE()"
    " AND table_type = 'BASE TABLE' AND table_name IN " OUR_TABLES " ORDER BY table_name";

/* Kinds of columns, by what they must be able to express. */
enum family {
    FAMILY_ID,    /* whole numbers, also stored as text */
    FAMILY_WORD,  /* compared with our words, in either case */
    FAMILY_SHOWN, /* shown; binary too, cleaned like any text */
    FAMILY_TIME,  /* wall time in the session's zone */
    FAMILY_CNPJ,  /* digits, with decimals that are ignored, or text */
    FAMILY_MARK,  /* only tested for NULL */
};

#define TYPES_MAX 16
#define INTEGERS  "tinyint", "smallint", "mediumint", "int", "bigint"
#define TEXTS     "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"

static const struct {
    const char *types[TYPES_MAX]; /* NULL after the last one; none: any */
    const char *takes;
} FAMILIES[] = {
    [FAMILY_ID] = {{INTEGERS, "char", "varchar"}, "an integer, char or varchar"},
    [FAMILY_WORD] = {{TEXTS}, "char, varchar, text, enum or set"},
    [FAMILY_SHOWN] = {{TEXTS, "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"},
                      "char, varchar, text, enum, set, binary or blob"},
    [FAMILY_TIME] = {{"datetime", "timestamp", "date"}, "datetime, timestamp or date"},
    [FAMILY_CNPJ] = {{TEXTS, INTEGERS, "decimal"}, "an integer, decimal, char, varchar or text"},
    [FAMILY_MARK] = {{NULL}, "any type"},
};

static const struct {
    const char *table, *column;
    enum family family;
    bool by_store_size; /* needed only by models that use the size of the store */
} COLUMNS[] = {
    {"tenants", "id", FAMILY_ID, false},
    {"tenants", "slug", FAMILY_SHOWN, false},
    {"tenants", "name", FAMILY_SHOWN, false},
    {"tenants", "cnpj", FAMILY_CNPJ, false},
    {"tenants", "type", FAMILY_WORD, false},
    {"users", "id", FAMILY_ID, false},
    {"users", "tenant_id", FAMILY_ID, false},
    {"users", "name", FAMILY_SHOWN, false},
    {"users", "email", FAMILY_SHOWN, false},
    {"activity_log", "id", FAMILY_ID, false},
    {"activity_log", "tenant_id", FAMILY_ID, false},
    {"activity_log", "subject_id", FAMILY_ID, false},
    {"activity_log", "event", FAMILY_WORD, false},
    {"activity_log", "created_at", FAMILY_TIME, false},
    {"inventory_entries", "tenant_id", FAMILY_ID, false},
    {"inventory_entries", "created_at", FAMILY_TIME, false},
    {"inventory_entries", "deleted_at", FAMILY_MARK, false},
    {"inventory_entries", "status", FAMILY_WORD, true},
    {"inventory_entries", "vehicle_id", FAMILY_ID, true},
    {"inventory_outs", "tenant_id", FAMILY_ID, false},
    {"inventory_outs", "created_at", FAMILY_TIME, false},
    {"inventory_outs", "deleted_at", FAMILY_MARK, false},
    {"inventory_outs", "vehicle_id", FAMILY_ID, true},
    {"cards", "tenant_id", FAMILY_ID, false},
    {"cards", "created_at", FAMILY_TIME, false},
    {"cards", "deleted_at", FAMILY_MARK, false},
    {"econversa_instance_configurations", "name", FAMILY_SHOWN, false},
    {"econversa_instance_configurations", "status", FAMILY_WORD, false},
    {"econversa_messages", "tenant_id", FAMILY_ID, false},
    {"econversa_messages", "created_at", FAMILY_TIME, false},
    {"integrator_ads", "tenant_id", FAMILY_ID, false},
    {"integrator_ads", "integrator_id", FAMILY_ID, false},
    {"integrator_ads", "created_at", FAMILY_TIME, false},
    {"reports", "tenant_id", FAMILY_ID, false},
    {"reports", "created_at", FAMILY_TIME, false},
    {"contracts", "tenant_id", FAMILY_ID, false},
    {"contracts", "created_at", FAMILY_TIME, false},
    {"integrator_configurations", "tenant_id", FAMILY_ID, false},
    {"integrator_configurations", "integrator_id", FAMILY_ID, false},
    {"integrator_configurations", "deleted_at", FAMILY_MARK, false},
};

#define WINDOW_COUNT "counts the window's rows without reading those before it"
#define NEWEST       "finds each tenant's newest row without reading those before it"

static const struct ecosys_index_advice ADVICE[INDEX_COUNT] = {
    [INDEX_LOGINS_BY_TENANT] = {"activity_log", "tenant_id,event,created_at", NEWEST, false},
    [INDEX_LOGINS_BY_USER] = {"activity_log", "subject_id,event,tenant_id,created_at",
                              "finds each user's newest login that names no tenant", false},
    [INDEX_LOGINS_BY_TIME] = {"activity_log", "event,created_at,tenant_id,subject_id",
                              "reads the window's logins and no other rows", false},
    [INDEX_ENTRIES_BY_TENANT] = {"inventory_entries", "tenant_id,deleted_at,created_at", NEWEST, false},
    [INDEX_ENTRIES_BY_TIME] = {"inventory_entries", "deleted_at,created_at,tenant_id", WINDOW_COUNT, false},
    [INDEX_OUTS_BY_TENANT] = {"inventory_outs", "tenant_id,deleted_at,created_at", NEWEST, false},
    [INDEX_OUTS_BY_TIME] = {"inventory_outs", "deleted_at,created_at,tenant_id", WINDOW_COUNT, false},
    [INDEX_LEADS_BY_TENANT] = {"cards", "tenant_id,deleted_at,created_at", NEWEST, false},
    [INDEX_LEADS_BY_TIME] = {"cards", "deleted_at,created_at,tenant_id", WINDOW_COUNT, false},
    [INDEX_MESSAGES_BY_TENANT] = {"econversa_messages", "tenant_id,created_at", NEWEST, false},
    [INDEX_ADS_BY_TIME] = {"integrator_ads", "created_at,tenant_id,integrator_id", WINDOW_COUNT, false},
    [INDEX_REPORTS_BY_TENANT] = {"reports", "tenant_id,created_at", NEWEST, false},
    [INDEX_CONTRACTS_BY_TIME] = {"contracts", "created_at,tenant_id", WINDOW_COUNT, false},
    [INDEX_STORES] = {"inventory_entries", "status,deleted_at,tenant_id,vehicle_id",
                      "reads the vehicles in stock and no other rows", true},
    [INDEX_DEPARTURES] = {"inventory_outs", "vehicle_id,deleted_at", "finds whether a vehicle has gone out",
                          true},
};

static const struct catalog_row *find_column(const struct catalog_row *rows, size_t count, const char *table,
                                             const char *column)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_is_in_any_case(rows[i].cells[0], table) && bytes_is_in_any_case(rows[i].cells[1], column))
            return &rows[i];
    return NULL;
}

static bool has_table(const struct catalog_row *rows, size_t count, const char *table)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_is_in_any_case(rows[i].cells[0], table))
            return true;
    return false;
}

static bool is_of_family(struct bytes type, enum family family)
{
    const char *const *types = FAMILIES[family].types;
    if (types[0] == NULL)
        return true;
    for (size_t i = 0; i < TYPES_MAX && types[i] != NULL; i++)
        if (bytes_is_in_any_case(type, types[i]))
            return true;
    return false;
}

static enum status check_columns(const struct catalog_row *rows, size_t count, bool by_store_size,
                                 struct error *err)
{
    for (size_t i = 0; i < sizeof COLUMNS / sizeof COLUMNS[0]; i++) {
        const char *table = COLUMNS[i].table, *column = COLUMNS[i].column;
        if (COLUMNS[i].by_store_size && !by_store_size)
            continue;
        if (!has_table(rows, count, table))
            return error_set(err, STATUS_INVALID, "MySQL: table %s is missing, or its user may not read it",
                             table);
        const struct catalog_row *found = find_column(rows, count, table, column);
        if (found == NULL)
            return error_set(err, STATUS_INVALID,
                             "MySQL: column %s.%s is missing, or its user may not read it", table, column);
        if (!is_of_family(found->cells[3], COLUMNS[i].family))
            return error_set(err, STATUS_INVALID, "MySQL: column %s.%s is %.*s, takes %s", table, column,
                             (int)found->cells[2].len, found->cells[2].data,
                             FAMILIES[COLUMNS[i].family].takes);
    }
    return STATUS_OK;
}

static bool is_integer(const struct catalog_row *column)
{
    static const char *const integers[] = {INTEGERS};
    for (size_t i = 0; column != NULL && i < sizeof integers / sizeof integers[0]; i++)
        if (bytes_is_in_any_case(column->cells[3], integers[i]))
            return true;
    return false;
}

enum status ecosys_catalog_take_columns(struct ecosys_catalog *catalog, const struct catalog_row *rows,
                                        size_t count, bool by_store_size, struct error *err)
{
    static const struct {
        const char *table, *column, *other_table, *other_column;
        enum ecosys_index indexes[2]; /* only of use to a query that joins these columns */
    } joins[] = {
        {"activity_log", "subject_id", "users", "id", {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER}},
        {"activity_log", "tenant_id", "users", "tenant_id", {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER}},
        {"inventory_outs", "vehicle_id", "inventory_entries", "vehicle_id", {INDEX_STORES, INDEX_DEPARTURES}},
    };
    if (check_columns(rows, count, by_store_size, err) != STATUS_OK)
        return err->code;
    *catalog = (struct ecosys_catalog){.has_index = {false}};
    catalog->cnpj_is_decimal =
        bytes_is_in_any_case(find_column(rows, count, "tenants", "cnpj")->cells[3], "decimal");
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++)
        if (!is_integer(find_column(rows, count, joins[i].table, joins[i].column)) ||
            !is_integer(find_column(rows, count, joins[i].other_table, joins[i].other_column)))
            catalog->is_useless[joins[i].indexes[0]] = catalog->is_useless[joins[i].indexes[1]] = true;
    return STATUS_OK;
}

/* An index with further columns after the wanted ones serves as well. */
static bool begins_with(struct bytes columns, const char *wanted)
{
    size_t len = strlen(wanted);
    return columns.data != NULL && columns.len >= len && strncasecmp(columns.data, wanted, len) == 0 &&
           (columns.len == len || columns.data[len] == ',');
}

void ecosys_catalog_take_index(struct ecosys_catalog *catalog, const struct catalog_row *row)
{
    for (int i = 0; i < INDEX_COUNT; i++)
        if (!catalog->is_useless[i] && bytes_is_in_any_case(row->cells[0], ADVICE[i].table) &&
            begins_with(row->cells[1], ADVICE[i].columns))
            catalog->has_index[i] = true;
}

static void copy_text(struct bytes text, char *out, size_t out_size)
{
    snprintf(out, out_size, "%.*s", (int)text.len, text.data != NULL ? text.data : "");
}

void ecosys_catalog_take_made(struct ecosys_catalog *catalog, const struct catalog_row *row)
{
    if (catalog->tables_count == ECOSYS_TABLES)
        return; /* only possible if the names of tables differ only in case */
    struct ecosys_table *table = &catalog->tables[catalog->tables_count++];
    copy_text(row->cells[0], table->name, sizeof table->name);
    copy_text(row->cells[1], table->made, sizeof table->made);
}

/* Both lists are sorted by name. */
const char *ecosys_catalog_find_altered(const struct ecosys_catalog *before,
                                        const struct ecosys_catalog *after)
{
    for (size_t i = 0; i < before->tables_count; i++) {
        const struct ecosys_table *was = &before->tables[i], *is = &after->tables[i];
        if (i >= after->tables_count || strcmp(was->name, is->name) != 0 || strcmp(was->made, is->made) != 0)
            return was->name;
    }
    return after->tables_count > before->tables_count ? after->tables[before->tables_count].name : NULL;
}

const struct ecosys_index_advice *ecosys_index_advice(enum ecosys_index index)
{
    return &ADVICE[index];
}
