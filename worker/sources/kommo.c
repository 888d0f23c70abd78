/* worker/sources/kommo.c - the transaction, its locks and its snapshot, and rows one by one in text format. */
#include "worker/sources/kommo.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "worker/sources/kommo_catalog.h"
#include "worker/sources/kommo_rows.h"

static const char SNAPSHOT_SQL[] = "SELECT 1";

static const char *const TABLES[KOMMO_TABLES] = {"clientes_kommo", "companies_kommo", "users", "pipelines",
                                                 "statuses"};

/* Which of TABLES a LOCK accepts: it refuses materialized views and foreign tables (and views before version 11), and
 * needs SELECT on the whole table where a query needs it only on the columns. */
static const char LOCKABLE_SQL[] =
    "SELECT c.relname FROM pg_class c"
    " WHERE c.oid IN (to_regclass('clientes_kommo'), to_regclass('companies_kommo'), to_regclass('users'),"
    " to_regclass('pipelines'), to_regclass('statuses'))"
    " AND (c.relkind IN ('r', 'p')"
    " OR c.relkind = 'v' AND current_setting('server_version_num')::int >= 110000)"
    " AND has_table_privilege(c.oid, 'SELECT')";

#define LOCK_SQL      "LOCK TABLE %s IN ACCESS SHARE MODE;"
#define LOCK_SQL_SIZE (KOMMO_TABLES * (sizeof LOCK_SQL + 20))

