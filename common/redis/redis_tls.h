/* common/redis/redis_tls.h - TLS over a connected non-blocking socket: the server's certificate is always checked,
 * against its host name and a trusted authority. One thread at a time. */
#ifndef ECOSYS_COMMON_REDIS_REDIS_TLS_H
#define ECOSYS_COMMON_REDIS_REDIS_TLS_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/redis/redis_url.h"

struct redis_tls;

/* Result of one attempt to move bytes. A write that has to wait is retried with the same bytes. */
enum attempt {
    ATTEMPT_DONE,
    ATTEMPT_WAIT_TO_READ,
    ATTEMPT_WAIT_TO_WRITE,
    ATTEMPT_END,    /* the peer closed the connection */
    ATTEMPT_FAILED, /* see redis_tls_explain */
};

/* For the server at `address`, which must outlive it; the file of trusted authorities (NULL: the system's own) is read
 * now. The socket remains the caller's. */
MUST_CHECK enum status redis_tls_new(int socket, const struct redis_address *address, struct redis_tls **out,
                                     struct error *err);

/* Sends close_notify to the server if that can be done at once. `tls` may be NULL. */
void redis_tls_free(struct redis_tls *tls);

MUST_CHECK enum attempt redis_tls_shake_hands(struct redis_tls *tls);

/* *moved is the number of bytes, at least one; set only when done. A read that does not fill the buffer has taken all
 * decrypted data: the next bytes make the socket readable. */
MUST_CHECK enum attempt redis_tls_read(struct redis_tls *tls, void *data, size_t size, size_t *moved);
MUST_CHECK enum attempt redis_tls_write(struct redis_tls *tls, const void *data, size_t len, size_t *moved);

/* Why the last attempt failed; best called right after it. Returns STATUS_UNAVAILABLE. */
enum status redis_tls_explain(const struct redis_tls *tls, struct error *err);

/* "TLSv1.3" or the like. */
const char *redis_tls_version(const struct redis_tls *tls);

#endif
