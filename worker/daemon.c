/* worker/daemon.c - one loop over signals, the end of a refresh, the lease and the clock. */
#include "worker/daemon.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/program/log.h"
#include "worker/job.h"
#include "worker/lease.h"
#include "worker/report.h"
#include "worker/requests.h"

#define NEVER            INT64_MAX
#define LEASE_CHECK_MS   1000 /* well below a third of LEASE_TIME; also how soon an emptied Redis is noticed */
#define DEADLINE_TICK_MS 200  /* how often a running refresh's deadline is checked */
#define ONCE_WATCH_MS    300  /* how often --once checks whether the lease's holder still renews it */
#define RETRY_FIRST_MS   1000
#define RETRY_MAX_MS     60000

struct daemon {
    const struct settings *settings;
    const struct daemon_options *options;
    int signal_fd;
    int done_fd;
    struct redis_link link; /* for the lease and the report; a refresh has its own */
    struct lease lease;
    struct lease_holder holder;
    int64_t lease_check_ms; /* on the monotonic clock, like all times here */
    int64_t refresh_due_ms;
    uint64_t failures; /* in a row */
    struct job *job;   /* NULL while no refresh is running */
    struct requests requests;
    bool is_asked; /* for another refresh, while one is running */
    bool is_stopping;
    char redis_error[ERROR_MESSAGE_SIZE]; /* the last error logged for Redis; empty while Redis works */
    bool is_deaf;                         /* cannot hear requests, though it leads */
    bool is_standby;
    enum exit_status exit_status; /* of --once */
};

/* Doubles from one second up to a minute, each wait varied by up to half, so that workers do not retry in step. */
static int64_t retry_wait_ms(uint64_t failures)
{
    uint32_t random = 0;
    int64_t wait = RETRY_FIRST_MS;
    for (uint64_t i = 1; i < failures && wait < RETRY_MAX_MS; i++)
        wait *= 2;
    wait = wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = 0;
    return wait / 2 + random % wait;
}

static void plan_next(struct daemon *daemon, enum status status)
{
    int64_t now = clock_monotonic_ms();
    int64_t interval_s = settings_refresh_interval_s(daemon->settings);
    if (status != STATUS_OK)
        daemon->refresh_due_ms = now + retry_wait_ms(daemon->failures);
    else
        daemon->refresh_due_ms = interval_s > 0 ? now + interval_s * 1000 : NEVER;
    if (daemon->is_asked || requests_are_waiting(&daemon->requests))
        daemon->refresh_due_ms = now;
    daemon->is_asked = false;
}

static void fail_once(struct daemon *daemon)
{
    daemon->exit_status = EXIT_FAILED;
    daemon->is_stopping = true;
}

/* While the holder is alive, --once gives up; if it has died, --once waits for the lease to expire. A lease whose
 * remaining time has risen since the last check was renewed, so its holder is alive. */
static void watch_holder(struct daemon *daemon, const struct lease_holder *before, bool was_seen)
{
    bool is_renewed = was_seen && strcmp(before->token, daemon->holder.token) == 0 &&
                      daemon->holder.left_ms > before->left_ms;
    bool is_another = was_seen && strcmp(before->token, daemon->holder.token) != 0;
    if (is_renewed || is_another) {
        bool is_error = daemon->options->is_beaten == NULL;
        if (!is_error)
            *daemon->options->is_beaten = true;
        log_write(
            is_error ? LOG_ERROR : LOG_INFO, "another worker holds the lease",
            LOG_FIELDS(log_text("holder", daemon->holder.token), log_int("left_ms", daemon->holder.left_ms)));
        fail_once(daemon);
    }
}

