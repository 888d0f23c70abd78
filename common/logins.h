/* common/logins.h - logins of the last days, row by row: for /logins, not for scores. One thread while filled, any
 * thread after. */
#ifndef ECOSYS_COMMON_LOGINS_H
#define ECOSYS_COMMON_LOGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

/* Before today: the window of /logins and of a team's size, whatever the model's windows are. */
#define LOGINS_DAYS 30

#define LOGIN_WITHOUT_USER UINT32_MAX

/* A user of EcoSys. */
struct login_user {
    uint64_t id;
    uint64_t tenant_id;
    bool has_tenant;
    struct bytes name, email;
};

struct login {
    uint64_t id;
    uint64_t tenant_id;
    int64_t wall_us;     /* on TZ's wall clock */
    uint64_t subject_id; /* the user's id, whether or not there is such a user */
    uint32_t user;       /* index into the users, or LOGIN_WITHOUT_USER */
    bool has_subject;
};

/* Everything that one tenant's answer is made of. */
struct tenant_logins {
    uint64_t tenant_id;
    const struct login *rows; /* newest first, ties by id, highest first */
    size_t count;
    const struct login_user *users;
    uint64_t unique_users; /* distinct subjects that are not NULL */
    uint32_t days;         /* distinct days */
};

/* By tenant, then newest first, then highest id first: as qsort wants it. */
int login_compare(const void *a, const void *b);

/* The tenant's rows begin at *next of the sorted rows; *next moves behind them. False when memory is out. */
bool tenant_logins_take(const struct login *rows, size_t count, const struct login_user *users, size_t *next,
                        struct tenant_logins *out);

#endif
