/* worker/sources/ecosys_catalog.h - what EcoSys's catalogue says about the tables we read: whether the columns exist
 * with usable types, and which of the recommended indexes exist. One thread at a time. */
#ifndef ECOSYS_WORKER_SOURCES_ECOSYS_CATALOG_H
#define ECOSYS_WORKER_SOURCES_ECOSYS_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/status.h"

/* The indexes that schemas/mysql/indexes.sql and indexes-by-size.sql create. */
enum ecosys_index {
    INDEX_LOGINS_BY_TENANT,
    INDEX_LOGINS_BY_USER,
    INDEX_LOGINS_BY_TIME,
    INDEX_ENTRIES_BY_TENANT,
    INDEX_ENTRIES_BY_TIME,
    INDEX_OUTS_BY_TENANT,
    INDEX_OUTS_BY_TIME,
    INDEX_LEADS_BY_TENANT,
    INDEX_LEADS_BY_TIME,
    INDEX_MESSAGES_BY_TENANT,
    INDEX_ADS_BY_TIME,
    INDEX_REPORTS_BY_TENANT,
    INDEX_CONTRACTS_BY_TIME,
    INDEX_STORES, /* this and the next only for models that use the size of the store */
    INDEX_DEPARTURES,
    INDEX_COUNT,
};

#define ECOSYS_TABLES 12

/* A base table and when its present definition was created, as the server prints it. */
struct ecosys_table {
    char name[48];
    char made[32];
};

struct ecosys_catalog {
    bool has_index[INDEX_COUNT];  /* under any name; further columns after ours do no harm */
    bool is_useless[INDEX_COUNT]; /* would join columns that are not both integers: no index serves */
    bool cnpj_is_decimal;         /* tenants.cnpj, whose decimals are not part of it */
    struct ecosys_table tables[ECOSYS_TABLES];
    size_t tables_count;
};

/* A row of any of the queries below, as texts; data is NULL for SQL's NULL. The query decides how many cells are
 * used. */
struct catalog_row {
    struct bytes cells[4];
};

/* table, column, full type, plain type; for all our tables. */
extern const char ECOSYS_CATALOG_COLUMNS[];
/* table, comma-separated columns of the index; only indexes on whole columns in ascending order that the server
 * uses. */
extern const char ECOSYS_CATALOG_INDEXES[];
/* table, when it was created or altered; base tables only, by name. */
extern const char ECOSYS_CATALOG_MADE[];
/* table, engine, estimated number of rows; base tables only, by name. */
extern const char ECOSYS_CATALOG_TABLES[];

/* Initialises the catalogue from the rows of ECOSYS_CATALOG_COLUMNS. STATUS_INVALID names table, column and type of the
 * first one, in the order of our own list, that is missing or unusable. */
MUST_CHECK enum status ecosys_catalog_take_columns(struct ecosys_catalog *catalog,
                                                   const struct catalog_row *rows, size_t count,
                                                   bool by_store_size, struct error *err);

/* Takes a row of ECOSYS_CATALOG_INDEXES. */
void ecosys_catalog_take_index(struct ecosys_catalog *catalog, const struct catalog_row *row);

/* Takes a row of ECOSYS_CATALOG_MADE. */
void ecosys_catalog_take_made(struct ecosys_catalog *catalog, const struct catalog_row *row);

/* The name of a table that was altered, replaced, dropped or created between the two, or NULL. It points into one of
 * them. */
const char *ecosys_catalog_find_altered(const struct ecosys_catalog *before,
                                        const struct ecosys_catalog *after);

struct ecosys_index_advice {
    const char *table;
    const char *columns; /* comma-separated */
    const char *saves;   /* what a refresh reads instead of the whole table */
    bool by_store_size;  /* only of use to models that use the size of the store */
};

const struct ecosys_index_advice *ecosys_index_advice(enum ecosys_index index);

#endif
