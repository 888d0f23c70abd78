/* common/domain/kpis.c - which client counts where. */
#include "common/domain/kpis.h"

#include <stdio.h>

void client_sums_add(struct client_sums *sums, const struct client *client)
{
    sums->active += (client->roles & CLIENT_ACTIVE) != 0;
    sums->paying += (client->roles & CLIENT_PAYING) != 0;
    sums->onboarding += (client->roles & CLIENT_ONBOARDING) != 0;
    if (client->has_tmo && client->tmo_days > 0) {
        sums->tmo_count++;
        sums->tmo_days += client->tmo_days;
    }
    if (client->has_valor && (client->roles & CLIENT_ACTIVE) != 0)
        decimal_sum_add(&sums->mrr, client->valor);
    if (client->has_valor && (client->roles & CLIENT_CHURNED) != 0)
        decimal_sum_add(&sums->churn, client->valor);
}

/* The mean in tenths, rounded as by C's %.1f. */
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

void kpis_between(const struct client_sums *from, const struct client_sums *to, struct kpis *out)
{
    out->active = to->active - from->active;
    out->paying = to->paying - from->paying;
    out->onboarding = to->onboarding - from->onboarding;
    out->mrr_cents = decimal_sum_cents(decimal_sum_difference(to->mrr, from->mrr));
    out->churn_cents = decimal_sum_cents(decimal_sum_difference(to->churn, from->churn));
    out->tmo_tenths = mean_tenths(to->tmo_days - from->tmo_days, to->tmo_count - from->tmo_count);
}
