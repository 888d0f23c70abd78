/* worker/refresh.c - the steps of a refresh; what it takes is released in reverse order. */
#include "worker/refresh.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/domain/score.h"
#include "common/program/log.h"
#include "common/program/zone.h"
#include "worker/sources/ecosys.h"
#include "worker/sources/kommo.h"

const char *refresh_phase_word(enum refresh_phase phase)
{
    static const char *const words[PHASE_COUNT] = {"model", "postgresql", "mysql", "score", "redis"};
    return words[phase];
}

static enum status read_model_file(const char *path, struct buffer *text, struct error *err)
{
    char block[4096];
    size_t len;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return error_set(err, STATUS_INVALID, "SCORING_MODEL: %s: %s", path, strerror(errno));
    while ((len = fread(block, 1, sizeof block, file)) > 0 && text->len <= SCORING_MODEL_TEXT_MAX)
        buffer_append(text, block, len);
    bool has_failed = ferror(file) != 0;
    fclose(file);
    if (has_failed)
        return error_set(err, STATUS_INVALID, "SCORING_MODEL: %s cannot be read", path);
    return buffer_is_failed(text) ? error_no_memory(err) : STATUS_OK;
}

enum status refresh_load_model(const struct settings *settings, struct arena *arena,
                               struct scoring_model *out, struct error *err)
{
    struct buffer text = BUFFER_INIT;
    if (settings->scoring_model == NULL)
        return scoring_model_parse(arena, scoring_model_builtin(), out, err);
    enum status status = read_model_file(settings->scoring_model, &text, err);
    if (status == STATUS_OK && scoring_model_parse(arena, buffer_bytes(&text), out, err) != STATUS_OK)
        status = error_context(err, "%s", settings->scoring_model);
    buffer_clear(&text);
    return status;
}

/* If a table was altered between the snapshot and our first access to it, a new snapshot is taken; this many in all. */
#define SNAPSHOTS_MAX 3

/* Both sources, from opening their snapshots to the last row. */
struct reading {
    const struct refresh_request *request;
    const struct scoring_model *model;
    struct kommo kommo;
    struct ecosys ecosys;
    struct ecosys_catalog catalog;
    struct snapshot *snapshot;
    struct refresh_outcome *outcome;
    enum status kommo_status;
    struct error kommo_error;
    atomic_flag has_failed; /* set by the source that fails first; the other's error is then ignored */
    enum interrupt_slot first_failed;
};

static enum status fail_in(struct reading *reading, enum refresh_phase phase, enum status status)
{
    if (status != STATUS_OK)
        reading->outcome->phase = phase;
    return status;
}

/* Called by a source that failed: the other one's rows are no longer needed, so it is ended at once. */
static void end_other(struct reading *reading, enum interrupt_slot failed)
{
    if (atomic_flag_test_and_set(&reading->has_failed))
        return;
    reading->first_failed = failed;
    interrupt_cut(reading->request->interrupt,
                  failed == INTERRUPT_KOMMO ? INTERRUPT_ECOSYS : INTERRUPT_KOMMO);
}

/* Each source is closed after its last row: an open transaction blocks schema changes. */
static void *read_kommo(void *context)
{
    struct reading *reading = context;
    int64_t start = clock_monotonic_ms();
    reading->kommo_status = kommo_read(&reading->kommo, &reading->snapshot->clients, &reading->kommo_error);
    if (reading->kommo_status != STATUS_OK)
        end_other(reading, INTERRUPT_KOMMO);
    kommo_close(&reading->kommo);
    reading->outcome->phase_ms[PHASE_KOMMO] = clock_monotonic_ms() - start;
    return NULL;
}

static enum status read_ecosys(struct reading *reading, struct error *err)
{
    int64_t start = clock_monotonic_ms();
    enum status status =
        ecosys_read(&reading->ecosys, reading->model, &reading->catalog,
                    instants_today(&reading->snapshot->instants), &reading->snapshot->tenants, err);
    if (status != STATUS_OK)
        end_other(reading, INTERRUPT_ECOSYS);
    ecosys_close(&reading->ecosys);
    reading->outcome->phase_ms[PHASE_ECOSYS] = clock_monotonic_ms() - start;
    return status;
}

