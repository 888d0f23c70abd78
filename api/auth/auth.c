/* api/auth/auth.c - credentials that are remembered are recognised at once; the verifier checks others; the throttle
 * decides what the address may be told. */
#include "api/auth/auth.h"

#include "common/base/clock.h"
#include "common/program/log.h"

enum status auth_init(struct auth *auth, struct arena *arena, const struct settings *settings,
                      struct error *err)
{
    *auth = (struct auth){.proxies = {NULL, 0}};
    enum status status = siphash_new_key(&auth->key, err);
    /* The throttle is initialised in any case, so that it can be cleared in any. */
    if (throttle_init(&auth->throttle, settings->auth_failures, &auth->key, err) != STATUS_OK ||
        status != STATUS_OK)
        return err->code;
    return proxies_load(arena, settings->trusted_proxies, &auth->proxies, err);
}

void auth_clear(struct auth *auth)
{
    throttle_clear(&auth->throttle);
}

enum status auth_load_users(const struct auth *auth, const struct settings *settings, struct users *before,
                            struct users **out, struct error *err)
{
    return users_load(settings->basic_auth_users, settings->basic_auth_readonly, &auth->key, before, out,
                      err);
}

enum status auth_start(struct auth *auth, const struct settings *settings, struct error *err)
{
    return verifier_start(&auth->verifier, &auth->throttle, (size_t)settings->auth_queue, err);
}

void auth_stop(struct auth *auth)
{
    verifier_stop(&auth->verifier);
}

static struct attempt attempt_of(const struct auth *auth, const struct request *request,
                                 const struct address *peer, const struct credentials *credentials)
{
    return (struct attempt){proxies_find_client(&auth->proxies, peer, &request->forwarded),
                            siphash(&auth->key, credentials_text(credentials))};
}

static enum auth_result check(struct auth *auth, const struct users *users, const struct attempt *attempt,
                              bool *is_readonly)
{
    static const enum auth_result results[] = {
        [ATTEMPT_RIGHT] = AUTH_OK, [ATTEMPT_WRONG] = AUTH_WRONG, [ATTEMPT_UNCHECKED] = AUTH_UNVERIFIED};
    const struct user *user = users_recognise(users, &attempt->credentials);
    enum attempt_result result = user != NULL              ? ATTEMPT_RIGHT
                                 : users->hashed_count > 0 ? ATTEMPT_UNCHECKED
                                                           : ATTEMPT_WRONG;
    if (!throttle_admit(&auth->throttle, attempt, result, clock_monotonic_ms()))
        return AUTH_THROTTLED;
    if (user != NULL)
        *is_readonly = user->is_readonly;
    return results[result];
}

enum auth_result auth_check(struct auth *auth, const struct users *users, const struct request *request,
                            const struct address *peer, bool *is_readonly)
{
    static const enum auth_result refusals[] = {[CREDENTIALS_MISSING] = AUTH_MISSING,
                                                [CREDENTIALS_UNDECODABLE] = AUTH_UNDECODABLE,
                                                [CREDENTIALS_TOO_LONG] = AUTH_WRONG};
    struct credentials credentials;
    enum credentials_result parsed = credentials_parse(request->authorization, &credentials);
    if (parsed != CREDENTIALS_OK) /* none of these is a guess */
        return refusals[parsed];
    struct attempt attempt = attempt_of(auth, request, peer, &credentials);
    credentials_wipe(&credentials);
    return check(auth, users, &attempt, is_readonly);
}

enum verifier_result auth_verify(struct auth *auth, struct users *users, struct exchange *exchange)
{
    struct credentials credentials;
    if (credentials_parse(exchange->request->authorization, &credentials) != CREDENTIALS_OK)
        return VERIFIER_BUSY; /* auth_check would have said so */
    struct attempt attempt = attempt_of(auth, exchange->request, exchange->peer, &credentials);
    enum verifier_result result = verifier_submit(&auth->verifier, users, &attempt, &credentials, exchange);
    credentials_wipe(&credentials);
    return result;
}

void auth_report(struct auth *auth)
{
    struct throttle_report report;
    char address[ADDRESS_TEXT_SIZE];
    if (!throttle_take_report(&auth->throttle, &report))
        return;
    address_format(&report.worst, address);
    log_write(LOG_WARNING, "credentials were refused",
              LOG_FIELDS(log_int("wrong", (int64_t)report.wrong),
                         log_int("not_looked_at", (int64_t)report.delayed),
                         log_int("addresses", (int64_t)report.addresses), log_text("worst_address", address),
                         log_int("of_worst_address", (int64_t)report.of_worst)));
}
