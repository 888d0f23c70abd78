/* worker/kommo.c - clients from PostgreSQL through libpq, row by row in text format. */
#include "worker/kommo.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "worker/kommo_catalog.h"
#include "worker/value.h"

#define FIRST_CAPACITY 1024

/* The SQL of this source; the columns in the order of enum column. */
static const char CLIENTS_SQL[] =
    "SELECT ck.id, co.nome, co.razao_social, co.cnpj, ck.valor, ck.vendedor, u.\"name\", s.\"name\", "
    "p.\"name\","
    " ck.data_adesao, ck.data_start_onboarding, ck.data_end_onboarding, ck.data_cancelamento,"
    " ck.motivos_churn, ck.descricao_cancelamento, ck.criado_em, ck.atualizado_em"
    " FROM clientes_kommo ck"
    " LEFT JOIN companies_kommo co ON co.id = ck.company_id"
    " LEFT JOIN users u ON u.id = ck.cs_id"
    " LEFT JOIN pipelines p ON p.id = ck.pipeline_id"
    " LEFT JOIN statuses s ON s.id = ck.status_id"
    " WHERE ck.deleted_at IS NULL";

static const char SNAPSHOT_SQL[] = "SELECT 1";

static const char *const TABLES[KOMMO_TABLES] = {"clientes_kommo", "companies_kommo", "users", "pipelines",
                                                 "statuses"};

/* Which of TABLES a LOCK takes: it refuses materialized views and foreign tables, before version 11 views too, and
 * wants SELECT on the whole table where a query is content with it on the columns. */
static const char LOCKABLE_SQL[] =
    "SELECT c.relname FROM pg_class c"
    " WHERE c.oid IN (to_regclass('clientes_kommo'), to_regclass('companies_kommo'), to_regclass('users'),"
    " to_regclass('pipelines'), to_regclass('statuses'))"
    " AND (c.relkind IN ('r', 'p')"
    " OR c.relkind = 'v' AND current_setting('server_version_num')::int >= 110000)"
    " AND has_table_privilege(c.oid, 'SELECT')";

#define LOCK_SQL      "LOCK TABLE %s IN ACCESS SHARE MODE;"
#define LOCK_SQL_SIZE (KOMMO_TABLES * (sizeof LOCK_SQL + 20))

enum column {
    COLUMN_ID,
    COLUMN_NOME,
    COLUMN_RAZAO_SOCIAL,
    COLUMN_CNPJ,
    COLUMN_VALOR,
    COLUMN_VENDEDOR,
    COLUMN_CS,
    COLUMN_STATUS,
    COLUMN_PIPELINE,
    COLUMN_ADESAO,
    COLUMN_START,
    COLUMN_END,
    COLUMN_CANCELAMENTO,
    COLUMN_MOTIVOS,
    COLUMN_DESCRICAO,
    COLUMN_CRIADO,
    COLUMN_ATUALIZADO,
    COLUMN_COUNT,
};

/* PostgreSQL's fixed type numbers (pg_type.dat). */
enum pg_type {
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_FLOAT4 = 700,
    PG_FLOAT8 = 701,
    PG_BPCHAR = 1042,
    PG_VARCHAR = 1043,
    PG_DATE = 1082,
    PG_TIMESTAMP = 1114,
    PG_TIMESTAMPTZ = 1184,
    PG_NUMERIC = 1700,
};

#define TYPES_MAX 8

static const Oid WHOLE_NUMBERS[TYPES_MAX] = {PG_INT8, PG_INT4, PG_INT2};
static const Oid NUMBERS[TYPES_MAX] = {PG_NUMERIC, PG_INT8, PG_INT4, PG_INT2, PG_FLOAT8, PG_FLOAT4};
static const Oid CNPJS[TYPES_MAX] = {PG_INT8, PG_INT4, PG_NUMERIC, PG_TEXT, PG_VARCHAR, PG_BPCHAR};
static const Oid TEXTS[TYPES_MAX] = {PG_TEXT, PG_VARCHAR, PG_BPCHAR};
static const Oid TIMES[TYPES_MAX] = {PG_TIMESTAMP, PG_TIMESTAMPTZ, PG_DATE};

