/* worker/sources/value.h - turns one value of a database row into clean UTF-8 or a checked value, here and nowhere
 * else. NULL stays NULL; what an answer cannot hold becomes NULL and is counted. Values live in the rows' arena. */
#ifndef ECOSYS_WORKER_SOURCES_VALUE_H
#define ECOSYS_WORKER_SOURCES_VALUE_H

#include "common/domain/snapshot.h"

/* Longer texts are cut between characters: a client's nine texts must fit in a chunk. */
#define VALUE_TEXT_MAX 115000u

struct value_reader {
    struct arena *arena;
    struct replacements *replaced;
    bool out_of_memory; /* set by those below that copy; check once per row */
};

struct bytes value_text(struct value_reader *reader, struct bytes text);

/* The nearest decimal to a number of an exact or floating type, counted as replaced if it differs; false: NULL. */
bool value_decimal(struct value_reader *reader, struct bytes text, struct decimal *out);

/* The kind is TIMESTAMP_NONE for NULL; *offset_s as timestamp_parse gives it. */
struct timestamp value_timestamp(struct value_reader *reader, struct bytes text, int32_t *offset_s);

struct cnpj_shown value_cnpj(struct value_reader *reader, struct bytes text, struct cnpj_key *key,
                             bool *has_key);

/* Whole numbers as servers print them; false, *out untouched, for NULL and anything else. */
bool value_parse_uint(struct bytes text, uint64_t *out);
bool value_parse_int(struct bytes text, int64_t *out);

#endif
