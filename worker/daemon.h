/* worker/daemon.h - the worker's main loop: holds the lease, starts refreshes when they are due, handles signals. Main
 * thread only; each refresh runs in a thread of its own. */
#ifndef ECOSYS_WORKER_DAEMON_H
#define ECOSYS_WORKER_DAEMON_H

#include <stdbool.h>

#include "common/program/program.h"
#include "common/program/settings.h"

struct daemon_options {
    bool once; /* one refresh, then exit */
    bool has_as_of;
    int64_t as_of_wall_us;
    bool *is_beaten; /* with `once`, may be NULL: set if another worker leads, which is then no error */
};

/* Runs until SIGTERM or SIGINT or, with `once`, until its refresh has ended. SIGHUP makes a refresh due at once. A
 * refresh in progress is ended cleanly: nothing of it stays visible. */
enum exit_status daemon_run(const struct settings *settings, const struct daemon_options *options);

#endif
