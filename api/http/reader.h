/* api/http/reader.h - takes one request after another out of what a connection has received. No I/O: from a libevent
 * buffer into memory of its own, from which the request borrows. One thread. */
#ifndef ECOSYS_API_HTTP_READER_H
#define ECOSYS_API_HTTP_READER_H

#include "api/http/request.h"
#include "common/base/buffer.h"

struct evbuffer;

struct reader {
    size_t scanned;         /* of the head */
    bool has_begun;         /* empty lines came, but no request yet */
    bool looks_like_head;   /* what is being read begins with "HEAD " */
    struct buffer head;     /* of the request */
    struct buffer body;     /* as much of it as was received */
    struct request request; /* borrows from `head` */
};

enum reader_state {
    READER_INCOMPLETE, /* more input is needed */
    READER_COMPLETE,
    READER_REFUSED, /* not clean HTTP, too long, or no memory: *problem says which, for the log */
};

void reader_clear(struct reader *reader); /* a zeroed one is ready for use */

/* Takes a whole head of at most `limit` bytes; COMPLETE: reader->request is valid until the next call. */
enum reader_state reader_take_head(struct reader *reader, struct evbuffer *input, size_t limit,
                                   const char **problem);

/* Takes the body that the head announced, or as much of it as there is. */
enum reader_state reader_take_body(struct reader *reader, struct evbuffer *input, const char **problem);

#endif
