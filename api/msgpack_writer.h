/* api/msgpack_writer.h - MessagePack of the types that JSON has: maps with text as keys, arrays, text, nil, true and
 * false. Whole numbers are integers, others float 64, the one nearest to the decimal. */
#ifndef ECOSYS_API_MSGPACK_WRITER_H
#define ECOSYS_API_MSGPACK_WRITER_H

#include "api/writer.h"

extern const struct writer_type MSGPACK_WRITER;

#endif
