/* tests/unit/test_worker_kommo_rows.c - results as libpq hands them out, one row each, and what becomes of them. */
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#include "tests/unit/support.h"
#include "worker/sources/kommo_rows.h"

#define COLUMNS 17
#define NO_TMO  INT32_MIN

#define JANUARY_2024 19723 /* days since 1970 */

enum {
    INT8 = 20,
    TEXT = 25,
    BPCHAR = 1042,
    TIMESTAMP = 1114,
    TIMESTAMPTZ = 1184,
    NUMERIC = 1700,
    JSON = 114
};

/* The places of columns in the statement. */
enum { ID = 0, NOME = 1, CNPJ = 3, VALOR = 4, ADESAO = 9, START = 10, END = 11, ATUALIZADO = 16 };

struct cell {
    unsigned column;
    Oid type; /* 0: the usual one */
    const char *text;
};

static const Oid USUAL_TYPES[COLUMNS] = {INT8,      TEXT, TEXT, TEXT,      NUMERIC,   TEXT,
                                         TEXT,      TEXT, TEXT, TIMESTAMP, TIMESTAMP, TIMESTAMP,
                                         TIMESTAMP, TEXT, TEXT, TIMESTAMP, TIMESTAMP};

/* NULL everywhere but in the cells. */
static PGresult *result_of(const struct cell *cells, size_t count, bool has_row)
{
    PGresAttDesc columns[COLUMNS] = {{NULL, 0, 0, 0, 0, 0, 0}};
    char name[] = "";
    PGresult *result = PQmakeEmptyPGresult(NULL, has_row ? PGRES_SINGLE_TUPLE : PGRES_TUPLES_OK);
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i].name = name;
        columns[i].typid = USUAL_TYPES[i];
    }
    for (size_t i = 0; i < count; i++)
        if (cells[i].type != 0)
            columns[cells[i].column].typid = cells[i].type;
    assert_int_equal(PQsetResultAttrs(result, COLUMNS, columns), 1);
    for (int i = 0; has_row && i < COLUMNS; i++)
        assert_int_equal(PQsetvalue(result, 0, i, NULL, -1), 1);
    for (size_t i = 0; has_row && i < count; i++) {
        char text[80];
        int len = snprintf(text, sizeof text, "%s", cells[i].text);
        assert_int_equal(PQsetvalue(result, 0, (int)cells[i].column, text, len), 1);
    }
    return result;
}

/* arena_clear(&out->arena) must follow. */
static void begin(struct kommo_rows *rows, struct client_rows *out)
{
    *out = (struct client_rows){.rows = NULL};
    arena_init(&out->arena);
    kommo_rows_begin(rows, out);
}

static enum status take(struct kommo_rows *rows, const struct cell *cells, size_t count, struct error *err)
{
    PGresult *result = result_of(cells, count, true);
    enum status status = kommo_rows_take(rows, result, err);
    PQclear(result);
    return status;
}

