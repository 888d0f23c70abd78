/* common/stored/envelope.h - the envelope around everything that is stored: what it is, which schema version,
 * how long, and a checksum, so that truncated, foreign or damaged bytes are refused before anything reads them. Any
 * thread.
 *
 * Layout, integers big-endian: "ECOS", u16 schema version, u16 kind, u32 payload length, u64 XXH3 of the payload,
 * payload. To change what a kind holds: raise ENVELOPE_VERSION, let the codec also read the previous version, and
 * describe the change in schemas/redis.md. APIs are upgraded before workers. */
#ifndef ECOSYS_COMMON_STORED_ENVELOPE_H
#define ECOSYS_COMMON_STORED_ENVELOPE_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/status.h"

#define ENVELOPE_VERSION     1
#define ENVELOPE_HEADER_LEN  20u
#define ENVELOPE_LEN_MAX     (1024u * 1024u) /* header and payload: one key in Redis */
#define ENVELOPE_PAYLOAD_MAX (ENVELOPE_LEN_MAX - ENVELOPE_HEADER_LEN)

enum blob_kind {
    BLOB_MANIFEST = 1,
    BLOB_MODEL = 2,
    BLOB_CLIENTS = 3,
    BLOB_TENANTS = 4,
    BLOB_ANSWER = 5,
    BLOB_WORKER = 6,
    BLOB_BUCKETS = 7,
    BLOB_LOGINS = 8,
    BLOB_TENANT_IDS = 9,
};

/* Appends a header to be filled in; the payload follows. */
void envelope_begin(struct buffer *buffer);

/* Fills in the header in front of everything appended since envelope_begin, which was called at offset `start`.
 * STATUS_INVALID: the payload is longer than ENVELOPE_PAYLOAD_MAX. */
MUST_CHECK enum status envelope_end(struct buffer *buffer, size_t start, enum blob_kind kind,
                                    struct error *err);

/* Checks the envelope of a whole blob of that kind; *payload borrows from `blob`. STATUS_CORRUPT says what is wrong. */
MUST_CHECK enum status envelope_open(struct bytes blob, enum blob_kind kind, struct bytes *payload,
                                     struct error *err);

#endif
