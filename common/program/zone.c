/* common/program/zone.c - the process's time zone. */
#include "common/program/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 128

bool zone_is_known(const char *name)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX], magic[4];
    if (name[0] == '\0' || name[0] == '/' || strlen(name) >= ZONE_NAME_MAX || strstr(name, "..") != NULL)
        return false;
    snprintf(path, sizeof path, ZONE_FOLDER "%s", name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool is_zone = read(file, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    close(file);
    return is_zone;
}

void zone_use(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

int32_t zone_offset_s(int64_t unix_s)
{
    time_t instant = (time_t)unix_s;
    struct tm local;
    localtime_r(&instant, &local);
    return (int32_t)local.tm_gmtoff;
}

int64_t zone_wall_us(int64_t unix_us)
{
    int64_t unix_s = unix_us / 1000000 - (unix_us % 1000000 < 0);
    return unix_us + zone_offset_s(unix_s) * INT64_C(1000000);
}

/* Tries the offset of the day before, then the one at about that time. Neither fits a skipped time; the offset from
 * before the gap moves it forward. */
int64_t zone_unix_s(int64_t wall_s)
{
    int64_t guess = wall_s - zone_offset_s(wall_s);
    int64_t before = wall_s - zone_offset_s(guess - 86400);
    int64_t after = wall_s - zone_offset_s(guess);
    bool is_after = before + zone_offset_s(before) != wall_s && after + zone_offset_s(after) == wall_s;
    return is_after ? after : before;
}
