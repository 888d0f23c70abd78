/* common/program/settings.c - the table of settings and its parsers. */
#include "common/program/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/program/origins.h"
#include "common/program/zone.h"
#include "common/redis/redis_names.h"

#define BOTH          (PROGRAM_WORKER | PROGRAM_API)
#define SECONDS_MAX   31536000
#define DEFAULT_FILE  ".env"
#define ENV_FILE_MAX  1048576u
#define UNSET_SECONDS (-1)

static const char *const PG_MODES[] = {"disable",   "allow",       "prefer", "require",
                                       "verify-ca", "verify-full", NULL};
static const char *const MYSQL_MODES[] = {"disabled", "preferred", "required", "verify_identity", NULL};
static const char *const FORMATS[] = {"plano", "detalhado", NULL};
static const char *const LEVELS[] = {"debug", "info", "warning", "error", NULL};
static const char *const LOG_FORMATS[] = {"text", "json", NULL};

#define AT(member) offsetof(struct settings, member)

/* In the order of docs/configuration.md. A row is three lines: who reads it, what it takes, what it means; what does
 * not apply to it is left out. A new one needs its row there and in .env.example too, and a member of struct
 * settings. */
/* clang-format off */
static const struct setting ROWS[] = {
    {.name = "DB_HOST", .fallback = "localhost", .programs = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(kommo.host),
     .help = "PostgreSQL of the CRM; a host that starts with / is a folder of sockets"},
    {.name = "DB_PORT", .fallback = "5432", .programs = PROGRAM_WORKER,
     .kind = KIND_NUMBER, .low = 1, .high = 65535, .field = AT(kommo.port),
     .help = "its port"},
    {.name = "DB_NAME", .programs = PROGRAM_WORKER, .required_by = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(kommo.name),
     .help = "the database of the CRM"},
    {.name = "DB_USER", .programs = PROGRAM_WORKER, .required_by = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(kommo.user),
     .help = "a user for whom SELECT suffices"},
    {.name = "DB_PASSWORD", .fallback = "", .programs = PROGRAM_WORKER, .is_secret = true,
     .kind = KIND_TEXT, .field = AT(kommo.password),
     .help = "its password"},
    {.name = "DB_SSLMODE", .programs = PROGRAM_WORKER,
     .kind = KIND_WORD, .choices = PG_MODES, .field = AT(kommo_sslmode),
     .help = "TLS to it: disable, allow, prefer, require, verify-ca or verify-full"},
    {.name = "DB_SSLROOTCERT", .programs = PROGRAM_WORKER,
     .kind = KIND_FILE, .field = AT(kommo_ca_file),
     .help = "the authorities that sign its certificate"},
    {.name = "DB_HOST_ECOSYS", .fallback = "localhost", .programs = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(ecosys.host),
     .help = "MySQL or MariaDB of EcoSys; a host that starts with / is a socket"},
    {.name = "DB_PORT_ECOSYS", .fallback = "3306", .programs = PROGRAM_WORKER,
     .kind = KIND_NUMBER, .low = 1, .high = 65535, .field = AT(ecosys.port),
     .help = "its port"},
    {.name = "DB_NAME_ECOSYS", .programs = PROGRAM_WORKER, .required_by = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(ecosys.name),
     .help = "the database of EcoSys"},
    {.name = "DB_USER_ECOSYS", .programs = PROGRAM_WORKER, .required_by = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(ecosys.user),
     .help = "a user for whom SELECT suffices"},
    {.name = "DB_PASSWORD_ECOSYS", .fallback = "", .programs = PROGRAM_WORKER, .is_secret = true,
     .kind = KIND_TEXT, .field = AT(ecosys.password),
     .help = "its password"},
    {.name = "DB_SSLMODE_ECOSYS", .fallback = "preferred", .programs = PROGRAM_WORKER,
     .kind = KIND_CHOICE, .choices = MYSQL_MODES, .field = AT(ecosys_tls),
     .help = "TLS to it: disabled, preferred, required or verify_identity"},
    {.name = "DB_SSLROOTCERT_ECOSYS", .programs = PROGRAM_WORKER,
     .kind = KIND_FILE, .field = AT(ecosys_ca_file),
     .help = "the authorities that sign its certificate"},
    {.name = "DB_CONNECT_TIMEOUT", .fallback = "5", .programs = PROGRAM_WORKER,
     .kind = KIND_NUMBER, .low = 1, .high = 300, .field = AT(db_connect_timeout_s),
     .help = "seconds to connect to a database"},
    {.name = "SNAPSHOT_TIMEOUT", .fallback = "60", .programs = PROGRAM_WORKER,
     .kind = KIND_NUMBER, .low = 1, .high = 3600, .field = AT(snapshot_timeout_s),
     .help = "seconds that the read of both databases may take"},
    {.name = "REDIS_URL", .fallback = "redis://127.0.0.1:6379/0", .programs = BOTH, .is_secret = true,
     .kind = KIND_TEXT, .field = AT(redis_url),
     .help = "redis://[user:password@]host:port/db, rediss:// (TLS) or unix:///path?db=N"},
    {.name = "UPSTASH_REDIS_REST_URL", .fallback = "", .programs = BOTH,
     .kind = KIND_TEXT, .field = AT(upstash_url),
     .help = "used when REDIS_URL is not set: https://HOST is TLS to HOST:6379"},
    {.name = "UPSTASH_REDIS_REST_TOKEN", .fallback = "", .programs = BOTH, .is_secret = true,
     .kind = KIND_TEXT, .field = AT(upstash_token),
     .help = "the token of that address"},
    {.name = "REDIS_CA_FILE", .programs = BOTH,
     .kind = KIND_FILE, .field = AT(redis_ca_file),
     .help = "the authorities that sign its certificate"},
    {.name = "REDIS_PREFIX", .fallback = "ecosys", .programs = BOTH,
     .kind = KIND_PREFIX, .field = AT(redis_prefix),
     .help = "what every key and channel starts with"},
    {.name = "REDIS_TIMEOUT_MS", .fallback = "5000", .programs = BOTH,
     .kind = KIND_NUMBER, .low = 100, .high = 60000, .field = AT(redis_timeout_ms),
     .help = "milliseconds to wait for an answer of Redis"},
    {.name = "BASIC_AUTH_USERS", .programs = PROGRAM_API, .required_by = PROGRAM_API, .is_secret = true,
     .kind = KIND_TEXT, .field = AT(basic_auth_users),
     .help = "user:pass,user2:pass2"},
    {.name = "BASIC_AUTH_READONLY", .fallback = "", .programs = PROGRAM_API,
     .kind = KIND_TEXT, .field = AT(basic_auth_readonly),
     .help = "users of those that may not ask for a refresh: user,user2"},
    {.name = "AUTH_FAILURES", .fallback = "300", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 0, .high = 6000, .field = AT(auth_failures),
     .help = "wrong credentials a minute and address; beyond it 503; 0 is no limit"},
    {.name = "AUTH_QUEUE", .fallback = "64", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 100000, .field = AT(auth_queue),
     .help = "credentials that may wait to be verified; beyond it 503"},
    {.name = "TRUSTED_PROXIES", .fallback = "", .programs = PROGRAM_API,
     .kind = KIND_TEXT, .field = AT(trusted_proxies),
     .help = "addresses and networks whose X-Forwarded-For is believed"},
    {.name = "HOST", .fallback = "127.0.0.1", .programs = PROGRAM_API,
     .kind = KIND_TEXT, .field = AT(host),
     .help = "address on which the API listens"},
    {.name = "PORT", .fallback = "8000", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 65535, .field = AT(port),
     .help = "port on which the API listens"},
    {.name = "API_THREADS", .fallback = "0", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 0, .high = 256, .field = AT(api_threads),
     .help = "event loops; 0 is the number of cores"},
    {.name = "HEALTH_SCORES_FORMATO", .fallback = "plano", .programs = PROGRAM_API,
     .kind = KIND_CHOICE, .choices = FORMATS, .field = AT(health_format),
     .help = "what /health-scores answers without formato"},
    {.name = "CORS_ALLOW_ORIGINS", .fallback = "*", .programs = PROGRAM_API,
     .kind = KIND_ORIGINS, .field = AT(cors_allow_origins),
     .help = "comma-separated origins, or *"},
    {.name = "CACHE_MEMORY", .fallback = "268435456", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 0, .high = INT64_MAX / 2, .field = AT(cache_memory),
     .help = "bytes of finished answers that are kept"},
    {.name = "SEND_MEMORY", .fallback = "268435456", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = INT64_MAX / 2, .field = AT(send_memory),
     .help = "bytes of answers that are sent but kept no more; beyond it 503"},
    {.name = "COMPUTE_QUEUE", .fallback = "1024", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 1000000, .field = AT(compute_queue),
     .help = "answers that may wait to be made; beyond it 503"},
    {.name = "COMPUTE_TIMEOUT", .fallback = "5", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 3600, .field = AT(compute_timeout_s),
     .help = "seconds for which an answer may wait to be made; then 503"},
    {.name = "HTTP_CONNECTIONS", .fallback = "4096", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 1000000, .field = AT(connections_max),
     .help = "connections at a time; one more displaces the idlest, or is answered 503"},
    {.name = "HTTP_HEADER_BYTES", .fallback = "16384", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1024, .high = 1048576, .field = AT(header_bytes_max),
     .help = "longest request line and headers"},
    {.name = "HTTP_BODY_BYTES", .fallback = "65536", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 0, .high = 16777216, .field = AT(body_bytes_max),
     .help = "longest request body"},
    {.name = "HTTP_REQUEST_TIMEOUT", .fallback = "15", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 3600, .field = AT(request_timeout_s),
     .help = "seconds to receive a request, and seconds in which a reader must take some of its answer"},
    {.name = "HTTP_IDLE_TIMEOUT", .fallback = "75", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 1, .high = 86400, .field = AT(idle_timeout_s),
     .help = "seconds that a connection may wait for its next request"},
    {.name = "SHUTDOWN_TIMEOUT", .fallback = "10", .programs = PROGRAM_API,
     .kind = KIND_NUMBER, .low = 0, .high = 3600, .field = AT(shutdown_timeout_s),
     .help = "seconds for answers under way when the API is told to stop"},
    {.name = "CACHE_TTL_CLIENTES", .fallback = "300", .programs = BOTH,
     .kind = KIND_NUMBER, .low = 1, .high = SECONDS_MAX, .field = AT(ttl_clientes_s),
     .help = "seconds after which /clientes counts as stale"},
    {.name = "CACHE_TTL_HEALTH_SCORES", .fallback = "600", .programs = BOTH,
     .kind = KIND_NUMBER, .low = 1, .high = SECONDS_MAX, .field = AT(ttl_health_scores_s),
     .help = "seconds after which /health-scores and /dashboard count as stale"},
    {.name = "REFRESH_INTERVAL", .programs = PROGRAM_WORKER,
     .kind = KIND_NUMBER, .low = 0, .high = SECONDS_MAX, .field = AT(refresh_interval_s),
     .help = "seconds from the end of a refresh to the next; 0 only when asked; the smaller TTL when not "
             "set"},
    {.name = "CACHE_MAX_STALE", .fallback = "86400", .programs = BOTH,
     .kind = KIND_NUMBER, .low = 1, .high = SECONDS_MAX, .field = AT(cache_max_stale_s),
     .help = "seconds for which a generation is served when no newer one comes"},
    {.name = "LEASE_TIME", .fallback = "9", .programs = PROGRAM_WORKER,
     .kind = KIND_NUMBER, .low = 3, .high = 3600, .field = AT(lease_s),
     .help = "seconds after which another worker takes over from one that died"},
    {.name = "SCORING_MODEL", .fallback = "", .programs = PROGRAM_WORKER,
     .kind = KIND_TEXT, .field = AT(scoring_model),
     .help = "path of a scoring model; empty is the built-in one"},
    {.name = "TZ", .fallback = "America/Sao_Paulo", .programs = BOTH,
     .kind = KIND_ZONE, .field = AT(zone),
     .help = "zone of today and of day boundaries"},
    {.name = "ENVIRONMENT", .fallback = "production", .programs = PROGRAM_API,
     .kind = KIND_TEXT, .field = AT(environment),
     .help = "reported by /health"},
    {.name = "LOG_LEVEL", .fallback = "info", .programs = BOTH,
     .kind = KIND_CHOICE, .choices = LEVELS, .field = AT(log_level),
     .help = "debug, info, warning or error"},
    {.name = "LOG_FORMAT", .fallback = "text", .programs = BOTH,
     .kind = KIND_CHOICE, .choices = LOG_FORMATS, .field = AT(log_format),
     .help = "text (key=value) or json"},
};
/* clang-format on */

