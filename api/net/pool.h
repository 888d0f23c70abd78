/* api/net/pool.h - a few threads for what must not hold up an event loop: computing, rendering, compressing, and
 * waiting for Redis. The queue is bounded: a full one refuses a job at once. */
#ifndef ECOSYS_API_NET_POOL_H
#define ECOSYS_API_NET_POOL_H

#include <pthread.h>
#include <stdbool.h>

#include "api/net/priority.h"
#include "common/base/status.h"

/* What a thread of the pool runs; `thread_context` is that thread's own (see pool_start). */
typedef void pool_run(void *job, void *thread_context);

struct pool_job {
    pool_run *run;
    void *job;
};

struct pool {
    enum share share;
    pthread_t *threads;
    size_t threads_count;
    struct pool_job *queue; /* a ring */
    size_t capacity, first, count;
    bool is_stopping;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

/* Starts `threads_count` threads with that share of the processors; thread i gets contexts[i], which must outlive
 * pool_stop, or NULL without contexts. pool_stop must follow, unless it fails. */
MUST_CHECK enum status pool_start(struct pool *pool, size_t threads_count, enum share share, void **contexts,
                                  size_t queue_capacity, struct error *err);

/* Runs everything that is queued, then ends the threads. Nothing may be submitted from then on. */
void pool_stop(struct pool *pool);

/* False: the queue is full. Any thread. */
MUST_CHECK bool pool_submit(struct pool *pool, pool_run *run, void *job);

#endif
