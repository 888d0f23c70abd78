/* worker/sources/ecosys_sql.c - the queries, and how their placeholders are filled in. Only our own numbers and dates
 * go in: {since} is midnight of (today - window) as a literal, {excluded} the excluded integrators, {cnpj} the column
 * without any decimals.
 *
 * Measured on MariaDB 10.11 (docs/benchmarks.md), and why they are written as they are:
 * - A scan groups by COALESCE(tenant_id), not by tenant_id: the server would walk an index on tenant_id alone to avoid
 *   sorting, at a random read per row, and take ten times as long as reading the whole table in order.
 * - Each tenant's newest row is MAX(created_at) over an index that begins with the tenant and has the conditions in
 *   between: one lookup at the end of each tenant's part. HAVING instead of WHERE keeps that plan where only recent
 *   rows matter. An index that begins with a constant gets no such plan, which is why users are looked up one by one,
 *   except those of tenants with a row in the window, which then holds the newest.
 * - Groups are named by position: a column of the table with the same name would take precedence over an alias.
 * - Names of configurations are compared with slugs here, not on the server: servers refuse to compare columns whose
 *   collations differ. */
#include "worker/sources/ecosys_sql.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/domain/date.h"
#include "common/domain/tenant_logins.h"

#define INDEXES_MAX 3
#define NO_INDEXES                                                                                           \
    {                                                                                                        \
        INDEX_COUNT                                                                                          \
    }

struct query {
    const char *table;
    size_t window;                          /* offset into struct windows, or WINDOW_OF_LOGINS */
    const char *scanning;                   /* NULL: no query in this form */
    enum ecosys_index indexes[INDEXES_MAX]; /* needed by the seeking form, INDEX_COUNT after the last one */
    const char *seeking;                    /* NULL: same as scanning */
};

#define WINDOW(field) offsetof(struct windows, field)

/* The longer of /logins' window and the model's. */
#define WINDOW_OF_LOGINS SIZE_MAX

/* One scan for both numbers, or one index for the window and another for the newest rows. */
#define EVENTS_BY_SCAN(table)                                                                                \
    "SELECT COALESCE(tenant_id), COUNT(CASE WHEN created_at >= {since} THEN 1 END), MAX(created_at)"         \
    " FROM " table " WHERE deleted_at IS NULL GROUP BY COALESCE(tenant_id)"
#define EVENTS_IN_WINDOW(table)                                                                              \
    "SELECT tenant_id, COUNT(*), MAX(created_at) FROM " table                                                \
    " WHERE deleted_at IS NULL AND created_at >= {since} GROUP BY tenant_id"
#define NEWEST_EVENTS(table)                                                                                 \
    "SELECT tenant_id, 0, MAX(created_at) FROM " table " WHERE deleted_at IS NULL GROUP BY tenant_id"

#define RECENT_BY_SCAN(table) "SELECT DISTINCT COALESCE(tenant_id) FROM " table " WHERE created_at >= {since}"
#define RECENT_BY_SEEK(table)                                                                                \
    "SELECT tenant_id FROM " table " GROUP BY tenant_id HAVING MAX(created_at) >= {since}"

