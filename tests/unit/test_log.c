/* tests/unit/test_log.c - lines as they leave the process: text and JSON, quoting, levels; one write a line. */
#include <ctype.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/program/log.h"
#include "tests/unit/support.h"

#define LINE_MAX 4096

/* Standard error becomes a pipe while the line is written; returns what came through. */
static size_t capture(enum log_level level, const char *message, const struct log_field *fields, char *out)
{
    int ends[2], saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_write(level, message, fields);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    close(ends[1]);
    ssize_t len = read(ends[0], out, LINE_MAX - 1);
    assert_true(len >= 0);
    close(ends[0]);
    out[len] = '\0';
    return (size_t)len;
}

/* "2026-01-31T12:00:00.123Z" */
static bool is_time(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    return true;
}

struct line_row {
    const char *name;
    enum log_level level;
    const char *message;
    struct log_field fields[4];
    const char *text, *json; /* behind the time */
};

#define TEXT_FIELD(key, value)                                                                               \
    {                                                                                                        \
        key, {value, sizeof(value) - 1}, 0, false                                                            \
    }
#define INT_FIELD(key, value)                                                                                \
    {                                                                                                        \
        key, {NULL, 0}, value, true                                                                          \
    }

static const struct line_row LINES[] = {
    {"one word",
     LOG_INFO,
     "ready",
     {{.key = NULL}},
     "level=info program=test message=ready\n",
     "\"level\":\"info\",\"program\":\"test\",\"message\":\"ready\"}\n"},
    {"words",
     LOG_WARNING,
     "not ready",
     {{.key = NULL}},
     "level=warning program=test message=\"not ready\"\n",
     "\"level\":\"warning\",\"program\":\"test\",\"message\":\"not ready\"}\n"},
    {"numbers",
     LOG_ERROR,
     "x",
     {INT_FIELD("a", -1), INT_FIELD("b", INT64_MIN), INT_FIELD("c", INT64_MAX)},
     "level=error program=test message=x a=-1 b=-9223372036854775808 c=9223372036854775807\n",
     "\"level\":\"error\",\"program\":\"test\",\"message\":\"x\",\"a\":-1,\"b\":-9223372036854775808,"
     "\"c\":9223372036854775807}\n"},
    {"empty texts",
     LOG_INFO,
     "",
     {TEXT_FIELD("a", "")},
     "level=info program=test message=\"\" a=\"\"\n",
     "\"level\":\"info\",\"program\":\"test\",\"message\":\"\",\"a\":\"\"}\n"},
    {"quotes",
     LOG_INFO,
     "x",
     {TEXT_FIELD("a", "say \"hi\""), TEXT_FIELD("b", "a\\b"), TEXT_FIELD("c", "a=b")},
     "level=info program=test message=x a=\"say \\\"hi\\\"\" b=\"a\\\\b\" c=\"a=b\"\n",
     "\"level\":\"info\",\"program\":\"test\",\"message\":\"x\",\"a\":\"say \\\"hi\\\"\",\"b\":\"a\\\\b\","
     "\"c\":\"a=b\"}\n"},
    {"line breaks do not make lines",
     LOG_INFO,
     "a\nlevel=error",
     {TEXT_FIELD("b", "\r\t\0\x7F")},
     "level=info program=test message=\"a\\u000alevel=error\" b=\"\\u000d\\u0009\\u0000\\u007f\"\n",
     "\"level\":\"info\",\"program\":\"test\",\"message\":\"a\\u000alevel=error\","
     "\"b\":\"\\u000d\\u0009\\u0000\\u007f\"}\n"},
    {"UTF-8",
     LOG_INFO,
     "x",
     {TEXT_FIELD("a", "S\xC3\xA3o")},
     "level=info program=test message=x a=\"S\xC3\xA3o\"\n",
     "\"level\":\"info\",\"program\":\"test\",\"message\":\"x\",\"a\":\"S\xC3\xA3o\"}\n"},
    {"plain signs",
     LOG_DEBUG,
     "x",
     {TEXT_FIELD("a", "/run/r.sock:0,[1]")},
     "level=debug program=test message=x a=/run/r.sock:0,[1]\n",
     "\"level\":\"debug\",\"program\":\"test\",\"message\":\"x\",\"a\":\"/run/r.sock:0,[1]\"}\n"},
};

static void check_line(const char *name, const char *found, const char *front, const char *behind)
{
    size_t front_len = strlen(front);
    if (strncmp(found, front, front_len) != 0 || !is_time(found + front_len))
        fail_msg("%s: line is %s, expected to begin with %s and the time", name, found, front);
    const char *rest = found + front_len + strlen("2026-01-31T12:00:00.123Z");
    if (strcmp(rest, behind) != 0)
        fail_msg("%s: rest of the line is %s, expected %s", name, rest, behind);
}

static void test_text(void **state)
{
    (void)state;
    log_start("test", LOG_DEBUG, LOG_AS_TEXT);
    for (size_t i = 0; i < COUNT(LINES); i++) {
        char line[LINE_MAX], behind[LINE_MAX];
        capture(LINES[i].level, LINES[i].message, LINES[i].fields, line);
        snprintf(behind, sizeof behind, " %s", LINES[i].text);
        check_line(LINES[i].name, line, "time=", behind);
    }
}

static void test_json(void **state)
{
    (void)state;
    log_start("test", LOG_DEBUG, LOG_AS_JSON);
    for (size_t i = 0; i < COUNT(LINES); i++) {
        char line[LINE_MAX], behind[LINE_MAX];
        const struct json *root;
        struct error err;
        struct arena arena;
        size_t len = capture(LINES[i].level, LINES[i].message, LINES[i].fields, line);
        snprintf(behind, sizeof behind, "\",%s", LINES[i].json);
        check_line(LINES[i].name, line, "{\"time\":\"", behind);
        arena_init(&arena);
        if (json_parse(&arena, (struct bytes){line, len}, &root, &err) != STATUS_OK)
            fail_msg("%s: %s: %s", LINES[i].name, line, err.message);
        assert_true(bytes_is(json_member(root, "message")->text, LINES[i].message));
        arena_clear(&arena);
    }
}

static void test_levels(void **state)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR};
    (void)state;
    for (size_t i = 0; i < COUNT(levels); i++)
        for (size_t j = 0; j < COUNT(levels); j++) {
            char line[LINE_MAX];
            log_start("test", levels[i], LOG_AS_TEXT);
            size_t len = capture(levels[j], "x", NULL, line);
            if ((len > 0) != (levels[j] >= levels[i]))
                fail_msg("level %d at %d: %zu bytes, expected %s", (int)levels[j], (int)levels[i], len,
                         levels[j] >= levels[i] ? "a line" : "none");
        }
}

static void test_fields_made_in_place(void **state)
{
    char line[LINE_MAX];
    time_t now = time(NULL);
    struct tm tm;
    (void)state;
    log_start("test", LOG_INFO, LOG_AS_TEXT);
    capture(LOG_INFO, "x", LOG_FIELDS(log_text("host", "h"), log_int("port", 80), log_text("none", NULL)),
            line);
    check_line("fields", line, "time=", " level=info program=test message=x host=h port=80 none=\"\"\n");
    line[strlen("time=2026-01-31T12:00:00")] = '\0';
    assert_non_null(strptime(line, "time=%Y-%m-%dT%H:%M:%S", &tm));
    assert_in_range(timegm(&tm), now, now + 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_fields_made_in_place),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
