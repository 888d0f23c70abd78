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

enum kind {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_CHOICE, /* stored as index into the choices */
    KIND_WORD,   /* one of the choices, as text */
    KIND_FILE,   /* the path of a readable file */
    KIND_ZONE,
    KIND_PREFIX,
    KIND_ORIGINS,
};

struct row {
    struct setting shown;
    enum kind kind;
    size_t offset; /* in struct settings: a const char * for texts, else an int64_t */
    int64_t low, high;
    const char *const *choices;
};

static const char *const PG_MODES[] = {"disable",   "allow",       "prefer", "require",
                                       "verify-ca", "verify-full", NULL};
static const char *const MYSQL_MODES[] = {"disabled", "preferred", "required", "verify_identity", NULL};
static const char *const FORMATS[] = {"plano", "detalhado", NULL};
static const char *const LEVELS[] = {"debug", "info", "warning", "error", NULL};
static const char *const LOG_FORMATS[] = {"text", "json", NULL};

#define AT(field) offsetof(struct settings, field)
#define TEXT(name, fallback, programs, required, secret, field, help)                                        \
    {                                                                                                        \
        {name, fallback, help, programs, required, secret}, KIND_TEXT, AT(field), 0, 0, NULL                 \
    }
#define NUMBER(name, fallback, programs, low, high, field, help)                                             \
    {                                                                                                        \
        {name, fallback, help, programs, 0, false}, KIND_NUMBER, AT(field), low, high, NULL                  \
    }
#define CHOICE(name, fallback, programs, choices, field, help)                                               \
    {                                                                                                        \
        {name, fallback, help, programs, 0, false}, KIND_CHOICE, AT(field), 0, 0, choices                    \
    }
#define WORD(name, programs, choices, field, help)                                                           \
    {                                                                                                        \
        {name, NULL, help, programs, 0, false}, KIND_WORD, AT(field), 0, 0, choices                          \
    }
#define READABLE(name, programs, field, help)                                                                \
    {                                                                                                        \
        {name, NULL, help, programs, 0, false}, KIND_FILE, AT(field), 0, 0, NULL                             \
    }

