/* worker/check.h - `ecosys-worker --check`: tries every connection and says each in a line; changes nothing. */
#ifndef ECOSYS_WORKER_CHECK_H
#define ECOSYS_WORKER_CHECK_H

#include "common/program.h"
#include "common/settings.h"

/* Lines on standard output; EXIT_FAILED when any of them is not ok. */
enum exit_status check_run(const struct settings *settings);

#endif
