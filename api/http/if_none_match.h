/* api/http/if_none_match.h - whether a client already has what would be answered (RFC 9110, 13.1.2). Pure; any thread. */
#ifndef ECOSYS_API_HTTP_IF_NONE_MATCH_H
#define ECOSYS_API_HTTP_IF_NONE_MATCH_H

#include "api/http/field_lines.h"

/* True if If-None-Match matches the ETag: "*", or a list with it, compared weakly. False if it came in more lines than
 * are kept. */
bool if_none_match_has(const struct field_lines *if_none_match, const char *etag);

#endif
