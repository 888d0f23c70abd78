/* tests/fuzz/stored.h - for fuzzers of what is stored: a payload goes into a good envelope, so that the checksum does
 * not stop the fuzzer at the door. */
#ifndef ECOSYS_TESTS_FUZZ_STORED_H
#define ECOSYS_TESTS_FUZZ_STORED_H

#include "common/stored/envelope.h"
#include "tests/fuzz/fuzz.h"

/* The caller clears *out. False: it is too long for one. */
static inline bool stored_wrap(struct bytes payload, enum blob_kind kind, struct buffer *out)
{
    struct error err;
    envelope_begin(out);
    buffer_append(out, payload.data, payload.len);
    return envelope_end(out, 0, kind, &err) == STATUS_OK;
}

#endif
