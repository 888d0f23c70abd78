/* common/domain/scored_snapshot.h - what every answer is made of: rows in the order in which answers list them, with
 * scores, roles and matches, and prefix sums that make any filter's KPIs a subtraction. scored_snapshot_init and
 * scored_snapshot_clear own the arena. Filled by one thread (score in the worker, the codec in the API), immutable
 * after scored_snapshot_index; then any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_SCORED_SNAPSHOT_H
#define ECOSYS_COMMON_DOMAIN_SCORED_SNAPSHOT_H

#include "common/base/status.h"
#include "common/domain/kpis.h"
#include "common/domain/scoring_model.h"
#include "common/domain/snapshot.h"

struct scored_snapshot {
    struct arena arena;
    struct instants instants;
    struct scoring_model model;
    struct client *clients; /* without data_adesao first, then newest first, ties by id */
    size_t clients_count;
    struct tenant
        *tenants; /* scored ones that share a client's CNPJ: highest exact total first, ties by id */
    size_t tenants_count;
    size_t groups_count; /* CNPJs that a client and a scored tenant share */
    struct replacements replaced;

    /* Computed by scored_snapshot_index from the above. */
    size_t undated_count;     /* clients without data_adesao */
    int32_t *adhesion_days;   /* per client; meaningless for undated ones */
    struct client_sums *sums; /* of the clients before a place in the order; clients_count + 1 items */
    uint32_t *
        group_ends; /* by group: where its tenants end in group_tenants; they begin where the previous group's end */
    uint32_t *group_tenants; /* indexes of tenants, group by group */
};

/* The tenants that share a client's group; none for GROUP_NONE. */
struct group_tenants {
    const uint32_t *indexes;
    size_t count;
};

static inline struct group_tenants scored_snapshot_group(const struct scored_snapshot *scored, int32_t group)
{
    if (group == GROUP_NONE)
        return (struct group_tenants){NULL, 0};
    uint32_t start = group > 0 ? scored->group_ends[group - 1] : 0;
    return (struct group_tenants){scored->group_tenants + start, scored->group_ends[group] - start};
}

void scored_snapshot_init(struct scored_snapshot *scored);
void scored_snapshot_clear(struct scored_snapshot *scored);

/* Computes the last part of the struct. The rows must be in order and their groups and categories within range:
 * otherwise STATUS_CORRUPT names the row, so that a blob from elsewhere cannot lead to wrong numbers. STATUS_INVALID:
 * more clients than SUMMABLE_MAX. */
MUST_CHECK enum status scored_snapshot_index(struct scored_snapshot *scored, struct error *err);

/* The orders above, for qsort and the index check: negative when a comes before b. */
int client_compare(const struct client *a, const struct client *b);
int tenant_compare(const struct tenant *a, const struct tenant *b);

#endif
