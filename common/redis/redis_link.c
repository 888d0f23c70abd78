/* common/redis/redis_link.c - commands out, replies in; hiredis parses the bytes into replies. */
#include "common/redis/redis_link.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>

#include "common/redis/redis_stream.h"

#define READ_BYTES 65536

void redis_link_init(struct redis_link *link, const struct redis_address *address, int64_t timeout_ms)
{
    *link = (struct redis_link){.address = address, .timeout_ms = timeout_ms, .unsent = BUFFER_INIT};
}

void redis_link_close(struct redis_link *link)
{
    redis_stream_free(link->stream);
    if (link->reader != NULL)
        redisReaderFree(link->reader);
    redis_reply_free(link->message);
    buffer_clear(&link->unsent);
    link->stream = NULL;
    link->reader = NULL;
    link->message = NULL;
    link->queued = 0;
}

/* The connection is dead; the error already says why. */
static enum status give_up(struct redis_link *link, enum status reason)
{
    redis_link_close(link);
    return reason;
}

static enum status queue_command(struct redis_link *link, const struct bytes *args, size_t count,
                                 struct error *err)
{
    struct buffer *out = &link->unsent;
    buffer_append_format(out, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(out, "$%zu\r\n", args[i].len);
        buffer_append(out, args[i].data, args[i].len);
        buffer_append(out, "\r\n", 2);
    }
    if (buffer_is_failed(out))
        return give_up(link, error_no_memory(err));
    link->queued++;
    return STATUS_OK;
}

/* Sends a command whose reply only says whether it was accepted. */
static enum status tell(struct redis_link *link, const struct bytes *args, size_t count, struct error *err)
{
    struct redisReply *reply = NULL;
    if (queue_command(link, args, count, err) != STATUS_OK || redis_link_take(link, &reply, err) != STATUS_OK)
        return err->code;
    redis_reply_free(reply);
    return STATUS_OK;
}

/* A server that does not know AUTH, or whatever answers in its place, echoes what it was sent. */
static void hide_password(const char *password, struct error *err)
{
    static const char ours[] = "Redis: ";
    bool repeats = strstr(err->message, password) != NULL || strpbrk(err->message, "'`\"") != NULL;
    if (!repeats || strncmp(err->message, ours, sizeof ours - 1) != 0)
        return;
    char word[32];
    const char *theirs = err->message + sizeof ours - 1;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(theirs, " "), theirs);
    bool is_code = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(word);
    (void)error_set(err, err->code, "Redis: AUTH is refused%s%s", is_code ? ": " : "", is_code ? word : "");
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
        if (tell(link, auth, count, err) != STATUS_OK) {
            hide_password(address->password, err);
            return err->code;
        }
    }
    if (address->db == 0)
        return STATUS_OK;
    char db[16];
    snprintf(db, sizeof db, "%u", address->db);
    const struct bytes select[] = {bytes_of("SELECT"), bytes_of(db)};
    return tell(link, select, 2, err);
}

static enum status open_link(struct redis_link *link, struct error *err)
{
    if (link->stream != NULL)
        return STATUS_OK;
    if (redis_stream_open(link->address, link->timeout_ms, &link->stream, err) != STATUS_OK)
        return err->code;
    link->reader = redisReaderCreate();
    enum status status = link->reader != NULL ? log_in(link, err) : error_no_memory(err);
    return status == STATUS_OK ? STATUS_OK : give_up(link, status);
}

enum status redis_link_queue(struct redis_link *link, const struct bytes *args, size_t count,
                             struct error *err)
{
    if (open_link(link, err) != STATUS_OK)
        return err->code;
    return queue_command(link, args, count, err);
}

static enum status send_unsent(struct redis_link *link, struct error *err)
{
    enum status status = redis_stream_write(link->stream, buffer_bytes(&link->unsent), err);
    buffer_reset(&link->unsent);
    return status;
}

/* Feeds the reader what has arrived, whether or not it completes a reply. */
static enum status feed(struct redis_link *link, const char *data, size_t len, struct error *err)
{
    return redisReaderFeed(link->reader, data, len) == REDIS_OK ? STATUS_OK : error_no_memory(err);
}

