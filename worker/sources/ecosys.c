/* worker/sources/ecosys.c - tenants from MySQL or MariaDB: the session, the snapshot, the rows of each query. */
#include "worker/sources/ecosys.h"

#include <errmsg.h>
#include <inttypes.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include <ma_pvio.h> /* needs mysql.h */

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/program/log.h"
#include "worker/sources/ecosys_rows.h"
#include "worker/sources/ecosys_sql.h"
#include "worker/sources/value.h"

#define LOCK_WAIT_S 5

/* ER_TABLE_DEF_CHANGED: a table was altered between the snapshot and our first access to it. */
#define TABLE_CHANGED 1412

static enum status failed(struct ecosys *ecosys, const char *doing, struct error *err)
{
    if (interrupt_look(ecosys->interrupt, clock_monotonic_ms(), err) != STATUS_OK)
        return error_context(err, "MySQL");
    ecosys->has_changed_table = mysql_errno(ecosys->conn) == TABLE_CHANGED;
    return error_set(err, STATUS_UNAVAILABLE, "MySQL, %s: %s (error %u)", doing, mysql_error(ecosys->conn),
                     mysql_errno(ecosys->conn));
}

static enum status execute(struct ecosys *ecosys, const char *sql, struct error *err)
{
    return mysql_query(ecosys->conn, sql) == 0 ? STATUS_OK : failed(ecosys, sql, err);
}

/* The library's connect timeout ends with the login. For the session and the catalogue, when nobody else may be
 * checking the deadline, the read timeout is just as short. */
