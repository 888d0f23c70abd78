/* common/stored/envelope.c - header and checksum around stored data. */
#include "common/stored/envelope.h"

#include <inttypes.h>
#include <xxhash.h>

static const char MAGIC[4] = {'E', 'C', 'O', 'S'};

static void put(unsigned char *at, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)(value >> (8 * (len - 1 - i)));
}

static uint64_t get(const unsigned char *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

void envelope_begin(struct buffer *buffer)
{
    static const char blank[ENVELOPE_HEADER_LEN];
    buffer_append(buffer, blank, sizeof blank);
}

enum status envelope_end(struct buffer *buffer, size_t start, enum blob_kind kind, struct error *err)
{
    if (buffer_is_failed(buffer))
        return error_no_memory(err);
    size_t len = buffer->len - start - ENVELOPE_HEADER_LEN;
    if (len > ENVELOPE_PAYLOAD_MAX)
        return error_set(err, STATUS_INVALID, "a blob of %zu bytes, at most %u fit", len,
                         ENVELOPE_PAYLOAD_MAX);
    unsigned char *header = (unsigned char *)buffer->data + start;
    memcpy(header, MAGIC, sizeof MAGIC);
    put(header + 4, ENVELOPE_VERSION, 2);
    put(header + 6, kind, 2);
    put(header + 8, len, 4);
    put(header + 12, XXH3_64bits(header + ENVELOPE_HEADER_LEN, len), 8);
    return STATUS_OK;
}

enum status envelope_open(struct bytes blob, enum blob_kind kind, struct bytes *payload, struct error *err)
{
    const unsigned char *header = (const unsigned char *)blob.data;
    if (blob.len < ENVELOPE_HEADER_LEN || memcmp(header, MAGIC, sizeof MAGIC) != 0)
        return error_set(err, STATUS_CORRUPT, "%zu bytes that are no blob of ours", blob.len);
    uint64_t version = get(header + 4, 2), found_kind = get(header + 6, 2), len = get(header + 8, 4);
    if (version != ENVELOPE_VERSION)
        return error_set(err, STATUS_CORRUPT, "schema version %" PRIu64 ", this program reads %d", version,
                         ENVELOPE_VERSION);
    if (found_kind != (uint64_t)kind)
        return error_set(err, STATUS_CORRUPT, "blob of kind %" PRIu64 " where %d belongs", found_kind,
                         (int)kind);
    if (len != blob.len - ENVELOPE_HEADER_LEN)
        return error_set(err, STATUS_CORRUPT, "%zu bytes of payload, the header says %" PRIu64,
                         blob.len - ENVELOPE_HEADER_LEN, len);
    if (get(header + 12, 8) != XXH3_64bits(header + ENVELOPE_HEADER_LEN, (size_t)len))
        return error_set(err, STATUS_CORRUPT, "the checksum does not fit the payload");
    *payload = (struct bytes){blob.data + ENVELOPE_HEADER_LEN, (size_t)len};
    return STATUS_OK;
}
