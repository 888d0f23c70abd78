/* api/data/login_fetcher.h - one tenant's logins: fetched from Redis on request, by a thread that may block. */
#ifndef ECOSYS_API_DATA_LOGIN_FETCHER_H
#define ECOSYS_API_DATA_LOGIN_FETCHER_H

#include "api/formats/media.h"
#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/redis/redis_link.h"

/* Context of a thread that fetches. */
struct login_fetcher {
    struct redis_link link;
    const char *prefix;   /* not owned */
    int64_t requested_ms; /* when the job in progress was requested, monotonic; set by the caller */
    int64_t failed_ms;    /* when Redis last failed to answer */
};

/* Appends the document of /logins for an existing tenant as `media`. STATUS_NOT_FOUND: the generation's logins are gone
 * from Redis (it was replaced long ago). */
MUST_CHECK enum status login_fetcher_make(struct login_fetcher *fetcher, uint64_t generation,
                                          uint64_t tenant_id, enum media media, struct buffer *out,
                                          struct error *err);

#endif
