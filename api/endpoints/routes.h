/* api/endpoints/routes.h - which endpoints there are, what they need, and what they answer. No I/O: a handler gets all it may
 * look at in the exchange. The event loop's thread. */
#ifndef ECOSYS_API_ENDPOINTS_ROUTES_H
#define ECOSYS_API_ENDPOINTS_ROUTES_H

#include "api/auth/auth.h"
#include "api/data/follower.h"
#include "api/http/reply.h"
#include "api/http/request.h"
#include "api/http/wait.h"
#include "api/net/pool.h"
#include "common/program/settings.h"

/* All that a handler knows. */
struct exchange {
    const struct request *request;
    const struct settings *settings;
    struct auth *auth;
    const struct users *users;     /* who may ask */
    const struct address *peer;    /* the other end of the connection */
    struct generation *generation; /* newest loaded one, or NULL; a handler that keeps it takes a reference */
    const struct outlook *outlook;
    struct bytes body;         /* of the request; empty: none */
    struct pool *makers;       /* where answers are made */
    struct pool *fetchers;     /* where logins are fetched */
    struct follower *follower; /* carries refresh requests */
    struct asked *asked;       /* where filters are counted */
    int64_t now_ms;            /* since 1970-01-01 UTC */
};

struct route;

enum routes_check {
    CHECK_ANSWERED,   /* *reply is the answer */
    CHECK_PASSED,     /* routes_answer is to answer */
    CHECK_UNVERIFIED, /* call auth_verify; if the credentials are right, routes_admit decides */
};

/* Decides what can be decided before the body is read: the checks of the contract up to 403, in their order, and
 * OPTIONS. */
enum routes_check routes_check(const struct exchange *exchange, const struct route **route,
                               struct reply *reply);

/* Whether a user whose credentials are right may use the route: CHECK_PASSED, or CHECK_ANSWERED with 403. */
enum routes_check routes_admit(const struct route *route, bool is_readonly, struct reply *reply);

/* Answers a request that was read completely. HEAD is answered like GET: response_append leaves the body out. False:
 * the answer is being made; the wait was taken, will be handed back, and is then for routes_finish. True: the wait is
 * still the caller's. */
bool routes_answer(const struct exchange *exchange, const struct route *route, struct wait *wait,
                   struct reply *reply);

/* Answers a request whose wait was handed back. */
void routes_finish(const struct exchange *exchange, struct wait *wait, struct reply *reply);

#endif
