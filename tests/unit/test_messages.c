/* tests/unit/test_messages.c - what APIs and workers tell one another: each message as it is said and as it is read,
 * and words that are none skipped. */
#include <inttypes.h>
#include <stdio.h>

#include "common/domain/date.h"
#include "common/stored/messages.h"
#include "tests/unit/support.h"

#define LONGEST_ID "abcdefghijklmnopqrstuvwxyz-0123456789AB"
#define MOST       "18446744073709551615"

static const struct message_row {
    const char *name;
    const char *text;
    enum message_kind kind;
    uint64_t generation;
    const char *word;
    const char *ids; /* each behind a blank */
} MESSAGES[] = {
    {"refresh", "refresh a-1", MESSAGE_REFRESH, 0, "", " a-1"},
    {"refresh of several", "refresh a-1 b2 C", MESSAGE_REFRESH, 0, "", " a-1 b2 C"},
    {"refresh of nobody", "refresh", MESSAGE_REFRESH, 0, "", ""},
    {"queued", "queued x", MESSAGE_QUEUED, 0, "", " x"},
    {"started", "started x y", MESSAGE_STARTED, 0, "", " x y"},
    {"published, as the flip says it", "published 1789000000000", MESSAGE_PUBLISHED, 1789000000000, "", ""},
    {"published with ids", "published 7 x y", MESSAGE_PUBLISHED, 7, "", " x y"},
    {"the largest generation", "published " MOST " x", MESSAGE_PUBLISHED, UINT64_MAX, "", " x"},
    {"failed", "failed postgresql x y", MESSAGE_FAILED, 0, "postgresql", " x y"},
    {"failed without a word", "failed", MESSAGE_FAILED, 0, "", ""},
    {"blanks", "  refresh   a  b ", MESSAGE_REFRESH, 0, "", " a b"},
    {"the longest id", "refresh " LONGEST_ID, MESSAGE_REFRESH, 0, "", " " LONGEST_ID},
    {"an id that is too long", "refresh a " LONGEST_ID "x b", MESSAGE_REFRESH, 0, "", " a b"},
    {"words that are no ids", "refresh a_ b: ~ c\n d\x80 \xC3\xA7 e. f", MESSAGE_REFRESH, 0, "", " f"},
    {"published without a number", "published", MESSAGE_UNKNOWN, 0, "", ""},
    {"published with another number", "published -1 x", MESSAGE_UNKNOWN, 0, "", NULL},
    {"published with half a number", "published 7x x", MESSAGE_UNKNOWN, 0, "", NULL},
    {"beyond 64 bits", "published 18446744073709551616", MESSAGE_UNKNOWN, 0, "", NULL},
    {"far beyond 64 bits", "published 99999999999999999999999", MESSAGE_UNKNOWN, 0, "", NULL},
    {"nothing", "", MESSAGE_UNKNOWN, 0, "", ""},
    {"blanks alone", "   ", MESSAGE_UNKNOWN, 0, "", ""},
    {"another word", "refreshed a", MESSAGE_UNKNOWN, 0, "", NULL},
    {"half a word", "refres a", MESSAGE_UNKNOWN, 0, "", NULL},
    {"upper case", "Refresh a", MESSAGE_UNKNOWN, 0, "", NULL},
    {"a tab is no blank", "refresh\ta", MESSAGE_UNKNOWN, 0, "", NULL},
};

static void test_messages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(MESSAGES); i++) {
        const struct message_row *row = &MESSAGES[i];
        struct message message = message_parse(bytes_of(row->text));
        struct buffer ids = BUFFER_INIT;
        struct request_id id;
        if (message.kind != row->kind)
            fail_msg("%s: kind is %d, expected %d", row->name, (int)message.kind, (int)row->kind);
        if (message.generation != row->generation)
            fail_msg("%s: generation is %" PRIu64 ", expected %" PRIu64, row->name, message.generation,
                     row->generation);
        check_text(row->name, "word", message.word, row->word);
        while (message_next_id(&message, &id))
            message_add_word(&ids, id.text);
        if (row->ids != NULL)
            check_text(row->name, "ids", buffer_bytes(&ids), row->ids);
        buffer_clear(&ids);
    }
}

