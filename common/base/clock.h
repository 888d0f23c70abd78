/* common/base/clock.h - the two clocks, for worker/, api/ and the connection to Redis only: the domain is passed the
 * time as an argument. Any thread. */
#ifndef ECOSYS_COMMON_BASE_CLOCK_H
#define ECOSYS_COMMON_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Never goes backwards; for durations and deadlines. */
static inline int64_t clock_monotonic_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

static inline int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* Since 1970-01-01 UTC. */
static inline int64_t clock_unix_ms(void)
{
    return clock_read_us(CLOCK_REALTIME) / 1000;
}

#endif
