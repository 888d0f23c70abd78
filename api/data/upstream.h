/* api/data/upstream.h - what is known of Redis and of the worker, besides the generation. Pure: is told what a look at
 * Redis found. Any thread, each with its own. */
#ifndef ECOSYS_API_DATA_UPSTREAM_H
#define ECOSYS_API_DATA_UPSTREAM_H

#include "common/stored/codec.h"

struct upstream {
    bool redis_is_ok;
    bool worker_is_alive;
    char worker_error[sizeof((struct worker_report *)0)->last_error]; /* empty: none */
};

/* Takes in what the keys of lease and report hold; a key that is not there has no data. */
void upstream_take(struct upstream *upstream, struct bytes lease, struct bytes report);

/* Redis did not answer: the worker counts as gone, and its last report stands. */
void upstream_lose(struct upstream *upstream);

#endif
