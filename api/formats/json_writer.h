/* api/formats/json_writer.h - compact JSON through yajl, with numbers as exact text: "0.1", "1500", "-3". */
#ifndef ECOSYS_API_FORMATS_JSON_WRITER_H
#define ECOSYS_API_FORMATS_JSON_WRITER_H

#include "api/formats/writer.h"

extern const struct writer_type JSON_WRITER;

#endif
