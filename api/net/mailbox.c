/* api/net/mailbox.c - a list under a mutex, and an eventfd. */
#include "api/net/mailbox.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum status mailbox_init(struct mailbox *mailbox, struct error *err)
{
    *mailbox = (struct mailbox){.mutex = PTHREAD_MUTEX_INITIALIZER};
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->fd >= 0)
        return STATUS_OK;
    return error_set(err, STATUS_NO_MEMORY, "no mailbox for a thread: %s", strerror(errno));
}

void mailbox_clear(struct mailbox *mailbox)
{
    if (mailbox->fd >= 0)
        close(mailbox->fd);
    mailbox->fd = -1;
    pthread_mutex_destroy(&mailbox->mutex);
}

void mailbox_ring(struct mailbox *mailbox)
{
    uint64_t one = 1;
    ssize_t ignored = write(mailbox->fd, &one, sizeof one); /* full: it is ringing already */
    (void)ignored;
}

bool mailbox_post(struct mailbox *mailbox, struct mail *take_mail)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool is_open = !mailbox->is_closed;
    if (is_open) {
        take_mail->next = mailbox->first;
        mailbox->first = take_mail;
    }
    pthread_mutex_unlock(&mailbox->mutex);
    if (is_open)
        mailbox_ring(mailbox);
    return is_open;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->is_closed = true;
    pthread_mutex_unlock(&mailbox->mutex);
    mailbox_ring(mailbox);
}

struct mail *mailbox_take(struct mailbox *mailbox, bool *is_closed)
{
    uint64_t count;
    ssize_t ignored = read(mailbox->fd, &count, sizeof count); /* fails when it was not rung */
    (void)ignored;
    pthread_mutex_lock(&mailbox->mutex);
    struct mail *first = mailbox->first;
    mailbox->first = NULL;
    if (is_closed != NULL)
        *is_closed = mailbox->is_closed;
    pthread_mutex_unlock(&mailbox->mutex);
    return first;
}
