/* worker/schedule.h - when the next refresh is due: an interval after a success, a growing wait after failures, at
 * once on request. Pure: the caller passes the monotonic clock, in milliseconds, and the randomness. One thread at a
 * time. */
#ifndef ECOSYS_WORKER_SCHEDULE_H
#define ECOSYS_WORKER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_NEVER INT64_MAX

struct schedule {
    int64_t interval_ms; /* from the end of a refresh to the next one; 0: refreshes happen on request only */
    int64_t due_ms;      /* SCHEDULE_NEVER: not until requested */
    uint64_t failures;   /* in a row */
};

enum refresh_result {
    REFRESH_SUCCEEDED,
    REFRESH_FAILED,
    REFRESH_VOID, /* it was stopped, or lost its lease: says nothing about the sources, and is not counted */
};

/* Nothing is due until requested. */
void schedule_init(struct schedule *schedule, int64_t interval_s);

/* A refresh is due now; if one is running, another one right after it. */
void schedule_request(struct schedule *schedule, int64_t now_ms);

bool schedule_is_due(const struct schedule *schedule, int64_t now_ms);

/* A refresh begins: it serves every request so far. schedule_end must follow, also if it could not be started. */
void schedule_begin(struct schedule *schedule);

/* The refresh has ended. Unless one was requested meanwhile, the next is due after the interval, or, if it did not
 * succeed, after a wait of 1 s that doubles with each failure in a row up to 60 s; `random` varies each wait by up to
 * half, so that workers do not retry in step. */
void schedule_end(struct schedule *schedule, enum refresh_result result, int64_t now_ms, uint32_t random);

#endif
