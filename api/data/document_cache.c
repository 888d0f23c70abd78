/* api/data/document_cache.c - a hash table with a list by age, of documents and of those who wait for one that is being
 * made; under one mutex that is never held while anything is made. */
#include "api/data/document_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define CHAINS         16384u
#define ENTRY_OVERHEAD 256u /* bytes counted for an entry besides its content */

struct entry {
    struct document_key key;
    struct representation *made; /* NULL while it is being made */
    struct pending *waiting;     /* for it, newest first */
    struct entry *chain;         /* next one with the same hash */
    struct entry *newer, *older;
};

struct document_cache {
    pthread_mutex_t mutex;
    struct entry *chains[CHAINS];
    struct entry *newest, *oldest; /* finished ones, by last use */
    size_t bytes, bytes_max;
    uint64_t seed; /* else somebody who knows the hash could request filters that all share a chain */
};

struct document_cache *document_cache_new(size_t bytes_max)
{
    struct document_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    pthread_mutex_init(&cache->mutex, NULL);
    cache->bytes_max = bytes_max;
    ssize_t ignored = getrandom(&cache->seed, sizeof cache->seed, 0);
    (void)ignored;
    return cache;
}

static struct entry **chain_of(struct document_cache *cache, const struct document_key *key)
{
    const uint64_t words[] = {(uint64_t)key->filter.first_day,
                              (uint64_t)key->filter.last_day,
                              key->tenant_id,
                              key->document,
                              key->media,
                              key->encoding};
    return &cache->chains[XXH3_64bits_withSeed(words, sizeof words, cache->seed) % CHAINS];
}

static bool is_key(const struct document_key *a, const struct document_key *b)
{
    return a->document == b->document && a->tenant_id == b->tenant_id && a->media == b->media &&
           a->encoding == b->encoding && date_filter_compare(a->filter, b->filter) == 0;
}

static struct entry *find(struct document_cache *cache, const struct document_key *key)
{
    struct entry *entry = *chain_of(cache, key);
    while (entry != NULL && !is_key(&entry->key, key))
        entry = entry->chain;
    return entry;
}

static struct entry *add(struct document_cache *cache, const struct document_key *key)
{
    struct entry **chain = chain_of(cache, key);
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->key = *key;
    entry->chain = *chain;
    *chain = entry;
    return entry;
}

static void unchain(struct document_cache *cache, struct entry *entry)
{
    struct entry **link = chain_of(cache, &entry->key);
    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
}

