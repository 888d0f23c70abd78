/* tests/fuzz/fuzz_logins.c - one tenant's stored logins from any bytes, taken for the payload of a part. What is taken
 * is within its limits, and a part that is the only one is packed again and read as the same. */
#include "common/stored/codec_logins.h"
#include "tests/fuzz/stored.h"

static void check_part(const struct logins_part *part)
{
    MUST_HOLD(part->count <= part->head.total && part->head.unique_users <= part->head.total);
    for (size_t i = 0; i < part->count; i++)
        MUST_HOLD(part->rows[i].name.len <= ENVELOPE_PAYLOAD_MAX);
}

/* Each row with a user of its own, as the part does not say which were the same. */
static void check_packed(const struct logins_part *part, struct arena *arena)
{
    struct login *rows = arena_take_array(arena, part->count, sizeof *rows);
    struct login_user *users = arena_take_array(arena, part->count, sizeof *users);
    struct tenant_logins logins = {part->head.tenant_id,    rows,           part->count, users,
                                   part->head.unique_users, part->head.days};
    struct buffer blob = BUFFER_INIT;
    struct logins_part again;
    struct error err;
    size_t next = 0;
    MUST_HOLD(rows != NULL && users != NULL);
    for (size_t i = 0; i < part->count; i++) {
        users[i] = (struct login_user){.name = part->rows[i].name, .email = part->rows[i].email};
        rows[i] =
            (struct login){.id = part->rows[i].id, .wall_us = part->rows[i].wall_us, .user = (uint32_t)i};
    }
    MUST_HOLD(codec_pack_logins(&logins, &next, &blob, &err) == STATUS_OK);
    MUST_HOLD(codec_unpack_logins(buffer_bytes(&blob), arena, &again, &err) == STATUS_OK);
    MUST_HOLD(again.count == next && again.head.total == part->count && again.head.days == part->head.days);
    for (size_t i = 0; i < next; i++) {
        MUST_HOLD(again.rows[i].id == part->rows[i].id && again.rows[i].wall_us == part->rows[i].wall_us);
        MUST_HOLD(bytes_equal(again.rows[i].name, part->rows[i].name));
        MUST_HOLD(bytes_equal(again.rows[i].email, part->rows[i].email));
    }
    buffer_clear(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer blob = BUFFER_INIT;
    struct logins_part part;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    if (stored_wrap((struct bytes){(const char *)data, size}, BLOB_LOGINS, &blob) &&
        codec_unpack_logins(buffer_bytes(&blob), &arena, &part, &err) == STATUS_OK) {
        check_part(&part);
        if (part.count == part.head.total)
            check_packed(&part, &arena);
    }
    buffer_clear(&blob);
    arena_clear(&arena);
    return 0;
}
