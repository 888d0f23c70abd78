/* api/net/address.c - over inet_pton and inet_ntop. */
#include "api/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define IPV4_AT (sizeof(struct address) - sizeof(struct in_addr))

static const unsigned char IPV4_PREFIX[IPV4_AT] = {[10] = 0xff, [11] = 0xff};

static struct address of_ipv4(const void *bytes)
{
    struct address address;
    memcpy(address.bytes, IPV4_PREFIX, IPV4_AT);
    memcpy(address.bytes + IPV4_AT, bytes, sizeof(struct in_addr));
    return address;
}

bool address_parse(struct bytes text, struct address *out)
{
    char copy[ADDRESS_TEXT_SIZE];
    struct in_addr ipv4;
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &ipv4) == 1) {
        *out = of_ipv4(&ipv4);
        return true;
    }
    return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

struct address address_of_socket(const struct sockaddr *socket_address)
{
    struct address address = {{0}};
    if (socket_address->sa_family == AF_INET)
        return of_ipv4(&((const struct sockaddr_in *)(const void *)socket_address)->sin_addr);
    if (socket_address->sa_family == AF_INET6)
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)socket_address)->sin6_addr,
               sizeof address.bytes);
    return address;
}

bool address_is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, IPV4_PREFIX, IPV4_AT) == 0;
}

struct address address_masked(const struct address *address, unsigned bits)
{
    struct address masked = {{0}};
    memcpy(masked.bytes, address->bytes, bits / 8);
    if (bits % 8 > 0)
        masked.bytes[bits / 8] = (unsigned char)(address->bytes[bits / 8] & (0xff00u >> (bits % 8)));
    return masked;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
    out[0] = '\0'; /* inet_ntop fails only for lack of room */
    if (address_is_ipv4(address))
        inet_ntop(AF_INET, address->bytes + IPV4_AT, out, ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT_SIZE);
}
