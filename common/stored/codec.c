/* common/stored/codec.c - manifest, worker's report, model, buckets and answers; rows are in codec_rows.c. */
#include "common/stored/codec.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/stored/envelope.h"
#include "common/stored/pack.h"

#define MANIFEST_FIELDS 14
#define REPORT_FIELDS   3
#define ANSWER_FIELDS   13

#define WALL_US_MIN  (DAY_FIRST * US_PER_DAY)
#define WALL_US_MAX  ((DAY_LAST + 1) * US_PER_DAY - 1)
#define TAKEN_MS_MAX (INT64_C(253402300800000)) /* the year 10000 */
#define OFFSET_S_MAX (24 * 3600)

/* Opens an envelope that holds a single value. */
static enum status open_single(struct bytes blob, enum blob_kind kind, uint32_t count, struct fields *fields,
                               struct error *err)
{
    struct bytes payload;
    size_t offset = 0;
    *fields = (struct fields){.next = NULL};
    if (envelope_open(blob, kind, &payload, err) != STATUS_OK ||
        fields_open(fields, payload, &offset, count, err) != STATUS_OK)
        return err->code;
    if (offset != payload.len)
        return error_set(err, STATUS_CORRUPT, "%zu bytes behind the value", payload.len - offset);
    return STATUS_OK;
}

enum status codec_pack_manifest(const struct manifest *manifest, struct buffer *out, struct error *err)
{
    size_t start = out->len;
    envelope_begin(out);
    pack_array(out, MANIFEST_FIELDS);
    pack_uint(out, manifest->generation);
    pack_int(out, manifest->instants.as_of_wall_us);
    pack_int(out, manifest->instants.as_of_offset_s);
    pack_int(out, manifest->instants.taken_at_ms);
    pack_int(out, manifest->skew_us);
    pack_uint(out, manifest->clients_count);
    pack_uint(out, manifest->tenants_count);
    pack_uint(out, manifest->groups_count);
    pack_uint(out, manifest->client_chunks);
    pack_uint(out, manifest->tenant_chunks);
    pack_uint(out, manifest->tenant_ids_count);
    pack_uint(out, manifest->tenant_id_chunks);
    pack_uint(out, manifest->replaced.texts);
    pack_uint(out, manifest->replaced.values);
    return envelope_end(out, start, BLOB_MANIFEST, err);
}

