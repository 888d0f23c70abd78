/* api/http/reply.c - the table of errors. */
#include "api/http/reply.h"

#define RETRY_AFTER "Retry-After: 5\r\n"
#define NOT_A_DATE  "data inválida; use uma data que exista, no formato AAAA-MM-DD"
#define INVALID(place, name, message, type)                                                                  \
    "{\"detail\":[{\"loc\":[\"" place "\",\"" name "\"],\"msg\":\"" message "\",\"type\":\"" type "\"}]}"
#define NOT_AN_ID   "tenant_id deve ser um número inteiro positivo"
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
    [ERROR_THROTTLED] =
        {503, "{\"detail\":\"Credenciais erradas demais deste endereço; tente novamente em instantes.\"}",
         RETRY_AFTER},
    [ERROR_READONLY] = {403, "{\"detail\":\"Este usuário não pode atualizar os dados.\"}", ""},
    [ERROR_BODY_TOO_LARGE] = {413, "{\"detail\":\"Corpo da requisição grande demais.\"}", ""},
    [ERROR_NO_DATA] = {503,
                       "{\"detail\":\"Ainda não há dados para responder; tente novamente em instantes.\"}",
                       RETRY_AFTER},
    [ERROR_OVERLOADED] = {503, "{\"detail\":\"Serviço sobrecarregado; tente novamente em instantes.\"}",
                          RETRY_AFTER},
    [ERROR_FORMATO_CLIENTES] =
        {422, INVALID("query", "formato", "formato desconhecido; use csv", "value_error.formato"), ""},
    [ERROR_FORMATO_HEALTH_SCORES] = {422,
                                     INVALID("query", "formato",
                                             "formato desconhecido; use plano, detalhado ou csv",
                                             "value_error.formato"),
                                     ""},
    [ERROR_INICIO] = {422, INVALID("query", "data_adesao_inicio", NOT_A_DATE, "value_error.date"), ""},
    [ERROR_FIM] = {422, INVALID("query", "data_adesao_fim", NOT_A_DATE, "value_error.date"), ""},
    [ERROR_RANGE] = {422,
                     INVALID("query", "data_adesao_inicio",
                             "data_adesao_inicio é posterior a data_adesao_fim", "value_error.date_range"),
                     ""},
    [ERROR_TENANT_MISSING] = {422, INVALID("query", "tenant_id", "informe tenant_id", "value_error.missing"),
                              ""},
    [ERROR_TENANT_IN_QUERY] = {422, INVALID("query", "tenant_id", NOT_AN_ID, "type_error.integer"), ""},
    [ERROR_TENANT_IN_BODY] = {422, INVALID("body", "tenant_id", NOT_AN_ID, "type_error.integer"), ""},
    [ERROR_BODY] = {422, INVALID("body", "body", "o corpo deve ser um objeto JSON", "value_error.jsondecode"),
                    ""},
    [ERROR_NO_TENANT] = {404, "{\"detail\":\"Tenant não encontrado.\"}", ""},
    [ERROR_WAIT] = {422, INVALID("query", "wait", "use true ou false", "type_error.bool"), ""},
    [ERROR_NO_WORKER] = {503, "{\"detail\":\"O serviço de atualização não está disponível.\"}", RETRY_AFTER},
    [ERROR_REFRESH_FAILED] = {502,
                              "{\"detail\":\"A atualização falhou; os dados anteriores continuam no ar.\"}",
                              ""},
    [ERROR_REFRESH_TIMEOUT] =
        {504,
         "{\"detail\":\"A atualização não terminou a tempo; os dados anteriores continuam no "
         "ar.\"}",
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
    body_unref(reply->shared);
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
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {422, "Unprocessable Content"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].phrase;
    return "Status";
}