#define ROWS_COUNT (sizeof ROWS / sizeof ROWS[0])

const struct setting *settings_row(size_t index)
{
    return index < ROWS_COUNT ? &ROWS[index] : NULL;
}

/* "NAME: is "value", takes ..."; a secret's value is left out. */
static enum status refuse(const struct setting *row, const char *value, const char *takes, struct error *err)
{
    if (row->is_secret)
        return error_set(err, STATUS_INVALID, "%s: takes %s", row->name, takes);
    return error_set(err, STATUS_INVALID, "%s: is \"%.100s\", takes %s", row->name, value, takes);
}

static enum status parse_number(const struct setting *row, const char *value, int64_t *out, struct error *err)
{
    char takes[80];
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    bool has_only_digits = strspn(value, "0123456789") == strlen(value);
    if (has_only_digits && errno == 0 && number >= row->low && number <= row->high) {
        *out = number;
        return STATUS_OK;
    }
    snprintf(takes, sizeof takes, "a whole number from %" PRId64 " to %" PRId64, row->low, row->high);
    return refuse(row, value, takes, err);
}

static enum status parse_choice(const struct setting *row, const char *value, int64_t *out, struct error *err)
{
    char takes[80] = "";
    for (int64_t i = 0; row->choices[i] != NULL; i++) {
        if (strcmp(value, row->choices[i]) == 0) {
            *out = i;
            return STATUS_OK;
        }
        size_t len = strlen(takes);
        snprintf(takes + len, sizeof takes - len, "%s%s", i > 0 ? " or " : "", row->choices[i]);
    }
    return refuse(row, value, takes, err);
}

