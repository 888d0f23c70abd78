/* worker/sources/ecosys_rows.c - what each query's rows mean. */
#include "worker/sources/ecosys_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/domain/date.h"

#define FIRST_CAPACITY 1024

static struct bytes cell(const struct ecosys_row *row, unsigned column)
{
    if (row->cells[column] == NULL)
        return (struct bytes){NULL, 0};
    return (struct bytes){row->cells[column], row->lens[column]};
}

/* Makes room for one more item of an array in the arena, which does not grow in place: doubling wastes less than the
 * final size. Returns NULL and sets the reader's out_of_memory when there is no memory. */
static void *grow(struct ecosys_rows *rows, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
    void *grown = arena_take_array(rows->reader.arena, larger, size);
    if (grown == NULL) {
        rows->reader.out_of_memory = true;
        return NULL;
    }
    if (count > 0)
        memcpy(grown, items, count * size);
    *capacity = larger;
    return grown;
}

static int compare_tenants(const void *a, const void *b)
{
    const struct tenant *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static int compare_users(const void *a, const void *b)
{
    const struct login_user *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

/* NULL for a tenant that no longer exists: its rows count nowhere. */
static struct tenant *find_tenant(const struct tenant_rows *rows, uint64_t id)
{
    struct tenant key = {.id = id};
    return rows->count > 0 ? bsearch(&key, rows->rows, rows->count, sizeof key, compare_tenants) : NULL;
}

static const struct login_user *find_user(const struct tenant_rows *rows, uint64_t id)
{
    struct login_user key = {.id = id};
    return rows->users_count > 0 ? bsearch(&key, rows->users, rows->users_count, sizeof key, compare_users)
                                 : NULL;
}

static enum status refuse_id(const char *column, struct bytes id, struct error *err)
{
    return error_set(err, STATUS_INVALID, "MySQL: %s '%.*s' is not a whole number from 0 to 2^64 - 1", column,
                     (int)(id.len < 64 ? id.len : 64), id.data != NULL ? id.data : "");
}

static enum status take_tenant(struct ecosys_rows *rows, const struct ecosys_row *row, struct error *err)
{
    struct tenant_rows *out = rows->out;
    struct value_reader *reader = &rows->reader;
    const struct event_stats none = {0, DAY_NONE};
    struct tenant tenant = {
        .group = GROUP_NONE, .logins = none, .entries = none, .outs = none, .leads = none};
    struct bytes id = cell(row, 0);
    if (!value_parse_uint(id, &tenant.id))
        return refuse_id("tenants.id", id, err);
    struct tenant *tenants = grow(rows, out->rows, out->count, &rows->tenants_capacity, sizeof *tenants);
    if (tenants == NULL)
        return error_no_memory(err);
    tenant.slug = value_text(reader, cell(row, 1));
    tenant.name = value_text(reader, cell(row, 2));
    tenant.cnpj = value_cnpj(reader, cell(row, 3), &tenant.cnpj_key, &tenant.has_cnpj_key);
    tenant.is_normal = bytes_is(cell(row, 4), "1");
    tenants[out->count++] = tenant;
    out->rows = tenants;
    return STATUS_OK;
}

static enum status take_user(struct ecosys_rows *rows, const struct ecosys_row *row, struct error *err)
{
    struct tenant_rows *out = rows->out;
    struct login_user user = {.has_tenant = false};
    if (!value_parse_uint(cell(row, 0), &user.id))
        return refuse_id("users.id", cell(row, 0), err);
    struct login_user *users = grow(rows, out->users, out->users_count, &rows->users_capacity, sizeof *users);
    if (users == NULL)
        return error_no_memory(err);
    user.has_tenant = value_parse_uint(cell(row, 1), &user.tenant_id);
    user.name = value_text(&rows->reader, cell(row, 2));
    user.email = value_text(&rows->reader, cell(row, 3));
    users[out->users_count++] = user;
    out->users = users;
    return STATUS_OK;
}

/* A login counts for its tenant or, where that is NULL, for its user's tenant; without either, nowhere. */
static struct tenant *tenant_of_login(const struct tenant_rows *rows, struct bytes tenant,
                                      const struct login_user *user)
{
    uint64_t id;
    if (tenant.data != NULL)
        return value_parse_uint(tenant, &id) ? find_tenant(rows, id) : NULL;
    return user != NULL && user->has_tenant ? find_tenant(rows, user->tenant_id) : NULL;
}

static void meet_event(struct event_stats *stats, struct timestamp when)
{
    int32_t day = day_of_wall_us(when.wall_us);
    if (when.kind != TIMESTAMP_NONE && day > stats->newest_day)
        stats->newest_day = day;
}

/* A reference that is not a number refers to nobody; it is counted as a replaced value. */
static void count_misfit(struct ecosys_rows *rows, struct bytes reference)
{
    uint64_t ignored;
    if (reference.data != NULL && !value_parse_uint(reference, &ignored))
        rows->reader.replaced->values++;
}

/* Counts for the score within the model's window, and is kept for /logins within its own. */
static enum status take_login(struct ecosys_rows *rows, const struct ecosys_row *row, struct error *err)
{
    struct tenant_rows *out = rows->out;
    struct login login = {.user = LOGIN_WITHOUT_USER};
    int32_t ignored;
    if (!value_parse_uint(cell(row, 0), &login.id))
        return refuse_id("activity_log.id", cell(row, 0), err);
    count_misfit(rows, cell(row, 1));
    count_misfit(rows, cell(row, 2));
    login.has_subject = value_parse_uint(cell(row, 2), &login.subject_id);
    const struct login_user *user = login.has_subject ? find_user(out, login.subject_id) : NULL;
    struct tenant *tenant = tenant_of_login(out, cell(row, 1), user);
    struct timestamp when = value_timestamp(&rows->reader, cell(row, 3), &ignored);
    if (tenant == NULL || when.kind == TIMESTAMP_NONE)
        return STATUS_OK;
    if (when.wall_us >= rows->events_since_us)
        tenant->logins.count++;
    meet_event(&tenant->logins, when);
    if (when.wall_us < rows->logins_since_us)
        return STATUS_OK;
    struct login *logins = grow(rows, out->logins, out->logins_count, &rows->logins_capacity, sizeof *logins);
    if (logins == NULL)
        return error_no_memory(err);
    login.tenant_id = tenant->id;
    login.wall_us = when.wall_us;
    if (user != NULL)
        login.user = (uint32_t)(user - out->users);
    logins[out->logins_count++] = login;
    out->logins = logins;
    return STATUS_OK;
}

/* A zero date is neither an event nor a replaced value. */
static void take_newest(struct ecosys_rows *rows, struct bytes newest, struct event_stats *stats)
{
    static const char zero_date[] = "0000-00-00";
    int32_t ignored;
    if (newest.data != NULL && strncmp(newest.data, zero_date, sizeof zero_date - 1) != 0)
        meet_event(stats, value_timestamp(&rows->reader, newest, &ignored));
}

/* Columns: tenant, user, newest instant. */
static void take_newest_login(struct ecosys_rows *rows, const struct ecosys_row *row)
{
    uint64_t id;
    const struct login_user *user = value_parse_uint(cell(row, 1), &id) ? find_user(rows->out, id) : NULL;
    struct tenant *tenant = tenant_of_login(rows->out, cell(row, 0), user);
    if (tenant != NULL)
        take_newest(rows, cell(row, 2), &tenant->logins);
}

/* The handlers below get a row whose first column names the tenant and store the rest in `field` of it. */

/* Columns: tenant, rows in the window, newest instant. */
static void take_events(struct ecosys_rows *rows, const struct ecosys_row *row, void *field)
{
    struct event_stats *stats = field;
    uint64_t count = 0;
    if (value_parse_uint(cell(row, 1), &count))
        stats->count += count;
    take_newest(rows, cell(row, 2), stats);
}

/* Columns: tenant. */
static void take_flag(struct ecosys_rows *rows, const struct ecosys_row *row, void *field)
{
    (void)rows;
    (void)row;
    *(bool *)field = true;
}

/* Columns: tenant, count. A tenant id written in several ways ("7", "07") comes in several rows. */
static void take_count(struct ecosys_rows *rows, const struct ecosys_row *row, void *field)
{
    uint64_t count = 0;
    (void)rows;
    if (value_parse_uint(cell(row, 1), &count))
        *(uint64_t *)field += count;
}

static const struct {
    void (*take)(struct ecosys_rows *rows, const struct ecosys_row *row, void *field);
    size_t offset; /* of the field in struct tenant */
} HANDLERS[QUERY_COUNT] = {
    [QUERY_ENTRIES] = {take_events, offsetof(struct tenant, entries)},
    [QUERY_NEWEST_ENTRIES] = {take_events, offsetof(struct tenant, entries)},
    [QUERY_OUTS] = {take_events, offsetof(struct tenant, outs)},
    [QUERY_NEWEST_OUTS] = {take_events, offsetof(struct tenant, outs)},
    [QUERY_LEADS] = {take_events, offsetof(struct tenant, leads)},
    [QUERY_NEWEST_LEADS] = {take_events, offsetof(struct tenant, leads)},
    [QUERY_MESSAGES] = {take_flag, offsetof(struct tenant, has_recent_message)},
    [QUERY_ADS] = {take_flag, offsetof(struct tenant, has_recent_ad)},
    [QUERY_REPORTS] = {take_flag, offsetof(struct tenant, has_recent_report)},
    [QUERY_CONTRACTS] = {take_count, offsetof(struct tenant, contracts_count)},
    [QUERY_STORES] = {take_count, offsetof(struct tenant, store_size)},
};

static size_t trimmed_len(struct bytes text)
{
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text.len;
}

static int small_letter(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* Compares names as servers do, as far as all case-insensitive collations agree: ignoring the case of ASCII letters and
 * trailing blanks. */
static int compare_names(const void *a, const void *b)
{
    const struct bytes *left = a, *right = b;
    size_t left_len = trimmed_len(*left), right_len = trimmed_len(*right);
    for (size_t i = 0; i < left_len && i < right_len; i++) {
        int difference = small_letter(left->data[i]) - small_letter(right->data[i]);
        if (difference != 0)
            return difference;
    }
    return (left_len > right_len) - (left_len < right_len);
}

/* Columns: name. It is cleaned as slugs are; replacements are not counted, as it is shown nowhere. */
static enum status take_open_name(struct ecosys_rows *rows, const struct ecosys_row *row, struct error *err)
{
    struct replacements ignored = {0};
    struct value_reader reader = {rows->reader.arena, &ignored, false};
    struct bytes name = value_text(&reader, cell(row, 0));
    struct bytes *names =
        grow(rows, rows->open_names, rows->open_names_count, &rows->open_names_capacity, sizeof *names);
    if (names == NULL || reader.out_of_memory)
        return error_no_memory(err);
    rows->open_names = names;
    if (name.data != NULL)
        names[rows->open_names_count++] = name;
    return STATUS_OK;
}

/* A tenant's configurations are those named like its slug. */
static void match_open_names(struct ecosys_rows *rows)
{
    if (rows->open_names_count == 0)
        return;
    qsort(rows->open_names, rows->open_names_count, sizeof *rows->open_names, compare_names);
    for (size_t i = 0; i < rows->out->count; i++) {
        struct tenant *tenant = &rows->out->rows[i];
        tenant->econversa_open =
            tenant->slug.data != NULL && bsearch(&tenant->slug, rows->open_names, rows->open_names_count,
                                                 sizeof *rows->open_names, compare_names) != NULL;
    }
}

/* Columns: tenant, integrator. */
static enum status take_integrator(struct ecosys_rows *rows, const struct ecosys_row *row, struct error *err)
{
    uint64_t tenant_id;
    struct integrator_row integrator;
    if (!value_parse_uint(cell(row, 0), &tenant_id) || !value_parse_int(cell(row, 1), &integrator.id))
        return STATUS_OK;
    integrator.tenant = find_tenant(rows->out, tenant_id);
    if (integrator.tenant == NULL)
        return STATUS_OK;
    struct integrator_row *integrators = grow(rows, rows->integrators, rows->integrators_count,
                                              &rows->integrators_capacity, sizeof *integrators);
    if (integrators == NULL)
        return error_no_memory(err);
    integrators[rows->integrators_count++] = integrator;
    rows->integrators = integrators;
    return STATUS_OK;
}

static int compare_integrators(const void *a, const void *b)
{
    const struct integrator_row *left = a, *right = b;
    int by_tenant = compare_tenants(left->tenant, right->tenant);
    return by_tenant != 0 ? by_tenant : (left->id > right->id) - (left->id < right->id);
}

/* Makes each tenant's integrators contiguous in one array. */
static enum status place_integrators(struct ecosys_rows *rows, struct error *err)
{
    int64_t *ids = arena_take_array(rows->reader.arena, rows->integrators_count + 1, sizeof *ids);
    if (ids == NULL)
        return error_no_memory(err);
    if (rows->integrators_count > 0)
        qsort(rows->integrators, rows->integrators_count, sizeof *rows->integrators, compare_integrators);
    for (size_t i = 0; i < rows->integrators_count; i++) {
        struct tenant *tenant = rows->integrators[i].tenant;
        ids[i] = rows->integrators[i].id;
        if (tenant->integrators_count++ == 0)
            tenant->integrators = &ids[i];
    }
    return STATUS_OK;
}

static enum status place_tenants(struct tenant_rows *out, struct error *err)
{
    if (out->count > 0)
        qsort(out->rows, out->count, sizeof *out->rows, compare_tenants);
    for (size_t i = 1; i < out->count; i++)
        if (out->rows[i].id == out->rows[i - 1].id)
            return error_set(err, STATUS_INVALID, "MySQL: tenant %" PRIu64 " occurs twice", out->rows[i].id);
    return STATUS_OK;
}

void ecosys_rows_begin(struct ecosys_rows *rows, struct tenant_rows *out, const struct scoring_model *model,
                       int32_t today)
{
    *rows = (struct ecosys_rows){
        .out = out,
        .reader = {&out->arena, &out->replaced, false},
        .events_since_us = (today - model->windows.events_days) * US_PER_DAY,
        .logins_since_us = (int64_t)(today - LOGINS_DAYS) * US_PER_DAY,
    };
}

static enum status take(struct ecosys_rows *rows, enum ecosys_query query, const struct ecosys_row *row,
                        struct error *err)
{
    uint64_t id;
    if (query == QUERY_TENANTS)
        return take_tenant(rows, row, err);
    if (query == QUERY_USERS)
        return take_user(rows, row, err);
    if (query == QUERY_LOGIN_ROWS)
        return take_login(rows, row, err);
    if (query == QUERY_INTEGRATORS)
        return take_integrator(rows, row, err);
    if (query == QUERY_ECONVERSA)
        return take_open_name(rows, row, err);
    if (query == QUERY_NEWEST_LOGINS || query == QUERY_NEWEST_LOGINS_BY_USER) {
        take_newest_login(rows, row);
        return STATUS_OK;
    }
    struct tenant *tenant = value_parse_uint(cell(row, 0), &id) ? find_tenant(rows->out, id) : NULL;
    if (tenant != NULL)
        HANDLERS[query].take(rows, row, (char *)tenant + HANDLERS[query].offset);
    return STATUS_OK;
}

enum status ecosys_rows_take(struct ecosys_rows *rows, enum ecosys_query query, const struct ecosys_row *row,
                             struct error *err)
{
    if (take(rows, query, row, err) != STATUS_OK)
        return err->code;
    return rows->reader.out_of_memory ? error_no_memory(err) : STATUS_OK;
}

enum status ecosys_rows_end(struct ecosys_rows *rows, enum ecosys_query query, struct error *err)
{
    struct tenant_rows *out = rows->out;
    if (query == QUERY_TENANTS)
        return place_tenants(out, err);
    if (query == QUERY_INTEGRATORS)
        return place_integrators(rows, err);
    if (query == QUERY_ECONVERSA)
        match_open_names(rows);
    if (query == QUERY_USERS && out->users_count > 0)
        qsort(out->users, out->users_count, sizeof *out->users, compare_users);
    return STATUS_OK;
}

enum status ecosys_rows_finish(struct ecosys_rows *rows, struct error *err)
{
    struct tenant_rows *out = rows->out;
    if (out->logins_count > 0)
        qsort(out->logins, out->logins_count, sizeof *out->logins, login_compare);
    for (size_t next = 0; next < out->logins_count;) {
        struct tenant_logins logins;
        if (!tenant_logins_take(out->logins, out->logins_count, out->users, &next, &logins))
            return error_no_memory(err);
        find_tenant(out, logins.tenant_id)->team_size = logins.unique_users;
    }
    return STATUS_OK;
}
