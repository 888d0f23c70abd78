/* worker/report.h - what a worker says of its last refresh, to /health and to --check: a key in Redis. One thread at a
 * time. */
#ifndef ECOSYS_WORKER_REPORT_H
#define ECOSYS_WORKER_REPORT_H

#include <stdint.h>

#include "common/redis_link.h"
#include "common/settings.h"

/* How many refreshes in a row have failed, and what the last one failed at: a word for /health, the whole message for
 * --check; both empty when it did not fail. A Redis that does not take it is passed over: the log has the same, and the
 * next refresh says more. */
void report_store(struct redis_link *link, const struct settings *settings, uint64_t failures,
                  const char *word, const char *reason);

#endif
