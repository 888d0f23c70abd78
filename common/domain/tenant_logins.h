/* common/domain/tenant_logins.h - recent logins, row by row, for /logins; scores do not use them. One thread while
 * being filled, any thread after that. */
#ifndef ECOSYS_COMMON_DOMAIN_TENANT_LOGINS_H
#define ECOSYS_COMMON_DOMAIN_TENANT_LOGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

/* Days before today: the window of /logins and of team size, whatever the model's windows are. */
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
    int64_t wall_us;     /* wall clock of TZ */
    uint64_t subject_id; /* the user's id, whether or not that user exists */
    uint32_t user;       /* index into the users, or LOGIN_WITHOUT_USER */
    bool has_subject;
};

/* All that one tenant's answer needs. */
struct tenant_logins {
    uint64_t tenant_id;
    const struct login *rows; /* newest first, ties by id, highest first */
    size_t count;
    const struct login_user *users;
    uint64_t unique_users; /* distinct subjects, NULL not counted */
    uint32_t days;         /* distinct days */
};

/* For qsort: by tenant, then newest first, then highest id first. */
int login_compare(const void *a, const void *b);

/* Takes the rows of one tenant, which begin at *next in the sorted rows, and advances *next past them. False when out
 * of memory. */
bool tenant_logins_take(const struct login *rows, size_t count, const struct login_user *users, size_t *next,
                        struct tenant_logins *out);

#endif
