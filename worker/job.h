/* worker/job.h - a refresh in progress, in a thread of its own. All functions are for the main thread. */
#ifndef ECOSYS_WORKER_JOB_H
#define ECOSYS_WORKER_JOB_H

#include <pthread.h>

#include "common/domain/date_filter.h"
#include "worker/lease.h"
#include "worker/refresh.h"
#include "worker/sources/interrupt.h"

#define POPULAR_BUCKETS 128 /* filters that get a bucket because they were requested most */

struct job {
    pthread_t thread;
    struct interrupt interrupt; /* ends the refresh early */
    struct refresh_request request;
    char lease_token[LEASE_TOKEN_MAX]; /* of the holding of the lease in which it began */
    struct date_filter popular[POPULAR_BUCKETS];
    int done_fd; /* not owned */

    /* Results, valid after job_join: */
    struct refresh_outcome outcome;
    enum status status;
    struct error err;
};

/* Starts a refresh; when it ends, it adds 1 to the eventfd. Token and filters (at most POPULAR_BUCKETS) are copied; the
 * interrupt is the job's own. */
MUST_CHECK enum status job_start(struct job **out, const struct refresh_request *request, int done_fd,
                                 struct error *err);

/* Waits for the refresh to end; job_free must follow. */
void job_join(struct job *job);
void job_free(struct job *job);

/* Logs the result. */
void job_log(const struct job *job);

#endif
