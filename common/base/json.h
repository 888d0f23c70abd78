/* common/base/json.h - a JSON document as a tree in an arena, for small input of trusted size: the scoring model, a
 * request body. Numbers keep their text, so nothing passes through binary floating point. Texts are checked UTF-8. Any
 * thread; a tree lives as long as its arena. */
#ifndef ECOSYS_COMMON_BASE_JSON_H
#define ECOSYS_COMMON_BASE_JSON_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/decimal.h"
#include "common/base/status.h"

#define JSON_DEPTH_MAX   16
#define JSON_MEMBERS_MAX 256 /* per object: each is compared with those before it */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    bool truth;               /* JSON_BOOL */
    struct bytes text;        /* JSON_TEXT: the text; JSON_NUMBER: as written */
    struct bytes key;         /* if it is a member of an object */
    const struct json *first; /* JSON_ARRAY, JSON_OBJECT: items in order, NULL when empty */
    const struct json *next;  /* the next item of its array or object */
    size_t count;             /* JSON_ARRAY, JSON_OBJECT: number of items */
};

/* Reads one whole document. STATUS_INVALID: not JSON, not UTF-8, a duplicate member, nested deeper than JSON_DEPTH_MAX,
 * an object with more members than JSON_MEMBERS_MAX, or anything but blanks after the document. */
MUST_CHECK enum status json_parse(struct arena *arena, struct bytes text, const struct json **out,
                                  struct error *err);

const char *json_type_name(enum json_type type);

/* The member, or NULL if there is none. */
const struct json *json_member(const struct json *object, const char *key);

/* The readers below take the path of `object` in the document ("" at the top) and say in their errors where a member is
 * missing or of the wrong type: "pillars.crm.weight: missing". */
MUST_CHECK enum status json_need(const struct json *object, const char *path, const char *key,
                                 enum json_type type, const struct json **out, struct error *err);

/* A whole number between low and high, inclusive. */
MUST_CHECK enum status json_need_int(const struct json *object, const char *path, const char *key,
                                     int64_t low, int64_t high, int64_t *out, struct error *err);

/* A number between 0 and `high`, inclusive, in units of 10^-scale; more decimals are refused. */
MUST_CHECK enum status json_need_scaled(const struct json *object, const char *path, const char *key,
                                        uint8_t scale, int64_t high, int64_t *out, struct error *err);

/* Refuses members that are not in the NULL-terminated list, so that typos do not go unnoticed. */
MUST_CHECK enum status json_refuse_others(const struct json *object, const char *path,
                                          const char *const *known_keys, struct error *err);

#endif
