/* tests/unit/test_cnpj.c - which CNPJs are equal, which match nothing, and how each is shown. */
#include "common/domain/cnpj.h"
#include "tests/unit/support.h"

struct cnpj_row {
    const char *name, *stored;
    const char *key; /* NULL: matches nothing */
    enum cnpj_form form;
    const char *shown; /* NULL: none */
};

static const struct cnpj_row ROWS[] = {
    {"punctuated", "11.222.333/0001-81", "11222333000181", CNPJ_NUMBER, "11222333000181"},
    {"digits", "11222333000181", "11222333000181", CNPJ_NUMBER, "11222333000181"},
    {"blanks around", " 11222333000181\t\n", "11222333000181", CNPJ_NUMBER, "11222333000181"},
    {"full-width stop is dropped",
     "11\xEF\xBC\x8E"
     "222333000181",
     "11222333000181", CNPJ_NUMBER, "11222333000181"},
    {"leading zero", "00.000.000/0001-91", "00000000000191", CNPJ_NUMBER, "191"},
    {"a number that lost its zeros", "191", "00000000000191", CNPJ_NUMBER, "191"},
    {"one digit", "1", "00000000000001", CNPJ_NUMBER, "1"},
    {"thirteen digits", "1222333000181", "01222333000181", CNPJ_NUMBER, "1222333000181"},
    {"fifteen digits", "112223330001810", NULL, CNPJ_NUMBER, "112223330001810"},
    {"fifteen with a leading zero", "011222333000181", NULL, CNPJ_NUMBER, "11222333000181"},
    {"twenty digits", "12345678901234567890", NULL, CNPJ_NUMBER, "12345678901234567890"},
    {"minus is dropped", "-191", "00000000000191", CNPJ_NUMBER, "191"},
    {"a decimal's zeros count", "11222333000181.0", NULL, CNPJ_NUMBER, "112223330001810"},
    {"zero", "0", NULL, CNPJ_NULL, NULL},
    {"fourteen zeros", "00000000000000", NULL, CNPJ_NULL, NULL},
    {"punctuated zeros", "00.000.000/0000-00", NULL, CNPJ_NULL, NULL},
    {"too many zeros", "0000000000000000", NULL, CNPJ_NULL, NULL},
    {"missing", NULL, NULL, CNPJ_NULL, NULL},
    {"empty", "", NULL, CNPJ_NULL, NULL},
    {"blanks", " \t\r\n\v\f", NULL, CNPJ_NULL, NULL},
    {"punctuation only", "../-", NULL, CNPJ_TEXT, "../-"},
    {"punctuation and blanks", " - ", NULL, CNPJ_TEXT, " - "},
    {"neither letter nor digit", "\xC3\xA7\xC3\xA3", NULL, CNPJ_TEXT, "\xC3\xA7\xC3\xA3"},
    {"alphanumeric", "12ABC34501DE35", "12ABC34501DE35", CNPJ_TEXT, "12ABC34501DE35"},
    {"alphanumeric, punctuated, lower case", "12.abc.345/01de-35", "12ABC34501DE35", CNPJ_TEXT,
     "12ABC34501DE35"},
    {"letters from the first to the last place", "zzzzzzzzzzzz00", "ZZZZZZZZZZZZ00", CNPJ_TEXT,
     "ZZZZZZZZZZZZ00"},
    {"one letter among zeros", "A0000000000000", "A0000000000000", CNPJ_TEXT, "A0000000000000"},
    {"thirteen with letters", "12ABC34501D35", NULL, CNPJ_TEXT, "12ABC34501D35"},
    {"fifteen with letters", "12ABC34501DE355", NULL, CNPJ_TEXT, "12ABC34501DE355"},
    {"the last one a letter", "12ABC34501DE3A", NULL, CNPJ_TEXT, "12ABC34501DE3A"},
    {"the last but one a letter", "12ABC34501DEA5", NULL, CNPJ_TEXT, "12ABC34501DEA5"},
    {"words", "n/a", NULL, CNPJ_TEXT, "NA"},
    {"a name", "Sem CNPJ 2024", NULL, CNPJ_TEXT, "SEMCNPJ2024"},
};

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const struct cnpj_row *row = &ROWS[i];
        struct cnpj_key key = {"untouched_____"};
        bool has_key = cnpj_key_parse(bytes_of(row->stored), &key);
        const char *expected = row->key != NULL ? row->key : "untouched_____";
        if (has_key != (row->key != NULL) || memcmp(key.text, expected, CNPJ_LEN) != 0)
            fail_msg("%s: key is %d, %.14s, expected %d, %s", row->name, has_key, key.text, row->key != NULL,
                     expected);
    }
}

static void test_shown_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const struct cnpj_row *row = &ROWS[i];
        struct cnpj_shown shown;
        struct arena arena;
        arena_init(&arena);
        assert_true(cnpj_show(&arena, bytes_of(row->stored), &shown));
        if (shown.form != row->form)
            fail_msg("%s: form is %d, expected %d", row->name, (int)shown.form, (int)row->form);
        if ((shown.text.data == NULL) != (row->shown == NULL) || !bytes_is(shown.text, row->shown))
            fail_msg("%s: is shown as \"%.*s\", expected \"%s\"", row->name, (int)shown.text.len,
                     shown.text.data != NULL ? shown.text.data : "(none)",
                     row->shown != NULL ? row->shown : "(none)");
        arena_clear(&arena);
    }
}

static void test_long_text(void **state)
{
    char text[100000];
    struct cnpj_shown shown;
    struct cnpj_key key;
    struct arena arena;
    (void)state;
    memset(text, '7', sizeof text);
    arena_init(&arena);
    assert_false(cnpj_key_parse((struct bytes){text, sizeof text}, &key));
    assert_true(cnpj_show(&arena, (struct bytes){text, sizeof text}, &shown));
    assert_int_equal(shown.text.len, sizeof text);
    memset(text, '.', sizeof text - 1);
    assert_true(cnpj_key_parse((struct bytes){text, sizeof text}, &key));
    assert_memory_equal(key.text, "00000000000007", CNPJ_LEN);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_shown_forms),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests_name("cnpj", tests, NULL, NULL);
}
