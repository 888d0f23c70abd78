/* common/codec_logins.h - one tenant's logins as stored: parts of at most a chunk, each with the users that it names.
 * And the ids of all tenants, for telling "no logins" from "no such tenant". Any thread. */
#ifndef ECOSYS_COMMON_CODEC_LOGINS_H
#define ECOSYS_COMMON_CODEC_LOGINS_H

#include "common/arena.h"
#include "common/buffer.h"
#include "common/logins.h"
#include "common/status.h"

/* Appends a part with the rows from *next on, as many as fit, and moves *next behind them. */
MUST_CHECK enum status codec_pack_logins(const struct tenant_logins *logins, size_t *next, struct buffer *out,
                                         struct error *err);

/* The head of every part, the same in each. */
struct logins_head {
    uint64_t tenant_id;
    uint64_t total;
    uint64_t unique_users;
    uint32_t days;
};

/* A row as it was stored, with its user's texts. */
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

/* Ids in rising order, a chunk's worth at a time. */
MUST_CHECK enum status codec_pack_tenant_ids(const uint64_t *ids, size_t count, size_t *next,
                                             struct buffer *out, struct error *err);

/* Appends the ids of a chunk to `out`, which has room for `room` of them, and adds their number to *count. */
MUST_CHECK enum status codec_unpack_tenant_ids(struct bytes blob, uint64_t *out, size_t room, size_t *count,
                                               struct error *err);

#endif
