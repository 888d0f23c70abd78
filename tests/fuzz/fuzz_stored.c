/* tests/fuzz/fuzz_stored.c - what is stored of a generation besides its rows, from any bytes; the first byte says what
 * the rest is the payload of. What is taken is within its limits, and packed again it is read as the same. The rest is
 * read as a pointer, too. */
#include "common/redis/redis_names.h"
#include "common/stored/codec.h"
#include "common/stored/codec_logins.h"
#include "tests/fuzz/stored.h"

#define ROWS 20 /* of clients and of tenants in the generation to which answers belong */
#define ROOM 64 /* for ids */

static void check_packed_alike(struct buffer packed[2])
{
    MUST_HOLD(bytes_equal(buffer_bytes(&packed[0]), buffer_bytes(&packed[1])));
    buffer_clear(&packed[0]);
    buffer_clear(&packed[1]);
}

static void check_manifest(struct bytes blob)
{
    struct buffer packed[2] = {BUFFER_INIT, BUFFER_INIT};
    struct manifest manifest;
    struct error err;
    if (codec_unpack_manifest(blob, &manifest, &err) != STATUS_OK)
        return;
    MUST_HOLD(manifest.client_chunks <= manifest.clients_count && manifest.clients_count <= ROWS_MAX);
    MUST_HOLD(codec_pack_manifest(&manifest, &packed[0], &err) == STATUS_OK);
    MUST_HOLD(codec_unpack_manifest(buffer_bytes(&packed[0]), &manifest, &err) == STATUS_OK);
    MUST_HOLD(codec_pack_manifest(&manifest, &packed[1], &err) == STATUS_OK);
    check_packed_alike(packed);
}

static void check_worker_report(struct bytes blob)
{
    struct buffer packed[2] = {BUFFER_INIT, BUFFER_INIT};
    struct worker_report report;
    struct error err;
    if (codec_unpack_worker_report(blob, &report, &err) != STATUS_OK)
        return;
    MUST_HOLD(memchr(report.last_error, '\0', sizeof report.last_error) != NULL);
    MUST_HOLD(memchr(report.reason, '\0', sizeof report.reason) != NULL);
    MUST_HOLD(codec_pack_worker_report(&report, &packed[0], &err) == STATUS_OK);
    MUST_HOLD(codec_unpack_worker_report(buffer_bytes(&packed[0]), &report, &err) == STATUS_OK);
    MUST_HOLD(codec_pack_worker_report(&report, &packed[1], &err) == STATUS_OK);
    check_packed_alike(packed);
}

static void check_answer(struct bytes blob)
{
    const struct manifest manifest = {.generation = 1, .clients_count = ROWS, .tenants_count = ROWS};
    struct buffer packed[2] = {BUFFER_INIT, BUFFER_INIT};
    struct answer answer;
    struct error err;
    size_t tenants = 0;
    if (codec_unpack_answer(blob, &manifest, &answer, &err) != STATUS_OK)
        return;
    MUST_HOLD(answer.first_client + answer.clients_count <= ROWS);
    MUST_HOLD(answer.filter.first_day <= answer.filter.last_day);
    for (size_t i = 0; i < ROWS; i++)
        tenants += answer_has_tenant(&answer, i);
    MUST_HOLD(tenants == answer.tenants_count);
    MUST_HOLD(codec_pack_answer(&answer, &packed[0], &err) == STATUS_OK);
    answer_clear(&answer);
    MUST_HOLD(codec_unpack_answer(buffer_bytes(&packed[0]), &manifest, &answer, &err) == STATUS_OK);
    MUST_HOLD(codec_pack_answer(&answer, &packed[1], &err) == STATUS_OK);
    answer_clear(&answer);
    check_packed_alike(packed);
}

static void check_buckets(struct bytes blob)
{
    static struct date_filter filters[BUCKETS_MAX];
    struct buffer packed[2] = {BUFFER_INIT, BUFFER_INIT};
    struct error err;
    size_t count;
    if (codec_unpack_buckets(blob, filters, &count, &err) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        MUST_HOLD(filters[i].first_day <= filters[i].last_day);
        MUST_HOLD(i == 0 || date_filter_compare(filters[i - 1], filters[i]) < 0);
    }
    MUST_HOLD(codec_pack_buckets(filters, count, &packed[0], &err) == STATUS_OK);
    MUST_HOLD(codec_unpack_buckets(buffer_bytes(&packed[0]), filters, &count, &err) == STATUS_OK);
    MUST_HOLD(codec_pack_buckets(filters, count, &packed[1], &err) == STATUS_OK);
    check_packed_alike(packed);
}

/* Behind an id that was read before, with room for few. */
static void check_tenant_ids(struct bytes blob)
{
    uint64_t ids[ROOM] = {7};
    struct buffer packed = BUFFER_INIT;
    struct error err;
    size_t count = 1, next = 1, again = 1;
    if (codec_unpack_tenant_ids(blob, ids, ROOM, &count, &err) != STATUS_OK)
        return;
    MUST_HOLD(count <= ROOM);
    for (size_t i = 1; i < count; i++)
        MUST_HOLD(ids[i] > ids[i - 1]);
    if (count > 1) {
        MUST_HOLD(codec_pack_tenant_ids(ids, count, &next, &packed, &err) == STATUS_OK && next == count);
        MUST_HOLD(codec_unpack_tenant_ids(buffer_bytes(&packed), ids, ROOM, &again, &err) == STATUS_OK);
        MUST_HOLD(again == count);
    }
    buffer_clear(&packed);
}

static void check_pointer(struct bytes text)
{
    uint64_t generation = redis_generation_parse(text);
    struct buffer packed = BUFFER_INIT;
    MUST_HOLD(generation <= GENERATION_MAX);
    buffer_append_uint(&packed, generation);
    MUST_HOLD(redis_generation_parse(buffer_bytes(&packed)) == generation);
    buffer_clear(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        enum blob_kind kind;
        void (*check)(struct bytes blob);
    } targets[] = {{BLOB_MANIFEST, check_manifest},
                   {BLOB_WORKER, check_worker_report},
                   {BLOB_ANSWER, check_answer},
                   {BLOB_BUCKETS, check_buckets},
                   {BLOB_TENANT_IDS, check_tenant_ids}};
    struct buffer blob = BUFFER_INIT;
    if (size == 0)
        return 0;
    size_t target = data[0] % (sizeof targets / sizeof targets[0]);
    check_pointer((struct bytes){(const char *)data + 1, size - 1});
    if (stored_wrap((struct bytes){(const char *)data + 1, size - 1}, targets[target].kind, &blob))
        targets[target].check(buffer_bytes(&blob));
    buffer_clear(&blob);
    return 0;
}
