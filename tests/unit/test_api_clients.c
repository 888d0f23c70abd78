/* tests/unit/test_api_clients.c - the list of a loop's connections, their count, and the Date header. */
#include "tests/unit/http_support.h"

#include "api/http/clients.h"

static struct settings settings;
static atomic_llong open_count;
static struct clients clients;

static int set_up(void **state)
{
    (void)state;
    settings = http_settings();
    atomic_store(&open_count, 0);
    clients = (struct clients){.base = event_base_new(), .settings = &settings, .open = &open_count};
    return !clients_init(&clients);
}

static int tear_down(void **state)
{
    (void)state;
    clients_clear(&clients);
    event_base_free(clients.base);
    return 0;
}

/* Each removal, of the first, of one in the middle and of the last, leaves the others, newest first. */
static void test_list(void **state)
{
    static const struct {
        const char *name;
        int removed;
        int left[2];
    } rows[] = {{"newest", 2, {1, 0}}, {"middle", 1, {2, 0}}, {"oldest", 0, {2, 1}}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client_link links[3];
        int owners[3];
        assert_true(clients_are_gone(&clients));
        for (size_t k = 0; k < 3; k++)
            clients_add(&clients, &links[k], &owners[k]);
        assert_ptr_equal(clients.first->owner, &owners[2]);
        clients_remove(&clients, &links[rows[i].removed]);
        const struct client_link *link = clients.first;
        for (size_t k = 0; k < 2; k++, link = link->next) {
            assert_non_null(link);
            if (link->owner != &owners[rows[i].left[k]])
                fail_msg("%s: number %zu is not %d", rows[i].name, k, rows[i].left[k]);
        }
        assert_null(link);
        assert_false(clients_are_gone(&clients));
        clients_remove(&clients, &links[rows[i].left[0]]);
        clients_remove(&clients, &links[rows[i].left[1]]);
        assert_true(clients_are_gone(&clients));
    }
}

/* One more than HTTP_CONNECTIONS is counted too, so that it can be counted no longer like any other. */
static void test_count(void **state)
{
    (void)state;
    settings.connections_max = 2;
    assert_true(clients_have_room(&clients));
    assert_true(clients_count(&clients));
    assert_true(clients_have_room(&clients));
    assert_true(clients_count(&clients));
    assert_false(clients_have_room(&clients));
    assert_false(clients_count(&clients));
    assert_int_equal(atomic_load(&open_count), 3);
    clients_uncount(&clients);
    assert_false(clients_have_room(&clients));
    clients_uncount(&clients);
    assert_true(clients_have_room(&clients));
    assert_true(clients_count(&clients));
}

/* Those of other loops count, too. */
static void test_count_of_all_loops(void **state)
{
    struct clients others = {.settings = &settings, .open = &open_count};
    (void)state;
    settings.connections_max = 1;
    assert_true(clients_count(&others));
    assert_false(clients_have_room(&clients));
    assert_false(clients_count(&clients));
}

static void test_date(void **state)
{
    static const struct {
        int64_t unix_s;
        const char *date;
    } rows[] = {
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},  {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {1709164799, "Wed, 28 Feb 2024 23:59:59 GMT"}, {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* the clock was set back */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(clients_date(&clients, rows[i].unix_s), rows[i].date);
}

#define WITH_CLIENTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLIENTS(test_list),
        WITH_CLIENTS(test_count),
        WITH_CLIENTS(test_count_of_all_loops),
        WITH_CLIENTS(test_date),
    };
    return cmocka_run_group_tests_name("api_clients", tests, NULL, NULL);
}
