/* common/zone.h - the time zone in which days begin and end, by the name that TZ holds. The zone is the process's
 * (zone_use sets it once, before threads start); the conversions take their instant as an argument. */
#ifndef ECOSYS_COMMON_ZONE_H
#define ECOSYS_COMMON_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* True for a name such as "America/Sao_Paulo" that the system's zone tables have. The C library takes an unknown
 * name for UTC in silence, hence this check. */
bool zone_is_known(const char *name);

/* Makes it the process's zone; `name` must be known. Before other threads start. */
void zone_use(const char *name);

/* Seconds east of UTC at that instant. Any thread. */
int32_t zone_offset_s(int64_t unix_s);

/* What a wall clock in the zone shows at that instant, and back; a wall time that occurs twice is the first of the
 * two, one that is skipped is moved forward. Any thread. */
int64_t zone_wall_us(int64_t unix_us);
int64_t zone_unix_s(int64_t wall_s);

#endif
