/* api/http/wait.c - making, handing back and freeing waits. */
#include "api/http/wait.h"

#include <stdlib.h>

#include "api/loop.h"

struct wait *wait_new(struct loop *loop, struct connection *connection)
{
    struct wait *wait = calloc(1, sizeof *wait);
    if (wait != NULL) {
        wait->loop = loop;
        wait->connection = connection;
    }
    return wait;
}

void wait_done(struct wait *wait)
{
    loop_hand_back(wait->loop, wait);
}

void wait_fail(struct wait *wait, enum reply_error error)
{
    wait->has_failed = true;
    wait->error = error;
    wait_done(wait);
}

void wait_free(struct wait *wait)
{
    if (wait == NULL)
        return;
    body_unref(wait->body);
    free(wait);
}
