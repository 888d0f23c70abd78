/* worker/check.c - one line per part: model, PostgreSQL, MySQL, Redis. */
#include "worker/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/program/zone.h"
#include "common/redis/redis_link.h"
#include "common/redis/redis_names.h"
#include "common/stored/codec.h"
#include "worker/refresh.h"
#include "worker/sources/ecosys.h"
#include "worker/sources/kommo.h"
#include "worker/sources/kommo_catalog.h"

#define DETAIL_MAX 256

struct check {
    const struct settings *settings;
    struct arena arena;
    struct scoring_model model;
    struct interrupt interrupt; /* never raised here */
};

static enum status check_model(struct check *check, char detail[DETAIL_MAX], struct error *err)
{
    if (refresh_load_model(check->settings, &check->arena, &check->model, err) != STATUS_OK)
        return err->code;
    const char *path = check->settings->scoring_model;
    snprintf(detail, DETAIL_MAX, "version %.*s, %s", (int)check->model.version.len, check->model.version.data,
             path != NULL ? path : "built in");
    return STATUS_OK;
}

static void describe_database(const struct database_settings *database, const char *version,
                              const char *protection, char detail[DETAIL_MAX])
{
    bool is_socket = database->host[0] == '/';
    char port[24] = "";
    if (!is_socket)
        snprintf(port, sizeof port, ":%" PRId64, database->port);
    snprintf(detail, DETAIL_MAX, "%s%s/%s as %s, server %s, over %s", database->host, port, database->name,
             database->user, version, protection);
}

/* Advice is not a failure: without the index the worker still does its job, at a higher cost. */
static enum status advise_kommo_index(const struct kommo *kommo, struct error *err)
{
    struct kommo_index_advice advice;
    if (kommo_catalog_advise(kommo->conn, &advice, err) != STATUS_OK)
        return err->code;
    if (advice.is_missing && advice.rows >= 0 && advice.live_rows >= 0)
        printf(
            "note postgresql: no index on clientes_kommo WHERE deleted_at IS NULL: a refresh reads the whole "
            "table, some %" PRId64 " rows, where one from schemas/postgres/indexes.sql reads the %" PRId64
            " that are not deleted\n",
            advice.rows, advice.live_rows);
    else if (advice.is_missing)
        printf(
            "note postgresql: no index on clientes_kommo WHERE deleted_at IS NULL: a refresh reads the whole "
            "table, where one from schemas/postgres/indexes.sql skips deleted rows\n");
    return STATUS_OK;
}

static enum status check_kommo(struct check *check, char detail[DETAIL_MAX], struct error *err)
{
    struct kommo kommo;
    char version[80] = "";
    enum status status = kommo_open(&kommo, check->settings, &check->interrupt, err);
    if (status == STATUS_OK)
        status = kommo_check(&kommo, version, sizeof version, err);
    if (status == STATUS_OK)
        status = advise_kommo_index(&kommo, err);
    if (status == STATUS_OK)
        describe_database(&check->settings->kommo, version, kommo_protection(&kommo), detail);
    kommo_close(&kommo);
    return status;
}

static void advise_ecosys_index(const struct ecosys_index_advice *advice, uint64_t rows)
{
    printf("note mysql: no index on %s (%s): a refresh reads the whole table, some %" PRIu64
           " rows, where one from "
           "schemas/mysql/%s %s\n",
           advice->table, advice->columns, rows,
           advice->by_store_size ? "indexes-by-size.sql" : "indexes.sql", advice->saves);
}

static enum status check_ecosys(struct check *check, char detail[DETAIL_MAX], struct error *err)
{
    struct ecosys ecosys;
    struct ecosys_catalog catalog;
    int32_t offset_s = zone_offset_s(clock_unix_ms() / 1000);
    enum status status = ecosys_open(&ecosys, check->settings, offset_s, &check->interrupt, err);
    if (status == STATUS_OK)
        status = ecosys_read_catalog(&ecosys, &check->model, &catalog, err);
    if (status == STATUS_OK)
        status = ecosys_snapshot(&ecosys, err);
    if (status == STATUS_OK)
        status = ecosys_check(&ecosys, &check->model, &catalog, advise_ecosys_index, err);
    if (status == STATUS_OK)
        describe_database(&check->settings->ecosys, ecosys_version(&ecosys), ecosys_protection(&ecosys),
                          detail);
    ecosys_close(&ecosys);
    return status;
}

