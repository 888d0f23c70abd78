/* common/domain/answer.h - the second of the two functions that compute every number: takes a scored snapshot and a
 * filter, returns the clients, the tenants and the KPIs. The worker calls it for buckets, the API for everything else,
 * so a bucket and an answer computed on demand cannot differ. Pure: no clock, no I/O; any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_ANSWER_H
#define ECOSYS_COMMON_DOMAIN_ANSWER_H

#include "common/domain/date_filter.h"
#include "common/domain/kpis.h"
#include "common/domain/scored_snapshot.h"

struct answer {
    struct date_filter filter;
    size_t first_client, clients_count; /* a slice of the snapshot's clients */
    unsigned char *tenants;             /* owned: one bit per tenant of the snapshot, lowest bit first */
    size_t tenants_len;                 /* bytes */
    size_t tenants_count;               /* bits set */
    struct kpis kpis;
};

/* Answers all filters in one pass over the clients in order. A client without a day of adhesion passes only a filter
 * without bounds. The caller frees each answer with answer_clear. Fails only when out of memory, and then leaves
 * nothing to free. */
MUST_CHECK enum status answer_all(const struct scored_snapshot *scored, const struct date_filter *filters,
                                  size_t count, struct answer *out, struct error *err);

/* The same for one filter. */
MUST_CHECK enum status answer(const struct scored_snapshot *scored, struct date_filter filter,
                              struct answer *out, struct error *err);

void answer_clear(struct answer *answer);

static inline bool answer_has_tenant(const struct answer *answer, size_t tenant)
{
    return (answer->tenants[tenant / 8] >> (tenant % 8) & 1) != 0;
}

/* Bytes needed for one bit per tenant; at least one. */
static inline size_t answer_tenants_len(size_t tenants_count)
{
    return tenants_count / 8 + 1;
}

#endif
