/* tests/unit/test_api_tickets.c - requests for a refresh under a clock that the test sets: every way in which a
 * ticket ends, what is said again and when, and what messages that are lost, late, repeated or not ours do. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "api/data/tickets.h"
#include "api/http/pending.h"
#include "tests/unit/support.h"

#define BEGIN_MS 5000 /* when the tests begin; not 0, so that nothing works by chance */
#define LOOK_MS  500

struct bench {
    struct mailbox mailbox; /* where tickets are handed back; nobody hears it ring */
    struct tickets tickets;
    struct tickets_view view;
};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){.mailbox = {.fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER}};
    bench->view = (struct tickets_view){
        .now_ms = BEGIN_MS, .worker_is_there = true, .loaded = 100, .loaded_is_served = true};
    tickets_init(&bench->tickets);
}

static struct ticket *add(struct bench *bench, bool accepted_is_enough)
{
    struct exchange exchange = {.mailbox = &bench->mailbox};
    struct ticket *ticket = ticket_new(&exchange, accepted_is_enough);
    assert_non_null(ticket);
    assert_ptr_equal(exchange.pending, &ticket->pending);
    tickets_add(&bench->tickets, ticket, bench->view.now_ms);
    return ticket;
}

/* The ticket that was handed back since the last call, or NULL; there must not be two. */
static struct ticket *taken_back(struct bench *bench)
{
    struct mail *mail = mailbox_take(&bench->mailbox, NULL);
    if (mail == NULL)
        return NULL;
    assert_null(mail->next);
    return ticket_of(pending_of_mail(mail));
}

static void release(struct ticket *ticket)
{
    assert_non_null(ticket);
    pending_free(&ticket->pending);
}

static struct ticket *settle(struct bench *bench)
{
    tickets_settle(&bench->tickets, &bench->view);
    return taken_back(bench);
}

static struct ticket *settle_at(struct bench *bench, int64_t waited_ms)
{
    bench->view.now_ms = BEGIN_MS + waited_ms;
    return settle(bench);
}

static void assert_ended(struct ticket *ticket, enum ticket_outcome outcome)
{
    assert_non_null(ticket);
    assert_int_equal(ticket->outcome, outcome);
    release(ticket);
}

static void assert_done(struct ticket *ticket, uint64_t generation, int64_t duration_ms)
{
    assert_non_null(ticket);
    assert_int_equal(ticket->generation, generation);
    assert_int_equal(ticket->duration_ms, duration_ms);
    assert_ended(ticket, TICKET_DONE);
}

/* What would be published now: "" when nothing is due. */
static const char *asks(struct bench *bench, char *text, size_t size)
{
    struct buffer out = BUFFER_INIT;
    text[0] = '\0';
    if (tickets_request(&bench->tickets, bench->view.now_ms, &out))
        snprintf(text, size, "%.*s", (int)out.len, out.data);
    buffer_clear(&out);
    return text;
}

/* The id of the ticket with that number, as it stands in messages. */
static struct request_id id_of(const struct bench *bench, unsigned number)
{
    struct request_id id;
    snprintf(id.text, sizeof id.text, "%s-%u", bench->tickets.process_id, number);
    return id;
}

/* "{beginning} {id of the ticket}" comes from the worker. */
static void say(struct bench *bench, const char *beginning, unsigned number)
{
    char text[128];
    snprintf(text, sizeof text, "%s %s", beginning, id_of(bench, number).text);
    tickets_take_message(&bench->tickets, bytes_of(text));
}

