/* tests/unit/test_api_mailbox.c - mail from several threads arrives once, in order of each; ringing without mail, and
 * what a closed mailbox does. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "api/net/mailbox.h"
#include "tests/unit/support.h"

#define DEADLINE_MS 20000

static int eventfd_problem; /* errno of eventfd; 0: it makes one */

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);

int __wrap_eventfd(unsigned count, int flags)
{
    if (eventfd_problem == 0)
        return __real_eventfd(count, flags);
    errno = eventfd_problem;
    return -1;
}

static void open_mailbox(struct mailbox *mailbox)
{
    struct error err;
    assert_int_equal(mailbox_init(mailbox, &err), STATUS_OK);
}

static bool is_ringing(const struct mailbox *mailbox)
{
    struct pollfd fd = {.fd = mailbox->fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void test_newest_first(void **state)
{
    struct mailbox mailbox;
    struct mail mails[3];
    (void)state;
    open_mailbox(&mailbox);
    assert_false(is_ringing(&mailbox));
    assert_null(mailbox_take(&mailbox, NULL)); /* does not wait */
    for (size_t i = 0; i < 3; i++)
        assert_true(mailbox_post(&mailbox, &mails[i]));
    assert_true(is_ringing(&mailbox));
    struct mail *first = mailbox_take(&mailbox, NULL);
    assert_ptr_equal(first, &mails[2]);
    assert_ptr_equal(first->next, &mails[1]);
    assert_ptr_equal(first->next->next, &mails[0]);
    assert_null(mails[0].next);
    assert_false(is_ringing(&mailbox));
    assert_null(mailbox_take(&mailbox, NULL));
    mailbox_clear(&mailbox);
}

/* However often it was rung, once is taken. */
static void test_ringing_without_mail(void **state)
{
    struct mailbox mailbox;
    (void)state;
    open_mailbox(&mailbox);
    for (int i = 0; i < 3; i++)
        mailbox_ring(&mailbox);
    assert_true(is_ringing(&mailbox));
    assert_null(mailbox_take(&mailbox, NULL));
    assert_false(is_ringing(&mailbox));
    mailbox_clear(&mailbox);
}

/* What was posted before is still there; what comes afterwards stays the caller's, and does not ring. */
static void test_closing(void **state)
{
    struct mailbox mailbox;
    struct mail before, after = {.next = &before};
    (void)state;
    open_mailbox(&mailbox);
    bool is_closed = true;
    assert_true(mailbox_post(&mailbox, &before));
    assert_ptr_equal(mailbox_take(&mailbox, &is_closed), &before);
    assert_false(is_closed);
    assert_true(mailbox_post(&mailbox, &before));
    mailbox_close(&mailbox);
    assert_true(is_ringing(&mailbox));
    assert_ptr_equal(mailbox_take(&mailbox, &is_closed), &before);
    assert_true(is_closed);
    assert_null(before.next);
    assert_false(mailbox_post(&mailbox, &after));
    assert_ptr_equal(after.next, &before); /* untouched */
    assert_false(is_ringing(&mailbox));
    mailbox_ring(&mailbox); /* still wakes the owner */
    assert_true(is_ringing(&mailbox));
    assert_null(mailbox_take(&mailbox, NULL));
    mailbox_clear(&mailbox);
}

static void test_closing_rings(void **state)
{
    struct mailbox mailbox;
    (void)state;
    open_mailbox(&mailbox);
    mailbox_close(&mailbox);
    assert_true(is_ringing(&mailbox));
    mailbox_clear(&mailbox);
}

/* ---- Several threads */

enum { POSTERS = 4, MAILS = 2000 };

struct letter {
    struct mail mail; /* first, so that a mail is its letter */
    size_t poster, number;
};

struct poster {
    pthread_t thread;
    struct mailbox *mailbox;
    struct letter letters[MAILS];
    size_t posted; /* until the mailbox was closed */
};

static void *post(void *context)
{
    struct poster *poster = context;
    while (poster->posted < MAILS && mailbox_post(poster->mailbox, &poster->letters[poster->posted].mail))
        poster->posted++;
    return NULL;
}

static void start_posters(struct poster *posters, struct mailbox *mailbox)
{
    for (size_t i = 0; i < POSTERS; i++) {
        posters[i].mailbox = mailbox;
        posters[i].posted = 0;
        for (size_t j = 0; j < MAILS; j++)
            posters[i].letters[j] = (struct letter){.poster = i, .number = j};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post, &posters[i]), 0);
    }
}

