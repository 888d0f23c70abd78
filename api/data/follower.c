/* api/data/follower.c - looks at the pointer, loads what it points to, makes it current; listens and asks. A failure is
 * logged when it begins, ends or changes its reason, not at every look. */
#include "api/data/follower.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/data/loader.h"
#include "api/data/refusal.h"
#include "api/net/priority.h"
#include "common/base/clock.h"
#include "common/program/log.h"
#include "common/redis/redis_names.h"

#define LOOK_EVERY_MS   500
#define REPORT_EVERY_MS 5000
#define LOOK_TIMEOUT_MS 1000 /* a hanging Redis must not hold up those who wait for a worker */
#define WARM_MS         200  /* a flip may be delayed by this much, so that it is not felt */

/* The thread's state. */
struct watch {
    struct follower *follower;
    struct redis_link link;        /* for small commands, answered soon */
    struct redis_link load_link;   /* for what may be large */
    struct generation *generation; /* NULL until one was loaded */
    struct generation *previous;   /* until every loop serves the newer one; else NULL */
    struct refusal refusal;
    char redis_error[ERROR_MESSAGE_SIZE]; /* what was logged of Redis last; empty while it can be used */
    bool pointer_is_damaged;              /* which was logged */
    struct upstream upstream;
    struct redis_link events; /* subscribed to the worker's */
    struct tickets tickets;
    int64_t look_ms, report_ms; /* when to look at the pointer, and to report requested filters */
    bool has_receivers;         /* somebody received our last message */
};

/* Reads pointer, lease and the worker's report in one round trip. */
static enum status look(struct watch *watch, struct redisReply **reply, struct error *err)
{
    const char *prefix = watch->follower->settings->redis_prefix;
    struct redis_name current = redis_name_of(prefix, REDIS_CURRENT),
                      lease = redis_name_of(prefix, REDIS_LEASE);
    struct redis_name worker = redis_name_of(prefix, REDIS_WORKER);
    const struct bytes args[] = {bytes_of("MGET"), bytes_of(current.text), bytes_of(lease.text),
                                 bytes_of(worker.text)};
    return redis_link_call(&watch->link, args, 4, reply, err);
}

static void load(struct watch *watch, uint64_t number)
{
    struct generation *loaded;
    struct error err;
    int64_t start = clock_monotonic_ms();
    if (!refusal_allows(&watch->refusal, number, start))
        return;
    const struct settings *settings = watch->follower->settings;
    struct workshop *workshop = watch->follower->workshop;
    enum status status =
        loader_load(&watch->load_link, settings->redis_prefix, number, workshop->kept_max, &loaded, &err);
    redis_link_close(&watch->load_link); /* it would go stale until the next generation */
    if (status == STATUS_OK && documents_prepare(loaded, workshop, &err) != STATUS_OK) {
        generation_unref(loaded);
        status = err.code;
    }
    if (status != STATUS_OK) {
        if (refusal_note(&watch->refusal, number, err.code, clock_monotonic_ms()))
            log_write(LOG_ERROR, "a generation cannot be loaded; the old one is served on",
                      LOG_FIELDS(log_int("generation", (int64_t)number),
                                 log_text("class", status_word(err.code)), log_text("error", err.message)));
        return;
    }
    if (watch->generation != NULL)
        documents_warm(loaded, watch->generation, workshop, clock_monotonic_ms() + WARM_MS);
    generation_unref(watch->previous);
    watch->previous = watch->generation;
    watch->generation = loaded;
    watch->refusal = (struct refusal){.generation = 0};
    log_write(LOG_INFO, "generation loaded",
              LOG_FIELDS(log_int("generation", (int64_t)number),
                         log_int("clients", loaded->loaded.manifest.clients_count),
                         log_int("tenants", loaded->loaded.manifest.tenants_count),
                         log_int("load_ms", clock_monotonic_ms() - start)));
}

