/* worker/leadership.c - checks the lease each second, or when it is about to expire, and says what has changed. */
#include "worker/leadership.h"

#include <string.h>

#include "common/program/log.h"

#define LEASE_CHECK_MS 1000 /* well below a third of LEASE_TIME; also how soon an emptied Redis is noticed */
#define ONCE_WATCH_MS  300  /* how often --once checks whether the lease's holder still renews it */

void leadership_init(struct leadership *leadership, struct redis_link *link, const struct settings *settings,
                     bool once, int64_t (*now_ms)(void))
{
    *leadership = (struct leadership){.once = once, .now_ms = now_ms, .check_ms = now_ms()};
    lease_init(&leadership->lease, link, settings->redis_prefix, settings->lease_s * 1000);
}

void leadership_check_soon(struct leadership *leadership)
{
    leadership->check_ms = leadership->now_ms();
}

bool leadership_is_due(const struct leadership *leadership)
{
    return leadership->now_ms() >= leadership->check_ms;
}

bool leadership_is_held(const struct leadership *leadership)
{
    return leadership->lease.is_held;
}

bool leadership_is_lost_since(const struct leadership *leadership, const char *token)
{
    return leadership->is_standby || strcmp(token, leadership->lease.token) != 0;
}

static void lose_redis(struct leadership *leadership, const struct error *err)
{
    if (strcmp(leadership->redis_error.message, err->message) != 0)
        log_write(LOG_ERROR, "Redis cannot be used", LOG_FIELDS(log_text("error", err->message)));
    leadership->redis_error = *err;
}

static void regain_redis(struct leadership *leadership)
{
    if (leadership->redis_error.message[0] != '\0')
        log_write(LOG_INFO, "Redis can be used again", NULL);
    leadership->redis_error.message[0] = '\0';
}

/* A standby checks as soon as the lease can have expired. */
static int64_t wait_ms(const struct leadership *leadership)
{
    int64_t wait = leadership->is_standby && leadership->once ? ONCE_WATCH_MS : LEASE_CHECK_MS;
    int64_t left = leadership->is_standby ? leadership->holder.left_ms : -1;
    return left >= 0 && left < wait ? left + 1 : wait;
}

/* A lease whose remaining time has risen since the last check was renewed, so its holder is alive; so is one that has
 * taken it since. */
static bool is_alive(const struct lease_holder *before, const struct lease_holder *holder)
{
    return strcmp(before->token, holder->token) != 0 || holder->left_ms > before->left_ms;
}

enum leadership_change leadership_check(struct leadership *leadership)
{
    const struct lease_holder before = leadership->holder;
    const bool was_standby = leadership->is_standby;
    struct error err;
    leadership->check_ms = leadership->now_ms() + LEASE_CHECK_MS;
    if (lease_take(&leadership->lease, &leadership->holder, &err) != STATUS_OK) {
        lose_redis(leadership, &err);
        return LEADERSHIP_UNREACHABLE;
    }
    regain_redis(leadership);
    leadership->is_standby = !leadership->lease.is_held;
    leadership->check_ms = leadership->now_ms() + wait_ms(leadership);
    if (leadership->holder.is_new) {
        log_write(LOG_INFO, "leading", LOG_FIELDS(log_text("holder", leadership->lease.token)));
        return LEADERSHIP_GAINED;
    }
    if (!leadership->is_standby)
        return LEADERSHIP_SAME;
    if (leadership->once)
        return was_standby && is_alive(&before, &leadership->holder) ? LEADERSHIP_REFUSED : LEADERSHIP_SAME;
    if (!was_standby)
        log_write(LOG_INFO, "standing by", LOG_FIELDS(log_text("holder", leadership->holder.token)));
    return LEADERSHIP_SAME;
}

void leadership_resign(struct leadership *leadership)
{
    struct error err;
    if (lease_release(&leadership->lease, &err) != STATUS_OK)
        log_write(LOG_WARNING, "the lease was not given back and runs out by itself",
                  LOG_FIELDS(log_text("error", err.message)));
}
