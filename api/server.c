/* api/server.c - starts threads in order, waits for signals (SIGHUP: reads the users again), stops them in reverse. */
#include "api/server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/loop.h"
#include "common/program/log.h"
#include "common/program/notify.h"

/* Threads that fetch logins from Redis. */
#define FETCHERS 2

/* Descriptors besides those of connections. */
#define SPARE_DESCRIPTORS 128

/* How often refused credentials are logged. */
#define REPORT_EVERY_S 60

struct server {
    struct service service; /* what each loop starts with; its users are a reference to the newest ones */
    const char *env_file;   /* NULL: ./.env */
    struct loop *loops;
    size_t loops_count;       /* initialised ones */
    size_t running_count;     /* ones with a thread */
    atomic_llong connections; /* open ones that were not refused, in all loops */
    struct current current;
    struct follower follower;
    struct popular_filters filters;
    struct workshop workshop;
    struct pool makers;
    struct pool fetchers;
    struct login_fetcher fetcher_contexts[FETCHERS];
};

static size_t count_threads(const struct settings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (settings->api_threads > 0)
        return (size_t)settings->api_threads;
    return cores > 0 ? (size_t)cores : 1;
}

static enum status open_loops(struct server *server, struct error *err)
{
    size_t count = count_threads(server->service.settings);
    server->loops = calloc(count, sizeof *server->loops);
    if (server->loops == NULL)
        return error_no_memory(err);
    bool port_is_ours = false;
    for (size_t i = 0; i < count; i++) {
        enum status status =
            loop_init(&server->loops[i], &server->service, &server->connections, &port_is_ours, err);
        server->loops_count++;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status start_loops(struct server *server, struct error *err)
{
    for (; server->running_count < server->loops_count; server->running_count++)
        if (loop_start(&server->loops[server->running_count], err) != STATUS_OK)
            return err->code;
    return STATUS_OK;
}

/* The follower stops in between, so that whoever waits for a refresh is answered. */
static void stop_all(struct server *server)
{
    for (size_t i = 0; i < server->running_count; i++)
        loop_stop(&server->loops[i]);
    follower_stop(&server->follower);
    for (size_t i = 0; i < server->running_count; i++)
        loop_join(&server->loops[i]);
    follower_clear(&server->follower);
}

/* The signals are blocked before any thread exists, so that only sigtimedwait gets them. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static void raise_descriptor_limit(struct rlimit limit, rlim_t wanted)
{
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_write(LOG_WARNING,
                  "fewer connections than HTTP_CONNECTIONS can be open: raise the limit of open files",
                  LOG_FIELDS(log_int("limit", (int64_t)limit.rlim_cur), log_int("wanted", (int64_t)wanted)));
}

/* A descriptor for each connection and some for everything else, as far as the system lets us. Once a process has
 * threads, the kernel can grow its table of descriptors only after all processors have let go of it, and accept takes
 * 15 to 20 ms at the 257th, the 513th and so on. So the table is grown before there are any threads. */
static void make_room_for_descriptors(const struct settings *settings)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)settings->connections_max + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
        raise_descriptor_limit(limit, wanted);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    int last = (int)(wanted < limit.rlim_cur ? wanted : limit.rlim_cur) - 1;
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, last);
    if (fd >= 0)
        close(fd);
}

static enum status start_pools(struct server *server, struct error *err)
{
    const struct settings *settings = server->service.settings;
    void *contexts[FETCHERS];
    for (size_t i = 0; i < FETCHERS; i++) {
        struct login_fetcher *fetcher = &server->fetcher_contexts[i];
        redis_link_init(&fetcher->link, &settings->redis, settings->redis_timeout_ms);
        fetcher->prefix = settings->redis_prefix;
        contexts[i] = fetcher;
    }
    size_t queue = (size_t)settings->compute_queue;
    if (pool_start(&server->makers, count_threads(settings), SHARE_TWENTIETH, NULL, queue, err) != STATUS_OK)
        return err->code;
    if (pool_start(&server->fetchers, FETCHERS, SHARE_THIRD, contexts, queue, err) != STATUS_OK) {
        pool_stop(&server->makers);
        return err->code;
    }
    if (auth_start(server->service.auth, settings, err) != STATUS_OK) {
        pool_stop(&server->fetchers);
        pool_stop(&server->makers);
        return err->code;
    }
    return STATUS_OK;
}

static void stop_pools(struct server *server)
{
    auth_stop(server->service.auth);
    pool_stop(&server->fetchers);
    pool_stop(&server->makers);
    for (size_t i = 0; i < FETCHERS; i++)
        redis_link_close(&server->fetcher_contexts[i].link);
}

static void log_users(const struct users *users)
{
    log_write(LOG_INFO, "users taken",
              LOG_FIELDS(log_int("users", (int64_t)users->count),
                         log_int("hashed", (int64_t)users->hashed_count),
                         log_int("readonly", (int64_t)users->readonly_count)));
}