static const struct row ROWS[] = {
    TEXT("DB_HOST", "localhost", PROGRAM_WORKER, 0, false, kommo.host,
         "PostgreSQL of the CRM; a host that starts with / is a folder of sockets"),
    NUMBER("DB_PORT", "5432", PROGRAM_WORKER, 1, 65535, kommo.port, "its port"),
    TEXT("DB_NAME", NULL, PROGRAM_WORKER, PROGRAM_WORKER, false, kommo.name, "the database of the CRM"),
    TEXT("DB_USER", NULL, PROGRAM_WORKER, PROGRAM_WORKER, false, kommo.user,
         "a user for whom SELECT suffices"),
    TEXT("DB_PASSWORD", "", PROGRAM_WORKER, 0, true, kommo.password, "its password"),
    WORD("DB_SSLMODE", PROGRAM_WORKER, PG_MODES, kommo_sslmode,
         "TLS to it: disable, allow, prefer, require, verify-ca or verify-full"),
    READABLE("DB_SSLROOTCERT", PROGRAM_WORKER, kommo_ca_file, "the authorities that sign its certificate"),
    TEXT("DB_HOST_ECOSYS", "localhost", PROGRAM_WORKER, 0, false, ecosys.host,
         "MySQL or MariaDB of EcoSys; a host that starts with / is a socket"),
    NUMBER("DB_PORT_ECOSYS", "3306", PROGRAM_WORKER, 1, 65535, ecosys.port, "its port"),
    TEXT("DB_NAME_ECOSYS", NULL, PROGRAM_WORKER, PROGRAM_WORKER, false, ecosys.name,
         "the database of EcoSys"),
    TEXT("DB_USER_ECOSYS", NULL, PROGRAM_WORKER, PROGRAM_WORKER, false, ecosys.user,
         "a user for whom SELECT suffices"),
    TEXT("DB_PASSWORD_ECOSYS", "", PROGRAM_WORKER, 0, true, ecosys.password, "its password"),
    CHOICE("DB_SSLMODE_ECOSYS", "preferred", PROGRAM_WORKER, MYSQL_MODES, ecosys_tls,
           "TLS to it: disabled, preferred, required or verify_identity"),
    READABLE("DB_SSLROOTCERT_ECOSYS", PROGRAM_WORKER, ecosys_ca_file,
             "the authorities that sign its certificate"),
    NUMBER("DB_CONNECT_TIMEOUT", "5", PROGRAM_WORKER, 1, 300, db_connect_timeout_s,
           "seconds to connect to a database"),
    NUMBER("SNAPSHOT_TIMEOUT", "60", PROGRAM_WORKER, 1, 3600, snapshot_timeout_s,
           "seconds that the read of both databases may take"),
    TEXT("REDIS_URL", "redis://127.0.0.1:6379/0", BOTH, 0, true, redis_url,
         "redis://[user:password@]host:port/db, rediss:// (TLS) or unix:///path?db=N"),
    TEXT("UPSTASH_REDIS_REST_URL", "", BOTH, 0, false, upstash_url,
         "used when REDIS_URL is not set: https://HOST is TLS to HOST:6379"),
    TEXT("UPSTASH_REDIS_REST_TOKEN", "", BOTH, 0, true, upstash_token, "the token of that address"),
    READABLE("REDIS_CA_FILE", BOTH, redis_ca_file, "the authorities that sign its certificate"),
    {{"REDIS_PREFIX", "ecosys", "what every key and channel starts with", BOTH, 0, false},
     KIND_PREFIX,
     AT(redis_prefix),
     0,
     0,
     NULL},
    NUMBER("REDIS_TIMEOUT_MS", "5000", BOTH, 100, 60000, redis_timeout_ms,
           "milliseconds to wait for an answer of Redis"),
    TEXT("BASIC_AUTH_USERS", NULL, PROGRAM_API, PROGRAM_API, true, basic_auth_users, "user:pass,user2:pass2"),
    TEXT("BASIC_AUTH_READONLY", "", PROGRAM_API, 0, false, basic_auth_readonly,
         "users of those that may not ask for a refresh: user,user2"),
    NUMBER("AUTH_FAILURES", "300", PROGRAM_API, 0, 6000, auth_failures,
           "wrong credentials a minute and address; beyond it 503; 0 is no limit"),
    NUMBER("AUTH_QUEUE", "64", PROGRAM_API, 1, 100000, auth_queue,
           "credentials that may wait to be verified; beyond it 503"),
    TEXT("TRUSTED_PROXIES", "", PROGRAM_API, 0, false, trusted_proxies,
         "addresses and networks whose X-Forwarded-For is believed"),
    TEXT("HOST", "127.0.0.1", PROGRAM_API, 0, false, host, "address on which the API listens"),
    NUMBER("PORT", "8000", PROGRAM_API, 1, 65535, port, "port on which the API listens"),
    NUMBER("API_THREADS", "0", PROGRAM_API, 0, 256, api_threads, "event loops; 0 is the number of cores"),
    CHOICE("HEALTH_SCORES_FORMATO", "plano", PROGRAM_API, FORMATS, health_format,
           "what /health-scores answers without formato"),
    {{"CORS_ALLOW_ORIGINS", "*", "comma-separated origins, or *", PROGRAM_API, 0, false},
     KIND_ORIGINS,
     AT(cors_allow_origins),
     0,
     0,
     NULL},
    NUMBER("CACHE_MEMORY", "268435456", PROGRAM_API, 0, INT64_MAX / 2, cache_memory,
           "bytes of finished answers that are kept"),
    NUMBER("SEND_MEMORY", "268435456", PROGRAM_API, 1, INT64_MAX / 2, send_memory,
           "bytes of answers that are sent but kept no more; beyond it 503"),
    NUMBER("COMPUTE_QUEUE", "1024", PROGRAM_API, 1, 1000000, compute_queue,
           "answers that may wait to be made; beyond it 503"),
    NUMBER("COMPUTE_TIMEOUT", "5", PROGRAM_API, 1, 3600, compute_timeout_s,
           "seconds for which an answer may wait to be made; then 503"),
    NUMBER("HTTP_CONNECTIONS", "4096", PROGRAM_API, 1, 1000000, connections_max,
           "connections at a time; one more displaces the idlest, or is answered 503"),
    NUMBER("HTTP_HEADER_BYTES", "16384", PROGRAM_API, 1024, 1048576, header_bytes_max,
           "longest request line and headers"),
    NUMBER("HTTP_BODY_BYTES", "65536", PROGRAM_API, 0, 16777216, body_bytes_max, "longest request body"),
    NUMBER("HTTP_REQUEST_TIMEOUT", "15", PROGRAM_API, 1, 3600, request_timeout_s,
           "seconds to receive a request, and seconds in which a reader must take some of its answer"),
    NUMBER("HTTP_IDLE_TIMEOUT", "75", PROGRAM_API, 1, 86400, idle_timeout_s,
           "seconds that a connection may wait for its next request"),
    NUMBER("SHUTDOWN_TIMEOUT", "10", PROGRAM_API, 0, 3600, shutdown_timeout_s,
           "seconds for answers under way when the API is told to stop"),
    NUMBER("CACHE_TTL_CLIENTES", "300", BOTH, 1, SECONDS_MAX, ttl_clientes_s,
           "seconds after which /clientes counts as stale"),
    NUMBER("CACHE_TTL_HEALTH_SCORES", "600", BOTH, 1, SECONDS_MAX, ttl_health_scores_s,
           "seconds after which /health-scores and /dashboard count as stale"),
    NUMBER("REFRESH_INTERVAL", NULL, PROGRAM_WORKER, 0, SECONDS_MAX, refresh_interval_s,
           "seconds from the end of a refresh to the next; 0 only when asked; the smaller TTL when not set"),
    NUMBER("CACHE_MAX_STALE", "86400", BOTH, 1, SECONDS_MAX, cache_max_stale_s,
           "seconds for which a generation is served when no newer one comes"),
    NUMBER("LEASE_TIME", "9", PROGRAM_WORKER, 3, 3600, lease_s,
           "seconds after which another worker takes over from one that died"),
    TEXT("SCORING_MODEL", "", PROGRAM_WORKER, 0, false, scoring_model,
         "path of a scoring model; empty is the built-in one"),
    {{"TZ", "America/Sao_Paulo", "zone of today and of day boundaries", BOTH, 0, false},
     KIND_ZONE,
     AT(zone),
     0,
     0,
     NULL},
    TEXT("ENVIRONMENT", "production", PROGRAM_API, 0, false, environment, "reported by /health"),
    CHOICE("LOG_LEVEL", "info", BOTH, LEVELS, log_level, "debug, info, warning or error"),
    CHOICE("LOG_FORMAT", "text", BOTH, LOG_FORMATS, log_format, "text (key=value) or json"),
};

