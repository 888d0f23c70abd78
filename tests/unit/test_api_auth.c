/* tests/unit/test_api_auth.c - requests with credentials, against what is remembered and against hashes. The verifier
 * is a real one, whose thread a job of the test's can hold. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/auth/auth.h"
#include "tests/unit/support.h"

#define HASH    "$5$rounds=1000$saltstring$EkH2CRsGYmp0pi0OfIO/709NZhFzd58w2caNPa9Qao2"
#define WAIT_MS 20000

/* ana:senha and rui:senha are right; lia's password is in clear, and she may only read. */
#define USERS "ana:" HASH ",lia:clara,rui:" HASH
#define ANA   "Basic YW5hOnNlbmhh"
#define RUI   "Basic cnVpOnNlbmhh"
#define LIA   "Basic bGlhOmNsYXJh"

struct bench {
    struct arena arena;
    struct settings settings;
    struct auth auth;
    struct users *users;
    struct mailbox mailbox; /* where verdicts are handed back */
    struct mail *verdicts;  /* of those, taken but not looked at yet */
    pthread_mutex_t gate;
    int thread_is_held_fd;
};

static void wait_for(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    uint64_t count;
    if (poll(&poll_fd, 1, WAIT_MS) != 1 || read(fd, &count, sizeof count) != sizeof count)
        fail_msg("nothing came within %d ms", WAIT_MS);
}

static void hold(void *job, void *context)
{
    struct bench *bench = job;
    uint64_t one = 1;
    (void)context;
    assert_int_equal(write(bench->thread_is_held_fd, &one, sizeof one), sizeof one);
    pthread_mutex_lock(&bench->gate);
    pthread_mutex_unlock(&bench->gate);
}

static void hold_thread(struct bench *bench)
{
    pthread_mutex_lock(&bench->gate);
    assert_true(pool_submit(&bench->auth.verifier.pool, hold, bench));
    wait_for(bench->thread_is_held_fd);
}

static void let_go(struct bench *bench)
{
    pthread_mutex_unlock(&bench->gate);
}

