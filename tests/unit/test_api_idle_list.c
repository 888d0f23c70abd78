/* tests/unit/test_api_idle_list.c - who has been idle for longest is first, but not before its time. */
#include "api/net/idle_list.h"
#include "tests/unit/support.h"

enum action { JOIN, LEAD, LEAVE };

/* What happens at 1, 2, 3, ... ms, to whom, and who is first afterwards for somebody who asks for any idle one. */
struct row {
    const char *name;
    struct {
        enum action action;
        char who;
    } steps[6];
    size_t count;
    const char *firsts; /* after each step; '-' is nobody */
};

static const struct row ROWS[] = {
    {"in the order in which they became idle", {{JOIN, 'a'}, {JOIN, 'b'}, {JOIN, 'c'}}, 3, "aaa"},
    {"who joins again goes behind", {{JOIN, 'a'}, {JOIN, 'b'}, {JOIN, 'a'}, {JOIN, 'b'}}, 4, "aaba"},
    {"who leads is first", {{JOIN, 'a'}, {LEAD, 'b'}, {LEAD, 'c'}}, 3, "abc"},
    {"who led goes behind", {{JOIN, 'a'}, {LEAD, 'b'}, {JOIN, 'b'}}, 3, "aba"},
    {"who joined may lead", {{JOIN, 'a'}, {JOIN, 'b'}, {LEAD, 'b'}}, 3, "aab"},
    {"the first leaves", {{JOIN, 'a'}, {JOIN, 'b'}, {LEAVE, 'a'}, {LEAVE, 'b'}}, 4, "aab-"},
    {"the last leaves, and comes back",
     {{JOIN, 'a'}, {JOIN, 'b'}, {LEAVE, 'b'}, {LEAVE, 'a'}, {JOIN, 'b'}},
     5,
     "aaa-b"},
    {"one in the middle leaves",
     {{JOIN, 'a'}, {JOIN, 'b'}, {JOIN, 'c'}, {LEAVE, 'b'}, {LEAVE, 'a'}},
     5,
     "aaaac"},
    {"who is not there leaves",
     {{LEAVE, 'a'}, {JOIN, 'b'}, {LEAVE, 'a'}, {LEAVE, 'b'}, {LEAVE, 'b'}},
     5,
     "-bb--"},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char names[] = "abc";
        struct idle_entry entries[3] = {{.owner = &names[0]}, {.owner = &names[1]}, {.owner = &names[2]}};
        struct idle_list list;
        idle_list_init(&list);
        for (size_t step = 0; step < ROWS[i].count; step++) {
            struct idle_entry *entry = &entries[ROWS[i].steps[step].who - 'a'];
            if (ROWS[i].steps[step].action == JOIN)
                idle_list_join(&list, entry, (int64_t)step + 1);
            else if (ROWS[i].steps[step].action == LEAD)
                idle_list_lead(&list, entry);
            else
                idle_list_leave(&list, entry);
            const char *owner = idle_list_first(&list, INT64_MAX);
            char first = owner != NULL ? *owner : '-';
            if (first != ROWS[i].firsts[step])
                fail_msg("%s, step %zu: got %c, want %c", ROWS[i].name, step + 1, first,
                         ROWS[i].firsts[step]);
        }
    }
}

static void test_not_before_its_time(void **state)
{
    int owners[2];
    struct idle_entry entries[2] = {{.owner = &owners[0]}, {.owner = &owners[1]}};
    struct idle_list list;
    (void)state;
    idle_list_init(&list);
    assert_null(idle_list_first(&list, INT64_MAX));
    idle_list_join(&list, &entries[0], 1000);
    assert_null(idle_list_first(&list, 999 + IDLE_GIVES_WAY_MS));
    assert_ptr_equal(idle_list_first(&list, 1000 + IDLE_GIVES_WAY_MS), &owners[0]);
    assert_ptr_equal(idle_list_first(&list, 1000 + IDLE_GIVES_WAY_MS),
                     &owners[0]); /* it was only looked at */
    idle_list_lead(&list, &entries[1]);
    assert_ptr_equal(idle_list_first(&list, 0), &owners[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_not_before_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