/* Sets *reply to the next complete reply, or to NULL if there is none. */
static enum status get_reply(struct redis_link *link, struct redisReply **reply, struct error *err)
{
    void *got = NULL;
    if (redisReaderGetReply(link->reader, &got) != REDIS_OK)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: %s", link->reader->errstr);
    *reply = got;
    return STATUS_OK;
}

static enum status read_more(struct redis_link *link, struct error *err)
{
    char data[READ_BYTES];
    size_t len;
    enum status status = redis_stream_read(link->stream, data, sizeof data, &len, err);
    return status == STATUS_OK ? feed(link, data, len, err) : status;
}

static enum status await_reply(struct redis_link *link, struct redisReply **reply, struct error *err)
{
    enum status status = send_unsent(link, err);
    *reply = NULL;
    if (status == STATUS_OK)
        status = get_reply(link, reply, err);
    while (status == STATUS_OK && *reply == NULL) {
        status = read_more(link, err);
        if (status == STATUS_OK)
            status = get_reply(link, reply, err);
    }
    return status;
}

enum status redis_link_take(struct redis_link *link, struct redisReply **reply, struct error *err)
{
    struct redisReply *got;
    if (link->stream == NULL || link->queued == 0) {
        (void)error_set(err, STATUS_UNAVAILABLE, "Redis: the connection was lost");
        return STATUS_UNAVAILABLE;
    }
    enum status status = await_reply(link, &got, err);
    if (status != STATUS_OK)
        return give_up(link, status);
    link->queued--;
    if (got->type != REDIS_REPLY_ERROR) {
        *reply = got;
        return STATUS_OK;
    }
    (void)error_set(err, STATUS_UNAVAILABLE, "Redis: %.*s", (int)(got->len < 200 ? got->len : 200), got->str);
    redis_reply_free(got);
    return STATUS_UNAVAILABLE;
}

enum status redis_link_call(struct redis_link *link, const struct bytes *args, size_t count,
                            struct redisReply **reply, struct error *err)
{
    enum status status = redis_link_queue(link, args, count, err);
    return status == STATUS_OK ? redis_link_take(link, reply, err) : status;
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
    if (redis_link_call(link, args, 2, &reply, err) != STATUS_OK) {
        redis_link_close(link); /* otherwise it would pass for a connection that listens */
        return err->code;
    }
    redis_reply_free(reply);
    return STATUS_OK;
}

int redis_link_fd(const struct redis_link *link)
{
    return link->stream != NULL ? redis_stream_fd(link->stream) : -1;
}

const char *redis_link_protection(const struct redis_link *link)
{
    return redis_stream_protection(link->stream);
}

/* Reads everything: data that TLS has already decrypted do not make the socket readable. */
enum status redis_link_read(struct redis_link *link, struct error *err)
{
    char data[READ_BYTES];
    size_t len;
    if (link->stream == NULL)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: the connection was lost");
    do {
        if (redis_stream_read_now(link->stream, data, sizeof data, &len, err) != STATUS_OK ||
            feed(link, data, len, err) != STATUS_OK)
            return give_up(link, err->code);
    } while (len == sizeof data);
    return STATUS_OK;
}

/* TLS's own messages make a socket readable too, and are read here. An unsolicited reply would be mistaken for the next
 * command's. */
void redis_link_drop_if_ended(struct redis_link *link)
{
    struct pollfd fd = {redis_link_fd(link), POLLIN, 0}; /* poll ignores -1 */
    struct redisReply *unasked = NULL;
    struct error ignored;
    if (link->queued > 0 || poll(&fd, 1, 0) <= 0 || redis_link_read(link, &ignored) != STATUS_OK)
        return;
    if (get_reply(link, &unasked, &ignored) != STATUS_OK || unasked != NULL)
        redis_link_close(link);
    redis_reply_free(unasked);
}

/* Messages are arrays: "message", channel, text. */
enum status redis_link_next_message(struct redis_link *link, struct bytes *text, struct error *err)
{
    *text = (struct bytes){NULL, 0};
    if (link->stream == NULL)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: the connection was lost");
    while (text->data == NULL) {
        redis_reply_free(link->message);
        link->message = NULL;
        if (get_reply(link, &link->message, err) != STATUS_OK)
            return give_up(link, err->code);
        if (link->message == NULL)
            return STATUS_OK;
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