static const struct {
    const char *name;
    const Oid *types; /* 0 behind the last one */
    const char *takes;
} COLUMNS[COLUMN_COUNT] = {
    [COLUMN_ID] = {"clientes_kommo.id", WHOLE_NUMBERS, "bigint, integer or smallint"},
    [COLUMN_NOME] = {"companies_kommo.nome", TEXTS, "text or varchar"},
    [COLUMN_RAZAO_SOCIAL] = {"companies_kommo.razao_social", TEXTS, "text or varchar"},
    [COLUMN_CNPJ] = {"companies_kommo.cnpj", CNPJS, "bigint, numeric, text or varchar"},
    [COLUMN_VALOR] = {"clientes_kommo.valor", NUMBERS, "numeric or another number"},
    [COLUMN_VENDEDOR] = {"clientes_kommo.vendedor", TEXTS, "text or varchar"},
    [COLUMN_CS] = {"users.name", TEXTS, "text or varchar"},
    [COLUMN_STATUS] = {"statuses.name", TEXTS, "text or varchar"},
    [COLUMN_PIPELINE] = {"pipelines.name", TEXTS, "text or varchar"},
    [COLUMN_ADESAO] = {"clientes_kommo.data_adesao", TIMES, "timestamp, timestamptz or date"},
    [COLUMN_START] = {"clientes_kommo.data_start_onboarding", TIMES, "timestamp, timestamptz or date"},
    [COLUMN_END] = {"clientes_kommo.data_end_onboarding", TIMES, "timestamp, timestamptz or date"},
    [COLUMN_CANCELAMENTO] = {"clientes_kommo.data_cancelamento", TIMES, "timestamp, timestamptz or date"},
    [COLUMN_MOTIVOS] = {"clientes_kommo.motivos_churn", TEXTS, "text or varchar"},
    [COLUMN_DESCRICAO] = {"clientes_kommo.descricao_cancelamento", TEXTS, "text or varchar"},
    [COLUMN_CRIADO] = {"clientes_kommo.criado_em", TIMES, "timestamp, timestamptz or date"},
    [COLUMN_ATUALIZADO] = {"clientes_kommo.atualizado_em", TIMES, "timestamp, timestamptz or date"},
};

/* libpq's message is several lines; ours is one. An interrupt is the better reason. */
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

/* Waits until the next result can be taken without waiting. */
static enum status await_result(struct kommo *kommo, int64_t deadline_ms, struct error *err)
{
    while (PQisBusy(kommo->conn)) {
        struct pollfd fd = {PQsocket(kommo->conn), POLLIN, 0};
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return failed(kommo, "no answer within DB_CONNECT_TIMEOUT", err);
        if (poll(&fd, 1, (int)left) > 0 && PQconsumeInput(kommo->conn) != 1)
            return failed(kommo, PQerrorMessage(kommo->conn), err);
    }
    return STATUS_OK;
}

/* Runs statements that need no work to their last result, which is to be of that kind and the caller's to clear. PQexec
 * would wait for ever for a pooler that has no server to pass them on to. */
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

/* A server of this encoding refuses to send, as UTF-8, bytes that are not; as they are, they are cleaned here. */
static const char *encoding_sql(const struct kommo *kommo)
{
    const char *encoding = PQparameterStatus(kommo->conn, "server_encoding");
    bool takes_anything = encoding != NULL && strcmp(encoding, "SQL_ASCII") == 0;
    return takes_anything ? "SET LOCAL client_encoding = 'SQL_ASCII';" : "";
}

#define HAS_TCP_USER_TIMEOUT 120000

/* A server does not learn that our packets do not come any more, and would keep the transaction for minutes while it
 * sends, for hours while it waits for us. It may have to wait until we are connected to MySQL. */
