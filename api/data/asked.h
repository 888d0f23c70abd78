/* api/data/asked.h - counts the filters that are requested, for the worker to make buckets of, including those that are
 * buckets already. Any thread. */
#ifndef ECOSYS_API_DATA_ASKED_H
#define ECOSYS_API_DATA_ASKED_H

#include <pthread.h>

#include "common/base/buffer.h"
#include "common/domain/popularity.h"

struct asked {
    pthread_mutex_t mutex;
    struct popularity popularity; /* since the last report */
};

void asked_init(struct asked *asked);
void asked_clear(struct asked *asked);

void asked_add(struct asked *asked, struct date_filter filter);

/* Writes the message that reports the most requested filters to `out` and starts from zero; false if there were
 * none. */
bool asked_report(struct asked *asked, struct buffer *out);

#endif
