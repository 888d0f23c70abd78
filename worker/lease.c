/* worker/lease.c - taking, renewing and giving back, each one script so that nothing comes in between. */
#include "worker/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/* {holder's token, milliseconds left, 1 when it was free}; the caller's own when it took or renewed the lease. */
static const char TAKE_SCRIPT[] = "local holder = redis.call('GET', KEYS[1])\n"
                                  "local was_free = holder and 0 or 1\n"
                                  "if not holder or holder == ARGV[1] then redis.call('SET', KEYS[1], "
                                  "ARGV[1], 'PX', ARGV[2]) holder = ARGV[1] end\n"
                                  "return {holder, redis.call('PTTL', KEYS[1]), was_free}";

static const char RELEASE_SCRIPT[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end\n"
    "return 0";

void lease_init(struct lease *lease, struct redis_link *link, const char *prefix, int64_t time_ms)
{
    char host[80] = "";
    uint64_t random = 0;
    *lease = (struct lease){.link = link, .time_ms = time_ms};
    lease->name = redis_name_of(prefix, REDIS_LEASE);
    (void)gethostname(host, sizeof host - 1);
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uintptr_t)lease;
    snprintf(lease->token, sizeof lease->token, "%s/%d/%016" PRIx64, host, (int)getpid(), random);
}

enum status lease_take(struct lease *lease, struct lease_holder *holder, struct error *err)
{
    char time[24];
    struct redisReply *reply;
    snprintf(time, sizeof time, "%" PRId64, lease->time_ms);
    const struct bytes args[] = {bytes_of("EVAL"),           bytes_of(TAKE_SCRIPT),  bytes_of("1"),
                                 bytes_of(lease->name.text), bytes_of(lease->token), bytes_of(time)};
    lease->is_held = false;
    if (redis_link_call(lease->link, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
        return error_context(err, "lease");
    const struct redisReply *token = redis_reply_item(reply, 0), *left = redis_reply_item(reply, 1);
    const struct redisReply *was_free = redis_reply_item(reply, 2);
    struct bytes text = token != NULL ? redis_reply_text(token) : (struct bytes){NULL, 0};
    enum status status = STATUS_OK;
    if (text.data == NULL || left == NULL || was_free == NULL)
        status =
            error_set(err, STATUS_UNAVAILABLE, "lease: Redis answered something else than holder and time");
    else {
        lease->is_held = bytes_is(text, lease->token);
        snprintf(holder->token, sizeof holder->token, "%.*s", (int)text.len, text.data);
        holder->left_ms = redis_reply_int(left);
        holder->was_free = redis_reply_int(was_free) == 1;
    }
    redis_reply_free(reply);
    return status;
}

enum status lease_release(struct lease *lease, struct error *err)
{
    struct redisReply *reply;
    const struct bytes args[] = {bytes_of("EVAL"), bytes_of(RELEASE_SCRIPT), bytes_of("1"),
                                 bytes_of(lease->name.text), bytes_of(lease->token)};
    if (!lease->is_held)
        return STATUS_OK;
    lease->is_held = false;
    if (redis_link_call(lease->link, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
        return error_context(err, "lease");
    redis_reply_free(reply);
    return STATUS_OK;
}
