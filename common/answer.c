/* common/answer.c - a filter is a slice of the clients in order; KPIs are differences of sums. */
#include "common/answer.h"

#include <stdio.h>
#include <stdlib.h>

/* The first dated client whose day of adhesion is before `day`, or clients_count: days fall along the order. */
static size_t first_before(const struct scored_snapshot *scored, int32_t day)
{
    size_t low = scored->undated_count, high = scored->clients_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scored->adhesion_days[middle] >= day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The mean as C's %.1f rounds the quotient, in tenths. */
static int64_t mean_tenths(int64_t sum, uint32_t count)
{
    char text[DECIMAL_TEXT_MAX];
    struct decimal value;
    int64_t tenths;
    if (count == 0)
        return 0;
    snprintf(text, sizeof text, "%.1f", (double)sum / (double)count);
    bool is_exact = decimal_parse(bytes_of(text), &value) && decimal_to_scaled(value, 1, &tenths);
    return is_exact ? tenths : 0;
}

static void compute_kpis(const struct client_sums *from, const struct client_sums *to, struct kpis *kpis)
{
    struct decimal_sum mrr = {to->mrr.units - from->mrr.units};
    struct decimal_sum churn = {to->churn.units - from->churn.units};
    kpis->active = to->active - from->active;
    kpis->paying = to->paying - from->paying;
    kpis->onboarding = to->onboarding - from->onboarding;
    kpis->mrr_cents = decimal_sum_cents(mrr);
    kpis->churn_cents = decimal_sum_cents(churn);
    kpis->tmo_tenths = mean_tenths(to->tmo_days - from->tmo_days, to->tmo_count - from->tmo_count);
}

static void pick_tenants(const struct scored_snapshot *scored, unsigned char *groups, struct answer *out)
{
    for (size_t i = 0; i < out->clients_count; i++) {
        int32_t group = scored->clients[out->first_client + i].group;
        if (group != GROUP_NONE)
            groups[group] = 1;
    }
    for (size_t i = 0; i < scored->tenants_count; i++) {
        const struct tenant *tenant = &scored->tenants[i];
        if (!groups[tenant->group])
            continue;
        out->tenants[i / 8] |= (unsigned char)(1u << (i % 8));
        out->tenants_count++;
        out->kpis.in_category[tenant->scores.category]++;
    }
}

enum status answer(const struct scored_snapshot *scored, struct date_filter filter, struct answer *out,
                   struct error *err)
{
    struct answer made = {.filter = filter, .tenants_len = answer_tenants_len(scored->tenants_count)};
    unsigned char *groups = calloc(scored->groups_count + 1, 1);
    made.tenants = calloc(made.tenants_len, 1);
    if (groups == NULL || made.tenants == NULL) {
        free(groups);
        free(made.tenants);
        return error_no_memory(err);
    }
    size_t end = scored->clients_count;
    if (!date_filter_is_open(filter)) {
        made.first_client =
            filter.last_day == DAY_MAX ? scored->undated_count : first_before(scored, filter.last_day + 1);
        end = first_before(scored, filter.first_day);
    }
    made.clients_count = end - made.first_client;
    made.kpis.categories_count = (uint32_t)scored->model.categories_count;
    compute_kpis(&scored->sums[made.first_client], &scored->sums[end], &made.kpis);
    pick_tenants(scored, groups, &made);
    free(groups);
    *out = made;
    return STATUS_OK;
}

void answer_clear(struct answer *answer)
{
    free(answer->tenants);
    *answer = (struct answer){.tenants = NULL};
}
