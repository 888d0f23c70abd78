/* api/compress.h - how a body may be encoded on its way (Content-Encoding), and the doing of it. Any thread. */
#ifndef ECOSYS_API_COMPRESS_H
#define ECOSYS_API_COMPRESS_H

#include "common/buffer.h"
#include "common/status.h"

enum encoding { ENCODING_IDENTITY, ENCODING_GZIP, ENCODING_ZSTD, ENCODING_COUNT };

/* A shorter body is never compressed. */
#define COMPRESS_LEN_MIN 1000

/* As Content-Encoding and Accept-Encoding call it. */
const char *encoding_name(enum encoding encoding);

/* Appends the content, compressed as `encoding` (not ENCODING_IDENTITY) says. */
MUST_CHECK enum status compress_append(struct bytes content, enum encoding encoding, struct buffer *out,
                                       struct error *err);

#endif
