/* common/stored/codec_logins.c - parts of logins and chunks of ids. */
#include "common/stored/codec_logins.h"

#include <stdlib.h>

#include "common/domain/date.h"
#include "common/stored/envelope.h"
#include "common/stored/pack.h"

#define PART_FIELDS  6
#define ROW_VALUES   3   /* id, microseconds, index of the user or nil */
#define USER_VALUES  2   /* name, e-mail */
#define ROW_LEN_MAX  24u /* of a packed row, not counting a user new to the part */
#define USER_LEN_MIN 16u
#define IDS_IN_CHUNK 100000u
#define PART_LEN_MAX (ENVELOPE_PAYLOAD_MAX - 256u)

/* The users of a part, in the order in which its rows first refer to them. */
struct part_users {
    uint32_t *indexes; /* by number in the part: index into the users */
    size_t count;
};

/* The number of the row's user in the part; a new user is added, and its packed length added to *len. */
static size_t number_user(struct part_users *users, const struct tenant_logins *logins, uint32_t user,
                          size_t *len)
{
    for (size_t i = users->count; i-- > 0;)
        if (users->indexes[i] == user)
            return i;
    *len += USER_LEN_MIN + logins->users[user].name.len + logins->users[user].email.len;
    users->indexes[users->count] = user;
    return users->count++;
}

/* Finds how many rows from `first` on fit a part, and their users. */
static size_t count_fitting(const struct tenant_logins *logins, size_t first, struct part_users *users,
                            size_t *numbers)
{
    size_t len = 0, row = first;
    for (; row < logins->count; row++) {
        uint32_t user = logins->rows[row].user;
        size_t users_before = users->count;
        len += ROW_LEN_MAX;
        if (user != LOGIN_WITHOUT_USER)
            numbers[row - first] = number_user(users, logins, user, &len);
        if (len > PART_LEN_MAX) {
            users->count = users_before;
            break;
        }
    }
    return row - first;
}

static void pack_part(const struct tenant_logins *logins, size_t first, size_t count,
                      const struct part_users *users, const size_t *numbers, struct buffer *out)
{
    pack_array(out, PART_FIELDS);
    pack_uint(out, logins->tenant_id);
    pack_uint(out, logins->count);
    pack_uint(out, logins->unique_users);
    pack_uint(out, logins->days);
    pack_array(out, (uint32_t)(users->count * USER_VALUES));
    for (size_t i = 0; i < users->count; i++) {
        pack_text(out, logins->users[users->indexes[i]].name);
        pack_text(out, logins->users[users->indexes[i]].email);
    }
    pack_array(out, (uint32_t)(count * ROW_VALUES));
    for (size_t i = 0; i < count; i++) {
        const struct login *row = &logins->rows[first + i];
        pack_uint(out, row->id);
        pack_int(out, row->wall_us);
        if (row->user == LOGIN_WITHOUT_USER)
            pack_nil(out);
        else
            pack_uint(out, numbers[i]);
    }
}

enum status codec_pack_logins(const struct tenant_logins *logins, size_t *next, struct buffer *out,
                              struct error *err)
{
    size_t left = logins->count - *next, start = out->len;
    struct part_users users = {malloc((left + 1) * sizeof *users.indexes), 0};
    size_t *numbers = calloc(left + 1, sizeof *numbers);
    enum status status = users.indexes != NULL && numbers != NULL ? STATUS_OK : error_no_memory(err);
    if (status == STATUS_OK) {
        size_t count = count_fitting(logins, *next, &users, numbers);
        envelope_begin(out);
        pack_part(logins, *next, count, &users, numbers, out);
        status = count > 0 || left == 0
                     ? envelope_end(out, start, BLOB_LOGINS, err)
                     : error_set(err, STATUS_INVALID, "a login that is larger than a part");
        if (status == STATUS_OK)
            *next += count;
    }
    free(numbers);
    free(users.indexes);
    return status;
}

static struct login_user *take_users(struct fields *fields, struct arena *arena, size_t *count)
{
    struct fields list = fields_array(fields);
    struct login_user *users = arena_take_array(arena, list.left / USER_VALUES, sizeof *users);
    *count = users != NULL ? list.left / USER_VALUES : 0;
    if (users == NULL)
        fields_out_of_memory(fields);
    else if (list.left % USER_VALUES != 0)
        fields_refuse(fields, "not pairs of name and e-mail");
    for (size_t i = 0; i < *count; i++) {
        users[i].name = fields_copy_text(&list, arena);
        users[i].email = fields_copy_text(&list, arena);
    }
    if (list.problem != NULL)
        fields_refuse(fields, list.problem);
    return users;
}

