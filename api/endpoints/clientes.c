/* api/endpoints/clientes.c - GET /clientes: the clients that pass a filter. */
#include "api/endpoints/data_response.h"
#include "api/endpoints/endpoints.h"

static const struct http_error ERROR_FORMATO_CLIENTES = {
    422, ERROR_INVALID("query", "formato", "formato desconhecido; use csv", "value_error.formato"), NULL};

static const struct formato FORMATOS[] = {
    {"", DOCUMENT_CLIENTES, DOCUMENT_CLIENTES, OFFERS_OBJECTS | OFFERS_TABLES},
    {"csv", DOCUMENT_CLIENTES, DOCUMENT_CLIENTES, OFFERS_TABLES},
    {.word = NULL},
};

static enum handler_verdict answer_clientes(const struct service *service, struct exchange *exchange,
                                            struct response *response)
{
    return data_response_for_formato(service, exchange, FORMATOS, &ERROR_FORMATO_CLIENTES, response);
}

const struct endpoint ENDPOINT_CLIENTES = {.path = "/clientes",
                                           .method = METHOD_GET,
                                           .access = ACCESS_READ,
                                           .caching = CACHING_PRIVATE,
                                           .answer = answer_clientes,
                                           .finish = data_response_finish};
