/* api/auth/proxies.h - TRUSTED_PROXIES, and which client is asking when one of them forwards a request. Immutable once
 * loaded; any thread. */
#ifndef ECOSYS_API_AUTH_PROXIES_H
#define ECOSYS_API_AUTH_PROXIES_H

#include "api/http/field_lines.h"
#include "api/net/address.h"
#include "common/base/arena.h"
#include "common/base/status.h"

struct network {
    struct address address;
    unsigned bits; /* prefix length, of the IPv6 form */
};

struct proxies {
    const struct network *networks; /* in the arena */
    size_t count;
};

/* Reads "127.0.0.1,10.0.0.0/8,2001:db8::/32" (empty: none). STATUS_INVALID names the entry. */
MUST_CHECK enum status proxies_load(struct arena *arena, const char *text, struct proxies *out,
                                    struct error *err);

/* The client's address: the peer's, unless that is a trusted proxy. Then the last address in X-Forwarded-For that is
 * not a trusted proxy, or the first if all are: anybody may have written what precedes it. A list that is incomplete,
 * or that holds anything but addresses (with or without a port) down to that one, is ignored altogether. */
struct address proxies_find_client(const struct proxies *proxies, const struct address *peer,
                                   const struct field_lines *forwarded);

#endif
