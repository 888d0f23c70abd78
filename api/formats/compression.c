/* api/formats/compression.c - gzip through libdeflate, zstd through its own library: both take a whole body at once.
 *
 * Levels were chosen by measurement (docs/benchmarks.md): on a megabyte of our rows libdeflate's level 6 takes half as
 * long as zlib's and leaves less; zstd's level 3 takes a fifth of that. Content above FAST_LEN gets gzip's fastest
 * level, so that the first byte of a filter's first answer does not wait for a tenth of a second. */
#include "api/formats/compression.h"

#include <libdeflate.h>
#include <zstd.h>

#define GZIP_LEVEL      6
#define GZIP_FAST_LEVEL 1
#define FAST_LEN        (4u * 1024u * 1024u)
#define ZSTD_LEVEL      3

const char *encoding_name(enum encoding encoding)
{
    static const char *const names[ENCODING_COUNT] = {
        [ENCODING_IDENTITY] = "identity", [ENCODING_GZIP] = "gzip", [ENCODING_ZSTD] = "zstd"};
    return names[encoding];
}

enum encoding encoding_for(enum encoding wanted, size_t len)
{
    return len >= COMPRESS_LEN_MIN ? wanted : ENCODING_IDENTITY;
}

static enum status append_gzip(struct bytes content, struct buffer *out, struct error *err)
{
    struct libdeflate_compressor *compressor =
        libdeflate_alloc_compressor(content.len > FAST_LEN ? GZIP_FAST_LEVEL : GZIP_LEVEL);
    if (compressor == NULL)
        return error_no_memory(err);
    buffer_reserve(out, libdeflate_gzip_compress_bound(compressor, content.len));
    size_t len = buffer_is_failed(out)
                     ? 0
                     : libdeflate_gzip_compress(compressor, content.data, content.len, out->data + out->len,
                                                out->capacity - out->len);
    libdeflate_free_compressor(compressor);
    out->len += len;
    return len > 0 ? STATUS_OK : error_no_memory(err);
}

static enum status append_zstd(struct bytes content, struct buffer *out, struct error *err)
{
    buffer_reserve(out, ZSTD_compressBound(content.len));
    if (buffer_is_failed(out))
        return error_no_memory(err);
    size_t len =
        ZSTD_compress(out->data + out->len, out->capacity - out->len, content.data, content.len, ZSTD_LEVEL);
    if (ZSTD_isError(len))
        return error_set(err, STATUS_NO_MEMORY, "zstd: %s", ZSTD_getErrorName(len));
    out->len += len;
    return STATUS_OK;
}

enum status compress_append(struct bytes content, enum encoding encoding, struct buffer *out,
                            struct error *err)
{
    return encoding == ENCODING_ZSTD ? append_zstd(content, out, err) : append_gzip(content, out, err);
}
