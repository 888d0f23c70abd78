/* common/origins.h - the list of origins whose pages may read answers (CORS_ALLOW_ORIGINS), as browsers send them in
 * Origin: "*", "null" or scheme://host[:port], with commas between them and blanks around. Pure; any thread. */
#ifndef ECOSYS_COMMON_ORIGINS_H
#define ECOSYS_COMMON_ORIGINS_H

#include "common/bytes.h"

/* What origins_are_valid takes, in words. */
#define ORIGINS_TAKES                                                                                        \
    "*, null and scheme://host[:port], as browsers send them (lower case, no usual port, nothing behind), "  \
    "with commas between them"

/* Whether each item could be a browser's: one that could not would allow nobody, without a word. */
bool origins_are_valid(const char *list);

/* Whether "*" is an item, whatever else is: pages of any origin may read. */
bool origins_are_open(const char *list);

/* Whether `origin` is an item, byte by byte. */
bool origins_have(const char *list, struct bytes origin);

#endif
