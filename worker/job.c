/* worker/job.c - starts, joins and logs a refresh. */
#include "worker/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/program/log.h"

static void *run_job(void *context)
{
    struct job *job = context;
    uint64_t one = 1;
    job->status = refresh(&job->request, &job->outcome, &job->err);
    if (write(job->done_fd, &one, sizeof one) != sizeof one)
        abort(); /* the eventfd accepts it: a job starts after the last one was read */
    return NULL;
}

enum status job_start(struct job **out, const struct refresh_request *request, int done_fd, struct error *err)
{
    assert(request->popular_count <= POPULAR_BUCKETS && strlen(request->lease_token) < LEASE_TOKEN_MAX);
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return error_no_memory(err);
    interrupt_init(&job->interrupt);
    memcpy(job->lease_token, request->lease_token, strlen(request->lease_token) + 1);
    memcpy(job->popular, request->popular, request->popular_count * sizeof job->popular[0]);
    job->done_fd = done_fd;
    job->request = *request;
    job->request.lease_token = job->lease_token;
    job->request.popular = job->popular;
    job->request.interrupt = &job->interrupt;
    int problem = pthread_create(&job->thread, NULL, run_job, job);
    if (problem != 0) {
        job_free(job);
        return error_set(err, STATUS_UNAVAILABLE, "no thread for a refresh: %s", strerror(problem));
    }
    *out = job;
    return STATUS_OK;
}

void job_join(struct job *job)
{
    pthread_join(job->thread, NULL);
}

void job_free(struct job *job)
{
    interrupt_clear(&job->interrupt);
    free(job);
}

/* Publishing time minus computing answers and waiting for Redis. */
static int64_t encode_ms(const struct refresh_outcome *outcome)
{
    int64_t others_us = outcome->published.answer_us + outcome->published.redis_us;
    return outcome->phase_ms[PHASE_PUBLISH] - others_us / 1000;
}

void job_log(const struct job *job)
{
    const struct refresh_outcome *outcome = &job->outcome;
    if (job->status != STATUS_OK) {
        log_write(job->status == STATUS_CANCELLED ? LOG_INFO : LOG_ERROR, "refresh failed",
                  LOG_FIELDS(log_text("phase", refresh_phase_word(outcome->phase)),
                             log_text("class", status_word(job->status)), log_text("error", job->err.message),
                             log_int("total_ms", outcome->total_ms)));
        return;
    }
    log_write(LOG_INFO, "generation published",
              LOG_FIELDS(log_int("generation", (int64_t)outcome->published.generation),
                         log_int("clients", (int64_t)outcome->clients_count),
                         log_int("tenants", (int64_t)outcome->tenants_count),
                         log_int("keys", (int64_t)outcome->published.keys_count),
                         log_int("bytes", (int64_t)outcome->published.bytes_count),
                         log_int("rows", (int64_t)outcome->rows_count), log_int("skew_us", outcome->skew_us),
                         log_int("replaced_texts", (int64_t)outcome->replaced.texts),
                         log_int("replaced_values", (int64_t)outcome->replaced.values),
                         log_int("connect_ms", outcome->connect_ms),
                         log_int("postgresql_ms", outcome->phase_ms[PHASE_KOMMO]),
                         log_int("mysql_ms", outcome->phase_ms[PHASE_ECOSYS]),
                         log_int("score_ms", outcome->phase_ms[PHASE_SCORE]),
                         log_int("answer_ms", outcome->published.answer_us / 1000),
                         log_int("encode_ms", encode_ms(outcome)),
                         log_int("publish_ms", outcome->published.redis_us / 1000),
                         log_int("total_ms", outcome->total_ms)));
}