static void setup(struct bench *bench, const char *users, int64_t failures, int64_t queue)
{
    struct error err;
    *bench = (struct bench){.settings = {.basic_auth_users = users,
                                         .basic_auth_readonly = "lia",
                                         .auth_failures = failures,
                                         .auth_queue = queue,
                                         .trusted_proxies = "127.0.0.1"},
                            .gate = PTHREAD_MUTEX_INITIALIZER};
    arena_init(&bench->arena);
    bench->thread_is_held_fd = eventfd(0, 0);
    if (mailbox_init(&bench->mailbox, &err) != STATUS_OK ||
        auth_init(&bench->auth, &bench->arena, &bench->settings, &err) != STATUS_OK ||
        auth_load_users(&bench->auth, &bench->settings, NULL, &bench->users, &err) != STATUS_OK ||
        auth_start(&bench->auth, &bench->settings, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void teardown(struct bench *bench)
{
    auth_stop(&bench->auth);
    assert_null(bench->verdicts);
    assert_null(mailbox_take(&bench->mailbox, NULL));
    users_unref(bench->users);
    auth_clear(&bench->auth);
    arena_clear(&bench->arena);
    mailbox_clear(&bench->mailbox);
    close(bench->thread_is_held_fd);
}

static struct address peer_of(const char *text)
{
    struct address address;
    assert_true(address_parse(bytes_of(text), &address));
    return address;
}

static enum auth_result check(struct bench *bench, const char *header, const char *peer, bool *is_readonly)
{
    struct request request = {.authorization = bytes_of(header)};
    struct address address = peer_of(peer);
    return auth_check(&bench->auth, bench->users, &request, &address, is_readonly);
}

static enum verifier_result verify(struct bench *bench, const char *header, const char *peer)
{
    struct request request = {.authorization = bytes_of(header)};
    struct address address = peer_of(peer);
    struct exchange exchange = {.request = &request, .peer = &address, .mailbox = &bench->mailbox};
    return auth_verify(&bench->auth, bench->users, &exchange);
}

/* The next verdict that is handed back; NULL: the credentials are right. */
static const struct http_error *take_verdict(struct bench *bench)
{
    struct pollfd rung = {.fd = bench->mailbox.fd, .events = POLLIN};
    if (bench->verdicts == NULL && poll(&rung, 1, WAIT_MS) == 1)
        bench->verdicts = mailbox_take(&bench->mailbox, NULL);
    if (bench->verdicts == NULL)
        fail_msg("no verdict came within %d ms", WAIT_MS);
    struct pending *pending = pending_of_mail(bench->verdicts);
    const struct http_error *error = pending->error;
    bench->verdicts = bench->verdicts->next;
    pending_free(pending);
    return error;
}

#define RIGHT NULL

static const char *const RESULTS[] = {[AUTH_OK] = "ok",
                                      [AUTH_MISSING] = "missing",
                                      [AUTH_WRONG] = "wrong",
                                      [AUTH_UNDECODABLE] = "undecodable",
                                      [AUTH_THROTTLED] = "throttled",
                                      [AUTH_UNVERIFIED] = "unverified"};

static void check_is(struct bench *bench, const char *header, const char *peer, enum auth_result expected)
{
    bool is_readonly;
    enum auth_result found = check(bench, header, peer, &is_readonly);
    if (found != expected)
        fail_msg("%s from %s: is %s, expected %s", header, peer, RESULTS[found], RESULTS[expected]);
}

/* Without hashes nothing is left to the verifier. */
static void test_passwords_in_clear(void **state)
{
    static const struct {
        const char *header;
        enum auth_result expected;
    } rows[] = {
        {"Basic YWRtaW46YWRtaW4xMjM=", AUTH_OK}, /* admin:admin123 */
        {"Basic eDphOmI=", AUTH_OK},             /* x:a:b */
        {"Basic bGlhOmNsYXJh", AUTH_OK},         /* lia:clara */
        {NULL, AUTH_MISSING},
        {"Bearer YWRtaW46YWRtaW4xMjM=", AUTH_MISSING},
        {"Basic YWRtaW4=", AUTH_UNDECODABLE},       /* admin */
        {"Basic YWRtaW46YWRtaW4xMg==", AUTH_WRONG}, /* admin:admin12 */
        {"Basic eDphZG1pbjEyMw==", AUTH_WRONG},     /* x:admin123 */
        {"Basic bm9ib2R5OmFkbWluMTIz", AUTH_WRONG}, /* nobody:admin123 */
        {"Basic YWRtaW46YWRtaW4xMjMA", AUTH_WRONG}, /* a NUL behind */
    };
    struct bench bench;
    (void)state;
    setup(&bench, "admin:admin123,x:a:b,lia:clara", 0, 1);
    for (size_t i = 0; i < COUNT(rows); i++)
        check_is(&bench, rows[i].header, "192.0.2.1", rows[i].expected);
    bool is_readonly;
    assert_int_equal(check(&bench, LIA, "192.0.2.1", &is_readonly), AUTH_OK);
    assert_true(is_readonly);
    assert_int_equal(check(&bench, rows[0].header, "192.0.2.1", &is_readonly), AUTH_OK);
    assert_false(is_readonly);
    teardown(&bench);
}

static void test_a_hash_is_verified_once(void **state)
{
    struct bench bench;
    bool is_readonly;
    (void)state;
    setup(&bench, USERS, 10, 10);
    check_is(&bench, LIA, "192.0.2.1", AUTH_OK);
    check_is(&bench, ANA, "192.0.2.1", AUTH_UNVERIFIED);
    assert_int_equal(verify(&bench, ANA, "192.0.2.1"), VERIFIER_PENDING);
    assert_ptr_equal(take_verdict(&bench), RIGHT);
    assert_int_equal(check(&bench, ANA, "192.0.2.1", &is_readonly), AUTH_OK);
    assert_false(is_readonly);
    check_is(&bench, ANA, "192.0.2.2", AUTH_OK);
    check_is(&bench, RUI, "192.0.2.1", AUTH_UNVERIFIED);
    teardown(&bench);
}

/* Whoever it is that does not exist or gives a wrong password, a hash is computed. */
static void test_every_failure_costs_a_verification(void **state)
{
    static const char *const wrong[] = {
        "Basic YW5hOnNlbmhhMg==", /* ana:senha2 */
        "Basic bGlhOnNlbmhh", /* lia:senha: the password is in clear, and another one's matches the decoy */
        "Basic bm9ib2R5OnNlbmhh", /* nobody:senha: so does this */
        "Basic OnNlbmhh",         /* :senha */
        "Basic YW5hOnNlbmhhAA==", /* ana:senha and a NUL */
        "Basic YW5hOg==",         /* ana: */
    };
    struct bench bench;
    (void)state;
    setup(&bench, USERS, 10, 10);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        check_is(&bench, wrong[i], "192.0.2.1", AUTH_UNVERIFIED);
        assert_int_equal(verify(&bench, wrong[i], "192.0.2.1"), VERIFIER_PENDING);
        if (take_verdict(&bench) != &ERROR_WRONG_CREDENTIALS)
            fail_msg("%s is right", wrong[i]);
        check_is(&bench, wrong[i], "192.0.2.1", AUTH_UNVERIFIED);
    }
    teardown(&bench);
}

/* Three ask with the same credentials while the first verification is under way: one is queued, and takes from the
 * address's budget; another address has one of its own, which finds the first one's result. */
static void test_equal_ones_share(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench, USERS, 2, 2);
    hold_thread(&bench);
    for (int i = 0; i < 3; i++)
        assert_int_equal(verify(&bench, ANA, "192.0.2.1"), VERIFIER_PENDING);
    assert_int_equal(verify(&bench, ANA, "192.0.2.2"), VERIFIER_PENDING);
    assert_int_equal(verify(&bench, RUI, "192.0.2.1"), VERIFIER_BUSY); /* the queue is full */
    let_go(&bench);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(take_verdict(&bench), RIGHT);
    assert_null(bench.auth.verifier.first);
    assert_int_equal(verify(&bench, RUI, "192.0.2.1"), VERIFIER_PENDING);
    assert_ptr_equal(take_verdict(&bench), RIGHT);
    teardown(&bench);
}

static void test_budget(void **state)
{
    static const char wrong[] = "Basic YW5hOnNlbmhhMg==", wrong_too[] = "Basic YW5hOg==";
    struct bench bench;
    (void)state;
    setup(&bench, USERS, 2, 10);
    check_is(&bench, LIA, "192.0.2.1", AUTH_OK);
    hold_thread(&bench);
    assert_int_equal(verify(&bench, wrong, "192.0.2.1"), VERIFIER_PENDING);
    assert_int_equal(verify(&bench, wrong_too, "192.0.2.1"), VERIFIER_PENDING);
    assert_int_equal(verify(&bench, ANA, "192.0.2.1"), VERIFIER_THROTTLED);
    let_go(&bench);
    assert_ptr_equal(take_verdict(&bench), &ERROR_WRONG_CREDENTIALS);
    assert_ptr_equal(take_verdict(&bench), &ERROR_WRONG_CREDENTIALS);
    /* Nothing more is told to this address, right or wrong, but to who got in from there before. */
    check_is(&bench, ANA, "192.0.2.1", AUTH_THROTTLED);
    check_is(&bench, wrong, "192.0.2.1", AUTH_THROTTLED);
    check_is(&bench, LIA, "192.0.2.1", AUTH_OK);
    check_is(&bench, LIA, "192.0.2.2", AUTH_OK);
    check_is(&bench, ANA, "192.0.2.2", AUTH_UNVERIFIED);
    teardown(&bench);
}

/* With passwords in clear too: that they are right is not told to an address that guesses. */
static void test_budget_with_passwords_in_clear(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench, "ana:senha,lia:clara", 2, 1);
    check_is(&bench, LIA, "192.0.2.1", AUTH_OK);
    check_is(&bench, "Basic YW5hOg==", "192.0.2.1", AUTH_WRONG);
    check_is(&bench, "Basic YW5hOg==", "192.0.2.1", AUTH_WRONG);
    check_is(&bench, "Basic YW5hOg==", "192.0.2.1", AUTH_THROTTLED);
    check_is(&bench, ANA, "192.0.2.1", AUTH_THROTTLED);
    check_is(&bench, LIA, "192.0.2.1", AUTH_OK);
    check_is(&bench, ANA, "192.0.2.2", AUTH_OK);
    teardown(&bench);
}

