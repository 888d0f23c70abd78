/* worker/ask.h - `ecosys-worker --refresh`: asks the running daemon for a refresh and waits for its result. */
#ifndef ECOSYS_WORKER_ASK_H
#define ECOSYS_WORKER_ASK_H

#include "common/program/program.h"
#include "common/program/settings.h"

/* EXIT_DONE when a generation was published, EXIT_FAILED when the refresh failed or did not end in time. Without a
 * running daemon, the refresh is done in this process. */
enum exit_status ask_run(const struct settings *settings);

#endif
