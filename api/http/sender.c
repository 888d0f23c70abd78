/* api/http/sender.c - libevent would first wait until the socket is writable, which it nearly always is: three more
 * system calls per answer. So libevent writes only what is left over. */
#include "api/http/sender.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define WRITE_AT_ONCE (4u * 1024u * 1024u) /* libevent's own limit is 16 KiB a write */

bool sender_init(struct sender *sender, struct bufferevent *stream, int64_t timeout_s)
{
    struct timeval timeout = {timeout_s, 0};
    *sender = (struct sender){.stream = stream};
    return bufferevent_set_max_single_write(stream, WRITE_AT_ONCE) == 0 &&
           bufferevent_set_timeouts(stream, NULL, &timeout) == 0 &&
           bufferevent_disable(stream, EV_WRITE) == 0;
}

size_t sender_unsent_len(const struct sender *sender)
{
    return evbuffer_get_length(bufferevent_get_output(sender->stream));
}

bool sender_add(struct sender *sender, const struct response_context *context, struct response *take_response)
{
    bool is_copied;
    bool is_whole = response_append(bufferevent_get_output(sender->stream), bufferevent_getfd(sender->stream),
                                    context, take_response, &is_copied);
    sender->refers_to_body = sender->refers_to_body || !is_copied;
    sender->has_sent_body = !is_copied && sender_unsent_len(sender) == 0;
    return is_whole;
}

/* libevent also reports a socket that has failed, as then everything is left over. Enabling EV_WRITE again would
 * restart the timeout, and a client that keeps sending without reading would never be late. */
void sender_flush(struct sender *sender)
{
    struct evbuffer *output = bufferevent_get_output(sender->stream);
    bool is_enabled = (bufferevent_get_enabled(sender->stream) & EV_WRITE) != 0;
    if (evbuffer_get_length(output) > 0) {
        evbuffer_unfreeze(output, 1); /* libevent keeps its front from others */
        evbuffer_write_atmost(output, bufferevent_getfd(sender->stream), WRITE_AT_ONCE);
        evbuffer_freeze(output, 1);
    }
    sender->refers_to_body = sender->refers_to_body && evbuffer_get_length(output) > 0;
    if (!is_enabled && evbuffer_get_length(output) > 0)
        bufferevent_enable(sender->stream, EV_WRITE);
}

void sender_rest(struct sender *sender)
{
    bufferevent_disable(sender->stream, EV_WRITE);
}
