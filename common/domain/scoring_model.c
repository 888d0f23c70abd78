/* common/domain/scoring_model.c - reads and checks the scoring model document. */
#include "common/domain/scoring_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "common/base/json.h"

#define POINTS_MAX   1000 /* also for weights and cuts */
#define COUNT_LIMIT  1000000000
#define WINDOW_MAX   3660 /* days */
#define PATH_MAX_LEN 96
#define MODEL_SCHEMA 1

struct reader {
    struct arena *arena;
    struct error *err;
};

static void *take(const struct reader *reader, size_t count, size_t size)
{
    void *memory = arena_take_array(reader->arena, count, size);
    if (memory == NULL)
        (void)error_no_memory(reader->err);
    return memory;
}

enum band_order { LIMITS_RISE, LIMITS_FALL };

static enum status read_bands(const struct reader *reader, const struct json *pillar, const char *pillar_path,
                              const char *key, const char *limit_key, enum band_order order,
                              struct bands *out)
{
    const struct json *list;
    if (json_need(pillar, pillar_path, key, JSON_ARRAY, &list, reader->err) != STATUS_OK)
        return reader->err->code;
    struct band *bands = take(reader, list->count, sizeof *bands);
    if (bands == NULL)
        return reader->err->code;
    const char *const known[] = {limit_key, "points", NULL};
    size_t i = 0;
    for (const struct json *item = list->first; item != NULL; item = item->next, i++) {
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "%s.%s[%zu]", pillar_path, key, i);
        if (item->type != JSON_OBJECT)
            return error_set(reader->err, STATUS_INVALID, "%s: is %s, takes an object", path,
                             json_type_name(item->type));
        if (json_refuse_others(item, path, known, reader->err) != STATUS_OK ||
            json_need_int(item, path, limit_key, 0, COUNT_LIMIT, &bands[i].limit, reader->err) != STATUS_OK ||
            json_need_scaled(item, path, "points", POINTS_SCALE, POINTS_MAX, &bands[i].points, reader->err) !=
                STATUS_OK)
            return reader->err->code;
        bool in_order = i == 0 || (order == LIMITS_RISE ? bands[i].limit > bands[i - 1].limit
                                                        : bands[i].limit < bands[i - 1].limit);
        if (!in_order)
            return error_set(reader->err, STATUS_INVALID, "%s.%s: limits must %s from band to band", path,
                             limit_key, order == LIMITS_RISE ? "rise" : "fall");
    }
    *out = (struct bands){bands, list->count};
    return STATUS_OK;
}

static enum status read_class(const struct reader *reader, const struct json *item, const char *path,
                              bool is_last, struct volume_class *out)
{
    static const char *const known[] = {"up_to", "bands", NULL};
    if (item->type != JSON_OBJECT)
        return error_set(reader->err, STATUS_INVALID, "%s: is %s, takes an object", path,
                         json_type_name(item->type));
    if (json_refuse_others(item, path, known, reader->err) != STATUS_OK)
        return reader->err->code;
    out->up_to = INT64_MAX;
    if (is_last && json_member(item, "up_to") != NULL)
        return error_set(reader->err, STATUS_INVALID, "%s.up_to: the last class has no upper size", path);
    if (!is_last && json_need_int(item, path, "up_to", 0, COUNT_LIMIT, &out->up_to, reader->err) != STATUS_OK)
        return reader->err->code;
    return read_bands(reader, item, path, "bands", "more_than", LIMITS_FALL, &out->bands);
}

