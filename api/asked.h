/* api/asked.h - counts the filters that people ask for, for the worker to make buckets of them: also of those that are
 * buckets already because people asked for them. Any thread. */
#ifndef ECOSYS_API_ASKED_H
#define ECOSYS_API_ASKED_H

#include <pthread.h>

#include "common/buffer.h"
#include "common/popularity.h"

struct asked {
    pthread_mutex_t mutex;
    struct popularity popularity; /* since it was reported last */
};

void asked_init(struct asked *asked);
void asked_clear(struct asked *asked);

void asked_add(struct asked *asked, struct date_filter filter);

/* Writes the message that reports the most asked for ones to `out` and forgets all; false when nobody asked. */
bool asked_report(struct asked *asked, struct buffer *out);

#endif
