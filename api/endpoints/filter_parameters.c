/* api/endpoints/filter_parameters.c - two bounds, both included. */
#include "api/endpoints/filter_parameters.h"

#include "api/http/parameters.h"
#include "common/domain/date.h"

#define NOT_A_DATE "data inválida; use uma data que exista, no formato AAAA-MM-DD"

static const struct http_error ERROR_INICIO = {
    422, ERROR_INVALID("query", "data_adesao_inicio", NOT_A_DATE, "value_error.date"), NULL};
static const struct http_error ERROR_FIM = {
    422, ERROR_INVALID("query", "data_adesao_fim", NOT_A_DATE, "value_error.date"), NULL};
static const struct http_error ERROR_RANGE = {
    422,
    ERROR_INVALID("query", "data_adesao_inicio", "data_adesao_inicio é posterior a data_adesao_fim",
                  "value_error.date_range"),
    NULL};

/* A bound of the filter; an empty value means none. */
static bool read_bound(const struct request *request, const char *name, int32_t *day)
{
    struct buffer value = BUFFER_INIT;
    bool is_given = parameter_find(request, name, &value) && value.len > 0;
    bool is_good = !is_given || day_parse(buffer_bytes(&value), day);
    buffer_clear(&value);
    return is_good;
}

const struct http_error *filter_parameters_read(const struct request *request, struct date_filter *out)
{
    struct date_filter filter = DATE_FILTER_ALL;
    if (!read_bound(request, "data_adesao_inicio", &filter.first_day))
        return &ERROR_INICIO;
    if (!read_bound(request, "data_adesao_fim", &filter.last_day))
        return &ERROR_FIM;
    if (filter.first_day > filter.last_day)
        return &ERROR_RANGE;
    *out = filter;
    return NULL;
}
