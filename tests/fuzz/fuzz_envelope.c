/* tests/fuzz/fuzz_envelope.c - the wrapping of what is stored, and the MessagePack within, from any bytes. A blob that
 * is opened is the one that wrapping its payload makes; one with a bit changed is refused; and of MessagePack the scan
 * that comes first and the library that comes then find the same end. */
#include <msgpack.h>

#include "common/stored/envelope.h"
#include "common/stored/pack_scan.h"
#include "tests/fuzz/fuzz.h"

#define KINDS 10

static void check_opened(struct bytes blob)
{
    struct bytes payload;
    struct error err;
    for (unsigned kind = 1; kind < KINDS; kind++) {
        struct buffer again = BUFFER_INIT;
        if (envelope_open(blob, (enum blob_kind)kind, &payload, &err) != STATUS_OK)
            continue;
        envelope_begin(&again);
        buffer_append(&again, payload.data, payload.len);
        MUST_HOLD(envelope_end(&again, 0, (enum blob_kind)kind, &err) == STATUS_OK);
        MUST_HOLD(bytes_equal(buffer_bytes(&again), blob));
        buffer_clear(&again);
    }
}

static void check_changed(struct bytes payload)
{
    struct buffer blob = BUFFER_INIT;
    struct bytes opened;
    struct error err;
    uint32_t random = fuzz_hash(payload) | 1;
    envelope_begin(&blob);
    buffer_append(&blob, payload.data, payload.len);
    if (envelope_end(&blob, 0, BLOB_MODEL, &err) == STATUS_OK) {
        MUST_HOLD(envelope_open(buffer_bytes(&blob), BLOB_MODEL, &opened, &err) == STATUS_OK);
        MUST_HOLD(bytes_equal(opened, payload));
        struct bytes shorter = {blob.data, fuzz_random(&random) % blob.len};
        MUST_HOLD(envelope_open(shorter, BLOB_MODEL, &opened, &err) == STATUS_CORRUPT);
        blob.data[fuzz_random(&random) % blob.len] ^= (char)(1 << fuzz_random(&random) % 8);
        MUST_HOLD(envelope_open(buffer_bytes(&blob), BLOB_MODEL, &opened, &err) == STATUS_CORRUPT);
    }
    buffer_clear(&blob);
}

static void check_msgpack(struct bytes packed)
{
    msgpack_unpacked unpacked;
    struct error err;
    size_t end = 0, library_end = 0;
    if (pack_scan(packed, &end, &err) != STATUS_OK)
        return;
    msgpack_unpacked_init(&unpacked);
    MUST_HOLD(msgpack_unpack_next(&unpacked, packed.data, end, &library_end) == MSGPACK_UNPACK_SUCCESS);
    MUST_HOLD(library_end == end && end <= packed.len);
    msgpack_unpacked_destroy(&unpacked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {size > 0 ? (const char *)data : "", size};
    check_opened(bytes);
    check_changed(bytes);
    check_msgpack(bytes);
    return 0;
}
