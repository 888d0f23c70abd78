/* api/loop.c - what arrives in a loop's mailbox, and its orderly end. */
#include "api/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "api/endpoints/router.h"
#include "api/http/connection.h"
#include "api/net/priority.h"
#include "common/program/log.h"

static void end_when_idle(void *context)
{
    const struct loop *loop = context;
    if (loop->clients.is_stopping && clients_are_gone(&loop->clients))
        event_base_loopbreak(loop->base);
}

static void on_stop_timeout(evutil_socket_t fd, short events, void *context)
{
    const struct loop *loop = context;
    (void)fd;
    (void)events;
    log_write(LOG_WARNING, "answers under way were cut off",
              LOG_FIELDS(log_text("reason", "SHUTDOWN_TIMEOUT")));
    event_base_loopbreak(loop->base);
}

static void begin_stop(struct loop *loop)
{
    struct timeval timeout = {loop->service.settings->shutdown_timeout_s, 0};
    /* Closed, so that new clients are refused instead of waiting in vain. */
    listener_close(&loop->listener);
    event_add(loop->stop_timer, &timeout);
    connection_retire_all(&loop->clients);
    end_when_idle(loop);
}

static void take_users(struct loop *loop)
{
    struct users *users = atomic_exchange(&loop->new_users, NULL);
    if (users == NULL)
        return;
    users_unref(loop->service.users);
    loop->service.users = users;
}

static void resume_all(struct mail *mail)
{
    for (struct mail *next; mail != NULL; mail = next) {
        next = mail->next;
        connection_resume(pending_of_mail(mail));
    }
}

static void on_mail(evutil_socket_t fd, short events, void *context)
{
    struct loop *loop = context;
    (void)fd;
    (void)events;
    struct mail *mail = mailbox_take(&loop->mailbox, NULL);
    service_look(&loop->service);
    take_users(loop);
    bool begins_to_stop = atomic_load(&loop->is_told_to_stop) && !loop->clients.is_stopping;
    if (begins_to_stop)
        loop->clients.is_stopping = true;
    resume_all(mail);
    if (begins_to_stop)
        begin_stop(loop);
}

void loop_tell_users(struct loop *loop, struct users *users)
{
    users_unref(atomic_exchange(&loop->new_users, users_ref(users)));
    mailbox_ring(&loop->mailbox);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_told_to_stop, true);
    mailbox_ring(&loop->mailbox);
}

static bool has_room(void *context)
{
    const struct loop *loop = context;
    return connection_has_room(&loop->clients);
}

static void on_accept(void *context, int take_socket, const struct sockaddr *peer)
{
    struct loop *loop = context;
    connection_new(&loop->clients, take_socket, peer);
}

static enum status open_events(struct loop *loop, struct error *err)
{
    loop->base = event_base_new();
    if (loop->base == NULL)
        return error_set(err, STATUS_NO_MEMORY, "no event loop: %s", strerror(errno));
    loop->mail_event = event_new(loop->base, loop->mailbox.fd, EV_READ | EV_PERSIST, on_mail, loop);
    loop->stop_timer = evtimer_new(loop->base, on_stop_timeout, loop);
    loop->clients.base = loop->base;
    if (loop->mail_event == NULL || loop->stop_timer == NULL || !clients_init(&loop->clients) ||
        event_add(loop->mail_event, NULL) != 0)
        return error_no_memory(err);
    return STATUS_OK;
}

enum status loop_init(struct loop *loop, const struct service *service, atomic_llong *open,
                      bool *port_is_ours, struct error *err)
{
    const struct listener_callbacks callbacks = {
        .has_room = has_room, .on_accept = on_accept, .context = loop};
    *loop = (struct loop){.service = *service,
                          .handler = router_handler(&loop->service),
                          .clients = {.settings = service->settings,
                                      .handler = &loop->handler,
                                      .mailbox = &loop->mailbox,
                                      .open = open,
                                      .closed = end_when_idle,
                                      .context = loop}};
    users_ref(loop->service.users);
    atomic_init(&loop->is_told_to_stop, false);
    atomic_init(&loop->new_users, NULL);
    current_join(service->current, &loop->service.view, &loop->mailbox);
    if (mailbox_init(&loop->mailbox, err) != STATUS_OK || open_events(loop, err) != STATUS_OK)
        return err->code;
    return listener_open(&loop->listener, loop->base, service->settings, port_is_ours, &callbacks, err);
}

void loop_clear(struct loop *loop)
{
    connection_free_all(&loop->clients);
    listener_close(&loop->listener);
    clients_clear(&loop->clients);
    if (loop->stop_timer != NULL)
        event_free(loop->stop_timer);
    if (loop->mail_event != NULL)
        event_free(loop->mail_event);
    if (loop->base != NULL)
        event_base_free(loop->base);
    resume_all(mailbox_take(&loop->mailbox, NULL)); /* their clients are gone */
    mailbox_clear(&loop->mailbox);
    current_view_clear(&loop->service.view);
    users_unref(loop->service.users);
    users_unref(atomic_load(&loop->new_users));
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
