/* api/auth.h - HTTP Basic authentication: who asks, from where, and whether that may be told. Users come as an argument,
 * since they may be replaced while requests are under way. Any thread. */
#ifndef ECOSYS_API_AUTH_H
#define ECOSYS_API_AUTH_H

#include "api/proxies.h"
#include "api/request.h"
#include "api/throttle.h"
#include "api/users.h"
#include "api/verifier.h"
#include "common/settings.h"

struct auth {
    struct siphash_key key; /* of this process: what is remembered of credentials is tagged with it */
    struct proxies proxies;
    struct throttle throttle;
    struct verifier verifier; /* runs from auth_start to auth_stop */
};

/* STATUS_INVALID: TRUSTED_PROXIES. auth_clear must follow, whatever the result. */
MUST_CHECK enum status auth_init(struct auth *auth, struct arena *arena, const struct settings *settings,
                                 struct error *err);
void auth_clear(struct auth *auth);

/* The users of the settings; see users_load. */
MUST_CHECK enum status auth_load_users(const struct auth *auth, const struct settings *settings,
                                       struct users *before, struct users **out, struct error *err);

MUST_CHECK enum status auth_start(struct auth *auth, const struct settings *settings, struct error *err);
void auth_stop(struct auth *auth);

enum auth_result {
    AUTH_OK,
    AUTH_MISSING,     /* no credentials, or of another scheme */
    AUTH_UNDECODABLE, /* not base64 of user:password */
    AUTH_WRONG,
    AUTH_THROTTLED,  /* not looked at: too many wrong ones from this address */
    AUTH_UNVERIFIED, /* auth_verify is to be called */
};

/* Checks a request's credentials by what is remembered. *is_readonly is set with AUTH_OK. Takes the same time whether or
 * not user or password exist. */
enum auth_result auth_check(struct auth *auth, const struct users *users, const struct request *request,
                            const struct address *peer, bool *is_readonly);

/* Has credentials verified that auth_check has left open. */
enum verifier_result auth_verify(struct auth *auth, struct users *users, const struct request *request,
                                 const struct address *peer, struct wait *wait);

/* Logs how many credentials were refused since the last time, if any were. */
void auth_report(struct auth *auth);

#endif
