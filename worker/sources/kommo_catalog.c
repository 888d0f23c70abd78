/* worker/sources/kommo_catalog.c - one catalogue query per column, only after something went wrong. */
#include "worker/sources/kommo_catalog.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_TEXT_MAX 80

/* SQLSTATEs: undefined_table, undefined_column, undefined_function (includes operators), datatype_mismatch. */
static const char *const OUR_STATES[] = {"42P01", "42703", "42883", "42804"};

static const struct {
    const char *table, *column;
} COLUMNS[] = {
    {"clientes_kommo", "id"},
    {"clientes_kommo", "company_id"},
    {"clientes_kommo", "valor"},
    {"clientes_kommo", "vendedor"},
    {"clientes_kommo", "cs_id"},
    {"clientes_kommo", "pipeline_id"},
    {"clientes_kommo", "status_id"},
    {"clientes_kommo", "data_adesao"},
    {"clientes_kommo", "data_start_onboarding"},
    {"clientes_kommo", "data_end_onboarding"},
    {"clientes_kommo", "data_cancelamento"},
    {"clientes_kommo", "motivos_churn"},
    {"clientes_kommo", "descricao_cancelamento"},
    {"clientes_kommo", "criado_em"},
    {"clientes_kommo", "atualizado_em"},
    {"clientes_kommo", "deleted_at"},
    {"companies_kommo", "id"},
    {"companies_kommo", "nome"},
    {"companies_kommo", "razao_social"},
    {"companies_kommo", "cnpj"},
    {"users", "id"},
    {"users", "name"},
    {"pipelines", "id"},
    {"pipelines", "name"},
    {"statuses", "id"},
    {"statuses", "name"},
};

/* Columns of clientes_kommo and the tables whose ids they hold. */
static const struct {
    const char *column, *table;
} REFERENCES[] = {{"company_id", "companies_kommo"},
                  {"cs_id", "users"},
                  {"pipeline_id", "pipelines"},
                  {"status_id", "statuses"}};

/* Runs a statement with one or two parameters for a single value; false when there is none. */
static bool query_value(struct pg_conn *conn, const char *sql, const char *first, const char *second,
                        char *out, size_t out_size)
{
    const char *const values[] = {first, second};
    PGresult *result = PQexecParams(conn, sql, second != NULL ? 2 : 1, NULL, values, NULL, NULL, 0);
    bool found =
        PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && !PQgetisnull(result, 0, 0);
    if (found)
        snprintf(out, out_size, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return found;
}

static bool has_table(struct pg_conn *conn, const char *table)
{
    char ignored[TYPE_TEXT_MAX];
    return query_value(conn, "SELECT to_regclass($1)", table, NULL, ignored, sizeof ignored);
}

static bool type_of(struct pg_conn *conn, const char *table, const char *column, char type[TYPE_TEXT_MAX])
{
    static const char sql[] = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                              " WHERE attrelid = to_regclass($1) AND attname = $2 AND attnum > 0"
                              " AND NOT attisdropped";
    return query_value(conn, sql, table, column, type, TYPE_TEXT_MAX);
}

static bool explain_missing(struct pg_conn *conn, struct error *err)
{
    for (size_t i = 0; i < sizeof COLUMNS / sizeof COLUMNS[0]; i++) {
        const char *table = COLUMNS[i].table, *column = COLUMNS[i].column;
        char type[TYPE_TEXT_MAX];
        if (type_of(conn, table, column, type))
            continue;
        if (has_table(conn, table))
            (void)error_set(err, STATUS_INVALID, "PostgreSQL: column %s.%s is missing", table, column);
        else
            (void)error_set(err, STATUS_INVALID, "PostgreSQL: table %s is missing", table);
        return true;
    }
    return false;
}

static void explain_reference(struct pg_conn *conn, struct error *err)
{
    for (size_t i = 0; i < sizeof REFERENCES / sizeof REFERENCES[0]; i++) {
        const char *table = REFERENCES[i].table, *column = REFERENCES[i].column;
        char type[TYPE_TEXT_MAX], id_type[TYPE_TEXT_MAX];
        char sql[256], ignored[TYPE_TEXT_MAX];
        if (!type_of(conn, "clientes_kommo", column, type) || !type_of(conn, table, "id", id_type))
            continue;
        /* Only the server can say whether it can compare them; the names are our own. */
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM (SELECT c.%s = t.id FROM clientes_kommo c, %s t LIMIT $1) x", column,
                 table);
        if (query_value(conn, sql, "0", NULL, ignored, sizeof ignored))
            continue;
        (void)error_set(err, STATUS_INVALID,
                        "PostgreSQL: column clientes_kommo.%s is %s, takes the type of %s.id, %s", column,
                        type, table, id_type);
        return;
    }
}

bool kommo_catalog_can_explain(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof OUR_STATES / sizeof OUR_STATES[0]; i++)
        if (strcmp(sqlstate, OUR_STATES[i]) == 0)
            return true;
    return false;
}

void kommo_catalog_explain(struct pg_conn *conn, struct error *err)
{
    if (!explain_missing(conn, err))
        explain_reference(conn, err);
}

void kommo_catalog_type(struct pg_conn *conn, unsigned type, char *out, size_t out_size)
{
    char number[16];
    snprintf(number, sizeof number, "%u", type);
    if (!query_value(conn, "SELECT format_type($1::oid, NULL)", number, NULL, out, out_size))
        snprintf(out, out_size, "the type with number %u", type);
}

static const char ADVICE_SQL[] =
    "SELECT c.reltuples::bigint,"
    " (SELECT (c.reltuples * s.null_frac)::bigint FROM pg_stats s WHERE s.schemaname = n.nspname"
    " AND s.tablename = c.relname AND s.attname = 'deleted_at'),"
    " c.relkind NOT IN ('r', 'p') OR EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND "
    "i.indisvalid"
    " AND pg_get_expr(i.indpred, i.indrelid) = '(deleted_at IS NULL)')"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'clientes_kommo'::regclass";

static int64_t count_at(const PGresult *result, int column)
{
    return PQgetisnull(result, 0, column) ? -1 : strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

enum status kommo_catalog_advise(struct pg_conn *conn, struct kommo_index_advice *out, struct error *err)
{
    PGresult *result = PQexec(conn, ADVICE_SQL);
    enum status status = STATUS_OK;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        *out = (struct kommo_index_advice){.is_missing = PQgetvalue(result, 0, 2)[0] == 'f',
                                           .rows = count_at(result, 0),
                                           .live_rows = count_at(result, 1)};
    else
        status = error_set(err, STATUS_UNAVAILABLE, "PostgreSQL: the catalogue: %s", PQerrorMessage(conn));
    PQclear(result);
    return status;
}