static const struct query QUERIES[QUERY_COUNT] = {
    [QUERY_TENANTS] = {"tenants", WINDOW(events_days),
                       "SELECT id, slug, name, {cnpj}, type = 'normal' FROM tenants", NO_INDEXES, NULL},
    [QUERY_USERS] = {"users", WINDOW(events_days), "SELECT id, tenant_id, name, email FROM users", NO_INDEXES,
                     NULL},
    [QUERY_LOGIN_ROWS] = {"activity_log", WINDOW_OF_LOGINS,
                          "SELECT id, tenant_id, subject_id, created_at FROM activity_log"
                          " WHERE event = 'login' AND created_at >= {since}",
                          NO_INDEXES, NULL},
    [QUERY_NEWEST_LOGINS] = {"activity_log",
                             WINDOW(events_days),
                             "SELECT COALESCE(tenant_id), CASE WHEN tenant_id IS NULL THEN subject_id END,"
                             " MAX(created_at) FROM activity_log WHERE event = 'login' GROUP BY 1, 2",
                             {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER, INDEX_COUNT},
                             "SELECT tenant_id, NULL, MAX(created_at) FROM activity_log"
                             " WHERE event = 'login' AND tenant_id IS NOT NULL GROUP BY tenant_id"},
    [QUERY_NEWEST_LOGINS_BY_USER] =
        {"activity_log",
         WINDOW(events_days),
         NULL,
         {INDEX_LOGINS_BY_TENANT, INDEX_LOGINS_BY_USER, INDEX_COUNT},
         "SELECT NULL, u.id, (SELECT a.created_at FROM activity_log a WHERE a.subject_id = u.id"
         " AND a.event = 'login' AND a.tenant_id IS NULL ORDER BY a.created_at DESC LIMIT 1)"
         " FROM users u WHERE u.tenant_id NOT IN (SELECT w.tenant_id FROM activity_log w"
         " WHERE w.event = 'login' AND w.created_at >= {since} AND w.tenant_id IS NOT NULL)"},
    [QUERY_ENTRIES] = {"inventory_entries",
                       WINDOW(events_days),
                       EVENTS_BY_SCAN("inventory_entries"),
                       {INDEX_ENTRIES_BY_TENANT, INDEX_ENTRIES_BY_TIME, INDEX_COUNT},
                       EVENTS_IN_WINDOW("inventory_entries")},
    [QUERY_NEWEST_ENTRIES] = {"inventory_entries",
                              WINDOW(events_days),
                              NULL,
                              {INDEX_ENTRIES_BY_TENANT, INDEX_ENTRIES_BY_TIME, INDEX_COUNT},
                              NEWEST_EVENTS("inventory_entries")},
    [QUERY_OUTS] = {"inventory_outs",
                    WINDOW(events_days),
                    EVENTS_BY_SCAN("inventory_outs"),
                    {INDEX_OUTS_BY_TENANT, INDEX_OUTS_BY_TIME, INDEX_COUNT},
                    EVENTS_IN_WINDOW("inventory_outs")},
    [QUERY_NEWEST_OUTS] = {"inventory_outs",
                           WINDOW(events_days),
                           NULL,
                           {INDEX_OUTS_BY_TENANT, INDEX_OUTS_BY_TIME, INDEX_COUNT},
                           NEWEST_EVENTS("inventory_outs")},
    [QUERY_LEADS] = {"cards",
                     WINDOW(events_days),
                     EVENTS_BY_SCAN("cards"),
                     {INDEX_LEADS_BY_TENANT, INDEX_LEADS_BY_TIME, INDEX_COUNT},
                     EVENTS_IN_WINDOW("cards")},
    [QUERY_NEWEST_LEADS] = {"cards",
                            WINDOW(events_days),
                            NULL,
                            {INDEX_LEADS_BY_TENANT, INDEX_LEADS_BY_TIME, INDEX_COUNT},
                            NEWEST_EVENTS("cards")},
    [QUERY_ECONVERSA] = {"econversa_instance_configurations", WINDOW(messages_days),
                         "SELECT name FROM econversa_instance_configurations WHERE LOWER(status) = 'open'",
                         NO_INDEXES, NULL},
    [QUERY_MESSAGES] = {"econversa_messages",
                        WINDOW(messages_days),
                        RECENT_BY_SCAN("econversa_messages"),
                        {INDEX_MESSAGES_BY_TENANT, INDEX_COUNT},
                        RECENT_BY_SEEK("econversa_messages")},
    [QUERY_ADS] = {"integrator_ads", WINDOW(ads_days),
                   RECENT_BY_SCAN("integrator_ads") " AND integrator_id NOT IN ({excluded})", NO_INDEXES,
                   NULL},
    [QUERY_REPORTS] = {"reports",
                       WINDOW(reports_days),
                       RECENT_BY_SCAN("reports"),
                       {INDEX_REPORTS_BY_TENANT, INDEX_COUNT},
                       RECENT_BY_SEEK("reports")},
    [QUERY_CONTRACTS] = {"contracts", WINDOW(contracts_days),
                         "SELECT COALESCE(tenant_id), COUNT(*) FROM contracts WHERE created_at >= {since}"
                         " GROUP BY COALESCE(tenant_id)",
                         NO_INDEXES, NULL},
    [QUERY_STORES] =
        {"inventory_entries",
         WINDOW(events_days),
         "SELECT COALESCE(e.tenant_id), COUNT(*) FROM inventory_entries e"
         " WHERE e.deleted_at IS NULL AND e.status = 'active' AND (e.vehicle_id IS NULL"
         " OR e.vehicle_id NOT IN (SELECT o.vehicle_id FROM inventory_outs o"
         " WHERE o.deleted_at IS NULL AND o.vehicle_id IS NOT NULL)) GROUP BY COALESCE(e.tenant_id)",
         {INDEX_STORES, INDEX_DEPARTURES, INDEX_COUNT},
         "SELECT e.tenant_id, COUNT(*) FROM inventory_entries e LEFT JOIN inventory_outs o"
         " ON o.vehicle_id = e.vehicle_id AND o.deleted_at IS NULL"
         " WHERE e.deleted_at IS NULL AND e.status = 'active' AND o.vehicle_id IS NULL"
         " GROUP BY e.tenant_id"},
    [QUERY_INTEGRATORS] = {"integrator_configurations", WINDOW(events_days),
                           "SELECT tenant_id, integrator_id FROM integrator_configurations"
                           " WHERE deleted_at IS NULL",
                           NO_INDEXES, NULL},
};

