/* common/stored/codec.h - stored data as MessagePack in envelopes: packing for the worker, unpacking for the API.
 * Unpacking trusts nothing: every count, range and text is checked, and STATUS_CORRUPT says what was refused. A row is
 * an array of fixed length; the rows of a chunk follow one another. schemas/redis.md lists the fields, numbered in this
 * order. Any thread; unpacked texts live in the given arena. */
#ifndef ECOSYS_COMMON_STORED_CODEC_H
#define ECOSYS_COMMON_STORED_CODEC_H

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/domain/answer.h"
#include "common/domain/buckets.h"
#include "common/domain/scored_snapshot.h"

#define ROWS_MAX 10000000u /* of one kind, in one generation */

/* Read before anything else of a generation. */
struct manifest {
    uint64_t generation;
    struct instants instants;
    int64_t skew_us;
    uint32_t clients_count, tenants_count, groups_count;
    uint32_t client_chunks, tenant_chunks;
    uint32_t tenant_ids_count, tenant_id_chunks; /* of all tenants, scored or not */
    struct replacements replaced;
};

/* The worker's report on itself, stored under REDIS_WORKER. */
struct worker_report {
    uint64_t failures;               /* since the last published generation; 0: healthy */
    char last_error[32];             /* one word: what the last refresh failed at; empty if it did not */
    char reason[ERROR_MESSAGE_SIZE]; /* the same in full, for operators; UTF-8 */
};

MUST_CHECK enum status codec_pack_manifest(const struct manifest *manifest, struct buffer *out,
                                           struct error *err);
MUST_CHECK enum status codec_unpack_manifest(struct bytes blob, struct manifest *out, struct error *err);

MUST_CHECK enum status codec_pack_worker_report(const struct worker_report *report, struct buffer *out,
                                                struct error *err);
MUST_CHECK enum status codec_unpack_worker_report(struct bytes blob, struct worker_report *out,
                                                  struct error *err);

/* The scoring model is stored as the text that was read. */
MUST_CHECK enum status codec_pack_model(const struct scoring_model *model, struct buffer *out,
                                        struct error *err);
MUST_CHECK enum status codec_unpack_model(struct bytes blob, struct arena *arena, struct scoring_model *out,
                                          struct error *err);

/* Append to `out` one chunk with as many rows from *next on as fit, and advance *next past them. STATUS_INVALID: a
 * single row does not fit a chunk. */
MUST_CHECK enum status codec_pack_clients(const struct scored_snapshot *scored, size_t *next,
                                          struct buffer *out, struct error *err);
MUST_CHECK enum status codec_pack_tenants(const struct scored_snapshot *scored, size_t *next,
                                          struct buffer *out, struct error *err);

/* Prepares `out` for the rows announced by the manifest (memory, instants, counts). */
MUST_CHECK enum status codec_begin_rows(const struct manifest *manifest, struct scored_snapshot *out,
                                        struct error *err);

/* Add the rows of the next chunk to `out`; more rows than announced are STATUS_CORRUPT. */
MUST_CHECK enum status codec_unpack_clients(struct bytes blob, const struct manifest *manifest,
                                            struct scored_snapshot *out, struct error *err);
MUST_CHECK enum status codec_unpack_tenants(struct bytes blob, const struct manifest *manifest,
                                            struct scored_snapshot *out, struct error *err);

/* Checks that all announced rows are there, and computes the index. */
MUST_CHECK enum status codec_end_rows(const struct manifest *manifest, struct scored_snapshot *out,
                                      struct error *err);

/* The filters of a generation that have a stored answer, in the order of date_filter_compare. */
MUST_CHECK enum status codec_pack_buckets(const struct date_filter *filters, size_t count, struct buffer *out,
                                          struct error *err);
MUST_CHECK enum status codec_unpack_buckets(struct bytes blob, struct date_filter out[BUCKETS_MAX],
                                            size_t *count, struct error *err);

/* An answer says which rows of the snapshot belong to it. Unpacking checks it against the counts in its manifest; the
 * caller frees it with answer_clear. */
MUST_CHECK enum status codec_pack_answer(const struct answer *answer, struct buffer *out, struct error *err);
MUST_CHECK enum status codec_unpack_answer(struct bytes blob, const struct manifest *manifest,
                                           struct answer *out, struct error *err);

#endif
