/* api/auth/users.c - two comma-separated lists, and comparisons in constant time. */
#include "api/auth/users.h"

#include <sodium/crypto_verify_16.h>
#include <stdlib.h>

#include "api/auth/credentials.h"
#include "api/auth/crypt_hash.h"

enum memory { MEMORY_NONE, MEMORY_BEING_WRITTEN, MEMORY_OF_TAG };

/* Takes the next entry off a comma-separated list, without leading blanks; false at its end. */
static bool next_entry(const char **rest, struct bytes *entry)
{
    if (*rest == NULL)
        return false;
    *rest += strspn(*rest, " ");
    *entry = (struct bytes){*rest, strcspn(*rest, ",")};
    *rest = (*rest)[entry->len] == ',' ? *rest + entry->len + 1 : NULL;
    return true;
}

static size_t count_entries(const char *list)
{
    size_t count = 1;
    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

static struct user *find(const struct users *users, struct bytes name)
{
    for (size_t i = 0; i < users->count; i++)
        if (bytes_equal(users->list[i].name, name))
            return &users->list[i];
    return NULL;
}

void users_remember(struct user *user, const struct siphash_tag *tag)
{
    int expected = MEMORY_NONE;
    if (!atomic_compare_exchange_strong(&user->memory, &expected, MEMORY_BEING_WRITTEN))
        return;
    user->tag = *tag;
    atomic_store_explicit(&user->memory, MEMORY_OF_TAG, memory_order_release);
}

static bool is_remembered(const struct user *user)
{
    return atomic_load_explicit(&user->memory, memory_order_acquire) == MEMORY_OF_TAG;
}

static enum status take_hash(struct users *users, struct user *user, struct bytes hash,
                             const struct users *before, struct error *err)
{
    if (crypt_hash_check(hash, err) != STATUS_OK)
        return err->code;
    user->hash = arena_copy(&users->arena, hash).data;
    if (user->hash == NULL)
        return error_no_memory(err);
    users->hashed[users->hashed_count++] = (size_t)(user - users->list);
    const struct user *old = before != NULL ? find(before, user->name) : NULL;
    if (old != NULL && old->hash != NULL && strcmp(old->hash, user->hash) == 0 && is_remembered(old))
        users_remember(user, &old->tag);
    return STATUS_OK;
}

/* Whether the user's credentials fit into CREDENTIALS_MAX. The password behind a hash may be short. */
static bool can_log_in(struct bytes name, struct bytes password)
{
    size_t password_len = password.data[0] == '$' ? 1 : password.len;
    return name.len + 1 + password_len <= CREDENTIALS_MAX;
}

static enum status take_user(struct users *users, struct bytes entry, const struct siphash_key *key,
                             const struct users *before, struct error *err)
{
    const char *colon = memchr(entry.data, ':', entry.len);
    if (colon == NULL || colon == entry.data || colon + 1 == entry.data + entry.len)
        return error_set(err, STATUS_INVALID, "is not user:password");
    struct bytes name = {entry.data, (size_t)(colon - entry.data)};
    struct bytes password = {colon + 1, entry.len - name.len - 1};
    if (find(users, name) != NULL)
        return error_set(err, STATUS_INVALID, "has the name of an entry before it");
    if (!can_log_in(name, password))
        return error_set(err, STATUS_INVALID,
                         "is longer than the %d bytes that a request's credentials may have",
                         CREDENTIALS_MAX);
    struct user *user = &users->list[users->count];
    user->name = arena_copy(&users->arena, name);
    if (user->name.data == NULL)
        return error_no_memory(err);
    if (password.data[0] == '$' && take_hash(users, user, password, before, err) != STATUS_OK)
        return err->code;
    if (user->hash == NULL) {
        struct siphash_tag tag = siphash(key, entry);
        users_remember(user, &tag);
    }
    users->count++;
    return STATUS_OK;
}

static enum status take_all(struct users *users, const char *list, const struct siphash_key *key,
                            const struct users *before, struct error *err)
{
    struct bytes entry;
    size_t capacity = count_entries(list);
    users->list = arena_take_array(&users->arena, capacity, sizeof *users->list);
    users->hashed = arena_take_array(&users->arena, capacity, sizeof *users->hashed);
    if (users->list == NULL || users->hashed == NULL)
        return error_no_memory(err);
    for (size_t number = 1; next_entry(&list, &entry); number++)
        if (take_user(users, entry, key, before, err) != STATUS_OK)
            return error_context(err, "BASIC_AUTH_USERS: entry %zu", number);
    return STATUS_OK;
}

static enum status take_readonly(struct users *users, const char *list, struct error *err)
{
    struct bytes entry;
    if (list[0] == '\0')
        return STATUS_OK;
    for (size_t number = 1; next_entry(&list, &entry); number++) {
        struct user *user = find(users, entry);
        if (user == NULL)
            return error_set(err, STATUS_INVALID,
                             "BASIC_AUTH_READONLY: entry %zu: names no user of BASIC_AUTH_USERS", number);
        users->readonly_count += !user->is_readonly;
        user->is_readonly = true;
    }
    return STATUS_OK;
}

/* Derived from the list itself: the same in every process that has that list, and unpredictable without it. */
static struct siphash_key make_decoy_key(const char *list)
{
    static const struct siphash_key any = {{0, 0}};
    struct siphash_tag tag = siphash(&any, bytes_of(list));
    return (struct siphash_key){{tag.words[0], tag.words[1]}};
}

enum status users_load(const char *users, const char *readonly, const struct siphash_key *key,
                       struct users *before, struct users **out, struct error *err)
{
    struct users *set = calloc(1, sizeof *set);
    if (set == NULL)
        return error_no_memory(err);
    atomic_init(&set->references, 1);
    arena_init(&set->arena);
    set->decoy_key = make_decoy_key(users);
    if (take_all(set, users, key, before, err) != STATUS_OK ||
        take_readonly(set, readonly, err) != STATUS_OK) {
        users_unref(set);
        return err->code;
    }
    *out = set;
    return STATUS_OK;
}

struct users *users_ref(struct users *users)
{
    atomic_fetch_add_explicit(&users->references, 1, memory_order_relaxed);
    return users;
}

void users_unref(struct users *users)
{
    if (users == NULL || atomic_fetch_sub_explicit(&users->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_clear(&users->arena);
    free(users);
}

/* 1 if they are equal, else 0, without a branch. */
static size_t is_same(const struct siphash_tag *a, const struct siphash_tag *b)
{
    return (size_t)crypto_verify_16((const unsigned char *)a, (const unsigned char *)b) +
           1; /* 0 or -1, plus 1 */
}

const struct user *users_recognise(const struct users *users, const struct siphash_tag *tag)
{
    size_t found = 0; /* the user's number, counted from 1 */
    for (size_t i = 0; i < users->count; i++)
        if (is_remembered(&users->list[i])) /* does not depend on the credentials */
            found |= (i + 1) * is_same(&users->list[i].tag, tag);
    return found > 0 ? &users->list[found - 1] : NULL;
}

/* The time to look the name up is negligible beside that of verifying. */
struct user *users_to_verify(const struct users *users, struct bytes name, bool *is_theirs)
{
    struct user *user = find(users, name);
    *is_theirs = user != NULL && user->hash != NULL;
    if (*is_theirs)
        return user;
    uint64_t choice = siphash(&users->decoy_key, name).words[0];
    return &users->list[users->hashed[choice % users->hashed_count]];
}