/* Makes libpq's message, which has several lines, one line. If interrupted, that is the better reason. */
static enum status failed(struct kommo *kommo, const char *message, struct error *err)
{
    if (interrupt_look(kommo->interrupt, clock_monotonic_ms(), err) != STATUS_OK)
        return error_context(err, "PostgreSQL");
    (void)error_set(err, STATUS_UNAVAILABLE, "PostgreSQL: %s", message);
    size_t len = strlen(err->message);
    while (len > 0 && err->message[len - 1] == '\n')
        err->message[--len] = '\0';
    for (char *c = err->message; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return err->code;
}

/* Waits until PQgetResult would not block. */
static enum status await_result(struct kommo *kommo, int64_t deadline_ms, struct error *err)
{
    while (PQisBusy(kommo->conn)) {
        struct pollfd fd = {PQsocket(kommo->conn), POLLIN, 0};
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (poll(&fd, 1, left > 0 ? (int)left : 0) > 0 && PQconsumeInput(kommo->conn) != 1)
            return failed(kommo, PQerrorMessage(kommo->conn), err);
        if (left <= 0 && PQisBusy(kommo->conn)) /* if we are late ourselves, the answer may be there */
            return failed(kommo, "no answer within DB_CONNECT_TIMEOUT", err);
    }
    return STATUS_OK;
}

/* Runs statements that need no work. *out gets the last result, which must be of that kind; the caller clears it.
 * PQexec would wait for ever for a pooler that has no server to pass them on to. */
static enum status run(struct kommo *kommo, const char *sql, ExecStatusType kind, PGresult **out,
                       struct error *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + kommo->patience_ms;
    PGresult *last = NULL;
    enum status status;
    if (PQsendQuery(kommo->conn, sql) != 1)
        return failed(kommo, PQerrorMessage(kommo->conn), err);
    while ((status = await_result(kommo, deadline_ms, err)) == STATUS_OK) {
        PGresult *result = PQgetResult(kommo->conn);
        if (result == NULL)
            break;
        PQclear(last);
        last = result;
    }
    if (status == STATUS_OK && PQresultStatus(last) != kind)
        status = failed(kommo, PQerrorMessage(kommo->conn), err);
    if (status == STATUS_OK)
        *out = last;
    else
        PQclear(last);
    return status;
}

static enum status execute(struct kommo *kommo, const char *sql, struct error *err)
{
    PGresult *result = NULL;
    if (run(kommo, sql, PGRES_COMMAND_OK, &result, err) != STATUS_OK)
        return err->code;
    PQclear(result);
    return STATUS_OK;
}

static enum status connect_to(struct kommo *kommo, const struct settings *settings, struct error *err)
{
    char port[8], timeout[8];
    snprintf(port, sizeof port, "%" PRId64, settings->kommo.port);
    snprintf(timeout, sizeof timeout, "%" PRId64, settings->db_connect_timeout_s);
    const char *const names[] = {"host",
                                 "port",
                                 "dbname",
                                 "user",
                                 "password",
                                 "connect_timeout",
                                 "client_encoding",
                                 "application_name",
                                 "sslmode",
                                 "sslrootcert",
                                 NULL};
    const char *const values[] = {settings->kommo.host,
                                  port,
                                  settings->kommo.name,
                                  settings->kommo.user,
                                  settings->kommo.password,
                                  timeout,
                                  "UTF8",
                                  "ecosys-worker",
                                  settings->kommo_sslmode,
                                  settings->kommo_ca_file,
                                  NULL};
    kommo->conn = PQconnectdbParams(names, values, 0);
    if (kommo->conn == NULL)
        return error_no_memory(err);
    if (PQstatus(kommo->conn) != CONNECTION_OK)
        return failed(kommo, PQerrorMessage(kommo->conn), err);
    interrupt_watch(kommo->interrupt, INTERRUPT_KOMMO, PQsocket(kommo->conn));
    return STATUS_OK;
}

/* A server with this encoding refuses to send invalid UTF-8 as UTF-8; sent as they are, the bytes are cleaned here. */
static const char *encoding_sql(const struct kommo *kommo)
{
    const char *encoding = PQparameterStatus(kommo->conn, "server_encoding");
    bool takes_anything = encoding != NULL && strcmp(encoding, "SQL_ASCII") == 0;
    return takes_anything ? "SET LOCAL client_encoding = 'SQL_ASCII';" : "";
}

#define HAS_TCP_USER_TIMEOUT 120000

/* A server does not notice when our packets stop coming, and would keep the transaction open for minutes while it
 * sends, for hours while it waits for us. It may have to wait until we are connected to MySQL. */
static void limit_patience(const struct kommo *kommo, const struct settings *settings, char sql[160])
{
    int64_t send_ms = (settings->snapshot_timeout_s + INTERRUPT_MARGIN_S) * 1000;
    int64_t wait_ms = send_ms + settings->db_connect_timeout_s * 1000;
    int len = snprintf(sql, 160, "SET LOCAL idle_in_transaction_session_timeout = %" PRId64 ";", wait_ms);
    if (PQserverVersion(kommo->conn) >= HAS_TCP_USER_TIMEOUT)
        snprintf(sql + len, 160 - (size_t)len, "SET LOCAL tcp_user_timeout = %" PRId64 ";", send_ms);
}

/* SET LOCAL only: behind a pooler, the session is not ours. Timeouts are in milliseconds. */
static enum status begin(struct kommo *kommo, const struct settings *settings, struct error *err)
{
    char patience[160];
    char *zone = PQescapeLiteral(kommo->conn, settings->zone, strlen(settings->zone));
    if (zone == NULL)
        return failed(kommo, PQerrorMessage(kommo->conn), err);
    limit_patience(kommo, settings, patience);
    snprintf(kommo->begin_sql, sizeof kommo->begin_sql,
             "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
             "SET LOCAL TimeZone = %s; SET LOCAL DateStyle = 'ISO';"
             "SET LOCAL extra_float_digits = 1; SET LOCAL lock_timeout = 5000;"
             "SET LOCAL statement_timeout = %" PRId64 ";%s%s",
             zone, (settings->snapshot_timeout_s + INTERRUPT_MARGIN_S) * 1000, patience, encoding_sql(kommo));
    PQfreemem(zone);
    return execute(kommo, kommo->begin_sql, err);
}

/* Runs before the transaction: within it, any query but LOCK would take its snapshot. */
static enum status find_lockable(struct kommo *kommo, struct error *err)
{
    PGresult *result = NULL;
    if (run(kommo, LOCKABLE_SQL, PGRES_TUPLES_OK, &result, err) != STATUS_OK)
        return err->code;
    for (int row = 0; row < PQntuples(result); row++)
        for (int table = 0; table < KOMMO_TABLES; table++)
            if (strcmp(PQgetvalue(result, row, 0), TABLES[table]) == 0)
                kommo->is_lockable[table] = true;
    PQclear(result);
    return STATUS_OK;
}

enum status kommo_open(struct kommo *kommo, const struct settings *settings, struct interrupt *interrupt,
                       struct error *err)
{
    *kommo = (struct kommo){.interrupt = interrupt, .patience_ms = settings->db_connect_timeout_s * 1000};
    if (connect_to(kommo, settings, err) != STATUS_OK || find_lockable(kommo, err) != STATUS_OK)
        return err->code;
    return begin(kommo, settings, err);
}

void kommo_close(struct kommo *kommo)
{
    PGTransactionStatusType state = PQtransactionStatus(kommo->conn);
    if (state == PQTRANS_INTRANS || state == PQTRANS_INERROR) {
        /* A pooler drops its server connection when a client leaves in mid-transaction. */
        struct error late;
        enum status ignored = execute(kommo, "ROLLBACK", &late);
        (void)ignored;
    }
    interrupt_unwatch(kommo->interrupt, INTERRUPT_KOMMO);
    PQfinish(kommo->conn);
    kommo->conn = NULL;
}

enum status kommo_snapshot_start(struct kommo *kommo, struct error *err)
{
    if (PQsendQuery(kommo->conn, SNAPSHOT_SQL) == 1)
        return STATUS_OK;
    return failed(kommo, PQerrorMessage(kommo->conn), err);
}

enum status kommo_snapshot_finish(struct kommo *kommo, struct error *err)
{
    bool ok = false;
    for (PGresult *result; (result = PQgetResult(kommo->conn)) != NULL; PQclear(result))
        ok = PQresultStatus(result) == PGRES_TUPLES_OK;
    return ok ? STATUS_OK : failed(kommo, PQerrorMessage(kommo->conn), err);
}

/* The connection must be idle: the server is asked for the type's name. */
static enum status refuse_misfit(struct kommo *kommo, const struct kommo_misfit *misfit, struct error *err)
{
    char type[80];
    kommo_catalog_type(kommo->conn, misfit->type, type, sizeof type);
    return error_set(err, STATUS_INVALID, "PostgreSQL: column %s is %s, takes %s", misfit->column->name, type,
                     misfit->column->takes);
}

/* A failed transaction answers nothing, so another is begun, with the same limits. */
static void explain(struct kommo *kommo, struct error *err)
{
    struct error late;
    if (execute(kommo, "ROLLBACK", &late) == STATUS_OK &&
        execute(kommo, kommo->begin_sql, &late) == STATUS_OK)
        kommo_catalog_explain(kommo->conn, err);
}

/* Reports why a statement failed, and at which table if known; the connection must be idle here too. */
static enum status refuse_query(struct kommo *kommo, const PGresult *result, struct bytes table,
                                struct error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *message = PQresultErrorMessage(result);
    char pointed[ERROR_MESSAGE_SIZE];
    if (table.len > 0 && primary != NULL) {
        snprintf(pointed, sizeof pointed, "%.*s: %s", (int)table.len, table.data, primary);
        message = pointed;
    }
    if (failed(kommo, message, err) == STATUS_UNAVAILABLE && sqlstate != NULL &&
        kommo_catalog_can_explain(sqlstate))
        explain(kommo, err);
    return err->code;
}

/* One statement per table: the number that succeeded tells which one failed. patience_ms does not apply: the server may
 * have to wait for up to lock_timeout, and the snapshot's deadline is the backstop. */
enum status kommo_lock(struct kommo *kommo, struct error *err)
{
    char sql[LOCK_SQL_SIZE] = "";
    const char *tables[KOMMO_TABLES];
    size_t count = 0, locked = 0;
    PGresult *refusal = NULL;
    for (size_t i = 0; i < KOMMO_TABLES; i++) {
        size_t len = strlen(sql);
        if (kommo->is_lockable[i])
            snprintf(sql + len, sizeof sql - len, LOCK_SQL, tables[count++] = TABLES[i]);
    }
    if (count == 0)
        return STATUS_OK;
    if (PQsendQuery(kommo->conn, sql) != 1)
        return failed(kommo, PQerrorMessage(kommo->conn), err);
    for (PGresult *result; (result = PQgetResult(kommo->conn)) != NULL;) {
        bool is_locked = PQresultStatus(result) == PGRES_COMMAND_OK;
        locked += is_locked;
        if (is_locked || refusal != NULL)
            PQclear(result);
        else
            refusal = result;
    }
    enum status status = STATUS_OK;
    if (refusal != NULL)
        status = refuse_query(kommo, refusal, bytes_of(locked < count ? tables[locked] : ""), err);
    else if (locked < count)
        status = failed(kommo, PQerrorMessage(kommo->conn), err);
    PQclear(refusal);
    return status;
}

/* Fetches all results even after a failure: the connection cannot be used otherwise. */
static enum status take_rows(struct kommo *kommo, struct kommo_rows *rows, struct error *err)
{
    bool is_complete = false;
    enum status status = STATUS_OK;
    PGresult *refusal = NULL;
    for (PGresult *result; (result = PQgetResult(kommo->conn)) != NULL;) {
        ExecStatusType state = PQresultStatus(result);
        bool has_rows = state == PGRES_SINGLE_TUPLE || state == PGRES_TUPLES_OK;
        is_complete = state == PGRES_TUPLES_OK;
        if (status == STATUS_OK && has_rows)
            status = kommo_rows_take(rows, result, err);
        if (status == STATUS_OK && rows->out->count % INTERRUPT_LOOK_ROWS == 0 &&
            interrupt_look(kommo->interrupt, clock_monotonic_ms(), err) != STATUS_OK)
            status = error_context(err, "PostgreSQL");
        if (has_rows || refusal != NULL)
            PQclear(result);
        else
            refusal = result;
    }
    if (rows->misfit.column != NULL)
        status = refuse_misfit(kommo, &rows->misfit, err);
    else if (status == STATUS_OK && refusal != NULL)
        status = refuse_query(kommo, refusal, kommo_rows_name_at(refusal), err);
    else if (status == STATUS_OK && !is_complete)
        status = failed(kommo, PQerrorMessage(kommo->conn), err);
    PQclear(refusal);
    return status;
}

enum status kommo_read(struct kommo *kommo, struct client_rows *out, struct error *err)
{
    struct kommo_rows rows;
    kommo_rows_begin(&rows, out);
    if (PQsendQuery(kommo->conn, kommo_rows_sql()) != 1 || PQsetSingleRowMode(kommo->conn) != 1)
        return failed(kommo, PQerrorMessage(kommo->conn), err);
    if (take_rows(kommo, &rows, err) != STATUS_OK)
        return err->code;
    return kommo_rows_finish(&rows, err);
}

enum status kommo_check(struct kommo *kommo, char *version, size_t version_size, struct error *err)
{
    struct kommo_misfit misfit = {NULL, 0};
    enum status status = STATUS_OK;
    PGresult *result = PQexec(kommo->conn, kommo_rows_check_sql());
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = refuse_query(kommo, result, kommo_rows_name_at(result), err);
    else if ((misfit = kommo_rows_find_misfit(result)).column != NULL)
        status = refuse_misfit(kommo, &misfit, err);
    PQclear(result);
    if (status == STATUS_OK)
        snprintf(version, version_size, "%s", PQparameterStatus(kommo->conn, "server_version"));
    return status;
}

const char *kommo_protection(const struct kommo *kommo)
{
    if (PQsslInUse(kommo->conn) == 1)
        return PQsslAttribute(kommo->conn, "protocol");
    return PQhost(kommo->conn)[0] == '/' ? "a Unix socket" : "TCP without TLS";
}