static void limit_patience(const struct kommo *kommo, const struct settings *settings, char sql[160])
{
    int64_t send_ms = (settings->snapshot_timeout_s + INTERRUPT_MARGIN_S) * 1000;
    int64_t wait_ms = send_ms + settings->db_connect_timeout_s * 1000;
    int len = snprintf(sql, 160, "SET LOCAL idle_in_transaction_session_timeout = %" PRId64 ";", wait_ms);
    if (PQserverVersion(kommo->conn) >= HAS_TCP_USER_TIMEOUT)
        snprintf(sql + len, 160 - (size_t)len, "SET LOCAL tcp_user_timeout = %" PRId64 ";", send_ms);
}

/* SET LOCAL only: behind a pooler the session is not ours. Timeouts are in milliseconds. */
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

/* Asked before the transaction: any question but LOCK would take its snapshot. */
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
        /* A pooler throws its connection to the server away when a client leaves amid a transaction. */
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

/* The first column whose type we cannot use, or COLUMN_COUNT. */
static enum column find_misfit(const PGresult *result)
{
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        const Oid *type = COLUMNS[column].types;
        while (*type != 0 && *type != PQftype(result, (int)column))
            type++;
        if (*type == 0)
            return column;
    }
    return COLUMN_COUNT;
}

/* The connection must be free: the server is asked for the type's name. */
static enum status refuse_type(struct kommo *kommo, enum column column, Oid found, struct error *err)
{
    char type[80];
    kommo_catalog_type(kommo->conn, found, type, sizeof type);
    return error_set(err, STATUS_INVALID, "PostgreSQL: column %s is %s, takes %s", COLUMNS[column].name, type,
                     COLUMNS[column].takes);
}

/* The name in our SQL that the server points at, such as the table that it could not lock; empty when it points nowhere.
 * It counts characters from 1, and our SQL is ASCII. */
static struct bytes name_pointed_at(const PGresult *result)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    int64_t at;
    if (position == NULL || !value_parse_int(bytes_of(position), &at) || at < 1 ||
        at > (int64_t)sizeof CLIENTS_SQL)
        return (struct bytes){"", 0};
    const char *name = &CLIENTS_SQL[at - 1];
    return (struct bytes){name, strspn(name, letters)};
}

/* A failed transaction answers nothing, and the next one has the limits of the first. */
static void explain(struct kommo *kommo, struct error *err)
{
    struct error late;
    if (execute(kommo, "ROLLBACK", &late) == STATUS_OK &&
        execute(kommo, kommo->begin_sql, &late) == STATUS_OK)
        kommo_catalog_explain(kommo->conn, err);
}

/* What a statement failed with, at that table where it is known; the connection must be free here too. */
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

/* One statement a table, so that the number of those that succeeded tells which one did not. No patience: the server
 * may have to wait, for as long as lock_timeout says, and the deadline of the snapshot is behind it. */
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

/* The blanks that fill up a char(n) are not part of the value. */
static struct bytes cell(const PGresult *result, enum column column)
{
    if (PQgetisnull(result, 0, (int)column))
        return (struct bytes){NULL, 0};
    struct bytes text = {PQgetvalue(result, 0, (int)column), (size_t)PQgetlength(result, 0, (int)column)};
    if (PQftype(result, (int)column) == PG_BPCHAR)
        while (text.len > 0 && text.data[text.len - 1] == ' ')
            text.len--;
    return text;
}

/* A numeric column shows its scale ("123.00"), which is not part of the number. */
static struct bytes cnpj_cell(const PGresult *result)
{
    struct bytes text = cell(result, COLUMN_CNPJ);
    const char *point = text.data != NULL && PQftype(result, COLUMN_CNPJ) == PG_NUMERIC
                            ? memchr(text.data, '.', text.len)
                            : NULL;
    if (point != NULL)
        text.len = (size_t)(point - text.data);
    return text;
}

/* Both of onboarding's columns are timestamptz. */
static bool has_zones(const PGresult *result)
{
    return PQftype(result, COLUMN_START) == PG_TIMESTAMPTZ && PQftype(result, COLUMN_END) == PG_TIMESTAMPTZ;
}

/* Whole days from start to end, rounded down: as instants when both have an offset; when one has none, as the wall
 * times that are shown. */