static void test_the_usual_way(void **state)
{
    struct bench bench;
    char text[128], expected[128];
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    snprintf(expected, sizeof expected, "refresh %s", id_of(&bench, 1).text);
    assert_string_equal(asks(&bench, text, sizeof text), expected);
    say(&bench, "queued", 1);
    assert_null(settle_at(&bench, 5));
    say(&bench, "started", 1);
    assert_null(settle_at(&bench, 10));
    say(&bench, "published 101", 1);
    assert_null(settle_at(&bench, 700)); /* not loaded yet */
    bench.view.loaded = 101;
    bench.view.loaded_is_served = false;
    assert_null(settle_at(&bench, 710)); /* not served by every loop yet */
    bench.view.loaded_is_served = true;
    assert_done(settle_at(&bench, 720), 101, 720);
    assert_null(settle_at(&bench, 730)); /* only once */
    assert_string_equal(asks(&bench, text, sizeof text), "");
}

static void test_a_later_generation_serves_as_well(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    say(&bench, "published 101", 1);
    bench.view.loaded = 105;
    assert_done(settle_at(&bench, 3), 101, 3);
}

/* A generation that was loaded before, however high, is nothing to somebody whose refresh is not out. */
static void test_a_generation_of_somebody_else_is_not_enough(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    say(&bench, "started", 1);
    bench.view.loaded = 1000;
    tickets_take_message(&bench.tickets, bytes_of("published 1000"));
    tickets_take_message(&bench.tickets, bytes_of("published 1000 0123456789abcdef-1"));
    assert_null(settle_at(&bench, 50));
    say(&bench, "published 1001", 1);
    assert_null(settle_at(&bench, 60));
    bench.view.loaded = 1001;
    assert_done(settle_at(&bench, 70), 1001, 70);
}

static void test_no_worker(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.view.worker_is_there = false;
    add(&bench, false);
    assert_null(settle_at(&bench, MESSAGE_NO_WORKER_MS - 1));
    assert_ended(settle_at(&bench, MESSAGE_NO_WORKER_MS), TICKET_NO_WORKER);
    assert_null(settle_at(&bench, MESSAGE_NO_WORKER_MS + 1));
}

static void test_no_worker_also_for_who_does_not_wait(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    bench.view.worker_is_there = false;
    add(&bench, true);
    assert_null(settle_at(&bench, MESSAGE_NO_WORKER_MS - 1));
    assert_ended(settle_at(&bench, MESSAGE_NO_WORKER_MS), TICKET_NO_WORKER);
}

/* A worker that was there and has gone: its successor may take the request that is said again. */
static void test_worker_that_goes_after_it_took_the_request(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    say(&bench, "started", 1);
    bench.view.worker_is_there = false;
    assert_null(settle_at(&bench, MESSAGE_NO_WORKER_MS + 500));
    say(&bench, "queued", 1); /* by the successor */
    say(&bench, "started", 1);
    say(&bench, "published 101", 1);
    bench.view.loaded = 101;
    assert_done(settle_at(&bench, 9000), 101, 9000);
}

static void test_time_is_up(void **state)
{
    static const char *const last_words[] = {NULL, "queued", "started", "published 101"};
    (void)state;
    for (size_t i = 0; i < sizeof last_words / sizeof last_words[0]; i++) {
        struct bench bench;
        bench_init(&bench);
        add(&bench, false);
        if (last_words[i] != NULL)
            say(&bench, last_words[i], 1);
        assert_null(settle_at(&bench, TICKET_GIVE_UP_MS - 1));
        assert_ended(settle_at(&bench, TICKET_GIVE_UP_MS), TICKET_TIMED_OUT);
    }
}

static void test_failure(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    say(&bench, "started", 1);
    say(&bench, "failed postgresql", 1);
    bench.view.loaded = 500; /* changes nothing */
    assert_ended(settle_at(&bench, 40), TICKET_FAILED);
}

/* A failure is told even when the time is up or the worker has gone since. */
static void test_failure_goes_first(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    say(&bench, "failed mysql", 1);
    bench.view.worker_is_there = false;
    assert_ended(settle_at(&bench, TICKET_GIVE_UP_MS), TICKET_FAILED);
}

