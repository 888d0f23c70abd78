/* api/formats/writer.h - writes a document value by value. The calls are the same for every format; what becomes of
 * them is up to the writer's type (json_writer.h and its neighbours). The first value that cannot be written makes the
 * writer fail, and what a failed writer has written must not be used. One thread at a time. */
#ifndef ECOSYS_API_FORMATS_WRITER_H
#define ECOSYS_API_FORMATS_WRITER_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/decimal.h"
#include "common/base/status.h"
#include "common/domain/cnpj.h"
#include "common/domain/date.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_UINT,
    VALUE_DECIMAL,
    VALUE_TEXT,
    VALUE_TIMESTAMP,
    VALUE_CNPJ,
};

/* `kind` says what it holds; missing values (a text without data, no timestamp or CNPJ) are VALUE_NULL. */
struct value {
    enum value_kind kind;
    union {
        bool boolean;
        uint64_t uint;
        struct decimal decimal;
        struct bytes text; /* well-formed UTF-8 */
        struct timestamp timestamp;
        struct cnpj_shown cnpj;
    };
};

enum container { CONTAINER_OBJECT, CONTAINER_ARRAY };

struct writer;

/* Functions other than open, close, key and value may be NULL: they have nothing to do. */
struct writer_type {
    enum status (*init)(struct writer *writer, struct error *err);
    void (*clear)(struct writer *writer);
    void (*open)(struct writer *writer, enum container container);
    void (*close)(struct writer *writer, enum container container);
    void (*key)(struct writer *writer, struct bytes key);
    void (*value)(struct writer *writer, const struct value *value);

    /* Rows: see writer_begin_row. */
    void (*begin_names)(struct writer *writer);
    void (*begin_row)(struct writer *writer);
    void (*end_row)(struct writer *writer);
    void (*begin_rows)(struct buffer *out, size_t count);
    void (*end_rows)(struct buffer *out);
};

struct yajl_gen_t;

/* Deeper documents cannot be written as MessagePack. */
#define WRITER_DEPTH_MAX 8

/* A map or array whose length is not known yet. */
struct open_container {
    enum container container;
    size_t start; /* of its items in the output */
    uint32_t count;
};

struct writer {
    const struct writer_type *type;
    struct buffer *out; /* not owned */
    bool failed;
    union {
        struct yajl_gen_t *yajl; /* JSON; owned */
        struct {
            struct open_container open[WRITER_DEPTH_MAX];
            unsigned depth;
        } pack; /* MessagePack */
        struct {
            struct buffer list; /* owned; the texts of an array, joined */
            unsigned depth;
            bool has_cells;   /* in the current line */
            bool takes_names; /* keys only, no values */
        } csv;
    };
};

/* Documents are appended to `out`. writer_clear must follow, whatever the result. */
MUST_CHECK enum status writer_init(struct writer *writer, const struct writer_type *type, struct buffer *out,
                                   struct error *err);
void writer_clear(struct writer *writer);

void writer_open_object(struct writer *writer);
void writer_close_object(struct writer *writer);
void writer_open_array(struct writer *writer);
void writer_close_array(struct writer *writer);

void writer_key(struct writer *writer, const char *key);
void writer_key_text(struct writer *writer, struct bytes key);
void writer_null(struct writer *writer);
void writer_bool(struct writer *writer, bool value);
void writer_int(struct writer *writer, int64_t value);
void writer_uint(struct writer *writer, uint64_t value);
void writer_decimal(struct writer *writer, struct decimal value);
void writer_text(struct writer *writer, struct bytes text); /* null without data; well-formed UTF-8 */
void writer_timestamp(struct writer *writer, struct timestamp timestamp); /* null for TIMESTAMP_NONE */
void writer_cnpj(struct writer *writer, const struct cnpj_shown *cnpj);   /* null for CNPJ_NULL */

/* A member of an object: its key, then its value. */
void writer_put_text(struct writer *writer, const char *key, struct bytes text);
void writer_put_bool(struct writer *writer, const char *key, bool value);
void writer_put_int(struct writer *writer, const char *key, int64_t value);
void writer_put_uint(struct writer *writer, const char *key, uint64_t value);
void writer_put_null(struct writer *writer, const char *key);

/* Rows are members of one object, each a key and an object of its own. They are written one by one and assembled later:
 * neighbours are one run of bytes. Do not end a row in which nothing was written. */
void writer_begin_row(struct writer *writer);
void writer_end_row(struct writer *writer);

/* True if documents of rows begin with the names of their fields. Then a row is written for them, of which only the
 * keys count, and ended like any other. */
MUST_CHECK bool writer_begin_names(struct writer *writer);

/* What goes before and after `count` rows; `names` is what was written for the names, or empty. */
void writer_begin_rows(const struct writer_type *type, struct bytes names, size_t count, struct buffer *out);
void writer_end_rows(const struct writer_type *type, struct buffer *out);

/* STATUS_NO_MEMORY or STATUS_INVALID when any call since writer_init failed. */
MUST_CHECK enum status writer_status(const struct writer *writer, struct error *err);

#endif
