/* tests/unit/test_codec_logins.c - logins and tenant ids come back as they were, in one part or in many; whatever else
 * is offered is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "common/domain/date.h"
#include "common/stored/codec_logins.h"
#include "common/stored/envelope.h"
#include "common/stored/pack.h"
#include "tests/unit/support.h"

#define WALL_MIN (DAY_FIRST * US_PER_DAY)
#define WALL_MAX ((DAY_LAST + 1) * US_PER_DAY - 1)

static const struct login_user USERS[] = {
    {.id = 5, .name = RAW("Ana \xC3\x87"), .email = RAW("ana@loja.example")},
    {.id = 6, .name = RAW(""), .email = {NULL, 0}},
    {.id = 7, .name = {NULL, 0}, .email = {NULL, 0}},
    {.id = 8, .name = RAW("A\0B"), .email = RAW("\"\\\n")},
};

static const struct login ROWS[] = {
    {.id = UINT64_MAX, .tenant_id = 42, .wall_us = WALL_MAX, .user = 3, .has_subject = true},
    {.id = 9, .tenant_id = 42, .wall_us = 20000 * US_PER_DAY, .user = 0, .has_subject = true},
    {.id = 8, .tenant_id = 42, .wall_us = 20000 * US_PER_DAY, .user = LOGIN_WITHOUT_USER},
    {.id = 7, .tenant_id = 42, .wall_us = 0, .user = 0, .has_subject = true},
    {.id = 6, .tenant_id = 42, .wall_us = -1, .user = 2, .has_subject = true},
    {.id = 0, .tenant_id = 42, .wall_us = WALL_MIN, .user = 1, .has_subject = true},
};

static const struct tenant_logins SAMPLE = {
    .tenant_id = 42, .rows = ROWS, .count = COUNT(ROWS), .users = USERS, .unique_users = 4, .days = 5};

static void check_head(const char *name, const struct logins_head *found,
                       const struct tenant_logins *expected)
{
    check_int(name, "tenant_id", (int64_t)found->tenant_id, (int64_t)expected->tenant_id);
    check_int(name, "total", (int64_t)found->total, (int64_t)expected->count);
    check_int(name, "unique_users", (int64_t)found->unique_users, (int64_t)expected->unique_users);
    check_int(name, "days", found->days, expected->days);
}

static void check_row(const char *name, const struct stored_login *found, const struct login *expected,
                      const struct login_user *users)
{
    static const struct login_user nobody = {.id = 0};
    const struct login_user *user = expected->user == LOGIN_WITHOUT_USER ? &nobody : &users[expected->user];
    check_int(name, "id", (int64_t)found->id, (int64_t)expected->id);
    check_int(name, "wall_us", found->wall_us, expected->wall_us);
    check_bytes(name, "name", found->name, user->name);
    check_bytes(name, "email", found->email, user->email);
}

/* Packs and reads part after part; returns how many there were. */
static size_t check_parts(const char *name, const struct tenant_logins *logins)
{
    size_t next = 0, parts = 0;
    do {
        struct buffer blob = BUFFER_INIT;
        struct logins_part part;
        struct arena arena;
        struct error err;
        size_t before = next;
        arena_init(&arena);
        if (codec_pack_logins(logins, &next, &blob, &err) != STATUS_OK)
            fail_msg("%s: part %zu cannot be packed: %s", name, parts, err.message);
        check_int(name, "part fits", blob.len <= ENVELOPE_LEN_MAX, true);
        if (codec_unpack_logins(buffer_bytes(&blob), &arena, &part, &err) != STATUS_OK)
            fail_msg("%s: part %zu cannot be read: %s", name, parts, err.message);
        check_head(name, &part.head, logins);
        check_int(name, "rows", (int64_t)part.count, (int64_t)(next - before));
        for (size_t i = 0; i < part.count; i++)
            check_row(name, &part.rows[i], &logins->rows[before + i], logins->users);
        arena_clear(&arena);
        buffer_clear(&blob);
        parts++;
    } while (next < logins->count);
    return parts;
}