static void lose_redis(struct daemon *daemon, const struct error *err)
{
    if (strcmp(daemon->redis_error, err->message) != 0)
        log_write(LOG_ERROR, "Redis cannot be used", LOG_FIELDS(log_text("error", err->message)));
    memcpy(daemon->redis_error, err->message, sizeof daemon->redis_error);
    requests_stop_listening(&daemon->requests); /* a connection that died silently would stay deaf for ever */
    if (daemon->options->once)
        fail_once(daemon);
}

static void meet_holder(struct daemon *daemon, const struct lease_holder *before, bool was_standby)
{
    if (daemon->options->once) {
        watch_holder(daemon, before, was_standby);
        return;
    }
    if (!was_standby)
        log_write(LOG_INFO, "standing by", LOG_FIELDS(log_text("holder", daemon->holder.token)));
}

static void listen_for_requests(struct daemon *daemon)
{
    struct error err;
    bool is_deaf = requests_listen(&daemon->requests, &err) != STATUS_OK;
    if (is_deaf && !daemon->is_deaf)
        log_write(LOG_ERROR, "requests cannot be heard", LOG_FIELDS(log_text("error", err.message)));
    daemon->is_deaf = is_deaf;
}

/* Whether the lease was lost since the running refresh began, even if it is ours again: that refresh can flip
 * nothing. */
static bool is_overtaken(const struct daemon *daemon)
{
    return daemon->is_standby || strcmp(daemon->job->lease_token, daemon->lease.token) != 0;
}

/* A standby checks in time to see the lease expire. */
static int64_t next_look_ms(const struct daemon *daemon)
{
    int64_t wait = daemon->is_standby && daemon->options->once ? ONCE_WATCH_MS : LEASE_CHECK_MS;
    int64_t left = daemon->is_standby ? daemon->holder.left_ms : -1;
    return clock_monotonic_ms() + (left >= 0 && left < wait ? left + 1 : wait);
}

/* A new lease makes a refresh due: this worker has just started, or another died, or Redis lost everything. */
static void lead(struct daemon *daemon)
{
    log_write(LOG_INFO, "leading", LOG_FIELDS(log_text("holder", daemon->lease.token)));
    daemon->refresh_due_ms = clock_monotonic_ms();
    daemon->is_asked = daemon->job != NULL; /* its result may be lost, or it is about to come to nothing */
}

/* Takes or renews the lease. */
static void tend_lease(struct daemon *daemon)
{
    struct lease_holder before = daemon->holder;
    struct error err;
    bool was_standby = daemon->is_standby;
    daemon->lease_check_ms = clock_monotonic_ms() + LEASE_CHECK_MS;
    if (lease_take(&daemon->lease, &daemon->holder, &err) != STATUS_OK) {
        lose_redis(daemon, &err);
        return;
    }
    if (daemon->redis_error[0] != '\0')
        log_write(LOG_INFO, "Redis can be used again", NULL);
    daemon->redis_error[0] = '\0';
    daemon->is_standby = !daemon->lease.is_held;
    daemon->lease_check_ms = next_look_ms(daemon);
    if (daemon->holder.is_new)
        lead(daemon);
    if (daemon->job != NULL && is_overtaken(daemon))
        interrupt_raise(&daemon->job->interrupt, STATUS_CONFLICT);
    /* --once does not listen: it would tell requesters to wait for a next refresh that never comes. */
    if (daemon->is_standby || daemon->options->once)
        requests_stop_listening(&daemon->requests);
    else
        listen_for_requests(daemon);
    if (daemon->is_standby && daemon->job == NULL)
        requests_forget(&daemon->requests);
    if (daemon->is_standby)
        meet_holder(daemon, &before, was_standby);
}

/* Reports the refresh's result to those who requested it and to /health. */
static void tell_outcome(struct daemon *daemon)
{
    const struct job *job = daemon->job;
    const char *word = job->status == STATUS_OK ? NULL : refresh_phase_word(job->outcome.phase);
    if (job->status != STATUS_CANCELLED) {
        daemon->failures = word == NULL ? 0 : daemon->failures + 1;
        report_store(&daemon->link, daemon->settings, daemon->failures, word == NULL ? "" : word,
                     word == NULL ? "" : job->err.message);
    }
    requests_end(&daemon->requests, job->outcome.published.generation, word);
}

