/* tests/unit/test_worker_job.c - a refresh in its thread: what it is given, what is known of it afterwards, and no
 * thread. The refresh and the making of threads are stood in for. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/support.h"
#include "worker/job.h"

static int thread_problem; /* what pthread_create answers; 0: it makes one */
static struct refresh_request seen;
static char seen_token[LEASE_TOKEN_MAX];
static struct date_filter seen_popular[POPULAR_BUCKETS];

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
enum status __wrap_refresh(const struct refresh_request *request, struct refresh_outcome *out,
                           struct error *err);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return thread_problem != 0 ? thread_problem : __real_pthread_create(thread, attributes, run, context);
}

enum status __wrap_refresh(const struct refresh_request *request, struct refresh_outcome *out,
                           struct error *err)
{
    seen = *request;
    memcpy(seen_token, request->lease_token, strlen(request->lease_token) + 1);
    memcpy(seen_popular, request->popular, request->popular_count * sizeof seen_popular[0]);
    out->clients_count = 7;
    out->phase = PHASE_KOMMO;
    return error_set(err, STATUS_UNAVAILABLE, "PostgreSQL: gone");
}

static void test_a_refresh(void **state)
{
    char token[LEASE_TOKEN_MAX] = "host/1/abc";
    struct date_filter popular[POPULAR_BUCKETS];
    struct job *job = NULL;
    struct error err;
    uint64_t ended = 0;
    int done_fd = eventfd(0, EFD_CLOEXEC);
    (void)state;
    for (int32_t i = 0; i < POPULAR_BUCKETS; i++)
        popular[i] = (struct date_filter){i, i + 1};
    struct refresh_request request = {.lease_token = token,
                                      .popular = popular,
                                      .popular_count = POPULAR_BUCKETS,
                                      .has_as_of = true,
                                      .as_of_wall_us = 42};
    assert_int_equal(job_start(&job, &request, done_fd, &err), STATUS_OK);
    memset(token, 'x', sizeof token); /* nothing of the caller's is needed any more */
    struct date_filter last = popular[POPULAR_BUCKETS - 1];
    assert_int_equal(read(done_fd, &ended, sizeof ended), sizeof ended);
    job_join(job);
    assert_int_equal(ended, 1);
    assert_string_equal(seen_token, "host/1/abc");
    assert_ptr_equal(seen.lease_token, job->lease_token);
    assert_ptr_equal(seen.interrupt, &job->interrupt);
    assert_ptr_equal(seen.popular, job->popular);
    assert_int_equal(seen.popular_count, POPULAR_BUCKETS);
    assert_memory_equal(&seen_popular[POPULAR_BUCKETS - 1], &last, sizeof last);
    assert_true(seen.has_as_of && seen.as_of_wall_us == 42);
    assert_int_equal(job->status, STATUS_UNAVAILABLE);
    assert_string_equal(job->err.message, "PostgreSQL: gone");
    assert_true(job->outcome.clients_count == 7 && job->outcome.phase == PHASE_KOMMO);
    job_free(job);
    close(done_fd);
}

static void test_no_thread(void **state)
{
    const struct refresh_request request = {.lease_token = "host/1/abc",
                                            .popular = &(struct date_filter){0, 1}};
    struct job *job = NULL;
    struct error err;
    (void)state;
    thread_problem = EAGAIN;
    assert_int_equal(job_start(&job, &request, -1, &err), STATUS_UNAVAILABLE);
    thread_problem = 0;
    assert_non_null(strstr(err.message, "no thread for a refresh: Resource temporarily unavailable"));
    assert_null(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refresh),
        cmocka_unit_test(test_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
