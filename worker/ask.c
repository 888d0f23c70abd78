/* worker/ask.c - the asking side of the request protocol, for one request. */
#include "worker/ask.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

#include "common/base/clock.h"
#include "common/redis/redis_link.h"
#include "common/redis/redis_names.h"
#include "common/stored/messages.h"
#include "worker/daemon.h"

#define SILENCE_MS 10000 /* after this long a daemon that has answered is gone: it answers each repeat */
#define GIVE_UP_MS 600000

enum ask_state { ASK_WAITING, ASK_PUBLISHED, ASK_FAILED, ASK_NOBODY, ASK_TIMED_OUT };

struct ask {
    const struct settings *settings;
    struct redis_link ear, voice;
    struct redis_name events, inbox, lease;
    struct request_id id;
    int64_t began_ms, next_ms;
    int64_t asked_ms; /* when we last started asking */
    int64_t heard_ms; /* when the daemon last named our request; 0: not yet since asked_ms */
    bool has_met_holder;
    uint64_t generation;
    char word[32];
};

static void make_id(struct request_id *out)
{
    uint64_t random[2] = {(uint64_t)clock_read_us(CLOCK_REALTIME), (uint64_t)clock_read_us(CLOCK_MONOTONIC)};
    ssize_t ignored = getrandom(random, sizeof random, 0);
    (void)ignored;
    snprintf(out->text, sizeof out->text, "%016" PRIx64 "-%016" PRIx64, random[0], random[1]);
}

static bool names_us(struct message *message, const struct request_id *own)
{
    struct request_id id;
    while (message_next_id(message, &id))
        if (strcmp(id.text, own->text) == 0)
            return true;
    return false;
}

static enum ask_state take_message(struct ask *ask, struct bytes text)
{
    struct message message = message_parse(text);
    if (!names_us(&message, &ask->id))
        return ASK_WAITING;
    ask->heard_ms = clock_monotonic_ms();
    ask->generation = message.generation;
    if (message.kind == MESSAGE_PUBLISHED)
        return ASK_PUBLISHED;
    if (message.kind != MESSAGE_FAILED)
        return ASK_WAITING;
    snprintf(ask->word, sizeof ask->word, "%.*s", (int)message.word.len, message.word.data);
    return ASK_FAILED;
}

static enum status request(struct ask *ask, struct error *err)
{
    struct buffer message = BUFFER_INIT;
    message_begin(MESSAGE_REFRESH, &message);
    message_add_word(&message, ask->id.text);
    ask->next_ms = clock_monotonic_ms() + MESSAGE_REPEAT_MS;
    enum status status = redis_link_publish(&ask->voice, ask->inbox.text, buffer_bytes(&message), NULL, err);
    buffer_clear(&message);
    return status;
}

/* Takes at most a second: repeats the request when it is time, and takes what has arrived. */
static enum status step(struct ask *ask, enum ask_state *state, struct error *err)
{
    struct pollfd fd = {redis_link_fd(&ask->ear), POLLIN, 0};
    struct bytes text;
    if (clock_monotonic_ms() >= ask->next_ms && request(ask, err) != STATUS_OK)
        return err->code;
    int64_t wait_ms = ask->next_ms - clock_monotonic_ms();
    if (poll(&fd, 1, wait_ms > 0 ? (int)wait_ms : 0) <= 0)
        return STATUS_OK;
    if (redis_link_read(&ask->ear, err) != STATUS_OK)
        return err->code;
    do {
        if (redis_link_next_message(&ask->ear, &text, err) != STATUS_OK)
            return err->code;
        if (text.data != NULL)
            *state = take_message(ask, text);
    } while (text.data != NULL && *state == ASK_WAITING);
    return STATUS_OK;
}

static bool is_silent(const struct ask *ask, int64_t now_ms)
{
    if (ask->heard_ms == 0)
        return now_ms - ask->asked_ms >= MESSAGE_NO_WORKER_MS;
    return now_ms - ask->heard_ms >= SILENCE_MS;
}

/* Silence alone does not mean that there is no daemon: one may have died while another waits for its lease to expire.
 * While there is a lease, its holder or the next one may answer. */