#define ROWS_COUNT (sizeof ROWS / sizeof ROWS[0])

const struct setting *settings_row(size_t index)
{
    return index < ROWS_COUNT ? &ROWS[index].shown : NULL;
}

/* "NAME: is "value", takes ..."; a secret's value is left out. */
static enum status refuse(const struct row *row, const char *value, const char *takes, struct error *err)
{
    if (row->shown.is_secret)
        return error_set(err, STATUS_INVALID, "%s: takes %s", row->shown.name, takes);
    return error_set(err, STATUS_INVALID, "%s: is \"%.100s\", takes %s", row->shown.name, value, takes);
}

static enum status parse_number(const struct row *row, const char *value, int64_t *out, struct error *err)
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

static enum status parse_choice(const struct row *row, const char *value, int64_t *out, struct error *err)
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
static enum status check_readable(const struct row *row, const char *path, struct error *err)
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

static enum status parse_row(const struct row *row, const char *value, struct settings *out,
                             struct error *err)
{
    char *field = (char *)out + row->offset;
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
static const char *value_of(const struct row *row, const char *(*environment)(const char *name),
                            const struct dotenv *file)
{
    const char *value = environment(row->shown.name);
    if (value == NULL)
        value = dotenv_value(file, row->shown.name);
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
        const struct row *row = &ROWS[i];
        const char *value = value_of(row, environment, file);
        bool reads = (row->shown.programs & program) != 0;
        if (row->offset == AT(redis_url))
            settings.redis_url_is_set = value != NULL;
        if (value == NULL || !reads)
            value = row->shown.fallback;
        if (value == NULL && (row->shown.required_by & program) != 0)
            return error_set(err, STATUS_INVALID, "%s: is not set, and there is no default (%s)",
                             row->shown.name, row->shown.help);
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

/* The file is the one given by --env-file, or .env, which nobody named. */
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
