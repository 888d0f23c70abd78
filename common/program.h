/* common/program.h - what both programs do before they do anything: read settings, set the zone, open the log; and
 * what they say of themselves. Main thread only. */
#ifndef ECOSYS_COMMON_PROGRAM_H
#define ECOSYS_COMMON_PROGRAM_H

#include <stdio.h>

#include "common/settings.h"

/* Exit statuses, of every program and script. */
enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What a program that could not start for this reason exits with: only usage and configuration are 2, since whoever
 * supervises it does not start those again. `status` is not STATUS_OK. */
enum exit_status program_exit_status(enum status status);

/* Keeps the process's memory from others of the same user and out of core dumps (but in builds for sanitizers). Reads the
 * file (`env_file`, or ./.env when NULL) and the environment, takes the zone into use and starts the log.
 * STATUS_INVALID: usage or configuration; STATUS_UNAVAILABLE, STATUS_NO_MEMORY: the system refuses something. */
MUST_CHECK enum status program_start(enum program program, const char *name, const char *env_file,
                                     struct arena *arena, struct settings *out, struct error *err);

/* Holds SIGHUP back from now on: the first thing a program does. Who asks for a reload that early is heard when the
 * program waits for signals, instead of ending it. */
void program_hold_reload(void);

/* The same for all signals that a daemon takes: SIGHUP, SIGTERM and SIGINT. */
void program_hold_signals(void);

/* For what a terminal may end by hanging up: a program that will not wait for signals. */
void program_release_reload(void);

/* The settings of `program` as --help shows them: name, default, meaning. */
void program_print_settings(FILE *out, enum program program);

/* "head: message" and a line end. One line, whatever is in the message: control characters are shown as \u000a and its
 * like, as in the log. */
void program_print_line(FILE *out, const char *head, const char *message);

/* That on standard error. */
void program_complain(const char *name, const char *message);

/* The version that the build was given. */
const char *program_version(void);

#endif
