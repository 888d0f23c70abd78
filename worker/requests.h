/* worker/requests.h - the leading worker's ear: who asked for a refresh, what became of it, and which filters people ask
 * for. A request that comes while a refresh runs belongs to the next one; one that is repeated is answered again. Main
 * thread only. */
#ifndef ECOSYS_WORKER_REQUESTS_H
#define ECOSYS_WORKER_REQUESTS_H

#include "common/messages.h"
#include "common/popularity.h"
#include "common/redis_link.h"
#include "common/redis_names.h"
#include "common/settings.h"

#define REQUESTS_MAX 2048 /* that are remembered; the oldest one that is over goes first */

enum request_state { REQUEST_WAITING, REQUEST_RUNNING, REQUEST_PUBLISHED, REQUEST_FAILED };

struct request_entry {
    struct request_id id;
    enum request_state state;
    uint64_t generation; /* REQUEST_PUBLISHED */
    const char *word;    /* REQUEST_FAILED; static */
};

struct requests {
    struct redis_link ear;    /* subscribed to the requests */
    struct redis_link *voice; /* not owned */
    struct redis_name events, inbox;
    struct request_entry *entries; /* a ring, oldest first at `first` */
    size_t first, count;
    struct popularity popularity; /* asked for since a refresh began that came to something */
    struct popularity in_refresh; /* what the running one was begun with */
};

/* requests_clear must follow, whatever the result. */
MUST_CHECK enum status requests_init(struct requests *requests, const struct settings *settings,
                                     struct redis_link *voice, struct error *err);
void requests_clear(struct requests *requests);

/* Subscribes when that was not done or was lost. */
MUST_CHECK enum status requests_listen(struct requests *requests, struct error *err);
void requests_stop_listening(struct requests *requests);

/* The descriptor to poll, -1 while not listening. */
int requests_fd(const struct requests *requests);

/* Takes what has come and answers it. Also when it fails somebody may have asked: what came before is taken. */
MUST_CHECK enum status requests_take(struct requests *requests, struct error *err);

/* True when a request waits for a refresh to begin. */
bool requests_are_waiting(const struct requests *requests);

/* A refresh begins: who waits belongs to it. Writes the filters asked for most to `popular`; they count again for the
 * next one when this one comes to nothing. */
size_t requests_begin(struct requests *requests, struct date_filter *popular, size_t popular_max);

/* It ended: published (word NULL) or failed. */
void requests_end(struct requests *requests, uint64_t generation, const char *word);

/* It came to nothing, and the next one is theirs who waited for it. */
void requests_requeue(struct requests *requests);

/* No refresh will begin: who waits for one is told that it failed, with that static word. */
void requests_give_up(struct requests *requests, const char *word);

/* Another worker leads: it hears of who waits, as requests are repeated. */
void requests_forget(struct requests *requests);

#endif
