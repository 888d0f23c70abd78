/* common/stored/codec_logins.h - one tenant's logins as stored: parts of at most a chunk, each with the users it refers
 * to. Also the ids of all tenants, to tell "no logins" from "no such tenant". Any thread. */
#ifndef ECOSYS_COMMON_STORED_CODEC_LOGINS_H
#define ECOSYS_COMMON_STORED_CODEC_LOGINS_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/domain/tenant_logins.h"

/* Appends a part with as many rows from *next on as fit, and advances *next past them. */
MUST_CHECK enum status codec_pack_logins(const struct tenant_logins *logins, size_t *next, struct buffer *out,
                                         struct error *err);

/* The head, the same in every part of a tenant. */
struct logins_head {
    uint64_t tenant_id;
    uint64_t total;
    uint64_t unique_users;
    uint32_t days;
};

/* A row as stored, with its user's texts. */
struct stored_login {
    uint64_t id;
    int64_t wall_us;
    struct bytes name, email; /* no data: the login has no user */
};

struct logins_part {
    struct logins_head head;
    struct stored_login *rows; /* in the arena */
    size_t count;
};

MUST_CHECK enum status codec_unpack_logins(struct bytes blob, struct arena *arena, struct logins_part *out,
                                           struct error *err);

/* Appends a chunk with as many ids from *next on as fit, and advances *next past them. The ids are in ascending
 * order. */
MUST_CHECK enum status codec_pack_tenant_ids(const uint64_t *ids, size_t count, size_t *next,
                                             struct buffer *out, struct error *err);

/* Appends the ids of a chunk to `out`, which has room for `room` ids in all, and adds their number to *count. */
MUST_CHECK enum status codec_unpack_tenant_ids(struct bytes blob, uint64_t *out, size_t room, size_t *count,
                                               struct error *err);

#endif
