/* common/program/program.c - start-up shared by worker and API. */
#include "common/program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/program/zone.h"

/* Otherwise the numbers of closed standard descriptors would be given to files and sockets opened later, and the log
 * would be written into one of those. */
static void keep_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Passwords are in memory and in the environment. Sanitizers inspect the process from outside, so their builds skip
 * this. */
static enum status hide_memory(struct error *err)
{
#ifdef ECOSYS_HIDES_MEMORY
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return error_set(err, STATUS_UNAVAILABLE, "memory cannot be kept from other processes: %s",
                         strerror(errno));
#else
    (void)err;
#endif
    return STATUS_OK;
}

enum status program_start(enum program program, const char *name, const char *env_file, struct arena *arena,
                          struct settings *out, struct error *err)
{
    struct dotenv file;
    keep_standard_descriptors();
    if (hide_memory(err) != STATUS_OK || settings_read_file(arena, env_file, &file, err) != STATUS_OK ||
        settings_load(arena, program, settings_environment, &file, out, err) != STATUS_OK)
        return err->code;
    zone_use(out->zone);
    signal(SIGPIPE, SIG_IGN); /* writing to a closed connection is an error like any other */
    signal(SIGXFSZ, SIG_IGN); /* as is exceeding the file size limit */
    log_start(name, (enum log_level)out->log_level, (enum log_format)out->log_format);
    if (file.unreadable_count > 0)
        log_write(LOG_WARNING, "lines of the settings file are no assignments and were skipped",
                  LOG_FIELDS(log_int("lines", (int64_t)file.unreadable_count),
                             log_int("first_line", (int64_t)file.unreadable_line)));
    return STATUS_OK;
}

static void set_held(int how, bool stops_too)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    if (stops_too) {
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
    }
    pthread_sigmask(how, &signals, NULL); /* fails only for an unknown `how` */
}

void program_hold_reload(void)
{
    set_held(SIG_BLOCK, false);
}

void program_hold_signals(void)
{
    set_held(SIG_BLOCK, true);
}

void program_release_reload(void)
{
    set_held(SIG_UNBLOCK, false);
}

void program_print_settings(FILE *out, enum program program)
{
    const struct setting *setting;
    fputs("\nSettings, from the environment or else the file:\n", out);
    for (size_t i = 0; (setting = settings_row(i)) != NULL; i++) {
        if ((setting->programs & program) == 0)
            continue;
        const char *fallback = setting->fallback == NULL ? "" : setting->fallback;
        const char *required = (setting->required_by & program) != 0 ? " (required)" : "";
        fprintf(out, "  %-24s %s%s%s%s%s\n", setting->name, setting->help, required,
                fallback[0] != '\0' ? " [" : "", fallback, fallback[0] != '\0' ? "]" : "");
    }
}

enum exit_status program_exit_status(enum status status)
{
    return status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

void program_print_line(FILE *out, const char *head, const char *message)
{
    fprintf(out, "%s: ", head);
    for (const char *at = message; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)*at);
        else
            putc(*at, out);
    putc('\n', out);
}

void program_complain(const char *name, const char *message)
{
    program_print_line(stderr, name, message);
}

const char *program_version(void)
{
    return ECOSYS_VERSION;
}
