/* worker/sources/interrupt.c - shutting sockets down from another thread. */
#include "worker/sources/interrupt.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void interrupt_init(struct interrupt *interrupt)
{
    *interrupt = (struct interrupt){.mutex = PTHREAD_MUTEX_INITIALIZER};
    for (int slot = 0; slot < INTERRUPT_SLOTS; slot++)
        interrupt->sockets[slot] = -1;
}

void interrupt_clear(struct interrupt *interrupt)
{
    pthread_mutex_destroy(&interrupt->mutex);
}

/* A reader still gets what has already arrived, then the end of the stream. The server must notice too: it may be
 * waiting for room in our buffers, and a shutdown makes none; it only says that we have stopped sending. So closing
 * resets the connection. */
static void cut(int socket)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    shutdown(socket, SHUT_RDWR);
}

void interrupt_watch(struct interrupt *interrupt, enum interrupt_slot slot, int socket)
{
    pthread_mutex_lock(&interrupt->mutex);
    int duplicate = interrupt->sockets[slot] = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (interrupt->raised != STATUS_OK && duplicate >= 0)
        cut(duplicate);
    pthread_mutex_unlock(&interrupt->mutex);
}

void interrupt_unwatch(struct interrupt *interrupt, enum interrupt_slot slot)
{
    pthread_mutex_lock(&interrupt->mutex);
    if (interrupt->sockets[slot] >= 0)
        close(interrupt->sockets[slot]);
    interrupt->sockets[slot] = -1;
    pthread_mutex_unlock(&interrupt->mutex);
}

void interrupt_set_deadline(struct interrupt *interrupt, int64_t now_ms, int64_t allowed_ms,
                            const char *words)
{
    pthread_mutex_lock(&interrupt->mutex);
    interrupt->deadline_ms = allowed_ms > 0 ? now_ms + allowed_ms : 0;
    interrupt->deadline_words = words;
    pthread_mutex_unlock(&interrupt->mutex);
}

void interrupt_end_deadline(struct interrupt *interrupt)
{
    pthread_mutex_lock(&interrupt->mutex);
    interrupt->deadline_ms = 0;
    pthread_mutex_unlock(&interrupt->mutex);
}

int64_t interrupt_left_ms(struct interrupt *interrupt, int64_t now_ms)
{
    pthread_mutex_lock(&interrupt->mutex);
    int64_t deadline_ms = interrupt->deadline_ms;
    pthread_mutex_unlock(&interrupt->mutex);
    if (deadline_ms == 0)
        return INT64_MAX;
    return deadline_ms > now_ms ? deadline_ms - now_ms : 0;
}

static void raise_locked(struct interrupt *interrupt, enum status reason)
{
    if (interrupt->raised == STATUS_OK)
        interrupt->raised = reason;
    for (int slot = 0; slot < INTERRUPT_SLOTS; slot++)
        if (interrupt->sockets[slot] >= 0)
            cut(interrupt->sockets[slot]);
}

void interrupt_check_deadline(struct interrupt *interrupt, int64_t now_ms)
{
    pthread_mutex_lock(&interrupt->mutex);
    if (interrupt->deadline_ms != 0 && now_ms >= interrupt->deadline_ms) {
        if (interrupt->raised == STATUS_OK)
            interrupt->late_words = interrupt->deadline_words;
        raise_locked(interrupt, STATUS_UNAVAILABLE);
    }
    pthread_mutex_unlock(&interrupt->mutex);
}

void interrupt_raise(struct interrupt *interrupt, enum status reason)
{
    pthread_mutex_lock(&interrupt->mutex);
    raise_locked(interrupt, reason);
    pthread_mutex_unlock(&interrupt->mutex);
}

void interrupt_cut(struct interrupt *interrupt, enum interrupt_slot slot)
{
    pthread_mutex_lock(&interrupt->mutex);
    if (interrupt->sockets[slot] >= 0)
        cut(interrupt->sockets[slot]);
    pthread_mutex_unlock(&interrupt->mutex);
}

enum status interrupt_status(struct interrupt *interrupt, struct error *err)
{
    pthread_mutex_lock(&interrupt->mutex);
    enum status reason = interrupt->raised;
    const char *late = interrupt->late_words;
    pthread_mutex_unlock(&interrupt->mutex);
    if (reason == STATUS_OK)
        return STATUS_OK;
    if (reason == STATUS_CANCELLED)
        return error_set(err, reason, "told to stop");
    if (reason == STATUS_CONFLICT)
        return error_set(err, reason, "the lease was lost");
    return error_set(err, reason, "%s", late != NULL ? late : "interrupted");
}

enum status interrupt_look(struct interrupt *interrupt, int64_t now_ms, struct error *err)
{
    interrupt_check_deadline(interrupt, now_ms);
    return interrupt_status(interrupt, err);
}
