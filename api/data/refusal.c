/* api/data/refusal.c - one is remembered, as the pointer points to one. */
#include "api/data/refusal.h"

bool refusal_allows(const struct refusal *refusal, uint64_t generation, int64_t now_ms)
{
    return refusal->generation != generation || now_ms >= refusal->retry_ms;
}

bool refusal_note(struct refusal *refusal, uint64_t generation, enum status reason, int64_t now_ms)
{
    bool is_new = refusal->generation != generation;
    /* Refused data stays bad; a missing key may mean that the generation was replaced meanwhile. */
    *refusal = (struct refusal){generation, reason == STATUS_CORRUPT ? now_ms + REFUSAL_RETRY_MS : now_ms};
    return is_new;
}