static void test_addresses_behind_a_proxy(void **state)
{
    struct bench bench;
    bool is_readonly;
    (void)state;
    setup(&bench, "ana:senha,lia:clara", 1, 1);
    struct request wrong = {.authorization = bytes_of("Basic YW5hOg=="),
                            .forwarded = {{bytes_of("203.0.113.9, 198.51.100.7")}, 1}};
    struct request right = {.authorization = bytes_of(ANA), .forwarded = {{bytes_of("203.0.113.9")}, 1}};
    struct address proxy = peer_of("127.0.0.1");
    assert_int_equal(auth_check(&bench.auth, bench.users, &wrong, &proxy, &is_readonly), AUTH_WRONG);
    assert_int_equal(auth_check(&bench.auth, bench.users, &wrong, &proxy, &is_readonly), AUTH_THROTTLED);
    assert_int_equal(auth_check(&bench.auth, bench.users, &right, &proxy, &is_readonly), AUTH_OK);
    check_is(&bench, ANA, "198.51.100.7", AUTH_THROTTLED);
    teardown(&bench);
}

/* Who waits when the service stops is told so, without another hash being computed. */
static void test_stop(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench, USERS, 10, 10);
    hold_thread(&bench);
    assert_int_equal(verify(&bench, ANA, "192.0.2.1"), VERIFIER_PENDING);
    atomic_store(&bench.auth.verifier.is_stopping, true);
    let_go(&bench);
    assert_ptr_equal(take_verdict(&bench), &ERROR_OVERLOADED);
    check_is(&bench, ANA, "192.0.2.1", AUTH_UNVERIFIED);
    teardown(&bench);
}