static enum status look_for_holder(struct ask *ask, enum ask_state *state, struct error *err)
{
    const struct bytes get[] = {bytes_of("GET"), bytes_of(ask->lease.text)};
    struct redisReply *reply;
    char holder[80] = "";
    if (redis_link_call(&ask->voice, get, 2, &reply, err) != STATUS_OK)
        return err->code;
    struct bytes text = redis_reply_text(reply);
    if (text.data == NULL)
        *state = ASK_NOBODY;
    else
        snprintf(holder, sizeof holder, "%.*s", (int)text.len, text.data);
    redis_reply_free(reply);
    if (*state == ASK_WAITING && !ask->has_met_holder)
        log_write(LOG_INFO, "no daemon answers; asking on while somebody has the lease",
                  LOG_FIELDS(log_text("holder", holder)));
    ask->has_met_holder = ask->has_met_holder || *state == ASK_WAITING;
    return STATUS_OK;
}

static enum status wait_for_result(struct ask *ask, enum ask_state *state, struct error *err)
{
    *state = ASK_WAITING;
    ask->asked_ms = clock_monotonic_ms();
    ask->heard_ms = 0;
    if (redis_link_fd(&ask->ear) < 0 && redis_link_subscribe(&ask->ear, ask->events.text, err) != STATUS_OK)
        return err->code;
    while (*state == ASK_WAITING) {
        if (step(ask, state, err) != STATUS_OK)
            return err->code;
        int64_t now_ms = clock_monotonic_ms();
        if (*state == ASK_WAITING && now_ms - ask->began_ms > GIVE_UP_MS)
            *state = ASK_TIMED_OUT;
        else if (*state == ASK_WAITING && is_silent(ask, now_ms) &&
                 look_for_holder(ask, state, err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

/* *is_beaten: another worker took the lease first, and may be asked. The signal mask is then restored: the daemon
 * handles signals in its own way, but they must end a process that asks again. */
static enum exit_status refresh_here(const struct ask *ask, bool *is_beaten)
{
    const struct daemon_options once = {.once = true, .is_beaten = is_beaten};
    sigset_t signals;
    *is_beaten = false;
    log_write(LOG_INFO, "no daemon answers; refreshing in this process", NULL);
    bool is_known = pthread_sigmask(SIG_SETMASK, NULL, &signals) == 0;
    enum exit_status exit_status = daemon_run(ask->settings, &once);
    if (*is_beaten && is_known)
        (void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
    return exit_status;
}

static enum exit_status conclude(const struct ask *ask, enum ask_state state)
{
    switch (state) {
    case ASK_PUBLISHED:
        log_write(LOG_INFO, "the daemon published a generation",
                  LOG_FIELDS(log_int("generation", (int64_t)ask->generation),
                             log_int("waited_ms", clock_monotonic_ms() - ask->began_ms)));
        return EXIT_DONE;
    case ASK_FAILED:
        log_write(LOG_ERROR, "the daemon's refresh failed", LOG_FIELDS(log_text("phase", ask->word)));
        return EXIT_FAILED;
    case ASK_NOBODY:
    case ASK_WAITING:
    case ASK_TIMED_OUT:
        break;
    }
    log_write(LOG_ERROR, "the daemon's refresh did not end in time", NULL);
    return EXIT_FAILED;
}

enum exit_status ask_run(const struct settings *settings)
{
    struct ask ask = {.settings = settings, .began_ms = clock_monotonic_ms()};
    enum ask_state state = ASK_WAITING;
    enum exit_status exit_status = EXIT_FAILED;
    struct error err;
    bool is_beaten = false;
    ask.lease = redis_name_of(settings->redis_prefix, REDIS_LEASE);
    ask.events = redis_name_events(settings->redis_prefix, settings->redis.db);
    ask.inbox = redis_name_requests(settings->redis_prefix, settings->redis.db);
    redis_link_init(&ask.ear, &settings->redis, settings->redis_timeout_ms);
    redis_link_init(&ask.voice, &settings->redis, settings->redis_timeout_ms);
    make_id(&ask.id);
    enum status status;
    do {
        status = wait_for_result(&ask, &state, &err);
        if (status == STATUS_OK && state == ASK_NOBODY)
            exit_status = refresh_here(&ask, &is_beaten);
    } while (status == STATUS_OK && state == ASK_NOBODY && is_beaten);
    redis_link_close(&ask.voice);
    redis_link_close(&ask.ear);
    if (status != STATUS_OK)
        log_write(LOG_ERROR, "Redis cannot be used", LOG_FIELDS(log_text("error", err.message)));
    else if (state != ASK_NOBODY)
        exit_status = conclude(&ask, state);
    return exit_status;
}
