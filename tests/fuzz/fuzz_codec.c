/* tests/fuzz/fuzz_codec.c - everything that is stored, read from any bytes: never a crash, never an index out of
 * range, and rows that are taken are in order. The first byte chooses what the rest is taken for; unless its highest
 * bit is set, the rest is put into a good envelope, so that the checksum does not stop the fuzzer at the door. */
#include <stdint.h>
#include <stdlib.h>

#include "common/codec.h"
#include "common/codec_logins.h"
#include "common/envelope.h"

enum target {
    TARGET_MANIFEST,
    TARGET_REPORT,
    TARGET_MODEL,
    TARGET_ANSWER,
    TARGET_CLIENTS,
    TARGET_TENANTS,
    TARGET_BUCKETS,
    TARGET_LOGINS,
    TARGET_TENANT_IDS,
    TARGETS
};

static const enum blob_kind KINDS[TARGETS] = {BLOB_MANIFEST, BLOB_WORKER,  BLOB_MODEL,
                                              BLOB_ANSWER,   BLOB_CLIENTS, BLOB_TENANTS,
                                              BLOB_BUCKETS,  BLOB_LOGINS,  BLOB_TENANT_IDS};

/* Small counts, so that a few rows make a whole generation. */
static struct manifest small_manifest(enum target target)
{
    return (struct manifest){.generation = 1,
                             .clients_count = target == TARGET_CLIENTS ? 2 : 0,
                             .tenants_count = target == TARGET_CLIENTS ? 0 : 2,
                             .groups_count = 2};
}

static void read_rows(enum target target, struct bytes blob, struct error *err)
{
    struct manifest manifest = small_manifest(target);
    struct scored_snapshot scored;
    scored_snapshot_init(&scored);
    enum status status = scoring_model_parse(&scored.arena, scoring_model_builtin(), &scored.model, err);
    if (status == STATUS_OK)
        status = codec_begin_rows(&manifest, &scored, err);
    if (status == STATUS_OK)
        status = target == TARGET_CLIENTS ? codec_unpack_clients(blob, &manifest, &scored, err)
                                          : codec_unpack_tenants(blob, &manifest, &scored, err);
    if (status == STATUS_OK)
        status = codec_end_rows(&manifest, &scored, err);
    for (size_t i = 1; status == STATUS_OK && i < scored.clients_count; i++)
        if (client_compare(&scored.clients[i - 1], &scored.clients[i]) >= 0)
            abort();
    scored_snapshot_clear(&scored);
}

static void read_answer(struct bytes blob, struct error *err)
{
    struct manifest manifest = small_manifest(TARGET_ANSWER);
    struct answer answer;
    if (codec_unpack_answer(blob, &manifest, &answer, err) != STATUS_OK)
        return;
    if (answer.first_client + answer.clients_count > manifest.clients_count)
        abort();
    answer_clear(&answer);
}

static void read_buckets(struct bytes blob, struct error *err)
{
    struct date_filter *filters = malloc(BUCKETS_MAX * sizeof *filters);
    size_t count = 0;
    if (filters != NULL && codec_unpack_buckets(blob, filters, &count, err) == STATUS_OK)
        for (size_t i = 0; i < count; i++)
            if (filters[i].first_day > filters[i].last_day ||
                (i > 0 && date_filter_compare(filters[i - 1], filters[i]) >= 0))
                abort();
    free(filters);
}

static void read_logins(struct bytes blob, struct arena *arena, struct error *err)
{
    struct logins_part part;
    if (codec_unpack_logins(blob, arena, &part, err) != STATUS_OK)
        return;
    if (part.count > part.head.total || part.head.unique_users > part.head.total)
        abort();
    for (size_t i = 0; i < part.count; i++)
        if (part.rows[i].name.len > blob.len || part.rows[i].email.len > blob.len)
            abort();
}

/* Room for a few, behind one that was read before. */
static void read_tenant_ids(struct bytes blob, struct error *err)
{
    enum { ROOM = 4 };
    uint64_t *ids = malloc(ROOM * sizeof *ids);
    size_t count = 1;
    if (ids == NULL)
        return;
    ids[0] = 7;
    if (codec_unpack_tenant_ids(blob, ids, ROOM, &count, err) == STATUS_OK)
        for (size_t i = 1; i < count; i++)
            if (ids[i] <= ids[i - 1])
                abort();
    free(ids);
}

static void read_blob(enum target target, struct bytes blob)
{
    struct manifest manifest;
    struct worker_report report;
    struct scoring_model model;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    if (target == TARGET_MANIFEST)
        (void)!codec_unpack_manifest(blob, &manifest, &err);
    else if (target == TARGET_REPORT)
        (void)!codec_unpack_worker_report(blob, &report, &err);
    else if (target == TARGET_MODEL)
        (void)!codec_unpack_model(blob, &arena, &model, &err);
    else if (target == TARGET_ANSWER)
        read_answer(blob, &err);
    else if (target == TARGET_BUCKETS)
        read_buckets(blob, &err);
    else if (target == TARGET_LOGINS)
        read_logins(blob, &arena, &err);
    else if (target == TARGET_TENANT_IDS)
        read_tenant_ids(blob, &err);
    else
        read_rows(target, blob, &err);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer wrapped = BUFFER_INIT;
    struct error err;
    if (size == 0)
        return 0;
    enum target target = (enum target)((data[0] & 0x7f) % TARGETS);
    struct bytes rest = {(const char *)data + 1, size - 1};
    if ((data[0] & 0x80) != 0) {
        read_blob(target, rest);
        return 0;
    }
    envelope_begin(&wrapped);
    buffer_append(&wrapped, rest.data, rest.len);
    if (envelope_end(&wrapped, 0, KINDS[target], &err) == STATUS_OK)
        read_blob(target, buffer_bytes(&wrapped));
    buffer_clear(&wrapped);
    return 0;
}