static enum status read_classes(const struct reader *reader, const struct json *by_size, const char *path,
                                struct event_bands *out)
{
    const struct json *list;
    if (json_need(by_size, path, "classes", JSON_ARRAY, &list, reader->err) != STATUS_OK)
        return reader->err->code;
    struct volume_class *classes = take(reader, list->count, sizeof *classes);
    if (classes == NULL)
        return reader->err->code;
    size_t i = 0;
    for (const struct json *item = list->first; item != NULL; item = item->next, i++) {
        char item_path[PATH_MAX_LEN + 32];
        snprintf(item_path, sizeof item_path, "%s.classes[%zu]", path, i);
        if (read_class(reader, item, item_path, item->next == NULL, &classes[i]) != STATUS_OK)
            return reader->err->code;
        if (i > 0 && classes[i].up_to <= classes[i - 1].up_to)
            return error_set(reader->err, STATUS_INVALID, "%s.up_to: sizes must rise", item_path);
    }
    if (list->count == 0)
        return error_set(reader->err, STATUS_INVALID, "%s.classes: is empty, takes at least one class", path);
    out->volumes = classes;
    out->volumes_count = list->count;
    return STATUS_OK;
}

static enum status read_volume_by_size(const struct reader *reader, const struct json *pillar,
                                       const char *pillar_path, struct event_bands *out)
{
    static const char *const known[] = {"size", "classes", NULL};
    const struct json *by_size, *size;
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "%.60s.volume_by_size", pillar_path);
    if (json_need(pillar, pillar_path, "volume_by_size", JSON_OBJECT, &by_size, reader->err) != STATUS_OK ||
        json_refuse_others(by_size, path, known, reader->err) != STATUS_OK ||
        json_need(by_size, path, "size", JSON_TEXT, &size, reader->err) != STATUS_OK)
        return reader->err->code;
    bool is_team = bytes_is(size->text, "team");
    if (!is_team && !bytes_is(size->text, "store"))
        return error_set(reader->err, STATUS_INVALID, "%s.size: is \"%.40s\", takes team or store", path,
                         size->text.data);
    out->measure = is_team ? SIZE_TEAM : SIZE_STORE;
    return read_classes(reader, by_size, path, out);
}

/* Bands that apply to all sizes form a single class. */
static enum status read_volume(const struct reader *reader, const struct json *pillar, const char *path,
                               struct event_bands *out)
{
    struct volume_class *all = take(reader, 1, sizeof *all);
    if (all == NULL)
        return reader->err->code;
    out->measure = SIZE_NONE;
    out->volumes = all;
    out->volumes_count = 1;
    all->up_to = INT64_MAX;
    return read_bands(reader, pillar, path, "volume", "more_than", LIMITS_FALL, &all->bands);
}

static enum status read_event_pillar(const struct reader *reader, const struct json *pillars, const char *key,
                                     int64_t *weight, struct event_bands *out)
{
    static const char *const known[] = {"weight", "recency", "volume", "volume_by_size", NULL};
    const struct json *pillar;
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "pillars.%s", key);
    if (json_need(pillars, "pillars", key, JSON_OBJECT, &pillar, reader->err) != STATUS_OK ||
        json_refuse_others(pillar, path, known, reader->err) != STATUS_OK ||
        json_need_scaled(pillar, path, "weight", POINTS_SCALE, POINTS_MAX, weight, reader->err) !=
            STATUS_OK ||
        read_bands(reader, pillar, path, "recency", "days_up_to", LIMITS_RISE, &out->recency) != STATUS_OK)
        return reader->err->code;
    if (json_member(pillar, "volume_by_size") == NULL)
        return read_volume(reader, pillar, path, out);
    if (json_member(pillar, "volume") != NULL)
        return error_set(reader->err, STATUS_INVALID, "%s: has volume and volume_by_size, takes one of them",
                         path);
    return read_volume_by_size(reader, pillar, path, out);
}

