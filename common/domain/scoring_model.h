/* common/domain/scoring_model.h - how points, weights and categories are determined, as data (schemas/scoring.json).
 * The worker reads the document again at each refresh and stores its text in the generation, so worker and API always
 * agree. Points, weights and cuts are integers in the units below: scores are exact. Any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_SCORING_MODEL_H
#define ECOSYS_COMMON_DOMAIN_SCORING_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"

#define POINTS_SCALE 6 /* points and weights are in 10^-6 */
#define TOTAL_SCALE  8 /* totals and cuts are in 10^-8: a weight times a pillar in hundredths */

#define SCORING_MODEL_TEXT_MAX (256u * 1024u) /* a longer document is refused */
#define CATEGORIES_MAX         16

/* The pillars in the order in which the total adds them. */
enum pillar { PILLAR_ENGAGEMENT, PILLAR_STOCK, PILLAR_CRM, PILLAR_ADOPTION, PILLAR_COUNT };

/* Recency: the points of the first band with days <= limit. Volume: of the first with count > limit. If none matches: 0
 * points. */
struct band {
    int64_t limit;
    int64_t points;
};

struct bands {
    const struct band *items;
    size_t count;
};

/* How a tenant's size is measured, if the bands of volume depend on it. */
enum size_measure {
    SIZE_NONE,  /* the same bands for all tenants */
    SIZE_TEAM,  /* distinct users with a login in the last 30 days */
    SIZE_STORE, /* vehicles in stock */
};

struct volume_class {
    int64_t up_to;      /* largest size in this class; INT64_MAX for the last one */
    struct bands bands; /* limits descending */
};

struct event_bands {
    struct bands recency; /* limits ascending */
    enum size_measure measure;
    const struct volume_class *volumes; /* by ascending size; one for SIZE_NONE */
    size_t volumes_count;
};

struct adoption_points {
    int64_t econversa;
    int64_t integrator_ads;
    int64_t reports;
    int64_t contracts;
    int64_t contracts_at_least; /* rows in the window */
    const int64_t *excluded_integrators;
    size_t excluded_integrators_count;
};

/* How many days back each kind of row counts, from midnight of (today - days). */
struct windows {
    int64_t events_days;
    int64_t messages_days;
    int64_t ads_days;
    int64_t reports_days;
    int64_t contracts_days;
};

struct category {
    struct bytes name;
    int64_t up_to; /* highest total in this category; INT64_MAX for the last one */
};

struct integrator {
    int64_t id;
    struct bytes name;
};

struct names {
    const struct bytes *items;
    size_t count;
};

struct scoring_model {
    struct bytes text; /* the document, as read */
    char hash[33];     /* XXH3 of the text, 128 bits, in hexadecimal */
    struct bytes version;
    int64_t weights[PILLAR_COUNT];
    struct event_bands events[PILLAR_ADOPTION]; /* of the pillars that count events */
    struct adoption_points adoption;
    struct windows windows;
    struct category categories[CATEGORIES_MAX];
    size_t categories_count;
    const struct integrator *integrators; /* by ascending id */
    size_t integrators_count;
    struct names active_pipelines;
    struct names onboarding_pipelines;
    struct names churn_pipelines;
};

/* Reads and checks a document; everything in *out lives in the arena. STATUS_INVALID names the place (a path like
 * "pillars.crm.recency[2].points"), its value and what is accepted. */
MUST_CHECK enum status scoring_model_parse(struct arena *arena, struct bytes text, struct scoring_model *out,
                                           struct error *err);

/* The model built into the programs: schemas/scoring.json as it was when they were built. */
struct bytes scoring_model_builtin(void);

/* Whether the bands of any pillar depend on `measure`. */
bool scoring_model_goes_by(const struct scoring_model *model, enum size_measure measure);

/* The name of an integrator, or no value if it has none. */
struct bytes scoring_model_integrator_name(const struct scoring_model *model, int64_t id);

bool names_contain(struct names names, struct bytes name);

#endif
