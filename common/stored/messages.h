/* common/stored/messages.h - what APIs and workers tell each other by PUBLISH: requests for a refresh, their outcome,
 * and which filters are requested. Messages are words separated by single blanks; schemas/redis.md has the grammar.
 * They may get lost, so requests are repeated until they are answered, and answering twice does no harm. Pure; any
 * thread. */
#ifndef ECOSYS_COMMON_STORED_MESSAGES_H
#define ECOSYS_COMMON_STORED_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/domain/date_filter.h"

#define REQUEST_ID_MAX 40 /* including its NUL */

#define MESSAGE_REPEAT_MS    1000 /* interval at which a request is repeated until it is done */
#define MESSAGE_NO_WORKER_MS 2000 /* with no sign of a worker for this long, there is none */

struct request_id {
    char text[REQUEST_ID_MAX]; /* letters, digits, '-' */
};

enum message_kind {
    MESSAGE_REFRESH,    /* to the worker: refresh ID */
    MESSAGE_POPULARITY, /* to the worker: asked FIRST:LAST=COUNT ... */
    MESSAGE_QUEUED,     /* from the worker: these requests get the next refresh: queued ID ... */
    MESSAGE_STARTED,    /* their refresh has begun: started ID ... */
    MESSAGE_PUBLISHED,  /* it is published: published GENERATION ID ... (no ids right after the flip) */
    MESSAGE_FAILED,     /* it failed: failed WORD ID ... */
    MESSAGE_UNKNOWN,
};

/* A parsed message; it borrows from the bytes. */
struct message {
    enum message_kind kind;
    uint64_t generation; /* MESSAGE_PUBLISHED */
    struct bytes word;   /* MESSAGE_FAILED */
    struct bytes rest;   /* the words still to be read by message_next_id or message_next_popular */
};

struct message message_parse(struct bytes text);

/* Takes the next id; false when there are no more. Invalid words are skipped. */
bool message_next_id(struct message *message, struct request_id *out);

/* Takes the next filter with its count; false when there are no more. Invalid words are skipped. */
bool message_next_popular(struct message *message, struct date_filter *filter, uint64_t *count);

/* Append the start of a message, then its words. */
void message_begin(enum message_kind kind, struct buffer *out);
void message_add_number(struct buffer *out, uint64_t number);
void message_add_word(struct buffer *out, const char *word);
void message_add_popular(struct buffer *out, struct date_filter filter, uint64_t count);

#endif