static void test_one_part(void **state)
{
    struct tenant_logins nothing = {.tenant_id = UINT64_MAX};
    (void)state;
    check_int("sample", "parts", (int64_t)check_parts("sample", &SAMPLE), 1);
    check_int("nothing", "parts", (int64_t)check_parts("nothing", &nothing), 1);
}

/* Rows for `users_count` users with texts of `text_len`, in turn, each fifth row without a user. */
static struct tenant_logins many_logins(size_t count, uint32_t users_count, const char *text, size_t text_len)
{
    struct login *rows = calloc(count, sizeof *rows);
    struct login_user *users = calloc(users_count, sizeof *users);
    assert_true(rows != NULL && users != NULL);
    for (uint32_t i = 0; i < users_count; i++)
        users[i] = (struct login_user){.id = i, .name = {text, text_len}, .email = {text, text_len - i % 7}};
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct login){.id = UINT64_MAX - i,
                                 .wall_us = WALL_MAX - (int64_t)i,
                                 .user = i % 5 == 4 ? LOGIN_WITHOUT_USER : (uint32_t)(i % users_count)};
    return (struct tenant_logins){7, rows, count, users, users_count, 30};
}

static void free_logins(struct tenant_logins *logins)
{
    free((void *)(uintptr_t)logins->rows);
    free((void *)(uintptr_t)logins->users);
}

/* A row takes 24 bytes, a user 16 and its texts, of the 1,048,300 that there are for a part. */
static void test_several_parts(void **state)
{
    static char text[500000];
    static const struct {
        const char *name;
        size_t count;
        uint32_t users;
        size_t text_len;
        size_t parts;
    } rows[] = {
        {"as many rows as fit, one user", 43676, 1, 10, 1},
        {"some more", 44000, 1, 10, 2},
        {"three parts", 100000, 3, 10, 3},
        {"users in each part again", 50000, 10, 100, 2},
        {"long texts: four users, and rows without one", 40, 40, 115000, 8},
        {"texts of which one fits", 4, 4, 500000, 4},
    };
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tenant_logins logins = many_logins(rows[i].count, rows[i].users, text, rows[i].text_len);
        check_int(rows[i].name, "parts", (int64_t)check_parts(rows[i].name, &logins), (int64_t)rows[i].parts);
        free_logins(&logins);
    }
}

/* The texts of a user are stored once a part. */
static void test_users_are_shared(void **state)
{
    static char text[1000];
    struct buffer blob = BUFFER_INIT;
    struct error err;
    size_t next = 0;
    (void)state;
    memset(text, 'x', sizeof text);
    struct tenant_logins logins = many_logins(1000, 2, text, sizeof text);
    assert_int_equal(codec_pack_logins(&logins, &next, &blob, &err), STATUS_OK);
    assert_int_equal(next, 1000);
    if (blob.len > 2 * 2 * 1010 + 1000 * 24)
        fail_msg("two users of 1,000 logins: %zu bytes, expected their texts once", blob.len);
    buffer_clear(&blob);
    free_logins(&logins);
}

static void test_a_login_larger_than_a_part(void **state)
{
    static char text[ENVELOPE_LEN_MAX];
    struct buffer blob = BUFFER_INIT;
    struct error err;
    size_t next = 0;
    (void)state;
    memset(text, 'x', sizeof text);
    struct tenant_logins logins = many_logins(2, 2, text, sizeof text);
    assert_int_equal(codec_pack_logins(&logins, &next, &blob, &err), STATUS_INVALID);
    assert_int_equal(next, 0);
    buffer_clear(&blob);
    free_logins(&logins);
}

static enum status unpack_logins(struct bytes blob, struct error *err)
{
    struct logins_part part = {.count = 4711};
    struct arena arena;
    arena_init(&arena);
    enum status status = codec_unpack_logins(blob, &arena, &part, err);
    if (status != STATUS_OK)
        check_int("refused", "count", (int64_t)part.count, 4711);
    for (size_t i = 0; status == STATUS_OK && i < part.count; i++) {
        check_int("taken", "wall_us", part.rows[i].wall_us < WALL_MIN || part.rows[i].wall_us > WALL_MAX,
                  false);
        check_int("taken", "name", part.rows[i].name.len > blob.len, false);
    }
    arena_clear(&arena);
    return status;
}

