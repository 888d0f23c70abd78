/* api/priority.c - Linux keeps a nice value for each thread. */
#include "api/priority.h"

#include <sys/resource.h>
#include <unistd.h>

#define GIVING_WAY 5 /* about a third of what an event loop gets while both want the same processor */

void priority_give_way(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), GIVING_WAY);
}
