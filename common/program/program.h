/* common/program/program.h - start-up shared by both programs: read settings, set the time zone, start the log; and
 * what they print about themselves. Main thread only. */
#ifndef ECOSYS_COMMON_PROGRAM_PROGRAM_H
#define ECOSYS_COMMON_PROGRAM_PROGRAM_H

#include <stdio.h>

#include "common/program/settings.h"

/* Exit statuses, of every program and script. */
enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Exit status of a program that could not start for this reason. Only usage and configuration errors are 2, since a
 * supervisor does not restart those. `status` is not STATUS_OK. */
enum exit_status program_exit_status(enum status status);

/* Keeps the process's memory from other processes of the same user and out of core dumps (except in sanitizer builds).
 * Reads the file (`env_file`, or ./.env when NULL) and the environment, sets the time zone and starts the log.
 * STATUS_INVALID: usage or configuration; STATUS_UNAVAILABLE, STATUS_NO_MEMORY: the system refused something. */
MUST_CHECK enum status program_start(enum program program, const char *name, const char *env_file,
                                     struct arena *arena, struct settings *out, struct error *err);

/* Blocks SIGHUP from now on: the first thing a program does. A reload requested this early is handled once the program
 * waits for signals, instead of ending it. */
void program_hold_reload(void);

/* The same for all signals that a daemon handles: SIGHUP, SIGTERM and SIGINT. */
void program_hold_signals(void);

/* Unblocks SIGHUP, for a program that will not wait for signals, so that closing its terminal ends it. */
void program_release_reload(void);

/* The settings of `program` as --help shows them: name, default, meaning. */
void program_print_settings(FILE *out, enum program program);

/* "head: message" and a newline. Always one line: control characters in the message are shown as \u000a and the like,
 * as in the log. */
void program_print_line(FILE *out, const char *head, const char *message);

/* The same on standard error. */
void program_complain(const char *name, const char *message);

/* The version given to the build. */
const char *program_version(void);

#endif
