/* worker/main.c - ecosys-worker: the command line, then the daemon, one refresh, or a check. */
#include <getopt.h>
#include <mysql.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/domain/date.h"
#include "common/program/notify.h"
#include "common/program/program.h"
#include "worker/check.h"
#include "worker/daemon.h"
#include "worker/refresh_client.h"

static const char NAME[] = "ecosys-worker";

static const char USAGE[] =
    "usage: ecosys-worker [--once [--as-of 'YYYY-MM-DD HH:MM:SS'] | --refresh | --check] [--env-file FILE]\n"
    "\n"
    "Snapshots PostgreSQL (Kommo CRM) and MySQL (EcoSys), computes health scores and KPIs and publishes them "
    "to\n"
    "Redis as a generation: at start, then every interval, on SIGHUP, and when asked.\n"
    "\n"
    "  --once           one refresh in this process; exit 0 only when a generation was published\n"
    "  --as-of INSTANT  with --once: the reference instant in TZ instead of now\n"
    "  --refresh        asks the running daemon for a refresh and waits for its result; does it itself when "
    "there is none\n"
    "  --check          tries settings and connections, says each in a line, changes nothing\n"
    "  --env-file FILE  settings that the environment does not have (default: ./.env where it exists)\n"
    "  --help           this text\n"
    "  --version        the version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or configuration.\n";

struct command_line {
    struct daemon_options options;
    bool refresh;
    bool check;
    const char *env_file;
};

static enum status parse_as_of(const char *text, struct daemon_options *out, struct error *err)
{
    struct timestamp as_of;
    int32_t offset_s;
    size_t len = strlen(text);
    if (len != sizeof "YYYY-MM-DD HH:MM:SS" - 1 || !timestamp_parse(bytes_of(text), &as_of, &offset_s))
        return error_set(err, STATUS_INVALID, "--as-of: is \"%.40s\", takes 'YYYY-MM-DD HH:MM:SS'", text);
    out->has_as_of = true;
    out->as_of_wall_us = as_of.wall_us;
    return STATUS_OK;
}

enum flag { FLAG_ONCE = 1, FLAG_AS_OF, FLAG_REFRESH, FLAG_CHECK, FLAG_ENV_FILE, FLAG_HELP, FLAG_VERSION };

static const struct option FLAGS[] = {
    {"once", no_argument, NULL, FLAG_ONCE},
    {"as-of", required_argument, NULL, FLAG_AS_OF},
    {"refresh", no_argument, NULL, FLAG_REFRESH},
    {"check", no_argument, NULL, FLAG_CHECK},
    {"env-file", required_argument, NULL, FLAG_ENV_FILE},
    {"help", no_argument, NULL, FLAG_HELP},
    {"version", no_argument, NULL, FLAG_VERSION},
    {NULL, 0, NULL, 0},
};

_Noreturn static void print_and_exit(enum flag flag)
{
    if (flag == FLAG_HELP) {
        fputs(USAGE, stdout);
        program_print_settings(stdout, PROGRAM_WORKER);
    } else {
        printf("%s %s\n", NAME, program_version());
    }
    exit(EXIT_DONE);
}

static enum status parse_command_line(int argc, char **argv, struct command_line *out, struct error *err)
{
    int flag;
    while ((flag = getopt_long(argc, argv, "", FLAGS, NULL)) != -1) {
        switch (flag) {
        case FLAG_ONCE:
            out->options.once = true;
            break;
        case FLAG_AS_OF:
            if (parse_as_of(optarg, &out->options, err) != STATUS_OK)
                return err->code;
            break;
        case FLAG_REFRESH:
            out->refresh = true;
            break;
        case FLAG_CHECK:
            out->check = true;
            break;
        case FLAG_ENV_FILE:
            out->env_file = optarg;
            break;
        case FLAG_HELP:
        case FLAG_VERSION:
            print_and_exit((enum flag)flag);
        default: /* getopt_long has printed the error */
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc)
        return error_set(err, STATUS_INVALID, "\"%.60s\" is no flag; see --help", argv[optind]);
    if (out->options.has_as_of && !out->options.once)
        return error_set(err, STATUS_INVALID, "--as-of goes with --once");
    if (out->check + out->refresh + out->options.once > 1)
        return error_set(err, STATUS_INVALID, "--once, --refresh and --check exclude one another");
    return STATUS_OK;
}

/* Signals that arrive from here on are held until the daemon's loop takes them, so it can already be reported as
 * ready. */
static enum exit_status serve(const struct settings *settings, const struct daemon_options *options)
{
    program_hold_signals();
    notify_ready();
    enum exit_status exit_status = daemon_run(settings, options);
    notify_stopping();
    return exit_status;
}

static enum exit_status run(const struct command_line *command_line, const struct settings *settings)
{
    if (command_line->check || command_line->refresh)
        program_release_reload();
    if (command_line->check)
        return check_run(settings);
    if (command_line->refresh)
        return refresh_client_run(settings);
    return command_line->options.once ? daemon_run(settings, &command_line->options)
                                      : serve(settings, &command_line->options);
}

int main(int argc, char **argv)
{
    struct command_line command_line = {.env_file = NULL};
    struct settings settings;
    struct arena arena;
    struct error err;
    program_hold_reload();
    arena_init(&arena);
    if (parse_command_line(argc, argv, &command_line, &err) != STATUS_OK ||
        program_start(PROGRAM_WORKER, NAME, command_line.env_file, &arena, &settings, &err) != STATUS_OK) {
        program_complain(NAME, err.message);
        arena_clear(&arena);
        return (int)program_exit_status(err.code);
    }
    mysql_library_init(0, NULL, NULL);
    enum exit_status exit_status = run(&command_line, &settings);
    mysql_library_end();
    arena_clear(&arena);
    return (int)exit_status;
}
