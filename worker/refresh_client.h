/* worker/refresh_client.h - `ecosys-worker --refresh`: asks the running daemon for a refresh and waits for its
 * result. */
#ifndef ECOSYS_WORKER_REFRESH_CLIENT_H
#define ECOSYS_WORKER_REFRESH_CLIENT_H

#include "common/program/program.h"
#include "common/program/settings.h"

/* EXIT_DONE when a generation was published, EXIT_FAILED when the refresh failed or did not end in time. Without a
 * running daemon, the refresh is done in this process. */
enum exit_status refresh_client_run(const struct settings *settings);

#endif
