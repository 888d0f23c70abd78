/* api/data/outlook.h - what is known of Redis and of the worker, besides the generation. */
#ifndef ECOSYS_API_DATA_OUTLOOK_H
#define ECOSYS_API_DATA_OUTLOOK_H

#include "common/stored/codec.h"

struct outlook {
    bool redis_is_ok;
    bool worker_is_alive;
    char worker_error[sizeof((struct worker_report *)0)->last_error]; /* empty: none */
};

#endif