static void end_job(struct daemon *daemon)
{
    struct job *job = daemon->job;
    job_join(job);
    enum status status = job->status;
    bool has_failed = status != STATUS_OK && status != STATUS_CANCELLED;
    job_log(job);
    if (has_failed && !daemon->options->once)
        tend_lease(daemon); /* it may have failed because another worker leads, who must then report */
    if (!has_failed || !is_overtaken(daemon))
        tell_outcome(daemon);
    else if (!daemon->is_standby)
        requests_requeue(&daemon->requests);
    daemon->job = NULL;
    job_free(job);
    plan_next(daemon, status);
    if (daemon->options->once) {
        daemon->exit_status = status == STATUS_OK ? EXIT_DONE : EXIT_FAILED;
        daemon->is_stopping = true;
    }
}

static void take_requests(struct daemon *daemon)
{
    struct error err;
    if (requests_take(&daemon->requests, &err) != STATUS_OK) {
        log_write(LOG_WARNING, "requests cannot be heard for a moment",
                  LOG_FIELDS(log_text("error", err.message)));
        daemon->lease_check_ms = clock_monotonic_ms(); /* this also listens again */
    }
    if (daemon->job == NULL && requests_are_waiting(&daemon->requests))
        daemon->refresh_due_ms = clock_monotonic_ms();
}

static void take_signal(struct daemon *daemon)
{
    struct signalfd_siginfo info;
    if (read(daemon->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP) {
        log_write(LOG_INFO, "asked for a refresh", LOG_FIELDS(log_text("by", "SIGHUP")));
        if (daemon->job != NULL)
            daemon->is_asked = true;
        else
            daemon->refresh_due_ms = clock_monotonic_ms();
        return;
    }
    log_write(LOG_INFO, "stopping", LOG_FIELDS(log_int("signal", info.ssi_signo)));
    daemon->is_stopping = true;
    if (daemon->options->once)
        daemon->exit_status = EXIT_FAILED;
    if (daemon->job != NULL)
        interrupt_raise(&daemon->job->interrupt, STATUS_CANCELLED);
}

static enum status begin_refresh(struct daemon *daemon, struct error *err)
{
    struct date_filter popular[POPULAR_BUCKETS];
    size_t popular_count = requests_begin(&daemon->requests, popular, POPULAR_BUCKETS);
    const struct refresh_request request = {.settings = daemon->settings,
                                            .lease_token = daemon->lease.token,
                                            .popular = popular,
                                            .popular_count = popular_count,
                                            .has_as_of = daemon->options->has_as_of,
                                            .as_of_wall_us = daemon->options->as_of_wall_us};
    return job_start(&daemon->job, &request, daemon->done_fd, err);
}

static void start_when_due(struct daemon *daemon)
{
    if (daemon->job != NULL || daemon->is_stopping || !daemon->lease.is_held ||
        clock_monotonic_ms() < daemon->refresh_due_ms)
        return;
    struct error err;
    if (begin_refresh(daemon, &err) == STATUS_OK)
        return;
    log_write(LOG_ERROR, "a refresh cannot begin", LOG_FIELDS(log_text("error", err.message)));
    requests_end(&daemon->requests, 0, "memory");
    daemon->failures++;
    daemon->refresh_due_ms = clock_monotonic_ms() + retry_wait_ms(daemon->failures);
}

/* Milliseconds until the next timed event. */
static int wait_ms(const struct daemon *daemon)
{
    if (daemon->is_stopping && daemon->job == NULL)
        return 0;
    int64_t next = daemon->lease_check_ms;
    if (daemon->lease.is_held && daemon->job == NULL && daemon->refresh_due_ms < next)
        next = daemon->refresh_due_ms;
    int64_t wait = next - clock_monotonic_ms();
    if (daemon->job != NULL && wait > DEADLINE_TICK_MS)
        wait = DEADLINE_TICK_MS;
    return wait > 0 ? (int)wait : 0;
}

static void step(struct daemon *daemon)
{
    uint64_t ended;
    if (clock_monotonic_ms() >= daemon->lease_check_ms)
        tend_lease(daemon);
    start_when_due(daemon);
    /* Only now: tending the lease may have opened or closed the requests' connection; poll skips -1. */
    struct pollfd fds[] = {{daemon->signal_fd, POLLIN, 0},
                           {daemon->done_fd, POLLIN, 0},
                           {requests_fd(&daemon->requests), POLLIN, 0}};
    if (poll(fds, sizeof fds / sizeof fds[0], wait_ms(daemon)) < 0 && errno != EINTR)
        return;
    if (fds[0].revents != 0)
        take_signal(daemon);
    if (fds[1].revents != 0 && read(daemon->done_fd, &ended, sizeof ended) == sizeof ended)
        end_job(daemon);
    if (fds[2].revents != 0)
        take_requests(daemon);
    if (daemon->job != NULL)
        interrupt_check_deadline(&daemon->job->interrupt, clock_monotonic_ms());
}

/* The signals are blocked before any thread exists, so that only the descriptor gets them. */
static enum status open_descriptors(struct daemon *daemon, struct error *err)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    int problem = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (problem != 0)
        return error_set(err, STATUS_UNAVAILABLE, "signals cannot be blocked: %s", strerror(problem));
    daemon->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    daemon->done_fd = eventfd(0, EFD_CLOEXEC);
    if (daemon->signal_fd >= 0 && daemon->done_fd >= 0)
        return STATUS_OK;
    return error_set(err, STATUS_UNAVAILABLE, "no descriptors for signals: %s", strerror(errno));
}

