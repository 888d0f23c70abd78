/* worker/publish.c - writes a generation in pipelined batches, flips to it, and clears up behind it. The invariants
 * that make this safe against a kill or a stop between any two commands are numbered in docs/architecture.md,
 * "Publication"; comments refer to them by those numbers. */
#include "worker/publish.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/domain/answer.h"
#include "common/redis/redis_names.h"
#include "common/stored/codec.h"
#include "common/stored/codec_logins.h"
#include "worker/scripts.h"

/* Commands and bytes that may await replies. */
#define BATCH_COMMANDS 64
#define BATCH_BYTES    (8u * 1024u * 1024u)

/* Seconds left to a generation older than the previous one, which has PUBLISH_GRACE_S. */
#define OLD_GRACE_S 10

struct number_text {
    char text[24];
};

static struct number_text number(uint64_t value)
{
    struct number_text out;
    snprintf(out.text, sizeof out.text, "%" PRIu64, value);
    return out;
}

/* A publication in progress. */
struct run {
    struct publisher *publisher;
    const char *prefix;
    uint64_t generation;   /* 0 until it is reserved */
    struct buffer pointer; /* as it was found, even if damaged; empty: none */
    struct number_text ttl;
    struct redis_name key_set, generations;
    size_t queued_commands, queued_bytes;
    struct published done;
};

static enum status drain(struct run *run, struct error *err)
{
    int64_t start = clock_read_us(CLOCK_MONOTONIC);
    for (; run->queued_commands > 0; run->queued_commands--) {
        struct redisReply *reply;
        if (redis_link_take(run->publisher->link, &reply, err) != STATUS_OK)
            return err->code;
        redis_reply_free(reply);
    }
    run->queued_bytes = 0;
    run->done.redis_us += clock_read_us(CLOCK_MONOTONIC) - start;
    return STATUS_OK;
}

static enum status queue(struct run *run, const struct bytes *args, size_t count, struct error *err)
{
    if (redis_link_queue(run->publisher->link, args, count, err) != STATUS_OK)
        return err->code;
    run->queued_commands++;
    for (size_t i = 0; i < count; i++)
        run->queued_bytes += args[i].len;
    if (run->queued_commands < BATCH_COMMANDS && run->queued_bytes < BATCH_BYTES)
        return STATUS_OK;
    return drain(run, err);
}

static enum status call(struct run *run, const struct bytes *args, size_t count, struct redisReply **reply,
                        struct error *err)
{
    int64_t start = clock_read_us(CLOCK_MONOTONIC);
    enum status status = redis_link_call(run->publisher->link, args, count, reply, err);
    run->done.redis_us += clock_read_us(CLOCK_MONOTONIC) - start;
    return status;
}

/* `command` is SET (first: value) or HSET (field, value). */
static enum status write_key(struct run *run, const struct redis_name *key, const char *command,
                             struct bytes first, struct bytes second, struct error *err)
{
    struct number_text generation = number(run->generation);
    const struct bytes args[] = {bytes_of("EVAL"),
                                 script_write_key(),
                                 bytes_of("3"),
                                 bytes_of(key->text),
                                 bytes_of(run->key_set.text),
                                 bytes_of(run->generations.text),
                                 bytes_of(run->ttl.text),
                                 bytes_of(generation.text),
                                 bytes_of(command),
                                 first,
                                 second};
    size_t count = sizeof args / sizeof args[0];
    if (interrupt_status(run->publisher->interrupt, err) != STATUS_OK)
        return err->code;
    run->done.bytes_count += second.data != NULL ? second.len : first.len;
    return queue(run, args, second.data != NULL ? count : count - 1, err);
}

static enum status store(struct run *run, const struct redis_name *key, const struct buffer *blob,
                         struct error *err)
{
    run->done.keys_count++;
    return write_key(run, key, "SET", buffer_bytes(blob), (struct bytes){NULL, 0}, err);
}

static enum status read_pointer(struct run *run, struct error *err)
{
    struct redis_name pointer = redis_name_of(run->prefix, REDIS_CURRENT);
    const struct bytes get[] = {bytes_of("GET"), bytes_of(pointer.text)};
    struct redisReply *reply;
    if (call(run, get, 2, &reply, err) != STATUS_OK)
        return err->code;
    struct bytes text = redis_reply_text(reply);
    if (text.data != NULL)
        buffer_append(&run->pointer, text.data, text.len);
    redis_reply_free(reply);
    return buffer_is_failed(&run->pointer) ? error_no_memory(err) : STATUS_OK;
}

/* Chooses the new generation's number. Numbers already taken belong to publications that failed, or to workers paused
 * in the middle of one; the clock may be behind all of them. */
