/* api/http/errors.c - the errors that any request may meet, in the order in which they are checked. */
#include "api/http/errors.h"

#define BASIC "WWW-Authenticate: Basic\r\n"

const struct http_error ERROR_BAD_REQUEST = {400, ERROR_DETAIL("Requisição HTTP inválida."), NULL};
const struct http_error ERROR_NOT_FOUND = {404, ERROR_DETAIL("Not Found"), NULL};
const struct http_error ERROR_METHOD = {405, ERROR_DETAIL("Method Not Allowed"), NULL};
const struct http_error ERROR_NOT_AUTHENTICATED = {401, ERROR_DETAIL("Not authenticated"), BASIC};
const struct http_error ERROR_UNDECODABLE_CREDENTIALS = {
    401, ERROR_DETAIL("Invalid authentication credentials"), BASIC};
const struct http_error ERROR_WRONG_CREDENTIALS = {401, ERROR_DETAIL("Acesso negado."), BASIC};
const struct http_error ERROR_THROTTLED = {
    503, ERROR_DETAIL("Credenciais erradas demais deste endereço; tente novamente em instantes."),
    ERROR_RETRY_AFTER};
const struct http_error ERROR_READONLY = {403, ERROR_DETAIL("Este usuário não pode atualizar os dados."),
                                          NULL};
const struct http_error ERROR_BODY_TOO_LARGE = {413, ERROR_DETAIL("Corpo da requisição grande demais."),
                                                NULL};
const struct http_error ERROR_INTERNAL = {500, ERROR_DETAIL("Erro interno."), NULL};
const struct http_error ERROR_NO_DATA = {
    503, ERROR_DETAIL("Ainda não há dados para responder; tente novamente em instantes."), ERROR_RETRY_AFTER};
const struct http_error ERROR_OVERLOADED = {
    503, ERROR_DETAIL("Serviço sobrecarregado; tente novamente em instantes."), ERROR_RETRY_AFTER};