/* Reads one byte, as opening succeeds for directories too. */
static enum status check_readable(const struct setting *row, const char *path, struct error *err)
{
    char byte, takes[120];
    FILE *file = fopen(path, "rbe");
    bool is_readable = file != NULL && (fread(&byte, 1, 1, file) == 1 || feof(file));
    int problem = errno;
    if (file != NULL)
        fclose(file);
    if (is_readable)
        return STATUS_OK;
    snprintf(takes, sizeof takes, "the path of a file that can be read: %s", strerror(problem));
    return refuse(row, path, takes, err);
}

static bool is_prefix(const char *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:";
    size_t len = strlen(value);
    return len <= REDIS_PREFIX_MAX && strspn(value, allowed) == len;
}

static enum status parse_row(const struct setting *row, const char *value, struct settings *out,
                             struct error *err)
{
    char *field = (char *)out + row->field;
    int64_t choice;
    switch (row->kind) {
    case KIND_NUMBER:
        return parse_number(row, value, (int64_t *)(void *)field, err);
    case KIND_CHOICE:
        return parse_choice(row, value, (int64_t *)(void *)field, err);
    case KIND_WORD:
        if (parse_choice(row, value, &choice, err) != STATUS_OK)
            return err->code;
        break;
    case KIND_FILE:
        if (check_readable(row, value, err) != STATUS_OK)
            return err->code;
        break;
    case KIND_ZONE:
        if (!zone_is_known(value))
            return refuse(row, value, "the name of a zone that this system has, such as America/Sao_Paulo",
                          err);
        break;
    case KIND_PREFIX:
        if (!is_prefix(value))
            return refuse(row, value, "at most 64 letters, digits, '_', '-', '.' and ':'", err);
        break;
    case KIND_ORIGINS:
        if (!origins_are_valid(value))
            return refuse(row, value, ORIGINS_TAKES, err);
        break;
    case KIND_TEXT:
        break;
    }
    *(const char **)(void *)field = value;
    return STATUS_OK;
}

