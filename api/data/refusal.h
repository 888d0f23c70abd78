/* api/data/refusal.h - the generation that could not be loaded last: when to try it again, and whether to log it. Pure;
 * times are monotonic. One thread at a time. */
#ifndef ECOSYS_API_DATA_REFUSAL_H
#define ECOSYS_API_DATA_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

/* Until data that was refused as damaged is looked at again; anything else is tried at the next look. */
#define REFUSAL_RETRY_MS 10000

struct refusal {
    uint64_t generation; /* 0: none */
    int64_t retry_ms;    /* when to try it again */
};

/* Whether a generation is to be tried now. */
bool refusal_allows(const struct refusal *refusal, uint64_t generation, int64_t now_ms);

/* Takes in that it could not be loaded. True the first time, which is to be logged. */
bool refusal_note(struct refusal *refusal, uint64_t generation, enum status reason, int64_t now_ms);

#endif
