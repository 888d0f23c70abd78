/* api/loop.c - mailbox and orderly shutdown of an event loop. */
#include "api/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "api/http/connection.h"
#include "api/http/wait.h"
#include "api/net/priority.h"
#include "common/program/log.h"

/* The old generation's reference is usually not the last: the follower drops its own when all loops have switched. */
const struct newest_view *loop_look(struct loop *loop)
{
    newest_look(&loop->shared->newest, &loop->view);
    const struct generation *generation = loop->view.generation;
    uint64_t served = generation != NULL ? generation->loaded.manifest.generation : 0;
    if (atomic_load(&loop->served) != served) {
        atomic_store(&loop->served, served);
        follower_ring(loop->shared->follower);
    }
    return &loop->view;
}

static void take_mail(struct loop *loop)
{
    struct users *old_users = NULL;
    (void)loop_look(loop);
    pthread_mutex_lock(&loop->mutex);
    struct wait *waits = loop->mail_waits;
    loop->mail_waits = NULL;
    if (loop->mail_users != NULL) {
        old_users = loop->users;
        loop->users = loop->mail_users;
        loop->mail_users = NULL;
    }
    loop->is_stopping = loop->mail_stop;
    pthread_mutex_unlock(&loop->mutex);
    users_unref(old_users);
    for (struct wait *next; waits != NULL; waits = next) {
        next = waits->next;
        connection_resume(waits);
    }
}

static void end_when_idle(struct loop *loop)
{
    if (loop->is_stopping && loop->connections == NULL)
        event_base_loopbreak(loop->base);
}

static void on_stop_timeout(evutil_socket_t fd, short events, void *context)
{
    struct loop *loop = context;
    (void)fd;
    (void)events;
    log_write(LOG_WARNING, "answers under way were cut off",
              LOG_FIELDS(log_text("reason", "SHUTDOWN_TIMEOUT")));
    event_base_loopbreak(loop->base);
}

static void begin_stop(struct loop *loop)
{
    struct timeval timeout = {loop->shared->settings->shutdown_timeout_s, 0};
    /* Closed, so that new clients are refused instead of waiting in vain. */
    listener_close(&loop->listener);
    event_add(loop->stop_timer, &timeout);
    connection_retire_all(loop);
    end_when_idle(loop);
}

static void on_mail(evutil_socket_t fd, short events, void *context)
{
    struct loop *loop = context;
    uint64_t count;
    bool was_stopping = loop->is_stopping;
    (void)events;
    if (read(fd, &count, sizeof count) != sizeof count)
        return;
    take_mail(loop);
    if (loop->is_stopping && !was_stopping)
        begin_stop(loop);
}

void loop_ring(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(loop->mail_fd, &one, sizeof one); /* full: it rings already */
    (void)ignored;
}

void loop_tell_users(struct loop *loop, struct users *users)
{
    pthread_mutex_lock(&loop->mutex);
    struct users *unread = loop->mail_users;
    loop->mail_users = users_ref(users);
    pthread_mutex_unlock(&loop->mutex);
    users_unref(unread);
    loop_ring(loop);
}

void loop_hand_back(struct loop *loop, struct wait *wait)
{
    pthread_mutex_lock(&loop->mutex);
    wait->next = loop->mail_waits;
    loop->mail_waits = wait;
    pthread_mutex_unlock(&loop->mutex);
    loop_ring(loop);
}

void loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    loop->mail_stop = true;
    pthread_mutex_unlock(&loop->mutex);
    loop_ring(loop);
}

void loop_place_freed(struct loop *loop)
{
    atomic_fetch_sub_explicit(&loop->shared->connections, 1, memory_order_relaxed);
}

void loop_connection_closed(struct loop *loop)
{
    end_when_idle(loop);
}

static bool has_room(void *context)
{
    struct loop *loop = context;
    return atomic_load_explicit(&loop->shared->connections, memory_order_relaxed) <
               loop->shared->settings->connections_max ||
           connection_idlest(loop) != NULL;
}

static void welcome(void *context, int socket, const struct sockaddr *peer)
{
    struct loop *loop = context;
    long long before = atomic_fetch_add_explicit(&loop->shared->connections, 1, memory_order_relaxed);
    connection_new(loop, socket, peer, before >= loop->shared->settings->connections_max);
}

enum status loop_init(struct loop *loop, struct shared *shared, struct users *users, struct error *err)
{
    *loop = (struct loop){.shared = shared, .users = users_ref(users), .mutex = PTHREAD_MUTEX_INITIALIZER};
    idle_list_init(&loop->idle);
    loop->mail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->base = event_base_new();
    if (loop->mail_fd < 0 || loop->base == NULL)
        return error_set(err, STATUS_NO_MEMORY, "no event loop: %s", strerror(errno));
    loop->mail_event = event_new(loop->base, loop->mail_fd, EV_READ | EV_PERSIST, on_mail, loop);
    loop->stop_timer = evtimer_new(loop->base, on_stop_timeout, loop);
    if (loop->mail_event == NULL || loop->stop_timer == NULL || !turns_init(&loop->turns, loop->base) ||
        event_add(loop->mail_event, NULL) != 0)
        return error_no_memory(err);
    const struct listener_callbacks callbacks = {.has_room = has_room, .welcome = welcome, .context = loop};
    return listener_open(&loop->listener, loop->base, shared->settings, &shared->port_is_ours, &callbacks,
                         err);
}

void loop_clear(struct loop *loop)
{
    connection_free_all(loop);
    listener_close(&loop->listener);
    turns_clear(&loop->turns);
    if (loop->stop_timer != NULL)
        event_free(loop->stop_timer);
    if (loop->mail_event != NULL)
        event_free(loop->mail_event);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->mail_fd >= 0)
        close(loop->mail_fd);
    for (struct wait *wait = loop->mail_waits, *next; wait != NULL; wait = next) {
        next = wait->next;
        wait_free(wait);
    }
    newest_view_clear(&loop->view);
    users_unref(loop->users);
    users_unref(loop->mail_users);
    pthread_mutex_destroy(&loop->mutex);
}

static void *run(void *context)
{
    struct loop *loop = context;
    priority_be_prompt();
    event_base_dispatch(loop->base);
    return NULL;
}

enum status loop_start(struct loop *loop, struct error *err)
{
    if (pthread_create(&loop->thread, NULL, run, loop) == 0)
        return STATUS_OK;
    return error_set(err, STATUS_NO_MEMORY, "no thread for an event loop");
}

void loop_join(struct loop *loop)
{
    pthread_join(loop->thread, NULL);
}

const char *loop_date(struct loop *loop, int64_t unix_s)
{
    time_t now = (time_t)unix_s;
    struct tm utc;
    if (loop->date_s != unix_s) {
        gmtime_r(&now, &utc);
        strftime(loop->date, sizeof loop->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        loop->date_s = unix_s;
    }
    return loop->date;
}
