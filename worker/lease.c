/* worker/lease.c - taking, renewing and releasing the lease, each in one script so that nothing comes in between. */
#include "worker/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "worker/scripts.h"

static void draw_token(char token[LEASE_TOKEN_MAX])
{
    char host[80] = "";
    uint64_t random = 0;
    (void)gethostname(host, sizeof host - 1);
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uint64_t)clock_read_us(CLOCK_MONOTONIC);
    snprintf(token, LEASE_TOKEN_MAX, "%s/%d/%016" PRIx64, host, (int)getpid(), random);
}

void lease_init(struct lease *lease, struct redis_link *link, const char *prefix, int64_t time_ms)
{
    *lease = (struct lease){.link = link, .time_ms = time_ms};
    lease->name = redis_name_of(prefix, REDIS_LEASE);
    draw_token(lease->token);
    draw_token(lease->next_token);
}

/* Records who holds the lease, from Redis's reply. */
static void learn(struct lease *lease, struct bytes token, int64_t left_ms, struct lease_holder *holder)
{
    holder->is_new = bytes_is(token, lease->next_token);
    if (holder->is_new) {
        memcpy(lease->token, lease->next_token, sizeof lease->token);
        draw_token(lease->next_token);
    }
    lease->is_held = bytes_is(token, lease->token);
    snprintf(holder->token, sizeof holder->token, "%.*s", (int)token.len, token.data);
    holder->left_ms = left_ms;
}

enum status lease_take(struct lease *lease, struct lease_holder *holder, struct error *err)
{
    char time[24];
    struct redisReply *reply;
    snprintf(time, sizeof time, "%" PRId64, lease->time_ms);
    const struct bytes args[] = {
        bytes_of("EVAL"),       script_take_lease(),         bytes_of("1"), bytes_of(lease->name.text),
        bytes_of(lease->token), bytes_of(lease->next_token), bytes_of(time)};
    lease->is_held = false;
    if (redis_link_call(lease->link, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
        return error_context(err, "lease");
    const struct redisReply *token = redis_reply_item(reply, 0), *left = redis_reply_item(reply, 1);
    struct bytes text = token != NULL ? redis_reply_text(token) : (struct bytes){NULL, 0};
    enum status status = STATUS_OK;
    if (text.data == NULL || left == NULL)
        status =
            error_set(err, STATUS_UNAVAILABLE, "lease: Redis answered something else than holder and time");
    else
        learn(lease, text, redis_reply_int(left), holder);
    redis_reply_free(reply);
    return status;
}

enum status lease_release(struct lease *lease, struct error *err)
{
    struct redisReply *reply;
    const struct bytes args[] = {bytes_of("EVAL"), script_release_lease(), bytes_of("1"),
                                 bytes_of(lease->name.text), bytes_of(lease->token)};
    if (!lease->is_held)
        return STATUS_OK;
    lease->is_held = false;
    if (redis_link_call(lease->link, args, sizeof args / sizeof args[0], &reply, err) != STATUS_OK)
        return error_context(err, "lease");
    redis_reply_free(reply);
    return STATUS_OK;
}
