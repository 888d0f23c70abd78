/* common/program/origins.h - the list of origins whose pages may read answers (CORS_ALLOW_ORIGINS), as browsers send
 * them in Origin: "*", "null" or scheme://host[:port], separated by commas, optionally surrounded by blanks. Pure; any
 * thread. */
#ifndef ECOSYS_COMMON_PROGRAM_ORIGINS_H
#define ECOSYS_COMMON_PROGRAM_ORIGINS_H

#include "common/base/bytes.h"

/* What origins_are_valid accepts, in words. */
#define ORIGINS_TAKES                                                                                        \
    "*, null and scheme://host[:port], as browsers send them (lower case, no usual port, nothing behind), "  \
    "with commas between them"

/* Whether a browser could send each item: one that no browser sends would silently allow nobody. */
bool origins_are_valid(const char *list);

/* Whether "*" is among the items: pages of any origin may read. */
bool origins_are_open(const char *list);

/* Whether `origin` is an item, compared byte by byte. */
bool origins_have(const char *list, struct bytes origin);

#endif