static void set_tmo(struct client *client, int32_t start_offset_s, int32_t end_offset_s)
{
    if (client->data_start_onboarding.kind == TIMESTAMP_NONE ||
        client->data_end_onboarding.kind == TIMESTAMP_NONE)
        return;
    int64_t us = client->data_end_onboarding.wall_us - client->data_start_onboarding.wall_us -
                 (end_offset_s - start_offset_s) * US_PER_S;
    client->has_tmo = true;
    client->tmo_days = day_of_wall_us(us);
}

static enum status read_client(const PGresult *result, struct value_reader *reader, struct client *out,
                               struct error *err)
{
    struct client client = {.group = GROUP_NONE};
    int32_t start_offset, end_offset, ignored;
    if (!value_parse_int(cell(result, COLUMN_ID), &client.id))
        return error_set(err, STATUS_INVALID, "PostgreSQL: a row of clientes_kommo has no id");
    client.nome = value_text(reader, cell(result, COLUMN_NOME));
    client.razao_social = value_text(reader, cell(result, COLUMN_RAZAO_SOCIAL));
    client.cnpj = value_cnpj(reader, cnpj_cell(result), &client.cnpj_key, &client.has_cnpj_key);
    client.has_valor = value_decimal(reader, cell(result, COLUMN_VALOR), &client.valor);
    client.vendedor = value_text(reader, cell(result, COLUMN_VENDEDOR));
    client.cs = value_text(reader, cell(result, COLUMN_CS));
    client.status = value_text(reader, cell(result, COLUMN_STATUS));
    client.pipeline = value_text(reader, cell(result, COLUMN_PIPELINE));
    client.data_adesao = value_timestamp(reader, cell(result, COLUMN_ADESAO), &ignored);
    client.data_start_onboarding = value_timestamp(reader, cell(result, COLUMN_START), &start_offset);
    client.data_end_onboarding = value_timestamp(reader, cell(result, COLUMN_END), &end_offset);
    client.data_cancelamento = value_timestamp(reader, cell(result, COLUMN_CANCELAMENTO), &ignored);
    client.motivos_churn = value_text(reader, cell(result, COLUMN_MOTIVOS));
    client.descricao_cancelamento = value_text(reader, cell(result, COLUMN_DESCRICAO));
    client.criado_em = value_timestamp(reader, cell(result, COLUMN_CRIADO), &ignored);
    client.atualizado_em = value_timestamp(reader, cell(result, COLUMN_ATUALIZADO), &ignored);
    if (has_zones(result))
        set_tmo(&client, start_offset, end_offset);
    else
        set_tmo(&client, 0, 0);
    if (reader->out_of_memory)
        return error_no_memory(err);
    *out = client;
    return STATUS_OK;
}

/* Room for one more row. Arenas do not grow in place: doubling leaves less than the final size behind. */
static bool grow(struct client_rows *out, size_t *capacity)
{
    if (out->count < *capacity)
        return true;
    size_t larger = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
    struct client *rows = arena_take_array(&out->arena, larger, sizeof *rows);
    if (rows == NULL)
        return false;
    if (out->count > 0)
        memcpy(rows, out->rows, out->count * sizeof *rows);
    out->rows = rows;
    *capacity = larger;
    return true;
}

/* Rows as they come, up to the first that cannot be taken. */
struct taking {
    struct client_rows *out;
    struct value_reader reader;
    size_t capacity;
    bool types_are_known;
    enum column misfit; /* COLUMN_COUNT: none */
    Oid misfit_type;
};

static enum status take_row(struct taking *taking, const PGresult *result, struct error *err)
{
    struct client_rows *out = taking->out;
    if (!taking->types_are_known && (taking->misfit = find_misfit(result)) != COLUMN_COUNT) {
        taking->misfit_type = PQftype(result, (int)taking->misfit);
        return error_set(err, STATUS_INVALID, "PostgreSQL: %s is of a type that cannot be used",
                         COLUMNS[taking->misfit].name);
    }
    taking->types_are_known = true;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return STATUS_OK; /* behind the last row */
    if (!grow(out, &taking->capacity))
        return error_no_memory(err);
    if (read_client(result, &taking->reader, &out->rows[out->count], err) != STATUS_OK)
        return err->code;
    out->count++;
    return STATUS_OK;
}