static enum status read_excluded_integrators(const struct reader *reader, const struct json *pillar,
                                             const char *path, struct adoption_points *out)
{
    const struct json *list;
    if (json_need(pillar, path, "excluded_integrators", JSON_ARRAY, &list, reader->err) != STATUS_OK)
        return reader->err->code;
    int64_t *ids = take(reader, list->count, sizeof *ids);
    if (ids == NULL)
        return reader->err->code;
    size_t i = 0;
    for (const struct json *item = list->first; item != NULL; item = item->next, i++) {
        struct decimal value;
        if (item->type != JSON_NUMBER || !decimal_parse(item->text, &value) ||
            !decimal_to_scaled(value, 0, &ids[i]))
            return error_set(reader->err, STATUS_INVALID,
                             "%s.excluded_integrators[%zu]: is %.40s, takes a whole number", path, i,
                             item->type == JSON_NUMBER ? item->text.data : json_type_name(item->type));
    }
    out->excluded_integrators = ids;
    out->excluded_integrators_count = list->count;
    return STATUS_OK;
}

static enum status read_adoption(const struct reader *reader, const struct json *pillars, int64_t *weight,
                                 struct adoption_points *out)
{
    static const char *const known[] = {"weight",    "econversa",          "integrator_ads",       "reports",
                                        "contracts", "contracts_at_least", "excluded_integrators", NULL};
    static const char path[] = "pillars.adocao";
    const struct json *pillar;
    if (json_need(pillars, "pillars", "adocao", JSON_OBJECT, &pillar, reader->err) != STATUS_OK ||
        json_refuse_others(pillar, path, known, reader->err) != STATUS_OK)
        return reader->err->code;
    const struct {
        const char *key;
        int64_t *value;
    } points[] = {
        {"weight", weight},         {"econversa", &out->econversa}, {"integrator_ads", &out->integrator_ads},
        {"reports", &out->reports}, {"contracts", &out->contracts},
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        if (json_need_scaled(pillar, path, points[i].key, POINTS_SCALE, POINTS_MAX, points[i].value,
                             reader->err) != STATUS_OK)
            return reader->err->code;
    if (json_need_int(pillar, path, "contracts_at_least", 1, COUNT_LIMIT, &out->contracts_at_least,
                      reader->err) != STATUS_OK)
        return reader->err->code;
    return read_excluded_integrators(reader, pillar, path, out);
}

static enum status read_pillars(const struct reader *reader, const struct json *root,
                                struct scoring_model *out)
{
    static const char *const known[] = {"engajamento", "estoque", "crm", "adocao", NULL};
    const struct json *pillars;
    if (json_need(root, "", "pillars", JSON_OBJECT, &pillars, reader->err) != STATUS_OK ||
        json_refuse_others(pillars, "pillars", known, reader->err) != STATUS_OK)
        return reader->err->code;
    for (int pillar = 0; pillar < PILLAR_ADOPTION; pillar++)
        if (read_event_pillar(reader, pillars, known[pillar], &out->weights[pillar], &out->events[pillar]) !=
            STATUS_OK)
            return reader->err->code;
    return read_adoption(reader, pillars, &out->weights[PILLAR_ADOPTION], &out->adoption);
}

static enum status read_windows(const struct reader *reader, const struct json *root, struct windows *out)
{
    static const char *const known[] = {"events_days",  "messages_days",  "ads_days",
                                        "reports_days", "contracts_days", NULL};
    int64_t *const values[] = {&out->events_days, &out->messages_days, &out->ads_days, &out->reports_days,
                               &out->contracts_days};
    const struct json *windows;
    if (json_need(root, "", "windows", JSON_OBJECT, &windows, reader->err) != STATUS_OK ||
        json_refuse_others(windows, "windows", known, reader->err) != STATUS_OK)
        return reader->err->code;
    for (size_t i = 0; known[i] != NULL; i++)
        if (json_need_int(windows, "windows", known[i], 1, WINDOW_MAX, values[i], reader->err) != STATUS_OK)
            return reader->err->code;
    return STATUS_OK;
}

static enum status read_category(const struct reader *reader, const struct json *item, size_t i, bool last,
                                 struct scoring_model *out)
{
    static const char *const known[] = {"name", "up_to", NULL};
    const struct json *name;
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "categories[%zu]", i);
    if (item->type != JSON_OBJECT)
        return error_set(reader->err, STATUS_INVALID, "%s: is %s, takes an object", path,
                         json_type_name(item->type));
    if (json_refuse_others(item, path, known, reader->err) != STATUS_OK ||
        json_need(item, path, "name", JSON_TEXT, &name, reader->err) != STATUS_OK)
        return reader->err->code;
    for (size_t before = 0; before < i; before++)
        if (bytes_equal(out->categories[before].name, name->text))
            return error_set(reader->err, STATUS_INVALID, "%s.name: \"%.40s\" occurs twice", path,
                             name->text.data);
    int64_t up_to = INT64_MAX;
    if (last && json_member(item, "up_to") != NULL)
        return error_set(reader->err, STATUS_INVALID, "%s.up_to: the last category has no upper cut", path);
    if (!last &&
        json_need_scaled(item, path, "up_to", TOTAL_SCALE, POINTS_MAX, &up_to, reader->err) != STATUS_OK)
        return reader->err->code;
    if (i > 0 && up_to <= out->categories[i - 1].up_to)
        return error_set(reader->err, STATUS_INVALID, "%s.up_to: cuts must rise", path);
    out->categories[i] = (struct category){name->text, up_to};
    return STATUS_OK;
}