/* The instants of a snapshot opened now. */
static struct instants choose_instants(const struct refresh_request *request)
{
    struct instants instants = {.taken_at_ms = clock_unix_ms()};
    instants.as_of_wall_us =
        request->has_as_of ? request->as_of_wall_us : zone_wall_us(instants.taken_at_ms * 1000);
    instants.as_of_offset_s = zone_offset_s(
        request->has_as_of ? zone_unix_s(instants.as_of_wall_us / US_PER_S) : instants.taken_at_ms / 1000);
    return instants;
}

static enum status open_snapshots(struct reading *reading, struct error *err)
{
    const struct settings *settings = reading->request->settings;
    struct interrupt *interrupt = reading->request->interrupt;
    struct instants *instants = &reading->snapshot->instants;
    *instants = choose_instants(reading->request);
    if (fail_in(reading, PHASE_KOMMO, kommo_open(&reading->kommo, settings, interrupt, err)) != STATUS_OK)
        return err->code;
    enum status status = ecosys_open(&reading->ecosys, settings, instants->as_of_offset_s, interrupt, err);
    if (status == STATUS_OK)
        status = ecosys_read_catalog(&reading->ecosys, reading->model, &reading->catalog, err);
    if (fail_in(reading, PHASE_ECOSYS, status) != STATUS_OK)
        return status;
    interrupt_set_deadline(interrupt, clock_monotonic_ms(), settings->snapshot_timeout_s * 1000,
                           "the databases' snapshots were open for longer than SNAPSHOT_TIMEOUT");
    if (fail_in(reading, PHASE_KOMMO, kommo_lock(&reading->kommo, err)) != STATUS_OK)
        return err->code;
    int32_t session_offset_s = instants->as_of_offset_s; /* the one that MySQL's session has */
    int64_t start = clock_read_us(CLOCK_MONOTONIC);
    *instants = choose_instants(reading->request);
    instants->as_of_offset_s = session_offset_s;
    if (fail_in(reading, PHASE_KOMMO, kommo_snapshot_start(&reading->kommo, err)) != STATUS_OK ||
        fail_in(reading, PHASE_ECOSYS, ecosys_snapshot(&reading->ecosys, err)) != STATUS_OK ||
        fail_in(reading, PHASE_KOMMO, kommo_snapshot_finish(&reading->kommo, err)) != STATUS_OK)
        return err->code;
    reading->snapshot->skew_us = clock_read_us(CLOCK_MONOTONIC) - start;
    return STATUS_OK;
}

static enum status read_both(struct reading *reading, struct error *err)
{
    pthread_t thread;
    atomic_flag_clear(&reading->has_failed);
    if (pthread_create(&thread, NULL, read_kommo, reading) != 0)
        return fail_in(reading, PHASE_KOMMO,
                       error_set(err, STATUS_NO_MEMORY, "no thread to read PostgreSQL"));
    enum status status = read_ecosys(reading, err);
    pthread_join(thread, NULL);
    if (status != STATUS_OK && reading->first_failed == INTERRUPT_ECOSYS)
        return fail_in(reading, PHASE_ECOSYS, status);
    if (reading->kommo_status != STATUS_OK)
        *err = reading->kommo_error;
    return fail_in(reading, PHASE_KOMMO, reading->kommo_status);
}

static enum status try_snapshot(struct reading *reading, struct error *err)
{
    struct refresh_outcome *outcome = reading->outcome;
    int64_t start = clock_monotonic_ms();
    outcome->phase = PHASE_KOMMO;
    enum status status = open_snapshots(reading, err);
    outcome->connect_ms = clock_monotonic_ms() - start;
    if (status == STATUS_OK)
        status = read_both(reading, err);
    interrupt_end_deadline(reading->request->interrupt);
    ecosys_close(&reading->ecosys);
    kommo_close(&reading->kommo);
    return status;
}

