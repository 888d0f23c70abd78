/* common/redis/redis_link.h - one blocking connection to Redis, as worker and API both need it: commands, replies,
 * messages. Its bytes go through redis_stream; the two are a separate library, the only part of common/ that connects
 * to a server. After any failure the connection is closed and the next call opens a new one. One thread at a time. */
#ifndef ECOSYS_COMMON_REDIS_REDIS_LINK_H
#define ECOSYS_COMMON_REDIS_REDIS_LINK_H

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/redis/redis_url.h"

struct redisReader;
struct redisReply;
struct redis_stream;

struct redis_link {
    const struct redis_address *address; /* not owned */
    int64_t timeout_ms;                  /* to connect, and to wait for each reply */
    struct redis_stream *stream;         /* NULL while not connected */
    struct redisReader *reader;          /* of this connection; parses bytes into replies */
    struct buffer unsent;                /* commands queued but not yet sent */
    size_t queued;                       /* commands whose replies have not been taken yet */
    struct redisReply *message;          /* the one taken last */
};

void redis_link_init(struct redis_link *link, const struct redis_address *address, int64_t timeout_ms);
void redis_link_close(struct redis_link *link);

/* Closes a connection that Redis has ended since it was last used, so that the next command opens a new one instead of
 * failing. For connections that may have been idle for a long time; not for listening ones. */
void redis_link_drop_if_ended(struct redis_link *link);

/* Sends one command and returns its reply, connecting and selecting the database first if there is no connection. The
 * caller frees the reply with redis_reply_free. An error reply is STATUS_UNAVAILABLE with Redis's message; the
 * connection then stays open. */
MUST_CHECK enum status redis_link_call(struct redis_link *link, const struct bytes *args, size_t count,
                                       struct redisReply **reply, struct error *err);

/* Pipelining: queue commands, then take as many replies, in order. After an error reply the others can still be
 * taken. */
MUST_CHECK enum status redis_link_queue(struct redis_link *link, const struct bytes *args, size_t count,
                                        struct error *err);
MUST_CHECK enum status redis_link_take(struct redis_link *link, struct redisReply **reply, struct error *err);

/* Publishes a text; *receivers, unless NULL, is set to the number of subscribers that received it. */
MUST_CHECK enum status redis_link_publish(struct redis_link *link, const char *channel, struct bytes text,
                                          long long *receivers, struct error *err);

/* For a listening connection: subscribe once (if that fails, the connection is closed), wait for redis_link_fd to
 * become readable (it is -1 while not connected), read once, and take messages until there are no more (*text without
 * data). The text is valid until the next call. */
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

/* An element of an array reply; NULL past the last one, and for anything else. */
const struct redisReply *redis_reply_item(const struct redisReply *reply, size_t index);

#endif
