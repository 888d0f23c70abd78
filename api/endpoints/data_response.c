/* api/endpoints/data_response.c - which document, and the headers of a data answer. */
#include "api/endpoints/data_response.h"

#include "api/endpoints/filter_parameters.h"
#include "api/http/if_none_match.h"
#include "api/http/negotiation.h"
#include "api/http/parameters.h"
#include "common/base/clock.h"

/* ---- Headers */

/* A download is named after the path. */
static void put_file_name(const struct exchange *exchange, const char *extension, struct response *response)
{
    struct bytes path = exchange->request->path;
    buffer_append_format(&response->headers, "Content-Disposition: attachment; filename=\"%.*s.%s\"\r\n",
                         (int)path.len - 1, path.data + 1, extension);
}

/* Where a document came from. */
struct document_origin {
    enum document_source source;
    uint64_t generation;
    int64_t taken_at_ms;
};

/* Takes a finished document and sets its headers; a client that already has it gets no body. */
static void put_document(const struct exchange *exchange, const struct document_origin *origin,
                         struct representation *take_document, struct response *response)
{
    static const char *const sources[] = {[SOURCE_CACHE] = "\r\nX-Cache: HIT\r\n",
                                          [SOURCE_BUCKET] = "\r\nX-Cache: BLOB\r\n",
                                          [SOURCE_COMPUTED] = "\r\nX-Cache: COMPUTE\r\n"};
    const struct media_row *media = media_row(take_document->media);
    bool is_known = if_none_match_has(&exchange->request->if_none_match, take_document->etag);
    response->status = is_known ? 304 : 200;
    response->representation = take_document;
    response->body = (struct bytes){take_document->data, take_document->len};
    buffer_append_text(&response->headers, "Age: ");
    buffer_append_uint(&response->headers, (uint64_t)service_age_s(origin->taken_at_ms, clock_unix_ms()));
    buffer_append_text(&response->headers, "\r\nX-Generation: ");
    buffer_append_uint(&response->headers, origin->generation);
    buffer_append_text(&response->headers, sources[origin->source]);
    if (media->extension != NULL && !is_known)
        put_file_name(exchange, media->extension, response);
}

/* ---- Documents */

enum handler_verdict data_response(const struct service *service, struct exchange *exchange,
                                   struct document_key *key, struct response *response)
{
    struct generation *generation = service->view.generation;
    struct representation *document;
    if (!service_has_data(service, clock_unix_ms()))
        return endpoint_fail(response, &ERROR_NO_DATA);
    key->encoding = negotiate_encoding(&exchange->request->accept_encoding);
    switch (documents_get(generation, key, service->workshop, exchange, &document)) {
    case DOCUMENTS_PENDING:
        return HANDLER_PENDING;
    case DOCUMENTS_NO_MEMORY:
        return endpoint_fail(response, &ERROR_OVERLOADED);
    case DOCUMENTS_FOUND:
        break;
    }
    const struct document_origin origin = {SOURCE_CACHE, generation_number(generation),
                                           generation_taken_at_ms(generation)};
    put_document(exchange, &origin, document, response);
    return HANDLER_ANSWERED;
}

void data_response_finish(const struct service *service, struct exchange *exchange, struct pending *pending,
                          struct response *response)
{
    struct pending_document *made = pending_document_of(pending);
    const struct document_origin origin = {made->source, made->generation, made->taken_at_ms};
    (void)service;
    put_document(exchange, &origin, made->document, response);
    made->document = NULL;
}

/* ---- Filters and formats */

enum handler_verdict data_response_for_filter(const struct service *service, struct exchange *exchange,
                                              struct document_key *key, struct response *response)
{
    const struct http_error *error = filter_parameters_read(exchange->request, &key->filter);
    if (error != NULL)
        return endpoint_fail(response, error);
    if (!date_filter_is_open(key->filter) && service_has_data(service, clock_unix_ms()))
        popular_filters_add(service->filters, key->filter);
    return data_response(service, exchange, key, response);
}

static const struct formato *find_formato(const struct formato *formatos, const struct request *request)
{
    struct buffer word = BUFFER_INIT;
    (void)parameter_find(request, "formato", &word); /* empty when there is none */
    while (formatos->word != NULL && !bytes_is(buffer_bytes(&word), formatos->word))
        formatos++;
    buffer_clear(&word);
    return formatos->word != NULL ? formatos : NULL;
}

enum handler_verdict data_response_for_formato(const struct service *service, struct exchange *exchange,
                                               const struct formato *formatos,
                                               const struct http_error *unknown, struct response *response)
{
    const struct formato *formato = find_formato(formatos, exchange->request);
    if (formato == NULL)
        return endpoint_fail(response, unknown);
    struct document_key key = {.media = negotiate_media(&exchange->request->accept, formato->offered)};
    key.document = key.media == MEDIA_CSV ? formato->table : formato->document;
    return data_response_for_filter(service, exchange, &key, response);
}
