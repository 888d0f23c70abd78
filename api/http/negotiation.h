/* api/http/negotiation.h - what a client accepts, by Accept and Accept-Encoding (RFC 9110, 12.4 and 12.5), and the
 * choice of a media type and an encoding. Pure functions on bytes; any thread. */
#ifndef ECOSYS_API_HTTP_NEGOTIATION_H
#define ECOSYS_API_HTTP_NEGOTIATION_H

#include <stdbool.h>

#include "api/formats/compression.h"
#include "api/formats/media.h"
#include "api/http/field_lines.h"
#include "common/base/bytes.h"

#define WEIGHT_MAX 1000 /* that of "q=1", and of an item without q */

struct accept_item {
    struct bytes name; /* borrows from the list; may be empty */
    unsigned weight;   /* thousandths */
};

/* Takes the next item off a list; false at its end. Parameters other than q are skipped; an invalid weight is 1. */
bool accept_next(struct bytes *rest, struct accept_item *out);

/* What a request's Accept fields together say about each media type; zeros for a type that none of them covers. */
struct accept {
    struct {
        unsigned short weight;
        unsigned char precision; /* of the matching range: 0 none, 1 any type, 2 any subtype, 3 exact */
    } of[MEDIA_COUNT];
};

/* Adds the value of one Accept field. */
void accept_add(struct accept *accept, struct bytes value);

/* The most wanted media type of the set `offered` (MEDIA_BIT); among equals the one named most precisely, then the
 * first. If none is wanted, the first. */
enum media negotiate_media(const struct accept *accept, unsigned offered);

/* The encoding, of those we have, that the Accept-Encoding fields together want most; among equals zstd, which costs
 * both sides least. "*" means gzip, which everybody has. Identity if there are more fields than are kept. */
enum encoding negotiate_encoding(const struct field_lines *accept_encoding);

#endif