static enum status read_categories(const struct reader *reader, const struct json *root,
                                   struct scoring_model *out)
{
    const struct json *list;
    if (json_need(root, "", "categories", JSON_ARRAY, &list, reader->err) != STATUS_OK)
        return reader->err->code;
    if (list->count == 0 || list->count > CATEGORIES_MAX)
        return error_set(reader->err, STATUS_INVALID, "categories: has %zu items, takes 1 to %d", list->count,
                         CATEGORIES_MAX);
    size_t i = 0;
    for (const struct json *item = list->first; item != NULL; item = item->next, i++)
        if (read_category(reader, item, i, item->next == NULL, out) != STATUS_OK)
            return reader->err->code;
    out->categories_count = list->count;
    return STATUS_OK;
}

static enum status read_integrators(const struct reader *reader, const struct json *root,
                                    struct scoring_model *out)
{
    static const char *const known[] = {"id", "name", NULL};
    const struct json *list, *name;
    if (json_need(root, "", "integrators", JSON_ARRAY, &list, reader->err) != STATUS_OK)
        return reader->err->code;
    struct integrator *integrators = take(reader, list->count, sizeof *integrators);
    if (integrators == NULL)
        return reader->err->code;
    size_t i = 0;
    for (const struct json *item = list->first; item != NULL; item = item->next, i++) {
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "integrators[%zu]", i);
        if (item->type != JSON_OBJECT)
            return error_set(reader->err, STATUS_INVALID, "%s: is %s, takes an object", path,
                             json_type_name(item->type));
        if (json_refuse_others(item, path, known, reader->err) != STATUS_OK ||
            json_need_int(item, path, "id", 0, COUNT_LIMIT, &integrators[i].id, reader->err) != STATUS_OK ||
            json_need(item, path, "name", JSON_TEXT, &name, reader->err) != STATUS_OK)
            return reader->err->code;
        integrators[i].name = name->text;
        if (i > 0 && integrators[i].id <= integrators[i - 1].id)
            return error_set(reader->err, STATUS_INVALID, "%s.id: ids must rise", path);
    }
    out->integrators = integrators;
    out->integrators_count = list->count;
    return STATUS_OK;
}

static enum status read_names(const struct reader *reader, const struct json *object, const char *path,
                              const char *key, struct names *out)
{
    const struct json *list;
    if (json_need(object, path, key, JSON_ARRAY, &list, reader->err) != STATUS_OK)
        return reader->err->code;
    struct bytes *items = take(reader, list->count, sizeof *items);
    if (items == NULL)
        return reader->err->code;
    size_t i = 0;
    for (const struct json *item = list->first; item != NULL; item = item->next, i++) {
        if (item->type != JSON_TEXT)
            return error_set(reader->err, STATUS_INVALID, "%s.%s[%zu]: is %s, takes a text", path, key, i,
                             json_type_name(item->type));
        items[i] = item->text;
    }
    *out = (struct names){items, list->count};
    return STATUS_OK;
}

