/* api/data/upstream.c - the worker's signs of life. */
#include "api/data/upstream.h"

#include <string.h>

void upstream_take(struct upstream *upstream, struct bytes lease, struct bytes report)
{
    struct worker_report read = {.failures = 0};
    struct error ignored;
    if (report.data != NULL && codec_unpack_worker_report(report, &read, &ignored) != STATUS_OK)
        strcpy(read.last_error, "unreadable");
    memcpy(upstream->worker_error, read.last_error, sizeof read.last_error);
    upstream->worker_is_alive = lease.data != NULL;
    upstream->redis_is_ok = true;
}

void upstream_lose(struct upstream *upstream)
{
    upstream->redis_is_ok = upstream->worker_is_alive = false;
}
