/* api/http/connection.h - one client's connection: reads requests one after another, answers them in order, enforces
 * deadlines. Belongs to one event loop; only that loop's thread may touch it. */
#ifndef ECOSYS_API_HTTP_CONNECTION_H
#define ECOSYS_API_HTTP_CONNECTION_H

#include "api/loop.h"

struct sockaddr;

/* Takes over the socket, which has been counted in loop->shared. If `overloaded`, the loop's longest idle connection
 * gives way; if none has been idle for long, the new client is told so and sent away, and does not count. */
void connection_new(struct loop *loop, int socket, const struct sockaddr *peer, bool overloaded);

/* The connection of the loop that would give way to a new one. NULL: none has been idle for long. */
struct connection *connection_idlest(const struct loop *loop);

/* Continues a request whose wait is over, if its client is still there. Takes the wait. */
void connection_resume(struct wait *take_wait);

/* Closes each of the loop's connections once the answer in progress is sent; at once if it is idle. */
void connection_retire_all(struct loop *loop);

/* Closes all of them at once. */
void connection_free_all(struct loop *loop);

#endif
