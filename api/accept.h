/* api/accept.h - what a client takes: the lists of Accept and Accept-Encoding (RFC 9110, 12.4 and 12.5), and which media
 * type is answered. Pure functions on bytes; any thread. */
#ifndef ECOSYS_API_ACCEPT_H
#define ECOSYS_API_ACCEPT_H

#include <stdbool.h>

#include "api/media.h"
#include "common/bytes.h"

#define WEIGHT_MAX 1000 /* of "q=1", as of none */

struct accept_item {
    struct bytes name; /* borrows from the list; may be empty */
    unsigned weight;   /* thousandths */
};

/* Takes the next item off a list; false at its end. Other parameters than q are passed over, and a weight that is none
 * counts as 1. */
bool accept_next(struct bytes *rest, struct accept_item *out);

/* What all Accept fields of a request say of each media type; zeros for one without. */
struct accept {
    struct {
        unsigned short weight;
        unsigned char
            precision; /* of the range that says so: 0 none, then any type, any of its kind, the type itself */
    } of[MEDIA_COUNT];
};

/* Takes in the value of one Accept field. */
void accept_add(struct accept *accept, struct bytes value);

/* The media type of the set `offered` (MEDIA_BIT) that is wanted most; of equals the one that is named most precisely, then
 * the first; and the first of all when none of them is wanted. */
enum media accept_choose(const struct accept *accept, unsigned offered);

#endif
