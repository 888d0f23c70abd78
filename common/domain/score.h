/* common/domain/score.h - the first of the two functions that compute every number: takes a snapshot and a scoring
 * model, returns a scored snapshot. Pure: no clock, no I/O; any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_SCORE_H
#define ECOSYS_COMMON_DOMAIN_SCORE_H

#include "common/domain/scored_snapshot.h"

/* Scores the tenants of the scored type that share a CNPJ with a client, gives clients their roles, numbers the groups
 * of those whose cnpj_key is the same (who has none is in none), and sorts both into answering order. *out must be
 * initialised; its rows' texts stay in the snapshot's arenas and the model's in its own, so both must outlive it. On
 * failure (memory, too many rows) the caller clears *out. */
MUST_CHECK enum status score(const struct snapshot *snapshot, const struct scoring_model *model,
                             struct scored_snapshot *out, struct error *err);

/* The scores of one tenant. A pillar is rounded to hundredths, half away from zero, in exact arithmetic; the total
 * is the exact weighted sum of the rounded pillars; the category is decided on the exact total. */
struct scores score_tenant(const struct tenant *tenant, const struct scoring_model *model, int32_t today);

/* Completes `pillars` with its totals: the rounded total and the category follow from the exact total alone. */
struct scores scores_complete(const struct scoring_model *model, struct scores pillars, int64_t total_exact);

/* The roles of one client: bits of enum client_role. */
uint32_t client_roles(const struct client *client, const struct scoring_model *model);

#endif