/* What is shown of a row. */
static const struct {
    const char *name;
    struct cell cells[4];
    const char *nome, *cnpj;
    int tmo; /* NO_TMO: none */
} ROWS[] = {
    {"nulls", {{ID, 0, "1"}}, NULL, NULL, NO_TMO},
    {"texts keep their blanks", {{ID, 0, "1"}, {NOME, 0, " Loja "}}, " Loja ", NULL, NO_TMO},
    {"but those that fill up a char(n)", {{ID, 0, "1"}, {NOME, BPCHAR, " Loja   "}}, " Loja", NULL, NO_TMO},
    {"a char(n) of blanks", {{ID, 0, "1"}, {NOME, BPCHAR, "   "}}, "", NULL, NO_TMO},
    {"scale of a numeric CNPJ",
     {{ID, 0, "1"}, {CNPJ, NUMERIC, "11222333000181.00"}},
     NULL,
     "11222333000181",
     NO_TMO},
    {"point in a text CNPJ",
     {{ID, 0, "1"}, {CNPJ, 0, "11222333000181.00"}},
     NULL,
     "1122233300018100",
     NO_TMO},
    {"tmo of wall times",
     {{ID, 0, "1"}, {START, 0, "2024-01-01 12:00:00"}, {END, 0, "2024-01-03 11:59:59"}},
     NULL,
     NULL,
     1},
    {"tmo of instants, a change of clocks between them",
     {{ID, 0, "1"},
      {START, TIMESTAMPTZ, "2024-01-01 12:00:00-02"},
      {END, TIMESTAMPTZ, "2024-01-03 11:30:00-03"}},
     NULL,
     NULL,
     2},
    {"tmo of an instant and a wall time",
     {{ID, 0, "1"}, {START, TIMESTAMPTZ, "2024-01-01 12:00:00-02"}, {END, 0, "2024-01-03 11:30:00"}},
     NULL,
     NULL,
     1},
    {"tmo of half a day backwards",
     {{ID, 0, "1"}, {START, 0, "2024-01-03 12:00:00"}, {END, 0, "2024-01-03 00:00:00"}},
     NULL,
     NULL,
     -1},
    {"no tmo without an end", {{ID, 0, "1"}, {START, 0, "2024-01-01 12:00:00"}}, NULL, NULL, NO_TMO},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct client_rows out;
        struct kommo_rows rows;
        struct error err;
        size_t count = 0;
        while (count < COUNT(ROWS[i].cells) && ROWS[i].cells[count].text != NULL)
            count++;
        begin(&rows, &out);
        if (take(&rows, ROWS[i].cells, count, &err) != STATUS_OK)
            fail_msg("%s: %s", ROWS[i].name, err.message);
        const struct client *client = &out.rows[0];
        check_text_or_none(ROWS[i].name, "nome", client->nome, ROWS[i].nome);
        check_text_or_none(ROWS[i].name, "cnpj", client->cnpj.text, ROWS[i].cnpj);
        int tmo = client->has_tmo ? (int)client->tmo_days : NO_TMO;
        if (tmo != ROWS[i].tmo)
            fail_msg("%s, tmo: got %d, want %d", ROWS[i].name, tmo, ROWS[i].tmo);
        arena_clear(&out.arena);
    }
}

static struct cell cell_of(unsigned column, const char *text)
{
    return (struct cell){column, 0, text};
}

/* Each column becomes the member of its name. */
static void test_every_column(void **state)
{
    const struct cell cells[COLUMNS] = {
        cell_of(0, "-7"),          cell_of(1, "nome"),        cell_of(2, "razao"),
        cell_of(3, "12ABC"),       cell_of(4, "10.25"),       cell_of(5, "vendedor"),
        cell_of(6, "cs"),          cell_of(7, "status"),      cell_of(8, "pipeline"),
        cell_of(9, "2024-01-09"),  cell_of(10, "2024-01-10"), cell_of(11, "2024-01-11"),
        cell_of(12, "2024-01-12"), cell_of(13, "motivos"),    cell_of(14, "descricao"),
        cell_of(15, "2024-01-15"), cell_of(16, "2024-01-16"),
    };
    struct client_rows out;
    struct kommo_rows rows;
    struct error err;
    (void)state;
    begin(&rows, &out);
    assert_int_equal(take(&rows, cells, COLUMNS, &err), STATUS_OK);
    const struct client *client = &out.rows[0];
    const struct timestamp *times[] = {&client->data_adesao,         &client->data_start_onboarding,
                                       &client->data_end_onboarding, &client->data_cancelamento,
                                       &client->criado_em,           &client->atualizado_em};
    static const int days[] = {9, 10, 11, 12, 15, 16};
    assert_int_equal(client->id, -7);
    check_text_or_none("every column", "nome", client->nome, "nome");
    check_text_or_none("every column", "razao_social", client->razao_social, "razao");
    check_text_or_none("every column", "cnpj", client->cnpj.text, "12ABC");
    check_text_or_none("every column", "vendedor", client->vendedor, "vendedor");
    check_text_or_none("every column", "cs", client->cs, "cs");
    check_text_or_none("every column", "status", client->status, "status");
    check_text_or_none("every column", "pipeline", client->pipeline, "pipeline");
    check_text_or_none("every column", "motivos_churn", client->motivos_churn, "motivos");
    check_text_or_none("every column", "descricao_cancelamento", client->descricao_cancelamento, "descricao");
    assert_true(client->has_valor && client->valor.unscaled == 1025 && client->valor.scale == 2);
    for (size_t i = 0; i < COUNT(times); i++)
        assert_int_equal(day_of_wall_us(times[i]->wall_us), JANUARY_2024 + days[i] - 1);
    arena_clear(&out.arena);
}

