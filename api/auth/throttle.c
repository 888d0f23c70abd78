/* api/auth/throttle.c - a budget is one instant: until when it would have been used up at an even pace (the "generic
 * cell rate algorithm"). Entries lie in one array; their lists and chains are indices into it. */
#include "api/auth/throttle.h"

#include <stdlib.h>

#define MINUTE_MS    60000
#define IPV6_BITS    64
#define BUCKETS      THROTTLE_ADDRESSES /* a power of two, like THROTTLE_FAMILIAR */
#define NONE         UINT32_MAX
#define FIRST_REPORT 1

struct throttle_entry {
    struct address address;
    int64_t used_until_ms;
    int64_t flood_until_ms; /* the same for attempts that were refused */
    uint64_t report;        /* the one that `events` is for */
    uint64_t events;
    uint32_t newer, older; /* by when they were last seen */
    uint32_t next;         /* in its chain */
};

enum status throttle_init(struct throttle *throttle, int64_t per_minute, const struct siphash_key *key,
                          struct error *err)
{
    *throttle = (struct throttle){.interval_ms = per_minute > 0 ? MINUTE_MS / per_minute : 0,
                                  .key = *key,
                                  .mutex = PTHREAD_MUTEX_INITIALIZER,
                                  .newest = NONE,
                                  .oldest = NONE,
                                  .reports = FIRST_REPORT};
    throttle->familiar = calloc(THROTTLE_FAMILIAR, sizeof *throttle->familiar);
    throttle->entries = calloc(THROTTLE_ADDRESSES, sizeof *throttle->entries);
    throttle->buckets = malloc(BUCKETS * sizeof *throttle->buckets);
    if (throttle->familiar == NULL || throttle->entries == NULL || throttle->buckets == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < BUCKETS; i++)
        throttle->buckets[i] = NONE;
    return STATUS_OK;
}

void throttle_clear(struct throttle *throttle)
{
    free(throttle->familiar);
    free(throttle->entries);
    free(throttle->buckets);
    pthread_mutex_destroy(&throttle->mutex);
}

/* ---- Pairs of an address and credentials */

static uint64_t fingerprint(const struct throttle *throttle, const struct attempt *attempt)
{
    return siphash(&throttle->key, (struct bytes){(const char *)attempt, sizeof *attempt}).words[0];
}

/* True if the address got in with these credentials before; false also if another pair has taken their place, which is
 * rare. Takes the same time for any attempt. */
static bool is_familiar(const struct throttle *throttle, const struct attempt *attempt)
{
    uint64_t print = fingerprint(throttle, attempt);
    return atomic_load_explicit(&throttle->familiar[print % THROTTLE_FAMILIAR], memory_order_relaxed) ==
           print;
}

static void learn(struct throttle *throttle, const struct attempt *attempt)
{
    uint64_t print = fingerprint(throttle, attempt);
    atomic_store_explicit(&throttle->familiar[print % THROTTLE_FAMILIAR], print, memory_order_relaxed);
}

/* ---- Addresses */

static struct address key_of(const struct address *address)
{
    return address_is_ipv4(address) ? *address : address_masked(address, IPV6_BITS);
}

/* The start of the chain that an address belongs to. */
static uint32_t *bucket_of(const struct throttle *throttle, const struct address *key)
{
    struct siphash_tag tag = siphash(&throttle->key, (struct bytes){(const char *)key, sizeof *key});
    return &throttle->buckets[tag.words[0] % BUCKETS];
}

static struct throttle_entry *find(const struct throttle *throttle, const struct address *key)
{
    uint32_t at = *bucket_of(throttle, key);
    while (at != NONE && !address_equal(&throttle->entries[at].address, key))
        at = throttle->entries[at].next;
    return at != NONE ? &throttle->entries[at] : NULL;
}

static void unlink_from_list(struct throttle *throttle, const struct throttle_entry *entry)
{
    *(entry->newer != NONE ? &throttle->entries[entry->newer].older : &throttle->newest) = entry->older;
    *(entry->older != NONE ? &throttle->entries[entry->older].newer : &throttle->oldest) = entry->newer;
}

static void put_first(struct throttle *throttle, struct throttle_entry *entry)
{
    uint32_t at = (uint32_t)(entry - throttle->entries);
    entry->newer = NONE;
    entry->older = throttle->newest;
    *(entry->older != NONE ? &throttle->entries[entry->older].newer : &throttle->oldest) = at;
    throttle->newest = at;
}

/* Removes the least recently seen entry from list and chain. */
static struct throttle_entry *take_oldest(struct throttle *throttle)
{
    uint32_t at = throttle->oldest;
    struct throttle_entry *entry = &throttle->entries[at];
    uint32_t *link = bucket_of(throttle, &entry->address);
    while (*link != at)
        link = &throttle->entries[*link].next;
    *link = entry->next;
    unlink_from_list(throttle, entry);
    return entry;
}

/* The entry of an address, created if there is none; becomes the newest. */
static struct throttle_entry *find_or_add(struct throttle *throttle, const struct address *key)
{
    struct throttle_entry *entry = find(throttle, key);
    if (entry != NULL) {
        unlink_from_list(throttle, entry);
    } else {
        entry = throttle->entries_count < THROTTLE_ADDRESSES ? &throttle->entries[throttle->entries_count++]
                                                             : take_oldest(throttle);
        uint32_t *bucket = bucket_of(throttle, key);
        *entry = (struct throttle_entry){.address = *key, .next = *bucket};
        *bucket = (uint32_t)(entry - throttle->entries);
    }
    put_first(throttle, entry);
    return entry;
}

