/* worker/refresh.h - one refresh from start to finish: model, snapshot of both databases, score, publish. Blocks; runs
 * in a thread of its own and is ended from outside through the interrupt. */
#ifndef ECOSYS_WORKER_REFRESH_H
#define ECOSYS_WORKER_REFRESH_H

#include "common/program/settings.h"
#include "worker/publish.h"
#include "worker/sources/interrupt.h"

/* What a refresh was doing when it failed; the phase's word goes to /health. */
enum refresh_phase {
    PHASE_MODEL,
    PHASE_KOMMO,
    PHASE_ECOSYS,
    PHASE_SCORE,
    PHASE_PUBLISH,
    PHASE_COUNT,
};

struct refresh_request {
    const struct settings *settings;
    const char *lease_token;
    struct interrupt *interrupt;
    const struct date_filter *popular; /* get buckets besides those of the calendar */
    size_t popular_count;
    bool has_as_of;
    int64_t as_of_wall_us; /* on TZ's wall clock; without has_as_of: now */
};

struct refresh_outcome {
    struct published published;
    size_t clients_count, tenants_count; /* tenants: only scored ones */
    struct replacements replaced;
    uint64_t rows_count; /* sent by the two databases */
    int64_t skew_us;
    int64_t connect_ms;            /* both databases: connecting, sessions, catalogue, snapshots */
    int64_t phase_ms[PHASE_COUNT]; /* the two sources are read in parallel */
    int64_t total_ms;
    enum refresh_phase phase; /* the last one begun */
};

/* *out is filled in as far as the refresh went, also on failure. */
MUST_CHECK enum status refresh(const struct refresh_request *request, struct refresh_outcome *out,
                               struct error *err);

/* One word: "model", "postgresql", "mysql", "score", "redis". */
const char *refresh_phase_word(enum refresh_phase phase);

/* Reads the model that SCORING_MODEL names, or the built-in one. */
MUST_CHECK enum status refresh_load_model(const struct settings *settings, struct arena *arena,
                                          struct scoring_model *out, struct error *err);

#endif
