/* common/domain/score.c - points, pillars, totals; roles; matching by CNPJ; order. */
#include "common/domain/score.h"

#include <stdlib.h>

/* POINTS_SCALE to hundredths. */
#define POINTS_PER_CENT 10000

/* TOTAL_SCALE to hundredths. */
#define TOTAL_PER_CENT 1000000

static int64_t recency_points(struct bands bands, int32_t days)
{
    for (size_t i = 0; i < bands.count; i++)
        if (days <= bands.items[i].limit)
            return bands.items[i].points;
    return 0;
}

static int64_t volume_points(struct bands bands, uint64_t count)
{
    for (size_t i = 0; i < bands.count; i++)
        if (count > (uint64_t)bands.items[i].limit)
            return bands.items[i].points;
    return 0;
}

static uint64_t size_of(const struct tenant *tenant, enum size_measure measure)
{
    switch (measure) {
    case SIZE_TEAM:
        return tenant->team_size;
    case SIZE_STORE:
        return tenant->store_size;
    case SIZE_NONE:
        break;
    }
    return 0;
}

/* The volume bands for the tenant's size. */
static struct bands volume_of(const struct event_bands *bands, const struct tenant *tenant)
{
    uint64_t size = size_of(tenant, bands->measure);
    size_t i = 0;
    while (i + 1 < bands->volumes_count && size > (uint64_t)bands->volumes[i].up_to)
        i++;
    return bands->volumes[i].bands;
}

static int64_t event_points(const struct event_bands *bands, const struct tenant *tenant,
                            struct event_stats stats, int32_t today)
{
    return recency_points(bands->recency, event_stats_days_since(stats, today)) +
           volume_points(volume_of(bands, tenant), stats.count);
}

static int64_t points_to_cents(int64_t points, int64_t parts)
{
    return (int64_t)divide_half_away(points, parts * POINTS_PER_CENT);
}

static int64_t adoption_points(const struct tenant *tenant, const struct adoption_points *points)
{
    int64_t sum = 0;
    if (tenant->econversa_open && tenant->has_recent_message)
        sum += points->econversa;
    if (tenant->has_recent_ad)
        sum += points->integrator_ads;
    if (tenant->has_recent_report)
        sum += points->reports;
    if (tenant->contracts_count >= (uint64_t)points->contracts_at_least)
        sum += points->contracts;
    return sum;
}

static uint32_t category_of(const struct scoring_model *model, int64_t total_exact)
{
    uint32_t category = 0;
    while (total_exact > model->categories[category].up_to)
        category++;
    return category;
}

struct scores scores_complete(const struct scoring_model *model, struct scores pillars, int64_t total_exact)
{
    pillars.total_exact = total_exact;
    pillars.total_cents = (int64_t)divide_half_away(total_exact, TOTAL_PER_CENT);
    pillars.category = category_of(model, total_exact);
    return pillars;
}

struct scores score_tenant(const struct tenant *tenant, const struct scoring_model *model, int32_t today)
{
    struct scores scores = {.total_exact = 0};
    const struct event_bands *stock = &model->events[PILLAR_STOCK];
    scores.pillar_cents[PILLAR_ENGAGEMENT] =
        points_to_cents(event_points(&model->events[PILLAR_ENGAGEMENT], tenant, tenant->logins, today), 2);
    scores.pillar_cents[PILLAR_STOCK] = points_to_cents(event_points(stock, tenant, tenant->entries, today) +
                                                            event_points(stock, tenant, tenant->outs, today),
                                                        4);
    scores.pillar_cents[PILLAR_CRM] =
        points_to_cents(event_points(&model->events[PILLAR_CRM], tenant, tenant->leads, today), 2);
    scores.pillar_cents[PILLAR_ADOPTION] = points_to_cents(adoption_points(tenant, &model->adoption), 1);
    int64_t total_exact = 0;
    for (int pillar = 0; pillar < PILLAR_COUNT; pillar++)
        total_exact += model->weights[pillar] * scores.pillar_cents[pillar];
    return scores_complete(model, scores, total_exact);
}

uint32_t client_roles(const struct client *client, const struct scoring_model *model)
{
    uint32_t roles = 0;
    if (client->pipeline.data == NULL)
        return 0;
    if (names_contain(model->active_pipelines, client->pipeline)) {
        roles |= CLIENT_ACTIVE;
        if (client->has_valor && decimal_is_positive(client->valor))
            roles |= CLIENT_PAYING;
    }
    if (client->data_end_onboarding.kind == TIMESTAMP_NONE &&
        names_contain(model->onboarding_pipelines, client->pipeline))
        roles |= CLIENT_ONBOARDING;
    if (names_contain(model->churn_pipelines, client->pipeline))
        roles |= CLIENT_CHURNED;
    return roles;
}

