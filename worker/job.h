/* worker/job.h - a refresh under way, in a thread of its own. All functions are for the main thread. */
#ifndef ECOSYS_WORKER_JOB_H
#define ECOSYS_WORKER_JOB_H

#include <pthread.h>

#include "common/date_filter.h"
#include "worker/interrupt.h"
#include "worker/lease.h"
#include "worker/refresh.h"

#define POPULAR_BUCKETS 128 /* filters that become buckets because people asked for them */

struct job {
    pthread_t thread;
    struct interrupt interrupt; /* ends the refresh early */
    struct refresh_request request;
    char lease_token[LEASE_TOKEN_MAX]; /* of the holding in which it began */
    struct date_filter popular[POPULAR_BUCKETS];
    int done_fd; /* not owned */

    /* What came of it, behind job_join: */
    struct refresh_outcome outcome;
    enum status status;
    struct error err;
};

/* Begins a refresh; when it ends, it adds 1 to the eventfd. Token and filters, POPULAR_BUCKETS at most, are copied; the
 * interrupt is the job's own. */
MUST_CHECK enum status job_start(struct job **out, const struct refresh_request *request, int done_fd,
                                 struct error *err);

/* Waits for the refresh to end; job_free must follow. */
void job_join(struct job *job);
void job_free(struct job *job);

/* Tells the log what came of it. */
void job_log(const struct job *job);

#endif