/* The value after "name:" in INFO's text, up to the end of the line. */
static struct bytes info_value(struct bytes info, const char *name)
{
    const char *found = info.data != NULL ? strstr(info.data, name) : NULL;
    const char *value = found != NULL ? found + strlen(name) : "";
    return (struct bytes){value, strcspn(value, "\r\n")};
}

/* Prints why the last refresh failed, if it did, whichever worker leads. This does not fail the check: the cause may be
 * gone by now. */
static void tell_last_failure(const struct check *check, struct redis_link *link)
{
    struct redis_name name = redis_name_of(check->settings->redis_prefix, REDIS_WORKER);
    const struct bytes get[] = {bytes_of("GET"), bytes_of(name.text)};
    struct worker_report report;
    struct redisReply *reply;
    struct error err;
    enum status status = redis_link_call(link, get, 2, &reply, &err);
    if (status == STATUS_OK && redis_reply_text(reply).data == NULL) {
        redis_reply_free(reply);
        return;
    }
    if (status == STATUS_OK) {
        status = codec_unpack_worker_report(redis_reply_text(reply), &report, &err);
        redis_reply_free(reply);
    }
    if (status != STATUS_OK)
        printf("note worker: its report cannot be read: %s\n", err.message);
    else if (report.last_error[0] != '\0')
        printf("note worker: the last refresh failed (%s, %" PRIu64 " in a row): %s\n", report.last_error,
               report.failures, report.reason);
}

static enum status check_redis(struct check *check, char detail[DETAIL_MAX], struct error *err)
{
    struct redis_link link;
    struct redisReply *reply;
    const struct bytes info[] = {bytes_of("INFO")};
    redis_link_init(&link, &check->settings->redis, check->settings->redis_timeout_ms);
    enum status status = redis_link_call(&link, info, 1, &reply, err);
    if (status == STATUS_OK) {
        struct bytes version = info_value(redis_reply_text(reply), "redis_version:");
        struct bytes role = info_value(redis_reply_text(reply), "role:");
        struct bytes policy = info_value(redis_reply_text(reply), "maxmemory_policy:");
        snprintf(detail, DETAIL_MAX, "server %.*s, role %.*s, maxmemory-policy %.*s, over %s",
                 (int)version.len, version.data, (int)role.len, role.data, (int)policy.len, policy.data,
                 redis_link_protection(&link));
        if (bytes_is(role, "slave"))
            status =
                error_set(err, STATUS_INVALID, "Redis is a read-only replica; the worker needs its master");
        else if (policy.len > 0 && !bytes_is(policy, "noeviction"))
            status =
                error_set(err, STATUS_INVALID,
                          "Redis may evict what is published: maxmemory-policy is %.*s, takes noeviction",
                          (int)policy.len, policy.data);
        redis_reply_free(reply);
        tell_last_failure(check, &link);
    }
    redis_link_close(&link);
    return status;
}

enum exit_status check_run(const struct settings *settings)
{
    static const struct {
        const char *name;
        enum status (*run)(struct check *check, char detail[DETAIL_MAX], struct error *err);
    } parts[] = {
        {"model", check_model}, {"postgresql", check_kommo}, {"mysql", check_ecosys}, {"redis", check_redis}};
    struct check check = {.settings = settings};
    enum exit_status exit_status = EXIT_DONE;
    arena_init(&check.arena);
    interrupt_init(&check.interrupt);
    printf("ok   settings: zone %s, prefix %s\n", settings->zone, settings->redis_prefix);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char detail[DETAIL_MAX] = "";
        struct error err;
        enum status status = parts[i].run(&check, detail, &err);
        char head[32];
        snprintf(head, sizeof head, "%s %s", status == STATUS_OK ? "ok  " : "FAIL", parts[i].name);
        program_print_line(stdout, head, status == STATUS_OK ? detail : err.message);
        if (status != STATUS_OK)
            exit_status = EXIT_FAILED;
    }
    interrupt_clear(&check.interrupt);
    arena_clear(&check.arena);
    return exit_status;
}
