/* api/auth/users.h - the users of BASIC_AUTH_USERS, which of them BASIC_AUTH_READONLY lists, and what is remembered of
 * their passwords. A set is reference-counted and never changes, except for what is remembered; a new one replaces it
 * when the settings are read again. Any thread.
 *
 * No password is kept: for one given in clear, a tag (siphash.h) of "name:password"; for a hash, the tag of the first
 * credentials that matched it. So recognising credentials costs one tag and a comparison per user, whatever is right or
 * wrong with them. */
#ifndef ECOSYS_API_AUTH_USERS_H
#define ECOSYS_API_AUTH_USERS_H

#include <stdatomic.h>

#include "api/auth/siphash.h"
#include "common/base/arena.h"

struct user {
    struct bytes name;
    const char *hash; /* NULL: the password was given in clear */
    bool is_readonly; /* may read, but not ask for a refresh */
    atomic_int memory;
    struct siphash_tag tag; /* valid, and final, once `memory` says so */
};

struct users {
    atomic_size_t references;
    struct arena arena;
    struct user *list;
    size_t count;
    size_t readonly_count;
    size_t *hashed; /* indices of those with a hash */
    size_t hashed_count;
    struct siphash_key decoy_key; /* chooses what an unknown name is verified against */
};

/* Reads "user:pass,user2:pass2" and "user,user2" (empty: none). What `before` (or NULL) remembers of users whose
 * hash is unchanged is taken over. STATUS_INVALID names the variable and the number of the entry, never its text. */
MUST_CHECK enum status users_load(const char *users, const char *readonly, const struct siphash_key *key,
                                  struct users *before, struct users **out, struct error *err);

struct users *users_ref(struct users *users);
void users_unref(struct users *users); /* NULL is fine */

/* The user whose remembered credentials have this tag, or NULL; takes the same time for any tag. */
const struct user *users_recognise(const struct users *users, const struct siphash_tag *tag);

/* The user against whose hash credentials with that name must be verified; at least one user must have a hash.
 * *is_theirs tells whether that is the named user. If not (an unknown name, or one whose password was given in clear),
 * it is a decoy, always the same for the same name, so that the time taken tells nothing. */
struct user *users_to_verify(const struct users *users, struct bytes name, bool *is_theirs);

/* Remembers credentials that matched the user's hash; the first ones stay. */
void users_remember(struct user *user, const struct siphash_tag *tag);

#endif
