/* api/data/loader.c - reads the keys of a generation, several at a time, and decodes them as they arrive. */
#include "api/data/loader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/program/log.h"
#include "common/redis/redis_names.h"
#include "common/stored/codec_logins.h"

/* Chunks of at most 1 MiB that are requested before the first one is decoded. */
#define CHUNKS_AHEAD 8

/* The same for answers, which are small. */
#define ANSWERS_AHEAD 128

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
    uint32_t requested = 0;
    for (uint32_t taken = 0; taken < chunks->count; taken++) {
        for (; requested < chunks->count && requested - taken < CHUNKS_AHEAD; requested++) {
            struct redis_name name = chunks->name(prefix, manifest->generation, requested);
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

/* The list of buckets; empty, with a line in the log, if it cannot be used: everything is computed on demand then. */
static size_t load_buckets(struct redis_link *link, const char *prefix, uint64_t number,
                           struct date_filter out[BUCKETS_MAX])
{
    struct redis_name name = redis_name_buckets(prefix, number);
    struct redisReply *reply = NULL;
    struct error err;
    size_t count = 0;
    enum status status = get(link, &name, &reply, &err);
    if (status == STATUS_OK) {
        status = codec_unpack_buckets(redis_reply_text(reply), out, &count, &err);
        redis_reply_free(reply);
    }
    if (status != STATUS_OK)
        log_write(LOG_WARNING, "the list of stored answers cannot be used",
                  LOG_FIELDS(log_text("key", name.text), log_text("error", err.message)));
    return status == STATUS_OK ? count : 0;
}

/* Takes the reply for one answer; an unusable one is left out. */
static enum status take_answer(struct redis_link *link, const struct manifest *manifest,
                               size_t categories_count, struct date_filter filter, struct stored_answers *out,
                               size_t *refused, struct error *err)
{
    struct redisReply *reply = NULL;
    if (redis_link_take(link, &reply, err) != STATUS_OK) {
        if (redis_link_fd(link) < 0)
            return err->code;
        *refused += 1; /* Redis answered with an error: the key is of another type */
        return STATUS_OK;
    }
    if (!stored_answers_add(out, redis_reply_text(reply), filter, manifest, categories_count))
        *refused += 1;
    redis_reply_free(reply);
    return STATUS_OK;
}

static enum status load_answers(struct redis_link *link, const char *prefix, const struct manifest *manifest,
                                size_t categories_count, struct stored_answers *out, struct error *err)
{
    struct date_filter filters[BUCKETS_MAX];
    size_t count = load_buckets(link, prefix, manifest->generation, filters), requested = 0, refused = 0;
    if (stored_answers_reserve(out, count, err) != STATUS_OK)
        return err->code;
    for (size_t taken = 0; taken < count; taken++) {
        for (; requested < count && requested - taken < ANSWERS_AHEAD; requested++) {
            struct redis_name name = redis_name_answer(prefix, manifest->generation, filters[requested]);
            const struct bytes args[] = {bytes_of("GET"), bytes_of(name.text)};
            if (redis_link_queue(link, args, 2, err) != STATUS_OK)
                return err->code;
        }
        if (take_answer(link, manifest, categories_count, filters[taken], out, &refused, err) != STATUS_OK)
            return err->code;
    }
    if (refused > 0)
        log_write(LOG_WARNING, "stored answers cannot be used and are computed instead",
                  LOG_FIELDS(log_int("generation", (int64_t)manifest->generation),
                             log_int("answers", (int64_t)refused)));
    return STATUS_OK;
}

static enum status load_tenant_ids(struct redis_link *link, const char *prefix, struct loaded *out,
                                   struct error *err)
{
    const struct manifest *manifest = &out->manifest;
    out->tenant_ids = calloc(manifest->tenant_ids_count + 1u, sizeof *out->tenant_ids);
    if (out->tenant_ids == NULL)
        return error_no_memory(err);
    for (uint32_t i = 0; i < manifest->tenant_id_chunks; i++) {
        struct redis_name name = redis_name_tenant_ids(prefix, manifest->generation, i);
        struct redisReply *reply = NULL;
        if (get(link, &name, &reply, err) != STATUS_OK)
            return err->code;
        enum status status = codec_unpack_tenant_ids(redis_reply_text(reply), out->tenant_ids,
                                                     manifest->tenant_ids_count, &out->tenant_ids_count, err);
        redis_reply_free(reply);
        if (status != STATUS_OK)
            return error_context(err, "%s", name.text);
    }
    if (out->tenant_ids_count != manifest->tenant_ids_count)
        return error_set(err, STATUS_CORRUPT, "%zu tenant ids, the manifest says %" PRIu32,
                         out->tenant_ids_count, manifest->tenant_ids_count);
    return STATUS_OK;
}

static enum status load_all(struct redis_link *link, const char *prefix, uint64_t number, struct loaded *out,
                            struct error *err)
{
    struct manifest *manifest = &out->manifest;
    if (load_manifest(link, prefix, number, manifest, err) != STATUS_OK ||
        load_rows(link, prefix, manifest, &out->scored, err) != STATUS_OK ||
        load_tenant_ids(link, prefix, out, err) != STATUS_OK)
        return err->code;
    return load_answers(link, prefix, manifest, out->scored.model.categories_count, &out->stored, err);
}

enum status loader_load(struct redis_link *link, const char *prefix, uint64_t number, size_t documents_max,
                        struct generation **out, struct error *err)
{
    struct loaded loaded;
    loaded_init(&loaded);
    if (load_all(link, prefix, number, &loaded, err) == STATUS_OK)
        return generation_new(&loaded, documents_max, out, err);
    loaded_clear(&loaded);
    redis_link_close(link); /* replies may be outstanding */
    return err->code;
}
