/* common/domain/scored_snapshot.c - order, ranges of matches and prefix sums. */
#include "common/domain/scored_snapshot.h"

#include <inttypes.h>

void scored_snapshot_init(struct scored_snapshot *scored)
{
    *scored = (struct scored_snapshot){.clients = NULL};
    arena_init(&scored->arena);
}

void scored_snapshot_clear(struct scored_snapshot *scored)
{
    arena_clear(&scored->arena);
    scored_snapshot_init(scored);
}

int client_compare(const struct client *a, const struct client *b)
{
    bool a_dated = a->data_adesao.kind != TIMESTAMP_NONE, b_dated = b->data_adesao.kind != TIMESTAMP_NONE;
    if (a_dated != b_dated)
        return a_dated ? 1 : -1;
    if (a_dated && a->data_adesao.wall_us != b->data_adesao.wall_us)
        return a->data_adesao.wall_us > b->data_adesao.wall_us ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

int tenant_compare(const struct tenant *a, const struct tenant *b)
{
    if (a->scores.total_exact != b->scores.total_exact)
        return a->scores.total_exact > b->scores.total_exact ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static bool group_is_valid(const struct scored_snapshot *scored, int32_t group)
{
    return group >= 0 && (size_t)group < scored->groups_count;
}

static enum status check_rows(const struct scored_snapshot *scored, struct error *err)
{
    for (size_t i = 0; i < scored->clients_count; i++) {
        const struct client *client = &scored->clients[i];
        if (client->group != GROUP_NONE && !group_is_valid(scored, client->group))
            return error_set(err, STATUS_CORRUPT, "client %" PRId64 ": group %d of %zu", client->id,
                             client->group, scored->groups_count);
        if (i > 0 && client_compare(client - 1, client) >= 0)
            return error_set(err, STATUS_CORRUPT, "client %" PRId64 ": out of order or twice", client->id);
    }
    for (size_t i = 0; i < scored->tenants_count; i++) {
        const struct tenant *tenant = &scored->tenants[i];
        if (!group_is_valid(scored, tenant->group))
            return error_set(err, STATUS_CORRUPT, "tenant %" PRIu64 ": group %d of %zu", tenant->id,
                             tenant->group, scored->groups_count);
        if (tenant->scores.category >= scored->model.categories_count)
            return error_set(err, STATUS_CORRUPT, "tenant %" PRIu64 ": category %u of %zu", tenant->id,
                             tenant->scores.category, scored->model.categories_count);
        if (i > 0 && tenant_compare(tenant - 1, tenant) >= 0)
            return error_set(err, STATUS_CORRUPT, "tenant %" PRIu64 ": out of order or twice", tenant->id);
    }
    return STATUS_OK;
}

/* Lists tenants by group, keeping their order within each. */
static enum status index_groups(struct scored_snapshot *scored, struct error *err)
{
    uint32_t *ends = arena_take_array(&scored->arena, scored->groups_count + 1, sizeof *ends);
    uint32_t *tenants = arena_take_array(&scored->arena, scored->tenants_count + 1, sizeof *tenants);
    if (ends == NULL || tenants == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < scored->tenants_count; i++)
        ends[scored->tenants[i].group + 1]++; /* counts, shifted by one: they become starts, then ends */
    for (size_t group = 1; group <= scored->groups_count; group++)
        ends[group] += ends[group - 1];
    for (size_t i = 0; i < scored->tenants_count; i++)
        tenants[ends[scored->tenants[i].group]++] = (uint32_t)i;
    scored->group_ends = ends;
    scored->group_tenants = tenants;
    return STATUS_OK;
}

enum status scored_snapshot_index(struct scored_snapshot *scored, struct error *err)
{
    if (scored->clients_count > SUMMABLE_MAX)
        return error_set(err, STATUS_INVALID, "%zu clients, at most %d can be summed exactly",
                         scored->clients_count, SUMMABLE_MAX);
    if (scored->groups_count > scored->tenants_count)
        return error_set(err, STATUS_CORRUPT, "%zu groups of %zu tenants", scored->groups_count,
                         scored->tenants_count);
    if (check_rows(scored, err) != STATUS_OK)
        return err->code;
    size_t count = scored->clients_count;
    int32_t *days = arena_take_array(&scored->arena, count, sizeof *days);
    struct client_sums *sums = arena_take_array(&scored->arena, count + 1, sizeof *sums);
    if (days == NULL || sums == NULL)
        return error_no_memory(err);
    size_t undated = 0;
    for (size_t i = 0; i < count; i++) {
        const struct client *client = &scored->clients[i];
        undated += client->data_adesao.kind == TIMESTAMP_NONE;
        days[i] = day_of_wall_us(client->data_adesao.wall_us);
        sums[i + 1] = sums[i];
        client_sums_add(&sums[i + 1], client);
    }
    scored->undated_count = undated;
    scored->adhesion_days = days;
    scored->sums = sums;
    return index_groups(scored, err);
}
