/* api/data/popular_filters.h - counts the filters that are requested, for the worker to make buckets of, including
 * those that are buckets already. Any thread. */
#ifndef ECOSYS_API_DATA_POPULAR_FILTERS_H
#define ECOSYS_API_DATA_POPULAR_FILTERS_H

#include <pthread.h>

#include "common/base/buffer.h"
#include "common/domain/popularity.h"

struct popular_filters {
    pthread_mutex_t mutex;
    struct popularity popularity; /* since the last report */
};

void popular_filters_init(struct popular_filters *filters);
void popular_filters_clear(struct popular_filters *filters);

void popular_filters_add(struct popular_filters *filters, struct date_filter filter);

/* Writes the message that reports the most requested filters to `out` and starts from zero; false if there were
 * none. */
bool popular_filters_report(struct popular_filters *filters, struct buffer *out);

#endif
