/* api/json_writer.h - compact JSON through yajl, with numbers as exact text. Every call of yajl is checked: the first
 * that fails makes the writer failed, and a failed document must not be used (yajl would leave half a pair behind).
 * One thread at a time. */
#ifndef ECOSYS_API_JSON_WRITER_H
#define ECOSYS_API_JSON_WRITER_H

#include <stdint.h>

#include "common/buffer.h"
#include "common/decimal.h"
#include "common/status.h"

struct yajl_gen_t;

struct json_writer {
    struct yajl_gen_t *gen;
    struct buffer *out; /* not owned */
    bool failed;
};

/* Documents are appended to `out`. json_writer_free must follow, whatever the result. */
MUST_CHECK enum status json_writer_new(struct json_writer *writer, struct buffer *out, struct error *err);
void json_writer_free(struct json_writer *writer);

/* Ready for another document. */
void json_writer_restart(struct json_writer *writer);

void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);

void json_key(struct json_writer *writer, const char *key);
void json_key_text(struct json_writer *writer, struct bytes key);
void json_text(struct json_writer *writer, struct bytes text); /* null without data; well-formed UTF-8 */
void json_int(struct json_writer *writer, int64_t value);
void json_uint(struct json_writer *writer, uint64_t value);
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
void json_decimal(struct json_writer *writer, struct decimal value);
void json_digits(struct json_writer *writer, struct bytes digits); /* a number of any length, as it is */

/* STATUS_NO_MEMORY or STATUS_INVALID when any call since json_writer_new failed. */
MUST_CHECK enum status json_writer_status(const struct json_writer *writer, struct error *err);

#endif
