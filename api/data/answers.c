/* api/data/answers.c - a hash table with a list by age, under one mutex that is never held while anything is made. */
#include "api/data/answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#include "api/data/generation.h"
#include "common/base/clock.h"
#include "common/program/log.h"

#define CHAINS         16384u
#define ENTRY_OVERHEAD 256u /* bytes counted for an entry besides its body */

struct entry {
    struct answer_key key;
    struct body *body;   /* NULL while it is being made */
    struct wait *waits;  /* for it, newest first */
    struct entry *chain; /* next one with the same hash */
    struct entry *newer, *older;
};

struct answers {
    pthread_mutex_t mutex;
    struct entry *chains[CHAINS];
    struct entry *newest, *oldest; /* finished ones, by last use */
    size_t bytes, bytes_max;
    uint64_t seed; /* else somebody who knows the hash could request filters that all share a chain */
};

struct answers *answers_new(size_t bytes_max)
{
    struct answers *answers = calloc(1, sizeof *answers);
    if (answers == NULL)
        return NULL;
    pthread_mutex_init(&answers->mutex, NULL);
    answers->bytes_max = bytes_max;
    ssize_t ignored = getrandom(&answers->seed, sizeof answers->seed, 0);
    (void)ignored;
    return answers;
}

static struct entry **chain_of(struct answers *answers, const struct answer_key *key)
{
    const uint64_t words[] = {(uint64_t)key->filter.first_day,
                              (uint64_t)key->filter.last_day,
                              key->tenant_id,
                              key->document,
                              key->media,
                              key->encoding};
    return &answers->chains[XXH3_64bits_withSeed(words, sizeof words, answers->seed) % CHAINS];
}

static bool is_key(const struct answer_key *a, const struct answer_key *b)
{
    return a->document == b->document && a->tenant_id == b->tenant_id && a->media == b->media &&
           a->encoding == b->encoding && date_filter_compare(a->filter, b->filter) == 0;
}

static struct entry *find(struct answers *answers, const struct answer_key *key)
{
    struct entry *entry = *chain_of(answers, key);
    while (entry != NULL && !is_key(&entry->key, key))
        entry = entry->chain;
    return entry;
}

static struct entry *add(struct answers *answers, const struct answer_key *key)
{
    struct entry **chain = chain_of(answers, key);
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->key = *key;
    entry->chain = *chain;
    *chain = entry;
    return entry;
}

static void unchain(struct answers *answers, struct entry *entry)
{
    struct entry **link = chain_of(answers, &entry->key);
    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
}

static void leave_ages(struct answers *answers, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &answers->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &answers->oldest) = entry->newer;
}

static void become_newest(struct answers *answers, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = answers->newest;
    *(entry->older != NULL ? &entry->older->newer : &answers->oldest) = entry;
    answers->newest = entry;
}

static void become_oldest(struct answers *answers, struct entry *entry)
{
    entry->older = NULL;
    entry->newer = answers->oldest;
    *(entry->newer != NULL ? &entry->newer->older : &answers->newest) = entry;
    answers->oldest = entry;
}

static size_t cost_of(const struct body *body)
{
    return body->len + ENTRY_OVERHEAD;
}

/* Removes an entry and puts it in front of those in *gone. */
static void drop(struct answers *answers, struct entry *entry, struct entry **gone)
{
    leave_ages(answers, entry);
    unchain(answers, entry);
    answers->bytes -= cost_of(entry->body);
    body_let_go(entry->body);
    entry->chain = *gone;
    *gone = entry;
}

/* Without the mutex: freeing megabytes takes a while, and event loops wait for it. */
static void free_entries(struct entry *gone)
{
    for (struct entry *next; gone != NULL; gone = next) {
        next = gone->chain;
        body_unref(gone->body);
        free(gone);
    }
}

static void put_body(struct answers *answers, struct entry *entry, struct body *body)
{
    entry->body = body_ref(body);
    body_keep(body);
    answers->bytes += cost_of(body);
}

/* What is evicted first: the least recently used; but unfiltered answers, the most requested, only when nothing else is
 * left, so that nobody can evict them by requesting ever new filters. */
static struct entry *first_to_go(const struct answers *answers)
{
    struct entry *entry = answers->oldest;
    while (entry != NULL && date_filter_is_open(entry->key.filter) && entry->key.document != DOCUMENT_LOGINS)
        entry = entry->newer;
    return entry != NULL ? entry : answers->oldest;
}

/* Sets the body of an entry that had none. Evicts others to make room, and returns them for the caller to free. */
static struct entry *finish(struct answers *answers, struct entry *entry, struct body *body)
{
    struct entry *gone = NULL;
    put_body(answers, entry, body);
    become_newest(answers, entry);
    while (answers->bytes > answers->bytes_max && answers->oldest != NULL)
        drop(answers, first_to_go(answers), &gone);
    return gone;
}

void answers_free(struct answers *answers)
{
    if (answers == NULL)
        return;
    struct entry *gone = NULL;
    while (answers->oldest != NULL)
        drop(answers, answers->oldest, &gone);
    free_entries(gone);
    pthread_mutex_destroy(&answers->mutex);
    free(answers);
}

static struct body *use(struct answers *answers, struct entry *entry)
{
    leave_ages(answers, entry);
    become_newest(answers, entry);
    return body_ref(entry->body);
}

struct body *answers_find(struct answers *answers, const struct answer_key *key)
{
    pthread_mutex_lock(&answers->mutex);
    struct entry *entry = find(answers, key);
    struct body *body = entry != NULL && entry->body != NULL ? use(answers, entry) : NULL;
    pthread_mutex_unlock(&answers->mutex);
    return body;
}

