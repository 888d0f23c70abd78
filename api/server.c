/* api/server.c - starts threads in order, waits for a signal, stops them in reverse. */
#include "api/server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/data/follower.h"
#include "api/data/logins.h"
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
    struct shared shared;
    const char *env_file; /* NULL: ./.env */
    struct users *users;  /* a reference to the newest ones */
    struct loop *loops;
    size_t loops_count;   /* initialised ones */
    size_t running_count; /* ones with a thread */
    struct follower follower;
    struct pool makers;
    struct pool fetchers;
    struct fetcher fetcher_contexts[FETCHERS];
};

/* In the follower's thread. */
static void tell_loops(void *context, struct generation *generation, const struct outlook *outlook)
{
    struct server *server = context;
    newest_set(&server->shared.newest, generation, outlook);
    for (size_t i = 0; i < server->loops_count; i++)
        loop_ring(&server->loops[i]);
}

/* In the follower's thread. */
static bool is_served_by_all(void *context, uint64_t generation)
{
    const struct server *server = context;
    for (size_t i = 0; i < server->loops_count; i++)
        if (atomic_load(&server->loops[i].served) != generation)
            return false;
    return true;
}

static size_t count_threads(const struct settings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (settings->api_threads > 0)
        return (size_t)settings->api_threads;
    return cores > 0 ? (size_t)cores : 1;
}

static enum status open_loops(struct server *server, struct error *err)
{
    size_t count = count_threads(server->shared.settings);
    server->loops = calloc(count, sizeof *server->loops);
    if (server->loops == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        enum status status = loop_init(&server->loops[i], &server->shared, server->users, err);
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
    const struct settings *settings = server->shared.settings;
    void *contexts[FETCHERS];
    for (size_t i = 0; i < FETCHERS; i++) {
        struct fetcher *fetcher = &server->fetcher_contexts[i];
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
    if (auth_start(server->shared.auth, settings, err) != STATUS_OK) {
        pool_stop(&server->fetchers);
        pool_stop(&server->makers);
        return err->code;
    }
    server->shared.makers = &server->makers;
    server->shared.fetchers = &server->fetchers;
    return STATUS_OK;
}

static void stop_pools(struct server *server)
{
    auth_stop(server->shared.auth);
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
    return auth_load_users(server->shared.auth, &settings, server->users, out, err);
}

/* Verifications in progress finish with the users with which they began. */
static void reload_users(struct server *server)
{
    struct arena arena;
    struct users *users, *old = server->users;
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
    server->users = users;
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
            auth_report(server->shared.auth);
    }
}

static enum status run_loops(struct server *server, const sigset_t *signals, struct error *err)
{
    enum status status = start_loops(server, err);
    if (status == STATUS_OK) {
        log_write(LOG_INFO, "listening",
                  LOG_FIELDS(log_text("host", server->shared.settings->host),
                             log_int("port", server->shared.settings->port),
                             log_int("threads", (int64_t)server->loops_count)));
        log_users(server->users);
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
    const struct follower_client client = {server, tell_loops, is_served_by_all};
    server->shared.follower = &server->follower;
    enum status status = follower_start(&server->follower, server->shared.settings, &client,
                                        &server->shared.asked, &server->shared.room, err);
    if (status == STATUS_OK)
        status = run_loops(server, signals, err);
    stop_pools(server);
    return status;
}

enum exit_status server_run(const struct settings *settings, const char *env_file, struct auth *auth,
                            struct users *take_users)
{
    struct server server = {
        .shared = {.settings = settings, .auth = auth}, .env_file = env_file, .users = take_users};
    sigset_t signals;
    struct error err;
    atomic_init(&server.shared.connections, 0);
    server.shared.room.kept_max = (size_t)settings->cache_memory;
    server.shared.room.unkept_max = (size_t)settings->send_memory;
    server.shared.room.wait_max_ms = settings->compute_timeout_s * 1000;
    make_room_for_descriptors(settings);
    asked_init(&server.shared.asked);
    newest_init(&server.shared.newest);
    block_signals(&signals);
    log_write(LOG_INFO, "started", LOG_FIELDS(log_text("version", program_version())));
    enum status status = serve(&server, &signals, &err);
    for (size_t i = 0; i < server.loops_count; i++)
        loop_clear(&server.loops[i]);
    free(server.loops);
    newest_clear(&server.shared.newest);
    asked_clear(&server.shared.asked);
    auth_report(auth);
    users_unref(server.users);
    if (status == STATUS_OK) {
        log_write(LOG_INFO, "stopped", NULL);
        return EXIT_DONE;
    }
    log_write(LOG_ERROR, "cannot start", LOG_FIELDS(log_text("error", err.message)));
    return program_exit_status(status);
}
