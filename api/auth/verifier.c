/* api/auth/verifier.c - a list of what is in progress, a pool of one thread, and verdicts. */
#include "api/auth/verifier.h"

#include <stddef.h>
#include <stdlib.h>

#include "api/auth/crypt_hash.h"
#include "common/base/clock.h"
#include "common/program/log.h"

#define THREADS 1

struct verification {
    struct verifier *verifier;
    struct verification *next;
    struct users *users; /* a reference */
    struct attempt attempt;
    struct credentials credentials;
    struct pending *waiting; /* for the verdict */
};

struct pending_verification *pending_verification_of(struct pending *pending)
{
    return (struct pending_verification *)((char *)pending - offsetof(struct pending_verification, pending));
}

static void pending_verification_free(struct pending *pending)
{
    free(pending_verification_of(pending));
}

enum status verifier_start(struct verifier *verifier, struct throttle *throttle, size_t queue,
                           struct error *err)
{
    *verifier = (struct verifier){.throttle = throttle, .mutex = PTHREAD_MUTEX_INITIALIZER};
    atomic_init(&verifier->is_stopping, false);
    verifier->scratch = crypt_scratch_new();
    if (verifier->scratch == NULL)
        return error_no_memory(err);
    void *contexts[THREADS] = {verifier->scratch};
    enum status status = pool_start(&verifier->pool, THREADS, SHARE_THIRD, contexts, queue, err);
    if (status != STATUS_OK)
        crypt_scratch_free(verifier->scratch);
    return status;
}

void verifier_stop(struct verifier *verifier)
{
    atomic_store(&verifier->is_stopping, true);
    pool_stop(&verifier->pool);
    crypt_scratch_free(verifier->scratch);
    pthread_mutex_destroy(&verifier->mutex);
}

/* Takes a verification off the list; from then on no other thread adds pending requests to it. */
static void take_off(struct verifier *verifier, struct verification *verification)
{
    pthread_mutex_lock(&verifier->mutex);
    struct verification **link = &verifier->first;
    while (*link != verification)
        link = &(*link)->next;
    *link = verification->next;
    pthread_mutex_unlock(&verifier->mutex);
}

static void verification_free(struct verification *verification)
{
    users_unref(verification->users);
    credentials_wipe(&verification->credentials);
    free(verification);
}

/* The user to whom the credentials belong, or NULL and the reason. */
static const struct user *judge(const struct verification *verification, struct crypt_scratch *scratch,
                                const struct http_error **error)
{
    bool is_theirs;
    struct user *user =
        users_to_verify(verification->users, credentials_name(&verification->credentials), &is_theirs);
    int64_t began_ms = clock_monotonic_ms();
    enum crypt_verdict verdict =
        crypt_hash_verify(user->hash, credentials_password(&verification->credentials), scratch);
    bool is_right = verdict == CRYPT_MATCHES && is_theirs;
    log_write(LOG_DEBUG, "credentials verified",
              LOG_FIELDS(log_int("duration_ms", clock_monotonic_ms() - began_ms),
                         log_text("result", is_right ? "right" : "wrong")));
    if (verdict == CRYPT_FAILED)
        log_write(LOG_ERROR, "a password hash cannot be computed",
                  LOG_FIELDS(log_text("reason", "libcrypt")));
    *error = verdict == CRYPT_FAILED ? &ERROR_INTERNAL : &ERROR_WRONG_CREDENTIALS;
    if (is_right)
        users_remember(user, &verification->attempt.credentials);
    return is_right ? user : NULL;
}

static void hand_back(struct pending *waiting, const struct user *user, const struct http_error *error)
{
    for (struct pending *next; waiting != NULL; waiting = next) {
        next = waiting->next;
        if (user == NULL) {
            pending_fail(waiting, error);
        } else {
            pending_verification_of(waiting)->is_readonly = user->is_readonly;
            pending_done(waiting);
        }
    }
}

