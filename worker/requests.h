/* worker/requests.h - the leading worker's end of the request protocol: pending requests for a refresh, their results,
 * and which filters are requested. A request that arrives during a refresh is for the next one; a repeated request is
 * answered again. Main thread only. */
#ifndef ECOSYS_WORKER_REQUESTS_H
#define ECOSYS_WORKER_REQUESTS_H

#include "common/domain/popularity.h"
#include "common/program/settings.h"
#include "common/redis/redis_link.h"
#include "common/redis/redis_names.h"
#include "common/stored/messages.h"

#define REQUESTS_MAX 2048 /* remembered; a further one replaces the oldest, if that has ended */

enum request_state { REQUEST_WAITING, REQUEST_RUNNING, REQUEST_PUBLISHED, REQUEST_FAILED };

struct request_entry {
    struct request_id id;
    enum request_state state;
    uint64_t generation; /* REQUEST_PUBLISHED */
    const char *word;    /* REQUEST_FAILED; static */
};

struct requests {
    struct redis_link subscription; /* to the requests */
    struct redis_link *link;        /* not owned; for replies */
    struct redis_name events, inbox;
    bool is_deaf;                  /* the last attempt to listen failed */
    struct request_entry *entries; /* a ring, oldest first at `first` */
    size_t first, count;
    struct popularity popularity; /* counts since the last refresh began; a failed one returns its counts */
    struct popularity in_refresh; /* taken by the running refresh */
};

/* requests_clear must follow, whatever the result. */
MUST_CHECK enum status requests_init(struct requests *requests, const struct settings *settings,
                                     struct redis_link *link, struct error *err);
void requests_clear(struct requests *requests);

/* Subscribes unless already subscribed; also after the connection was lost. Failing to is logged, once until it works
 * again; call it from time to time. */
void requests_listen(struct requests *requests);
void requests_stop_listening(struct requests *requests);

/* The descriptor to poll, -1 while not listening. */
int requests_fd(const struct requests *requests);

/* Takes and answers the messages that have arrived. Those before an error are taken, so even then requests may be
 * waiting. */
MUST_CHECK enum status requests_take(struct requests *requests, struct error *err);

/* Whether any request waits for a refresh to begin. */
bool requests_are_waiting(const struct requests *requests);

/* A refresh begins: waiting requests become its own. Writes the most popular filters to `popular`; they count again for
 * the next refresh if this one fails. */
size_t requests_begin(struct requests *requests, struct date_filter *popular, size_t popular_max);

/* The refresh ended: published (word NULL) or failed (a static word). */
void requests_end(struct requests *requests, uint64_t generation, const char *word);

/* The refresh came to nothing; its requests wait for the next one. */
void requests_requeue(struct requests *requests);

/* No further refresh will begin: waiting requests are told that theirs failed, with that static word. */
void requests_give_up(struct requests *requests, const char *word);

/* Another worker leads; it learns of waiting requests as they are repeated. */
void requests_forget(struct requests *requests);

#endif