static void note_redis(struct watch *watch, bool is_ok, const struct error *err)
{
    if (!is_ok)
        redis_link_close(&watch->events); /* if it died silently, no event would ever come over it */
    if (!is_ok && strcmp(watch->redis_error, err->message) != 0)
        log_write(LOG_ERROR, "Redis cannot be used", LOG_FIELDS(log_text("error", err->message)));
    if (is_ok && watch->redis_error[0] != '\0')
        log_write(LOG_INFO, "Redis can be used again", NULL);
    if (is_ok)
        watch->redis_error[0] = '\0';
    else
        memcpy(watch->redis_error, err->message, sizeof watch->redis_error);
}

/* The generation to serve; 0: no pointer, or a damaged one, which the next publication replaces. */
static uint64_t take_pointer(struct watch *watch, struct bytes pointer)
{
    uint64_t number = redis_generation_parse(pointer);
    bool is_damaged = pointer.data != NULL && number == 0;
    if (is_damaged && !watch->pointer_is_damaged)
        log_write(LOG_ERROR, "the pointer is no number of a generation and is passed over",
                  LOG_FIELDS(log_int("bytes", (int64_t)pointer.len)));
    if (!is_damaged && watch->pointer_is_damaged)
        log_write(LOG_INFO, "the pointer is not damaged anymore", NULL);
    watch->pointer_is_damaged = is_damaged;
    return number;
}

/* What one key holds; no data if it is not there. */
static struct bytes value_of(const struct redisReply *reply, size_t index)
{
    const struct redisReply *value = redis_reply_item(reply, index);
    return value != NULL ? redis_reply_text(value) : (struct bytes){NULL, 0};
}

static void step(struct watch *watch)
{
    struct redisReply *reply;
    struct error err;
    enum status status = look(watch, &reply, &err);
    note_redis(watch, status == STATUS_OK, &err);
    if (status == STATUS_OK) {
        uint64_t number = take_pointer(watch, value_of(reply, 0));
        upstream_take(&watch->upstream, value_of(reply, 1), value_of(reply, 2));
        redis_reply_free(reply);
        if (number != 0 && generation_number(watch->generation) != number)
            load(watch, number);
    } else {
        upstream_lose(&watch->upstream);
    }
    current_set(watch->follower->current, watch->generation, &watch->upstream);
}

/* Takes messages from the worker: a flip or a failure makes the next look due. */
static void take_messages(struct watch *watch)
{
    struct error err;
    struct bytes text = {"", 0};
    if (redis_link_read(&watch->events, &err) != STATUS_OK)
        return; /* the next look subscribes again */
    while (redis_link_next_message(&watch->events, &text, &err) == STATUS_OK && text.data != NULL) {
        enum message_kind kind = message_parse(text).kind;
        if (kind == MESSAGE_PUBLISHED || kind == MESSAGE_FAILED)
            watch->look_ms = 0;
        tickets_take_message(&watch->tickets, text);
    }
}

static void subscribe_again(struct watch *watch)
{
    struct redis_name events =
        redis_name_events(watch->follower->settings->redis_prefix, watch->follower->settings->redis.db);
    struct error ignored;
    if (watch->upstream.redis_is_ok && redis_link_fd(&watch->events) < 0)
        (void)!redis_link_subscribe(&watch->events, events.text, &ignored);
}

static void publish(struct watch *watch, const struct buffer *message)
{
    struct redis_name inbox =
        redis_name_requests(watch->follower->settings->redis_prefix, watch->follower->settings->redis.db);
    struct error ignored;
    long long receivers = 0;
    watch->has_receivers = false;
    if (!watch->upstream.redis_is_ok)
        return; /* the next look finds out whether it is back */
    if (redis_link_publish(&watch->link, inbox.text, buffer_bytes(message), &receivers, &ignored) !=
        STATUS_OK)
        receivers = 0;
    watch->has_receivers = receivers > 0;
}

/* Sends refresh requests, and from time to time which filters are requested. */
static void publish_what_is_due(struct watch *watch)
{
    struct buffer message = BUFFER_INIT;
    int64_t now_ms = clock_monotonic_ms();
    if (tickets_request(&watch->tickets, now_ms, &message))
        publish(watch, &message);
    buffer_reset(&message);
    if (now_ms >= watch->report_ms) {
        watch->report_ms = now_ms + REPORT_EVERY_MS;
        if (popular_filters_report(watch->follower->filters, &message))
            publish(watch, &message);
    }
    buffer_clear(&message);
}

