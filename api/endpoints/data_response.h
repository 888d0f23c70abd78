/* api/endpoints/data_response.h - what all endpoints that answer with a document share: their parameters, the choice of
 * a media type, the headers of a data answer. The event loop's thread. */
#ifndef ECOSYS_API_ENDPOINTS_DATA_RESPONSE_H
#define ECOSYS_API_ENDPOINTS_DATA_RESPONSE_H

#include "api/endpoints/endpoint.h"

/* What documents may be written as. */
#define OFFERS_OBJECTS (MEDIA_BIT(MEDIA_JSON) | MEDIA_BIT(MEDIA_MSGPACK))
#define OFFERS_TABLES  MEDIA_BIT(MEDIA_CSV)

/* Answers with a document, for the encoding that is negotiated here. Without a generation that may be served: 503. */
enum handler_verdict data_response(const struct service *service, struct exchange *exchange,
                                   struct document_key *key, struct response *response);

/* The same for the clients that pass data_adesao_inicio and data_adesao_fim, which are counted as requested. */
enum handler_verdict data_response_for_filter(const struct service *service, struct exchange *exchange,
                                              struct document_key *key, struct response *response);

/* A value of `formato`: which document it stands for, and what that may be written as. */
struct formato {
    const char *word; /* "": none was given; NULL: the end of a list */
    enum document document;
    enum document table; /* the same rows in a shape that can be a table */
    unsigned offered;    /* of MEDIA_BIT */
};

/* The same for the document that `formato` selects; `unknown` is the error for a value that is not in the list. */
enum handler_verdict data_response_for_formato(const struct service *service, struct exchange *exchange,
                                               const struct formato *formatos,
                                               const struct http_error *unknown, struct response *response);

/* The `finish` of each endpoint that answers with a document. */
void data_response_finish(const struct service *service, struct exchange *exchange, struct pending *pending,
                          struct response *response);

#endif