static enum status unpack_ids(struct bytes blob, struct error *err)
{
    uint64_t ids[8];
    size_t count = 1;
    ids[0] = 3;
    enum status status = codec_unpack_tenant_ids(blob, ids, COUNT(ids), &count, err);
    if (status != STATUS_OK)
        check_int("refused", "count", (int64_t)count, 1);
    for (size_t i = 1; status == STATUS_OK && i < count; i++)
        check_int("taken", "order", ids[i] > ids[i - 1], true);
    return status;
}

typedef enum status unpack_any(struct bytes blob, struct error *err);

static void check_status(const char *kind, const char *name, unpack_any *unpack, struct bytes blob,
                         enum status expected)
{
    struct error err = {STATUS_OK, ""};
    enum status status = unpack(blob, &err);
    if (status != expected)
        fail_msg("%s, %s: status is %s (%s), expected %s", kind, name, status_word(status), err.message,
                 status_word(expected));
    if (status != STATUS_OK && (err.code != status || err.message[0] == '\0'))
        fail_msg("%s, %s: error is %s \"%s\", expected %s with words", kind, name, status_word(err.code),
                 err.message, status_word(status));
}

/* Both kinds of blob, and what reads them. */
static struct {
    const char *name;
    enum blob_kind kind;
    unpack_any *unpack;
    struct buffer blob;
} kinds[] = {{"logins", BLOB_LOGINS, unpack_logins, BUFFER_INIT},
             {"ids", BLOB_TENANT_IDS, unpack_ids, BUFFER_INIT}};

static int pack_samples(void **state)
{
    static const uint64_t ids[] = {4, 5, 1000, 70000, UINT32_MAX, UINT64_MAX};
    struct error err;
    size_t next = 0, next_id = 0;
    (void)state;
    if (codec_pack_logins(&SAMPLE, &next, &kinds[0].blob, &err) != STATUS_OK ||
        codec_pack_tenant_ids(ids, COUNT(ids), &next_id, &kinds[1].blob, &err) != STATUS_OK)
        return -1;
    return next == COUNT(ROWS) && next_id == COUNT(ids) ? 0 : -1;
}

static int free_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++)
        buffer_clear(&kinds[i].blob);
    return 0;
}

/* Each prefix is in memory of its own, so that a byte read behind it is seen. */
static void test_cut_at_every_length(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct buffer sealed = BUFFER_INIT;
        check_status(kinds[k].name, "whole", kinds[k].unpack, buffer_bytes(&kinds[k].blob), STATUS_OK);
        check_status(kinds[k].name, "nothing", kinds[k].unpack, (struct bytes){NULL, 0}, STATUS_CORRUPT);
        for (size_t len = 0; len < kinds[k].blob.len; len++) {
            char name[64], *copy = malloc(len + 1);
            assert_non_null(copy);
            snprintf(name, sizeof name, "cut to %zu bytes", len);
            memcpy(copy, kinds[k].blob.data, len);
            check_status(kinds[k].name, name, kinds[k].unpack, (struct bytes){copy, len}, STATUS_CORRUPT);
            if (len >= ENVELOPE_HEADER_LEN) {
                seal(&sealed, kinds[k].kind,
                     (struct bytes){copy + ENVELOPE_HEADER_LEN, len - ENVELOPE_HEADER_LEN});
                check_status(kinds[k].name, name, kinds[k].unpack, buffer_bytes(&sealed), STATUS_CORRUPT);
            }
            free(copy);
        }
        buffer_clear(&sealed);
    }
}

/* Every bit as it comes; every byte also under a right checksum, where any value may come out but nothing else than
 * OK or CORRUPT. */
