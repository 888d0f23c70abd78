/* tests/unit/test_program.c - lines that stay one line, exit statuses, and a SIGHUP that comes too early. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "common/program/program.h"
#include "tests/unit/support.h"

static void test_lines(void **state)
{
    static const struct {
        const char *message, *line;
    } rows[] = {
        {"", "x: \n"},
        {"PORT: is \"80\"", "x: PORT: is \"80\"\n"},
        {"a\nb\r\nc", "x: a\\u000ab\\u000d\\u000ac\n"},
        {"\x01\t\x1b[31m\x7f", "x: \\u0001\\u0009\\u001b[31m\\u007f\n"},
        {"S\xC3\xA3o Paulo", "x: S\xC3\xA3o Paulo\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = NULL;
        size_t len;
        FILE *out = open_memstream(&text, &len);
        assert_non_null(out);
        program_print_line(out, "x", rows[i].message);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, rows[i].line);
        free(text);
    }
}

static void test_exit_statuses(void **state)
{
    static const struct {
        enum status status;
        enum exit_status expected;
    } rows[] = {
        {STATUS_INVALID, EXIT_USAGE},    {STATUS_UNAVAILABLE, EXIT_FAILED}, {STATUS_NO_MEMORY, EXIT_FAILED},
        {STATUS_CORRUPT, EXIT_FAILED},   {STATUS_CONFLICT, EXIT_FAILED},    {STATUS_CANCELLED, EXIT_FAILED},
        {STATUS_NOT_FOUND, EXIT_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(program_exit_status(rows[i].status), rows[i].expected);
}

static volatile sig_atomic_t hangups;

static void count_hangup(int number)
{
    (void)number;
    hangups++;
}

static void test_signals_are_held(void **state)
{
    struct sigaction action = {.sa_handler = count_hangup}, before;
    sigset_t pending;
    (void)state;
    assert_int_equal(sigaction(SIGHUP, &action, &before), 0);
    program_hold_reload();
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(hangups, 0);
    program_release_reload();
    assert_int_equal(hangups, 1);
    program_hold_signals();
    assert_int_equal(raise(SIGHUP) + raise(SIGTERM) + raise(SIGINT), 0);
    assert_int_equal(hangups, 1);
    assert_int_equal(sigpending(&pending), 0);
    assert_true(sigismember(&pending, SIGHUP) && sigismember(&pending, SIGTERM) &&
                sigismember(&pending, SIGINT));
    while (sigtimedwait(&pending, NULL, &(struct timespec){0, 0}) > 0)
        ;
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &pending, NULL), 0);
    assert_int_equal(sigaction(SIGHUP, &before, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_signals_are_held),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
