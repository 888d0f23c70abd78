/* common/redis_url.h - where Redis is, from REDIS_URL or the UPSTASH_* settings. Pure; any thread. */
#ifndef ECOSYS_COMMON_REDIS_URL_H
#define ECOSYS_COMMON_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/status.h"

#define REDIS_DB_MAX 65535

struct redis_address {
    const char *unix_path; /* NULL: TCP */
    const char *host;      /* without brackets */
    uint16_t port;
    uint32_t db;
    const char *user;     /* NULL: the default one */
    const char *password; /* NULL: none */
    bool tls;
    const char *ca_file; /* of the authorities that TLS trusts; NULL: the system's */
};

/* Reads redis://[user:password@]host[:port][/db], rediss://... (TLS) or unix:///path[?db=N]; user, password and path
 * may be percent-encoded. Texts live in the arena. STATUS_INVALID says what is wrong without quoting the URL, which
 * may hold a password. */
MUST_CHECK enum status redis_url_parse(struct arena *arena, const char *url, struct redis_address *out,
                                       struct error *err);

/* What an Upstash REST address means for the Redis protocol: https://HOST and a token are TLS to HOST:6379 as user
 * "default". The port of the REST address, if it names one, is not that of Redis. */
MUST_CHECK enum status redis_url_of_upstash(struct arena *arena, const char *rest_url, const char *token,
                                            struct redis_address *out, struct error *err);

#endif
