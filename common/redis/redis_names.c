/* common/redis/redis_names.c - one format string per name. */
#include "common/redis/redis_names.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/domain/date.h"

struct redis_name redis_name_of(const char *prefix, enum redis_key key)
{
    static const char *const suffixes[] = {
        [REDIS_CURRENT] = "current",
        [REDIS_LEASE] = "lease",
        [REDIS_WORKER] = "worker",
        [REDIS_GENERATIONS] = "generations",
    };
    struct redis_name name;
    snprintf(name.text, sizeof name.text, "%s:%s", prefix, suffixes[key]);
    return name;
}

static struct redis_name of_generation(const char *prefix, uint64_t generation, const char *suffix)
{
    struct redis_name name;
    snprintf(name.text, sizeof name.text, "%s:gen:%" PRIu64 ":%s", prefix, generation, suffix);
    return name;
}

static struct redis_name chunk_of(const char *prefix, uint64_t generation, const char *what, uint32_t index)
{
    struct redis_name name;
    snprintf(name.text, sizeof name.text, "%s:gen:%" PRIu64 ":%s:%" PRIu32, prefix, generation, what, index);
    return name;
}

struct redis_name redis_name_manifest(const char *prefix, uint64_t generation)
{
    return of_generation(prefix, generation, "manifest");
}

struct redis_name redis_name_buckets(const char *prefix, uint64_t generation)
{
    return of_generation(prefix, generation, "buckets");
}

struct redis_name redis_name_model(const char *prefix, uint64_t generation)
{
    return of_generation(prefix, generation, "model");
}

struct redis_name redis_name_key_set(const char *prefix, uint64_t generation)
{
    return of_generation(prefix, generation, "keys");
}

struct redis_name redis_name_clients(const char *prefix, uint64_t generation, uint32_t index)
{
    return chunk_of(prefix, generation, "clients", index);
}

struct redis_name redis_name_tenants(const char *prefix, uint64_t generation, uint32_t index)
{
    return chunk_of(prefix, generation, "tenants", index);
}

struct redis_name redis_name_tenant_ids(const char *prefix, uint64_t generation, uint32_t index)
{
    return chunk_of(prefix, generation, "tenant_ids", index);
}

struct redis_name redis_name_logins(const char *prefix, uint64_t generation)
{
    return of_generation(prefix, generation, "logins");
}

struct redis_name redis_name_answer(const char *prefix, uint64_t generation, struct date_filter filter)
{
    struct redis_name name;
    char text[DATE_FILTER_TEXT_MAX];
    date_filter_format(filter, text);
    snprintf(name.text, sizeof name.text, "%s:gen:%" PRIu64 ":answer:%s", prefix, generation, text);
    return name;
}

static struct redis_name channel(const char *prefix, uint32_t db, const char *what)
{
    struct redis_name name;
    snprintf(name.text, sizeof name.text, "%s:%" PRIu32 ":%s", prefix, db, what);
    return name;
}

struct redis_name redis_name_events(const char *prefix, uint32_t db)
{
    return channel(prefix, db, "events");
}

struct redis_name redis_name_requests(const char *prefix, uint32_t db)
{
    return channel(prefix, db, "requests");
}

uint64_t redis_generation_parse(struct bytes text)
{
    uint64_t generation;
    return bytes_parse_uint(text, GENERATION_MAX, &generation) ? generation : 0;
}
