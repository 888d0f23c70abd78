/* api/users.h - the users of BASIC_AUTH_USERS, which of them BASIC_AUTH_READONLY lists, and what is remembered of their
 * passwords. A set is counted by reference and never changes, but for what is remembered; another one takes its place
 * when the settings are read again. Any thread.
 *
 * No password is kept: of one that was given in clear a tag (siphash.h) of "name:password", of a hash the tag of the
 * credentials that were first found to match it. So to know credentials again costs one tag and as many comparisons as
 * there are users, whatever is right or wrong about them. */
#ifndef ECOSYS_API_USERS_H
#define ECOSYS_API_USERS_H

#include <stdatomic.h>

#include "api/siphash.h"
#include "common/arena.h"

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

/* Reads "user:pass,user2:pass2" and "user,user2" (empty: none). Users that `before` (or NULL) has with the same hash are
 * remembered as there. STATUS_INVALID names variable and entry by number, never by its text. */
MUST_CHECK enum status users_load(const char *users, const char *readonly, const struct siphash_key *key,
                                  struct users *before, struct users **out, struct error *err);

struct users *users_ref(struct users *users);
void users_unref(struct users *users); /* NULL: nothing */

/* The user whose remembered credentials have this tag, or NULL; takes the same time for any tag. */
const struct user *users_recognise(const struct users *users, const struct siphash_tag *tag);

/* What credentials with that name are to be verified against, when some user has a hash: *is_theirs tells whether it is
 * the user's own. If not (an unknown name, or one whose password was given in clear) it is a decoy, always the same for
 * the same name, so that the time it takes tells nothing. */
struct user *users_to_verify(const struct users *users, struct bytes name, bool *is_theirs);

/* Remembers credentials that were found to match the user's hash; the first ones stay. */
void users_remember(struct user *user, const struct siphash_tag *tag);

#endif
