/* common/redis/redis_names.h - the names of all keys and channels, in one place: PREFIX:current and the like,
 * PREFIX:gen:N:manifest and the like for generation N, and PREFIX:DB:events for a channel, with the database's number
 * because pub/sub ignores databases. schemas/redis.md says what each holds. Any thread. */
#ifndef ECOSYS_COMMON_REDIS_REDIS_NAMES_H
#define ECOSYS_COMMON_REDIS_REDIS_NAMES_H

#include <stdint.h>

#include "common/base/bytes.h"
#include "common/domain/date_filter.h"

#define REDIS_PREFIX_MAX 64
#define REDIS_NAME_MAX   160

/* Generations are numbered by milliseconds since 1970; this one is of the year 33658. */
#define GENERATION_MAX 1000000000000000u

/* Field of the logins hash that is written last; the others are TENANT:PART. */
#define REDIS_LOGINS_COMPLETE "complete"

struct redis_name {
    char text[REDIS_NAME_MAX];
};

/* Keys that are not part of a generation. */
enum redis_key {
    REDIS_CURRENT,     /* the pointer: number of the generation being served */
    REDIS_LEASE,       /* token of the worker that may publish */
    REDIS_WORKER,      /* the worker's report on itself */
    REDIS_GENERATIONS, /* sorted set of generations that may have keys */
};

struct redis_name redis_name_of(const char *prefix, enum redis_key key);

/* Keys of generation `generation`: its manifest, list of buckets and model; chunk `index` of its clients, tenants or
 * tenant ids; its logins; the set of all its keys; and the answer for a bucket. */
struct redis_name redis_name_manifest(const char *prefix, uint64_t generation);
struct redis_name redis_name_buckets(const char *prefix, uint64_t generation);
struct redis_name redis_name_model(const char *prefix, uint64_t generation);
struct redis_name redis_name_clients(const char *prefix, uint64_t generation, uint32_t index);
struct redis_name redis_name_tenants(const char *prefix, uint64_t generation, uint32_t index);
struct redis_name redis_name_tenant_ids(const char *prefix, uint64_t generation, uint32_t index);
struct redis_name redis_name_logins(const char *prefix, uint64_t generation);
struct redis_name redis_name_key_set(const char *prefix, uint64_t generation);
struct redis_name redis_name_answer(const char *prefix, uint64_t generation, struct date_filter filter);

/* A generation's number as the pointer has it, 1 to GENERATION_MAX; 0 for any other text. */
uint64_t redis_generation_parse(struct bytes text);

/* The channels: from the worker, and to the worker (messages.h). */
struct redis_name redis_name_events(const char *prefix, uint32_t db);
struct redis_name redis_name_requests(const char *prefix, uint32_t db);

#endif