/* Drops the rows of a snapshot that has to be taken again. */
static void forget_rows(struct snapshot *snapshot)
{
    arena_clear(&snapshot->clients.arena);
    arena_clear(&snapshot->tenants.arena);
    snapshot->clients = (struct client_rows){.count = 0};
    snapshot->tenants = (struct tenant_rows){.count = 0};
    arena_init(&snapshot->clients.arena);
    arena_init(&snapshot->tenants.arena);
}

static enum status take_snapshot(const struct refresh_request *request, const struct scoring_model *model,
                                 struct snapshot *snapshot, struct refresh_outcome *outcome,
                                 struct error *err)
{
    struct reading reading = {.request = request, .model = model, .snapshot = snapshot, .outcome = outcome};
    enum status status = STATUS_OK;
    for (int attempt = 1; attempt <= SNAPSHOTS_MAX; attempt++) {
        reading.kommo = (struct kommo){.interrupt = request->interrupt};
        reading.ecosys = (struct ecosys){.interrupt = request->interrupt};
        status = try_snapshot(&reading, err);
        bool is_outdated = outcome->phase == PHASE_ECOSYS && reading.ecosys.has_changed_table;
        if (status == STATUS_OK || !is_outdated || attempt == SNAPSHOTS_MAX)
            break;
        log_write(LOG_INFO, "snapshot taken again", LOG_FIELDS(log_text("reason", err->message)));
        forget_rows(snapshot);
    }
    outcome->skew_us = snapshot->skew_us;
    outcome->rows_count = snapshot->clients.count + reading.ecosys.rows_count;
    return status;
}

static enum status score_and_publish(const struct refresh_request *request, const struct snapshot *snapshot,
                                     const struct scoring_model *model, struct refresh_outcome *outcome,
                                     struct error *err)
{
    struct scored_snapshot scored;
    int64_t start = clock_monotonic_ms();
    scored_snapshot_init(&scored);
    outcome->phase = PHASE_SCORE;
    enum status status = score(snapshot, model, &scored, err);
    outcome->phase_ms[PHASE_SCORE] = clock_monotonic_ms() - start;
    if (status == STATUS_OK) {
        struct redis_link link;
        struct publisher publisher = {.link = &link,
                                      .settings = request->settings,
                                      .lease_token = request->lease_token,
                                      .interrupt = request->interrupt,
                                      .popular = request->popular,
                                      .popular_count = request->popular_count};
        redis_link_init(&link, &request->settings->redis, request->settings->redis_timeout_ms);
        start = clock_monotonic_ms();
        outcome->phase = PHASE_PUBLISH;
        outcome->clients_count = scored.clients_count;
        outcome->tenants_count = scored.tenants_count;
        outcome->replaced = scored.replaced;
        status = publish(&publisher, snapshot, &scored, &outcome->published, err);
        outcome->phase_ms[PHASE_PUBLISH] = clock_monotonic_ms() - start;
        redis_link_close(&link);
    }
    scored_snapshot_clear(&scored);
    return status;
}

enum status refresh(const struct refresh_request *request, struct refresh_outcome *out, struct error *err)
{
    struct arena model_arena;
    struct scoring_model model;
    struct snapshot snapshot = {.skew_us = 0};
    int64_t start = clock_monotonic_ms();
    *out = (struct refresh_outcome){.phase = PHASE_MODEL};
    arena_init(&model_arena);
    arena_init(&snapshot.clients.arena);
    arena_init(&snapshot.tenants.arena);
    enum status status = refresh_load_model(request->settings, &model_arena, &model, err);
    out->phase_ms[PHASE_MODEL] = clock_monotonic_ms() - start;
    if (status == STATUS_OK)
        status = take_snapshot(request, &model, &snapshot, out, err);
    if (status == STATUS_OK)
        status = score_and_publish(request, &snapshot, &model, out, err);
    arena_clear(&snapshot.tenants.arena);
    arena_clear(&snapshot.clients.arena);
    arena_clear(&model_arena);
    out->total_ms = clock_monotonic_ms() - start;
    return status;
}
