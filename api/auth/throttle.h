/* api/auth/throttle.h - limits how fast an address may try wrong credentials. The rules, and the reason for each, are
 * in docs/architecture.md under "Authentication".
 *
 * Each address has a budget of so many attempts a minute, which refills evenly, and one THROTTLE_FLOOD times as large
 * for attempts that were refused. An IPv6 address stands for its /64. Memory is bounded: beyond THROTTLE_ADDRESSES, the
 * address that has been silent for longest is forgotten, and has its whole budget again. Any thread. */
#ifndef ECOSYS_API_AUTH_THROTTLE_H
#define ECOSYS_API_AUTH_THROTTLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "api/auth/siphash.h"
#include "api/net/address.h"

#define THROTTLE_ADDRESSES 4096 /* whose budgets are kept */
#define THROTTLE_FAMILIAR  8192 /* pairs of an address and credentials that are remembered */
#define THROTTLE_FLOOD     10   /* times the budget: for attempts that were refused */

/* What an address tries. */
struct attempt {
    struct address address;
    struct siphash_tag credentials;
};

_Static_assert(sizeof(struct attempt) == sizeof(struct address) + sizeof(struct siphash_tag),
               "attempts are hashed and compared as bytes");

enum attempt_result {
    ATTEMPT_RIGHT,
    ATTEMPT_WRONG,
    ATTEMPT_UNCHECKED, /* not checked yet, or never */
};

/* What happened since the last report. */
struct throttle_report {
    uint64_t wrong;   /* credentials that were refused */
    uint64_t delayed; /* attempts refused because the budget was used up */
    uint64_t addresses;
    struct address worst; /* the one with most of both, and how many it had */
    uint64_t of_worst;
};

struct throttle_entry;

struct throttle {
    int64_t interval_ms; /* in which a budget grows by one; 0: no limit */
    struct siphash_key key;
    _Atomic uint64_t *familiar;    /* fingerprints */
    atomic_llong flooded_until_ms; /* until then everything from some address may be refused */
    pthread_mutex_t mutex;         /* guards the rest: */
    struct throttle_entry *entries;
    size_t entries_count;
    uint32_t *buckets;       /* chains of entries by hash of their address */
    uint32_t newest, oldest; /* most and least recently seen */
    uint64_t reports;        /* number of the one in progress */
    struct throttle_report so_far;
};

/* `per_minute` 0: no limit. throttle_clear must follow, whatever the result. */
MUST_CHECK enum status throttle_init(struct throttle *throttle, int64_t per_minute,
                                     const struct siphash_key *key, struct error *err);
void throttle_clear(struct throttle *throttle);

/* Decides whether the address may be told the result of an attempt, and charges the attempt if it was wrong. False: it
 * must be told nothing, which is counted. ATTEMPT_UNCHECKED: true if it may be checked now, which throttle_begin and
 * throttle_end must enclose. For a right attempt from an address that got in with it before, no lock is taken, except
 * while some address may be refused everything. */
MUST_CHECK bool throttle_admit(struct throttle *throttle, const struct attempt *attempt,
                               enum attempt_result result, int64_t now_ms);

/* Charges an attempt that is about to be checked; throttle_end must follow, and refunds it unless it was wrong. False:
 * it must not be checked now, which is counted. */
MUST_CHECK bool throttle_begin(struct throttle *throttle, const struct attempt *attempt, int64_t now_ms);
void throttle_end(struct throttle *throttle, const struct attempt *attempt, enum attempt_result result);

/* What happened since the last call; false if nothing did. */
bool throttle_take_report(struct throttle *throttle, struct throttle_report *out);

#endif
