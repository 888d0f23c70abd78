/* worker/refresh_client.c - sends one request for a refresh, and waits for its result. */
#include "worker/refresh_client.h"

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

#define SILENCE_MS 10000 /* a daemon answers each repeat: one silent for this long is gone */
#define GIVE_UP_MS 600000

enum client_state { CLIENT_WAITING, CLIENT_PUBLISHED, CLIENT_FAILED, CLIENT_NOBODY, CLIENT_TIMED_OUT };

struct refresh_client {
    const struct settings *settings;
    struct redis_link subscription, link;
    struct redis_name events, inbox, lease;
    struct request_id id;
    int64_t began_ms, next_ms;
    int64_t waiting_since_ms; /* for the daemon's first sign */
    int64_t heard_ms;         /* when the daemon last named our request; 0: not yet */
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

static enum client_state take_message(struct refresh_client *client, struct bytes text)
{
    struct message message = message_parse(text);
    if (!names_us(&message, &client->id))
        return CLIENT_WAITING;
    client->heard_ms = clock_monotonic_ms();
    client->generation = message.generation;
    if (message.kind == MESSAGE_PUBLISHED)
        return CLIENT_PUBLISHED;
    if (message.kind != MESSAGE_FAILED)
        return CLIENT_WAITING;
    snprintf(client->word, sizeof client->word, "%.*s", (int)message.word.len, message.word.data);
    return CLIENT_FAILED;
}

static enum status request(struct refresh_client *client, struct error *err)
{
    struct buffer message = BUFFER_INIT;
    message_begin(MESSAGE_REFRESH, &message);
    message_add_word(&message, client->id.text);
    client->next_ms = clock_monotonic_ms() + MESSAGE_REPEAT_MS;
    enum status status =
        redis_link_publish(&client->link, client->inbox.text, buffer_bytes(&message), NULL, err);
    buffer_clear(&message);
    return status;
}

/* Repeats the request when it is time, and handles what has arrived; waits for a second at most. */
static enum status step(struct refresh_client *client, enum client_state *state, struct error *err)
{
    struct pollfd fd = {redis_link_fd(&client->subscription), POLLIN, 0};
    struct bytes text;
    if (clock_monotonic_ms() >= client->next_ms && request(client, err) != STATUS_OK)
        return err->code;
    int64_t wait_ms = client->next_ms - clock_monotonic_ms();
    if (poll(&fd, 1, wait_ms > 0 ? (int)wait_ms : 0) <= 0)
        return STATUS_OK;
    if (redis_link_read(&client->subscription, err) != STATUS_OK)
        return err->code;
    do {
        if (redis_link_next_message(&client->subscription, &text, err) != STATUS_OK)
            return err->code;
        if (text.data != NULL)
            *state = take_message(client, text);
    } while (text.data != NULL && *state == CLIENT_WAITING);
    return STATUS_OK;
}

static bool is_silent(const struct refresh_client *client, int64_t now_ms)
{
    if (client->heard_ms == 0)
        return now_ms - client->waiting_since_ms >= MESSAGE_NO_WORKER_MS;
    return now_ms - client->heard_ms >= SILENCE_MS;
}

/* Silence alone does not mean that there is no daemon: one may have died while another waits for its lease to expire.
 * While there is a lease, its holder or the next one may answer. */
static enum status look_for_holder(struct refresh_client *client, enum client_state *state, struct error *err)
{
    const struct bytes get[] = {bytes_of("GET"), bytes_of(client->lease.text)};
    struct redisReply *reply;
    char holder[80] = "";
    if (redis_link_call(&client->link, get, 2, &reply, err) != STATUS_OK)
        return err->code;
    struct bytes text = redis_reply_text(reply);
    if (text.data == NULL)
        *state = CLIENT_NOBODY;
    else
        snprintf(holder, sizeof holder, "%.*s", (int)text.len, text.data);
    redis_reply_free(reply);
    if (*state == CLIENT_WAITING && !client->has_met_holder)
        log_write(LOG_INFO, "no daemon answers; asking on while somebody has the lease",
                  LOG_FIELDS(log_text("holder", holder)));
    client->has_met_holder = client->has_met_holder || *state == CLIENT_WAITING;
    return STATUS_OK;
}

static enum status wait_for_result(struct refresh_client *client, enum client_state *state, struct error *err)
{
    *state = CLIENT_WAITING;
    client->waiting_since_ms = clock_monotonic_ms();
    client->heard_ms = 0;
    if (redis_link_fd(&client->subscription) < 0 &&
        redis_link_subscribe(&client->subscription, client->events.text, err) != STATUS_OK)
        return err->code;
    while (*state == CLIENT_WAITING) {
        if (step(client, state, err) != STATUS_OK)
            return err->code;
        int64_t now_ms = clock_monotonic_ms();
        if (*state == CLIENT_WAITING && now_ms - client->began_ms > GIVE_UP_MS)
            *state = CLIENT_TIMED_OUT;
        else if (*state == CLIENT_WAITING && is_silent(client, now_ms) &&
                 look_for_holder(client, state, err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

/* *is_beaten: another worker took the lease first, and can be asked. The signal mask is then restored: the daemon takes
 * signals from a descriptor, but they must end a process that waits again. */
static enum exit_status refresh_here(const struct refresh_client *client, bool *is_beaten)
{
    const struct daemon_options once = {.once = true, .is_beaten = is_beaten};
    sigset_t signals;
    *is_beaten = false;
    log_write(LOG_INFO, "no daemon answers; refreshing in this process", NULL);
    bool is_known = pthread_sigmask(SIG_SETMASK, NULL, &signals) == 0;
    enum exit_status exit_status = daemon_run(client->settings, &once);
    if (*is_beaten && is_known)
        (void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
    return exit_status;
}

static enum exit_status conclude(const struct refresh_client *client, enum client_state state)
{
    switch (state) {
    case CLIENT_PUBLISHED:
        log_write(LOG_INFO, "the daemon published a generation",
                  LOG_FIELDS(log_int("generation", (int64_t)client->generation),
                             log_int("waited_ms", clock_monotonic_ms() - client->began_ms)));
        return EXIT_DONE;
    case CLIENT_FAILED:
        log_write(LOG_ERROR, "the daemon's refresh failed", LOG_FIELDS(log_text("phase", client->word)));
        return EXIT_FAILED;
    case CLIENT_NOBODY:
    case CLIENT_WAITING:
    case CLIENT_TIMED_OUT:
        break;
    }
    log_write(LOG_ERROR, "the daemon's refresh did not end in time", NULL);
    return EXIT_FAILED;
}

enum exit_status refresh_client_run(const struct settings *settings)
{
    struct refresh_client client = {.settings = settings, .began_ms = clock_monotonic_ms()};
    enum client_state state = CLIENT_WAITING;
    enum exit_status exit_status = EXIT_FAILED;
    struct error err;
    bool is_beaten = false;
    client.lease = redis_name_of(settings->redis_prefix, REDIS_LEASE);
    client.events = redis_name_events(settings->redis_prefix, settings->redis.db);
    client.inbox = redis_name_requests(settings->redis_prefix, settings->redis.db);
    redis_link_init(&client.subscription, &settings->redis, settings->redis_timeout_ms);
    redis_link_init(&client.link, &settings->redis, settings->redis_timeout_ms);
    make_id(&client.id);
    enum status status;
    do {
        status = wait_for_result(&client, &state, &err);
        if (status == STATUS_OK && state == CLIENT_NOBODY)
            exit_status = refresh_here(&client, &is_beaten);
    } while (status == STATUS_OK && state == CLIENT_NOBODY && is_beaten);
    redis_link_close(&client.link);
    redis_link_close(&client.subscription);
    if (status != STATUS_OK)
        log_write(LOG_ERROR, "Redis cannot be used", LOG_FIELDS(log_text("error", err.message)));
    else if (state != CLIENT_NOBODY)
        exit_status = conclude(&client, state);
    return exit_status;
}
