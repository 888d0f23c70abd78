/* common/redis_names.h - the names of all keys and channels, in one place. schemas/redis.md says what each holds.
 * Every name starts with the prefix; channels also hold the number of the database, which pub/sub ignores.
 * Any thread. */
#ifndef ECOSYS_COMMON_REDIS_NAMES_H
#define ECOSYS_COMMON_REDIS_NAMES_H

#include <stdint.h>

#include "common/date_filter.h"

#define REDIS_PREFIX_MAX 64
#define REDIS_NAME_MAX   160

struct redis_name {
    char text[REDIS_NAME_MAX];
};

/* Keys that are not part of a generation. */
enum redis_key {
    REDIS_CURRENT,     /* the pointer: number of the generation that is served */
    REDIS_LEASE,       /* token of the worker that may publish */
    REDIS_WORKER,      /* what the worker says of itself */
    REDIS_GENERATIONS, /* sorted set of the generations that may have keys */
};

struct redis_name redis_name_of(const char *prefix, enum redis_key key);

/* Of generation `generation`: its manifest, its model, chunk `index` of its clients or tenants, the set of all of
 * its keys, and the answer for a bucket. */
struct redis_name redis_name_manifest(const char *prefix, uint64_t generation);
struct redis_name redis_name_model(const char *prefix, uint64_t generation);
struct redis_name redis_name_clients(const char *prefix, uint64_t generation, uint32_t index);
struct redis_name redis_name_tenants(const char *prefix, uint64_t generation, uint32_t index);
struct redis_name redis_name_key_set(const char *prefix, uint64_t generation);
struct redis_name redis_name_answer(const char *prefix, uint64_t generation, struct date_filter filter);

/* Where a flip is told to whoever listens. */
struct redis_name redis_name_events(const char *prefix, uint32_t db);

#endif
