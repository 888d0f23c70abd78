/* tests/unit/test_api_siphash.c - SipHash-2-4-128 against the vectors of its authors: key 00 01 ... 0f, texts 00 01
 * ... */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/siphash.h"
#include "tests/unit/support.h"

static void test_vectors(void **state)
{
    static const struct {
        size_t len;
        const char *tag;
    } rows[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {2, "8177228da4a45dc7fca38bdef60affe4"},  {3, "9c70b60c5267a94e5f33b6b02985ed51"},
        {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    };
    struct siphash_key key;
    char bytes[16];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    memcpy(&key, bytes, sizeof key); /* on a little-endian machine, as all that are supported */
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *exact = malloc(rows[i].len > 0 ? rows[i].len : 1);
        char hex[33];
        assert_non_null(exact);
        memcpy(exact, bytes, rows[i].len);
        struct siphash_tag tag = siphash(&key, (struct bytes){exact, rows[i].len});
        for (size_t j = 0; j < 16; j++)
            snprintf(hex + 2 * j, 3, "%02x", (unsigned)(tag.words[j / 8] >> (j % 8 * 8)) & 0xffu);
        free(exact);
        if (strcmp(hex, rows[i].tag) != 0)
            fail_msg("%zu bytes: %s, expected %s", rows[i].len, hex, rows[i].tag);
    }
}

static void test_keys_are_random(void **state)
{
    struct siphash_key a, b;
    struct error err;
    (void)state;
    assert_int_equal(siphash_new_key(&a, &err), STATUS_OK);
    assert_int_equal(siphash_new_key(&b, &err), STATUS_OK);
    assert_memory_not_equal(&a, &b, sizeof a);
    struct siphash_tag of_a = siphash(&a, bytes_of("ana:senha")), of_b = siphash(&b, bytes_of("ana:senha"));
    assert_memory_not_equal(&of_a, &of_b, sizeof of_a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_keys_are_random)};
    return cmocka_run_group_tests_name("api_siphash", tests, NULL, NULL);
}
