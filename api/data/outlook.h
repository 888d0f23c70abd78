/* api/data/outlook.h - what is known of Redis and of the worker, besides the generation. Pure: is told what a look at
 * Redis found. Any thread, each with its own. */
#ifndef ECOSYS_API_DATA_OUTLOOK_H
#define ECOSYS_API_DATA_OUTLOOK_H

#include "common/stored/codec.h"

struct outlook {
    bool redis_is_ok;
    bool worker_is_alive;
    char worker_error[sizeof((struct worker_report *)0)->last_error]; /* empty: none */
};

/* Takes in what the keys of lease and report hold; a key that is not there has no data. */
void outlook_take(struct outlook *outlook, struct bytes lease, struct bytes report);

/* Redis did not answer: the worker counts as gone, and its last report stands. */
void outlook_lose(struct outlook *outlook);

#endif
