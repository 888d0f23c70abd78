/* api/endpoints/health_scores.c - GET /health-scores: the scored tenants of the clients that pass a filter. */
#include "api/endpoints/data_response.h"
#include "api/endpoints/endpoints.h"

static const struct http_error ERROR_FORMATO_HEALTH_SCORES = {
    422,
    ERROR_INVALID("query", "formato", "formato desconhecido; use plano, detalhado ou csv",
                  "value_error.formato"),
    NULL};

static enum handler_verdict answer_health_scores(const struct service *service, struct exchange *exchange,
                                                 struct response *response)
{
    bool is_detalhado = service->settings->health_format == HEALTH_FORMAT_DETALHADO;
    const struct formato formatos[] = {
        {"", is_detalhado ? DOCUMENT_HEALTH_DETALHADO : DOCUMENT_HEALTH_PLANO, DOCUMENT_HEALTH_PLANO,
         OFFERS_OBJECTS | OFFERS_TABLES},
        {"plano", DOCUMENT_HEALTH_PLANO, DOCUMENT_HEALTH_PLANO, OFFERS_OBJECTS | OFFERS_TABLES},
        {"detalhado", DOCUMENT_HEALTH_DETALHADO, DOCUMENT_HEALTH_PLANO, OFFERS_OBJECTS},
        {"csv", DOCUMENT_HEALTH_PLANO, DOCUMENT_HEALTH_PLANO, OFFERS_TABLES},
        {.word = NULL},
    };
    return data_response_for_formato(service, exchange, formatos, &ERROR_FORMATO_HEALTH_SCORES, response);
}

const struct endpoint ENDPOINT_HEALTH_SCORES = {.path = "/health-scores",
                                                .method = METHOD_GET,
                                                .access = ACCESS_READ,
                                                .caching = CACHING_PRIVATE,
                                                .answer = answer_health_scores,
                                                .finish = data_response_finish};
