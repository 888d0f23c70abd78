/* common/domain/answer.c - a filter is a slice of the clients in order; KPIs are differences of prefix sums. One sweep
 * finds which tenants belong to which answers: slices open and close along the way, and each client's tenants are added
 * to the open ones. */
#include "common/domain/answer.h"

#include <stdlib.h>

/* The first dated client whose day of adhesion is before `day`, or clients_count: days descend along the order. */
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

static void take_slice(const struct scored_snapshot *scored, struct answer *out)
{
    size_t end = scored->clients_count;
    if (!date_filter_is_open(out->filter)) {
        out->first_client = out->filter.last_day == DAY_MAX ? scored->undated_count
                                                            : first_before(scored, out->filter.last_day + 1);
        end = first_before(scored, out->filter.first_day);
    }
    out->clients_count = end - out->first_client;
    out->kpis.categories_count = (uint32_t)scored->model.categories_count;
    kpis_between(&scored->sums[out->first_client], &scored->sums[end], &out->kpis);
}

/* A place in the order of clients where an answer's slice begins or ends. */
struct edge {
    size_t place;
    uint32_t answer;
    bool is_end;
};

static int compare_edges(const void *a, const void *b)
{
    const struct edge *left = a, *right = b;
    return (left->place > right->place) - (left->place < right->place);
}

/* The answers whose slices are open at the sweep's current place. */
struct active {
    uint32_t *answers;
    size_t count;
};

static void meet_edge(struct active *active, const struct edge *edge)
{
    size_t at = 0;
    if (!edge->is_end) {
        active->answers[active->count++] = edge->answer;
        return;
    }
    while (active->answers[at] != edge->answer)
        at++;
    active->answers[at] = active->answers[--active->count];
}

static void pick_tenant(struct answer *answer, size_t tenant, uint32_t category)
{
    unsigned char bit = (unsigned char)(1u << (tenant % 8));
    if (answer->tenants[tenant / 8] & bit)
        return; /* already there, through another of its clients */
    answer->tenants[tenant / 8] |= bit;
    answer->tenants_count++;
    /* With an index it does not know, the analyzer assumes that the whole answer, `tenants` included, is
     * overwritten. */
    answer->kpis.in_category[category]++; /* NOLINT(clang-analyzer-unix.Malloc) */
}

static void meet_client(const struct scored_snapshot *scored, const struct active *active,
                        const struct client *client, struct answer *out)
{
    struct group_tenants group = scored_snapshot_group(scored, client->group);
    for (size_t i = 0; i < group.count; i++) {
        uint32_t tenant = group.indexes[i];
        for (size_t j = 0; j < active->count; j++)
            pick_tenant(&out[active->answers[j]], tenant, scored->tenants[tenant].scores.category);
    }
}

/* Visits each client once, for all the answers it belongs to. */
static void sweep(const struct scored_snapshot *scored, const struct edge *edges, size_t edges_count,
                  struct active *active, struct answer *out)
{
    size_t place = 0;
    for (size_t i = 0; i < edges_count; i++) {
        for (; active->count > 0 && place < edges[i].place; place++)
            meet_client(scored, active, &scored->clients[place], out);
        place = edges[i].place;
        meet_edge(active, &edges[i]);
    }
}

/* An empty slice has no edges: its end could be met before its beginning. */
static size_t list_edges(const struct answer *answers, size_t count, struct edge *edges)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t first = answers[i].first_client, end = first + answers[i].clients_count;
        if (first == end)
            continue;
        edges[found++] = (struct edge){first, (uint32_t)i, false};
        edges[found++] = (struct edge){end, (uint32_t)i, true};
    }
    if (found > 0)
        qsort(edges, found, sizeof *edges, compare_edges);
    return found;
}

static bool init_answers(const struct scored_snapshot *scored, const struct date_filter *filters,
                         size_t count, struct answer *out)
{
    bool is_complete = true;
    for (size_t i = 0; i < count; i++) {
        out[i] =
            (struct answer){.filter = filters[i], .tenants_len = answer_tenants_len(scored->tenants_count)};
        out[i].tenants = calloc(out[i].tenants_len, 1);
        is_complete = is_complete && out[i].tenants != NULL;
        take_slice(scored, &out[i]);
    }
    return is_complete;
}

enum status answer_all(const struct scored_snapshot *scored, const struct date_filter *filters, size_t count,
                       struct answer *out, struct error *err)
{
    struct edge *edges = calloc(count, 2 * sizeof *edges);
    struct active active = {calloc(count, sizeof *active.answers), 0};
    bool is_complete = init_answers(scored, filters, count, out);
    if (is_complete && edges != NULL && active.answers != NULL) {
        sweep(scored, edges, list_edges(out, count, edges), &active, out);
    } else {
        is_complete = false;
        for (size_t i = 0; i < count; i++)
            answer_clear(&out[i]);
    }
    free(active.answers);
    free(edges);
    return is_complete ? STATUS_OK : error_no_memory(err);
}

enum status answer(const struct scored_snapshot *scored, struct date_filter filter, struct answer *out,
                   struct error *err)
{
    struct answer made;
    enum status status = answer_all(scored, &filter, 1, &made, err);
    if (status == STATUS_OK)
        *out = made;
    return status;
}

void answer_clear(struct answer *answer)
{
    free(answer->tenants);
    *answer = (struct answer){.tenants = NULL};
}
