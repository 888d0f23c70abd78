/* api/http/connection.h - one client's connection: reads requests one after another, has them answered in order, keeps
 * to deadlines. Belongs to the clients of one event loop; only that loop's thread may touch it. */
#ifndef ECOSYS_API_HTTP_CONNECTION_H
#define ECOSYS_API_HTTP_CONNECTION_H

#include "api/http/clients.h"

struct sockaddr;

/* Takes over an accepted socket. If HTTP_CONNECTIONS are open, the connection that has been idle longest gives way; if
 * none has been idle for long, the new client is told so and sent away, and is not counted. */
void connection_new(struct clients *clients, int take_socket, const struct sockaddr *peer);

/* Whether a new connection would be served. */
bool connection_has_room(const struct clients *clients);

/* Goes on with a request whose answer is no longer pending, if its client is still there. */
void connection_resume(struct pending *take_pending);

/* Closes each connection that is idle; with clients->is_stopping set, the others close after the answer in progress. */
void connection_retire_all(struct clients *clients);

/* Closes all of them at once. */
void connection_free_all(struct clients *clients);

#endif
