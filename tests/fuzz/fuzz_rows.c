/* tests/fuzz/fuzz_rows.c - whole generations from any bytes: a byte that says how many groups there are, two with the
 * length of the payload of clients, that payload, and the payload of tenants. Rows that are taken are in order, packed
 * again they are read as the same rows, and every filter is answered with what a naive count of them gives. */
#include "common/domain/answer.h"
#include "common/stored/codec.h"
#include "common/stored/pack_scan.h"
#include "tests/fuzz/stored.h"

struct generation {
    struct manifest manifest;
    struct scored_snapshot scored;
};

/* How many values a payload holds, as far as it can be read. */
static uint32_t count_rows(struct bytes payload)
{
    struct error err;
    uint32_t count = 0;
    for (size_t offset = 0; offset < payload.len; count++)
        if (pack_scan(payload, &offset, &err) != STATUS_OK)
            break;
    return count;
}

/* generation_clear must follow, whatever the result. */
static bool read_generation(struct generation *generation, struct bytes clients, struct bytes tenants)
{
    struct scored_snapshot *scored = &generation->scored;
    struct error err;
    scored_snapshot_init(scored);
    return scoring_model_parse(&scored->arena, scoring_model_builtin(), &scored->model, &err) == STATUS_OK &&
           codec_begin_rows(&generation->manifest, scored, &err) == STATUS_OK &&
           codec_unpack_clients(clients, &generation->manifest, scored, &err) == STATUS_OK &&
           codec_unpack_tenants(tenants, &generation->manifest, scored, &err) == STATUS_OK &&
           codec_end_rows(&generation->manifest, scored, &err) == STATUS_OK;
}

static void check_order(const struct scored_snapshot *scored)
{
    for (size_t i = 1; i < scored->clients_count; i++)
        MUST_HOLD(client_compare(&scored->clients[i - 1], &scored->clients[i]) < 0);
    for (size_t i = 1; i < scored->tenants_count; i++)
        MUST_HOLD(tenant_compare(&scored->tenants[i - 1], &scored->tenants[i]) < 0);
}

static void pack(const struct scored_snapshot *scored, struct buffer *clients, struct buffer *tenants)
{
    struct error err;
    size_t next_client = 0, next_tenant = 0;
    MUST_HOLD(codec_pack_clients(scored, &next_client, clients, &err) == STATUS_OK);
    MUST_HOLD(codec_pack_tenants(scored, &next_tenant, tenants, &err) == STATUS_OK);
    MUST_HOLD(next_client == scored->clients_count && next_tenant == scored->tenants_count);
}

static void check_packed(const struct generation *generation)
{
    struct generation again = {.manifest = generation->manifest};
    struct buffer clients[2] = {BUFFER_INIT, BUFFER_INIT}, tenants[2] = {BUFFER_INIT, BUFFER_INIT};
    pack(&generation->scored, &clients[0], &tenants[0]);
    MUST_HOLD(read_generation(&again, buffer_bytes(&clients[0]), buffer_bytes(&tenants[0])));
    pack(&again.scored, &clients[1], &tenants[1]);
    MUST_HOLD(bytes_equal(buffer_bytes(&clients[0]), buffer_bytes(&clients[1])));
    MUST_HOLD(bytes_equal(buffer_bytes(&tenants[0]), buffer_bytes(&tenants[1])));
    scored_snapshot_clear(&again.scored);
    for (int i = 0; i < 2; i++) {
        buffer_clear(&clients[i]);
        buffer_clear(&tenants[i]);
    }
}

static bool passes(const struct client *client, struct date_filter filter)
{
    int32_t day = day_of_wall_us(client->data_adesao.wall_us);
    if (client->data_adesao.kind == TIMESTAMP_NONE)
        return date_filter_is_open(filter);
    return day >= filter.first_day && day <= filter.last_day;
}

static bool has_client(const struct scored_snapshot *scored, struct date_filter filter, int32_t group)
{
    for (size_t i = 0; i < scored->clients_count; i++)
        if (scored->clients[i].group == group && passes(&scored->clients[i], filter))
            return true;
    return false;
}

static void check_answer(const struct scored_snapshot *scored, struct date_filter filter)
{
    struct answer made;
    struct error err;
    size_t clients = 0, active = 0, tenants = 0;
    MUST_HOLD(answer(scored, filter, &made, &err) == STATUS_OK);
    for (size_t i = 0; i < scored->clients_count; i++) {
        bool is_in = i >= made.first_client && i - made.first_client < made.clients_count;
        MUST_HOLD(is_in == passes(&scored->clients[i], filter));
        clients += is_in;
        active += is_in && (scored->clients[i].roles & CLIENT_ACTIVE) != 0;
    }
    for (size_t i = 0; i < scored->tenants_count; i++) {
        MUST_HOLD(answer_has_tenant(&made, i) == has_client(scored, filter, scored->tenants[i].group));
        tenants += answer_has_tenant(&made, i);
    }
    MUST_HOLD(made.clients_count == clients && made.tenants_count == tenants && made.kpis.active == active);
    answer_clear(&made);
}

/* All, and those that begin or end with some client's day. */
static void check_answers(const struct scored_snapshot *scored)
{
    check_answer(scored, DATE_FILTER_ALL);
    for (size_t i = 0; i < scored->clients_count && i < 4; i++) {
        int32_t day = day_of_wall_us(scored->clients[i].data_adesao.wall_us);
        check_answer(scored, (struct date_filter){day, day});
        check_answer(scored, (struct date_filter){DAY_MIN, day});
        check_answer(scored, (struct date_filter){day, DAY_MAX});
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer clients = BUFFER_INIT, tenants = BUFFER_INIT;
    struct generation generation = {.manifest = {.generation = 1}};
    size_t len = size < 3 ? 0 : (size_t)data[1] << 8 | data[2];
    if (size < 3 || len > size - 3)
        return 0;
    struct bytes client_rows = {(const char *)data + 3, len};
    struct bytes tenant_rows = {(const char *)data + 3 + len, size - 3 - len};
    generation.manifest.groups_count = data[0];
    generation.manifest.clients_count = count_rows(client_rows);
    generation.manifest.tenants_count = count_rows(tenant_rows);
    if (stored_wrap(client_rows, BLOB_CLIENTS, &clients) &&
        stored_wrap(tenant_rows, BLOB_TENANTS, &tenants)) {
        if (read_generation(&generation, buffer_bytes(&clients), buffer_bytes(&tenants))) {
            check_order(&generation.scored);
            check_packed(&generation);
            check_answers(&generation.scored);
        }
        scored_snapshot_clear(&generation.scored);
    }
    buffer_clear(&clients);
    buffer_clear(&tenants);
    return 0;
}
