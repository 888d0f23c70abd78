/* api/loader.c - the keys of a generation, a few at a time, decoded as they come. */
#include "api/loader.h"

#include <inttypes.h>

#include "common/log.h"
#include "common/redis_names.h"

/* Chunks of at most 1 MiB that are asked for before the first one is decoded. */
#define CHUNKS_AHEAD 8

static enum status get(struct redis_link *link, const struct redis_name *name, struct redisReply **reply,
                       struct error *err)
{
    const struct bytes args[] = {bytes_of("GET"), bytes_of(name->text)};
    if (redis_link_call(link, args, 2, reply, err) != STATUS_OK)
        return err->code;
    if (redis_reply_text(*reply).data != NULL)
        return STATUS_OK;
    redis_reply_free(*reply);
    return error_set(err, STATUS_NOT_FOUND, "key %s is not there", name->text);
}

static enum status load_manifest(struct redis_link *link, const char *prefix, uint64_t number,
                                 struct manifest *out, struct error *err)
{
    struct redis_name name = redis_name_manifest(prefix, number);
    struct redisReply *reply;
    if (get(link, &name, &reply, err) != STATUS_OK)
        return err->code;
    enum status status = codec_unpack_manifest(redis_reply_text(reply), out, err);
    redis_reply_free(reply);
    if (status == STATUS_OK && out->generation != number)
        status = error_set(err, STATUS_CORRUPT, "it says generation %" PRIu64, out->generation);
    return status == STATUS_OK ? STATUS_OK : error_context(err, "%s", name.text);
}

static enum status load_model(struct redis_link *link, const char *prefix, uint64_t number,
                              struct scored_snapshot *out, struct error *err)
{
    struct redis_name name = redis_name_model(prefix, number);
    struct redisReply *reply;
    if (get(link, &name, &reply, err) != STATUS_OK)
        return err->code;
    enum status status = codec_unpack_model(redis_reply_text(reply), &out->arena, &out->model, err);
    redis_reply_free(reply);
    return status == STATUS_OK ? STATUS_OK : error_context(err, "%s", name.text);
}

/* The clients or the tenants of a generation. */
struct chunks {
    struct redis_name (*name)(const char *prefix, uint64_t generation, uint32_t index);
    enum status (*unpack)(struct bytes blob, const struct manifest *manifest, struct scored_snapshot *out,
                          struct error *err);
    uint32_t count;
};

static enum status take_chunk(struct redis_link *link, const struct redis_name *name,
                              const struct chunks *chunks, const struct manifest *manifest,
                              struct scored_snapshot *out, struct error *err)
{
    struct redisReply *reply = NULL;
    if (redis_link_take(link, &reply, err) != STATUS_OK)
        return err->code;
    struct bytes blob = redis_reply_text(reply);
    enum status status = blob.data != NULL ? chunks->unpack(blob, manifest, out, err)
                                           : error_set(err, STATUS_NOT_FOUND, "is not there");
    redis_reply_free(reply);
    return status == STATUS_OK ? STATUS_OK : error_context(err, "%s", name->text);
}

static enum status load_chunks(struct redis_link *link, const char *prefix, const struct chunks *chunks,
                               const struct manifest *manifest, struct scored_snapshot *out,
                               struct error *err)
{
    uint32_t asked = 0;
    for (uint32_t taken = 0; taken < chunks->count; taken++) {
        for (; asked < chunks->count && asked - taken < CHUNKS_AHEAD; asked++) {
            struct redis_name name = chunks->name(prefix, manifest->generation, asked);
            const struct bytes args[] = {bytes_of("GET"), bytes_of(name.text)};
            if (redis_link_queue(link, args, 2, err) != STATUS_OK)
                return err->code;
        }
        struct redis_name name = chunks->name(prefix, manifest->generation, taken);
        if (take_chunk(link, &name, chunks, manifest, out, err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

static enum status load_rows(struct redis_link *link, const char *prefix, const struct manifest *manifest,
                             struct scored_snapshot *out, struct error *err)
{
    const struct chunks clients = {redis_name_clients, codec_unpack_clients, manifest->client_chunks};
    const struct chunks tenants = {redis_name_tenants, codec_unpack_tenants, manifest->tenant_chunks};
    if (load_model(link, prefix, manifest->generation, out, err) != STATUS_OK ||
        codec_begin_rows(manifest, out, err) != STATUS_OK ||
        load_chunks(link, prefix, &clients, manifest, out, err) != STATUS_OK ||
        load_chunks(link, prefix, &tenants, manifest, out, err) != STATUS_OK)
        return err->code;
    return codec_end_rows(manifest, out, err);
}

/* False, and a line in the log, when there is no answer that can be used. */
static bool load_answer(struct redis_link *link, const char *prefix, const struct manifest *manifest,
                        struct answer *out)
{
    struct redis_name name = redis_name_answer(prefix, manifest->generation, DATE_FILTER_ALL);
    struct redisReply *reply;
    struct error err;
    enum status status = get(link, &name, &reply, &err);
    if (status == STATUS_OK) {
        status = codec_unpack_answer(redis_reply_text(reply), manifest, out, &err);
        redis_reply_free(reply);
    }
    if (status != STATUS_OK)
        log_write(LOG_WARNING, "a stored answer cannot be used and is computed instead",
                  LOG_FIELDS(log_text("key", name.text), log_text("error", err.message)));
    return status == STATUS_OK;
}

enum status loader_load(struct redis_link *link, const char *prefix, uint64_t number, struct generation **out,
                        struct error *err)
{
    struct manifest manifest = {.generation = 0};
    struct scored_snapshot scored;
    struct answer stored;
    if (load_manifest(link, prefix, number, &manifest, err) != STATUS_OK)
        return err->code;
    scored_snapshot_init(&scored);
    if (load_rows(link, prefix, &manifest, &scored, err) != STATUS_OK) {
        scored_snapshot_clear(&scored);
        redis_link_close(link); /* replies may be outstanding */
        return err->code;
    }
    bool has_stored = load_answer(link, prefix, &manifest, &stored);
    enum status status = generation_new(&manifest, &scored, has_stored ? &stored : NULL, out, err);
    if (has_stored)
        answer_clear(&stored);
    return status;
}
