/* common/domain/kpis.h - the KPIs over a set of clients. Every number of a client is added to sums, and any slice of the
 * clients in order is the difference of two of them, so its KPIs cost a subtraction. Pure; any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_KPIS_H
#define ECOSYS_COMMON_DOMAIN_KPIS_H

#include "common/domain/scoring_model.h"
#include "common/domain/snapshot.h"

struct kpis {
    uint32_t active, paying, onboarding; /* clients */
    int64_t mrr_cents, churn_cents;
    int64_t tmo_tenths;                   /* tenths of a day: the mean, rounded as by C's %.1f */
    uint32_t in_category[CATEGORIES_MAX]; /* tenants per category of the model; for others to fill in */
    uint32_t categories_count;
};

/* Sums over clients. */
struct client_sums {
    uint32_t active;
    uint32_t paying;
    uint32_t onboarding;
    uint32_t tmo_count; /* clients whose tmo is > 0 */
    int64_t tmo_days;
    struct decimal_sum mrr;
    struct decimal_sum churn;
};

/* Adds one client by its roles (score gives them): the valor of active clients is MRR, that of churned ones is churn.
 * Without a valor it counts as a client, and adds to neither. */
void client_sums_add(struct client_sums *sums, const struct client *client);

/* The KPIs of the clients that are in `to` and not in `from`; leaves those about tenants alone. */
void kpis_between(const struct client_sums *from, const struct client_sums *to, struct kpis *out);

#endif