static bool set_options(MYSQL *conn, const struct settings *settings)
{
    unsigned connect_s = (unsigned)settings->db_connect_timeout_s;
    unsigned transfer_s = (unsigned)settings->snapshot_timeout_s + INTERRUPT_MARGIN_S;
    return mysql_options(conn, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0 &&
           mysql_options(conn, MYSQL_OPT_READ_TIMEOUT, &connect_s) == 0 &&
           mysql_options(conn, MYSQL_OPT_WRITE_TIMEOUT, &transfer_s) == 0 &&
           mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0;
}

/* From now on, reads may wait as long as the whole snapshot may last. Setting only the option would affect the next
 * connection. */
static enum status wait_for_answers(struct ecosys *ecosys, int64_t limit_s, struct error *err)
{
    unsigned transfer_s = (unsigned)limit_s;
    MARIADB_PVIO *pvio = ecosys->conn->net.pvio;
    if (mysql_options(ecosys->conn, MYSQL_OPT_READ_TIMEOUT, &transfer_s) == 0 &&
        pvio->methods->set_timeout(pvio, PVIO_READ_TIMEOUT, (int)transfer_s) == 0)
        return STATUS_OK;
    return failed(ecosys, "the limit on reading", err);
}

/* Both are set explicitly, as newer libraries have other defaults. Given a CA file, the library checks who signed the
 * certificate in any mode. */
static bool set_tls(MYSQL *conn, const struct settings *settings)
{
    enum mysql_tls tls = (enum mysql_tls)settings->ecosys_tls;
    bool is_socket = settings->ecosys.host[0] == '/';
    my_bool enforce = tls > MYSQL_TLS_PREFERRED || (tls == MYSQL_TLS_PREFERRED && !is_socket);
    my_bool verify = tls == MYSQL_TLS_VERIFY_IDENTITY;
    const char *ca_file = enforce ? settings->ecosys_ca_file : NULL;
    return mysql_options(conn, MYSQL_OPT_SSL_ENFORCE, &enforce) == 0 &&
           mysql_options(conn, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify) == 0 &&
           mysql_options(conn, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3") == 0 &&
           (ca_file == NULL || mysql_options(conn, MYSQL_OPT_SSL_CA, ca_file) == 0);
}

/* Despite its name, the library's "enforce" option accepts a server without TLS. */
static enum status check_tls(struct ecosys *ecosys, const struct settings *settings, struct error *err)
{
    if (settings->ecosys_tls < MYSQL_TLS_REQUIRED || mysql_get_ssl_cipher(ecosys->conn) != NULL)
        return STATUS_OK;
    return error_set(err, STATUS_UNAVAILABLE,
                     "MySQL, connecting: the server has no TLS, which DB_SSLMODE_ECOSYS asks for");
}

static bool is_mariadb(MYSQL *conn)
{
    return strstr(mysql_get_server_info(conn), "MariaDB") != NULL;
}

/* A server does not notice when nobody waits for its statement any more, so it is given a limit, in its own dialect. */
static enum status limit_statements(struct ecosys *ecosys, int64_t limit_s, struct error *err)
{
    char sql[80];
    if (is_mariadb(ecosys->conn))
        snprintf(sql, sizeof sql, "SET SESSION max_statement_time = %" PRId64, limit_s);
    else
        snprintf(sql, sizeof sql, "SET SESSION max_execution_time = %" PRId64, limit_s * 1000);
    ecosys->statement_limit_s = limit_s;
    return execute(ecosys, sql, err);
}

/* A statement that starts late gets less time. The limit is updated in whole seconds only, so as not to slow quick
 * reads. */
static enum status limit_next_statement(struct ecosys *ecosys, struct error *err)
{
    int64_t left_s = interrupt_left_ms(ecosys->interrupt, clock_monotonic_ms()) / 1000 + 1;
    if (left_s + INTERRUPT_MARGIN_S >= ecosys->statement_limit_s)
        return STATUS_OK;
    return limit_statements(ecosys, left_s + INTERRUPT_MARGIN_S, err);
}

static enum status set_session(struct ecosys *ecosys, const struct settings *settings, int32_t zone_offset_s,
                               struct error *err)
{
    char zone[80], wait[80], vanished[120];
    int64_t patience_s = settings->snapshot_timeout_s + INTERRUPT_MARGIN_S;
    unsigned offset = (unsigned)abs(zone_offset_s);
    snprintf(zone, sizeof zone, "SET SESSION time_zone = '%c%02u:%02u'", zone_offset_s < 0 ? '-' : '+',
             offset / 3600 % 100, offset / 60 % 60);
    snprintf(wait, sizeof wait, "SET SESSION lock_wait_timeout = %d", LOCK_WAIT_S);
    /* A server does not notice when our packets stop coming, and would keep the transaction open for hours. */
    snprintf(vanished, sizeof vanished,
             "SET SESSION wait_timeout = %" PRId64 ", net_write_timeout = %" PRId64, patience_s, patience_s);
    const char *const statements[] = {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", zone, wait,
                                      vanished};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (execute(ecosys, statements[i], err) != STATUS_OK)
            return err->code;
    return limit_statements(ecosys, patience_s, err);
}

/* For another host's certificate, the library reports only that its validation failed. */
static enum status failed_to_connect(struct ecosys *ecosys, const char *host, struct error *err)
{
    bool is_another_host = mysql_errno(ecosys->conn) == CR_SSL_CONNECTION_ERROR &&
                           strstr(mysql_error(ecosys->conn), "Validation of SSL server certificate") != NULL;
    if (!is_another_host)
        return failed(ecosys, "connecting", err);
    return error_set(err, STATUS_UNAVAILABLE,
                     "MySQL, connecting: TLS/SSL error: the certificate is not for %s", host);
}

enum status ecosys_open(struct ecosys *ecosys, const struct settings *settings, int32_t zone_offset_s,
                        struct interrupt *interrupt, struct error *err)
{
    const struct database_settings *database = &settings->ecosys;
    bool is_socket = database->host[0] == '/';
    *ecosys = (struct ecosys){.conn = mysql_init(NULL), .interrupt = interrupt};
    interrupt_set_deadline(interrupt, clock_monotonic_ms(), settings->db_connect_timeout_s * 1000,
                           "connecting took longer than DB_CONNECT_TIMEOUT");
    ecosys->answer_limit_s = settings->snapshot_timeout_s + INTERRUPT_MARGIN_S;
    /* Otherwise the library uses its default socket for "localhost", whatever the port. */
    unsigned protocol = is_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    if (ecosys->conn == NULL || !set_options(ecosys->conn, settings) || !set_tls(ecosys->conn, settings) ||
        mysql_options(ecosys->conn, MYSQL_OPT_PROTOCOL, &protocol) != 0)
        return error_no_memory(err);
    if (mysql_real_connect(ecosys->conn, is_socket ? NULL : database->host, database->user,
                           database->password, database->name, is_socket ? 0 : (unsigned)database->port,
                           is_socket ? database->host : NULL, 0) == NULL)
        return failed_to_connect(ecosys, database->host, err);
    interrupt_watch(interrupt, INTERRUPT_ECOSYS, (int)mysql_get_socket(ecosys->conn));
    if (check_tls(ecosys, settings, err) != STATUS_OK)
        return err->code;
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

static enum status query_all(struct ecosys *ecosys, const char *sql, const char *doing, MYSQL_RES **result,
                             struct error *err)
{
    *result = mysql_query(ecosys->conn, sql) == 0 ? mysql_store_result(ecosys->conn) : NULL;
    return *result != NULL ? STATUS_OK : failed(ecosys, doing, err);
}

/* The next row of a catalogue query; false after the last one. */
static bool next_row(MYSQL_RES *result, struct catalog_row *out)
{
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row == NULL)
        return false;
    const unsigned long *lens = mysql_fetch_lengths(result);
    unsigned count = mysql_num_fields(result);
    *out = (struct catalog_row){{{NULL, 0}}};
    for (unsigned i = 0; i < count && i < sizeof out->cells / sizeof out->cells[0]; i++)
        if (row[i] != NULL)
            out->cells[i] = (struct bytes){row[i], lens[i]};
    return true;
}

static enum status read_columns(struct ecosys *ecosys, bool by_store_size, struct ecosys_catalog *out,
                                struct error *err)
{
    MYSQL_RES *result;
    if (query_all(ecosys, ECOSYS_CATALOG_COLUMNS, "the catalogue", &result, err) != STATUS_OK)
        return err->code;
    size_t count = 0;
    struct catalog_row *rows = calloc(mysql_num_rows(result) + 1, sizeof *rows);
    while (rows != NULL && next_row(result, &rows[count]))
        count++;
    enum status status = rows != NULL ? ecosys_catalog_take_columns(out, rows, count, by_store_size, err)
                                      : error_no_memory(err);
    free(rows);
    mysql_free_result(result);
    return status;
}

static enum status read_made(struct ecosys *ecosys, struct ecosys_catalog *out, struct error *err)
{
    MYSQL_RES *result;
    struct catalog_row row;
    if (query_all(ecosys, ECOSYS_CATALOG_MADE, "the catalogue", &result, err) != STATUS_OK)
        return err->code;
    while (next_row(result, &row))
        ecosys_catalog_take_made(out, &row);
    mysql_free_result(result);
    return STATUS_OK;
}

enum status ecosys_read_catalog(struct ecosys *ecosys, const struct scoring_model *model,
                                struct ecosys_catalog *out, struct error *err)
{
    MYSQL_RES *result;
    struct catalog_row row;
    if (read_columns(ecosys, scoring_model_goes_by(model, SIZE_STORE), out, err) != STATUS_OK ||
        query_all(ecosys, ECOSYS_CATALOG_INDEXES, "the catalogue", &result, err) != STATUS_OK)
        return err->code;
    while (next_row(result, &row))
        ecosys_catalog_take_index(out, &row);
    mysql_free_result(result);
    if (read_made(ecosys, out, err) != STATUS_OK ||
        wait_for_answers(ecosys, ecosys->answer_limit_s, err) != STATUS_OK)
        return err->code;
    interrupt_end_deadline(ecosys->interrupt);
    return STATUS_OK;
}

/* A table that took another's name after the snapshot is read as it was at the snapshot, half filled or empty, without
 * an error from the server: it was not itself altered. The check runs inside the transaction, whose locks keep the
 * tables already read as they are; anyone waiting for those locks has changed nothing yet and is not reported. */
static enum status check_made(struct ecosys *ecosys, const struct ecosys_catalog *before, struct error *err)
{
    struct ecosys_catalog now = {.tables_count = 0};
    if (read_made(ecosys, &now, err) != STATUS_OK)
        return err->code;
    const char *table = ecosys_catalog_find_altered(before, &now);
    if (table == NULL)
        return STATUS_OK;
    ecosys->has_changed_table = true;
    return error_set(err, STATUS_UNAVAILABLE, "MySQL: table %s was altered or replaced behind the snapshot",
                     table);
}

static enum status look(struct ecosys *ecosys, struct error *err)
{
    if (interrupt_look(ecosys->interrupt, clock_monotonic_ms(), err) == STATUS_OK)
        return STATUS_OK;
    return error_context(err, "MySQL");
}

/* Takes the rows of a query. The error number is checked after the last one too: a connection cut in the middle looks
 * like the end. */
static enum status take_rows(struct ecosys *ecosys, struct ecosys_rows *rows, enum ecosys_query query,
                             MYSQL_RES *result, struct error *err)
{
    struct ecosys_row row;
    while ((row.cells = mysql_fetch_row(result)) != NULL) {
        row.lens = mysql_fetch_lengths(result);
        if (++ecosys->rows_count % INTERRUPT_LOOK_ROWS == 0 && look(ecosys, err) != STATUS_OK)
            return err->code;
        if (ecosys_rows_take(rows, query, &row, err) != STATUS_OK)
            return err->code;
    }
    if (mysql_errno(ecosys->conn) != 0)
        return failed(ecosys, ecosys_sql_table(query), err);
    return ecosys_rows_end(rows, query, err);
}

/* There may be many login rows: they are streamed; all else is buffered. */
static enum status run_query(struct ecosys *ecosys, const struct buffer *sql, enum ecosys_query query,
                             MYSQL_RES **result, struct error *err)
{
    *result = NULL;
    if (buffer_is_failed(sql))
        return error_no_memory(err);
    if (look(ecosys, err) != STATUS_OK || limit_next_statement(ecosys, err) != STATUS_OK)
        return err->code;
    if (mysql_query(ecosys->conn, sql->data) == 0)
        *result =
            query == QUERY_LOGIN_ROWS ? mysql_use_result(ecosys->conn) : mysql_store_result(ecosys->conn);
    return *result != NULL ? STATUS_OK : failed(ecosys, ecosys_sql_table(query), err);
}

enum status ecosys_read(struct ecosys *ecosys, const struct scoring_model *model,
                        const struct ecosys_catalog *catalog, int32_t today, struct tenant_rows *out,
                        struct error *err)
{
    struct ecosys_rows rows;
    struct buffer sql = BUFFER_INIT;
    enum status status = STATUS_OK;
    ecosys_rows_begin(&rows, out, model, today);
    for (enum ecosys_query query = 0; query < QUERY_COUNT && status == STATUS_OK; query++) {
        MYSQL_RES *result;
        buffer_reset(&sql);
        if (!ecosys_sql_format(query, model, catalog, today, &sql))
            continue;
        buffer_append_char(&sql, '\0');
        int64_t start = clock_monotonic_ms();
        uint64_t rows_before = ecosys->rows_count;
        status = run_query(ecosys, &sql, query, &result, err);
        if (status == STATUS_OK) {
            status = take_rows(ecosys, &rows, query, result, err);
            mysql_free_result(result);
        }
        log_write(LOG_DEBUG, "query",
                  LOG_FIELDS(log_text("table", ecosys_sql_table(query)),
                             log_text("sql", buffer_is_failed(&sql) ? "" : sql.data),
                             log_int("rows", (int64_t)(ecosys->rows_count - rows_before)),
                             log_int("ms", clock_monotonic_ms() - start)));
    }
    buffer_clear(&sql);
    if (status == STATUS_OK)
        status = check_made(ecosys, catalog, err);
    return status == STATUS_OK ? ecosys_rows_finish(&rows, err) : status;
}

/* False for a view, which cannot have an index. */
static bool count_rows(MYSQL_RES *tables, const char *name, uint64_t *count)
{
    struct catalog_row row;
    mysql_data_seek(tables, 0);
    while (next_row(tables, &row))
        if (bytes_is(row.cells[0], name))
            return value_parse_uint(row.cells[2], count);
    return false;
}

static enum status check_tables(struct ecosys *ecosys, bool by_store_size,
                                const struct ecosys_catalog *catalog,
                                void (*advise)(const struct ecosys_index_advice *advice, uint64_t rows),
                                struct error *err)
{
    MYSQL_RES *tables;
    struct catalog_row row;
    enum status status = STATUS_OK;
    if (query_all(ecosys, ECOSYS_CATALOG_TABLES, "the catalogue", &tables, err) != STATUS_OK)
        return err->code;
    while (status == STATUS_OK && next_row(tables, &row))
        if (!bytes_is(row.cells[1], "InnoDB"))
            status =
                error_set(err, STATUS_INVALID, "MySQL: table %s is %s; only InnoDB has consistent snapshots",
                          row.cells[0].data, row.cells[1].data != NULL ? row.cells[1].data : "of no engine");
    for (enum ecosys_index index = 0; status == STATUS_OK && index < INDEX_COUNT; index++) {
        const struct ecosys_index_advice *advice = ecosys_index_advice(index);
        uint64_t rows = 0;
        bool is_of_use = !catalog->is_useless[index] && (by_store_size || !advice->by_store_size);
        if (is_of_use && !catalog->has_index[index] && count_rows(tables, advice->table, &rows))
            advise(advice, rows);
    }
    mysql_free_result(tables);
    return status;
}

/* Selects no rows: the server checks the query and reads nothing. EXPLAIN would need more rights than SELECT on a
 * view. */
static enum status try_query(struct ecosys *ecosys, enum ecosys_query query,
                             const struct scoring_model *model, const struct ecosys_catalog *catalog,
                             struct error *err)
{
    struct buffer sql = BUFFER_INIT;
    enum status status = STATUS_OK;
    if (ecosys_sql_format(query, model, catalog, 0, &sql)) {
        MYSQL_RES *result;
        buffer_append(&sql, " LIMIT 0", sizeof " LIMIT 0"); /* with the NUL */
        status = buffer_is_failed(&sql) ? error_no_memory(err)
                                        : query_all(ecosys, sql.data, ecosys_sql_table(query), &result, err);
        if (status == STATUS_OK)
            mysql_free_result(result);
    }
    buffer_clear(&sql);
    return status;
}

enum status ecosys_check(struct ecosys *ecosys, const struct scoring_model *model,
                         const struct ecosys_catalog *catalog,
                         void (*advise)(const struct ecosys_index_advice *advice, uint64_t rows),
                         struct error *err)
{
    for (enum ecosys_query query = 0; query < QUERY_COUNT; query++)
        if (try_query(ecosys, query, model, catalog, err) != STATUS_OK)
            return err->code;
    return check_tables(ecosys, scoring_model_goes_by(model, SIZE_STORE), catalog, advise, err);
}

const char *ecosys_version(const struct ecosys *ecosys)
{
    return mysql_get_server_info(ecosys->conn);
}

const char *ecosys_protection(const struct ecosys *ecosys)
{
    const char *version = NULL;
    if (mysql_get_ssl_cipher(ecosys->conn) != NULL &&
        mariadb_get_infov(ecosys->conn, MARIADB_CONNECTION_TLS_VERSION, &version) == 0 && version != NULL)
        return version;
    return ecosys->conn->unix_socket != NULL ? "a Unix socket" : "TCP without TLS";
}