/* Bytes of any kind, with NULs, in memory of their own. */
static void test_garbage_is_unknown(void **state)
{
    static const struct {
        const char *name;
        struct bytes text;
    } rows[] = {
        {"no data", {NULL, 0}},
        {"no bytes", {"x", 0}},
        {"a NUL", {"\0", 1}},
        {"a NUL behind the word", {"refresh\0", 8}},
        {"a NUL in front of it", {"\0refresh", 8}},
        {"not UTF-8", {"\xFF\xFE", 2}},
        {"a line", {"refresh\n", 8}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message message = message_parse(rows[i].text);
        struct date_filter filter;
        struct request_id id;
        uint64_t count;
        if (message.kind != MESSAGE_UNKNOWN)
            fail_msg("%s: kind is %d, expected unknown", rows[i].name, (int)message.kind);
        assert_false(message_next_id(&message, &id));
        message = message_parse(rows[i].text);
        assert_false(message_next_popular(&message, &filter, &count));
    }
}

/* What is asked for, as message_add_popular writes it; words that are none are left out. */
static void test_filters_that_are_asked_for(void **state)
{
    static const struct {
        const char *name, *text, *filters;
    } rows[] = {
        {"a day", "asked 2024-02-29:2024-02-29=1", " 2024-02-29:2024-02-29=1"},
        {"open bounds", "asked all:2024-01-01=2 2024-01-01:all=3 all:all=4",
         " all:2024-01-01=2 2024-01-01:all=3 all:all=4"},
        {"the ends of time", "asked 0001-01-01:9999-12-31=" MOST, " 0001-01-01:9999-12-31=" MOST},
        {"none", "asked", ""},
        {"ends before it begins", "asked 2024-01-02:2024-01-01=1 all:all=1", " all:all=1"},
        {"no day of the calendar", "asked 2023-02-29:all=1 all:2024-13-01=1 all:all=1", " all:all=1"},
        {"no count", "asked all:all all:all= all:all=1", " all:all=1"},
        {"no number", "asked all:all=x all:all=-1 all:all=1x all:all=1", " all:all=1"},
        {"beyond 64 bits", "asked all:all=18446744073709551616 all:all=1", " all:all=1"},
        {"no colon", "asked all=1 2024-01-01=1 all:all=1", " all:all=1"},
        {"two colons", "asked all:all:all=1 all:all=1", " all:all=1"},
        {"two equals signs", "asked all:all=1=1 all:all=1", " all:all=1"},
        {"equals in front of the colon", "asked all=all:1 all:all=1", " all:all=1"},
        {"empty bounds", "asked :=1 :all=1 all:=1 all:all=1", " all:all=1"},
        {"ALL", "asked ALL:all=1 all:all=1", " all:all=1"},
        {"signs alone", "asked : = := =: all:all=1", " all:all=1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message message = message_parse(bytes_of(rows[i].text));
        struct buffer filters = BUFFER_INIT;
        struct date_filter filter;
        uint64_t count;
        if (message.kind != MESSAGE_POPULARITY)
            fail_msg("%s: kind is %d, expected asked", rows[i].name, (int)message.kind);
        while (message_next_popular(&message, &filter, &count))
            message_add_popular(&filters, filter, count);
        check_text(rows[i].name, "filters", buffer_bytes(&filters), rows[i].filters);
        buffer_clear(&filters);
    }
}

static void test_messages_are_written(void **state)
{
    static const char *const words[MESSAGE_UNKNOWN] = {
        [MESSAGE_REFRESH] = "refresh a-1", [MESSAGE_POPULARITY] = "asked a-1",
        [MESSAGE_QUEUED] = "queued a-1",   [MESSAGE_STARTED] = "started a-1",
        [MESSAGE_FAILED] = "failed a-1",   [MESSAGE_PUBLISHED] = "published a-1",
    };
    struct buffer out = BUFFER_INIT;
    (void)state;
    for (enum message_kind kind = MESSAGE_REFRESH; kind < MESSAGE_UNKNOWN; kind++) {
        buffer_reset(&out);
        message_begin(kind, &out);
        message_add_word(&out, "a-1");
        check_text("written", words[kind], buffer_bytes(&out), words[kind]);
    }
    buffer_reset(&out);
    message_begin(MESSAGE_PUBLISHED, &out);
    message_add_number(&out, UINT64_MAX);
    message_add_word(&out, LONGEST_ID);
    check_text("written", "the longest", buffer_bytes(&out), "published " MOST " " LONGEST_ID);
    struct message message = message_parse(buffer_bytes(&out));
    struct request_id id;
    assert_true(message.generation == UINT64_MAX && message_next_id(&message, &id));
    assert_string_equal(id.text, LONGEST_ID);
    buffer_clear(&out);
}

/* Any filter comes back, however many are in a message. */
static void test_filters_come_back(void **state)
{
    enum { FILTERS = 1000 };
    struct buffer out = BUFFER_INIT;
    uint64_t count;
    struct date_filter filter;
    (void)state;
    message_begin(MESSAGE_POPULARITY, &out);
    for (int32_t i = 0; i < FILTERS; i++) {
        int32_t first = DAY_FIRST + i * 1800;
        message_add_popular(&out, (struct date_filter){i % 3 == 0 ? DAY_MIN : first, first + i}, (uint64_t)i);
    }
    struct message message = message_parse(buffer_bytes(&out));
    for (int32_t i = 0; i < FILTERS; i++) {
        int32_t first = DAY_FIRST + i * 1800;
        assert_true(message_next_popular(&message, &filter, &count));
        assert_int_equal(filter.first_day, i % 3 == 0 ? DAY_MIN : first);
        assert_int_equal(filter.last_day, first + i);
        assert_int_equal(count, i);
    }
    assert_false(message_next_popular(&message, &filter, &count));
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_read),          cmocka_unit_test(test_garbage_is_unknown),
        cmocka_unit_test(test_filters_that_are_asked_for), cmocka_unit_test(test_messages_are_written),
        cmocka_unit_test(test_filters_come_back),
    };
    return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
