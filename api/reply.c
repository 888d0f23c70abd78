/* api/reply.c - the table of errors. */
#include "api/reply.h"

#define RETRY_AFTER "Retry-After: 5\r\n"
#define BASIC_REALM "WWW-Authenticate: Basic\r\n"

static const struct {
    int status;
    const char *body;
    const char *headers;
} ERRORS[] = {
    [ERROR_BAD_REQUEST] = {400, "{\"detail\":\"Requisição HTTP inválida.\"}", ""},
    [ERROR_NOT_FOUND] = {404, "{\"detail\":\"Not Found\"}", ""},
    [ERROR_METHOD] = {405, "{\"detail\":\"Method Not Allowed\"}", ""},
    [ERROR_NOT_AUTHENTICATED] = {401, "{\"detail\":\"Not authenticated\"}", BASIC_REALM},
    [ERROR_UNDECODABLE_CREDENTIALS] = {401, "{\"detail\":\"Invalid authentication credentials\"}",
                                       BASIC_REALM},
    [ERROR_WRONG_CREDENTIALS] = {401, "{\"detail\":\"Acesso negado.\"}", BASIC_REALM},
    [ERROR_BODY_TOO_LARGE] = {413, "{\"detail\":\"Corpo da requisição grande demais.\"}", ""},
    [ERROR_NO_DATA] = {503,
                       "{\"detail\":\"Ainda não há dados para responder; tente novamente em instantes.\"}",
                       RETRY_AFTER},
    [ERROR_OVERLOADED] = {503, "{\"detail\":\"Serviço sobrecarregado; tente novamente em instantes.\"}",
                          RETRY_AFTER},
    [ERROR_FILTER_UNAVAILABLE] =
        {501, "{\"detail\":\"Filtros por data ainda não estão disponíveis nesta versão.\"}", ""},
    [ERROR_FORMATO] =
        {422,
         "{\"detail\":[{\"loc\":[\"query\",\"formato\"],\"msg\":\"formato desconhecido; use plano ou "
         "detalhado\",\"type\":\"value_error.formato\"}]}",
         ""},
    [ERROR_INTERNAL] = {500, "{\"detail\":\"Erro interno.\"}", ""},
};

void reply_init(struct reply *reply)
{
    *reply = (struct reply){.status = 200, .text = BUFFER_INIT, .headers = BUFFER_INIT};
}

void reply_clear(struct reply *reply)
{
    buffer_clear(&reply->text);
    buffer_clear(&reply->headers);
    generation_unref(reply->generation);
    reply_init(reply);
}

void reply_error(struct reply *reply, enum reply_error error)
{
    reply_clear(reply);
    reply->status = ERRORS[error].status;
    reply->content_type = JSON_TYPE;
    reply->body = bytes_of(ERRORS[error].body);
    buffer_append_text(&reply->headers, ERRORS[error].headers);
}

const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {422, "Unprocessable Content"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].phrase;
    return "Status";
}
