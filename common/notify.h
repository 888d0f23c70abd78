/* common/notify.h - tells systemd how far a program is (sd_notify), where there is one that wants to know: NOTIFY_SOCKET
 * in the environment. What could not be told is logged. Main thread only. */
#ifndef ECOSYS_COMMON_NOTIFY_H
#define ECOSYS_COMMON_NOTIFY_H

/* It serves: at the end of the start, and of each reload. */
void notify_ready(void);

/* A reload begins; notify_ready() is to follow, whatever becomes of it. */
void notify_reloading(void);

/* It will not serve again. */
void notify_stopping(void);

#endif
