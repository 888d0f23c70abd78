/* worker/ecosys.c - tenants from MySQL or MariaDB: the session, the snapshot, the rows of each query. */
#include "worker/ecosys.h"

#include <errmsg.h>
#include <inttypes.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buffer.h"
#include "worker/ecosys_sql.h"
#include "worker/value.h"

#define LOCK_WAIT_S    5
#define FIRST_CAPACITY 1024

static enum status failed(struct ecosys *ecosys, const char *doing, struct error *err)
{
    if (interrupt_status(ecosys->interrupt, err) != STATUS_OK)
        return error_context(err, "MySQL");
    return error_set(err, STATUS_UNAVAILABLE, "MySQL, %s: %s (error %u)", doing, mysql_error(ecosys->conn),
                     mysql_errno(ecosys->conn));
}

static enum status execute(struct ecosys *ecosys, const char *sql, struct error *err)
{
    return mysql_query(ecosys->conn, sql) == 0 ? STATUS_OK : failed(ecosys, sql, err);
}

/* A read that waits for longer than the whole snapshot may last is lost. */
static bool set_options(MYSQL *conn, const struct settings *settings)
{
    unsigned connect_s = (unsigned)settings->db_connect_timeout_s;
    unsigned transfer_s = (unsigned)settings->snapshot_timeout_s;
    return mysql_options(conn, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0 &&
           mysql_options(conn, MYSQL_OPT_READ_TIMEOUT, &transfer_s) == 0 &&
           mysql_options(conn, MYSQL_OPT_WRITE_TIMEOUT, &transfer_s) == 0 &&
           mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0;
}

static bool is_mariadb(MYSQL *conn)
{
    return strstr(mysql_get_server_info(conn), "MariaDB") != NULL;
}

static enum status set_session(struct ecosys *ecosys, const struct settings *settings, int32_t zone_offset_s,
                               struct error *err)
{
    char zone[80], wait[80], limit[80];
    unsigned offset = (unsigned)abs(zone_offset_s);
    snprintf(zone, sizeof zone, "SET SESSION time_zone = '%c%02u:%02u'", zone_offset_s < 0 ? '-' : '+',
             offset / 3600 % 100, offset / 60 % 60);
    snprintf(wait, sizeof wait, "SET SESSION lock_wait_timeout = %d", LOCK_WAIT_S);
    if (is_mariadb(ecosys->conn))
        snprintf(limit, sizeof limit, "SET SESSION max_statement_time = %" PRId64,
                 settings->snapshot_timeout_s);
    else
        snprintf(limit, sizeof limit, "SET SESSION max_execution_time = %" PRId64,
                 settings->snapshot_timeout_s * 1000);
    const char *const statements[] = {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", zone, wait,
                                      limit};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (execute(ecosys, statements[i], err) != STATUS_OK)
            return err->code;
    return STATUS_OK;
}

enum status ecosys_open(struct ecosys *ecosys, const struct settings *settings, int32_t zone_offset_s,
                        struct interrupt *interrupt, struct error *err)
{
    const struct database_settings *database = &settings->ecosys;
    bool is_socket = database->host[0] == '/';
    *ecosys = (struct ecosys){mysql_init(NULL), interrupt};
    /* Without it the library takes "localhost" for the socket of its own choice, whatever the port. */
    unsigned protocol = is_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    if (ecosys->conn == NULL || !set_options(ecosys->conn, settings) ||
        mysql_options(ecosys->conn, MYSQL_OPT_PROTOCOL, &protocol) != 0)
        return error_no_memory(err);
    if (mysql_real_connect(ecosys->conn, is_socket ? NULL : database->host, database->user,
                           database->password, database->name, is_socket ? 0 : (unsigned)database->port,
                           is_socket ? database->host : NULL, 0) == NULL)
        return failed(ecosys, "connecting", err);
    interrupt_watch(interrupt, INTERRUPT_ECOSYS, (int)mysql_get_socket(ecosys->conn));
    return set_session(ecosys, settings, zone_offset_s, err);
}

void ecosys_close(struct ecosys *ecosys)
{
    interrupt_unwatch(ecosys->interrupt, INTERRUPT_ECOSYS);
    if (ecosys->conn != NULL)
        mysql_close(ecosys->conn);
    ecosys->conn = NULL;
}

enum status ecosys_snapshot(struct ecosys *ecosys, struct error *err)
{
    return execute(ecosys, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", err);
}

/* The rows of a query under way. */
struct rows {
    MYSQL_RES *result;
    MYSQL_ROW row;
    unsigned long *lens;
};

static struct bytes cell(const struct rows *rows, unsigned column)
{
    if (rows->row[column] == NULL)
        return (struct bytes){NULL, 0};
    return (struct bytes){rows->row[column], rows->lens[column]};
}

struct loader {
    struct ecosys *ecosys;
    struct tenant_rows *out;
    struct value_reader reader;
    int64_t *integrators; /* of all tenants */
    size_t integrators_count;
    size_t users_capacity, logins_capacity;
};

static int compare_tenants(const void *a, const void *b)
{
    const struct tenant *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

/* The tenant that a row of events is about, or NULL: rows of tenants that are gone count nowhere. */
static struct tenant *find_tenant(const struct loader *loader, const struct rows *rows)
{
    struct tenant key = {.id = 0};
    if (!value_parse_uint(cell(rows, 0), &key.id))
        return NULL;
    return bsearch(&key, loader->out->rows, loader->out->count, sizeof key, compare_tenants);
}

static enum status take_tenant(struct loader *loader, const struct rows *rows, struct error *err)
{
    struct tenant *tenant = &loader->out->rows[loader->out->count];
    struct value_reader *reader = &loader->reader;
    const struct event_stats none = {0, DAY_NONE};
    *tenant =
        (struct tenant){.group = GROUP_NONE, .logins = none, .entries = none, .outs = none, .leads = none};
    if (!value_parse_uint(cell(rows, 0), &tenant->id))
        return error_set(err, STATUS_INVALID, "MySQL: a row of tenants has no usable id");
    if (loader->out->count > 0 && tenant->id <= tenant[-1].id)
        return error_set(err, STATUS_INVALID, "MySQL: tenant %" PRIu64 " occurs twice", tenant->id);
    tenant->slug = value_text(reader, cell(rows, 1));
    tenant->name = value_text(reader, cell(rows, 2));
    tenant->cnpj = value_cnpj(reader, cell(rows, 3), &tenant->cnpj_key, &tenant->has_cnpj_key);
    tenant->is_normal = bytes_is(cell(rows, 4), "1");
    loader->out->count++;
    return STATUS_OK;
}

/* Room for one more item of an array in the arena, which does not grow in place: doubling leaves less than the final
 * size behind. NULL, and the reader says so, when memory is out. */
static void *grow(struct loader *loader, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
    void *grown = arena_take_array(loader->reader.arena, larger, size);
    if (grown == NULL) {
        loader->reader.out_of_memory = true;
        return NULL;
    }
    if (count > 0)
        memcpy(grown, items, count * size);
    *capacity = larger;
    return grown;
}

static enum status take_user(struct loader *loader, const struct rows *rows, struct error *err)
{
    struct tenant_rows *out = loader->out;
    struct login_user user = {.has_tenant = false};
    if (!value_parse_uint(cell(rows, 0), &user.id))
        return STATUS_OK; /* nothing can refer to it */
    struct login_user *users =
        grow(loader, out->users, out->users_count, &loader->users_capacity, sizeof *users);
    if (users == NULL)
        return error_no_memory(err);
    user.has_tenant = value_parse_uint(cell(rows, 1), &user.tenant_id);
    user.name = value_text(&loader->reader, cell(rows, 2));
    user.email = value_text(&loader->reader, cell(rows, 3));
    users[out->users_count++] = user;
    out->users = users;
    return STATUS_OK;
}

static int compare_users(const void *a, const void *b)
{
    const struct login_user *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static const struct login_user *find_user(const struct tenant_rows *rows, uint64_t id)
{
    struct login_user key = {.id = id};
    if (rows->users_count == 0)
        return NULL;
    return bsearch(&key, rows->users, rows->users_count, sizeof key, compare_users);
}

/* A row counts for its tenant or, without one, for the tenant of its user; of neither, nowhere. */
static enum status take_login(struct loader *loader, const struct rows *rows, struct error *err)
{
    struct tenant_rows *out = loader->out;
    struct login login = {.user = LOGIN_WITHOUT_USER};
    int32_t ignored;
    login.has_subject = value_parse_uint(cell(rows, 2), &login.subject_id);
    const struct login_user *user = login.has_subject ? find_user(out, login.subject_id) : NULL;
    bool has_tenant = value_parse_uint(cell(rows, 1), &login.tenant_id);
    if (!has_tenant && user != NULL && user->has_tenant) {
        login.tenant_id = user->tenant_id;
        has_tenant = true;
    }
    struct timestamp when = value_timestamp(&loader->reader, cell(rows, 3), &ignored);
    struct tenant key = {.id = login.tenant_id};
    bool is_known = has_tenant && out->count > 0 &&
                    bsearch(&key, out->rows, out->count, sizeof key, compare_tenants) != NULL;
    if (!is_known || when.kind == TIMESTAMP_NONE || !value_parse_uint(cell(rows, 0), &login.id))
        return STATUS_OK;
    if (user != NULL)
        login.user = (uint32_t)(user - out->users);
    login.wall_us = when.wall_us;
    struct login *logins =
        grow(loader, out->logins, out->logins_count, &loader->logins_capacity, sizeof *logins);
    if (logins == NULL)
        return error_no_memory(err);
    logins[out->logins_count++] = login;
    out->logins = logins;
    return STATUS_OK;
}

/* The handlers below get a row whose first column names the tenant and put the rest into `field` of it. */

/* Columns: tenant, rows in the window, newest instant. Two queries add to the same statistics of logins. */
static void take_events(struct loader *loader, const struct rows *rows, void *field)
{
    static const char zero_date[] = "0000-00-00";
    struct event_stats *stats = field;
    uint64_t count = 0;
    int32_t ignored;
    struct bytes newest = cell(rows, 2);
    if (value_parse_uint(cell(rows, 1), &count))
        stats->count += count;
    if (newest.data == NULL || strncmp(newest.data, zero_date, sizeof zero_date - 1) == 0)
        return;
    struct timestamp timestamp = value_timestamp(&loader->reader, newest, &ignored);
    int32_t day = day_of_wall_us(timestamp.wall_us);
    if (timestamp.kind != TIMESTAMP_NONE && day > stats->newest_day)
        stats->newest_day = day;
}

/* Columns: tenant. */
static void take_flag(struct loader *loader, const struct rows *rows, void *field)
{
    (void)loader;
    (void)rows;
    *(bool *)field = true;
}

/* Columns: tenant, count. */
static void take_count(struct loader *loader, const struct rows *rows, void *field)
{
    (void)loader;
    (void)value_parse_uint(cell(rows, 1), field);
}

/* Columns: tenant, integrator; in the order of both, so that a tenant's integrators are neighbours in one array. */
static void take_integrator(struct loader *loader, const struct rows *rows, void *field)
{
    struct tenant *tenant = field;
    int64_t id;
    if (!value_parse_int(cell(rows, 1), &id))
        return;
    if (loader->integrators == NULL)
        loader->integrators =
            arena_take_array(loader->reader.arena, mysql_num_rows(rows->result), sizeof *loader->integrators);
    if (loader->integrators == NULL) {
        loader->reader.out_of_memory = true;
        return;
    }
    if (tenant->integrators_count == 0)
        tenant->integrators = &loader->integrators[loader->integrators_count];
    loader->integrators[loader->integrators_count++] = id;
    tenant->integrators_count++;
}

static const struct {
    void (*take)(struct loader *loader, const struct rows *rows, void *field);
    size_t offset; /* of the field in struct tenant */
} HANDLERS[QUERY_COUNT] = {
    [QUERY_LOGINS] = {take_events, offsetof(struct tenant, logins)},
    [QUERY_LOGINS_BY_USER] = {take_events, offsetof(struct tenant, logins)},
    [QUERY_ENTRIES] = {take_events, offsetof(struct tenant, entries)},
    [QUERY_OUTS] = {take_events, offsetof(struct tenant, outs)},
    [QUERY_LEADS] = {take_events, offsetof(struct tenant, leads)},
    [QUERY_ECONVERSA] = {take_flag, offsetof(struct tenant, econversa_open)},
    [QUERY_MESSAGES] = {take_flag, offsetof(struct tenant, has_recent_message)},
    [QUERY_ADS] = {take_flag, offsetof(struct tenant, has_recent_ad)},
    [QUERY_REPORTS] = {take_flag, offsetof(struct tenant, has_recent_report)},
    [QUERY_CONTRACTS] = {take_count, offsetof(struct tenant, contracts_count)},
    [QUERY_STORES] = {take_count, offsetof(struct tenant, store_size)},
    [QUERY_INTEGRATORS] = {take_integrator, 0},
};

static enum status take_row(struct loader *loader, enum ecosys_query query, const struct rows *rows,
                            struct error *err)
{
    if (query == QUERY_TENANTS)
        return take_tenant(loader, rows, err);
    if (query == QUERY_USERS)
        return take_user(loader, rows, err);
    if (query == QUERY_LOGIN_ROWS)
        return take_login(loader, rows, err);
    struct tenant *tenant = find_tenant(loader, rows);
    if (tenant != NULL)
        HANDLERS[query].take(loader, rows, (char *)tenant + HANDLERS[query].offset);
    return STATUS_OK;
}

/* The error number is looked at behind the last row too: a connection cut in the middle looks like an end. */
static enum status take_rows(struct loader *loader, enum ecosys_query query, MYSQL_RES *result,
                             struct error *err)
{
    struct rows rows = {result, NULL, NULL};
    while ((rows.row = mysql_fetch_row(result)) != NULL) {
        rows.lens = mysql_fetch_lengths(result);
        if (take_row(loader, query, &rows, err) != STATUS_OK)
            return err->code;
        if (loader->reader.out_of_memory)
            return error_no_memory(err);
    }
    if (mysql_errno(loader->ecosys->conn) != 0)
        return failed(loader->ecosys, ecosys_sql_table(query), err);
    return STATUS_OK;
}

/* Rows of logins may be many: they are taken as they come; all else is buffered. */
static enum status run_query(struct ecosys *ecosys, enum ecosys_query query,
                             const struct scoring_model *model, int32_t today, MYSQL_RES **result,
                             struct error *err)
{
    struct buffer sql = BUFFER_INIT;
    ecosys_sql_format(query, model, today, &sql);
    bool has_failed = buffer_is_failed(&sql);
    *result = NULL;
    if (!has_failed && mysql_real_query(ecosys->conn, sql.data, sql.len) == 0)
        *result =
            query == QUERY_LOGIN_ROWS ? mysql_use_result(ecosys->conn) : mysql_store_result(ecosys->conn);
    buffer_clear(&sql);
    if (has_failed)
        return error_no_memory(err);
    return *result != NULL ? STATUS_OK : failed(ecosys, ecosys_sql_table(query), err);
}

/* Puts the logins in order and measures the teams by them. */
static enum status finish_logins(struct tenant_rows *out, struct error *err)
{
    if (out->logins_count > 0)
        qsort(out->logins, out->logins_count, sizeof *out->logins, login_compare);
    for (size_t next = 0; next < out->logins_count;) {
        struct tenant_logins logins;
        if (!tenant_logins_take(out->logins, out->logins_count, out->users, &next, &logins))
            return error_no_memory(err);
        struct tenant key = {.id = logins.tenant_id};
        struct tenant *tenant = bsearch(&key, out->rows, out->count, sizeof key, compare_tenants);
        if (tenant != NULL)
            tenant->team_size = logins.unique_users;
    }
    return STATUS_OK;
}

enum status ecosys_read(struct ecosys *ecosys, const struct scoring_model *model, int32_t today,
                        struct tenant_rows *out, struct error *err)
{
    struct loader loader = {ecosys, out, {&out->arena, &out->replaced, false}, NULL, 0, 0, 0};
    enum status status = STATUS_OK;
    for (enum ecosys_query query = 0; query < QUERY_COUNT && status == STATUS_OK; query++) {
        MYSQL_RES *result;
        if (!ecosys_sql_is_needed(query, model))
            continue;
        if (run_query(ecosys, query, model, today, &result, err) != STATUS_OK)
            return err->code;
        if (query == QUERY_TENANTS) {
            out->rows = arena_take_array(&out->arena, mysql_num_rows(result), sizeof *out->rows);
            if (out->rows == NULL) {
                mysql_free_result(result);
                return error_no_memory(err);
            }
        }
        status = take_rows(&loader, query, result, err);
        mysql_free_result(result);
    }
    return status == STATUS_OK ? finish_logins(out, err) : status;
}

static enum status check_engines(struct ecosys *ecosys, struct error *err)
{
    if (execute(ecosys, ECOSYS_SQL_ENGINES, err) != STATUS_OK)
        return err->code;
    MYSQL_RES *result = mysql_store_result(ecosys->conn);
    if (result == NULL)
        return failed(ecosys, "the catalogue", err);
    MYSQL_ROW row = mysql_fetch_row(result);
    enum status status = STATUS_OK;
    if (row != NULL)
        status = error_set(err, STATUS_INVALID, "MySQL: table %s is %s; only InnoDB has consistent snapshots",
                           row[0], row[1]);
    mysql_free_result(result);
    return status;
}

/* EXPLAIN names missing tables, columns and rights without reading a row. */
static enum status explain(struct ecosys *ecosys, enum ecosys_query query, const struct scoring_model *model,
                           struct error *err)
{
    struct buffer sql = BUFFER_INIT;
    buffer_append_text(&sql, "EXPLAIN ");
    ecosys_sql_format(query, model, 0, &sql);
    enum status status = STATUS_OK;
    MYSQL_RES *result = NULL;
    if (buffer_is_failed(&sql))
        status = error_no_memory(err);
    else if (mysql_real_query(ecosys->conn, sql.data, sql.len) != 0 ||
             (result = mysql_store_result(ecosys->conn)) ==
                 NULL) /* MariaDB resolves columns behind its header */
        status = failed(ecosys, ecosys_sql_table(query), err);
    mysql_free_result(result);
    buffer_clear(&sql);
    return status;
}

enum status ecosys_check(struct ecosys *ecosys, const struct scoring_model *model, char *version,
                         size_t version_size, struct error *err)
{
    for (enum ecosys_query query = 0; query < QUERY_COUNT; query++)
        if (ecosys_sql_is_needed(query, model) && explain(ecosys, query, model, err) != STATUS_OK)
            return err->code;
    if (check_engines(ecosys, err) != STATUS_OK)
        return err->code;
    snprintf(version, version_size, "%s", mysql_get_server_info(ecosys->conn));
    return STATUS_OK;
}
