/* worker/sources/ecosys_sql.h - all queries on EcoSys's tables, in one place. They use only what both MySQL 8 and
 * MariaDB 10.11 accept, also under ONLY_FULL_GROUP_BY. A query may have two forms: one seeks in the recommended
 * indexes, at the cost of the window plus a lookup per tenant; the other scans the table, for when they are missing. */
#ifndef ECOSYS_WORKER_SOURCES_ECOSYS_SQL_H
#define ECOSYS_WORKER_SOURCES_ECOSYS_SQL_H

#include "common/base/buffer.h"
#include "common/domain/scoring_model.h"
#include "worker/sources/ecosys_catalog.h"

/* In execution order: rows of later queries refer to tenants and users. */
enum ecosys_query {
    QUERY_TENANTS,               /* id, slug, name, cnpj, 1 when of the scored type */
    QUERY_USERS,                 /* id, tenant, name, e-mail */
    QUERY_LOGIN_ROWS,            /* id, tenant or NULL, user, instant: rows in the window */
    QUERY_NEWEST_LOGINS,         /* tenant, user where that is NULL, newest instant */
    QUERY_NEWEST_LOGINS_BY_USER, /* NULL, user, newest instant of rows without a tenant; seeking only */
    QUERY_ENTRIES,        /* tenant, rows in the window, newest instant (when seeking, within the window) */
    QUERY_NEWEST_ENTRIES, /* tenant, 0, newest instant; seeking only */
    QUERY_OUTS,
    QUERY_NEWEST_OUTS,
    QUERY_LEADS,
    QUERY_NEWEST_LEADS,
    QUERY_ECONVERSA,   /* names of open configurations, matched against tenants' slugs */
    QUERY_MESSAGES,    /* tenants with a row in the window */
    QUERY_ADS,         /* the same, without excluded integrators */
    QUERY_REPORTS,     /* tenants with a row in the window */
    QUERY_CONTRACTS,   /* tenant, rows in the window */
    QUERY_STORES,      /* tenant, active vehicles in stock that have not gone out; walks the whole stock */
    QUERY_INTEGRATORS, /* tenant, integrator */
    QUERY_COUNT,
};

/* Appends the text of a query whose window is counted back from `today`; a failed buffer means no memory. Returns false
 * and appends nothing when the model does not need the result or another query yields it as well. */
bool ecosys_sql_format(enum ecosys_query query, const struct scoring_model *model,
                       const struct ecosys_catalog *catalog, int32_t today, struct buffer *out);

/* The query's main table, for messages. */
const char *ecosys_sql_table(enum ecosys_query query);

#endif
