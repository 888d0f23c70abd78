/* tests/fuzz/fuzz_scoring.c - scoring models from any bytes. One that is taken scores the idlest and the busiest tenant
 * there can be without overflow, gives each a category, and travels through what is stored unchanged. */
#include "common/domain/answer.h"
#include "common/domain/score.h"
#include "common/stored/codec.h"
#include "tests/fuzz/fuzz.h"

#define TODAY 20000

static struct tenant idlest_tenant(void)
{
    struct event_stats none = {0, DAY_NONE};
    return (struct tenant){.id = 1, .logins = none, .entries = none, .outs = none, .leads = none};
}

static struct tenant busiest_tenant(int32_t newest_day)
{
    struct event_stats all = {UINT64_MAX, newest_day};
    return (struct tenant){.id = UINT64_MAX,
                           .logins = all,
                           .entries = all,
                           .outs = all,
                           .leads = all,
                           .contracts_count = UINT64_MAX,
                           .team_size = UINT64_MAX,
                           .store_size = UINT64_MAX,
                           .econversa_open = true,
                           .has_recent_message = true,
                           .has_recent_ad = true,
                           .has_recent_report = true};
}

static void check_scores(const struct scoring_model *model)
{
    const struct tenant tenants[] = {idlest_tenant(), busiest_tenant(TODAY), busiest_tenant(DAY_FIRST),
                                     busiest_tenant(DAY_LAST)};
    for (size_t i = 0; i < sizeof tenants / sizeof tenants[0]; i++) {
        struct scores scores = score_tenant(&tenants[i], model, TODAY);
        struct scores again = scores_complete(model, scores, scores.total_exact);
        MUST_HOLD(scores.category < model->categories_count && again.category == scores.category);
        MUST_HOLD(scores.total_exact >= 0 && again.total_cents == scores.total_cents);
        for (int pillar = 0; pillar < PILLAR_COUNT; pillar++)
            MUST_HOLD(scores.pillar_cents[pillar] >= 0 && scores.pillar_cents[pillar] <= INT32_MAX);
    }
}

static void check_stored(const struct scoring_model *model)
{
    struct buffer blob = BUFFER_INIT;
    struct arena arena;
    struct scoring_model again;
    struct error err;
    arena_init(&arena);
    MUST_HOLD(codec_pack_model(model, &blob, &err) == STATUS_OK);
    MUST_HOLD(codec_unpack_model(buffer_bytes(&blob), &arena, &again, &err) == STATUS_OK);
    MUST_HOLD(bytes_equal(again.text, model->text) && strcmp(again.hash, model->hash) == 0);
    arena_clear(&arena);
    buffer_clear(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct scoring_model model;
    struct error err;
    arena_init(&arena);
    if (scoring_model_parse(&arena, (struct bytes){(const char *)data, size}, &model, &err) == STATUS_OK) {
        MUST_HOLD(model.categories_count > 0 && model.categories_count <= CATEGORIES_MAX);
        check_scores(&model);
        check_stored(&model);
    }
    arena_clear(&arena);
    return 0;
}
