/* api/follower.c - looks at the pointer, loads what it points at, tells. Failures are logged when they begin and end,
 * not at every look. */
#include "api/follower.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/loader.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/redis_names.h"

#define LOOK_EVERY_MS 500

/* What the thread knows from look to look. */
struct watch {
    struct follower *follower;
    struct redis_link link;
    struct generation *generation; /* NULL until one was loaded */
    uint64_t refused;              /* the generation whose failure was logged last; 0: none */
    bool redis_was_ok;
    bool has_looked;
    struct outlook outlook;
};

/* The values of pointer, lease and the worker's report, in one round trip. */
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

static void take_report(struct watch *watch, struct bytes blob)
{
    struct worker_report report = {0, ""};
    struct error ignored;
    if (blob.data != NULL && codec_unpack_worker_report(blob, &report, &ignored) != STATUS_OK)
        strcpy(report.last_error, "unreadable");
    memcpy(watch->outlook.worker_error, report.last_error, sizeof report.last_error);
}

static void load(struct watch *watch, uint64_t number)
{
    struct generation *loaded;
    struct error err;
    int64_t start = clock_monotonic_ms();
    if (loader_load(&watch->link, watch->follower->settings->redis_prefix, number, &loaded, &err) !=
        STATUS_OK) {
        if (watch->refused != number)
            log_write(LOG_ERROR, "a generation cannot be loaded; the old one is served on",
                      LOG_FIELDS(log_int("generation", (int64_t)number),
                                 log_text("class", status_word(err.code)), log_text("error", err.message)));
        watch->refused = number;
        return;
    }
    generation_unref(watch->generation);
    watch->generation = loaded;
    watch->refused = 0;
    log_write(LOG_INFO, "generation loaded",
              LOG_FIELDS(log_int("generation", (int64_t)number),
                         log_int("clients", loaded->manifest.clients_count),
                         log_int("tenants", loaded->manifest.tenants_count),
                         log_int("load_ms", clock_monotonic_ms() - start)));
}

static void note_redis(struct watch *watch, bool is_ok, const struct error *err)
{
    if (!is_ok && (watch->redis_was_ok || !watch->has_looked))
        log_write(LOG_ERROR, "Redis cannot be used", LOG_FIELDS(log_text("error", err->message)));
    if (is_ok && !watch->redis_was_ok && watch->has_looked)
        log_write(LOG_INFO, "Redis can be used again", NULL);
    watch->redis_was_ok = watch->outlook.redis_is_ok = is_ok;
    watch->has_looked = true;
}

static void step(struct watch *watch)
{
    struct redisReply *reply;
    struct error err;
    enum status status = look(watch, &reply, &err);
    note_redis(watch, status == STATUS_OK, &err);
    watch->outlook.worker_is_alive = false;
    if (status == STATUS_OK) {
        const struct redisReply *current = redis_reply_item(reply, 0), *lease = redis_reply_item(reply, 1);
        const struct redisReply *worker = redis_reply_item(reply, 2);
        struct bytes pointer = current != NULL ? redis_reply_text(current) : (struct bytes){NULL, 0};
        uint64_t number = pointer.data != NULL ? strtoull(pointer.data, NULL, 10) : 0;
        watch->outlook.worker_is_alive = lease != NULL && redis_reply_text(lease).data != NULL;
        take_report(watch, worker != NULL ? redis_reply_text(worker) : (struct bytes){NULL, 0});
        redis_reply_free(reply);
        if (number != 0 && (watch->generation == NULL || watch->generation->manifest.generation != number))
            load(watch, number);
    }
    watch->follower->tell(watch->follower->context, watch->generation, &watch->outlook);
}

/* Sleeps until the next look; true when it is time to stop. */
static bool wait_for_stop(struct follower *follower)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_EVERY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&follower->mutex);
    while (!follower->is_stopping &&
           pthread_cond_timedwait(&follower->stop_asked, &follower->mutex, &until) == 0)
        continue;
    bool is_stopping = follower->is_stopping;
    pthread_mutex_unlock(&follower->mutex);
    return is_stopping;
}

static void *follow(void *context)
{
    struct follower *follower = context;
    struct watch watch = {.follower = follower};
    redis_link_init(&watch.link, &follower->settings->redis, follower->settings->redis_timeout_ms);
    do
        step(&watch);
    while (!wait_for_stop(follower));
    redis_link_close(&watch.link);
    generation_unref(watch.generation);
    return NULL;
}

enum status follower_start(struct follower *follower, const struct settings *settings, follower_tell *tell,
                           void *context, struct error *err)
{
    pthread_condattr_t attributes;
    *follower = (struct follower){.settings = settings, .tell = tell, .context = context};
    pthread_mutex_init(&follower->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&follower->stop_asked, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&follower->thread, NULL, follow, follower) == 0)
        return STATUS_OK;
    pthread_cond_destroy(&follower->stop_asked);
    pthread_mutex_destroy(&follower->mutex);
    return error_set(err, STATUS_NO_MEMORY, "no thread to follow generations");
}

void follower_stop(struct follower *follower)
{
    pthread_mutex_lock(&follower->mutex);
    follower->is_stopping = true;
    pthread_cond_signal(&follower->stop_asked);
    pthread_mutex_unlock(&follower->mutex);
    pthread_join(follower->thread, NULL);
    pthread_cond_destroy(&follower->stop_asked);
    pthread_mutex_destroy(&follower->mutex);
}