static void take_row(struct fields *list, const struct login_user *users, size_t users_count,
                     struct stored_login *row)
{
    row->id = fields_uint(list, UINT64_MAX);
    row->wall_us = fields_int(list, DAY_FIRST * US_PER_DAY, (DAY_LAST + 1) * US_PER_DAY - 1);
    if (fields_take_nil(list))
        return;
    uint64_t user = fields_uint(list, UINT32_MAX);
    if (user >= users_count) {
        fields_refuse(list, "a user that is not in the part");
        return;
    }
    row->name = users[user].name;
    row->email = users[user].email;
}

static void take_rows(struct fields *fields, struct arena *arena, const struct login_user *users,
                      size_t users_count, struct logins_part *out)
{
    struct fields list = fields_array(fields);
    out->count = list.left / ROW_VALUES;
    out->rows = arena_take_array(arena, out->count, sizeof *out->rows);
    if (out->rows == NULL) {
        fields_out_of_memory(fields);
        return;
    }
    if (list.left % ROW_VALUES != 0)
        fields_refuse(fields, "rows that are not whole");
    for (size_t i = 0; i < out->count; i++)
        take_row(&list, users, users_count, &out->rows[i]);
    if (list.problem != NULL)
        fields_refuse(fields, list.problem);
}

enum status codec_unpack_logins(struct bytes blob, struct arena *arena, struct logins_part *out,
                                struct error *err)
{
    struct logins_part part = {.rows = NULL};
    struct fields fields;
    struct bytes payload;
    size_t offset = 0, users_count;
    if (envelope_open(blob, BLOB_LOGINS, &payload, err) != STATUS_OK)
        return err->code;
    if (fields_open(&fields, payload, &offset, PART_FIELDS, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    part.head.tenant_id = fields_uint(&fields, UINT64_MAX);
    part.head.total = fields_uint(&fields, UINT64_MAX);
    part.head.unique_users = fields_uint(&fields, part.head.total);
    part.head.days = (uint32_t)fields_uint(&fields, UINT32_MAX);
    const struct login_user *users = take_users(&fields, arena, &users_count);
    take_rows(&fields, arena, users, users_count, &part);
    if (offset != payload.len)
        fields_refuse(&fields, "bytes behind the value");
    if (part.count > part.head.total)
        fields_refuse(&fields, "more rows than there are");
    if (fields_close(&fields, "logins", err) != STATUS_OK)
        return err->code;
    *out = part;
    return STATUS_OK;
}

enum status codec_pack_tenant_ids(const uint64_t *ids, size_t count, size_t *next, struct buffer *out,
                                  struct error *err)
{
    size_t start = out->len;
    uint32_t taken = count - *next < IDS_IN_CHUNK ? (uint32_t)(count - *next) : IDS_IN_CHUNK;
    envelope_begin(out);
    pack_array(out, taken);
    for (uint32_t i = 0; i < taken; i++)
        pack_uint(out, ids[*next + i]);
    *next += taken;
    return envelope_end(out, start, BLOB_TENANT_IDS, err);
}

enum status codec_unpack_tenant_ids(struct bytes blob, uint64_t *out, size_t room, size_t *count,
                                    struct error *err)
{
    struct fields fields;
    struct bytes payload;
    size_t offset = 0, found = *count;
    if (envelope_open(blob, BLOB_TENANT_IDS, &payload, err) != STATUS_OK)
        return err->code;
    if (fields_open(&fields, payload, &offset, FIELDS_ANY, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    if (fields.left > room - found || offset != payload.len)
        fields_refuse(&fields, "more ids than the manifest says, or bytes behind them");
    while (fields.left > 0) {
        out[found] = fields_uint(&fields, UINT64_MAX);
        if (found > 0 && out[found] <= out[found - 1])
            fields_refuse(&fields, "ids out of order");
        found++;
    }
    if (fields_close(&fields, "tenant ids", err) != STATUS_OK)
        return err->code;
    *count = found;
    return STATUS_OK;
}
