/* common/redis_link.c - blocking hiredis with timeouts that survive, and errors with words. */
#include "common/redis_link.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#define ARGS_MAX 32

void redis_link_init(struct redis_link *link, const struct redis_address *address, int64_t timeout_ms)
{
    *link = (struct redis_link){.address = address, .timeout_ms = timeout_ms};
}

void redis_link_close(struct redis_link *link)
{
    if (link->context != NULL)
        redisFree(link->context);
    redis_reply_free(link->message);
    link->message = NULL;
    link->context = NULL;
    link->queued = 0;
}

/* The context is dead: its error becomes ours. */
static enum status give_up(struct redis_link *link, struct error *err)
{
    const redisContext *context = link->context;
    if (context == NULL)
        (void)error_no_memory(err);
    else if (context->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK))
        (void)error_set(err, STATUS_UNAVAILABLE, "Redis did not answer in %lld ms",
                        (long long)link->timeout_ms);
    else
        (void)error_set(err, STATUS_UNAVAILABLE, "Redis: %s", context->errstr);
    redis_link_close(link);
    return err->code;
}

static enum status queue_command(struct redis_link *link, const struct bytes *args, size_t count,
                                 struct error *err)
{
    const char *texts[ARGS_MAX];
    size_t lens[ARGS_MAX];
    if (count > ARGS_MAX)
        return error_set(err, STATUS_INVALID, "a Redis command of %zu words", count);
    for (size_t i = 0; i < count; i++) {
        texts[i] = args[i].data;
        lens[i] = args[i].len;
    }
    if (redisAppendCommandArgv(link->context, (int)count, texts, lens) != REDIS_OK)
        return give_up(link, err);
    link->queued++;
    return STATUS_OK;
}

/* A command whose reply says nothing but whether it was taken. */
static enum status tell(struct redis_link *link, const struct bytes *args, size_t count, struct error *err)
{
    struct redisReply *reply = NULL;
    if (queue_command(link, args, count, err) != STATUS_OK || redis_link_take(link, &reply, err) != STATUS_OK)
        return err->code;
    redis_reply_free(reply);
    return STATUS_OK;
}

static enum status log_in(struct redis_link *link, struct error *err)
{
    const struct redis_address *address = link->address;
    if (address->password != NULL) {
        struct bytes auth[3] = {bytes_of("AUTH")};
        size_t count = 1;
        if (address->user != NULL)
            auth[count++] = bytes_of(address->user);
        auth[count++] = bytes_of(address->password);
        if (tell(link, auth, count, err) != STATUS_OK)
            return err->code;
    }
    if (address->db == 0)
        return STATUS_OK;
    char db[16];
    snprintf(db, sizeof db, "%u", address->db);
    const struct bytes select[] = {bytes_of("SELECT"), bytes_of(db)};
    return tell(link, select, 2, err);
}

enum status redis_link_open(struct redis_link *link, struct error *err)
{
    const struct redis_address *address = link->address;
    struct timeval timeout = {link->timeout_ms / 1000, link->timeout_ms % 1000 * 1000};
    if (link->context != NULL)
        return STATUS_OK;
    link->context = address->unix_path != NULL
                        ? redisConnectUnixWithTimeout(address->unix_path, timeout)
                        : redisConnectWithTimeout(address->host, address->port, timeout);
    if (link->context == NULL || link->context->err != 0 ||
        redisSetTimeout(link->context, timeout) != REDIS_OK ||
        (address->unix_path == NULL && redisEnableKeepAlive(link->context) != REDIS_OK))
        return give_up(link, err);
    enum status status = log_in(link, err);
    if (status != STATUS_OK)
        redis_link_close(link);
    return status;
}

enum status redis_link_queue(struct redis_link *link, const struct bytes *args, size_t count,
                             struct error *err)
{
    if (redis_link_open(link, err) != STATUS_OK)
        return err->code;
    return queue_command(link, args, count, err);
}

enum status redis_link_take(struct redis_link *link, struct redisReply **reply, struct error *err)
{
    void *taken = NULL;
    if (link->context == NULL || link->queued == 0)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: the connection was lost");
    errno = 0;
    if (redisGetReply(link->context, &taken) != REDIS_OK || taken == NULL)
        return give_up(link, err);
    link->queued--;
    struct redisReply *got = taken;
    if (got->type != REDIS_REPLY_ERROR) {
        *reply = got;
        return STATUS_OK;
    }
    (void)error_set(err, STATUS_UNAVAILABLE, "Redis: %.*s", (int)(got->len < 200 ? got->len : 200), got->str);
    redis_reply_free(got);
    return err->code;
}

enum status redis_link_call(struct redis_link *link, const struct bytes *args, size_t count,
                            struct redisReply **reply, struct error *err)
{
    if (redis_link_queue(link, args, count, err) != STATUS_OK)
        return err->code;
    return redis_link_take(link, reply, err);
}

enum status redis_link_publish(struct redis_link *link, const char *channel, struct bytes text,
                               long long *receivers, struct error *err)
{
    const struct bytes args[] = {bytes_of("PUBLISH"), bytes_of(channel), text};
    struct redisReply *reply = NULL;
    if (redis_link_call(link, args, 3, &reply, err) != STATUS_OK)
        return err->code;
    if (receivers != NULL)
        *receivers = redis_reply_int(reply);
    redis_reply_free(reply);
    return STATUS_OK;
}

enum status redis_link_subscribe(struct redis_link *link, const char *channel, struct error *err)
{
    const struct bytes args[] = {bytes_of("SUBSCRIBE"), bytes_of(channel)};
    struct redisReply *reply = NULL;
    if (redis_link_call(link, args, 2, &reply, err) != STATUS_OK)
        return err->code;
    redis_reply_free(reply);
    return STATUS_OK;
}

int redis_link_fd(const struct redis_link *link)
{
    return link->context != NULL ? link->context->fd : -1;
}

enum status redis_link_read(struct redis_link *link, struct error *err)
{
    if (link->context == NULL)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: the connection was lost");
    errno = 0;
    return redisBufferRead(link->context) == REDIS_OK ? STATUS_OK : give_up(link, err);
}

/* Messages are arrays: "message", channel, text. */
enum status redis_link_next_message(struct redis_link *link, struct bytes *text, struct error *err)
{
    *text = (struct bytes){NULL, 0};
    while (text->data == NULL) {
        void *taken = NULL;
        redis_reply_free(link->message);
        link->message = NULL;
        if (link->context == NULL || redisGetReplyFromReader(link->context, &taken) != REDIS_OK)
            return give_up(link, err);
        if (taken == NULL)
            return STATUS_OK;
        link->message = taken;
        const struct redisReply *kind = redis_reply_item(link->message, 0),
                                *body = redis_reply_item(link->message, 2);
        if (kind != NULL && body != NULL && bytes_is(redis_reply_text(kind), "message"))
            *text = redis_reply_text(body);
    }
    return STATUS_OK;
}

void redis_reply_free(struct redisReply *reply)
{
    if (reply != NULL)
        freeReplyObject(reply);
}

struct bytes redis_reply_text(const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
        return (struct bytes){NULL, 0};
    return (struct bytes){reply->str, reply->len};
}

long long redis_reply_int(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
}

const struct redisReply *redis_reply_item(const struct redisReply *reply, size_t index)
{
    return reply->type == REDIS_REPLY_ARRAY && index < reply->elements ? reply->element[index] : NULL;
}
