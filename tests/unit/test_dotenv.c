/* tests/unit/test_dotenv.c - files as python-dotenv reads them: quotes, escapes, comments, several lines, references
 * and what is not readable. */
#include "common/program/dotenv.h"
#include "tests/unit/support.h"

static const char *environment(const char *name)
{
    if (strcmp(name, "HOME") == 0)
        return "/home/ana";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return NULL;
}

struct dotenv_row {
    const char *name, *text;
    const char *a; /* the value of A; NULL: none */
    const char *b;
    size_t unreadable_count, unreadable_line;
};

static const struct dotenv_row ROWS[] = {
    {"nothing", "", NULL, NULL, 0, 0},
    {"blank lines and comments", "\n  \n# A=1\n\t# B=2\n", NULL, NULL, 0, 0},
    {"plain", "A=1\nB=2\n", "1", "2", 0, 0},
    {"no line end", "A=1", "1", NULL, 0, 0},
    {"CRLF", "A=1\r\nB=2\r\n", "1", "2", 0, 0},
    {"CR", "A=1\rB=2\r", "1", "2", 0, 0},
    {"empty value", "A=\nB=2", "", "2", 0, 0},
    {"empty quotes", "A=''\nB=\"\"", "", "", 0, 0},
    {"blanks around", "  A = 1  \n\tB\t=\t2\t", "1", "2", 0, 0},
    {"inner blanks stay", "A=one two  three", "one two  three", NULL, 0, 0},
    {"export", "export A=1\nexport\tB=2", "1", "2", 0, 0},
    {"export is a name", "export=1\nA=2", "2", NULL, 0, 0},
    {"exported is a name", "exportA=1\nB=2", NULL, "2", 0, 0},
    {"later wins", "A=1\nA=2", "2", NULL, 0, 0},
    {"name without value", "A\nB=2", NULL, "2", 0, 0},
    {"name without value and a comment", "A # none\nB=2", NULL, "2", 0, 0},
    {"quoted name", "'A'=1\n'B' = 2", "1", "2", 0, 0},
    {"name with an equals sign", "'A=B'=1\nA=2", "2", NULL, 0, 0},
    {"value with an equals sign", "A=b=c", "b=c", NULL, 0, 0},
    {"comment", "A=1 # one\nB=2\t#two", "1", "2", 0, 0},
    {"hash inside", "A=1#one\nB=a#b #c", "1#one", "a#b", 0, 0},
    {"hash first", "A=#one\nB=# two", "#one", "# two", 0, 0},
    {"comment and no value", "A= # one\nB=\t  #two", "", "", 0, 0},
    {"hash first and a comment", "A=#one # two\nB= a#b", "#one", "a#b", 0, 0},
    {"a comment's hash behind quotes that are none", "A= #'one\nB=2'", "", "2'", 0, 0},
    {"comment behind quotes", "A='1' # one\nB=\"2\"#two", "1", "2", 0, 0},
    {"hash in quotes", "A='1 # one'\nB=\"2 # two\"", "1 # one", "2 # two", 0, 0},
    {"quotes in quotes", "A='a\"b'\nB=\"a'b\"", "a\"b", "a'b", 0, 0},
    {"quotes in the middle", "A=a'b'\nB=a\"b\"", "a'b'", "a\"b\"", 0, 0},
    {"escapes in double quotes", "A=\"\\n\\t\\r\\a\\b\\f\\v\\\\\\'\\\"\"", "\n\t\r\a\b\f\v\\'\"", NULL, 0, 0},
    {"other escapes stay", "A=\"\\x\\$\\0\"\nB='\\n\\\"'", "\\x\\$\\0", "\\n\\\"", 0, 0},
    {"escapes in single quotes", "A='it\\'s \\\\'", "it's \\", NULL, 0, 0},
    {"no escapes without quotes", "A=a\\nb\\\\", "a\\nb\\\\", NULL, 0, 0},
    {"several lines", "A=\"one\ntwo\n#three\"\nB='1\n2'", "one\ntwo\n#three", "1\n2", 0, 0},
    {"lines in quotes end with LF", "A=\"1\r\n2\r3\r\r\n\"\r\nB='\r\n\n\r'", "1\n2\n3\n\n", "\n\n\n", 0, 0},
    {"a backslash at the end of a line", "A=\"1\\\r\n2\"\nB='1\\\r2'", "1\\\n2", "1\\\n2", 0, 0},
    {"a backslash in front of the last quote", "B=1\nA=\"abc\\\"", "abc\\", "1", 0, 0},
    {"two of them", "B=1\nA='abc\\\\'", "abc\\", "1", 0, 0},
    {"a quote that closes is further down", "A=\"abc\\\"\nB=\"\nx=1", "abc\"\nB=", NULL, 0, 0},
    {"also behind two backslashes", "A='C:\\\\'\nB='\n", "C:\\'\nB=", NULL, 0, 0},
    {"byte order mark",
     "\xEF\xBB\xBF"
     "A=1\nB=2",
     "1", "2", 0, 0},
    {"byte order mark and a comment", "\xEF\xBB\xBF# A=1\nB=2", NULL, "2", 0, 0},
    {"byte order mark alone", "\xEF\xBB\xBF", NULL, NULL, 0, 0},
    {"only at the beginning, and once",
     "\xEF\xBB\xBF\xEF\xBB\xBF"
     "A=1\n\xEF\xBB\xBF"
     "B=2",
     NULL, NULL, 0, 0},
    {"half a byte order mark", "\xEF\xBB", NULL, NULL, 0, 0},
    {"UTF-8", "A=S\xC3\xA3o Paulo", "S\xC3\xA3o Paulo", NULL, 0, 0},
    {"reference to an earlier one", "B=b\nA=${B}c", "bc", "b", 0, 0},
    {"reference to a later one", "A=<${B}>\nB=b", "<>", "b", 0, 0},
    {"environment wins in references", "HOME=x\nA=${HOME}/y", "/home/ana/y", NULL, 0, 0},
    {"unknown reference", "A=<${NONE}>", "<>", NULL, 0, 0},
    {"default", "A=${NONE:-x y}\nB=${HOME:-x}", "x y", "/home/ana", 0, 0},
    {"default of an empty one", "A=<${EMPTY:-x}>\nB=<${NONE:-}>", "<>", "<>", 0, 0},
    {"references in quotes", "A='${HOME}'\nB=\"${HOME}\"", "/home/ana", "/home/ana", 0, 0},
    {"no reference without braces", "A=$HOME\nB=$$", "$HOME", "$$", 0, 0},
    {"unfinished references", "A=${HOME\nB=${NONE:x}", "${HOME", "${NONE:x}", 0, 0},
    {"empty reference", "A=<${}>\nB=${", "<>", "${", 0, 0},
    {"a password that looks like crypt", "A=u:$6$salt$hash", "u:$6$salt$hash", NULL, 0, 0},
    {"no name", "=1\nA=2", "2", NULL, 1, 1},
    {"words", "A=1\nhello world\nB=2\nmore words", "1", "2", 2, 2},
    {"text behind quotes", "A='1'x\nB=2", NULL, "2", 1, 1},
    {"unfinished name", "'A=1\nB=2", NULL, "2", 1, 1},
    {"name over two lines", "'x\ny'=1\nA=2\n=", "2", NULL, 1, 4},
    {"no name in quotes", "''=1\nA=2", "2", NULL, 1, 1},
    {"unfinished single quotes", "A='1\nB=2", NULL, "2", 1, 1},
    {"unfinished double quotes", "# first\nA=\"1\nB=2\nA=3", "3", "2", 1, 2},
    {"lines are counted whatever ends them", "A=1\rB=2\r\n\r\n=x", "1", "2", 1, 4},
    {"lines are counted through values", "A='1\n2\n3'\n\n=x", "1\n2\n3", NULL, 1, 5},
};

