/* api/logins.h - one tenant's logins: fetched from Redis when asked for, by a thread that may block. */
#ifndef ECOSYS_API_LOGINS_H
#define ECOSYS_API_LOGINS_H

#include "api/media.h"
#include "common/buffer.h"
#include "common/redis_link.h"
#include "common/status.h"

/* What a thread that fetches has of its own. */
struct fetcher {
    struct redis_link link;
    const char *prefix; /* not owned */
    int64_t
        asked_ms; /* by the monotonic clock, when what is fetched now was asked for; set by who has it fetched */
    int64_t failed_ms; /* when Redis did not answer last */
};

/* Appends the document of /logins as `media` for a tenant that exists. STATUS_NOT_FOUND: the generation's logins are gone from
 * Redis (it was replaced long ago). */
MUST_CHECK enum status logins_make(struct fetcher *fetcher, uint64_t generation, uint64_t tenant_id,
                                   enum media media, struct buffer *out, struct error *err);

#endif
