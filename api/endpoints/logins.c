/* api/endpoints/logins.c - GET /logins: one tenant's logins of the last days. */
#include "api/endpoints/data_response.h"
#include "api/endpoints/endpoints.h"
#include "api/http/negotiation.h"
#include "api/http/parameters.h"
#include "common/base/json.h"

#define NOT_AN_ID "tenant_id deve ser um número inteiro positivo"

static const struct http_error ERROR_TENANT_MISSING = {
    422, ERROR_INVALID("query", "tenant_id", "informe tenant_id", "value_error.missing"), NULL};
static const struct http_error ERROR_TENANT_IN_QUERY = {
    422, ERROR_INVALID("query", "tenant_id", NOT_AN_ID, "type_error.integer"), NULL};
static const struct http_error ERROR_TENANT_IN_BODY = {
    422, ERROR_INVALID("body", "tenant_id", NOT_AN_ID, "type_error.integer"), NULL};
static const struct http_error ERROR_BODY = {
    422, ERROR_INVALID("body", "body", "o corpo deve ser um objeto JSON", "value_error.jsondecode"), NULL};
static const struct http_error ERROR_NO_TENANT = {404, ERROR_DETAIL("Tenant não encontrado."), NULL};

/* NULL, or `malformed`, or ERROR_NO_TENANT for a number larger than any id. */
static const struct http_error *parse_id(struct bytes text, const struct http_error *malformed, uint64_t *out)
{
    bool has_digits_only = true, is_zero = true;
    for (size_t i = 0; i < text.len; i++) {
        has_digits_only = has_digits_only && text.data[i] >= '0' && text.data[i] <= '9';
        is_zero = is_zero && text.data[i] == '0';
    }
    if (!has_digits_only || is_zero)
        return malformed;
    return bytes_parse_uint(text, UINT64_MAX, out) ? NULL : &ERROR_NO_TENANT;
}

/* {"tenant_id": "1"} or {"tenant_id": 1}, as the Python service took it. */
static const struct http_error *read_tenant_in_body(struct bytes body, uint64_t *out)
{
    const struct http_error *error = &ERROR_TENANT_IN_BODY;
    const struct json *document, *member = NULL;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    if (json_parse(&arena, body, &document, &err) != STATUS_OK || document->type != JSON_OBJECT)
        error = &ERROR_BODY;
    else if ((member = json_member(document, "tenant_id")) == NULL)
        error = &ERROR_TENANT_MISSING;
    else if (member->type == JSON_TEXT || member->type == JSON_NUMBER)
        error = parse_id(member->text, &ERROR_TENANT_IN_BODY, out);
    arena_clear(&arena);
    return error;
}

/* The query wins over the body. */
static const struct http_error *read_tenant(const struct exchange *exchange, uint64_t *out)
{
    struct buffer value = BUFFER_INIT;
    const struct http_error *error = &ERROR_TENANT_MISSING;
    if (parameter_find(exchange->request, "tenant_id", &value) && value.len > 0)
        error = parse_id(buffer_bytes(&value), &ERROR_TENANT_IN_QUERY, out);
    else if (exchange->body.len > 0)
        error = read_tenant_in_body(exchange->body, out);
    buffer_clear(&value);
    return error;
}

static enum handler_verdict answer_logins(const struct service *service, struct exchange *exchange,
                                          struct response *response)
{
    const struct generation *generation = service->view.generation;
    struct document_key key = {.document = DOCUMENT_LOGINS,
                               .filter = DATE_FILTER_ALL,
                               .media = negotiate_media(&exchange->request->accept, OFFERS_OBJECTS)};
    const struct http_error *error = read_tenant(exchange, &key.tenant_id);
    if (error != NULL)
        return endpoint_fail(response, error);
    if (generation != NULL && !generation_has_tenant(generation, key.tenant_id))
        return endpoint_fail(response,
                             &ERROR_NO_TENANT); /* even a generation too old to be served knows that */
    return data_response(service, exchange, &key, response);
}

const struct endpoint ENDPOINT_LOGINS = {.path = "/logins",
                                         .method = METHOD_GET,
                                         .access = ACCESS_READ,
                                         .caching = CACHING_PRIVATE,
                                         .answer = answer_logins,
                                         .finish = data_response_finish};