/* ---- Budgets */

/* Until when the budget would be used up with one more attempt. */
static int64_t used_with_one_more(const struct throttle *throttle, const struct throttle_entry *entry,
                                  int64_t now_ms)
{
    int64_t from_ms = entry->used_until_ms > now_ms ? entry->used_until_ms : now_ms;
    return from_ms + throttle->interval_ms;
}

static bool is_within(int64_t used_until_ms, int64_t now_ms)
{
    return used_until_ms - now_ms <= MINUTE_MS;
}

static void count(struct throttle *throttle, struct throttle_entry *entry, uint64_t *events)
{
    struct throttle_report *report = &throttle->so_far;
    report->addresses += entry->report != throttle->reports;
    entry->events = entry->report == throttle->reports ? entry->events + 1 : 1;
    entry->report = throttle->reports;
    (*events)++;
    if (entry->events > report->of_worst) {
        report->of_worst = entry->events;
        report->worst = entry->address;
    }
}

/* Counts an attempt that is refused for lack of budget. With the mutex. */
static void count_delayed(struct throttle *throttle, struct throttle_entry *entry, int64_t now_ms)
{
    int64_t interval_ms = throttle->interval_ms / THROTTLE_FLOOD + 1;
    int64_t from_ms = entry->flood_until_ms > now_ms ? entry->flood_until_ms : now_ms;
    entry->flood_until_ms = from_ms + interval_ms;
    long long refused_until_ms = entry->flood_until_ms - MINUTE_MS;
    if (refused_until_ms > atomic_load_explicit(&throttle->flooded_until_ms, memory_order_relaxed))
        atomic_store_explicit(&throttle->flooded_until_ms, refused_until_ms, memory_order_relaxed);
    count(throttle, entry, &throttle->so_far.delayed);
}

/* True if everything from the address is refused now, which is counted. */
static bool refuses_everything(struct throttle *throttle, const struct address *address, int64_t now_ms)
{
    if (now_ms >= atomic_load_explicit(&throttle->flooded_until_ms, memory_order_relaxed))
        return false;
    struct address key = key_of(address);
    pthread_mutex_lock(&throttle->mutex);
    struct throttle_entry *entry = find(throttle, &key);
    bool is_refused = entry != NULL && !is_within(entry->flood_until_ms, now_ms);
    if (is_refused) /* charges no budget: right credentials sent meanwhile work as soon as the guessing ends */
        count(throttle, entry, &throttle->so_far.delayed);
    pthread_mutex_unlock(&throttle->mutex);
    return is_refused;
}

/* True if the address has budget for one more attempt, which is charged if `charges`; false is counted. */
static bool try_budget(struct throttle *throttle, const struct address *address, bool charges, int64_t now_ms)
{
    struct address key = key_of(address);
    pthread_mutex_lock(&throttle->mutex);
    struct throttle_entry *entry = find_or_add(throttle, &key);
    int64_t used_until_ms = used_with_one_more(throttle, entry, now_ms);
    bool is_enough = is_within(used_until_ms, now_ms);
    if (!is_enough)
        count_delayed(throttle, entry, now_ms);
    else if (charges)
        entry->used_until_ms = used_until_ms;
    pthread_mutex_unlock(&throttle->mutex);
    return is_enough;
}

bool throttle_begin(struct throttle *throttle, const struct attempt *attempt, int64_t now_ms)
{
    return try_budget(throttle, &attempt->address, true, now_ms);
}

void throttle_end(struct throttle *throttle, const struct attempt *attempt, enum attempt_result result)
{
    struct address key = key_of(&attempt->address);
    pthread_mutex_lock(&throttle->mutex);
    struct throttle_entry *entry =
        result == ATTEMPT_WRONG ? find_or_add(throttle, &key) : find(throttle, &key);
    if (result == ATTEMPT_WRONG)
        count(throttle, entry, &throttle->so_far.wrong);
    else if (entry != NULL) /* else it was forgotten meanwhile */
        entry->used_until_ms -= throttle->interval_ms;
    pthread_mutex_unlock(&throttle->mutex);
    if (result == ATTEMPT_RIGHT)
        learn(throttle, attempt);
}

/* ---- The decision */

/* The order matters: whether everything is refused, and whether the pair is familiar, is found out whatever the result,
 * so that neither the verdict nor its time says more than it may. */
bool throttle_admit(struct throttle *throttle, const struct attempt *attempt, enum attempt_result result,
                    int64_t now_ms)
{
    bool is_pair_familiar = is_familiar(throttle, attempt);
    if (refuses_everything(throttle, &attempt->address, now_ms))
        return false;
    if (result == ATTEMPT_RIGHT && is_pair_familiar)
        return true;
    if (result == ATTEMPT_UNCHECKED)
        return try_budget(throttle, &attempt->address, false, now_ms);
    if (!throttle_begin(throttle, attempt, now_ms))
        return false;
    throttle_end(throttle, attempt, result);
    return true;
}

bool throttle_take_report(struct throttle *throttle, struct throttle_report *out)
{
    pthread_mutex_lock(&throttle->mutex);
    struct throttle_report report = throttle->so_far;
    throttle->so_far = (struct throttle_report){.wrong = 0};
    throttle->reports++;
    pthread_mutex_unlock(&throttle->mutex);
    if (report.wrong + report.delayed == 0)
        return false;
    *out = report;
    return true;
}
