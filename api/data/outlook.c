/* api/data/outlook.c - the worker's signs of life. */
#include "api/data/outlook.h"

#include <string.h>

void outlook_take(struct outlook *outlook, struct bytes lease, struct bytes report)
{
    struct worker_report read = {.failures = 0};
    struct error ignored;
    if (report.data != NULL && codec_unpack_worker_report(report, &read, &ignored) != STATUS_OK)
        strcpy(read.last_error, "unreadable");
    memcpy(outlook->worker_error, read.last_error, sizeof read.last_error);
    outlook->worker_is_alive = lease.data != NULL;
    outlook->redis_is_ok = true;
}

void outlook_lose(struct outlook *outlook)
{
    outlook->redis_is_ok = outlook->worker_is_alive = false;
}
