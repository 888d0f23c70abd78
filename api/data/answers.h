/* api/data/answers.h - the finished answers of one generation: loops look them up, a pool makes them, each only once at a
 * time however many requests wait for it. Bounded in bytes: the least recently used go first, unfiltered answers last.
 * Any thread. */
#ifndef ECOSYS_API_DATA_ANSWERS_H
#define ECOSYS_API_DATA_ANSWERS_H

#include "api/http/wait.h"
#include "api/net/pool.h"
#include "common/domain/date_filter.h"

/* Documents, made for a filter or for a tenant. */
enum document {
    DOCUMENT_CLIENTES,
    DOCUMENT_HEALTH_PLANO,
    DOCUMENT_HEALTH_DETALHADO,
    DOCUMENT_DASHBOARD,
    DOCUMENT_LOGINS,
};

struct answer_key {
    struct date_filter filter; /* DATE_FILTER_ALL for logins */
    uint64_t tenant_id;        /* for logins, else 0 */
    enum document document;
    enum media media;
    enum encoding encoding;
};

/* Limits on making and keeping answers, shared by all generations. */
struct answers_room {
    /* Bytes of finished answers that each generation keeps. */
    size_t kept_max;
    /* While this many bytes are no longer kept but still being sent, nothing large is made. */
    size_t unkept_max;
    /* An answer that waited longer than this for a thread is not made: the client is told to retry. Not for logins. */
    int64_t wait_max_ms;
    struct body_count count;
};

struct answers;
struct generation;

/* NULL when memory is out. */
struct answers *answers_new(size_t bytes_max);
void answers_free(struct answers *answers); /* NULL is fine; nothing may be in progress */

enum answers_state {
    ANSWERS_READY,   /* *out is the body, with a reference for the caller */
    ANSWERS_WAITING, /* the wait was taken and will be handed back */
    ANSWERS_BUSY,    /* the pool's queue or the room is full, or memory is out; the wait stays the caller's */
};

/* Looks the answer up, and has it made if it is not there. `generation` owns the answers; a reference to it is held
 * while the answer is being made. */
enum answers_state answers_get(struct generation *generation, const struct answer_key *key, struct pool *pool,
                               struct wait *wait, struct body **out);

/* Like answers_get, but without a wait: NULL if the answer is not finished. */
struct body *answers_find(struct answers *answers, const struct answer_key *key);

/* Writes the keys of at most `max` finished answers, most recently used first, and returns how many. */
size_t answers_list(struct answers *answers, struct answer_key *out, size_t max);

/* Keeps a body that was made elsewhere, with a reference of its own, as the most recently used; does nothing if its key
 * is there already. */
void answers_keep(struct answers *answers, const struct answer_key *key, struct body *body);

/* The same, but as the least recently used; false if another answer would have to go for it, or memory is out. */
bool answers_keep_as_oldest(struct answers *answers, const struct answer_key *key, struct body *body);

#endif
