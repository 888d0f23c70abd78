/* common/stored/pack_scan.h - checks the headers of MessagePack bytes before the library allocates for them: five bytes
 * can claim an array of four billion items. Pure; any thread. */
#ifndef ECOSYS_COMMON_STORED_PACK_SCAN_H
#define ECOSYS_COMMON_STORED_PACK_SCAN_H

#include "common/base/bytes.h"
#include "common/base/status.h"

#define PACK_DEPTH_MAX 4

/* Finds the end of the value at *offset and moves *offset there. STATUS_CORRUPT: truncated, more items than bytes left,
 * nested deeper than PACK_DEPTH_MAX, or of an extension or reserved type, which we never store. */
MUST_CHECK enum status pack_scan(struct bytes packed, size_t *offset, struct error *err);

#endif
