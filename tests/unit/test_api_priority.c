/* tests/unit/test_api_priority.c - what Linux says of a thread that gives way, and of one that is prompt. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "api/net/priority.h"
#include "tests/unit/support.h"

/* Of a thread: its nice value, and its turn in nanoseconds (0: not shown by this system). */
struct standing {
    void (*change)(void); /* NULL: as it was started */
    int nice;
    long long turn_ns;
};

static long long turn_of_this_thread(void)
{
    char path[64], line[256];
    long long turn_ns = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/sched", gettid());
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "se.slice ", 9) == 0 && colon != NULL)
            turn_ns = strtoll(colon + 1, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return turn_ns;
}

static void *stand(void *context)
{
    struct standing *standing = context;
    if (standing->change != NULL)
        standing->change();
    standing->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    standing->turn_ns = turn_of_this_thread();
    return NULL;
}

static struct standing standing_after(void (*change)(void))
{
    struct standing standing = {.change = change};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stand, &standing), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return standing;
}

static bool has_turns(void)
{
    struct utsname system;
    char *point;
    if (uname(&system) != 0)
        return false;
    long major = strtol(system.release, &point, 10);
    return major > 6 || (major == 6 && *point == '.' && strtol(point + 1, NULL, 10) >= 12);
}

static void take_third(void)
{
    priority_give_way(SHARE_THIRD);
}

static void take_twentieth(void)
{
    priority_give_way(SHARE_TWENTIETH);
}

static void test_give_way(void **state)
{
    int usual = standing_after(NULL).nice;
    (void)state;
    assert_int_equal(standing_after(take_third).nice, usual + 5 < 19 ? usual + 5 : 19);
    assert_int_equal(standing_after(take_twentieth).nice, usual + 13 < 19 ? usual + 13 : 19);
    assert_int_equal(standing_after(NULL).nice, usual); /* nobody else's */
}

static void test_be_prompt(void **state)
{
    struct standing usual = standing_after(NULL), prompt = standing_after(priority_be_prompt);
    (void)state;
    assert_int_equal(prompt.nice, usual.nice);
    if (!has_turns() || usual.turn_ns == 0)
        skip();
    assert_int_equal(prompt.turn_ns, 100000);
    assert_true(usual.turn_ns > prompt.turn_ns);
    assert_int_equal(standing_after(NULL).turn_ns, usual.turn_ns); /* nobody else's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_give_way), cmocka_unit_test(test_be_prompt)};
    return cmocka_run_group_tests_name("api_priority", tests, NULL, NULL);
}