static void close_descriptors(struct daemon *daemon)
{
    if (daemon->done_fd >= 0)
        close(daemon->done_fd);
    if (daemon->signal_fd >= 0)
        close(daemon->signal_fd);
}

static void work_until_stopped(struct daemon *daemon)
{
    struct error err;
    daemon->refresh_due_ms = NEVER;
    daemon->lease_check_ms = clock_monotonic_ms();
    log_write(LOG_INFO, "started", LOG_FIELDS(log_text("version", program_version())));
    while (!daemon->is_stopping || daemon->job != NULL)
        step(daemon);
    if (daemon->lease.is_held)
        requests_give_up(&daemon->requests, "stopping"); /* else another worker learns of them */
    if (lease_release(&daemon->lease, &err) != STATUS_OK)
        log_write(LOG_WARNING, "the lease was not given back and runs out by itself",
                  LOG_FIELDS(log_text("error", err.message)));
    log_write(LOG_INFO, "stopped", NULL);
}

enum exit_status daemon_run(const struct settings *settings, const struct daemon_options *options)
{
    struct daemon daemon = {.settings = settings, .options = options, .signal_fd = -1, .done_fd = -1};
    struct error err;
    redis_link_init(&daemon.link, &settings->redis, settings->redis_timeout_ms);
    lease_init(&daemon.lease, &daemon.link, settings->redis_prefix, settings->lease_s * 1000);
    enum status status = requests_init(&daemon.requests, settings, &daemon.link, &err);
    if (status == STATUS_OK)
        status = open_descriptors(&daemon, &err);
    if (status == STATUS_OK) {
        work_until_stopped(&daemon);
    } else {
        log_write(LOG_ERROR, "cannot start", LOG_FIELDS(log_text("error", err.message)));
        daemon.exit_status = program_exit_status(status);
    }
    close_descriptors(&daemon);
    requests_clear(&daemon.requests);
    redis_link_close(&daemon.link);
    return daemon.exit_status;
}
