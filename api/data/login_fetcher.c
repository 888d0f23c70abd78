/* api/data/login_fetcher.c - makes one document of the parts of a tenant's logins. */
#include "api/data/login_fetcher.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/domain/date.h"
#include "common/redis/redis_names.h"
#include "common/stored/codec_logins.h"

static const char PERIOD[] = "últimos 30 dias";

/* Shows whole seconds. */
static void put_login(struct writer *writer, const struct stored_login *login)
{
    char text[TIMESTAMP_TEXT_MAX];
    int32_t day = day_of_wall_us(login->wall_us);
    int64_t second = (login->wall_us - day * US_PER_DAY) / US_PER_S;
    struct timestamp whole = {day * US_PER_DAY + second * US_PER_S, TIMESTAMP_TIME};
    size_t len = timestamp_format(whole, text);
    writer_open_object(writer);
    writer_put_uint(writer, "id", login->id);
    writer_put_text(writer, "usuario_nome", login->name);
    writer_put_text(writer, "usuario_email", login->email);
    writer_put_text(writer, "data_login", (struct bytes){text, len});
    writer_put_text(writer, "data", (struct bytes){text, DATE_TEXT_LEN});
    writer_put_text(writer, "hora", (struct bytes){text + DATE_TEXT_LEN + 1, len - DATE_TEXT_LEN - 1});
    writer_close_object(writer);
}

static void put_head(struct writer *writer, const struct logins_part *part)
{
    writer_open_object(writer);
    writer_put_uint(writer, "tenant_id", part->head.tenant_id);
    writer_put_text(writer, "periodo", bytes_of(PERIOD));
    writer_put_uint(writer, "total_logins", part->head.total);
    writer_put_uint(writer, "usuarios_unicos", part->head.unique_users);
    writer_put_uint(writer, "dias_com_acesso", part->head.days);
    writer_put_uint(writer, "dias_com_login", part->head.days);
    writer_key(writer, "ultimo_login");
    if (part->count > 0)
        put_login(writer, &part->rows[0]);
    else
        writer_null(writer);
    writer_key(writer, "logins");
    writer_open_array(writer);
}

/* Gets the field of the hash, and whether the hash is complete, with one command. */
static enum status get_part(struct login_fetcher *fetcher, uint64_t generation, uint64_t tenant_id,
                            unsigned number, struct redisReply **reply, struct bytes *blob, struct error *err)
{
    struct redis_name hash = redis_name_logins(fetcher->prefix, generation);
    char field[48];
    snprintf(field, sizeof field, "%" PRIu64 ":%u", tenant_id, number);
    const struct bytes args[] = {bytes_of("HMGET"), bytes_of(hash.text), bytes_of(field),
                                 bytes_of(REDIS_LOGINS_COMPLETE)};
    if (redis_link_call(&fetcher->link, args, 4, reply, err) != STATUS_OK)
        return err->code;
    const struct redisReply *value = redis_reply_item(*reply, 0), *complete = redis_reply_item(*reply, 1);
    if (value != NULL && complete != NULL && redis_reply_text(complete).data != NULL) {
        *blob = redis_reply_text(value);
        return STATUS_OK;
    }
    redis_reply_free(*reply);
    return error_set(err, STATUS_NOT_FOUND, "%s is not there any more", hash.text);
}

/* Reads a part; a missing one is empty. */
static enum status read_part(struct login_fetcher *fetcher, uint64_t generation, uint64_t tenant_id,
                             unsigned number, struct arena *arena, struct logins_part *out, struct error *err)
{
    struct redisReply *reply = NULL;
    struct bytes blob = {NULL, 0};
    enum status status = STATUS_OK;
    *out = (struct logins_part){.head = {.tenant_id = tenant_id}};
    if (get_part(fetcher, generation, tenant_id, number, &reply, &blob, err) != STATUS_OK)
        return err->code;
    if (blob.data != NULL)
        status = codec_unpack_logins(blob, arena, out, err);
    redis_reply_free(reply);
    if (status == STATUS_OK && out->head.tenant_id != tenant_id)
        status = error_set(err, STATUS_CORRUPT, "logins of tenant %" PRIu64 " under tenant %" PRIu64,
                           out->head.tenant_id, tenant_id);
    return status;
}

/* How many rows have been written, and the last of them. */
struct progress {
    uint64_t shown;
    struct stored_login last;
};

/* True if the part continues where the last one ended: newest first, ties by id, no more rows than the head says. */
static bool goes_on(const struct progress *progress, const struct logins_part *part)
{
    const struct stored_login *last = &progress->last, *first = part->rows;
    if (part->count > part->head.total - progress->shown)
        return false;
    if (progress->shown == 0 || part->count == 0)
        return progress->shown == 0;
    return first->wall_us < last->wall_us || (first->wall_us == last->wall_us && first->id < last->id);
}

static enum status put_parts(struct login_fetcher *fetcher, uint64_t generation, uint64_t tenant_id,
                             struct writer *writer, struct error *err)
{
    struct progress progress = {.shown = 0};
    uint64_t total = 0;
    unsigned number = 0;
    do {
        struct arena arena;
        struct logins_part part;
        arena_init(&arena);
        enum status status = read_part(fetcher, generation, tenant_id, number, &arena, &part, err);
        if (status == STATUS_OK && number > 0 && (part.count == 0 || part.head.total != total))
            status = error_set(err, STATUS_CORRUPT, "part %u of the logins of tenant %" PRIu64 " is missing",
                               number, tenant_id);
        if (status == STATUS_OK && !goes_on(&progress, &part))
            status =
                error_set(err, STATUS_CORRUPT, "part %u of the logins of tenant %" PRIu64 " is another one",
                          number, tenant_id);
        if (status == STATUS_OK && number == 0)
            put_head(writer, &part);
        for (size_t i = 0; status == STATUS_OK && i < part.count; i++)
            put_login(writer, &part.rows[i]);
        if (status == STATUS_OK && part.count > 0)
            progress.last = part.rows[part.count - 1];
        arena_clear(&arena);
        if (status != STATUS_OK)
            return status;
        total = part.head.total;
        progress.shown += part.count;
        number++;
    } while (progress.shown < total);
    writer_close_array(writer);
    writer_close_object(writer);
    return STATUS_OK;
}

enum status login_fetcher_make(struct login_fetcher *fetcher, uint64_t generation, uint64_t tenant_id,
                               enum media media, struct buffer *out, struct error *err)
{
    struct writer writer;
    /* Else a queue of requests would wait for one timeout after another. */
    if (fetcher->requested_ms < fetcher->failed_ms)
        return error_set(err, STATUS_UNAVAILABLE, "Redis did not answer while this waited");
    redis_link_drop_if_ended(&fetcher->link);
    enum status status = writer_init(&writer, media_row(media)->writer, out, err);
    if (status == STATUS_OK)
        status = put_parts(fetcher, generation, tenant_id, &writer, err);
    if (status == STATUS_OK)
        status = writer_status(&writer, err);
    writer_clear(&writer);
    if (status != STATUS_OK && redis_link_fd(&fetcher->link) < 0)
        fetcher->failed_ms = clock_monotonic_ms();
    return status;
}
