/* api/formats/compression.h - the encodings of a body (Content-Encoding), and compression. Any thread. */
#ifndef ECOSYS_API_FORMATS_COMPRESSION_H
#define ECOSYS_API_FORMATS_COMPRESSION_H

#include "common/base/buffer.h"
#include "common/base/status.h"

enum encoding { ENCODING_IDENTITY, ENCODING_GZIP, ENCODING_ZSTD, ENCODING_COUNT };

/* Its name in Content-Encoding and Accept-Encoding. */
const char *encoding_name(enum encoding encoding);

/* What is shorter is not compressed. */
#define COMPRESS_LEN_MIN 1000

/* The encoding that content of that length gets when `wanted` is asked for. */
enum encoding encoding_for(enum encoding wanted, size_t len);

/* Appends the content compressed with `encoding` (not ENCODING_IDENTITY). */
MUST_CHECK enum status compress_append(struct bytes content, enum encoding encoding, struct buffer *out,
                                       struct error *err);

#endif
