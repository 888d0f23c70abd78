/* common/redis_link.h - one blocking connection to Redis, as worker and API both need it: commands, replies, messages.
 * Its bytes go through redis_stream; both are a library of their own, the only part of common/ that opens a socket.
 * After any failure the connection is closed and the next call opens a new one. One thread at a time. */
#ifndef ECOSYS_COMMON_REDIS_LINK_H
#define ECOSYS_COMMON_REDIS_LINK_H

#include "common/buffer.h"
#include "common/bytes.h"
#include "common/redis_url.h"
#include "common/status.h"

struct redisReader;
struct redisReply;
struct redis_stream;

struct redis_link {
    const struct redis_address *address; /* not owned */
    int64_t timeout_ms;                  /* to connect, and to wait for each reply */
    struct redis_stream *stream;         /* NULL while not connected */
    struct redisReader *reader;          /* of the connection, makes replies of bytes */
    struct buffer unsent;                /* commands that were queued and not sent yet */
    size_t queued;                       /* commands whose replies were not taken yet */
    struct redisReply *message;          /* the one that was taken last */
};

void redis_link_init(struct redis_link *link, const struct redis_address *address, int64_t timeout_ms);
void redis_link_close(struct redis_link *link);

/* Closes a connection that Redis has ended since it was last used, so that the next command opens a new one instead of
 * failing. For connections that may have been idle for long, and not for those that listen. */
void redis_link_drop_if_ended(struct redis_link *link);

/* One command and its reply, on a connection that is made, and its database selected, when there is none, which the caller frees with redis_reply_free. An error reply is STATUS_UNAVAILABLE
 * with Redis's words; the connection stays open then. */
MUST_CHECK enum status redis_link_call(struct redis_link *link, const struct bytes *args, size_t count,
                                       struct redisReply **reply, struct error *err);

/* Pipelining: queue commands, then take as many replies, in order. An error reply leaves the others to be taken. */
MUST_CHECK enum status redis_link_queue(struct redis_link *link, const struct bytes *args, size_t count,
                                        struct error *err);
MUST_CHECK enum status redis_link_take(struct redis_link *link, struct redisReply **reply, struct error *err);

/* Publishes a text; *receivers, unless NULL, gets how many listened. */
MUST_CHECK enum status redis_link_publish(struct redis_link *link, const char *channel, struct bytes text,
                                          long long *receivers, struct error *err);

/* A connection that listens: subscribe once (closed if that fails), then wait for redis_link_fd to become readable (-1 while not connected),
 * read once, and take messages until there is none (*text without data). The text is valid until the next call. */
MUST_CHECK enum status redis_link_subscribe(struct redis_link *link, const char *channel, struct error *err);
int redis_link_fd(const struct redis_link *link);
MUST_CHECK enum status redis_link_read(struct redis_link *link, struct error *err);
MUST_CHECK enum status redis_link_next_message(struct redis_link *link, struct bytes *text,
                                               struct error *err);

/* What protects an open connection: "TLSv1.3", "TCP without TLS", "a Unix socket". */
const char *redis_link_protection(const struct redis_link *link);

void redis_reply_free(struct redisReply *reply);

/* The text of a string or status reply; no data for anything else, nil included. Valid until the reply is freed. */
struct bytes redis_reply_text(const struct redisReply *reply);

/* The number of an integer reply; 0 for anything else. */
long long redis_reply_int(const struct redisReply *reply);

/* The elements of an array reply; NULL behind the last one and for anything else. */
const struct redisReply *redis_reply_item(const struct redisReply *reply, size_t index);

#endif
