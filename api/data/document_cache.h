/* api/data/document_cache.h - the finished documents of one generation, and who waits for one that is being made.
 * Bounded in bytes: the least recently used go first, unfiltered documents last. Makes nothing itself. Any thread. */
#ifndef ECOSYS_API_DATA_DOCUMENT_CACHE_H
#define ECOSYS_API_DATA_DOCUMENT_CACHE_H

#include "api/data/document_key.h"
#include "api/formats/representation.h"
#include "api/http/pending.h"

struct document_cache;

/* Keeps at most `bytes_max` bytes. NULL when memory is out. */
struct document_cache *document_cache_new(size_t bytes_max);
void document_cache_free(struct document_cache *cache); /* NULL is fine; nothing may be in the making */

/* The document, with a reference for the caller; NULL if it is not finished. */
struct representation *document_cache_find(struct document_cache *cache, const struct document_key *key);

enum document_cache_state {
    DOCUMENT_CACHE_FOUND,     /* *out is the document, with a reference for the caller */
    DOCUMENT_CACHE_AWAITED,   /* it is in the making: the pending request was taken and waits for it, too */
    DOCUMENT_CACHE_BEGUN,     /* the same, but the caller has to make it: document_cache_end must follow */
    DOCUMENT_CACHE_NO_MEMORY, /* the pending request stays the caller's */
};

MUST_CHECK enum document_cache_state document_cache_begin(struct document_cache *cache,
                                                          const struct document_key *key,
                                                          struct pending *pending,
                                                          struct representation **out);

/* Ends the making of a document, which is kept, with a reference of its own, or NULL if it could not be made. Returns
 * the requests that waited for it; the last one is the one that began it. document_cache_trim should follow. */
MUST_CHECK struct pending *document_cache_end(struct document_cache *cache, const struct document_key *key,
                                              struct representation *made);

/* Evicts what is beyond the limit. */
void document_cache_trim(struct document_cache *cache);

/* Writes the keys of at most `max` finished documents, most recently used first, and returns how many. */
size_t document_cache_list(struct document_cache *cache, struct document_key *out, size_t max);

/* Keeps a document, with a reference of its own, as the most recently used; does nothing if its key is there
 * already. */
void document_cache_keep(struct document_cache *cache, const struct document_key *key,
                         struct representation *made);

/* The same, but as the least recently used; false if another one would have to go for it, or memory is out. */
bool document_cache_keep_as_oldest(struct document_cache *cache, const struct document_key *key,
                                   struct representation *made);

#endif
