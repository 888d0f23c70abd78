/* api/endpoints/cache_clear.c - POST /cache/clear: asks the worker for a refresh, and answers when it has ended. */
#include <inttypes.h>

#include "api/endpoints/endpoints.h"
#include "api/http/parameters.h"

static const struct http_error ERROR_WAIT = {
    422, ERROR_INVALID("query", "wait", "use true ou false", "type_error.bool"), NULL};

static const struct http_error ERROR_REFRESH_FAILED = {
    502, ERROR_DETAIL("A atualização falhou; os dados anteriores continuam no ar."), NULL};
static const struct http_error ERROR_NO_WORKER = {
    503, ERROR_DETAIL("O serviço de atualização não está disponível."), ERROR_RETRY_AFTER};
static const struct http_error ERROR_REFRESH_TIMEOUT = {
    504, ERROR_DETAIL("A atualização não terminou a tempo; os dados anteriores continuam no ar."), NULL};

static const struct http_error *const ERROR_OF[] = {[TICKET_FAILED] = &ERROR_REFRESH_FAILED,
                                                    [TICKET_NO_WORKER] = &ERROR_NO_WORKER,
                                                    [TICKET_TIMED_OUT] = &ERROR_REFRESH_TIMEOUT};

/* False: it is neither true nor false, in any case of letters; absent or empty is true. */
static bool read_wait(const struct request *request, bool *out)
{
    struct buffer value = BUFFER_INIT;
    bool is_given = parameter_find(request, "wait", &value) && value.len > 0;
    bool is_false = is_given && bytes_is_in_any_case(buffer_bytes(&value), "false");
    bool is_good = !is_given || is_false || bytes_is_in_any_case(buffer_bytes(&value), "true");
    buffer_clear(&value);
    *out = !is_false;
    return is_good;
}

static enum handler_verdict answer_cache_clear(const struct service *service, struct exchange *exchange,
                                               struct response *response)
{
    bool waits;
    if (!read_wait(exchange->request, &waits))
        return endpoint_fail(response, &ERROR_WAIT);
    struct ticket *ticket = ticket_new(exchange, !waits);
    if (ticket == NULL)
        return endpoint_fail(response, &ERROR_OVERLOADED);
    follower_request_refresh(service->follower, ticket);
    return HANDLER_PENDING;
}

static void finish_cache_clear(const struct service *service, struct exchange *exchange,
                               struct pending *pending, struct response *response)
{
    const struct ticket *ticket = ticket_of(pending);
    (void)service;
    (void)exchange;
    if (ticket->outcome != TICKET_DONE) {
        response_fail(response, ERROR_OF[ticket->outcome]);
        return;
    }
    response->status = ticket->accepted_is_enough ? 202 : 200;
    if (ticket->accepted_is_enough)
        buffer_append_text(&response->text,
                           "{\"status\":\"accepted\",\"message\":\"Atualização solicitada.\"}");
    else
        buffer_append_format(
            &response->text,
            "{\"status\":\"success\",\"message\":\"Dados recalculados.\",\"generation\":%" PRIu64
            ",\"duration_ms\":%" PRId64 "}",
            ticket->generation, ticket->duration_ms);
    response->body = buffer_bytes(&response->text);
}

const struct endpoint ENDPOINT_CACHE_CLEAR = {.path = "/cache/clear",
                                              .method = METHOD_POST,
                                              .access = ACCESS_FULL,
                                              .caching = CACHING_NO_STORE,
                                              .content_type = JSON_TYPE,
                                              .answer = answer_cache_clear,
                                              .finish = finish_cache_clear};
