/* api/proxies.h - TRUSTED_PROXIES, and who is asking when one of them passes a request on. Immutable once loaded; any
 * thread. */
#ifndef ECOSYS_API_PROXIES_H
#define ECOSYS_API_PROXIES_H

#include "api/address.h"
#include "api/field_lines.h"
#include "common/arena.h"
#include "common/status.h"

struct network {
    struct address address;
    unsigned bits; /* of the address that count */
};

struct proxies {
    const struct network *networks; /* in the arena */
    size_t count;
};

/* Reads "127.0.0.1,10.0.0.0/8,2001:db8::/32" (empty: none). STATUS_INVALID names the entry. */
MUST_CHECK enum status proxies_load(struct arena *arena, const char *text, struct proxies *out,
                                    struct error *err);

/* The address that asks: the peer's, unless that is a trusted proxy's. Then the last address in X-Forwarded-For that is
 * not itself a trusted proxy's, or the first when all are; what stands in front of it anybody may have written. A list
 * that is not whole, or holds on the way something else than an address (with or without a port), is not believed at
 * all. */
struct address proxies_find_client(const struct proxies *proxies, const struct address *peer,
                                   const struct field_lines *forwarded);

#endif