static enum status reserve_generation(struct run *run, int64_t taken_at_ms, struct error *err)
{
    uint64_t current = redis_generation_parse(buffer_bytes(&run->pointer));
    uint64_t by_clock = taken_at_ms > 0 ? (uint64_t)taken_at_ms : 1;
    uint64_t generation = current >= by_clock && current < GENERATION_MAX ? current + 1 : by_clock;
    for (bool is_free = false; !is_free; generation += !is_free) {
        struct number_text member = number(generation);
        const struct bytes args[] = {bytes_of("EVAL"),        script_reserve_generation(),
                                     bytes_of("1"),           bytes_of(run->generations.text),
                                     bytes_of(run->ttl.text), bytes_of(member.text)};
        struct redisReply *reply;
        if (call(run, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
            return err->code;
        is_free = redis_reply_int(reply) == 1;
        redis_reply_free(reply);
    }
    run->generation = generation;
    run->key_set = redis_name_key_set(run->prefix, generation);
    run->done.keys_count = 1; /* the set of keys itself */
    return STATUS_OK;
}

static enum status store_model(struct run *run, const struct scored_snapshot *scored, struct buffer *blob,
                               struct error *err)
{
    struct redis_name name = redis_name_model(run->prefix, run->generation);
    buffer_reset(blob);
    if (codec_pack_model(&scored->model, blob, err) != STATUS_OK)
        return err->code;
    return store(run, &name, blob, err);
}

static enum status store_clients(struct run *run, const struct scored_snapshot *scored, uint32_t *chunks,
                                 struct buffer *blob, struct error *err)
{
    for (size_t next = 0; next < scored->clients_count; (*chunks)++) {
        struct redis_name name = redis_name_clients(run->prefix, run->generation, *chunks);
        buffer_reset(blob);
        if (codec_pack_clients(scored, &next, blob, err) != STATUS_OK ||
            store(run, &name, blob, err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

static enum status store_tenants(struct run *run, const struct scored_snapshot *scored, uint32_t *chunks,
                                 struct buffer *blob, struct error *err)
{
    for (size_t next = 0; next < scored->tenants_count; (*chunks)++) {
        struct redis_name name = redis_name_tenants(run->prefix, run->generation, *chunks);
        buffer_reset(blob);
        if (codec_pack_tenants(scored, &next, blob, err) != STATUS_OK ||
            store(run, &name, blob, err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

static enum status store_answer(struct run *run, const struct answer *made, struct buffer *blob,
                                struct error *err)
{
    struct redis_name name = redis_name_answer(run->prefix, run->generation, made->filter);
    buffer_reset(blob);
    if (codec_pack_answer(made, blob, err) != STATUS_OK)
        return err->code;
    return store(run, &name, blob, err);
}

static enum status store_answers(struct run *run, const struct scored_snapshot *scored,
                                 const struct date_filter *filters, size_t count, struct buffer *blob,
                                 struct error *err)
{
    struct answer *made = calloc(count, sizeof *made);
    int64_t start = clock_read_us(CLOCK_MONOTONIC);
    enum status status = made != NULL ? answer_all(scored, filters, count, made, err) : error_no_memory(err);
    run->done.answer_us += clock_read_us(CLOCK_MONOTONIC) - start;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = store_answer(run, &made[i], blob, err);
    for (size_t i = 0; i < count && made != NULL; i++)
        answer_clear(&made[i]);
    free(made);
    return status;
}

/* Stores every bucket's answer, and the list of buckets. */
static enum status store_buckets(struct run *run, const struct scored_snapshot *scored, struct buffer *blob,
                                 struct error *err)
{
    struct redis_name name = redis_name_buckets(run->prefix, run->generation);
    struct date_filter filters[BUCKETS_MAX];
    bool has_dates = scored->undated_count < scored->clients_count;
    int32_t first_adhesion = has_dates ? scored->adhesion_days[scored->clients_count - 1] : DAY_NONE;
    size_t count = buckets_list(first_adhesion, instants_today(&scored->instants), run->publisher->popular,
                                run->publisher->popular_count, filters);
    if (store_answers(run, scored, filters, count, blob, err) != STATUS_OK)
        return err->code;
    buffer_reset(blob);
    if (codec_pack_buckets(filters, count, blob, err) != STATUS_OK)
        return err->code;
    return store(run, &name, blob, err);
}

static enum status store_tenant_ids(struct run *run, const struct tenant_rows *tenants, uint32_t *chunks,
                                    struct buffer *blob, struct error *err)
{
    uint64_t *ids = malloc((tenants->count + 1) * sizeof *ids);
    enum status status = ids != NULL ? STATUS_OK : error_no_memory(err);
    for (size_t i = 0; status == STATUS_OK && i < tenants->count; i++)
        ids[i] = tenants->rows[i].id;
    for (size_t next = 0; status == STATUS_OK && next < tenants->count; (*chunks)++) {
        struct redis_name name = redis_name_tenant_ids(run->prefix, run->generation, *chunks);
        buffer_reset(blob);
        status = codec_pack_tenant_ids(ids, tenants->count, &next, blob, err);
        if (status == STATUS_OK)
            status = store(run, &name, blob, err);
    }
    free(ids);
    return status;
}

static enum status store_tenant_logins(struct run *run, const struct redis_name *hash,
                                       const struct tenant_logins *logins, struct buffer *blob,
                                       struct error *err)
{
    unsigned part = 0;
    for (size_t next = 0; next < logins->count; part++) {
        char field[48];
        snprintf(field, sizeof field, "%" PRIu64 ":%u", logins->tenant_id, part);
        buffer_reset(blob);
        if (codec_pack_logins(logins, &next, blob, err) != STATUS_OK ||
            write_key(run, hash, "HSET", bytes_of(field), buffer_bytes(blob), err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

/* The last field says that all others are there: without it, a tenant that has none may have lost them. */
static enum status store_logins(struct run *run, const struct tenant_rows *tenants, struct buffer *blob,
                                struct error *err)
{
    struct redis_name hash = redis_name_logins(run->prefix, run->generation);
    run->done.keys_count++;
    for (size_t next = 0; next < tenants->logins_count;) {
        struct tenant_logins logins;
        if (!tenant_logins_take(tenants->logins, tenants->logins_count, tenants->users, &next, &logins))
            return error_no_memory(err);
        if (store_tenant_logins(run, &hash, &logins, blob, err) != STATUS_OK)
            return err->code;
    }
    return write_key(run, &hash, "HSET", bytes_of(REDIS_LOGINS_COMPLETE), bytes_of("1"), err);
}

static enum status store_all(struct run *run, const struct snapshot *snapshot,
                             const struct scored_snapshot *scored, struct buffer *blob, struct error *err)
{
    struct manifest manifest = {
        .generation = run->generation,
        .instants = scored->instants,
        .skew_us = snapshot->skew_us,
        .clients_count = (uint32_t)scored->clients_count,
        .tenants_count = (uint32_t)scored->tenants_count,
        .groups_count = (uint32_t)scored->groups_count,
        .tenant_ids_count = (uint32_t)snapshot->tenants.count,
        .replaced = scored->replaced,
    };
    struct redis_name name = redis_name_manifest(run->prefix, run->generation);
    if (store_model(run, scored, blob, err) != STATUS_OK ||
        store_clients(run, scored, &manifest.client_chunks, blob, err) != STATUS_OK ||
        store_tenants(run, scored, &manifest.tenant_chunks, blob, err) != STATUS_OK ||
        store_buckets(run, scored, blob, err) != STATUS_OK ||
        store_tenant_ids(run, &snapshot->tenants, &manifest.tenant_id_chunks, blob, err) != STATUS_OK ||
        store_logins(run, &snapshot->tenants, blob, err) != STATUS_OK)
        return err->code;
    buffer_reset(blob);
    if (codec_pack_manifest(&manifest, blob, err) != STATUS_OK || store(run, &name, blob, err) != STATUS_OK)
        return err->code;
    return drain(run, err);
}

static enum status flip(struct run *run, struct error *err)
{
    struct redis_name lease = redis_name_of(run->prefix, REDIS_LEASE);
    struct redis_name pointer = redis_name_of(run->prefix, REDIS_CURRENT);
    struct redis_name channel = redis_name_events(run->prefix, run->publisher->settings->redis.db);
    struct number_text generation = number(run->generation), keys = number(run->done.keys_count);
    const struct bytes args[] = {bytes_of("EVAL"),
                                 script_flip(),
                                 bytes_of("4"),
                                 bytes_of(lease.text),
                                 bytes_of(pointer.text),
                                 bytes_of(run->key_set.text),
                                 bytes_of(run->generations.text),
                                 bytes_of(run->publisher->lease_token),
                                 buffer_bytes(&run->pointer),
                                 bytes_of(generation.text),
                                 bytes_of(run->ttl.text),
                                 bytes_of(channel.text),
                                 bytes_of(keys.text)};
    struct redisReply *reply;
    if (call(run, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
        return err->code;
    struct bytes outcome = redis_reply_text(reply);
    enum status status = STATUS_OK;
    if (bytes_is(outcome, "lease"))
        status = error_set(err, STATUS_CONFLICT, "the lease was lost before the flip");
    else if (bytes_is(outcome, "incomplete"))
        status = error_set(err, STATUS_UNAVAILABLE,
                           "Redis lost keys of the generation before the flip (check maxmemory-policy)");
    else if (!bytes_is(outcome, "flipped"))
        status = error_set(err, STATUS_CONFLICT, "another worker moved the pointer before the flip");
    redis_reply_free(reply);
    return status;
}

/* Retires a generation: its keys live for at most `seconds` more, or are removed at once if 0, and with them its entry
 * in the set. *is_out: it was left alone because the pointer is at it, or once was if it is our own. */
static enum status retire(struct run *run, uint64_t generation, uint64_t seconds, bool *is_out,
                          struct error *err)
{
    struct redis_name key_set = redis_name_key_set(run->prefix, generation);
    struct redis_name pointer = redis_name_of(run->prefix, REDIS_CURRENT);
    struct redis_name lease = redis_name_of(run->prefix, REDIS_LEASE);
    struct number_text member = number(generation), left = number(seconds);
    const char *token = generation == run->generation ? "" : run->publisher->lease_token;
    const struct bytes args[] = {
        bytes_of("EVAL"),       script_retire_generation(),      bytes_of("4"),
        bytes_of(key_set.text), bytes_of(run->generations.text), bytes_of(pointer.text),
        bytes_of(lease.text),   bytes_of(member.text),           bytes_of(left.text),
        bytes_of(token)};
    struct redisReply *reply;
    if (call(run, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
        return err->code;
    *is_out = redis_reply_int(reply) == 1;
    redis_reply_free(reply);
    return STATUS_OK;
}

/* Invariant 4. */
static enum status clear_up(struct run *run, struct error *err)
{
    const struct bytes range[] = {bytes_of("ZRANGE"), bytes_of(run->generations.text), bytes_of("0"),
                                  bytes_of("-1")};
    uint64_t previous = redis_generation_parse(buffer_bytes(&run->pointer));
    struct redisReply *reply;
    if (call(run, range, 4, &reply, err) != STATUS_OK)
        return err->code;
    enum status status = STATUS_OK;
    const struct redisReply *item;
    for (size_t i = 0; status == STATUS_OK && (item = redis_reply_item(reply, i)) != NULL; i++) {
        struct bytes text = redis_reply_text(item);
        uint64_t generation = redis_generation_parse(text);
        bool is_out;
        bool is_served = generation == previous || previous == 0; /* by APIs; 0: there was no valid pointer */
        if (generation != run->generation)
            status = retire(run, generation, is_served ? PUBLISH_GRACE_S : OLD_GRACE_S, &is_out, err);
    }
    redis_reply_free(reply);
    return status;
}

/* Cleans up after a failure, on a new connection, as the old one may have replies outstanding. True if the flip took
 * place after all and only its reply was lost. */
static bool withdraw(struct run *run)
{
    struct error ignored;
    bool is_out = false;
    redis_link_close(run->publisher->link);
    if (run->generation == 0 || retire(run, run->generation, 0, &is_out, &ignored) != STATUS_OK)
        return false;
    return is_out;
}

enum status publish(struct publisher *publisher, const struct snapshot *snapshot,
                    const struct scored_snapshot *scored, struct published *out, struct error *err)
{
    struct run run = {
        .publisher = publisher, .prefix = publisher->settings->redis_prefix, .pointer = BUFFER_INIT};
    struct buffer blob = BUFFER_INIT;
    struct error late;
    run.ttl = number((uint64_t)publisher->settings->cache_max_stale_s + PUBLISH_GRACE_S);
    run.generations = redis_name_of(run.prefix, REDIS_GENERATIONS);
    enum status status = read_pointer(&run, err);
    if (status == STATUS_OK)
        status = reserve_generation(&run, scored->instants.taken_at_ms, err);
    if (status == STATUS_OK)
        status = store_all(&run, snapshot, scored, &blob, err);
    if (status == STATUS_OK)
        status = flip(&run, err);
    buffer_clear(&blob);
    if (status != STATUS_OK && withdraw(&run))
        status = STATUS_OK;
    /* The generation is published; whatever is missed here, the next publication clears up. */
    if (status == STATUS_OK && clear_up(&run, &late) != STATUS_OK)
        log_write(LOG_WARNING, "an old generation was not cleared up",
                  LOG_FIELDS(log_text("error", late.message)));
    buffer_clear(&run.pointer);
    run.done.generation = run.generation;
    if (status == STATUS_OK)
        *out = run.done;
    return status;
}
