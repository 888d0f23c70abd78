/* common/program/notify.c - notifications to systemd; separate from the domain because it opens a socket. */
#include "common/program/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "common/program/log.h"

static void tell(const char *state)
{
    int sent = sd_notify(0, state);
    if (sent < 0)
        log_write(LOG_WARNING, "systemd was not told",
                  LOG_FIELDS(log_text("state", state), log_text("error", strerror(-sent))));
}

void notify_ready(void)
{
    tell("READY=1");
}

/* The instant distinguishes the READY=1 of this reload from an earlier one. */
void notify_reloading(void)
{
    char state[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    tell(state);
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}
