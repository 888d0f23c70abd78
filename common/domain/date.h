/* common/domain/date.h - calendar days and wall-clock timestamps of the proleptic Gregorian calendar, years 1 to 9999.
 * A day is the number of days since 1970-01-01; a timestamp is microseconds since 1970-01-01 00:00 on the wall
 * clock it was read from. Pure: no clock, no zone, no I/O; any thread. */
#ifndef ECOSYS_COMMON_DOMAIN_DATE_H
#define ECOSYS_COMMON_DOMAIN_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"

#define DAY_FIRST          (-719162) /* 0001-01-01 */
#define DAY_LAST           2932896   /* 9999-12-31 */
#define DAY_NONE           INT32_MIN /* "no such day" */
#define US_PER_S           INT64_C(1000000)
#define US_PER_DAY         (INT64_C(86400) * US_PER_S)
#define DATE_TEXT_LEN      10 /* YYYY-MM-DD */
#define TIMESTAMP_TEXT_MAX 33 /* YYYY-MM-DDTHH:MM:SS.ffffff, an offset or Z, NUL */

struct civil_date {
    int32_t year;
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
};

int32_t day_from_civil(struct civil_date date);
struct civil_date day_to_civil(int32_t day);

/* Reads exactly "YYYY-MM-DD", an existing day in the years 0001 to 9999. If it returns false, *day is untouched. */
bool day_parse(struct bytes text, int32_t *day);

/* Writes YYYY-MM-DD and a NUL; `day` is between DAY_FIRST and DAY_LAST. */
void day_format(int32_t day, char out[DATE_TEXT_LEN + 1]);

enum timestamp_kind {
    TIMESTAMP_NONE = 0, /* SQL's NULL */
    TIMESTAMP_DATE,     /* a day without a time */
    TIMESTAMP_TIME,     /* a day and a time */
};

struct timestamp {
    int64_t wall_us;
    enum timestamp_kind kind;
};

/* Reads what SQL servers print: "YYYY-MM-DD" or "YYYY-MM-DD HH:MM:SS[.f to .ffffff]" (or with a T), optionally followed
 * by an offset "+HH", "-HH:MM" or "+HH:MM:SS", which goes to *offset_s (0 if there is none). The year has four digits.
 * Returns false and leaves both untouched for anything else: "infinity", years outside 1 to 9999, zero dates, BC. */
bool timestamp_parse(struct bytes text, struct timestamp *out, int32_t *offset_s);

/* Writes YYYY-MM-DD for a TIMESTAMP_DATE, else YYYY-MM-DDTHH:MM:SS, with six digits of microseconds unless they are
 * zero. Returns the length; a NUL follows. `kind` is not TIMESTAMP_NONE. */
size_t timestamp_format(struct timestamp timestamp, char out[TIMESTAMP_TEXT_MAX]);

/* The day a wall clock shows, also before 1970. */
int32_t day_of_wall_us(int64_t wall_us);

#endif