size_t answers_list(struct answers *answers, struct answer_key *out, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&answers->mutex);
    for (struct entry *entry = answers->newest; entry != NULL && count < max; entry = entry->older)
        out[count++] = entry->key;
    pthread_mutex_unlock(&answers->mutex);
    return count;
}

void answers_keep(struct answers *answers, const struct answer_key *key, struct body *body)
{
    pthread_mutex_lock(&answers->mutex);
    struct entry *entry = find(answers, key) == NULL ? add(answers, key) : NULL;
    struct entry *gone = entry != NULL ? finish(answers, entry, body) : NULL;
    pthread_mutex_unlock(&answers->mutex);
    free_entries(gone);
}

bool answers_keep_as_oldest(struct answers *answers, const struct answer_key *key, struct body *body)
{
    pthread_mutex_lock(&answers->mutex);
    bool is_known = find(answers, key) != NULL;
    bool has_room = cost_of(body) <= answers->bytes_max - answers->bytes;
    struct entry *entry = !is_known && has_room ? add(answers, key) : NULL;
    if (entry != NULL) {
        put_body(answers, entry, body);
        become_oldest(answers, entry);
    }
    pthread_mutex_unlock(&answers->mutex);
    return is_known || entry != NULL;
}

/* One answer to be made. Its entry has no body yet, so it is not evicted. */
struct making {
    struct generation *generation; /* owned */
    struct entry *entry;
    int64_t asked_ms;
};

/* Hands the result to all waits. The first one had it made; for the others it came from the cache. */
static void hand_out(struct wait *waits, struct origin origin, struct body *body, enum source source,
                     enum reply_error error)
{
    for (struct wait *wait = waits, *next; wait != NULL; wait = next) {
        next = wait->next;
        wait->origin = origin;
        if (body == NULL) {
            wait_fail(wait, error);
            continue;
        }
        wait->body = body_ref(body);
        wait->source = next == NULL ? source : SOURCE_CACHE;
        wait_done(wait);
    }
}

/* True if clients that take their answers slowly, or not at all, hold so much that no more is made for now. A dashboard
 * is always just a few hundred bytes, so it is made all the same. */
static bool is_full(const struct answers_room *room, const struct answer_key *key)
{
    return key->document != DOCUMENT_DASHBOARD && body_count_unkept(&room->count) >= room->unkept_max;
}

/* The body, or NULL, with *error set to what the waiting clients are told. */
static struct body *make_body(const struct making *making, struct fetcher *fetcher, enum source *source,
                              enum reply_error *error)
{
    const struct answer_key *key = &making->entry->key;
    struct body *body = NULL;
    struct error err;
    *error = ERROR_OVERLOADED;
    const struct answers_room *room = making->generation->room;
    bool is_too_late = fetcher == NULL && clock_monotonic_ms() - making->asked_ms > room->wait_max_ms;
    if (is_too_late || is_full(room, key))
        return NULL;
    if (fetcher != NULL)
        fetcher->asked_ms = making->asked_ms;
    enum status status = generation_make(making->generation, key, fetcher, &body, source, &err);
    /* The next generation may have what this one lacks. */
    bool is_for_now = status == STATUS_UNAVAILABLE || status == STATUS_NOT_FOUND || status == STATUS_CORRUPT;
    *error = is_for_now ? ERROR_NO_DATA : ERROR_INTERNAL;
    if (status != STATUS_OK)
        log_write(LOG_ERROR, "an answer could not be made", LOG_FIELDS(log_text("error", err.message)));
    return body;
}

static void make(void *context, void *thread_context)
{
    struct making *making = context;
    struct answers *answers = making->generation->answers;
    enum source source = SOURCE_COMPUTED;
    enum reply_error error;
    struct body *body = make_body(making, thread_context, &source, &error);
    pthread_mutex_lock(&answers->mutex);
    struct entry *entry = making->entry;
    struct wait *waits = entry->waits;
    entry->waits = NULL;
    struct entry *gone = NULL;
    if (body != NULL) {
        gone = finish(answers, entry, body);
    } else {
        unchain(answers, entry);
        free(entry);
    }
    pthread_mutex_unlock(&answers->mutex);
    hand_out(waits, generation_origin(making->generation), body, source, error);
    body_unref(body);
    free_entries(gone);
    generation_unref(making->generation);
    free(making);
}

static bool order(struct generation *generation, struct entry *entry, struct pool *pool)
{
    struct making *making = malloc(sizeof *making);
    if (making == NULL)
        return false;
    *making = (struct making){generation_ref(generation), entry, clock_monotonic_ms()};
    if (pool_submit(pool, make, making))
        return true;
    generation_unref(making->generation);
    free(making);
    return false;
}

static enum answers_state get_locked(struct generation *generation, const struct answer_key *key,
                                     struct pool *pool, struct wait *wait, struct body **out)
{
    struct answers *answers = generation->answers;
    struct entry *entry = find(answers, key);
    if (entry != NULL && entry->body != NULL) {
        *out = use(answers, entry);
        return ANSWERS_READY;
    }
    if (entry == NULL) {
        entry = is_full(generation->room, key) ? NULL : add(answers, key);
        if (entry == NULL)
            return ANSWERS_BUSY;
        if (!order(generation, entry, pool)) {
            unchain(answers, entry);
            free(entry);
            return ANSWERS_BUSY;
        }
    }
    wait->next = entry->waits;
    entry->waits = wait;
    return ANSWERS_WAITING;
}

enum answers_state answers_get(struct generation *generation, const struct answer_key *key, struct pool *pool,
                               struct wait *wait, struct body **out)
{
    struct answers *answers = generation->answers;
    pthread_mutex_lock(&answers->mutex);
    enum answers_state state = get_locked(generation, key, pool, wait, out);
    pthread_mutex_unlock(&answers->mutex);
    return state;
}