/* In the pool's thread. Credentials recognised since they were queued are not verified again. */
static void run(void *job, void *scratch)
{
    struct verification *verification = job;
    struct verifier *verifier = verification->verifier;
    const struct http_error *error = &ERROR_OVERLOADED;
    bool is_dropped = atomic_load(&verifier->is_stopping);
    const struct user *user = users_recognise(verification->users, &verification->attempt.credentials);
    if (user == NULL && !is_dropped)
        user = judge(verification, scratch, &error);
    enum attempt_result result = user != NULL ? ATTEMPT_RIGHT
                                 : is_dropped ? ATTEMPT_UNCHECKED
                                              : ATTEMPT_WRONG;
    throttle_end(verifier->throttle, &verification->attempt, result);
    take_off(verifier, verification);
    hand_back(verification->waiting, user, error);
    verification_free(verification);
}

/* A verification of the same credentials from the same address, against the same users. */
static struct verification *find(const struct verifier *verifier, const struct users *users,
                                 const struct attempt *attempt)
{
    struct verification *verification = verifier->first;
    while (verification != NULL &&
           (verification->users != users || memcmp(&verification->attempt, attempt, sizeof *attempt) != 0))
        verification = verification->next;
    return verification;
}

static struct verification *verification_new(struct verifier *verifier, struct users *users,
                                             const struct attempt *attempt,
                                             const struct credentials *credentials)
{
    struct verification *verification = malloc(sizeof *verification);
    if (verification == NULL)
        return NULL;
    *verification =
        (struct verification){.verifier = verifier, .users = users_ref(users), .attempt = *attempt};
    verification->credentials.len = credentials->len;
    verification->credentials.name_len = credentials->name_len;
    memcpy(verification->credentials.text, credentials->text, credentials->len + 1);
    return verification;
}

/* With the mutex, after throttle_begin. */
static bool enqueue(struct verifier *verifier, struct verification *verification, struct pending *pending)
{
    if (!pool_submit(&verifier->pool, run, verification))
        return false;
    verification->waiting = pending;
    verification->next = verifier->first;
    verifier->first = verification;
    return true;
}

static enum verifier_result begin(struct verifier *verifier, struct users *users,
                                  const struct attempt *attempt, const struct credentials *credentials,
                                  struct pending *pending)
{
    if (!throttle_begin(verifier->throttle, attempt, clock_monotonic_ms()))
        return VERIFIER_THROTTLED;
    struct verification *verification = verification_new(verifier, users, attempt, credentials);
    if (verification != NULL && enqueue(verifier, verification, pending))
        return VERIFIER_PENDING;
    if (verification != NULL)
        verification_free(verification);
    throttle_end(verifier->throttle, attempt, ATTEMPT_UNCHECKED);
    return VERIFIER_BUSY;
}

static enum verifier_result join_or_begin(struct verifier *verifier, struct users *users,
                                          const struct attempt *attempt,
                                          const struct credentials *credentials, struct pending *pending)
{
    struct verification *same = find(verifier, users, attempt);
    if (same == NULL)
        return begin(verifier, users, attempt, credentials, pending);
    pending->next = same->waiting;
    same->waiting = pending;
    return VERIFIER_PENDING;
}

enum verifier_result verifier_submit(struct verifier *verifier, struct users *users,
                                     const struct attempt *attempt, const struct credentials *credentials,
                                     struct exchange *exchange)
{
    struct pending_verification *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL)
        return VERIFIER_BUSY;
    pending_init(&waiting->pending, exchange, pending_verification_free);
    pthread_mutex_lock(&verifier->mutex);
    enum verifier_result result = join_or_begin(verifier, users, attempt, credentials, &waiting->pending);
    pthread_mutex_unlock(&verifier->mutex);
    if (result != VERIFIER_PENDING)
        pending_free(&waiting->pending);
    return result;
}