enum status codec_unpack_manifest(struct bytes blob, struct manifest *out, struct error *err)
{
    struct fields fields;
    struct manifest manifest;
    if (open_single(blob, BLOB_MANIFEST, MANIFEST_FIELDS, &fields, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    manifest.generation = fields_uint(&fields, UINT64_MAX);
    manifest.instants.as_of_wall_us = fields_int(&fields, WALL_US_MIN, WALL_US_MAX);
    manifest.instants.as_of_offset_s = (int32_t)fields_int(&fields, -OFFSET_S_MAX, OFFSET_S_MAX);
    manifest.instants.taken_at_ms = fields_int(&fields, 0, TAKEN_MS_MAX);
    manifest.skew_us = fields_int(&fields, 0, INT64_MAX);
    manifest.clients_count = (uint32_t)fields_uint(&fields, SUMMABLE_MAX);
    manifest.tenants_count = (uint32_t)fields_uint(&fields, ROWS_MAX);
    manifest.groups_count = (uint32_t)fields_uint(&fields, ROWS_MAX);
    manifest.client_chunks = (uint32_t)fields_uint(&fields, ROWS_MAX);
    manifest.tenant_chunks = (uint32_t)fields_uint(&fields, ROWS_MAX);
    manifest.tenant_ids_count = (uint32_t)fields_uint(&fields, ROWS_MAX);
    manifest.tenant_id_chunks = (uint32_t)fields_uint(&fields, ROWS_MAX);
    manifest.replaced.texts = fields_uint(&fields, UINT64_MAX);
    manifest.replaced.values = fields_uint(&fields, UINT64_MAX);
    if (manifest.client_chunks > manifest.clients_count || manifest.tenant_chunks > manifest.tenants_count ||
        manifest.tenant_id_chunks > manifest.tenant_ids_count)
        fields_refuse(&fields, "more chunks than rows");
    if (fields_close(&fields, "manifest", err) != STATUS_OK)
        return err->code;
    *out = manifest;
    return STATUS_OK;
}

enum status codec_pack_worker_report(const struct worker_report *report, struct buffer *out,
                                     struct error *err)
{
    size_t start = out->len;
    envelope_begin(out);
    pack_array(out, REPORT_FIELDS);
    pack_uint(out, report->failures);
    pack_text(out, bytes_of(report->last_error));
    pack_text(out, bytes_of(report->reason));
    return envelope_end(out, start, BLOB_WORKER, err);
}

/* Reads the next field as a NUL-terminated text. */
static void take_line(struct fields *fields, char *out, size_t room)
{
    struct bytes text = fields_text(fields);
    if (text.len >= room || (text.len > 0 && memchr(text.data, '\0', text.len) != NULL))
        fields_refuse(fields, "a longer text than there is room for, or one with a NUL");
    else if (text.len > 0)
        memcpy(out, text.data, text.len);
}

enum status codec_unpack_worker_report(struct bytes blob, struct worker_report *out, struct error *err)
{
    struct fields fields;
    struct worker_report report = {.failures = 0};
    if (open_single(blob, BLOB_WORKER, REPORT_FIELDS, &fields, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    report.failures = fields_uint(&fields, UINT64_MAX);
    take_line(&fields, report.last_error, sizeof report.last_error);
    take_line(&fields, report.reason, sizeof report.reason);
    if (fields_close(&fields, "worker report", err) != STATUS_OK)
        return err->code;
    *out = report;
    return STATUS_OK;
}

enum status codec_pack_model(const struct scoring_model *model, struct buffer *out, struct error *err)
{
    size_t start = out->len;
    envelope_begin(out);
    pack_array(out, 1);
    pack_text(out, model->text);
    return envelope_end(out, start, BLOB_MODEL, err);
}

enum status codec_unpack_model(struct bytes blob, struct arena *arena, struct scoring_model *out,
                               struct error *err)
{
    struct fields fields;
    if (open_single(blob, BLOB_MODEL, 1, &fields, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    struct bytes text = fields_text(&fields);
    if (fields_close(&fields, "model", err) != STATUS_OK)
        return err->code;
    if (scoring_model_parse(arena, text, out, err) == STATUS_OK)
        return STATUS_OK;
    if (err->code == STATUS_INVALID)
        err->code = STATUS_CORRUPT;
    return err->code;
}

enum status codec_pack_buckets(const struct date_filter *filters, size_t count, struct buffer *out,
                               struct error *err)
{
    size_t start = out->len;
    envelope_begin(out);
    pack_array(out, 1);
    pack_array(out, (uint32_t)(2 * count));
    for (size_t i = 0; i < count; i++) {
        pack_int(out, filters[i].first_day);
        pack_int(out, filters[i].last_day);
    }
    return envelope_end(out, start, BLOB_BUCKETS, err);
}

enum status codec_unpack_buckets(struct bytes blob, struct date_filter out[BUCKETS_MAX], size_t *count,
                                 struct error *err)
{
    struct fields fields;
    if (open_single(blob, BLOB_BUCKETS, 1, &fields, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    struct fields list = fields_array(&fields);
    uint32_t found = list.left / 2;
    if (found > BUCKETS_MAX || list.left % 2 != 0) {
        fields_refuse(&fields, "not pairs of days, or too many");
        found = 0;
    }
    for (uint32_t i = 0; i < found; i++) {
        out[i].first_day = (int32_t)fields_int(&list, DAY_MIN, DAY_MAX);
        out[i].last_day = (int32_t)fields_int(&list, out[i].first_day, DAY_MAX);
        if (i > 0 && date_filter_compare(out[i - 1], out[i]) >= 0)
            fields_refuse(&fields, "filters out of order");
    }
    if (list.problem != NULL)
        fields_refuse(&fields, list.problem);
    if (fields_close(&fields, "buckets", err) != STATUS_OK)
        return err->code;
    *count = found;
    return STATUS_OK;
}

enum status codec_pack_answer(const struct answer *answer, struct buffer *out, struct error *err)
{
    size_t start = out->len;
    const struct kpis *kpis = &answer->kpis;
    envelope_begin(out);
    pack_array(out, ANSWER_FIELDS);
    pack_int(out, answer->filter.first_day);
    pack_int(out, answer->filter.last_day);
    pack_uint(out, answer->first_client);
    pack_uint(out, answer->clients_count);
    pack_uint(out, answer->tenants_count);
    pack_bin(out, answer->tenants, answer->tenants_len);
    pack_uint(out, kpis->active);
    pack_uint(out, kpis->paying);
    pack_uint(out, kpis->onboarding);
    pack_int(out, kpis->mrr_cents);
    pack_int(out, kpis->churn_cents);
    pack_int(out, kpis->tmo_tenths);
    pack_array(out, kpis->categories_count);
    for (uint32_t i = 0; i < kpis->categories_count; i++)
        pack_uint(out, kpis->in_category[i]);
    return envelope_end(out, start, BLOB_ANSWER, err);
}

static void unpack_kpis(struct fields *fields, const struct manifest *manifest, struct kpis *out)
{
    out->active = (uint32_t)fields_uint(fields, manifest->clients_count);
    out->paying = (uint32_t)fields_uint(fields, manifest->clients_count);
    out->onboarding = (uint32_t)fields_uint(fields, manifest->clients_count);
    out->mrr_cents = fields_int(fields, INT64_MIN, INT64_MAX);
    out->churn_cents = fields_int(fields, INT64_MIN, INT64_MAX);
    out->tmo_tenths = fields_int(fields, 0, INT64_MAX);
    struct fields categories = fields_array(fields);
    if (categories.left > CATEGORIES_MAX) {
        fields_refuse(fields, "more categories than there can be");
        return;
    }
    out->categories_count = categories.left;
    for (uint32_t i = 0; i < out->categories_count; i++)
        out->in_category[i] = (uint32_t)fields_uint(&categories, manifest->tenants_count);
    if (categories.problem != NULL)
        fields_refuse(fields, categories.problem);
}

/* Whether exactly `expected` bits are set, all of them among the first `count`. */
static bool bits_fit(struct bytes bits, size_t count, size_t expected)
{
    size_t found = 0;
    for (size_t i = 0; bits.data != NULL && i < bits.len * 8; i++) {
        bool is_set = (bits.data[i / 8] >> (i % 8) & 1) != 0;
        if (is_set && i >= count)
            return false;
        found += is_set;
    }
    return found == expected;
}

enum status codec_unpack_answer(struct bytes blob, const struct manifest *manifest, struct answer *out,
                                struct error *err)
{
    struct fields fields;
    struct answer made = {.tenants_len = answer_tenants_len(manifest->tenants_count)};
    if (open_single(blob, BLOB_ANSWER, ANSWER_FIELDS, &fields, err) != STATUS_OK)
        return fields_abandon(&fields, err);
    made.filter.first_day = (int32_t)fields_int(&fields, DAY_MIN, DAY_MAX);
    made.filter.last_day = (int32_t)fields_int(&fields, made.filter.first_day, DAY_MAX);
    made.first_client = fields_uint(&fields, manifest->clients_count);
    made.clients_count = fields_uint(&fields, manifest->clients_count - made.first_client);
    made.tenants_count = fields_uint(&fields, manifest->tenants_count);
    struct bytes tenants = fields_bin(&fields, made.tenants_len);
    unpack_kpis(&fields, manifest, &made.kpis);
    made.tenants = malloc(made.tenants_len);
    if (made.tenants != NULL && tenants.data != NULL)
        memcpy(made.tenants, tenants.data, made.tenants_len);
    if (!bits_fit(tenants, manifest->tenants_count, made.tenants_count))
        fields_refuse(&fields, "another number of tenants than it says");
    enum status status = fields_close(&fields, "answer", err);
    if (status == STATUS_OK && made.tenants == NULL)
        status = error_no_memory(err);
    if (status != STATUS_OK) {
        free(made.tenants);
        return status;
    }
    *out = made;
    return STATUS_OK;
}
