/* api/address.h - internet addresses: IPv6, and IPv4 as the part of IPv6 that stands for it (::ffff:0:0/96), so that
 * both compare alike. Pure; any thread. */
#ifndef ECOSYS_API_ADDRESS_H
#define ECOSYS_API_ADDRESS_H

#include "common/bytes.h"

struct sockaddr;

#define ADDRESS_BITS      128
#define ADDRESS_BITS_IPV4 32 /* the last ones */
#define ADDRESS_TEXT_SIZE 46 /* of the longest, with its NUL */

struct address {
    unsigned char bytes[ADDRESS_BITS / 8];
};

/* Text as inet_pton(3) takes it; false for anything else. */
bool address_parse(struct bytes text, struct address *out);

/* The address of a socket; all zeros for one that is of neither kind. */
struct address address_of_socket(const struct sockaddr *socket_address);

bool address_is_ipv4(const struct address *address);

/* The first `bits` of the address, and zeros. */
struct address address_masked(const struct address *address, unsigned bits);

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* As people write it: an IPv4 one with dots. */
void address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

#endif
