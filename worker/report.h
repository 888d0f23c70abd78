/* worker/report.h - the worker's report on its last refresh, for /health and --check: a key in Redis. One thread at a
 * time. */
#ifndef ECOSYS_WORKER_REPORT_H
#define ECOSYS_WORKER_REPORT_H

#include <stdint.h>

#include "common/program/settings.h"
#include "common/redis/redis_link.h"

/* How many refreshes in a row have failed, and how the last one did: a word for /health, the whole message for --check;
 * both empty when it did not fail. A failure to store it is ignored: the log says the same, and the next refresh
 * reports again. */
void report_store(struct redis_link *link, const struct settings *settings, uint64_t failures,
                  const char *word, const char *reason);

#endif
