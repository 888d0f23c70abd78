/* common/redis/redis_url.h - where Redis is, from REDIS_URL or the UPSTASH_* settings. Pure; any thread. */
#ifndef ECOSYS_COMMON_REDIS_REDIS_URL_H
#define ECOSYS_COMMON_REDIS_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define REDIS_DB_MAX 65535

struct redis_address {
    const char *unix_path; /* NULL: TCP */
    const char *host;      /* without brackets */
    uint16_t port;
    uint32_t db;
    const char *user;     /* NULL: the default user */
    const char *password; /* NULL: none */
    bool tls;
    const char *ca_file; /* authorities that TLS trusts; NULL: the system's */
};

/* Reads redis://[user:password@]host[:port][/db], rediss://... (TLS) or unix:///path[?db=N]; user, password and path
 * may be percent-encoded. Texts live in the arena. STATUS_INVALID says what is wrong without quoting the URL, which
 * may hold a password. */
MUST_CHECK enum status redis_url_parse(struct arena *arena, const char *url, struct redis_address *out,
                                       struct error *err);

/* Translates an Upstash REST address to the Redis protocol: https://HOST and a token become TLS to HOST:6379 as user
 * "default". Any port in the REST address is not that of Redis and is ignored. */
MUST_CHECK enum status redis_url_of_upstash(struct arena *arena, const char *rest_url, const char *token,
                                            struct redis_address *out, struct error *err);

#endif
