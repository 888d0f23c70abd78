/* api/auth/auth.h - HTTP Basic authentication: who is asking, from which address, and whether that address may be told.
 * Users are passed in, as they may be replaced while requests are in progress. Any thread. */
#ifndef ECOSYS_API_AUTH_AUTH_H
#define ECOSYS_API_AUTH_AUTH_H

#include "api/auth/proxies.h"
#include "api/auth/throttle.h"
#include "api/auth/users.h"
#include "api/auth/verifier.h"
#include "api/http/request.h"
#include "common/program/settings.h"

struct auth {
    struct siphash_key key; /* this process's own, for tags of remembered credentials */
    struct proxies proxies;
    struct throttle throttle;
    struct verifier verifier; /* runs from auth_start to auth_stop */
};

/* STATUS_INVALID: TRUSTED_PROXIES is invalid. auth_clear must follow, whatever the result. */
MUST_CHECK enum status auth_init(struct auth *auth, struct arena *arena, const struct settings *settings,
                                 struct error *err);
void auth_clear(struct auth *auth);

/* Loads the users from the settings; see users_load. */
MUST_CHECK enum status auth_load_users(const struct auth *auth, const struct settings *settings,
                                       struct users *before, struct users **out, struct error *err);

MUST_CHECK enum status auth_start(struct auth *auth, const struct settings *settings, struct error *err);
void auth_stop(struct auth *auth);

enum auth_result {
    AUTH_OK,
    AUTH_MISSING,     /* no credentials, or another scheme */
    AUTH_UNDECODABLE, /* not base64 of user:password */
    AUTH_WRONG,
    AUTH_THROTTLED,  /* not answered: too many wrong credentials from this address */
    AUTH_UNVERIFIED, /* call auth_verify */
};

/* Checks a request's credentials against what is remembered. Sets *is_readonly on AUTH_OK. Recognition takes the same
 * time whether or not the user exists or the password is right. */
enum auth_result auth_check(struct auth *auth, const struct users *users, const struct request *request,
                            const struct address *peer, bool *is_readonly);

/* Verifies credentials for which auth_check returned AUTH_UNVERIFIED; see verifier_submit. */
enum verifier_result auth_verify(struct auth *auth, struct users *users, struct exchange *exchange);

/* Logs how many credentials were refused since the last call, if any. */
void auth_report(struct auth *auth);

#endif
