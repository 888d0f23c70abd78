/* common/program/zone.h - the time zone in which days begin and end, by its TZ name. It is the zone of the whole
 * process (zone_use sets it once, before threads start); the conversions take the instant as an argument. */
#ifndef ECOSYS_COMMON_PROGRAM_ZONE_H
#define ECOSYS_COMMON_PROGRAM_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* True for a name such as "America/Sao_Paulo" that is in the system's zone tables. The C library silently treats an
 * unknown name as UTC, hence this check. */
bool zone_is_known(const char *name);

/* Sets the process's zone; `name` must be known. Called before other threads start. */
void zone_use(const char *name);

/* Seconds east of UTC at that instant. Any thread. */
int32_t zone_offset_s(int64_t unix_s);

/* What a wall clock in the zone shows at that instant, and the reverse. A wall time that occurs twice means its first
 * occurrence; one that is skipped is moved forward. Any thread. */
int64_t zone_wall_us(int64_t unix_us);
int64_t zone_unix_s(int64_t wall_s);

#endif