/* The effective value, or NULL. An empty one counts as unset, as in KEY= lines of a sample file. */
static const char *value_of(const struct setting *row, const char *(*environment)(const char *name),
                            const struct dotenv *file)
{
    const char *value = environment(row->name);
    if (value == NULL)
        value = dotenv_value(file, row->name);
    return value != NULL && value[0] == '\0' ? NULL : value;
}

/* Whether a URL has no part that could hold a password or a token. */
static bool may_be_shown(const char *url)
{
    return strpbrk(url, "@?#") == NULL;
}

static enum status resolve_redis(struct arena *arena, struct settings *out, struct error *err)
{
    bool use_upstash = !out->redis_url_is_set && out->upstash_url[0] != '\0';
    const char *name = use_upstash ? "UPSTASH_REDIS_REST_URL" : "REDIS_URL";
    enum status status =
        use_upstash ? redis_url_of_upstash(arena, out->upstash_url, out->upstash_token, &out->redis, err)
                    : redis_url_parse(arena, out->redis_url, &out->redis, err);
    if (status != STATUS_OK && use_upstash && may_be_shown(out->upstash_url)) {
        const struct error inner = *err;
        return error_set(err, inner.code, "%s: is \"%.100s\", %s", name, out->upstash_url, inner.message);
    }
    if (status != STATUS_OK)
        return error_context(err, "%s", name);
    if (use_upstash && out->upstash_token[0] == '\0')
        return error_set(err, STATUS_INVALID,
                         "UPSTASH_REDIS_REST_TOKEN: is not set, takes the token of UPSTASH_REDIS_REST_URL");
    out->redis.ca_file = out->redis_ca_file;
    return STATUS_OK;
}