static void test_every_byte_flipped(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct buffer copy = BUFFER_INIT, sealed = BUFFER_INIT;
        buffer_append(&copy, kinds[k].blob.data, kinds[k].blob.len);
        for (size_t bit = 0; bit < copy.len * 8; bit++) {
            char name[64];
            snprintf(name, sizeof name, "bit %zu flipped", bit);
            copy.data[bit / 8] = (char)(copy.data[bit / 8] ^ (1 << bit % 8));
            check_status(kinds[k].name, name, kinds[k].unpack, buffer_bytes(&copy), STATUS_CORRUPT);
            copy.data[bit / 8] = (char)(copy.data[bit / 8] ^ (1 << bit % 8));
        }
        for (size_t at = ENVELOPE_HEADER_LEN; at < copy.len; at++) {
            char old = copy.data[at];
            for (int value = 0; value < 256; value++) {
                struct error err = {STATUS_OK, ""};
                copy.data[at] = (char)value;
                seal(&sealed, kinds[k].kind,
                     (struct bytes){copy.data + ENVELOPE_HEADER_LEN, copy.len - ENVELOPE_HEADER_LEN});
                enum status status = kinds[k].unpack(buffer_bytes(&sealed), &err);
                if (status != STATUS_OK && status != STATUS_CORRUPT)
                    fail_msg("%s, byte %zu is %02x: status is %s (%s), expected ok or corrupt", kinds[k].name,
                             at, (unsigned)value, status_word(status), err.message);
            }
            copy.data[at] = old;
        }
        buffer_clear(&copy);
        buffer_clear(&sealed);
    }
}

#define ONE_USER  "\x92\xA1n\xA1m" /* name n, e-mail m */
#define HEAD      "\x96\x07\x02\x01\x01"
#define HUGE_LIST "\xDD\x0F\xFF\xFF\xFF"

