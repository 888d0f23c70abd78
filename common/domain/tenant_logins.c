/* common/domain/tenant_logins.c - the order of logins, and the totals of one tenant. */
#include "common/domain/tenant_logins.h"

#include <stdlib.h>

#include "common/domain/date.h"

int login_compare(const void *a, const void *b)
{
    const struct login *left = a, *right = b;
    if (left->tenant_id != right->tenant_id)
        return left->tenant_id < right->tenant_id ? -1 : 1;
    if (left->wall_us != right->wall_us)
        return left->wall_us > right->wall_us ? -1 : 1;
    return (left->id < right->id) - (left->id > right->id);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static bool count_subjects(const struct login *rows, size_t count, uint64_t *unique)
{
    uint64_t *ids = malloc((count + 1) * sizeof *ids);
    size_t found = 0;
    if (ids == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (rows[i].has_subject)
            ids[found++] = rows[i].subject_id;
    qsort(ids, found, sizeof *ids, compare_ids);
    *unique = 0;
    for (size_t i = 0; i < found; i++)
        *unique += i == 0 || ids[i] != ids[i - 1];
    free(ids);
    return true;
}

bool tenant_logins_take(const struct login *rows, size_t count, const struct login_user *users, size_t *next,
                        struct tenant_logins *out)
{
    const struct login *first = &rows[*next];
    struct tenant_logins logins = {.tenant_id = first->tenant_id, .rows = first, .users = users};
    while (*next + logins.count < count && first[logins.count].tenant_id == first->tenant_id) {
        const struct login *row = &first[logins.count];
        logins.days += logins.count == 0 || day_of_wall_us(row->wall_us) != day_of_wall_us(row[-1].wall_us);
        logins.count++;
    }
    if (!count_subjects(first, logins.count, &logins.unique_users))
        return false;
    *next += logins.count;
    *out = logins;
    return true;
}
