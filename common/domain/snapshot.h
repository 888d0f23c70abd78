/* common/domain/snapshot.h - what one refresh read: clients of the CRM, tenants of EcoSys, and when. Texts are clean
 * UTF-8 and every value was checked when it was read (see utf8.h); replacements were counted. The rows of a source live
 * in that source's arena. One thread while it is filled, any thread after that. */
#ifndef ECOSYS_COMMON_DOMAIN_SNAPSHOT_H
#define ECOSYS_COMMON_DOMAIN_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/decimal.h"
#include "common/domain/cnpj.h"
#include "common/domain/date.h"
#include "common/domain/tenant_logins.h"

#define GROUP_NONE          (-1)
#define DAYS_WITHOUT_EVENTS 9999

/* What a client counts as in the KPIs; set by score. */
enum client_role {
    CLIENT_ACTIVE = 1 << 0,
    CLIENT_PAYING = 1 << 1,
    CLIENT_ONBOARDING = 1 << 2,
    CLIENT_CHURNED = 1 << 3,
};

/* A client of the CRM. Texts without data, timestamps of kind TIMESTAMP_NONE, and has_valor or has_tmo being false
 * stand for SQL's NULL. */
struct client {
    int64_t id;
    struct bytes nome, razao_social;
    struct bytes vendedor, cs, status, pipeline;
    struct bytes motivos_churn, descricao_cancelamento;
    struct cnpj_shown cnpj;
    struct cnpj_key cnpj_key; /* only in the worker; meaningless unless has_cnpj_key */
    struct decimal valor;     /* reais; |valor| < 10^10 */
    struct timestamp data_adesao, data_start_onboarding, data_end_onboarding, data_cancelamento;
    struct timestamp criado_em, atualizado_em;
    int32_t tmo_days; /* end - start of onboarding, rounded down */
    int32_t group;    /* the CNPJ group it shares with tenants, or GROUP_NONE; set by score */
    uint32_t roles;   /* bits of enum client_role; set by score */
    bool has_valor;
    bool has_tmo;
    bool has_cnpj_key;
};

/* Rows of one kind of event of a tenant. */
struct event_stats {
    uint64_t count;     /* in the model's window, events_days */
    int32_t newest_day; /* DAY_NONE without any */
};

struct scores {
    int64_t pillar_cents[4]; /* by enum pillar, in hundredths */
    int64_t total_exact;     /* in 10^-8 */
    int64_t total_cents;
    uint32_t category; /* index into the model's categories */
};

/* A tenant of EcoSys. */
struct tenant {
    uint64_t id;
    struct bytes slug, name;
    struct cnpj_shown cnpj;
    struct cnpj_key cnpj_key; /* only in the worker; meaningless unless has_cnpj_key */
    struct event_stats logins, entries, outs, leads;
    const int64_t *integrators; /* connected, ascending, with duplicates; score drops those without a name */
    uint32_t integrators_count;
    int32_t group;        /* the CNPJ group, or GROUP_NONE; set by score */
    struct scores scores; /* set by score */
    uint64_t contracts_count;
    uint64_t team_size;  /* distinct users with a login in the last 30 days, LOGINS_DAYS */
    uint64_t store_size; /* active vehicles in stock that have not left */
    bool has_cnpj_key;
    bool is_normal; /* of the scored type */
    bool econversa_open;
    bool has_recent_message;
    bool has_recent_ad;
    bool has_recent_report;
};

/* The reference instant of a generation and when its snapshots were opened. */
struct instants {
    int64_t as_of_wall_us;  /* wall clock of TZ; its day is "today" */
    int32_t as_of_offset_s; /* of TZ, east of UTC, at that instant */
    int64_t taken_at_ms;    /* since 1970-01-01 UTC */
};

/* Invalid values that were replaced when they were read. */
struct replacements {
    uint64_t texts;  /* ill-formed UTF-8 sequences, each now U+FFFD */
    uint64_t values; /* numbers and timestamps no answer can hold, now null or rounded; truncated texts */
};

struct client_rows {
    struct arena arena;
    struct client *rows;
    size_t count;
    struct replacements replaced;
};

struct tenant_rows {
    struct arena arena;
    struct tenant *rows; /* by id */
    size_t count;
    struct login_user *users; /* by id */
    size_t users_count;
    struct login *logins; /* in the order of login_compare; only of tenants in `rows` */
    size_t logins_count;
    struct replacements replaced;
};

struct snapshot {
    struct instants instants;
    int64_t skew_us; /* between the openings of the two databases' snapshots */
    struct client_rows clients;
    struct tenant_rows tenants;
};

static inline int32_t instants_today(const struct instants *instants)
{
    return day_of_wall_us(instants->as_of_wall_us);
}

/* Calendar days from the newest event to today: negative if it is in the future, DAYS_WITHOUT_EVENTS if there is
 * none. */
static inline int32_t event_stats_days_since(struct event_stats stats, int32_t today)
{
    return stats.newest_day == DAY_NONE ? DAYS_WITHOUT_EVENTS : today - stats.newest_day;
}

#endif