static const struct {
    const char *name;
    struct cell cell;
    const char *column; /* of the misfit; NULL: all fit */
    const char *message;
} REFUSALS[] = {
    {"no id", {NOME, 0, "Loja"}, NULL, "PostgreSQL: a row of clientes_kommo has no id"},
    {"an id that is a text", {ID, TEXT, "1"}, "clientes_kommo.id", "clientes_kommo.id is of a type"},
    {"a name that is JSON", {NOME, JSON, "{}"}, "companies_kommo.nome", "companies_kommo.nome is of a type"},
    {"the last column",
     {ATUALIZADO, INT8, "5"},
     "clientes_kommo.atualizado_em",
     "atualizado_em is of a type"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REFUSALS); i++) {
        struct client_rows out;
        struct kommo_rows rows;
        struct error err = {.message = "nothing"};
        begin(&rows, &out);
        enum status status = take(&rows, &REFUSALS[i].cell, 1, &err);
        if (status != STATUS_INVALID || strstr(err.message, REFUSALS[i].message) == NULL)
            fail_msg("%s: got %s, want %s", REFUSALS[i].name, err.message, REFUSALS[i].message);
        const char *column = rows.misfit.column != NULL ? rows.misfit.column->name : "none";
        const char *want = REFUSALS[i].column != NULL ? REFUSALS[i].column : "none";
        if (strcmp(column, want) != 0)
            fail_msg("%s: got the misfit %s, want %s", REFUSALS[i].name, column, want);
        if (rows.misfit.column != NULL)
            assert_int_equal(rows.misfit.type, REFUSALS[i].cell.type);
        assert_int_equal(out.count, 0);
        arena_clear(&out.arena);
    }
}

/* No client at all, but a type that could not be used if there were any. */
static void test_types_without_rows(void **state)
{
    const struct cell cell = {VALOR, TEXT, NULL};
    struct client_rows out;
    struct kommo_rows rows;
    struct error err;
    (void)state;
    begin(&rows, &out);
    PGresult *result = result_of(&cell, 1, false);
    assert_int_equal(kommo_rows_take(&rows, result, &err), STATUS_INVALID);
    assert_string_equal(rows.misfit.column->name, "clientes_kommo.valor");
    PQclear(result);
    arena_clear(&out.arena);
}

/* More rows than there is room for at first, so that it grows. */
static void test_ids(void **state)
{
    static const struct {
        const char *name;
        int64_t step, last;
        const char *message; /* NULL: taken */
    } rows_of[] = {
        {"rising", 1, 5000, NULL},
        {"falling", -1, -5000, NULL},
        {"the first once more", 1, 1, "client 1 occurs twice"},
        {"one amid the others", 1, 2500, "client 2500 occurs twice"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows_of); i++) {
        struct client_rows out;
        struct kommo_rows rows;
        struct error err;
        begin(&rows, &out);
        for (int64_t n = 1; n <= 5000; n++) {
            char id[24];
            snprintf(id, sizeof id, "%lld", (long long)(n < 5000 ? n * rows_of[i].step : rows_of[i].last));
            const struct cell cell = {ID, 0, id};
            assert_int_equal(take(&rows, &cell, 1, &err), STATUS_OK);
        }
        assert_int_equal(out.count, 5000);
        assert_int_equal(out.rows[4998].id, 4999 * rows_of[i].step);
        enum status status = kommo_rows_finish(&rows, &err);
        if (rows_of[i].message == NULL)
            assert_int_equal(status, STATUS_OK);
        else if (status != STATUS_INVALID || strstr(err.message, rows_of[i].message) == NULL)
            fail_msg("%s: got status %d, want %s", rows_of[i].name, (int)status, rows_of[i].message);
        arena_clear(&out.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_every_column),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_types_without_rows),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