static void leave_ages(struct document_cache *cache, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void become_newest(struct document_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void become_oldest(struct document_cache *cache, struct entry *entry)
{
    entry->older = NULL;
    entry->newer = cache->oldest;
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry;
    cache->oldest = entry;
}

static size_t cost_of(const struct representation *made)
{
    return made->len + ENTRY_OVERHEAD;
}

/* Removes an entry and puts it in front of those in *gone. */
static void drop(struct document_cache *cache, struct entry *entry, struct entry **gone)
{
    leave_ages(cache, entry);
    unchain(cache, entry);
    cache->bytes -= cost_of(entry->made);
    representation_let_go(entry->made);
    entry->chain = *gone;
    *gone = entry;
}

/* Without the mutex: freeing megabytes takes a while, and event loops wait for it. */
static void free_entries(struct entry *gone)
{
    for (struct entry *next; gone != NULL; gone = next) {
        next = gone->chain;
        representation_unref(gone->made);
        free(gone);
    }
}

static void put(struct document_cache *cache, struct entry *entry, struct representation *made)
{
    entry->made = representation_ref(made);
    representation_keep(made);
    cache->bytes += cost_of(made);
}

static bool is_unfiltered(const struct document_key *key)
{
    return date_filter_is_open(key->filter) && key->tenant_id == 0;
}

/* What is evicted first: the least recently used; but unfiltered documents, the most requested, only when nothing else
 * is left, so that nobody can evict them by requesting ever new filters. */
static struct entry *first_to_go(const struct document_cache *cache)
{
    struct entry *entry = cache->oldest;
    while (entry != NULL && is_unfiltered(&entry->key))
        entry = entry->newer;
    return entry != NULL ? entry : cache->oldest;
}

static void finish(struct document_cache *cache, struct entry *entry, struct representation *made)
{
    put(cache, entry, made);
    become_newest(cache, entry);
}

void document_cache_trim(struct document_cache *cache)
{
    struct entry *gone = NULL;
    pthread_mutex_lock(&cache->mutex);
    while (cache->bytes > cache->bytes_max && cache->oldest != NULL)
        drop(cache, first_to_go(cache), &gone);
    pthread_mutex_unlock(&cache->mutex);
    free_entries(gone);
}

void document_cache_free(struct document_cache *cache)
{
    if (cache == NULL)
        return;
    struct entry *gone = NULL;
    while (cache->oldest != NULL)
        drop(cache, cache->oldest, &gone);
    free_entries(gone);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

static struct representation *use(struct document_cache *cache, struct entry *entry)
{
    leave_ages(cache, entry);
    become_newest(cache, entry);
    return representation_ref(entry->made);
}

struct representation *document_cache_find(struct document_cache *cache, const struct document_key *key)
{
    pthread_mutex_lock(&cache->mutex);
    struct entry *entry = find(cache, key);
    struct representation *made = entry != NULL && entry->made != NULL ? use(cache, entry) : NULL;
    pthread_mutex_unlock(&cache->mutex);
    return made;
}

size_t document_cache_list(struct document_cache *cache, struct document_key *out, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&cache->mutex);
    for (struct entry *entry = cache->newest; entry != NULL && count < max; entry = entry->older)
        out[count++] = entry->key;
    pthread_mutex_unlock(&cache->mutex);
    return count;
}

void document_cache_keep(struct document_cache *cache, const struct document_key *key,
                         struct representation *made)
{
    pthread_mutex_lock(&cache->mutex);
    struct entry *entry = find(cache, key) == NULL ? add(cache, key) : NULL;
    if (entry != NULL)
        finish(cache, entry, made);
    pthread_mutex_unlock(&cache->mutex);
    document_cache_trim(cache);
}

bool document_cache_keep_as_oldest(struct document_cache *cache, const struct document_key *key,
                                   struct representation *made)
{
    pthread_mutex_lock(&cache->mutex);
    bool is_known = find(cache, key) != NULL;
    bool has_room = cache->bytes + cost_of(made) <= cache->bytes_max;
    struct entry *entry = !is_known && has_room ? add(cache, key) : NULL;
    if (entry != NULL) {
        put(cache, entry, made);
        become_oldest(cache, entry);
    }
    pthread_mutex_unlock(&cache->mutex);
    return is_known || entry != NULL;
}

static void forget(struct document_cache *cache, struct entry *entry)
{
    unchain(cache, entry);
    free(entry);
}

static enum document_cache_state begin(struct document_cache *cache, const struct document_key *key,
                                       struct pending *pending, struct representation **out)
{
    struct entry *entry = find(cache, key);
    enum document_cache_state state = DOCUMENT_CACHE_AWAITED;
    if (entry != NULL && entry->made != NULL) {
        *out = use(cache, entry);
        return DOCUMENT_CACHE_FOUND;
    }
    if (entry == NULL) {
        state = DOCUMENT_CACHE_BEGUN;
        entry = add(cache, key);
    }
    if (entry == NULL)
        return DOCUMENT_CACHE_NO_MEMORY;
    pending->next = entry->waiting;
    entry->waiting = pending;
    return state;
}

enum document_cache_state document_cache_begin(struct document_cache *cache, const struct document_key *key,
                                               struct pending *pending, struct representation **out)
{
    pthread_mutex_lock(&cache->mutex);
    enum document_cache_state state = begin(cache, key, pending, out);
    pthread_mutex_unlock(&cache->mutex);
    return state;
}

struct pending *document_cache_end(struct document_cache *cache, const struct document_key *key,
                                   struct representation *made)
{
    pthread_mutex_lock(&cache->mutex);
    struct entry *entry = find(cache, key); /* it is there: what is in the making is not evicted */
    struct pending *waiting = entry->waiting;
    entry->waiting = NULL;
    if (made != NULL)
        finish(cache, entry, made);
    else
        forget(cache, entry);
    pthread_mutex_unlock(&cache->mutex);
    return waiting;
}
