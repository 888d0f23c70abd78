/* worker/ecosys_sql.h - every question that is put to EcoSys's tables, in one place. Kept to what MySQL 8 and MariaDB
 * 10.11 both take, also under ONLY_FULL_GROUP_BY. A question may be put in two forms: one that seeks in recommended
 * indexes, so that it costs the window and a look a tenant, and one that scans the table, where they are missing. */
#ifndef ECOSYS_WORKER_ECOSYS_SQL_H
#define ECOSYS_WORKER_ECOSYS_SQL_H

#include "common/buffer.h"
#include "common/scoring_model.h"
#include "worker/ecosys_catalog.h"

/* In the order in which they are asked: the rows of later ones refer to tenants and users. */
enum ecosys_query {
    QUERY_TENANTS,               /* id, slug, name, cnpj, 1 when of the scored type */
    QUERY_USERS,                 /* id, tenant, name, e-mail */
    QUERY_LOGIN_ROWS,            /* id, tenant or NULL, user, instant: rows in the window */
    QUERY_NEWEST_LOGINS,         /* tenant, user where that is NULL, newest instant */
    QUERY_NEWEST_LOGINS_BY_USER, /* NULL, user, newest instant of rows without a tenant; seeking only */
    QUERY_ENTRIES,        /* tenant, rows in the window, newest instant: of all rows, when seeking of those */
    QUERY_NEWEST_ENTRIES, /* tenant, 0, newest instant; seeking only */
    QUERY_OUTS,
    QUERY_NEWEST_OUTS,
    QUERY_LEADS,
    QUERY_NEWEST_LEADS,
    QUERY_ECONVERSA, /* names of open configurations, which slugs of tenants are like */
    QUERY_MESSAGES,  /* tenants with a row in the window */
    QUERY_ADS,       /* the same, without excluded integrators */
    QUERY_REPORTS,   /* tenants with a row in the window */
    QUERY_CONTRACTS, /* tenant, rows in the window */
    QUERY_STORES, /* tenant, active vehicles in stock that have not gone out; a walk over the whole stock */
    QUERY_INTEGRATORS, /* tenant, integrator */
    QUERY_COUNT,
};

/* Appends the text of a query whose window is counted back from `today`; a failed buffer means no memory. False, and
 * nothing is appended, when the model has no use for what it finds or another query finds it on the way. */
bool ecosys_sql_format(enum ecosys_query query, const struct scoring_model *model,
                       const struct ecosys_catalog *catalog, int32_t today, struct buffer *out);

/* What the query reads, for messages: the name of its main table. */
const char *ecosys_sql_table(enum ecosys_query query);

#endif
