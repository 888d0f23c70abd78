/* api/auth/verifier.h - verifies passwords against crypt(3) hashes. That takes tens to hundreds of ms, so it happens
 * neither on an event loop nor in the pool that makes answers, which it would starve, but in one thread of its own that
 * yields to the event loops: guessing costs a fraction of one processor at most. */
#ifndef ECOSYS_API_AUTH_VERIFIER_H
#define ECOSYS_API_AUTH_VERIFIER_H

#include "api/auth/credentials.h"
#include "api/auth/throttle.h"
#include "api/auth/users.h"
#include "api/http/pending.h"
#include "api/net/pool.h"

struct verification;
struct crypt_scratch;

struct verifier {
    struct throttle *throttle;
    struct pool pool;
    struct crypt_scratch *scratch; /* the thread's */
    atomic_bool is_stopping;
    pthread_mutex_t mutex;      /* guards the list: */
    struct verification *first; /* in progress or queued */
};

/* At most `queue` verifications wait. */
MUST_CHECK enum status verifier_start(struct verifier *verifier, struct throttle *throttle, size_t queue,
                                      struct error *err);

/* Queued verifications are skipped and answered 503. Nothing may be submitted from then on. */
void verifier_stop(struct verifier *verifier);

/* A request whose credentials are being verified: an error, or whether its user may only read. */
struct pending_verification {
    struct pending pending;
    bool is_readonly;
};

struct pending_verification *pending_verification_of(struct pending *pending);

enum verifier_result {
    VERIFIER_PENDING,   /* a struct pending_verification will be handed back */
    VERIFIER_THROTTLED, /* the address must wait before it tries again */
    VERIFIER_BUSY,      /* the queue is full, or out of memory */
};

/* Has the credentials of that exchange's request verified (ERROR_WRONG_CREDENTIALS if they are wrong). The same
 * credentials from the same address are verified once, however many requests wait for it. Some of `users`, to which a
 * reference is taken, must have a hash. The loop's thread. */
enum verifier_result verifier_submit(struct verifier *verifier, struct users *users,
                                     const struct attempt *attempt, const struct credentials *credentials,
                                     struct exchange *exchange);

#endif