/* The CNPJ of a client; it gets its group number when the first scored tenant shares it. */
struct cnpj_group {
    struct cnpj_key key;
    int32_t group;
};

static int compare_groups(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct cnpj_key));
}

_Static_assert(offsetof(struct cnpj_group, key) == 0, "groups are found by their key alone");

/* The distinct keys of the clients, sorted. */
static struct cnpj_group *client_keys(const struct client_rows *clients, size_t *count)
{
    struct cnpj_group *keys = calloc(clients->count + 1, sizeof *keys);
    if (keys == NULL)
        return NULL;
    size_t found = 0, distinct = 0;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->rows[i].has_cnpj_key)
            keys[found++] = (struct cnpj_group){clients->rows[i].cnpj_key, GROUP_NONE};
    qsort(keys, found, sizeof *keys, compare_groups);
    for (size_t i = 0; i < found; i++)
        if (distinct == 0 || compare_groups(&keys[i], &keys[distinct - 1]) != 0)
            keys[distinct++] = keys[i];
    *count = distinct;
    return keys;
}

static struct cnpj_group *find_group(struct cnpj_group *keys, size_t count, const struct cnpj_key *key)
{
    return bsearch(key, keys, count, sizeof *keys, compare_groups);
}

static int compare_client_rows(const void *a, const void *b)
{
    return client_compare(a, b);
}

static int compare_tenant_rows(const void *a, const void *b)
{
    return tenant_compare(a, b);
}

/* Drops integrators without a name; the ids stay in order. */
static bool keep_named_integrators(struct scored_snapshot *out, struct tenant *tenant)
{
    int64_t *named = arena_take_array(&out->arena, tenant->integrators_count, sizeof *named);
    if (named == NULL)
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < tenant->integrators_count; i++)
        if (scoring_model_integrator_name(&out->model, tenant->integrators[i]).data != NULL)
            named[count++] = tenant->integrators[i];
    tenant->integrators = named;
    tenant->integrators_count = count;
    return true;
}

static enum status score_tenants(const struct snapshot *snapshot, struct cnpj_group *keys, size_t keys_count,
                                 struct scored_snapshot *out, struct error *err)
{
    int32_t today = instants_today(&snapshot->instants);
    out->tenants = arena_take_array(&out->arena, snapshot->tenants.count, sizeof *out->tenants);
    if (out->tenants == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < snapshot->tenants.count; i++) {
        const struct tenant *row = &snapshot->tenants.rows[i];
        struct cnpj_group *group =
            row->is_normal && row->has_cnpj_key ? find_group(keys, keys_count, &row->cnpj_key) : NULL;
        if (group == NULL)
            continue;
        if (group->group == GROUP_NONE)
            group->group = (int32_t)out->groups_count++;
        struct tenant *tenant = &out->tenants[out->tenants_count++];
        *tenant = *row;
        tenant->group = group->group;
        tenant->scores = score_tenant(tenant, &out->model, today);
        if (!keep_named_integrators(out, tenant))
            return error_no_memory(err);
    }
    qsort(out->tenants, out->tenants_count, sizeof *out->tenants, compare_tenant_rows);
    return STATUS_OK;
}

static enum status order_clients(const struct snapshot *snapshot, struct cnpj_group *keys, size_t keys_count,
                                 struct scored_snapshot *out, struct error *err)
{
    size_t count = snapshot->clients.count;
    out->clients = arena_take_array(&out->arena, count, sizeof *out->clients);
    if (out->clients == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct client *client = &out->clients[i];
        *client = snapshot->clients.rows[i];
        client->roles = client_roles(client, &out->model);
        client->group =
            client->has_cnpj_key ? find_group(keys, keys_count, &client->cnpj_key)->group : GROUP_NONE;
    }
    out->clients_count = count;
    qsort(out->clients, count, sizeof *out->clients, compare_client_rows);
    return STATUS_OK;
}

enum status score(const struct snapshot *snapshot, const struct scoring_model *model,
                  struct scored_snapshot *out, struct error *err)
{
    size_t keys_count;
    struct cnpj_group *keys = client_keys(&snapshot->clients, &keys_count);
    if (keys == NULL)
        return error_no_memory(err);
    out->instants = snapshot->instants;
    out->model = *model;
    out->replaced.texts = snapshot->clients.replaced.texts + snapshot->tenants.replaced.texts;
    out->replaced.values = snapshot->clients.replaced.values + snapshot->tenants.replaced.values;
    enum status status = score_tenants(snapshot, keys, keys_count, out, err);
    if (status == STATUS_OK)
        status = order_clients(snapshot, keys, keys_count, out, err);
    if (status == STATUS_OK)
        status = scored_snapshot_index(out, err);
    free(keys);
    return status;
}
