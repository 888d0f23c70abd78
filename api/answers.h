/* api/answers.h - the finished answers of one generation: looked up by loops, made by the pool, each at most once at a
 * time however many ask. Bounded in bytes: what was not asked for longest goes first, answers without filter last. Any
 * thread. */
#ifndef ECOSYS_API_ANSWERS_H
#define ECOSYS_API_ANSWERS_H

#include "api/pool.h"
#include "api/wait.h"
#include "common/date_filter.h"

/* The documents that are made for a filter, or for a tenant. */
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

/* Bounds of making and keeping answers, of all generations together. */
struct answers_room {
    /* Bytes of finished answers that each generation keeps. */
    size_t kept_max;
    /* While that many bytes are kept no more but still being sent, nothing large is made anew. */
    size_t unkept_max;
    /* An answer that had to wait longer until a thread got to it is not made: who asked is told to come back. */
    int64_t wait_max_ms;
    struct body_count count;
};

struct answers;
struct generation;

/* NULL when memory is out. */
struct answers *answers_new(size_t bytes_max);
void answers_free(struct answers *answers); /* NULL is fine; nothing may be under way */

enum answers_state {
    ANSWERS_READY,   /* *out is the body, with a reference for the caller */
    ANSWERS_WAITING, /* the wait was taken and will be handed back */
    ANSWERS_BUSY,    /* the pool's queue, or the room, is full; the wait stays the caller's */
};

/* Looks the answer up and has it made when it is not there. `generation` owns the answers; a reference is kept while
 * the work is under way. */
enum answers_state answers_get(struct generation *generation, const struct answer_key *key, struct pool *pool,
                               struct wait *wait, struct body **out);

/* As answers_get without a wait: only what is finished. NULL: it is not. */
struct body *answers_find(struct answers *answers, const struct answer_key *key);

/* Writes the keys of at most `max` finished answers, those asked for last in front, and returns how many. */
size_t answers_list(struct answers *answers, struct answer_key *out, size_t max);

/* Keeps a body that was made elsewhere, with a reference of its own, as if it had been asked for just now. */
void answers_keep(struct answers *answers, const struct answer_key *key, struct body *body);

/* The same as if it had been asked for longest ago; false when another one would have to go for it. */
bool answers_keep_as_oldest(struct answers *answers, const struct answer_key *key, struct body *body);

#endif