static void join_posters(struct poster *posters)
{
    for (size_t i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
}

/* Takes what is there: each poster's letters from its newest down to the one that is due. Returns how many. */
static size_t take(struct mailbox *mailbox, size_t due[POSTERS], bool *is_closed)
{
    size_t newest[POSTERS], oldest[POSTERS], counts[POSTERS] = {0}, all = 0;
    for (struct mail *mail = mailbox_take(mailbox, is_closed); mail != NULL; mail = mail->next) {
        const struct letter *letter = (const struct letter *)mail;
        size_t poster = letter->poster;
        if (counts[poster] == 0)
            newest[poster] = letter->number;
        else if (letter->number + 1 != oldest[poster])
            fail_msg("poster %zu: letter %zu is behind %zu", poster, letter->number, oldest[poster]);
        oldest[poster] = letter->number;
        counts[poster]++;
        all++;
    }
    for (size_t i = 0; i < POSTERS; i++) {
        if (counts[i] == 0)
            continue;
        if (oldest[i] != due[i])
            fail_msg("poster %zu: letter %zu came, %zu was due", i, oldest[i], due[i]);
        due[i] = newest[i] + 1;
    }
    return all;
}

static void test_several_threads(void **state)
{
    static struct poster posters[POSTERS];
    struct mailbox mailbox;
    size_t due[POSTERS] = {0}, taken = 0;
    (void)state;
    open_mailbox(&mailbox);
    start_posters(posters, &mailbox);
    while (taken < (size_t)POSTERS * MAILS) {
        struct pollfd fd = {.fd = mailbox.fd, .events = POLLIN};
        if (poll(&fd, 1, DEADLINE_MS) != 1)
            fail_msg("%zu letters came, and no other one within %d ms", taken, DEADLINE_MS);
        taken += take(&mailbox, due, NULL);
    }
    join_posters(posters);
    for (size_t i = 0; i < POSTERS; i++)
        assert_int_equal(due[i], MAILS);
    assert_int_equal(take(&mailbox, due, NULL), 0);
    mailbox_clear(&mailbox);
}

/* What was posted is taken, even if it was closed meanwhile: the mail that comes with is_closed is the last. */
static void test_closing_while_others_post(void **state)
{
    static struct poster posters[POSTERS];
    struct mailbox mailbox;
    size_t due[POSTERS] = {0}, taken = 0;
    bool is_closed;
    (void)state;
    open_mailbox(&mailbox);
    start_posters(posters, &mailbox);
    while (taken < MAILS / 4)
        taken += take(&mailbox, due, &is_closed);
    mailbox_close(&mailbox);
    (void)take(&mailbox, due, &is_closed);
    assert_true(is_closed);
    join_posters(posters);
    for (size_t i = 0; i < POSTERS; i++)
        if (due[i] != posters[i].posted)
            fail_msg("poster %zu: %zu letters were posted, %zu taken", i, posters[i].posted, due[i]);
    assert_null(mailbox_take(&mailbox, NULL));
    mailbox_clear(&mailbox);
}

static void test_no_eventfd(void **state)
{
    struct mailbox mailbox;
    struct error err;
    (void)state;
    eventfd_problem = EMFILE;
    assert_int_equal(mailbox_init(&mailbox, &err), STATUS_NO_MEMORY);
    eventfd_problem = 0;
    assert_string_equal(err.message, "no mailbox for a thread: Too many open files");
    assert_int_equal(mailbox.fd, -1);
    mailbox_clear(&mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_first),    cmocka_unit_test(test_ringing_without_mail),
        cmocka_unit_test(test_closing),         cmocka_unit_test(test_closing_rings),
        cmocka_unit_test(test_several_threads), cmocka_unit_test(test_closing_while_others_post),
        cmocka_unit_test(test_no_eventfd),
    };
    return cmocka_run_group_tests_name("api_mailbox", tests, NULL, NULL);
}
