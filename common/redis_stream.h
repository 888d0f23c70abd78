/* common/redis_stream.h - the bytes to and from one Redis: over TCP, a Unix socket or TLS, and nothing that waits for
 * longer than the time limit. After a failure the stream is of no use but to be freed. One thread at a time. */
#ifndef ECOSYS_COMMON_REDIS_STREAM_H
#define ECOSYS_COMMON_REDIS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/redis_url.h"
#include "common/status.h"

struct redis_stream;

/* Connects to `address`, which must outlive the stream. Each of the addresses that a host's name stands for has the
 * limit, and so has the TLS handshake behind it. STATUS_UNAVAILABLE says what failed. */
MUST_CHECK enum status redis_stream_open(const struct redis_address *address, int64_t timeout_ms,
                                         struct redis_stream **out, struct error *err);

/* NULL is fine. */
void redis_stream_free(struct redis_stream *stream);

/* Sends all of it; the limit is for each part that the other side takes. */
MUST_CHECK enum status redis_stream_write(struct redis_stream *stream, struct bytes data, struct error *err);

/* Waits until there is something and takes as much of it as has room: *len is at least one. The other side's end is a
 * failure. */
MUST_CHECK enum status redis_stream_read(struct redis_stream *stream, char *data, size_t size, size_t *len,
                                         struct error *err);

/* The same without waiting: *len may be 0. One that does not fill its room has taken all there was, so that the socket
 * becomes readable with the next byte. */
MUST_CHECK enum status redis_stream_read_now(struct redis_stream *stream, char *data, size_t size,
                                             size_t *len, struct error *err);

/* To wait for; a readable one need not have anything to read, as TLS has messages of its own. */
int redis_stream_fd(const struct redis_stream *stream);

/* What protects it: "TLSv1.3", "TCP without TLS", "a Unix socket". */
const char *redis_stream_protection(const struct redis_stream *stream);

#endif
