/* api/http/field_lines.h - the values of a header field that may be repeated. Together, in the order received, they
 * are one list (RFC 9110, 5.3). Those beyond FIELD_LINES_MAX are counted but not kept, so that nobody takes a part for
 * the whole. Borrows from the head; any thread. */
#ifndef ECOSYS_API_HTTP_FIELD_LINES_H
#define ECOSYS_API_HTTP_FIELD_LINES_H

#include <stdbool.h>

#include "common/base/bytes.h"

#define FIELD_LINES_MAX 8

struct field_lines {
    struct bytes values[FIELD_LINES_MAX];
    size_t count; /* of all received, kept or not */
};

static inline void field_lines_add(struct field_lines *lines, struct bytes value)
{
    if (lines->count < FIELD_LINES_MAX)
        lines->values[lines->count] = value;
    lines->count++;
}

/* False if some lines were not kept. */
static inline bool field_lines_are_whole(const struct field_lines *lines)
{
    return lines->count <= FIELD_LINES_MAX;
}

#endif
