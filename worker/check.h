/* worker/check.h - `ecosys-worker --check`: tries every connection and prints a line for each; changes nothing. */
#ifndef ECOSYS_WORKER_CHECK_H
#define ECOSYS_WORKER_CHECK_H

#include "common/program/program.h"
#include "common/program/settings.h"

/* Prints to standard output; EXIT_FAILED when any line is not ok. */
enum exit_status check_run(const struct settings *settings);

#endif
