/* worker/daemon.c - one loop that wires signals, requests, leadership and the schedule to the refresh that runs. */
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
#include "worker/leadership.h"
#include "worker/report.h"
#include "worker/requests.h"
#include "worker/schedule.h"

#define DEADLINE_TICK_MS 200 /* how often a running refresh's deadline is checked */

struct daemon {
    const struct settings *settings;
    const struct daemon_options *options;
    int signal_fd;
    int done_fd;
    struct redis_link link; /* for the lease, the report and messages; a refresh has its own */
    struct leadership leadership;
    struct schedule schedule;
    struct requests requests;
    struct job *job; /* NULL while no refresh is running */
    bool is_stopping;
    enum exit_status exit_status; /* of --once */
};

static void fail_once(struct daemon *daemon)
{
    daemon->exit_status = EXIT_FAILED;
    daemon->is_stopping = true;
}

/* --once gives up: another worker leads, and is alive. */
static void give_way(struct daemon *daemon)
{
    const struct lease_holder *holder = &daemon->leadership.holder;
    bool is_error = daemon->options->is_beaten == NULL;
    if (!is_error)
        *daemon->options->is_beaten = true;
    log_write(is_error ? LOG_ERROR : LOG_INFO, "another worker holds the lease",
              LOG_FIELDS(log_text("holder", holder->token), log_int("left_ms", holder->left_ms)));
    fail_once(daemon);
}

/* Whether the running refresh can no longer flip. */
static bool is_overtaken(const struct daemon *daemon)
{
    return leadership_is_lost_since(&daemon->leadership, daemon->job->lease_token);
}

/* Only a leader listens. --once does not: it would tell requesters to wait for a next refresh that never comes. */
static void listen_while_leading(struct daemon *daemon)
{
    if (daemon->leadership.is_standby || daemon->options->once)
        requests_stop_listening(&daemon->requests);
    else
        requests_listen(&daemon->requests);
    if (daemon->leadership.is_standby && daemon->job == NULL)
        requests_forget(&daemon->requests);
}

static void check_leadership(struct daemon *daemon)
{
    enum leadership_change change = leadership_check(&daemon->leadership);
    if (change == LEADERSHIP_UNREACHABLE) {
        /* A connection that died silently would never hear anything. */
        requests_stop_listening(&daemon->requests);
        if (daemon->options->once)
            fail_once(daemon);
        return;
    }
    /* Also during a refresh: its result may be lost, or can no longer be published. */
    if (change == LEADERSHIP_GAINED)
        schedule_request(&daemon->schedule, clock_monotonic_ms());
    if (daemon->job != NULL && is_overtaken(daemon))
        interrupt_raise(&daemon->job->interrupt, STATUS_CONFLICT);
    listen_while_leading(daemon);
    if (change == LEADERSHIP_REFUSED)
        give_way(daemon);
}

/* 0 when there is none. */
static uint32_t draw_random(void)
{
    uint32_t random;
    return getrandom(&random, sizeof random, 0) == sizeof random ? random : 0;
}

static void request_if_waiting(struct daemon *daemon)
{
    if (requests_are_waiting(&daemon->requests))
        schedule_request(&daemon->schedule, clock_monotonic_ms());
}

static enum refresh_result result_of(const struct daemon *daemon)
{
    enum status status = daemon->job->status;
    if (status == STATUS_OK)
        return REFRESH_SUCCEEDED;
    return status == STATUS_CANCELLED || is_overtaken(daemon) ? REFRESH_VOID : REFRESH_FAILED;
}

/* Tells the result to those who requested the refresh, and to /health; unless it was overtaken: then the new leader
 * serves those requests, and reports. */
static void tell_result(struct daemon *daemon, enum refresh_result result)
{
    const struct job *job = daemon->job;
    const char *word = job->status == STATUS_OK ? NULL : refresh_phase_word(job->outcome.phase);
    if (result == REFRESH_VOID && job->status != STATUS_CANCELLED) {
        if (!daemon->leadership.is_standby) /* we are that leader */
            requests_requeue(&daemon->requests);
        return;
    }
    if (result != REFRESH_VOID)
        report_store(&daemon->link, daemon->settings, daemon->schedule.failures, word == NULL ? "" : word,
                     word == NULL ? "" : job->err.message);
    requests_end(&daemon->requests, job->outcome.published.generation, word);
}

