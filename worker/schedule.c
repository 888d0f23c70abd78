/* worker/schedule.c - the time at which the next refresh is due, and how it moves. */
#include "worker/schedule.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS   60000

void schedule_init(struct schedule *schedule, int64_t interval_s)
{
    *schedule = (struct schedule){.interval_ms = interval_s * 1000, .due_ms = SCHEDULE_NEVER};
}

void schedule_request(struct schedule *schedule, int64_t now_ms)
{
    schedule->due_ms = now_ms;
}

bool schedule_is_due(const struct schedule *schedule, int64_t now_ms)
{
    return now_ms >= schedule->due_ms;
}

void schedule_begin(struct schedule *schedule)
{
    schedule->due_ms = SCHEDULE_NEVER;
}

static int64_t retry_wait_ms(uint64_t failures, uint32_t random)
{
    int64_t wait = RETRY_FIRST_MS;
    for (uint64_t i = 1; i < failures && wait < RETRY_MAX_MS; i++)
        wait *= 2;
    wait = wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
    return wait / 2 + random % wait;
}

static int64_t next_ms(const struct schedule *schedule, enum refresh_result result, int64_t now_ms,
                       uint32_t random)
{
    if (result != REFRESH_SUCCEEDED)
        return now_ms + retry_wait_ms(schedule->failures, random);
    return schedule->interval_ms > 0 ? now_ms + schedule->interval_ms : SCHEDULE_NEVER;
}

void schedule_end(struct schedule *schedule, enum refresh_result result, int64_t now_ms, uint32_t random)
{
    if (result == REFRESH_SUCCEEDED)
        schedule->failures = 0;
    else if (result == REFRESH_FAILED)
        schedule->failures++;
    int64_t next = next_ms(schedule, result, now_ms, random);
    if (next < schedule->due_ms) /* else one was requested during the refresh, and is overdue */
        schedule->due_ms = next;
}
