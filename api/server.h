/* api/server.h - all event loops of the process and the follower that feeds them. Main thread only. */
#ifndef ECOSYS_API_SERVER_H
#define ECOSYS_API_SERVER_H

#include "api/auth/auth.h"
#include "common/program/program.h"

/* Serves until SIGTERM or SIGINT; requests in progress are still answered, for SHUTDOWN_TIMEOUT at most. SIGHUP reads
 * the users again, from the environment and `env_file` (NULL: ./.env) as at the start. EXIT_USAGE: HOST is no name or
 * address; EXIT_FAILED: it cannot be resolved at the moment, or the port is taken. Takes the users. */
enum exit_status server_run(const struct settings *settings, const char *env_file, struct auth *auth,
                            struct users *take_users);

#endif
