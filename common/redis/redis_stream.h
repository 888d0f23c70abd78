/* common/redis/redis_stream.h - the bytes to and from one Redis: over TCP, a Unix socket or TLS; no wait is longer than
 * the timeout. After a failure the stream can only be freed. One thread at a time. */
#ifndef ECOSYS_COMMON_REDIS_REDIS_STREAM_H
#define ECOSYS_COMMON_REDIS_REDIS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/redis/redis_url.h"

struct redis_stream;

/* Connects to `address`, which must outlive the stream. The timeout applies to each address that the host name resolves
 * to, and again to the TLS handshake. STATUS_UNAVAILABLE says what failed. */
MUST_CHECK enum status redis_stream_open(const struct redis_address *address, int64_t timeout_ms,
                                         struct redis_stream **out, struct error *err);

/* `stream` may be NULL. */
void redis_stream_free(struct redis_stream *stream);

/* Sends all of `data`; the timeout restarts with each part that the peer accepts. */
MUST_CHECK enum status redis_stream_write(struct redis_stream *stream, struct bytes data, struct error *err);

/* Waits for data and reads as much as fits: *len is at least one. The end of the stream is a failure. */
MUST_CHECK enum status redis_stream_read(struct redis_stream *stream, char *data, size_t size, size_t *len,
                                         struct error *err);

/* The same without waiting: *len may be 0. A read that does not fill the buffer has taken everything, so the socket
 * becomes readable with the next byte. */
MUST_CHECK enum status redis_stream_read_now(struct redis_stream *stream, char *data, size_t size,
                                             size_t *len, struct error *err);

/* For polling; a readable socket need not have data to read, as TLS has messages of its own. */
int redis_stream_fd(const struct redis_stream *stream);

/* What protects the connection: "TLSv1.3", "TCP without TLS", "a Unix socket". */
const char *redis_stream_protection(const struct redis_stream *stream);

#endif
