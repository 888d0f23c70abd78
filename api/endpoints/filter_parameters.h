/* api/endpoints/filter_parameters.h - the dates in a query that say which clients an answer is about. Pure; any
 * thread. */
#ifndef ECOSYS_API_ENDPOINTS_FILTER_PARAMETERS_H
#define ECOSYS_API_ENDPOINTS_FILTER_PARAMETERS_H

#include "api/http/errors.h"
#include "api/http/request.h"
#include "common/domain/date_filter.h"

/* Reads data_adesao_inicio and data_adesao_fim, exactly YYYY-MM-DD, empty or missing for no bound. NULL, or what is
 * wrong with them; *out is untouched then. */
const struct http_error *filter_parameters_read(const struct request *request, struct date_filter *out);

#endif