static void test_garbage(void **state)
{
    static const struct {
        const char *name;
        int kind;
        struct bytes payload;
        enum status expected;
    } rows[] = {
        {"a row with a user", 0, RAW(HEAD ONE_USER "\x93\x01\x02\x00"), STATUS_OK},
        {"a row without a user", 0, RAW(HEAD "\x90\x93\x01\x02\xC0"), STATUS_OK},
        {"no row", 0, RAW(HEAD "\x90\x90"), STATUS_OK},
        {"empty", 0, RAW(""), STATUS_CORRUPT},
        {"nil", 0, RAW("\xC0"), STATUS_CORRUPT},
        {"huge list", 0, RAW(HUGE_LIST), STATUS_CORRUPT},
        {"huge users", 0, RAW(HEAD HUGE_LIST "\x90"), STATUS_CORRUPT},
        {"huge rows", 0, RAW(HEAD "\x90" HUGE_LIST), STATUS_CORRUPT},
        {"half a user", 0, RAW(HEAD "\x91\xA1n\x90"), STATUS_CORRUPT},
        {"half a row", 0, RAW(HEAD "\x90\x92\x01\x02"), STATUS_CORRUPT},
        {"a user behind the last", 0, RAW(HEAD ONE_USER "\x93\x01\x02\x01"), STATUS_CORRUPT},
        {"a user where there is none", 0, RAW(HEAD "\x90\x93\x01\x02\x00"), STATUS_CORRUPT},
        {"a user below the first", 0, RAW(HEAD ONE_USER "\x93\x01\x02\xFF"), STATUS_CORRUPT},
        {"more rows than the total", 0, RAW("\x96\x07\x00\x00\x01\x90\x93\x01\x02\xC0"), STATUS_CORRUPT},
        {"more users than logins", 0, RAW("\x96\x07\x01\x02\x01\x90\x93\x01\x02\xC0"), STATUS_CORRUPT},
        {"negative tenant", 0, RAW("\x96\xFF\x01\x01\x01\x90\x90"), STATUS_CORRUPT},
        {"negative id", 0, RAW(HEAD "\x90\x93\xFF\x02\xC0"), STATUS_CORRUPT},
        {"beyond the year 9999", 0, RAW(HEAD "\x90\x93\x01\xCF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xC0"),
         STATUS_CORRUPT},
        {"a name that is not UTF-8", 0, RAW(HEAD "\x92\xA1\xFF\xA1m\x93\x01\x02\x00"), STATUS_CORRUPT},
        {"a name that is a number", 0, RAW(HEAD "\x92\x01\xA1m\x93\x01\x02\x00"), STATUS_CORRUPT},
        {"a field more", 0, RAW("\x97\x07\x02\x01\x01\x90\x90\x01"), STATUS_CORRUPT},
        {"a byte behind", 0, RAW(HEAD "\x90\x90\xC0"), STATUS_CORRUPT},
        {"no id", 1, RAW("\x90"), STATUS_OK},
        {"as many as there is room for", 1, RAW("\x97\x04\x05\x06\x07\x08\x09\x0A"), STATUS_OK},
        {"one more", 1, RAW("\x98\x04\x05\x06\x07\x08\x09\x0A\x0B"), STATUS_CORRUPT},
        {"an id twice", 1, RAW("\x92\x04\x04"), STATUS_CORRUPT},
        {"falling ids", 1, RAW("\x92\x05\x04"), STATUS_CORRUPT},
        {"not above those before", 1, RAW("\x91\x03"), STATUS_CORRUPT},
        {"negative tenant", 1, RAW("\x91\xFF"), STATUS_CORRUPT},
        {"nil", 1, RAW("\x91\xC0"), STATUS_CORRUPT},
        {"huge list", 1, RAW(HUGE_LIST), STATUS_CORRUPT},
        {"empty", 1, RAW(""), STATUS_CORRUPT},
        {"a byte behind", 1, RAW("\x91\x04\x05"), STATUS_CORRUPT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer blob = BUFFER_INIT;
        const char *kind = kinds[rows[i].kind].name;
        seal(&blob, kinds[rows[i].kind].kind, rows[i].payload);
        check_status(kind, rows[i].name, kinds[rows[i].kind].unpack, buffer_bytes(&blob), rows[i].expected);
        seal(&blob, kinds[1 - rows[i].kind].kind, rows[i].payload);
        check_status(kind, "under another kind", kinds[rows[i].kind].unpack, buffer_bytes(&blob),
                     STATUS_CORRUPT);
        buffer_clear(&blob);
    }
}

/* 100,000 ids a chunk. */
static void test_ids_come_back(void **state)
{
    static const size_t counts[] = {0, 1, 99999, 100000, 100001, 250000};
    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        uint64_t *ids = calloc(counts[i] + 1, sizeof *ids), *found = calloc(counts[i] + 1, sizeof *found);
        size_t next = 0, found_count = 0, chunks = 0;
        struct error err;
        char name[32];
        assert_true(ids != NULL && found != NULL);
        snprintf(name, sizeof name, "%zu ids", counts[i]);
        for (size_t j = 0; j < counts[i]; j++)
            ids[j] = UINT64_MAX - counts[i] + j;
        do {
            struct buffer blob = BUFFER_INIT;
            assert_int_equal(codec_pack_tenant_ids(ids, counts[i], &next, &blob, &err), STATUS_OK);
            check_int(name, "chunk fits", blob.len <= ENVELOPE_LEN_MAX, true);
            if (codec_unpack_tenant_ids(buffer_bytes(&blob), found, counts[i], &found_count, &err) !=
                STATUS_OK)
                fail_msg("%s: %s", name, err.message);
            check_int(name, "ids so far", (int64_t)found_count, (int64_t)next);
            buffer_clear(&blob);
            chunks++;
        } while (next < counts[i]);
        check_int(name, "chunks", (int64_t)chunks,
                  counts[i] == 0 ? 1 : (int64_t)((counts[i] + 99999) / 100000));
        assert_memory_equal(found, ids, (counts[i] + 1) * sizeof *ids);
        free(ids);
        free(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_part),
        cmocka_unit_test(test_several_parts),
        cmocka_unit_test(test_users_are_shared),
        cmocka_unit_test(test_a_login_larger_than_a_part),
        cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_ids_come_back),
    };
    return cmocka_run_group_tests_name("codec_logins", tests, pack_samples, free_samples);
}