static void settle(struct watch *watch)
{
    uint64_t loaded = generation_number(watch->generation);
    const struct tickets_view view = {
        .now_ms = clock_monotonic_ms(),
        .worker_is_there = watch->upstream.worker_is_alive && watch->has_receivers,
        .loaded = loaded,
        .loaded_is_served = current_is_served(watch->follower->current, loaded)};
    tickets_settle(&watch->tickets, &view);
    if (view.loaded_is_served && watch->previous != NULL) {
        generation_unref(watch->previous); /* here, and not on an event loop */
        watch->previous = NULL;
    }
}

/* False when it is time to stop. */
static bool take_mail(struct watch *watch)
{
    struct mailbox *mailbox = &watch->follower->mailbox;
    bool is_closed;
    for (struct mail *mail = mailbox_take(mailbox, &is_closed), *next; mail != NULL; mail = next) {
        next = mail->next;
        tickets_add(&watch->tickets, ticket_of(pending_of_mail(mail)), clock_monotonic_ms());
    }
    return !is_closed;
}

static void wait_for_something(struct watch *watch)
{
    struct pollfd fds[] = {{watch->follower->mailbox.fd, POLLIN, 0},
                           {redis_link_fd(&watch->events), POLLIN, 0}};
    int64_t now_ms = clock_monotonic_ms();
    int64_t left_ms = watch->look_ms > now_ms ? watch->look_ms - now_ms : 0;
    if (poll(fds, 2, (int)tickets_wait_ms(&watch->tickets, now_ms, left_ms)) > 0 && fds[1].revents != 0)
        take_messages(watch);
}

static void *follow(void *context)
{
    struct follower *follower = context;
    struct watch watch = {.follower = follower};
    priority_give_way(SHARE_THIRD); /* decoding and rendering must not slow down the loops */
    int64_t timeout_ms = follower->settings->redis_timeout_ms;
    redis_link_init(&watch.link, &follower->settings->redis,
                    timeout_ms < LOOK_TIMEOUT_MS ? timeout_ms : LOOK_TIMEOUT_MS);
    redis_link_init(&watch.load_link, &follower->settings->redis, timeout_ms);
    redis_link_init(&watch.events, &follower->settings->redis, timeout_ms);
    tickets_init(&watch.tickets);
    while (take_mail(&watch)) {
        if (clock_monotonic_ms() >= watch.look_ms) {
            watch.look_ms = clock_monotonic_ms() + LOOK_EVERY_MS;
            step(&watch);
            subscribe_again(&watch);
        }
        publish_what_is_due(&watch);
        settle(&watch);
        wait_for_something(&watch);
    }
    tickets_clear(&watch.tickets);
    redis_link_close(&watch.events);
    redis_link_close(&watch.load_link);
    redis_link_close(&watch.link);
    generation_unref(watch.previous);
    generation_unref(watch.generation);
    return NULL;
}

enum status follower_start(struct follower *follower, const struct settings *settings,
                           struct current *current, struct popular_filters *filters,
                           struct workshop *workshop, struct error *err)
{
    *follower =
        (struct follower){.settings = settings, .current = current, .filters = filters, .workshop = workshop};
    enum status status = mailbox_init(&follower->mailbox, err);
    int problem = status == STATUS_OK ? pthread_create(&follower->thread, NULL, follow, follower) : 0;
    if (problem != 0)
        status = error_set(err, STATUS_NO_MEMORY, "no thread to follow generations: %s", strerror(problem));
    if (status != STATUS_OK)
        mailbox_clear(&follower->mailbox);
    return status;
}

void follower_ring(struct follower *follower)
{
    mailbox_ring(&follower->mailbox);
}

void follower_request_refresh(struct follower *follower, struct ticket *take_ticket)
{
    if (!mailbox_post(&follower->mailbox, &take_ticket->pending.mail))
        ticket_end(take_ticket, TICKET_NO_WORKER);
}

void follower_stop(struct follower *follower)
{
    mailbox_close(&follower->mailbox);
    pthread_join(follower->thread, NULL);
}

void follower_clear(struct follower *follower)
{
    mailbox_clear(&follower->mailbox);
}