const char *ecosys_sql_table(enum ecosys_query query)
{
    return QUERIES[query].table;
}

static bool can_seek(const struct query *query, const struct ecosys_catalog *catalog)
{
    for (size_t i = 0; i < INDEXES_MAX && query->indexes[i] != INDEX_COUNT; i++)
        if (!catalog->has_index[query->indexes[i]])
            return false;
    return query->seeking != NULL;
}

static int64_t window_days(const struct query *query, const struct windows *windows)
{
    int64_t days = windows->events_days > LOGINS_DAYS ? windows->events_days : LOGINS_DAYS;
    if (query->window != WINDOW_OF_LOGINS)
        memcpy(&days, (const char *)windows + query->window, sizeof days);
    return days;
}

/* A window that reaches back before the year 1 starts there. */
static void append_since(struct buffer *out, int32_t today, int64_t days)
{
    char day[DATE_TEXT_LEN + 1];
    int64_t first = today - days;
    day_format(first < DAY_FIRST ? DAY_FIRST : (int32_t)first, day);
    buffer_append_format(out, "'%s 00:00:00'", day);
}

/* No integrator is -1: it keeps the list from being empty. */
static void append_excluded(struct buffer *out, const struct adoption_points *points)
{
    buffer_append_text(out, "-1");
    for (size_t i = 0; i < points->excluded_integrators_count; i++)
        buffer_append_format(out, ", %" PRId64, points->excluded_integrators[i]);
}

bool ecosys_sql_format(enum ecosys_query query, const struct scoring_model *model,
                       const struct ecosys_catalog *catalog, int32_t today, struct buffer *out)
{
    static const char since[] = "{since}", excluded[] = "{excluded}", cnpj[] = "{cnpj}";
    const struct query *row = &QUERIES[query];
    const char *at = can_seek(row, catalog) ? row->seeking : row->scanning;
    if (at == NULL || (query == QUERY_STORES && !scoring_model_goes_by(model, SIZE_STORE)))
        return false;
    while (*at != '\0') {
        if (strncmp(at, since, sizeof since - 1) == 0) {
            append_since(out, today, window_days(row, &model->windows));
            at += sizeof since - 1;
        } else if (strncmp(at, excluded, sizeof excluded - 1) == 0) {
            append_excluded(out, &model->adoption);
            at += sizeof excluded - 1;
        } else if (strncmp(at, cnpj, sizeof cnpj - 1) == 0) {
            buffer_append_text(out, catalog->cnpj_is_decimal ? "TRUNCATE(cnpj, 0)" : "cnpj");
            at += sizeof cnpj - 1;
        } else {
            buffer_append_char(out, *at++);
        }
    }
    return true;
}