static enum status read_users(const struct server *server, struct arena *arena, struct users **out,
                              struct error *err)
{
    struct dotenv file;
    struct settings settings;
    if (settings_read_file(arena, server->env_file, &file, err) != STATUS_OK ||
        settings_load(arena, PROGRAM_API, settings_environment, &file, &settings, err) != STATUS_OK)
        return err->code;
    return auth_load_users(server->service.auth, &settings, server->service.users, out, err);
}

/* Verifications in progress finish with the users with which they began. */
static void reload_users(struct server *server)
{
    struct arena arena;
    struct users *users, *old = server->service.users;
    struct error err;
    arena_init(&arena);
    enum status status = read_users(server, &arena, &users, &err);
    arena_clear(&arena);
    if (status != STATUS_OK) {
        log_write(LOG_ERROR, "users were not read again; the old ones stay",
                  LOG_FIELDS(log_text("error", err.message)));
        return;
    }
    if (settings_environment("BASIC_AUTH_USERS") != NULL)
        log_write(LOG_WARNING,
                  "BASIC_AUTH_USERS comes from the environment, which does not change before a restart",
                  NULL);
    server->service.users = users;
    for (size_t i = 0; i < server->loops_count; i++)
        loop_tell_users(&server->loops[i], users);
    users_unref(old);
    log_users(users);
}

/* Reports now and then, and reads the users again on SIGHUP, until a signal to stop comes, which it returns. */
static int await_stop(struct server *server, const sigset_t *signals)
{
    const struct timespec pause = {REPORT_EVERY_S, 0};
    for (;;) {
        int signal_number = sigtimedwait(signals, NULL, &pause);
        if (signal_number == SIGHUP) {
            notify_reloading();
            reload_users(server);
            notify_ready();
        } else if (signal_number > 0)
            return signal_number;
        else if (errno == EAGAIN)
            auth_report(server->service.auth);
    }
}

static enum status run_loops(struct server *server, const sigset_t *signals, struct error *err)
{
    enum status status = start_loops(server, err);
    if (status == STATUS_OK) {
        log_write(LOG_INFO, "listening",
                  LOG_FIELDS(log_text("host", server->service.settings->host),
                             log_int("port", server->service.settings->port),
                             log_int("threads", (int64_t)server->loops_count)));
        log_users(server->service.users);
        notify_ready();
        int signal_number = await_stop(server, signals);
        notify_stopping();
        log_write(LOG_INFO, "stopping", LOG_FIELDS(log_int("signal", signal_number)));
    }
    stop_all(server);
    return status;
}

static enum status serve(struct server *server, const sigset_t *signals, struct error *err)
{
    if (open_loops(server, err) != STATUS_OK || start_pools(server, err) != STATUS_OK)
        return err->code;
    enum status status = follower_start(&server->follower, server->service.settings, &server->current,
                                        &server->filters, &server->workshop, err);
    if (status == STATUS_OK)
        status = run_loops(server, signals, err);
    stop_pools(server);
    return status;
}

static void init(struct server *server, const struct settings *settings)
{
    atomic_init(&server->connections, 0);
    current_init(&server->current);
    popular_filters_init(&server->filters);
    server->workshop = (struct workshop){.makers = &server->makers,
                                         .fetchers = &server->fetchers,
                                         .kept_max = (size_t)settings->cache_memory,
                                         .unkept_max = (size_t)settings->send_memory,
                                         .wait_max_ms = settings->compute_timeout_s * 1000};
    server->service.current = &server->current;
    server->service.workshop = &server->workshop;
    server->service.follower = &server->follower;
    server->service.filters = &server->filters;
}

static void clear(struct server *server)
{
    for (size_t i = 0; i < server->loops_count; i++)
        loop_clear(&server->loops[i]);
    free(server->loops);
    current_clear(&server->current);
    popular_filters_clear(&server->filters);
    users_unref(server->service.users);
}

enum exit_status server_run(const struct settings *settings, const char *env_file, struct auth *auth,
                            struct users *take_users)
{
    struct server server = {.service = {.settings = settings, .auth = auth, .users = take_users},
                            .env_file = env_file};
    sigset_t signals;
    struct error err;
    init(&server, settings);
    make_room_for_descriptors(settings);
    block_signals(&signals);
    log_write(LOG_INFO, "started", LOG_FIELDS(log_text("version", program_version())));
    enum status status = serve(&server, &signals, &err);
    clear(&server);
    auth_report(auth);
    if (status == STATUS_OK) {
        log_write(LOG_INFO, "stopped", NULL);
        return EXIT_DONE;
    }
    log_write(LOG_ERROR, "cannot start", LOG_FIELDS(log_text("error", err.message)));
    return program_exit_status(status);
}
