/* api/http/parameters.h - the parameters of a query (application/x-www-form-urlencoded). Pure; any thread. */
#ifndef ECOSYS_API_HTTP_PARAMETERS_H
#define ECOSYS_API_HTTP_PARAMETERS_H

#include <stdbool.h>

#include "api/http/request.h"
#include "common/base/buffer.h"

/* The value of the last parameter of that name, decoded and NUL-terminated; false if there is none. An invalid escape
 * stays as it is. `out`, the caller's, is emptied first. */
bool parameter_find(const struct request *request, const char *name, struct buffer *out);

#endif
