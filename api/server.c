/* api/server.c - starts threads in order, waits for a signal, stops them in reverse. */
#include "api/server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/follower.h"
#include "api/loop.h"
#include "common/log.h"

struct server {
    struct shared shared;
    struct loop *loops;
    size_t loops_count;   /* initialised ones */
    size_t running_count; /* ones with a thread */
    struct follower follower;
};

/* In the follower's thread. */
static void tell_loops(void *context, struct generation *generation, const struct outlook *outlook)
{
    struct server *server = context;
    for (size_t i = 0; i < server->loops_count; i++)
        loop_tell(&server->loops[i], generation, outlook);
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
        enum status status = loop_init(&server->loops[i], &server->shared, err);
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

static void stop_loops(struct server *server)
{
    for (size_t i = 0; i < server->running_count; i++)
        loop_stop(&server->loops[i]);
    for (size_t i = 0; i < server->running_count; i++)
        loop_join(&server->loops[i]);
}

/* The signals are blocked before any thread exists, so that only sigwait gets them. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static enum status serve(struct server *server, const sigset_t *signals, struct error *err)
{
    int signal_number = 0;
    if (open_loops(server, err) != STATUS_OK ||
        follower_start(&server->follower, server->shared.settings, tell_loops, server, err) != STATUS_OK)
        return err->code;
    enum status status = start_loops(server, err);
    if (status == STATUS_OK) {
        log_write(LOG_INFO, "listening",
                  LOG_FIELDS(log_text("host", server->shared.settings->host),
                             log_int("port", server->shared.settings->port),
                             log_int("threads", (int64_t)server->loops_count)));
        sigwait(signals, &signal_number);
        log_write(LOG_INFO, "stopping", LOG_FIELDS(log_int("signal", signal_number)));
    }
    stop_loops(server);
    follower_stop(&server->follower);
    return status;
}

enum exit_status server_run(const struct settings *settings, const struct auth *auth)
{
    struct server server = {.shared = {.settings = settings, .auth = auth}};
    sigset_t signals;
    struct error err;
    atomic_init(&server.shared.connections, 0);
    block_signals(&signals);
    log_write(LOG_INFO, "started", LOG_FIELDS(log_text("version", program_version())));
    enum status status = serve(&server, &signals, &err);
    for (size_t i = 0; i < server.loops_count; i++)
        loop_clear(&server.loops[i]);
    free(server.loops);
    if (status == STATUS_OK) {
        log_write(LOG_INFO, "stopped", NULL);
        return EXIT_DONE;
    }
    program_complain("ecosys-api", err.message);
    return status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
}
