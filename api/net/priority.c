/* api/net/priority.c - on Linux each thread has a nice value and a time slice of its own. */
#include "api/net/priority.h"

#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURN_NS 100000ull /* the shortest possible; the usual is about a millisecond */

void priority_give_way(enum share share)
{
    id_t thread = (id_t)gettid();
    setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + (int)share);
}

/* The C library has a wrapper only from 2.41 on. */
void priority_be_prompt(void)
{
    struct sched_attr attributes;
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
        return;
    attributes.sched_runtime = TURN_NS;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}