static void end_job(struct daemon *daemon)
{
    struct job *job = daemon->job;
    job_join(job);
    job_log(job);
    /* It may have failed because another worker leads, which must then report. */
    if (job->status != STATUS_OK && job->status != STATUS_CANCELLED && !daemon->options->once)
        check_leadership(daemon);
    enum refresh_result result = result_of(daemon);
    schedule_end(&daemon->schedule, result, clock_monotonic_ms(), draw_random());
    tell_result(daemon, result);
    daemon->job = NULL;
    job_free(job);
    request_if_waiting(daemon);
    if (daemon->options->once) {
        daemon->exit_status = result == REFRESH_SUCCEEDED ? EXIT_DONE : EXIT_FAILED;
        daemon->is_stopping = true;
    }
}

static void take_requests(struct daemon *daemon)
{
    struct error err;
    if (requests_take(&daemon->requests, &err) != STATUS_OK) {
        log_write(LOG_WARNING, "requests cannot be heard for a moment",
                  LOG_FIELDS(log_text("error", err.message)));
        leadership_check_soon(&daemon->leadership); /* which also subscribes again */
    }
    request_if_waiting(daemon);
}

static void take_signal(struct daemon *daemon)
{
    struct signalfd_siginfo info;
    if (read(daemon->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP) {
        log_write(LOG_INFO, "asked for a refresh", LOG_FIELDS(log_text("by", "SIGHUP")));
        schedule_request(&daemon->schedule, clock_monotonic_ms());
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
                                            .lease_token = daemon->leadership.lease.token,
                                            .popular = popular,
                                            .popular_count = popular_count,
                                            .has_as_of = daemon->options->has_as_of,
                                            .as_of_wall_us = daemon->options->as_of_wall_us};
    schedule_begin(&daemon->schedule);
    return job_start(&daemon->job, &request, daemon->done_fd, err);
}

static void start_when_due(struct daemon *daemon)
{
    if (daemon->job != NULL || daemon->is_stopping || !leadership_is_held(&daemon->leadership) ||
        !schedule_is_due(&daemon->schedule, clock_monotonic_ms()))
        return;
    struct error err;
    if (begin_refresh(daemon, &err) == STATUS_OK)
        return;
    log_write(LOG_ERROR, "a refresh cannot begin", LOG_FIELDS(log_text("error", err.message)));
    requests_end(&daemon->requests, 0, "memory");
    schedule_end(&daemon->schedule, REFRESH_FAILED, clock_monotonic_ms(), draw_random());
}

/* Milliseconds until the next timed event. */
static int wait_ms(const struct daemon *daemon)
{
    if (daemon->is_stopping && daemon->job == NULL)
        return 0;
    int64_t next = daemon->leadership.check_ms;
    if (leadership_is_held(&daemon->leadership) && daemon->job == NULL && daemon->schedule.due_ms < next)
        next = daemon->schedule.due_ms;
    int64_t wait = next - clock_monotonic_ms();
    if (daemon->job != NULL && wait > DEADLINE_TICK_MS)
        wait = DEADLINE_TICK_MS;
    return wait > 0 ? (int)wait : 0;
}

static void step(struct daemon *daemon)
{
    uint64_t ended;
    if (leadership_is_due(&daemon->leadership))
        check_leadership(daemon);
    start_when_due(daemon);
    /* Only now: checking may have opened or closed the requests' connection; poll skips -1. */
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
    log_write(LOG_INFO, "started", LOG_FIELDS(log_text("version", program_version())));
    while (!daemon->is_stopping || daemon->job != NULL)
        step(daemon);
    if (leadership_is_held(&daemon->leadership))
        requests_give_up(&daemon->requests, "stopping"); /* otherwise another worker serves them */
    leadership_resign(&daemon->leadership);
    log_write(LOG_INFO, "stopped", NULL);
}

enum exit_status daemon_run(const struct settings *settings, const struct daemon_options *options)
{
    struct daemon daemon = {.settings = settings, .options = options, .signal_fd = -1, .done_fd = -1};
    struct error err;
    redis_link_init(&daemon.link, &settings->redis, settings->redis_timeout_ms);
    leadership_init(&daemon.leadership, &daemon.link, settings, options->once, clock_monotonic_ms);
    schedule_init(&daemon.schedule, settings_refresh_interval_s(settings));
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