static void test_accepted_is_enough(void **state)
{
    static const char *const words[] = {"queued", "started", "published 101"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct bench bench;
        bench_init(&bench);
        struct ticket *ticket = add(&bench, true);
        assert_null(settle_at(&bench, 1));
        say(&bench, words[i], 1);
        assert_ptr_equal(settle_at(&bench, 2), ticket);
        assert_int_equal(ticket->duration_ms, 2);
        assert_ended(ticket, TICKET_DONE);
    }
}

static void test_asks_again_until_the_end(void **state)
{
    struct bench bench;
    char first[128], text[128];
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    asks(&bench, first, sizeof first);
    assert_string_not_equal(first, "");
    for (int64_t second = 1; second <= 5; second++) {
        bench.view.now_ms = BEGIN_MS + second * MESSAGE_REPEAT_MS - 1;
        assert_string_equal(asks(&bench, text, sizeof text), "");
        bench.view.now_ms++;
        assert_string_equal(asks(&bench, text, sizeof text),
                            first); /* the same id, so that nothing is done twice */
        assert_string_equal(asks(&bench, text, sizeof text), "");
        if (second == 2)
            say(&bench, "queued", 1); /* goes on: what ends the wait may get lost, too */
        if (second == 3)
            say(&bench, "started", 1);
    }
    say(&bench, "published 101", 1);
    bench.view.now_ms += MESSAGE_REPEAT_MS;
    assert_string_equal(asks(&bench, text, sizeof text), "");
    bench.view.loaded = 101;
    release(settle(&bench));
}

static void test_messages_that_change_nothing(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "started",
                                        "published",
                                        "published x",
                                        "failed",
                                        "failed redis",
                                        "refresh",
                                        "asked 2024-01-01:all=3",
                                        "nonsense",
                                        "published 101 "};
    struct bench bench;
    char text[256];
    (void)state;
    bench_init(&bench);
    bench.view.worker_is_there = false;
    add(&bench, true);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        tickets_take_message(&bench.tickets, bytes_of(texts[i]));
    tickets_take_message(&bench.tickets, (struct bytes){NULL, 0});
    say(&bench, "refresh", 1); /* our own request, heard by ourselves */
    say(&bench, "started ü", 2);
    say(&bench, "nonsense", 1);
    say(&bench, "published 99999999999999999999", 1);
    snprintf(text, sizeof text, "started %sx", id_of(&bench, 1).text);
    tickets_take_message(&bench.tickets, bytes_of(text));
    assert_null(settle(&bench));
    assert_ended(settle_at(&bench, MESSAGE_NO_WORKER_MS), TICKET_NO_WORKER); /* nobody has taken it */
}

static void test_ids_among_others(void **state)
{
    struct bench bench;
    char text[256];
    (void)state;
    bench_init(&bench);
    add(&bench, true);
    snprintf(text, sizeof text, "queued other-1  %s other-2", id_of(&bench, 1).text);
    tickets_take_message(&bench.tickets, bytes_of(text));
    release(settle(&bench));
    assert_null(bench.tickets.first);
}

/* "started" again and again, "published" twice, and words behind the end. */
static void test_repeated_messages(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    add(&bench, false);
    for (int i = 0; i < 3; i++)
        say(&bench, "started", 1);
    say(&bench, "published 101", 1);
    say(&bench, "published 101", 1);
    bench.view.loaded = 101;
    assert_done(settle_at(&bench, 9), 101, 9);
    say(&bench, "published 101", 1);
    say(&bench, "failed redis", 1);
    assert_null(settle_at(&bench, 10));
}

