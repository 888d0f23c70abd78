/* worker/ecosys_sql.c - the queries and how their placeholders are filled in. Only our own numbers and dates go in:
 * {since} is midnight of (today - window) as a literal, {excluded} the excluded integrators. */
#include "worker/ecosys_sql.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/date.h"

struct query {
    const char *table;
    size_t window; /* offset into struct windows, or WINDOW_OF_LOGINS */
    const char *sql;
};

#define EVENT_COLUMNS(created_at) "COUNT(CASE WHEN " created_at " >= {since} THEN 1 END), MAX(" created_at ")"
#define WINDOW(field)             offsetof(struct windows, field)

/* /logins says "últimos 30 dias", whatever the model's windows. */
#define WINDOW_OF_LOGINS SIZE_MAX
#define LOGINS_DAYS      30

static const struct query QUERIES[QUERY_COUNT] = {
    [QUERY_TENANTS] = {"tenants", WINDOW(events_days),
                       "SELECT id, slug, name, cnpj, type = 'normal' FROM tenants ORDER BY id"},
    [QUERY_LOGINS] =
        {"activity_log", WINDOW(events_days),
         "SELECT tenant_id, " EVENT_COLUMNS(
             "created_at") " FROM activity_log"
                           " WHERE event = 'login' AND tenant_id IS NOT NULL GROUP BY tenant_id"},
    [QUERY_LOGINS_BY_USER] =
        {"activity_log", WINDOW(events_days),
         "SELECT u.tenant_id, " EVENT_COLUMNS(
             "a.created_at") " FROM activity_log a"
                             " JOIN users u ON u.id = a.subject_id"
                             " WHERE a.event = 'login' AND a.tenant_id IS NULL GROUP BY u.tenant_id"},
    [QUERY_ENTRIES] = {"inventory_entries", WINDOW(events_days),
                       "SELECT tenant_id, " EVENT_COLUMNS(
                           "created_at") " FROM inventory_entries"
                                         " WHERE deleted_at IS NULL GROUP BY tenant_id"},
    [QUERY_OUTS] = {"inventory_outs", WINDOW(events_days),
                    "SELECT tenant_id, " EVENT_COLUMNS(
                        "created_at") " FROM inventory_outs"
                                      " WHERE deleted_at IS NULL GROUP BY tenant_id"},
    [QUERY_LEADS] = {"cards", WINDOW(events_days),
                     "SELECT tenant_id, " EVENT_COLUMNS(
                         "created_at") " FROM cards"
                                       " WHERE deleted_at IS NULL GROUP BY tenant_id"},
    [QUERY_ECONVERSA] = {"econversa_instance_configurations", WINDOW(messages_days),
                         "SELECT DISTINCT t.id FROM econversa_instance_configurations c"
                         " JOIN tenants t ON t.slug = c.name WHERE LOWER(c.status) = 'open'"},
    [QUERY_MESSAGES] = {"econversa_messages", WINDOW(messages_days),
                        "SELECT DISTINCT tenant_id FROM econversa_messages WHERE created_at >= {since}"},
    [QUERY_ADS] = {"integrator_ads", WINDOW(ads_days),
                   "SELECT DISTINCT tenant_id FROM integrator_ads"
                   " WHERE created_at >= {since} AND integrator_id NOT IN ({excluded})"},
    [QUERY_REPORTS] = {"reports", WINDOW(reports_days),
                       "SELECT DISTINCT tenant_id FROM reports WHERE created_at >= {since}"},
    [QUERY_CONTRACTS] = {"contracts", WINDOW(contracts_days),
                         "SELECT tenant_id, COUNT(*) FROM contracts WHERE created_at >= {since}"
                         " GROUP BY tenant_id"},
    [QUERY_USERS] = {"users", WINDOW(events_days),
                     "SELECT id, tenant_id, name, email FROM users ORDER BY id"},
    [QUERY_LOGIN_ROWS] = {"activity_log", WINDOW_OF_LOGINS,
                          "SELECT id, tenant_id, subject_id, created_at FROM activity_log"
                          " WHERE event = 'login' AND created_at >= {since}"},
    [QUERY_STORES] = {"inventory_entries", WINDOW(events_days),
                      "SELECT e.tenant_id, COUNT(*) FROM inventory_entries e"
                      " WHERE e.deleted_at IS NULL AND e.status = 'active' AND (e.vehicle_id IS NULL OR "
                      "e.vehicle_id NOT IN"
                      " (SELECT o.vehicle_id FROM inventory_outs o WHERE o.deleted_at IS NULL AND "
                      "o.vehicle_id IS NOT NULL))"
                      " GROUP BY e.tenant_id"},
    [QUERY_INTEGRATORS] = {"integrator_configurations", WINDOW(events_days),
                           "SELECT tenant_id, integrator_id FROM integrator_configurations"
                           " WHERE deleted_at IS NULL ORDER BY tenant_id, integrator_id"},
};

const char ECOSYS_SQL_ENGINES[] =
    "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
    " AND table_type = 'BASE TABLE' AND engine <> 'InnoDB' AND table_name IN ('tenants', 'users', "
    "'activity_log',"
    " 'inventory_entries', 'inventory_outs', 'cards', 'econversa_instance_configurations', "
    "'econversa_messages',"
    " 'integrator_ads', 'reports', 'contracts', 'integrator_configurations') ORDER BY table_name";

bool ecosys_sql_is_needed(enum ecosys_query query, const struct scoring_model *model)
{
    if (query != QUERY_STORES)
        return true;
    for (int pillar = 0; pillar < PILLAR_ADOPTION; pillar++)
        if (model->events[pillar].measure == SIZE_STORE)
            return true;
    return false;
}

const char *ecosys_sql_table(enum ecosys_query query)
{
    return QUERIES[query].table;
}

/* A window that reaches behind the year 1 begins there. */
static void append_since(struct buffer *out, int32_t today, int64_t window_days)
{
    char day[DATE_TEXT_LEN + 1];
    int64_t first = today - window_days;
    day_format(first < DAY_FIRST ? DAY_FIRST : (int32_t)first, day);
    buffer_append_format(out, "'%s 00:00:00'", day);
}

/* -1 is no integrator: it keeps the list from being empty. */
static void append_excluded(struct buffer *out, const struct adoption_points *points)
{
    buffer_append_text(out, "-1");
    for (size_t i = 0; i < points->excluded_integrators_count; i++)
        buffer_append_format(out, ", %" PRId64, points->excluded_integrators[i]);
}

void ecosys_sql_format(enum ecosys_query query, const struct scoring_model *model, int32_t today,
                       struct buffer *out)
{
    static const char since[] = "{since}", excluded[] = "{excluded}";
    const struct query *row = &QUERIES[query];
    int64_t window_days = LOGINS_DAYS;
    if (row->window != WINDOW_OF_LOGINS)
        memcpy(&window_days, (const char *)&model->windows + row->window, sizeof window_days);
    for (const char *at = row->sql; *at != '\0';) {
        if (strncmp(at, since, sizeof since - 1) == 0) {
            append_since(out, today, window_days);
            at += sizeof since - 1;
        } else if (strncmp(at, excluded, sizeof excluded - 1) == 0) {
            append_excluded(out, &model->adoption);
            at += sizeof excluded - 1;
        } else {
            buffer_append_char(out, *at++);
        }
    }
}
