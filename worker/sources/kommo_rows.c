/* worker/sources/kommo_rows.c - the statement, the types of its columns, and how cells become a client. */
#include "worker/sources/kommo_rows.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

/* The columns in the order of enum column. */
#define CLIENTS_SQL                                                                                          \
    "SELECT ck.id, co.nome, co.razao_social, co.cnpj, ck.valor, ck.vendedor, u.\"name\", s.\"name\", "       \
    "p.\"name\","                                                                                            \
    " ck.data_adesao, ck.data_start_onboarding, ck.data_end_onboarding, ck.data_cancelamento,"               \
    " ck.motivos_churn, ck.descricao_cancelamento, ck.criado_em, ck.atualizado_em"                           \
    " FROM clientes_kommo ck"                                                                                \
    " LEFT JOIN companies_kommo co ON co.id = ck.company_id"                                                 \
    " LEFT JOIN users u ON u.id = ck.cs_id"                                                                  \
    " LEFT JOIN pipelines p ON p.id = ck.pipeline_id"                                                        \
    " LEFT JOIN statuses s ON s.id = ck.status_id"                                                           \
    " WHERE ck.deleted_at IS NULL"

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

static const unsigned WHOLE_NUMBERS[TYPES_MAX] = {PG_INT8, PG_INT4, PG_INT2};
static const unsigned NUMBERS[TYPES_MAX] = {PG_NUMERIC, PG_INT8, PG_INT4, PG_INT2, PG_FLOAT8, PG_FLOAT4};
static const unsigned CNPJS[TYPES_MAX] = {PG_INT8, PG_INT4, PG_NUMERIC, PG_TEXT, PG_VARCHAR, PG_BPCHAR};
static const unsigned TEXTS[TYPES_MAX] = {PG_TEXT, PG_VARCHAR, PG_BPCHAR};
static const unsigned TIMES[TYPES_MAX] = {PG_TIMESTAMP, PG_TIMESTAMPTZ, PG_DATE};

static const struct kommo_column COLUMNS[COLUMN_COUNT] = {
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

const char *kommo_rows_sql(void)
{
    return CLIENTS_SQL;
}

const char *kommo_rows_check_sql(void)
{
    return CLIENTS_SQL " LIMIT 0";
}

/* The server counts characters from 1; ours are bytes. */
struct bytes kommo_rows_name_at(const PGresult *refusal)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    const char *position = PQresultErrorField(refusal, PG_DIAG_STATEMENT_POSITION);
    int64_t at;
    if (position == NULL || !value_parse_int(bytes_of(position), &at) || at < 1 ||
        at > (int64_t)sizeof CLIENTS_SQL)
        return (struct bytes){"", 0};
    const char *name = &CLIENTS_SQL[at - 1];
    return (struct bytes){name, strspn(name, letters)};
}

struct kommo_misfit kommo_rows_find_misfit(const PGresult *result)
{
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        const unsigned *type = COLUMNS[column].types, found = PQftype(result, (int)column);
        while (*type != 0 && *type != found)
            type++;
        if (*type == 0)
            return (struct kommo_misfit){&COLUMNS[column], found};
    }
    return (struct kommo_misfit){NULL, 0};
}

/* The blanks that pad a char(n) are not part of the value. */
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

/* Whether both onboarding columns are timestamptz. */
static bool has_zones(const PGresult *result)
{
    return PQftype(result, COLUMN_START) == PG_TIMESTAMPTZ && PQftype(result, COLUMN_END) == PG_TIMESTAMPTZ;
}

/* Whole days from start to end, rounded down: between instants when both have an offset, else between the wall times
 * shown. */
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

/* Makes room for one more row. Arenas do not grow in place: doubling wastes less than the final size. */
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

void kommo_rows_begin(struct kommo_rows *rows, struct client_rows *out)
{
    *rows = (struct kommo_rows){.out = out, .reader = {&out->arena, &out->replaced, false}};
}

enum status kommo_rows_take(struct kommo_rows *rows, const PGresult *result, struct error *err)
{
    struct client_rows *out = rows->out;
    if (!rows->types_are_known)
        rows->misfit = kommo_rows_find_misfit(result);
    if (rows->misfit.column != NULL)
        return error_set(err, STATUS_INVALID, "PostgreSQL: %s is of a type that cannot be used",
                         rows->misfit.column->name);
    rows->types_are_known = true;
    if (PQntuples(result) == 0)
        return STATUS_OK;
    if (!grow(out, &rows->capacity))
        return error_no_memory(err);
    if (read_client(result, &rows->reader, &out->rows[out->count], err) != STATUS_OK)
        return err->code;
    out->count++;
    return STATUS_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* A joined table with duplicate ids gives a client several rows. Rows mostly come in the order of their ids, and then
 * nothing has to be sorted. */
enum status kommo_rows_finish(const struct kommo_rows *rows, struct error *err)
{
    const struct client *clients = rows->out->rows;
    size_t count = rows->out->count, i = 1;
    while (i < count && clients[i - 1].id < clients[i].id)
        i++;
    if (i >= count)
        return STATUS_OK;
    int64_t *ids = calloc(count, sizeof *ids);
    enum status status = ids != NULL ? STATUS_OK : error_no_memory(err);
    for (i = 0; ids != NULL && i < count; i++)
        ids[i] = clients[i].id;
    if (ids != NULL)
        qsort(ids, count, sizeof *ids, compare_ids);
    for (i = 1; status == STATUS_OK && i < count; i++)
        if (ids[i] == ids[i - 1])
            status = error_set(err, STATUS_INVALID,
                               "PostgreSQL: client %" PRId64 " occurs twice; is the id of companies_kommo, "
                               "users, pipelines and statuses unique?",
                               ids[i]);
    free(ids);
    return status;
}