static void test_each_ticket_ends_by_itself(void **state)
{
    struct bench bench;
    char text[256];
    (void)state;
    bench_init(&bench);
    struct ticket *first = add(&bench, false);
    bench.view.now_ms += 300;
    struct ticket *second = add(&bench, false);
    bench.view.now_ms += 300;
    struct ticket *third = add(&bench, true);
    asks(&bench, text, sizeof text);
    for (unsigned number = 1; number <= 3; number++)
        assert_non_null(strstr(text, id_of(&bench, number).text)); /* one message for all */
    say(&bench, "failed model", 2);
    assert_ptr_equal(settle(&bench), second);
    say(&bench, "queued", 3);
    assert_ptr_equal(settle(&bench), third);
    say(&bench, "published 101", 1);
    bench.view.loaded = 101;
    assert_ptr_equal(settle(&bench), first);
    assert_int_equal(first->duration_ms, 600);
    assert_int_equal(second->duration_ms, 300);
    assert_ended(first, TICKET_DONE);
    assert_ended(second, TICKET_FAILED);
    assert_ended(third, TICKET_DONE);
    assert_null(bench.tickets.first);
}

static void test_ids_are_not_used_again(void **state)
{
    struct bench bench, other;
    char text[128], first[128];
    (void)state;
    bench_init(&bench);
    add(&bench, true);
    asks(&bench, first, sizeof first);
    say(&bench, "queued", 1);
    release(settle(&bench));
    add(&bench, true);
    assert_string_not_equal(asks(&bench, text, sizeof text), first);
    bench_init(&other);
    assert_string_not_equal(bench.tickets.process_id, other.tickets.process_id);
    say(&bench, "queued", 1); /* of the one that is over */
    assert_null(settle(&bench));
    say(&bench, "queued", 2);
    release(settle(&bench));
}

static void test_wait_ms(void **state)
{
    struct bench bench;
    char text[128];
    (void)state;
    bench_init(&bench);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS, LOOK_MS), LOOK_MS);
    add(&bench, false);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS, LOOK_MS), 0); /* is still to be said */
    asks(&bench, text, sizeof text);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS, LOOK_MS), LOOK_MS);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS, 5000), MESSAGE_REPEAT_MS);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS + 900, LOOK_MS), MESSAGE_REPEAT_MS - 900);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS + 5000, LOOK_MS), 0);
    assert_int_equal(tickets_wait_ms(&bench.tickets, BEGIN_MS, 0), 0);
    say(&bench, "published 101", 1); /* soon served */
    int64_t soon = tickets_wait_ms(&bench.tickets, BEGIN_MS, LOOK_MS);
    assert_true(soon > 0 && soon <= 50);
    bench.view.loaded = 101;
    release(settle(&bench));
}

static void test_clear_answers_everybody(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench);
    for (int i = 0; i < 3; i++)
        add(&bench, i == 1);
    say(&bench, "started", 1);
    tickets_clear(&bench.tickets);
    int count = 0;
    for (struct mail *mail = mailbox_take(&bench.mailbox, NULL), *next; mail != NULL; mail = next, count++) {
        next = mail->next;
        assert_ended(ticket_of(pending_of_mail(mail)), TICKET_NO_WORKER);
    }
    assert_int_equal(count, 3);
    assert_null(bench.tickets.first);
    tickets_clear(&bench.tickets); /* none is fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_usual_way),
        cmocka_unit_test(test_a_later_generation_serves_as_well),
        cmocka_unit_test(test_a_generation_of_somebody_else_is_not_enough),
        cmocka_unit_test(test_no_worker),
        cmocka_unit_test(test_no_worker_also_for_who_does_not_wait),
        cmocka_unit_test(test_worker_that_goes_after_it_took_the_request),
        cmocka_unit_test(test_time_is_up),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_failure_goes_first),
        cmocka_unit_test(test_accepted_is_enough),
        cmocka_unit_test(test_asks_again_until_the_end),
        cmocka_unit_test(test_messages_that_change_nothing),
        cmocka_unit_test(test_ids_among_others),
        cmocka_unit_test(test_repeated_messages),
        cmocka_unit_test(test_each_ticket_ends_by_itself),
        cmocka_unit_test(test_ids_are_not_used_again),
        cmocka_unit_test(test_wait_ms),
        cmocka_unit_test(test_clear_answers_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
