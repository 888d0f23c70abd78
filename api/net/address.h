/* api/net/address.h - IP addresses: IPv6, with IPv4 mapped into it (::ffff:0:0/96), so that both compare alike. Pure;
 * any thread. */
#ifndef ECOSYS_API_NET_ADDRESS_H
#define ECOSYS_API_NET_ADDRESS_H

#include "common/base/bytes.h"

struct sockaddr;

#define ADDRESS_BITS      128
#define ADDRESS_BITS_IPV4 32 /* the last ones */
#define ADDRESS_TEXT_SIZE 46 /* of the longest, NUL included */

struct address {
    unsigned char bytes[ADDRESS_BITS / 8];
};

/* Parses text as inet_pton(3) does; false if it is not an address. */
bool address_parse(struct bytes text, struct address *out);

/* The address of a socket; all zeros if it is neither IPv4 nor IPv6. */
struct address address_of_socket(const struct sockaddr *socket_address);

bool address_is_ipv4(const struct address *address);

/* The first `bits` bits of the address, the others zero. */
struct address address_masked(const struct address *address, unsigned bits);

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* In the usual notation, IPv4 with dots. */
void address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

#endif
