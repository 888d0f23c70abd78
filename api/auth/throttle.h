/* api/auth/throttle.h - limits how fast an address may try wrong credentials.
 *
 * Each address has a budget of so many attempts a minute, which refills evenly. An attempt is charged when it begins,
 * so that concurrent attempts are no way around it, and refunded if it was right. An address whose budget is used up is
 * not told whether anything is right, or it could go on guessing; except for credentials with which it got in before,
 * so that nobody notices a guesser at the same address. But that is an answer to a guess of those credentials, too. So
 * it ends when the attempts that are not checked use up a budget of their own, ten times as large: beyond it the
 * address is told nothing at all. An IPv6 address stands for its /64, which is one customer's as a whole.
 *
 * Memory is bounded: beyond THROTTLE_ADDRESSES, the address not heard of for longest is forgotten, and has its whole
 * budget again. Any thread. */
#ifndef ECOSYS_API_AUTH_THROTTLE_H
#define ECOSYS_API_AUTH_THROTTLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "api/auth/siphash.h"
#include "api/net/address.h"

#define THROTTLE_ADDRESSES 4096 /* whose budgets are kept */
#define THROTTLE_FAMILIAR  8192 /* pairs of an address and credentials that are remembered */
#define THROTTLE_FLOOD     10   /* times the budget: for attempts that are not checked */

/* What an address tries. */
struct attempt {
    struct address address;
    struct siphash_tag credentials;
};

_Static_assert(sizeof(struct attempt) == sizeof(struct address) + sizeof(struct siphash_tag),
               "attempts are hashed and compared as bytes");

enum attempt_end {
    ATTEMPT_RIGHT,
    ATTEMPT_WRONG,
    ATTEMPT_DROPPED, /* not checked */
};

/* What happened since the last report. */
struct throttle_report {
    uint64_t wrong;   /* credentials that were refused */
    uint64_t delayed; /* attempts not checked, as the budget was used up */
    uint64_t addresses;
    struct address worst; /* the one with the most of both, and how many it had */
    uint64_t of_worst;
};

struct throttle_entry;

struct throttle {
    int64_t interval_ms; /* in which a budget grows by one; 0: no limit */
    struct siphash_key key;
    _Atomic uint64_t *familiar;    /* fingerprints */
    atomic_llong flooded_until_ms; /* until then some address may be told nothing */
    pthread_mutex_t mutex;         /* guards the rest: */
    struct throttle_entry *entries;
    size_t entries_count;
    uint32_t *buckets;       /* chains of entries by hash of their address */
    uint32_t newest, oldest; /* most and least recently heard of */
    uint64_t reports;        /* number of the one in progress */
    struct throttle_report so_far;
};

/* `per_minute` 0: no limit. throttle_clear must follow, whatever the result. */
MUST_CHECK enum status throttle_init(struct throttle *throttle, int64_t per_minute,
                                     const struct siphash_key *key, struct error *err);
void throttle_clear(struct throttle *throttle);

/* True if the address got in with these credentials before; false also if that was forgotten, which is rare. Takes no
 * lock, and the same time for any attempt. */
bool throttle_knows(const struct throttle *throttle, const struct attempt *attempt);

/* True if the address is told nothing now, whatever its credentials; that is counted. Takes a lock only while there may
 * be such an address. */
bool throttle_refuses(struct throttle *throttle, const struct address *address, int64_t now_ms);

/* True if the address may begin an attempt now; false is counted. */
bool throttle_admits(struct throttle *throttle, const struct address *address, int64_t now_ms);

/* Begins an attempt; throttle_end must follow. False: not now, which is counted. */
bool throttle_begin(struct throttle *throttle, const struct attempt *attempt, int64_t now_ms);
void throttle_end(struct throttle *throttle, const struct attempt *attempt, enum attempt_end end);

/* What happened since the last call; false if nothing did. */
bool throttle_take_report(struct throttle *throttle, struct throttle_report *out);

#endif