/* Verifications go on with the users with which they began. */
static void test_users_may_be_replaced(void **state)
{
    struct bench bench;
    struct users *users;
    struct error err;
    (void)state;
    setup(&bench, USERS, 10, 10);
    hold_thread(&bench);
    assert_int_equal(verify(&bench, ANA, "192.0.2.1"), VERIFIER_PENDING);
    bench.settings.basic_auth_users = "lia:clara";
    assert_int_equal(auth_load_users(&bench.auth, &bench.settings, bench.users, &users, &err), STATUS_OK);
    users_unref(bench.users);
    bench.users = users;
    let_go(&bench);
    assert_ptr_equal(take_verdict(&bench), RIGHT);
    check_is(&bench, ANA, "192.0.2.1", AUTH_WRONG);
    teardown(&bench);
}

static void test_settings_that_are_refused(void **state)
{
    struct settings settings = {.trusted_proxies = "localhost"};
    struct arena arena;
    struct auth auth;
    struct error err;
    (void)state;
    arena_init(&arena);
    assert_int_equal(auth_init(&auth, &arena, &settings, &err), STATUS_INVALID);
    assert_non_null(strstr(err.message, "TRUSTED_PROXIES: entry 1 is \"localhost\""));
    auth_clear(&auth);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passwords_in_clear),
        cmocka_unit_test(test_a_hash_is_verified_once),
        cmocka_unit_test(test_every_failure_costs_a_verification),
        cmocka_unit_test(test_equal_ones_share),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_budget_with_passwords_in_clear),
        cmocka_unit_test(test_addresses_behind_a_proxy),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_users_may_be_replaced),
        cmocka_unit_test(test_settings_that_are_refused),
    };
    return cmocka_run_group_tests_name("api_auth", tests, NULL, NULL);
}
