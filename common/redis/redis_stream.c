/* common/redis/redis_stream.c - a non-blocking socket, with TLS on top of it if the address says so, and the only place
 * that waits. */
#include "common/redis/redis_stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/redis/redis_tls.h"

/* A peer that disappears silently is noticed after half a minute: 15 s of silence, then probes. */
#define KEEP_ALIVE_IDLE_S  15
#define KEEP_ALIVE_EVERY_S 5
#define KEEP_ALIVE_PROBES  3

struct redis_stream {
    const struct redis_address *address; /* not owned */
    int64_t timeout_ms;
    int fd;
    struct redis_tls *tls; /* NULL: none */
};

/* ---- One attempt, without waiting */

static enum attempt judge_socket(ssize_t result, size_t *moved, enum attempt wait)
{
    if (result > 0) {
        *moved = (size_t)result;
        return ATTEMPT_DONE;
    }
    if (result == 0)
        return ATTEMPT_END;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? wait : ATTEMPT_FAILED;
}

static enum attempt try_read(struct redis_stream *stream, char *data, size_t size, size_t *moved)
{
    if (stream->tls != NULL)
        return redis_tls_read(stream->tls, data, size, moved);
    return judge_socket(recv(stream->fd, data, size, 0), moved, ATTEMPT_WAIT_TO_READ);
}

static enum attempt try_write(struct redis_stream *stream, struct bytes data, size_t *moved)
{
    if (stream->tls != NULL)
        return redis_tls_write(stream->tls, data.data, data.len, moved);
    return judge_socket(send(stream->fd, data.data, data.len, MSG_NOSIGNAL), moved, ATTEMPT_WAIT_TO_WRITE);
}

static enum status failed(const struct redis_stream *stream, enum attempt attempt, struct error *err)
{
    if (attempt == ATTEMPT_END)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: Server closed the connection");
    if (stream->tls != NULL)
        return redis_tls_explain(stream->tls, err);
    return error_set(err, STATUS_UNAVAILABLE, "Redis: %s", strerror(errno));
}

/* ---- Waiting */

static bool await(int fd, short events, int64_t deadline_ms)
{
    struct pollfd waited = {fd, events, 0};
    int ready;
    do {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        ready = poll(&waited, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* Waits for what an attempt needs; an attempt that has ended or failed is an error. */
static enum status await_attempt(const struct redis_stream *stream, enum attempt attempt, int64_t deadline_ms,
                                 struct error *err)
{
    if (attempt != ATTEMPT_WAIT_TO_READ && attempt != ATTEMPT_WAIT_TO_WRITE)
        return failed(stream, attempt, err);
    if (await(stream->fd, attempt == ATTEMPT_WAIT_TO_READ ? POLLIN : POLLOUT, deadline_ms))
        return STATUS_OK;
    return error_set(err, STATUS_UNAVAILABLE, "Redis did not answer in %lld ms",
                     (long long)stream->timeout_ms);
}

static int64_t deadline_of(const struct redis_stream *stream)
{
    return clock_monotonic_ms() + stream->timeout_ms;
}

enum status redis_stream_write(struct redis_stream *stream, struct bytes data, struct error *err)
{
    int64_t deadline_ms = deadline_of(stream);
    while (data.len > 0) {
        size_t moved = 0;
        enum attempt attempt = try_write(stream, data, &moved);
        if (attempt == ATTEMPT_DONE) {
            data = (struct bytes){data.data + moved, data.len - moved};
            deadline_ms = deadline_of(stream);
        } else if (await_attempt(stream, attempt, deadline_ms, err) != STATUS_OK)
            return err->code;
    }
    return STATUS_OK;
}

enum status redis_stream_read(struct redis_stream *stream, char *data, size_t size, size_t *len,
                              struct error *err)
{
    int64_t deadline_ms = deadline_of(stream);
    enum attempt attempt;
    while ((attempt = try_read(stream, data, size, len)) != ATTEMPT_DONE)
        if (await_attempt(stream, attempt, deadline_ms, err) != STATUS_OK)
            return err->code;
    return STATUS_OK;
}

enum status redis_stream_read_now(struct redis_stream *stream, char *data, size_t size, size_t *len,
                                  struct error *err)
{
    enum attempt attempt = try_read(stream, data, size, len);
    if (attempt == ATTEMPT_DONE)
        return STATUS_OK;
    if (attempt != ATTEMPT_WAIT_TO_READ && attempt != ATTEMPT_WAIT_TO_WRITE)
        return failed(stream, attempt, err);
    *len = 0;
    return STATUS_OK;
}

/* ---- Connecting */

/* Returns 0 or an errno. */
static int finish_connect(int fd, int64_t timeout_ms)
{
    int problem = 0;
    socklen_t size = sizeof problem;
    if (!await(fd, POLLOUT, clock_monotonic_ms() + timeout_ms))
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno;
}

static enum status connect_socket(struct redis_stream *stream, int family, const struct sockaddr *address,
                                  socklen_t len, struct error *err)
{
    int problem = 0;
    stream->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream->fd < 0)
        problem = errno;
    else if (connect(stream->fd, address, len) != 0)
        problem =
            errno == EINPROGRESS || errno == EINTR ? finish_connect(stream->fd, stream->timeout_ms) : errno;
    if (problem == 0)
        return STATUS_OK;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    return error_set(err, STATUS_UNAVAILABLE, "Redis: %s", strerror(problem));
}

static enum status connect_unix(struct redis_stream *stream, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = stream->address->unix_path;
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: %s", strerror(ENAMETOOLONG));
    memcpy(address.sun_path, path, strlen(path));
    return connect_socket(stream, AF_UNIX, (const struct sockaddr *)&address, sizeof address, err);
}

/* Commands are sent at once (no Nagle delay), and even a connection that only listens notices a network that drops
 * packets. */
static bool set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_EVERY_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_PROBES},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int)) != 0)
            return false;
    return true;
}

