/* api/data/documents.h - makes the documents of a generation, each only once at a time however many requests wait for
 * it, and never on an event loop. One table says how each document is made, and by which threads. */
#ifndef ECOSYS_API_DATA_DOCUMENTS_H
#define ECOSYS_API_DATA_DOCUMENTS_H

#include "api/data/generation.h"
#include "api/data/login_fetcher.h"
#include "api/http/pending.h"
#include "api/net/pool.h"

/* What making documents may take, together for all generations, and who makes them. */
struct workshop {
    struct pool *makers;   /* make documents of what is loaded */
    struct pool *fetchers; /* fetch documents from Redis; each of their threads has a struct login_fetcher */

    size_t kept_max;   /* bytes of finished documents that each generation keeps */
    size_t unkept_max; /* while so many bytes are kept no more, but still being sent, nothing large is made */
    int64_t wait_max_ms; /* what waited longer for a maker is not made: the client is told to retry */
    struct representation_count count;
};

/* Where a document came from (X-Cache). */
enum document_source { SOURCE_CACHE, SOURCE_BUCKET, SOURCE_COMPUTED };

/* A request for a document that is in the making. */
struct pending_document {
    struct pending pending;
    struct representation *document; /* owned; NULL after a failure */
    enum document_source source;

    /* Of the generation that it was made of. Not a reference: it might be the last one, and freeing a generation is no
     * work for an event loop. */
    uint64_t generation;
    int64_t taken_at_ms;
};

struct pending_document *pending_document_of(struct pending *pending);

enum documents_result {
    DOCUMENTS_FOUND,   /* *out is the document, with a reference for the caller */
    DOCUMENTS_PENDING, /* a struct pending_document will be handed back, with the document or with an error */
    DOCUMENTS_NO_MEMORY, /* memory is out */
};

/* Looks a document up, or has it made for the request of that exchange. A reference to the generation is held while it
 * is in the making. The event loop's thread. */
enum documents_result documents_get(struct generation *generation, const struct document_key *key,
                                    struct workshop *workshop, struct exchange *exchange,
                                    struct representation **out);

/* Makes the most requested documents of a new generation, before it is served: those without a filter, as JSON. Any
 * thread that may block. */
MUST_CHECK enum status documents_prepare(struct generation *generation, struct workshop *workshop,
                                         struct error *err);

/* Makes the documents last requested of `previous`, most recent first, until `deadline_ms` (monotonic) or until the
 * cache is full, so that a flip does not slow answers down. The most recent are also kept longest. What cannot be made
 * is left to the next request for it. Any thread that may block. */
void documents_warm(struct generation *generation, const struct generation *previous,
                    struct workshop *workshop, int64_t deadline_ms);

/* Makes a document, of a stored answer if there is one. `fetcher` is for documents in Redis, else NULL. Any thread that
 * may block. */
MUST_CHECK enum status documents_make(const struct generation *generation, const struct document_key *key,
                                      struct workshop *workshop, struct login_fetcher *fetcher,
                                      struct representation **out, enum document_source *source,
                                      struct error *err);

#endif
