/* api/endpoints/health.c - GET /health: what is served, how old it is, and whether Redis and the worker are there.
 * Public, so it names no host, user or error text. */
#include <stdio.h>
#include <stdlib.h>

#include "api/endpoints/endpoints.h"
#include "api/formats/json_writer.h"
#include "common/base/clock.h"
#include "common/domain/date.h"

/* What the document speaks of. */
struct state {
    const struct settings *settings;
    const struct generation *generation; /* or NULL */
    const struct upstream *upstream;
    int64_t now_ms;
    bool can_serve;
};

static int64_t age_s(const struct state *state)
{
    return service_age_s(generation_taken_at_ms(state->generation), state->now_ms);
}

/* Stale as soon as one endpoint's data is. */
static bool is_stale(const struct state *state)
{
    const struct settings *settings = state->settings;
    int64_t ttl_s = settings->ttl_clientes_s < settings->ttl_health_scores_s ? settings->ttl_clientes_s
                                                                             : settings->ttl_health_scores_s;
    return age_s(state) > ttl_s;
}

static void put_unix_ms(struct writer *writer, const char *key, int64_t unix_ms)
{
    char text[TIMESTAMP_TEXT_MAX];
    struct timestamp utc = {unix_ms / 1000 * US_PER_S, TIMESTAMP_TIME};
    size_t len = timestamp_format(utc, text);
    text[len++] = 'Z';
    writer_put_text(writer, key, (struct bytes){text, len});
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
    writer_put_text(writer, "as_of", (struct bytes){text, len});
}

static void put_env_variables(struct writer *writer, const struct settings *settings)
{
    writer_key(writer, "env_variables");
    writer_open_object(writer);
    writer_put_bool(writer, "UPSTASH_REDIS_REST_URL", settings->upstash_url[0] != '\0');
    writer_put_bool(writer, "UPSTASH_REDIS_REST_TOKEN", settings->upstash_token[0] != '\0');
    writer_put_bool(writer, "REDIS_URL", settings->redis_url_is_set);
    writer_put_bool(writer, "BASIC_AUTH_USERS", settings->basic_auth_users[0] != '\0');
    writer_close_object(writer);
}

static void put_generation(struct writer *writer, const struct state *state)
{
    static const char *const keys[] = {"generation", "as_of", "taken_at", "age_s"};
    if (state->generation == NULL) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            writer_put_null(writer, keys[i]);
        writer_put_bool(writer, "stale", true);
        return;
    }
    const struct manifest *manifest = &state->generation->loaded.manifest;
    writer_put_uint(writer, "generation", manifest->generation);
    put_as_of(writer, &manifest->instants);
    put_unix_ms(writer, "taken_at", manifest->instants.taken_at_ms);
    writer_put_int(writer, "age_s", age_s(state));
    writer_put_bool(writer, "stale", is_stale(state));
}

static void put_model(struct writer *writer, const struct generation *generation)
{
    writer_key(writer, "scoring_model");
    if (generation == NULL) {
        writer_null(writer);
        return;
    }
    writer_open_object(writer);
    writer_put_text(writer, "version", generation->loaded.scored.model.version);
    writer_put_text(writer, "hash", bytes_of(generation->loaded.scored.model.hash));
    writer_close_object(writer);
}

static void put_worker(struct writer *writer, const struct upstream *upstream)
{
    writer_key(writer, "worker");
    writer_open_object(writer);
    writer_put_bool(writer, "alive", upstream->worker_is_alive);
    bool has_error = upstream->worker_error[0] != '\0';
    writer_put_text(writer, "last_error", bytes_of(has_error ? upstream->worker_error : NULL));
    writer_close_object(writer);
}

static void put_document(struct writer *writer, const struct state *state)
{
    const char *status = !state->can_serve              ? "unhealthy"
                         : state->upstream->redis_is_ok ? "healthy"
                                                        : "degraded";
    writer_open_object(writer);
    writer_put_text(writer, "status", bytes_of(status));
    writer_put_text(writer, "environment", bytes_of(state->settings->environment));
    writer_put_text(writer, "redis_connection", bytes_of(state->upstream->redis_is_ok ? "ok" : "error"));
    put_env_variables(writer, state->settings);
    put_unix_ms(writer, "timestamp", state->now_ms);
    put_generation(writer, state);
    put_worker(writer, state->upstream);
    put_model(writer, state->generation);
    writer_close_object(writer);
}

static enum handler_verdict answer_health(const struct service *service, struct exchange *exchange,
                                          struct response *response)
{
    struct state state = {service->settings, service->view.generation, &service->view.upstream,
                          clock_unix_ms(), false};
    struct writer writer;
    struct error err;
    (void)exchange;
    state.can_serve = service_has_data(service, state.now_ms);
    enum status status = writer_init(&writer, &JSON_WRITER, &response->text, &err);
    if (status == STATUS_OK) {
        put_document(&writer, &state);
        status = writer_status(&writer, &err);
    }
    writer_clear(&writer);
    if (status != STATUS_OK)
        return endpoint_fail(response, &ERROR_INTERNAL);
    response->status = state.can_serve ? 200 : 503;
    if (!state.can_serve)
        buffer_append_text(&response->headers, ERROR_RETRY_AFTER);
    response->body = buffer_bytes(&response->text);
    return HANDLER_ANSWERED;
}

const struct endpoint ENDPOINT_HEALTH = {.path = "/health",
                                         .method = METHOD_GET,
                                         .access = ACCESS_PUBLIC,
                                         .caching = CACHING_NO_STORE,
                                         .content_type = JSON_TYPE,
                                         .answer = answer_health};
