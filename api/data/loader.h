/* api/data/loader.h - reads a generation from Redis: manifest, model, rows, answers. Blocks; for the follower's
 * thread. */
#ifndef ECOSYS_API_DATA_LOADER_H
#define ECOSYS_API_DATA_LOADER_H

#include "api/data/generation.h"
#include "common/redis/redis_link.h"

/* Loads generation `number`. STATUS_NOT_FOUND: one of its keys is missing (it was replaced meanwhile). STATUS_CORRUPT:
 * a blob was refused. An unusable stored answer is no failure: it is computed from the rows. */
MUST_CHECK enum status loader_load(struct redis_link *link, const char *prefix, uint64_t number,
                                   size_t documents_max, struct generation **out, struct error *err);

#endif