/* Connects to the first address that answers; if none does, the error is the last one's. */
static enum status connect_tcp(struct redis_stream *stream, struct error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char port[8];
    snprintf(port, sizeof port, "%u", stream->address->port);
    int problem = getaddrinfo(stream->address->host, port, &hints, &found);
    if (problem != 0)
        return error_set(err, STATUS_UNAVAILABLE, "Redis: host %s: %s", stream->address->host,
                         problem == EAI_SYSTEM ? strerror(errno) : gai_strerror(problem));
    enum status status = STATUS_UNAVAILABLE;
    for (const struct addrinfo *next = found; next != NULL && status != STATUS_OK; next = next->ai_next)
        status = connect_socket(stream, next->ai_family, next->ai_addr, next->ai_addrlen, err);
    freeaddrinfo(found);
    if (status == STATUS_OK && !set_options(stream->fd))
        return failed(stream, ATTEMPT_FAILED, err);
    return status;
}

static enum status start_tls(struct redis_stream *stream, struct error *err)
{
    int64_t deadline_ms = deadline_of(stream);
    if (redis_tls_new(stream->fd, stream->address, &stream->tls, err) != STATUS_OK)
        return err->code;
    enum attempt attempt;
    while ((attempt = redis_tls_shake_hands(stream->tls)) != ATTEMPT_DONE)
        if (await_attempt(stream, attempt, deadline_ms, err) != STATUS_OK)
            return attempt == ATTEMPT_FAILED
                       ? err->code
                       : error_context(err, "TLS handshake with %s:%u, which may not speak TLS",
                                       stream->address->host, stream->address->port);
    return STATUS_OK;
}

enum status redis_stream_open(const struct redis_address *address, int64_t timeout_ms,
                              struct redis_stream **out, struct error *err)
{
    struct redis_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return error_no_memory(err);
    *stream = (struct redis_stream){.address = address, .timeout_ms = timeout_ms, .fd = -1};
    enum status status = address->unix_path != NULL ? connect_unix(stream, err) : connect_tcp(stream, err);
    if (status == STATUS_OK && address->tls)
        status = start_tls(stream, err);
    if (status == STATUS_OK)
        *out = stream;
    else
        redis_stream_free(stream);
    return status;
}

void redis_stream_free(struct redis_stream *stream)
{
    if (stream == NULL)
        return;
    redis_tls_free(stream->tls);
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream);
}

int redis_stream_fd(const struct redis_stream *stream)
{
    return stream->fd;
}

const char *redis_stream_protection(const struct redis_stream *stream)
{
    if (stream->tls != NULL)
        return redis_tls_version(stream->tls);
    return stream->address->unix_path != NULL ? "a Unix socket" : "TCP without TLS";
}
