/* worker/report.c - packs the report and sets its key, which outlives the data it is about. */
#include "worker/report.h"

#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/redis/redis_names.h"
#include "common/stored/codec.h"
#include "worker/publish.h"

/* A server's message may be in any encoding, and ours may be cut inside a character. */
static void set_reason(struct worker_report *out, const char *message)
{
    struct arena arena;
    uint64_t ignored = 0;
    arena_init(&arena);
    struct bytes clean = utf8_clean(&arena, bytes_of(message), &ignored);
    struct bytes reason = utf8_cut(clean, sizeof out->reason - 1);
    if (reason.len > 0)
        memcpy(out->reason, reason.data, reason.len);
    arena_clear(&arena);
}

void report_store(struct redis_link *link, const struct settings *settings, uint64_t failures,
                  const char *word, const char *reason)
{
    struct worker_report report = {.failures = failures};
    struct redis_name name = redis_name_of(settings->redis_prefix, REDIS_WORKER);
    struct buffer blob = BUFFER_INIT;
    struct redisReply *reply;
    struct error ignored;
    char ttl[24];
    snprintf(report.last_error, sizeof report.last_error, "%s", word);
    set_reason(&report, reason);
    snprintf(ttl, sizeof ttl, "%lld", (long long)settings->cache_max_stale_s + PUBLISH_GRACE_S);
    if (codec_pack_worker_report(&report, &blob, &ignored) == STATUS_OK) {
        const struct bytes set[] = {bytes_of("SET"), bytes_of(name.text), buffer_bytes(&blob), bytes_of("EX"),
                                    bytes_of(ttl)};
        if (redis_link_call(link, set, 5, &reply, &ignored) == STATUS_OK)
            redis_reply_free(reply);
    }
    buffer_clear(&blob);
}
