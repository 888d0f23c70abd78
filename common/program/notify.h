/* common/program/notify.h - tells systemd the state of a program (sd_notify), if NOTIFY_SOCKET is in the environment.
 * Failures are logged. Main thread only. */
#ifndef ECOSYS_COMMON_PROGRAM_NOTIFY_H
#define ECOSYS_COMMON_PROGRAM_NOTIFY_H

/* The program is serving: called at the end of start-up and of each reload. */
void notify_ready(void);

/* A reload begins; notify_ready() must follow, whatever its outcome. */
void notify_reloading(void);

/* The program is stopping and will not serve again. */
void notify_stopping(void);

#endif
