/* tests/unit/test_api_parameters.c - parameters of a query: the last of a name, decoded. */
#include <stdio.h>

#include "api/http/parameters.h"
#include "tests/unit/support.h"

static void test_parameters(void **state)
{
    static const struct {
        const char *query, *expected; /* of the parameter "data" */
    } rows[] = {
        {NULL, NULL},
        {"", NULL},
        {"data=2024-02-29", "2024-02-29"},
        {"data=", ""},
        {"data", ""},
        {"data&x=1", ""},
        {"x=1&data=2&y=3", "2"},
        {"data=1&data=2", "2"},
        {"data=1&data", ""},
        {"data=1&data=", ""},
        {"&&data=1&&", "1"},
        {"data=a=b", "a=b"},
        {"data=a+b", "a b"},
        {"data=a%2Bb%20c", "a+b c"},
        {"data=%41%6a%6A", "Ajj"},
        {"data=%C3%A7", "\xC3\xA7"},
        {"data=%26%3D", "&="},
        {"d%61ta=1", "1"},
        {"data=%", "%"},
        {"data=%4", "%4"},
        {"data=%4&x=1", "%4"},
        {"data=%4g%g4", "%4g%g4"},
        {"data=%%41", "%A"},
        {"Data=1", NULL},
        {"dat=1", NULL},
        {"data2=1", NULL},
        {"=1", NULL},
        {"x=data", NULL},
    };
    struct buffer value = BUFFER_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request request = {.query = bytes_of(rows[i].query)};
        const char *name = rows[i].query != NULL ? rows[i].query : "(none)";
        bool is_there = parameter_find(&request, "data", &value);
        const char *found = is_there ? value.data : "(none)";
        const char *expected = rows[i].expected != NULL ? rows[i].expected : "(none)";
        if (strcmp(found, expected) != 0) /* so the NUL behind it is looked at as well */
            fail_msg("%s: is \"%s\", expected \"%s\"", name, found, expected);
        assert_int_equal(value.len, is_there ? strlen(expected) : 0);
    }
    buffer_clear(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests_name("api_parameters", tests, NULL, NULL);
}
