/* api/formats/msgpack_writer.h - MessagePack with the types of JSON: maps with text as keys, arrays, text, nil, true
 * and false. Whole numbers are integers, others the float 64 nearest to the decimal. */
#ifndef ECOSYS_API_FORMATS_MSGPACK_WRITER_H
#define ECOSYS_API_FORMATS_MSGPACK_WRITER_H

#include "api/formats/writer.h"

extern const struct writer_type MSGPACK_WRITER;

#endif
