/* api/endpoints/dashboard.c - GET /dashboard: the KPIs over the clients that pass a filter. */
#include "api/endpoints/data_response.h"
#include "api/endpoints/endpoints.h"
#include "api/http/negotiation.h"

static enum handler_verdict answer_dashboard(const struct service *service, struct exchange *exchange,
                                             struct response *response)
{
    struct document_key key = {.document = DOCUMENT_DASHBOARD,
                               .media = negotiate_media(&exchange->request->accept, OFFERS_OBJECTS)};
    return data_response_for_filter(service, exchange, &key, response);
}

const struct endpoint ENDPOINT_DASHBOARD = {.path = "/dashboard",
                                            .method = METHOD_GET,
                                            .access = ACCESS_READ,
                                            .caching = CACHING_PRIVATE,
                                            .answer = answer_dashboard,
                                            .finish = data_response_finish};
