/* api/connection.h - one client's connection: reads requests one after another, answers them in order, keeps time.
 * Belongs to one event loop; only that loop's thread may touch it. */
#ifndef ECOSYS_API_CONNECTION_H
#define ECOSYS_API_CONNECTION_H

#include "api/loop.h"

struct sockaddr;

/* Takes the socket, which was counted in loop->shared, over. With `overloaded` the connection of the loop that has waited
 * longest for its client gives way; when none has waited for long, the new client is told and sent away. */
void connection_new(struct loop *loop, int socket, const struct sockaddr *peer, bool overloaded);

/* What a request waited for is there: it goes on, if its client is still there. Takes the wait. */
void connection_resume(struct wait *take_wait);

/* Ends each connection of the loop as soon as what it was answering is sent; at once when it is idle. */
void connection_retire_all(struct loop *loop);

/* Ends each at once. */
void connection_free_all(struct loop *loop);

#endif
