/* api/endpoints/health.c - the document of /health. */
#include "api/endpoints/health.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/formats/json_writer.h"
#include "common/domain/date.h"

int64_t health_age_s(const struct exchange *exchange, int64_t taken_at_ms)
{
    int64_t age_ms = exchange->now_ms - taken_at_ms;
    return age_ms > 0 ? age_ms / 1000 : 0;
}

static int64_t age_of_newest_s(const struct exchange *exchange)
{
    return health_age_s(exchange, exchange->generation->loaded.manifest.instants.taken_at_ms);
}

bool health_can_serve(const struct exchange *exchange)
{
    return exchange->generation != NULL && age_of_newest_s(exchange) <= exchange->settings->cache_max_stale_s;
}

/* Stale as soon as one endpoint's data is. */
static bool is_stale(const struct exchange *exchange)
{
    const struct settings *settings = exchange->settings;
    int64_t ttl_s = settings->ttl_clientes_s < settings->ttl_health_scores_s ? settings->ttl_clientes_s
                                                                             : settings->ttl_health_scores_s;
    return age_of_newest_s(exchange) > ttl_s;
}

static void put_unix_ms(struct writer *writer, const char *key, int64_t unix_ms)
{
    char text[TIMESTAMP_TEXT_MAX];
    struct timestamp utc = {unix_ms / 1000 * US_PER_S, TIMESTAMP_TIME};
    size_t len = timestamp_format(utc, text);
    text[len++] = 'Z';
    writer_key(writer, key);
    writer_text(writer, (struct bytes){text, len});
}

static void put_as_of(struct writer *writer, const struct instants *instants)
{
    char text[TIMESTAMP_TEXT_MAX];
    unsigned offset_s = (unsigned)abs(instants->as_of_offset_s);
    struct timestamp wall = {instants->as_of_wall_us / US_PER_S * US_PER_S, TIMESTAMP_TIME};
    size_t len = timestamp_format(wall, text);
    len +=
        (size_t)snprintf(text + len, sizeof text - len, "%c%02u:%02u",
                         instants->as_of_offset_s < 0 ? '-' : '+', offset_s / 3600 % 100, offset_s / 60 % 60);
    writer_key(writer, "as_of");
    writer_text(writer, (struct bytes){text, len});
}

static void put_env_variables(struct writer *writer, const struct settings *settings)
{
    writer_key(writer, "env_variables");
    writer_open_object(writer);
    writer_key(writer, "UPSTASH_REDIS_REST_URL");
    writer_bool(writer, settings->upstash_url[0] != '\0');
    writer_key(writer, "UPSTASH_REDIS_REST_TOKEN");
    writer_bool(writer, settings->upstash_token[0] != '\0');
    writer_key(writer, "REDIS_URL");
    writer_bool(writer, settings->redis_url_is_set);
    writer_key(writer, "BASIC_AUTH_USERS");
    writer_bool(writer, settings->basic_auth_users[0] != '\0');
    writer_close_object(writer);
}

static void put_generation(struct writer *writer, const struct exchange *exchange)
{
    static const char *const keys[] = {"generation", "as_of", "taken_at", "age_s"};
    if (exchange->generation == NULL) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            writer_key(writer, keys[i]);
            writer_null(writer);
        }
        writer_key(writer, "stale");
        writer_bool(writer, true);
        return;
    }
    const struct manifest *manifest = &exchange->generation->loaded.manifest;
    writer_key(writer, "generation");
    writer_uint(writer, manifest->generation);
    put_as_of(writer, &manifest->instants);
    put_unix_ms(writer, "taken_at", manifest->instants.taken_at_ms);
    writer_key(writer, "age_s");
    writer_int(writer, age_of_newest_s(exchange));
    writer_key(writer, "stale");
    writer_bool(writer, is_stale(exchange));
}

static void put_model(struct writer *writer, const struct generation *generation)
{
    writer_key(writer, "scoring_model");
    if (generation == NULL) {
        writer_null(writer);
        return;
    }
    writer_open_object(writer);
    writer_key(writer, "version");
    writer_text(writer, generation->loaded.scored.model.version);
    writer_key(writer, "hash");
    writer_text(writer, bytes_of(generation->loaded.scored.model.hash));
    writer_close_object(writer);
}

static void put_worker(struct writer *writer, const struct outlook *outlook)
{
    writer_key(writer, "worker");
    writer_open_object(writer);
    writer_key(writer, "alive");
    writer_bool(writer, outlook->worker_is_alive);
    writer_key(writer, "last_error");
    writer_text(writer,
                outlook->worker_error[0] != '\0' ? bytes_of(outlook->worker_error) : (struct bytes){NULL, 0});
    writer_close_object(writer);
}

static void put_document(struct writer *writer, const struct exchange *exchange)
{
    const char *status = !health_can_serve(exchange)      ? "unhealthy"
                         : exchange->outlook->redis_is_ok ? "healthy"
                                                          : "degraded";
    writer_open_object(writer);
    writer_key(writer, "status");
    writer_text(writer, bytes_of(status));
    writer_key(writer, "environment");
    writer_text(writer, bytes_of(exchange->settings->environment));
    writer_key(writer, "redis_connection");
    writer_text(writer, bytes_of(exchange->outlook->redis_is_ok ? "ok" : "error"));
    put_env_variables(writer, exchange->settings);
    put_unix_ms(writer, "timestamp", exchange->now_ms);
    put_generation(writer, exchange);
    put_worker(writer, exchange->outlook);
    put_model(writer, exchange->generation);
    writer_close_object(writer);
}

void health_answer(const struct exchange *exchange, struct reply *reply)
{
    struct writer writer;
    struct error err;
    enum status status = writer_init(&writer, &JSON_WRITER, &reply->text, &err);
    if (status == STATUS_OK) {
        put_document(&writer, exchange);
        status = writer_status(&writer, &err);
    }
    writer_clear(&writer);
    if (status != STATUS_OK) {
        reply_error(reply, ERROR_INTERNAL);
        return;
    }
    reply->status = health_can_serve(exchange) ? 200 : 503;
    if (reply->status == 503)
        buffer_append_text(&reply->headers, "Retry-After: 5\r\n");
    reply->content_type = JSON_TYPE;
    reply->body = buffer_bytes(&reply->text);
}