static void check_value(const char *row, const struct dotenv *dotenv, const char *name, const char *expected)
{
    const char *found = dotenv_value(dotenv, name);
    const char *shown = found != NULL ? found : "(none)";
    if ((found == NULL) != (expected == NULL) || (expected != NULL && strcmp(found, expected) != 0))
        fail_msg("%s: %s is \"%s\", expected \"%s\"", row, name, shown,
                 expected != NULL ? expected : "(none)");
}

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const struct dotenv_row *row = &ROWS[i];
        struct dotenv dotenv;
        struct error err;
        struct arena arena;
        arena_init(&arena);
        assert_int_equal(dotenv_parse(&arena, bytes_of(row->text), environment, &dotenv, &err), STATUS_OK);
        check_value(row->name, &dotenv, "A", row->a);
        check_value(row->name, &dotenv, "B", row->b);
        check_value(row->name, &dotenv, "NONE", NULL);
        if (dotenv.unreadable_count != row->unreadable_count ||
            dotenv.unreadable_line != row->unreadable_line)
            fail_msg("%s: %zu unreadable, first %zu, expected %zu, %zu", row->name, dotenv.unreadable_count,
                     dotenv.unreadable_line, row->unreadable_count, row->unreadable_line);
        arena_clear(&arena);
    }
}

static void test_a_nul_is_refused(void **state)
{
    struct dotenv dotenv = {NULL, 4711, 0};
    struct error err;
    struct arena arena;
    (void)state;
    arena_init(&arena);
    assert_int_equal(dotenv_parse(&arena, (struct bytes){"A=1\0", 4}, environment, &dotenv, &err),
                     STATUS_INVALID);
    assert_string_equal(err.message, "holds a NUL byte");
    assert_int_equal(dotenv.unreadable_count, 4711);
    assert_int_equal(dotenv_parse(&arena, (struct bytes){NULL, 0}, environment, &dotenv, &err), STATUS_OK);
    assert_int_equal(dotenv.unreadable_count, 0);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_a_nul_is_refused),
    };
    return cmocka_run_group_tests_name("dotenv", tests, NULL, NULL);
}
