/* tests/unit/test_api_row_sets.c - each set of rows is rendered once, whoever asks first and however many ask at
 * once. */
#include <pthread.h>
#include <stdio.h>

#include "api/data/row_sets.h"
#include "tests/unit/support.h"

#define CLIENTS 500
#define TENANTS 300
#define THREADS 8

static struct scored_snapshot scored;
static struct client clients[CLIENTS];
static struct tenant tenants[TENANTS];

static int fill_snapshot(void **state)
{
    struct error err;
    (void)state;
    scored_snapshot_init(&scored);
    if (scoring_model_parse(&scored.arena, scoring_model_builtin(), &scored.model, &err) != STATUS_OK)
        return -1;
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = (struct client){.id = (int64_t)i, .nome = bytes_of("Loja")};
    for (size_t i = 0; i < TENANTS; i++)
        tenants[i] = (struct tenant){.id = i, .slug = bytes_of("loja")};
    scored.clients = clients;
    scored.clients_count = CLIENTS;
    scored.tenants = tenants;
    scored.tenants_count = TENANTS;
    return 0;
}

static int clear_snapshot(void **state)
{
    (void)state;
    scored_snapshot_clear(&scored);
    return 0;
}

/* The shape that is no table. */
static bool is_no_set(enum row_set kind, enum media media)
{
    return kind == ROW_SET_TENANTS_DETALHADO && media == MEDIA_CSV;
}

/* Asks for every set there is, in an order that depends on where it begins. */
struct asker {
    pthread_t thread;
    struct row_sets *sets;
    size_t first;
    const struct rendered_rows *found[ROW_SET_COUNT][MEDIA_COUNT];
    size_t lens[ROW_SET_COUNT][MEDIA_COUNT];
    bool has_failed;
};

static void *ask(void *context)
{
    struct asker *asker = context;
    const size_t sets = (size_t)ROW_SET_COUNT * MEDIA_COUNT;
    struct error err;
    for (size_t i = 0; i < sets; i++) {
        size_t set = (asker->first + i) % sets;
        enum row_set kind = (enum row_set)(set / MEDIA_COUNT);
        enum media media = (enum media)(set % MEDIA_COUNT);
        const struct rendered_rows *rows = NULL;
        if (is_no_set(kind, media))
            continue;
        if (row_sets_get(asker->sets, kind, media, &rows, &err) != STATUS_OK)
            asker->has_failed = true;
        asker->found[kind][media] = rows;
        asker->lens[kind][media] = rows != NULL ? rows->text.len : 0;
    }
    return NULL;
}

static void test_each_set_is_rendered_once(void **state)
{
    static struct asker askers[THREADS];
    struct row_sets *sets = row_sets_new(&scored);
    (void)state;
    assert_non_null(sets);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.sets = sets, .first = i / 2};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(askers[i].thread, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        assert_false(askers[i].has_failed);
        assert_memory_equal(askers[i].found, askers[0].found, sizeof askers[i].found);
        assert_memory_equal(askers[i].lens, askers[0].lens, sizeof askers[i].lens);
    }
    row_sets_free(sets);
}

static void test_sets_are_what_they_are_called(void **state)
{
    struct row_sets *sets = row_sets_new(&scored);
    (void)state;
    assert_non_null(sets);
    for (enum row_set kind = 0; kind < ROW_SET_COUNT; kind++)
        for (enum media media = 0; media < MEDIA_COUNT; media++) {
            const struct rendered_rows *found = NULL;
            struct error err;
            if (is_no_set(kind, media))
                continue;
            assert_int_equal(row_sets_get(sets, kind, media, &found, &err), STATUS_OK);
            assert_int_equal(found->count, kind == ROW_SET_CLIENTS ? CLIENTS : TENANTS);
            assert_ptr_equal(found->type, media_row(media)->writer);
            assert_true((found->names_len > 0) == (media == MEDIA_CSV));
            bool has_total = memmem(found->text.data, found->text.len, "score_total", 11) != NULL;
            assert_true(has_total == (kind == ROW_SET_TENANTS_PLANO));
        }
    row_sets_free(sets);
    row_sets_free(NULL);
}

/* A table of a shape that is none fails each time, and leaves nothing. */
static void test_a_failure_is_tried_again(void **state)
{
    struct row_sets *sets = row_sets_new(&scored);
    const struct rendered_rows *found = NULL;
    struct error err;
    (void)state;
    assert_non_null(sets);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(row_sets_get(sets, ROW_SET_TENANTS_DETALHADO, MEDIA_CSV, &found, &err),
                         STATUS_INVALID);
        assert_null(found);
    }
    row_sets_free(sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_set_is_rendered_once),
        cmocka_unit_test(test_sets_are_what_they_are_called),
        cmocka_unit_test(test_a_failure_is_tried_again),
    };
    return cmocka_run_group_tests_name("api_row_sets", tests, fill_snapshot, clear_snapshot);
}