enum status settings_load(struct arena *arena, enum program program,
                          const char *(*environment)(const char *name), const struct dotenv *file,
                          struct settings *out, struct error *err)
{
    struct settings settings = {.refresh_interval_s = UNSET_SECONDS};
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        const struct setting *row = &ROWS[i];
        const char *value = value_of(row, environment, file);
        bool reads = (row->programs & program) != 0;
        if (row->field == AT(redis_url))
            settings.redis_url_is_set = value != NULL;
        if (value == NULL || !reads)
            value = row->fallback;
        if (value == NULL && (row->required_by & program) != 0)
            return error_set(err, STATUS_INVALID, "%s: is not set, and there is no default (%s)", row->name,
                             row->help);
        if (value != NULL && parse_row(row, value, &settings, err) != STATUS_OK)
            return err->code;
    }
    if (resolve_redis(arena, &settings, err) != STATUS_OK)
        return err->code;
    if (settings.scoring_model[0] == '\0')
        settings.scoring_model = NULL;
    *out = settings;
    return STATUS_OK;
}

int64_t settings_refresh_interval_s(const struct settings *settings)
{
    if (settings->refresh_interval_s != UNSET_SECONDS)
        return settings->refresh_interval_s;
    return settings->ttl_clientes_s < settings->ttl_health_scores_s ? settings->ttl_clientes_s
                                                                    : settings->ttl_health_scores_s;
}

const char *settings_environment(const char *name)
{
    return getenv(name);
}

/* `path` is that of --env-file; NULL stands for .env, which the user did not name. */
static enum status refuse_file(const char *path, const char *takes, const char *reason, struct error *err)
{
    if (path == NULL)
        return error_set(err, STATUS_INVALID, "%s: is no %s%s", DEFAULT_FILE, takes, reason);
    return error_set(err, STATUS_INVALID, "--env-file: is \"%.200s\", takes a %s%s", path, takes, reason);
}

static enum status cannot_be_read(const char *path, int problem, struct error *err)
{
    char reason[80];
    snprintf(reason, sizeof reason, ": %s", strerror(problem));
    return refuse_file(path, "file that can be read", reason, err);
}

static enum status read_all(FILE *file, const char *path, struct buffer *text, struct error *err)
{
    char block[4096];
    size_t len;
    while ((len = fread(block, 1, sizeof block, file)) > 0 && text->len <= ENV_FILE_MAX)
        buffer_append(text, block, len);
    if (ferror(file))
        return cannot_be_read(path, errno, err);
    if (text->len > ENV_FILE_MAX)
        return refuse_file(path, "file of at most 1048576 bytes", "", err);
    return buffer_is_failed(text) ? error_no_memory(err) : STATUS_OK;
}

enum status settings_read_file(struct arena *arena, const char *path, struct dotenv *out, struct error *err)
{
    struct buffer text = BUFFER_INIT;
    FILE *file = fopen(path != NULL ? path : DEFAULT_FILE, "rbe");
    if (file == NULL && path == NULL && errno == ENOENT) {
        *out = (struct dotenv){NULL, 0, 0};
        return STATUS_OK;
    }
    if (file == NULL)
        return cannot_be_read(path, errno, err);
    enum status status = read_all(file, path, &text, err);
    fclose(file);
    if (status == STATUS_OK &&
        dotenv_parse(arena, buffer_bytes(&text), settings_environment, out, err) != STATUS_OK)
        status =
            err->code == STATUS_INVALID ? refuse_file(path, "file without NUL bytes", "", err) : err->code;
    buffer_clear(&text);
    return status;
}
