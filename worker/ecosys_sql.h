/* worker/ecosys_sql.h - every question that is put to EcoSys's database, in one place. Kept to what MySQL 8 and
 * MariaDB 10.11 both take, also under ONLY_FULL_GROUP_BY. */
#ifndef ECOSYS_WORKER_ECOSYS_SQL_H
#define ECOSYS_WORKER_ECOSYS_SQL_H

#include "common/buffer.h"
#include "common/scoring_model.h"

enum ecosys_query {
    QUERY_TENANTS,        /* id, slug, name, cnpj, 1 when of the scored type; by id */
    QUERY_LOGINS,         /* tenant, rows in the window, newest instant: rows that carry their tenant */
    QUERY_LOGINS_BY_USER, /* the same for rows whose tenant is known only through the user */
    QUERY_ENTRIES,        /* tenant, rows in the window, newest instant */
    QUERY_OUTS,
    QUERY_LEADS,
    QUERY_ECONVERSA,   /* tenants with an open configuration */
    QUERY_MESSAGES,    /* tenants with a row in the window */
    QUERY_ADS,         /* the same, without excluded integrators */
    QUERY_REPORTS,     /* tenants with a row in the window */
    QUERY_CONTRACTS,   /* tenant, rows in the window */
    QUERY_USERS,       /* id, tenant, name, e-mail; by id */
    QUERY_LOGIN_ROWS,  /* id, tenant or NULL, user, instant: rows in the window */
    QUERY_STORES,      /* tenant, active vehicles in stock that have not gone out */
    QUERY_INTEGRATORS, /* tenant, integrator; by both */
    QUERY_COUNT,
};

/* Appends the text of a query whose window is counted back from `today`; a failed buffer means no memory. */
void ecosys_sql_format(enum ecosys_query query, const struct scoring_model *model, int32_t today,
                       struct buffer *out);

/* False when the model has no use for what the query finds: the stores' sizes cost a walk over all history. */
bool ecosys_sql_is_needed(enum ecosys_query query, const struct scoring_model *model);

/* What the query reads, for messages: the name of its main table. */
const char *ecosys_sql_table(enum ecosys_query query);

/* Base tables among ours that are not InnoDB: name, engine. */
extern const char ECOSYS_SQL_ENGINES[];

#endif