/* Results are fetched to the end whatever comes: the connection cannot be used otherwise. */
static enum status take_rows(struct kommo *kommo, struct client_rows *out, struct error *err)
{
    struct taking taking = {
        .out = out, .reader = {&out->arena, &out->replaced, false}, .misfit = COLUMN_COUNT};
    bool is_complete = false;
    enum status status = STATUS_OK;
    PGresult *refusal = NULL;
    for (PGresult *result; (result = PQgetResult(kommo->conn)) != NULL;) {
        ExecStatusType state = PQresultStatus(result);
        bool has_rows = state == PGRES_SINGLE_TUPLE || state == PGRES_TUPLES_OK;
        is_complete = state == PGRES_TUPLES_OK;
        if (status == STATUS_OK && has_rows)
            status = take_row(&taking, result, err);
        if (status == STATUS_OK && out->count % INTERRUPT_LOOK_ROWS == 0 &&
            interrupt_look(kommo->interrupt, clock_monotonic_ms(), err) != STATUS_OK)
            status = error_context(err, "PostgreSQL");
        if (has_rows || refusal != NULL)
            PQclear(result);
        else
            refusal = result;
    }
    if (taking.misfit != COLUMN_COUNT)
        status = refuse_type(kommo, taking.misfit, taking.misfit_type, err);
    else if (status == STATUS_OK && refusal != NULL)
        status = refuse_query(kommo, refusal, name_pointed_at(refusal), err);
    else if (status == STATUS_OK && !is_complete)
        status = failed(kommo, PQerrorMessage(kommo->conn), err);
    PQclear(refusal);
    return status;
}

static int compare_ids(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Joined tables whose id is not unique give a client several rows. In the order in which ids are given, which is how
 * they mostly come, there is nothing to sort. */
static enum status check_ids(const struct client_rows *rows, struct error *err)
{
    size_t i = 1;
    while (i < rows->count && rows->rows[i - 1].id < rows->rows[i].id)
        i++;
    if (i >= rows->count)
        return STATUS_OK;
    int64_t *ids = calloc(rows->count, sizeof *ids);
    enum status status = ids != NULL ? STATUS_OK : error_no_memory(err);
    for (i = 0; ids != NULL && i < rows->count; i++)
        ids[i] = rows->rows[i].id;
    if (ids != NULL)
        qsort(ids, rows->count, sizeof *ids, compare_ids);
    for (i = 1; status == STATUS_OK && i < rows->count; i++)
        if (ids[i] == ids[i - 1])
            status = error_set(err, STATUS_INVALID,
                               "PostgreSQL: client %" PRId64 " occurs twice; is the id of companies_kommo, "
                               "users, pipelines and statuses unique?",
                               ids[i]);
    free(ids);
    return status;
}

enum status kommo_read(struct kommo *kommo, struct client_rows *out, struct error *err)
{
    if (PQsendQuery(kommo->conn, CLIENTS_SQL) != 1 || PQsetSingleRowMode(kommo->conn) != 1)
        return failed(kommo, PQerrorMessage(kommo->conn), err);
    if (take_rows(kommo, out, err) != STATUS_OK)
        return err->code;
    return check_ids(out, err);
}

enum status kommo_check(struct kommo *kommo, char *version, size_t version_size, struct error *err)
{
    char sql[sizeof CLIENTS_SQL + sizeof " LIMIT 0"];
    snprintf(sql, sizeof sql, "%s LIMIT 0", CLIENTS_SQL);
    PGresult *result = PQexec(kommo->conn, sql);
    enum column misfit = PQresultStatus(result) == PGRES_TUPLES_OK ? find_misfit(result) : COLUMN_COUNT;
    enum status status = STATUS_OK;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = refuse_query(kommo, result, name_pointed_at(result), err);
    else if (misfit != COLUMN_COUNT)
        status = refuse_type(kommo, misfit, PQftype(result, (int)misfit), err);
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