static enum status read_pipelines(const struct reader *reader, const struct json *root,
                                  struct scoring_model *out)
{
    static const char *const known[] = {"active", "onboarding", "churn", NULL};
    const struct json *pipelines;
    if (json_need(root, "", "pipelines", JSON_OBJECT, &pipelines, reader->err) != STATUS_OK ||
        json_refuse_others(pipelines, "pipelines", known, reader->err) != STATUS_OK ||
        read_names(reader, pipelines, "pipelines", "active", &out->active_pipelines) != STATUS_OK ||
        read_names(reader, pipelines, "pipelines", "onboarding", &out->onboarding_pipelines) != STATUS_OK)
        return reader->err->code;
    return read_names(reader, pipelines, "pipelines", "churn", &out->churn_pipelines);
}

static enum status read_document(const struct reader *reader, const struct json *root,
                                 struct scoring_model *out)
{
    static const char *const known[] = {"schema",     "version",     "pillars",   "windows",
                                        "categories", "integrators", "pipelines", NULL};
    const struct json *version;
    int64_t schema;
    if (root->type != JSON_OBJECT)
        return error_set(reader->err, STATUS_INVALID, "is %s, takes an object", json_type_name(root->type));
    if (json_refuse_others(root, "", known, reader->err) != STATUS_OK ||
        json_need_int(root, "", "schema", MODEL_SCHEMA, MODEL_SCHEMA, &schema, reader->err) != STATUS_OK ||
        json_need(root, "", "version", JSON_TEXT, &version, reader->err) != STATUS_OK)
        return reader->err->code;
    out->version = version->text;
    if (read_pillars(reader, root, out) != STATUS_OK ||
        read_windows(reader, root, &out->windows) != STATUS_OK ||
        read_categories(reader, root, out) != STATUS_OK || read_integrators(reader, root, out) != STATUS_OK)
        return reader->err->code;
    return read_pipelines(reader, root, out);
}

enum status scoring_model_parse(struct arena *arena, struct bytes text, struct scoring_model *out,
                                struct error *err)
{
    struct reader reader = {arena, err};
    struct scoring_model model = {.version = {NULL, 0}};
    const struct json *root;
    if (text.len > SCORING_MODEL_TEXT_MAX)
        return error_set(err, STATUS_INVALID, "scoring model: has %zu bytes, takes at most %u", text.len,
                         SCORING_MODEL_TEXT_MAX);
    if (json_parse(arena, text, &root, err) != STATUS_OK || read_document(&reader, root, &model) != STATUS_OK)
        return error_context(err, "scoring model");
    model.text = arena_copy(arena, text);
    if (model.text.data == NULL)
        return error_no_memory(err);
    XXH128_hash_t hash = XXH3_128bits(text.data, text.len);
    snprintf(model.hash, sizeof model.hash, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
    *out = model;
    return STATUS_OK;
}

bool scoring_model_goes_by(const struct scoring_model *model, enum size_measure measure)
{
    for (int pillar = 0; pillar < PILLAR_ADOPTION; pillar++)
        if (model->events[pillar].measure == measure)
            return true;
    return false;
}

struct bytes scoring_model_integrator_name(const struct scoring_model *model, int64_t id)
{
    size_t low = 0, high = model->integrators_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (model->integrators[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < model->integrators_count && model->integrators[low].id == id;
    return found ? model->integrators[low].name : (struct bytes){NULL, 0};
}

bool names_contain(struct names names, struct bytes name)
{
    for (size_t i = 0; i < names.count; i++)
        if (bytes_equal(names.items[i], name))
            return true;
    return false;
}
