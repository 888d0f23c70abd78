/* tests/unit/test_api_if_none_match.c - If-None-Match in all its forms. */
#include <stdio.h>

#include "api/http/if_none_match.h"
#include "tests/unit/support.h"

#define OPAQUE "\"99aa06d3014798d86001c324468d497f\"" /* what is compared of an ETag */

/* The lines of a header in which @ is OPAQUE, and | ends a line; they borrow from `text`. */
static struct field_lines lines_of(const char *header, char text[1024])
{
    struct field_lines lines = {.count = 0};
    size_t len = 0, begin = 0;
    for (const char *c = header; c != NULL; c = *c != '\0' ? c + 1 : NULL) {
        if (*c == '@') {
            len += (size_t)snprintf(text + len, 1024 - len, "%s", OPAQUE);
        } else if (*c == '|' || *c == '\0') {
            field_lines_add(&lines, (struct bytes){text + begin, len - begin});
            begin = len;
        } else {
            text[len++] = *c;
        }
    }
    return lines;
}

static void test_if_none_match(void **state)
{
    static const struct {
        const char *name, *header;
        bool expected;
    } rows[] = {
        {"no header", NULL, false},
        {"empty", "", false},
        {"weak", "W/@", true},
        {"strong", "@", true},
        {"any", "*", true},
        {"any in blanks", "  *  ", true},
        {"the first of a list", "W/@, \"a\"", true},
        {"the last of a list", "\"a\", W/\"b\", W/@", true},
        {"a list without blanks", "\"a\",@,\"b\"", true},
        {"a list with tabs", "\"a\"\t,\t@\t,\t\"b\"", true},
        {"empty items", ",, ,@", true},
        {"another", "W/\"0123456789abcdef0123456789abcdef\"", false},
        {"without quotes", "0123", false},
        {"an asterisk in quotes", "\"*\"", false},
        {"other letters", "w/@", false},
        {"more behind it", "@x", false},
        {"more in front of it", "x@", false},
        {"a weakness alone", "W/", false},
        {"commas", ",,,", false},
        {"blanks", "   ", false},
        {"an asterisk between commas in quotes", "\"a,*,b\"", false},
        {"an asterisk between blanks in quotes", "W/\"a * b\"", false},
        {"an asterisk behind quotes", "\"a,b\", *", true},
        {"behind commas in quotes", "\"a,\", \",b\",W/@", true},
        {"quotes that are never closed", "\"a, *", false},
        {"a quote too many", "@\", *", false},
        {"an asterisk with more", "*x", false},
        {"the first of two lines", "W/@|\"a\"", true},
        {"the last of two lines", "\"a\"|@", true},
        {"in none of two lines", "\"a\"|\"b\"", false},
        {"quotes end with their line", "\"a|*", true},
        {"the eighth line", "|||||||@", true},
        {"among more lines than are kept", "@|||||||||", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[1024];
        struct field_lines lines = lines_of(rows[i].header, text);
        bool found = if_none_match_has(&lines, "W/" OPAQUE);
        if (found != rows[i].expected)
            fail_msg("%s: is %d, expected %d", rows[i].name, found, rows[i].expected);
        if (if_none_match_has(&lines, OPAQUE) != found)
            fail_msg("%s: a strong ETag is not compared as a weak one", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_if_none_match),
    };
    return cmocka_run_group_tests_name("api_if_none_match", tests, NULL, NULL);
}
