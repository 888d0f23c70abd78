/* tests/unit/test_settings.c - defaults, environment over file, what each kind of setting refuses and in which words,
 * and that no message ever holds a secret. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/program/settings.h"
#include "tests/unit/support.h"

#define PAIRS 4
#define BOTH  (PROGRAM_WORKER | PROGRAM_API)

struct pair {
    const char *name, *value;
};

/* What the environment holds in front of the names that the programs require. */
static const struct pair *environment_pairs;
static bool environment_has_required;

static const struct pair REQUIRED[] = {
    {"DB_NAME", "kommo"},
    {"DB_USER", "reader"},
    {"DB_NAME_ECOSYS", "ecosys"},
    {"DB_USER_ECOSYS", "reader2"},
    {"BASIC_AUTH_USERS", "ana:hunter2"},
};

static const char *environment(const char *name)
{
    for (size_t i = 0; environment_pairs != NULL && i < PAIRS && environment_pairs[i].name != NULL; i++)
        if (strcmp(environment_pairs[i].name, name) == 0)
            return environment_pairs[i].value;
    for (size_t i = 0; environment_has_required && i < COUNT(REQUIRED); i++)
        if (strcmp(REQUIRED[i].name, name) == 0)
            return REQUIRED[i].value;
    return NULL;
}

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static int init_arena(void **state)
{
    static struct arena arena;
    arena_init(&arena);
    environment_pairs = NULL;
    environment_has_required = true;
    *state = &arena;
    return 0;
}

static int clear_arena(void **state)
{
    arena_clear(*state);
    return 0;
}

static enum status load(struct arena *arena, enum program program, const struct pair *pairs, const char *file,
                        struct settings *out, struct error *err)
{
    struct dotenv dotenv;
    assert_int_equal(dotenv_parse(arena, bytes_of(file), no_environment, &dotenv, err), STATUS_OK);
    environment_pairs = pairs;
    return settings_load(arena, program, environment, &dotenv, out, err);
}

static void test_defaults_of_the_worker(void **state)
{
    struct settings settings;
    struct error err;
    if (load(*state, PROGRAM_WORKER, NULL, "", &settings, &err) != STATUS_OK)
        fail_msg("worker: %s", err.message);
    check_string("settings", "DB_HOST", settings.kommo.host, "localhost");
    check_int("settings", "DB_PORT", settings.kommo.port, 5432);
    check_string("settings", "DB_NAME", settings.kommo.name, "kommo");
    check_string("settings", "DB_USER", settings.kommo.user, "reader");
    check_string("settings", "DB_PASSWORD", settings.kommo.password, "");
    check_string("settings", "DB_HOST_ECOSYS", settings.ecosys.host, "localhost");
    check_int("settings", "DB_PORT_ECOSYS", settings.ecosys.port, 3306);
    check_string("settings", "DB_NAME_ECOSYS", settings.ecosys.name, "ecosys");
    check_string("settings", "DB_USER_ECOSYS", settings.ecosys.user, "reader2");
    check_string("settings", "DB_PASSWORD_ECOSYS", settings.ecosys.password, "");
    check_int("settings", "REFRESH_INTERVAL", settings_refresh_interval_s(&settings), 300);
    check_int("settings", "CACHE_MAX_STALE", settings.cache_max_stale_s, 86400);
    check_string("settings", "SCORING_MODEL", settings.scoring_model, NULL);
    check_string("settings", "TZ", settings.zone, "America/Sao_Paulo");
    check_string("settings", "REDIS_PREFIX", settings.redis_prefix, "ecosys");
    check_string("settings", "redis host", settings.redis.host, "127.0.0.1");
    check_int("settings", "redis port", settings.redis.port, 6379);
    check_int("settings", "redis db", settings.redis.db, 0);
    check_int("settings", "redis_url_is_set", settings.redis_url_is_set, false);
}

static void test_defaults_of_the_api(void **state)
{
    struct settings settings;
    struct error err;
    if (load(*state, PROGRAM_API, NULL, "", &settings, &err) != STATUS_OK)
        fail_msg("api: %s", err.message);
    check_string("settings", "BASIC_AUTH_USERS", settings.basic_auth_users, "ana:hunter2");
    check_string("settings", "BASIC_AUTH_READONLY", settings.basic_auth_readonly, "");
    check_int("settings", "AUTH_FAILURES", settings.auth_failures, 300);
    check_int("settings", "AUTH_QUEUE", settings.auth_queue, 64);
    check_string("settings", "TRUSTED_PROXIES", settings.trusted_proxies, "");
    check_string("settings", "HOST", settings.host, "127.0.0.1");
    check_int("settings", "PORT", settings.port, 8000);
    check_int("settings", "API_THREADS", settings.api_threads, 0);
    check_int("settings", "HEALTH_SCORES_FORMATO", settings.health_format, HEALTH_FORMAT_PLANO);
    check_int("settings", "CACHE_TTL_CLIENTES", settings.ttl_clientes_s, 300);
    check_int("settings", "CACHE_TTL_HEALTH_SCORES", settings.ttl_health_scores_s, 600);
    check_string("settings", "CORS_ALLOW_ORIGINS", settings.cors_allow_origins, "*");
    check_string("settings", "ENVIRONMENT", settings.environment, "production");
    check_int("settings", "LOG_LEVEL", settings.log_level, LOG_INFO);
    check_int("settings", "LOG_FORMAT", settings.log_format, LOG_AS_TEXT);
}

struct refusal_row {
    const char *name;
    enum program program;
    struct pair pairs[PAIRS];
    const char *message;
};

static const struct refusal_row REFUSALS[] = {
    {"port of letters",
     PROGRAM_API,
     {{"PORT", "http"}},
     "PORT: is \"http\", takes a whole number from 1 to 65535"},
    {"port 0", PROGRAM_API, {{"PORT", "0"}}, "PORT: is \"0\", takes a whole number from 1 to 65535"},
    {"port 65536",
     PROGRAM_API,
     {{"PORT", "65536"}},
     "PORT: is \"65536\", takes a whole number from 1 to 65535"},
    {"sign", PROGRAM_API, {{"PORT", "+80"}}, "PORT: is \"+80\", takes a whole number from 1 to 65535"},
    {"blank", PROGRAM_API, {{"PORT", " 80"}}, "PORT: is \" 80\", takes a whole number from 1 to 65535"},
    {"decimals", PROGRAM_API, {{"PORT", "80.0"}}, "PORT: is \"80.0\", takes a whole number from 1 to 65535"},
    {"hexadecimal",
     PROGRAM_API,
     {{"PORT", "0x50"}},
     "PORT: is \"0x50\", takes a whole number from 1 to 65535"},
    {"beyond 64 bits",
     PROGRAM_API,
     {{"PORT", "99999999999999999999"}},
     "PORT: is \"99999999999999999999\", takes a whole number from 1 to 65535"},
    {"negative interval",
     PROGRAM_WORKER,
     {{"REFRESH_INTERVAL", "-1"}},
     "REFRESH_INTERVAL: is \"-1\", takes a whole number from 0 to 31536000"},
    {"TTL 0",
     PROGRAM_API,
     {{"CACHE_TTL_CLIENTES", "0"}},
     "CACHE_TTL_CLIENTES: is \"0\", takes a whole number from 1 to 31536000"},
    {"format",
     PROGRAM_API,
     {{"HEALTH_SCORES_FORMATO", "Plano"}},
     "HEALTH_SCORES_FORMATO: is \"Plano\", takes plano or detalhado"},
    {"level",
     PROGRAM_WORKER,
     {{"LOG_LEVEL", "warn"}},
     "LOG_LEVEL: is \"warn\", takes debug or info or warning or error"},
    {"log format", PROGRAM_API, {{"LOG_FORMAT", "xml"}}, "LOG_FORMAT: is \"xml\", takes text or json"},
    {"unknown zone",
     PROGRAM_WORKER,
     {{"TZ", "America/Sao Paulo"}},
     "TZ: is \"America/Sao Paulo\", takes the name of a zone that this system has, such as "
     "America/Sao_Paulo"},
    {"prefix with a blank",
     PROGRAM_API,
     {{"REDIS_PREFIX", "eco sys"}},
     "REDIS_PREFIX: is \"eco sys\", takes at most 64 letters, digits, '_', '-', '.' and ':'"},
    {"prefix with a pattern",
     PROGRAM_API,
     {{"REDIS_PREFIX", "eco*"}},
     "REDIS_PREFIX: is \"eco*\", takes at most 64 letters, digits, '_', '-', '.' and ':'"},
    {"prefix of 65",
     PROGRAM_API,
     {{"REDIS_PREFIX", "12345678901234567890123456789012345678901234567890123456789012345"}},
     "REDIS_PREFIX: is \"12345678901234567890123456789012345678901234567890123456789012345\", takes at most "
     "64 "
     "letters, digits, '_', '-', '.' and ':'"},
    {"no database",
     PROGRAM_WORKER,
     {{"DB_NAME", ""}},
     "DB_NAME: is not set, and there is no default (the database of the CRM)"},
    {"no users",
     PROGRAM_API,
     {{"BASIC_AUTH_USERS", ""}},
     "BASIC_AUTH_USERS: is not set, and there is no default (user:pass,user2:pass2)"},
    {"Redis over HTTP",
     PROGRAM_API,
     {{"REDIS_URL", "http://u:hunter2@h"}},
     "REDIS_URL: takes redis://, rediss:// or unix://"},
    {"Redis port",
     PROGRAM_WORKER,
     {{"REDIS_URL", "redis://u:hunter2@h:0/1"}},
     "REDIS_URL: the port is not a number from 1 to 65535"},
    {"Upstash without a token",
     PROGRAM_API,
     {{"UPSTASH_REDIS_REST_URL", "https://eu1.upstash.io"}},
     "UPSTASH_REDIS_REST_TOKEN: is not set, takes the token of UPSTASH_REDIS_REST_URL"},
    {"CA file of Redis",
     PROGRAM_API,
     {{"REDIS_CA_FILE", "/no/such/file"}},
     "REDIS_CA_FILE: is \"/no/such/file\", takes the path of a file that can be read: No such file or "
     "directory"},
    {"CA folder",
     PROGRAM_WORKER,
     {{"DB_SSLROOTCERT", "/"}},
     "DB_SSLROOTCERT: is \"/\", takes the path of a file that can be read: Is a directory"},
    {"CA file of MySQL",
     PROGRAM_WORKER,
     {{"DB_SSLROOTCERT_ECOSYS", "/dev/null/x"}},
     "DB_SSLROOTCERT_ECOSYS: is \"/dev/null/x\", takes the path of a file that can be read: Not a directory"},
    {"TLS to PostgreSQL",
     PROGRAM_WORKER,
     {{"DB_SSLMODE", "verify_full"}},
     "DB_SSLMODE: is \"verify_full\", takes disable or allow or prefer or require or verify-ca or "
     "verify-full"},
    {"TLS to MySQL",
     PROGRAM_WORKER,
     {{"DB_SSLMODE_ECOSYS", "verify_ca"}},
     "DB_SSLMODE_ECOSYS: is \"verify_ca\", takes disabled or preferred or required or verify_identity"},
    {"Upstash without TLS",
     PROGRAM_API,
     {{"UPSTASH_REDIS_REST_URL", "http://eu1"}, {"UPSTASH_REDIS_REST_TOKEN", "hunter2"}},
     "UPSTASH_REDIS_REST_URL: is \"http://eu1\", takes https://HOST"},
    {"Upstash with a path",
     PROGRAM_WORKER,
     {{"UPSTASH_REDIS_REST_URL", "https://eu1/x"}, {"UPSTASH_REDIS_REST_TOKEN", "hunter2"}},
     "UPSTASH_REDIS_REST_URL: is \"https://eu1/x\", takes https://HOST without a user, a path or a query"},
    {"Upstash with a bad port",
     PROGRAM_WORKER,
     {{"UPSTASH_REDIS_REST_URL", "https://eu1:x"}, {"UPSTASH_REDIS_REST_TOKEN", "t"}},
     "UPSTASH_REDIS_REST_URL: is \"https://eu1:x\", the port is not a number from 1 to 65535"},
    {"Upstash with a password, which is not shown",
     PROGRAM_WORKER,
     {{"UPSTASH_REDIS_REST_URL", "https://u:hunter2@eu1"}, {"UPSTASH_REDIS_REST_TOKEN", "t"}},
     "UPSTASH_REDIS_REST_URL: takes https://HOST without a user, a path or a query"},
    {"Upstash with a token, which is not shown",
     PROGRAM_WORKER,
     {{"UPSTASH_REDIS_REST_URL", "https://eu1?_token=hunter2"}, {"UPSTASH_REDIS_REST_TOKEN", "t"}},
     "UPSTASH_REDIS_REST_URL: takes https://HOST without a user, a path or a query"},
    {"origin with a slash",
     PROGRAM_API,
     {{"CORS_ALLOW_ORIGINS", "https://a.example/"}},
     "CORS_ALLOW_ORIGINS: is \"https://a.example/\", takes *, null and scheme://host[:port], as browsers "
     "send "
     "them (lower case, no usual port, nothing behind), with commas between them"},
    {"origin without a scheme",
     PROGRAM_API,
     {{"CORS_ALLOW_ORIGINS", "*,a.example"}},
     "CORS_ALLOW_ORIGINS: is \"*,a.example\", takes *, null and scheme://host[:port], as browsers send them "
     "(lower case, no usual port, nothing behind), with commas between them"},
};

static void test_refusals_say_name_value_and_what_is_taken(void **state)
{
    for (size_t i = 0; i < COUNT(REFUSALS); i++) {
        const struct refusal_row *row = &REFUSALS[i];
        struct settings settings = {.port = 4711};
        struct error err = {STATUS_OK, ""};
        enum status status = load(*state, row->program, row->pairs, "", &settings, &err);
        check_int(row->name, "status", status, STATUS_INVALID);
        check_string(row->name, "message", err.message, row->message);
        check_int(row->name, "port", settings.port, 4711);
        if (strstr(err.message, "hunter2") != NULL || strchr(err.message, '\n') != NULL)
            fail_msg("%s: \"%s\" holds a secret or more than a line", row->name, err.message);
    }
}

/* Each row of the table with a value that no kind but text takes: a message never holds a secret's value. */
static void test_no_secret_in_any_message(void **state)
{
    const struct setting *row;
    for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
        const struct pair pairs[PAIRS] = {{row->name, "redis://tr0ub4dor:tr0ub4dor"}};
        struct settings settings;
        struct error err = {STATUS_OK, ""};
        enum program program = (row->programs & PROGRAM_API) != 0 ? PROGRAM_API : PROGRAM_WORKER;
        enum status status = load(*state, program, pairs, "", &settings, &err);
        if (row->is_secret && strstr(err.message, "tr0ub4dor") != NULL)
            fail_msg("%s: message is \"%s\", expected no secret", row->name, err.message);
        if (status != STATUS_OK && strncmp(err.message, row->name, strlen(row->name)) != 0)
            fail_msg("%s: message is \"%s\", expected to begin with the name", row->name, err.message);
    }
}

static void test_secrets_are_marked(void **state)
{
    static const char *const secrets[] = {"DB_PASSWORD", "DB_PASSWORD_ECOSYS", "REDIS_URL",
                                          "UPSTASH_REDIS_REST_TOKEN", "BASIC_AUTH_USERS"};
    const struct setting *row;
    (void)state;
    for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
        bool expected = false;
        for (size_t j = 0; j < COUNT(secrets); j++)
            expected = expected || strcmp(secrets[j], row->name) == 0;
        check_int(row->name, "is_secret", row->is_secret, expected);
    }
}

static void test_rows_of_the_table(void **state)
{
    static const struct {
        const char *name, *fallback;
        unsigned programs, required_by;
    } rows[] = {
        {"DB_HOST", "localhost", PROGRAM_WORKER, 0},
        {"DB_PORT", "5432", PROGRAM_WORKER, 0},
        {"DB_NAME", NULL, PROGRAM_WORKER, PROGRAM_WORKER},
        {"DB_USER", NULL, PROGRAM_WORKER, PROGRAM_WORKER},
        {"DB_PASSWORD", "", PROGRAM_WORKER, 0},
        {"DB_NAME_ECOSYS", NULL, PROGRAM_WORKER, PROGRAM_WORKER},
        {"DB_USER_ECOSYS", NULL, PROGRAM_WORKER, PROGRAM_WORKER},
        {"REDIS_URL", "redis://127.0.0.1:6379/0", BOTH, 0},
        {"REDIS_PREFIX", "ecosys", BOTH, 0},
        {"BASIC_AUTH_USERS", NULL, PROGRAM_API, PROGRAM_API},
        {"HOST", "127.0.0.1", PROGRAM_API, 0},
        {"PORT", "8000", PROGRAM_API, 0},
        {"HEALTH_SCORES_FORMATO", "plano", PROGRAM_API, 0},
        {"CACHE_TTL_CLIENTES", "300", BOTH, 0},
        {"CACHE_TTL_HEALTH_SCORES", "600", BOTH, 0},
        {"REFRESH_INTERVAL", NULL, PROGRAM_WORKER, 0},
        {"CACHE_MAX_STALE", "86400", BOTH, 0},
        {"SCORING_MODEL", "", PROGRAM_WORKER, 0},
        {"CORS_ALLOW_ORIGINS", "*", PROGRAM_API, 0},
        {"CACHE_MEMORY", "268435456", PROGRAM_API, 0},
        {"TZ", "America/Sao_Paulo", BOTH, 0},
        {"ENVIRONMENT", "production", PROGRAM_API, 0},
        {"LOG_LEVEL", "info", BOTH, 0},
        {"LOG_FORMAT", "text", BOTH, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct setting *found = NULL, *row;
        for (size_t j = 0; (row = settings_row(j)) != NULL; j++)
            found = strcmp(row->name, rows[i].name) == 0 ? row : found;
        if (found == NULL) {
            fail_msg("%s: is not in the table", rows[i].name);
            return;
        }
        check_string(rows[i].name, "fallback", found->fallback, rows[i].fallback);
        check_int(rows[i].name, "programs", found->programs, rows[i].programs);
        check_int(rows[i].name, "required_by", found->required_by, rows[i].required_by);
    }
    for (size_t j = 0; settings_row(j) != NULL; j++)
        for (size_t k = 0; k < j; k++)
            if (strcmp(settings_row(j)->name, settings_row(k)->name) == 0 ||
                settings_row(j)->field == settings_row(k)->field)
                fail_msg("%s: rows %zu and %zu, expected one", settings_row(j)->name, k, j);
    assert_null(settings_row(SIZE_MAX));
}

/* Every row has what its kind needs, and nothing that its kind ignores. */
static void test_rows_are_complete(void **state)
{
    const struct setting *row;
    (void)state;
    for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
        bool is_number = row->kind == KIND_NUMBER;
        bool is_choice = row->kind == KIND_CHOICE || row->kind == KIND_WORD;
        check_int(row->name, "low < high", row->low < row->high, is_number);
        check_int(row->name, "limits", row->low != 0 || row->high != 0, is_number);
        check_int(row->name, "choices", row->choices != NULL, is_choice);
        check_int(row->name, "programs", row->programs != 0 && (row->required_by & ~row->programs) == 0,
                  true);
        check_int(row->name, "help", row->help != NULL && row->help[0] != '\0', true);
    }
}

static void test_precedence(void **state)
{
    static const struct {
        const char *name, *environment, *file, *host;
    } rows[] = {
        {"neither", NULL, "", "127.0.0.1"},
        {"file", NULL, "HOST=file", "file"},
        {"later line", NULL, "HOST=file\nHOST=later", "later"},
        {"environment", "env", "", "env"},
        {"environment over file", "env", "HOST=file", "env"},
        {"empty in the file", NULL, "HOST=", "127.0.0.1"},
        {"name without value", NULL, "HOST", "127.0.0.1"},
        {"empty in the environment hides the file", "", "HOST=file", "127.0.0.1"},
        {"other names", NULL, "HOSTS=a\nHOST_=b\nhost=c\nUNKNOWN=d", "127.0.0.1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct pair pairs[PAIRS] = {
            {rows[i].environment == NULL ? "NONE" : "HOST", rows[i].environment}};
        struct settings settings;
        struct error err;
        if (load(*state, PROGRAM_API, pairs, rows[i].file, &settings, &err) != STATUS_OK)
            fail_msg("%s: %s", rows[i].name, err.message);
        check_string(rows[i].name, "host", settings.host, rows[i].host);
    }
}

static void test_required_ones_come_from_the_file_too(void **state)
{
    static const struct {
        const char *name;
        enum program program;
        const char *file;
        const char *missing; /* NULL: complete */
    } rows[] = {
        {"worker, nothing", PROGRAM_WORKER, "", "DB_NAME: "},
        {"worker, one", PROGRAM_WORKER, "DB_NAME=a", "DB_USER: "},
        {"worker, two", PROGRAM_WORKER, "DB_NAME=a\nDB_USER=b", "DB_NAME_ECOSYS: "},
        {"worker, three", PROGRAM_WORKER, "DB_NAME=a\nDB_USER=b\nDB_NAME_ECOSYS=c", "DB_USER_ECOSYS: "},
        {"worker, complete", PROGRAM_WORKER, "DB_NAME=a\nDB_USER=b\nDB_NAME_ECOSYS=c\nDB_USER_ECOSYS=d",
         NULL},
        {"api, nothing", PROGRAM_API, "", "BASIC_AUTH_USERS: "},
        {"api, complete", PROGRAM_API, "BASIC_AUTH_USERS=a:b", NULL},
        {"api, the worker's are not read", PROGRAM_API, "BASIC_AUTH_USERS=a:b\nDB_PORT=x\nREFRESH_INTERVAL=y",
         NULL},
    };
    environment_has_required = false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings settings;
        struct error err = {STATUS_OK, ""};
        enum status status = load(*state, rows[i].program, NULL, rows[i].file, &settings, &err);
        check_int(rows[i].name, "status", status, rows[i].missing == NULL ? STATUS_OK : STATUS_INVALID);
        if (rows[i].missing != NULL && strncmp(err.message, rows[i].missing, strlen(rows[i].missing)) != 0)
            fail_msg("%s: message is \"%s\", expected one of %s", rows[i].name, err.message, rows[i].missing);
    }
}

static void test_refresh_interval(void **state)
{
    static const struct {
        const char *name, *file;
        int64_t expected;
    } rows[] = {
        {"the TTL of clients is the smaller", "", 300},
        {"the TTL of scores is the smaller", "CACHE_TTL_HEALTH_SCORES=120", 120},
        {"both alike", "CACHE_TTL_HEALTH_SCORES=60\nCACHE_TTL_CLIENTES=60", 60},
        {"set", "REFRESH_INTERVAL=900", 900},
        {"only when asked", "REFRESH_INTERVAL=0", 0},
        {"empty", "REFRESH_INTERVAL=", 300},
        {"a year", "REFRESH_INTERVAL=31536000", 31536000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings settings;
        struct error err;
        if (load(*state, PROGRAM_WORKER, NULL, rows[i].file, &settings, &err) != STATUS_OK)
            fail_msg("%s: %s", rows[i].name, err.message);
        check_int(rows[i].name, "interval", settings_refresh_interval_s(&settings), rows[i].expected);
    }
}

static void test_redis_addresses(void **state)
{
    static const struct {
        const char *name, *file;
        const char *unix_path, *host;
        int64_t port, db;
        const char *user, *password;
        bool is_set, tls;
        const char *ca_file;
    } rows[] = {
        {"default", "", NULL, "127.0.0.1", 6379, 0, NULL, NULL, false, false, NULL},
        {"TCP", "REDIS_URL=redis://u:p@h:1/2", NULL, "h", 1, 2, "u", "p", true, false, NULL},
        {"socket", "REDIS_URL=unix:///run/r.sock?db=3", "/run/r.sock", NULL, 6379, 3, NULL, NULL, true, false,
         NULL},
        {"TLS", "REDIS_URL=rediss://u:p@h:1/2", NULL, "h", 1, 2, "u", "p", true, true, NULL},
        {"an authority", "REDIS_URL=rediss://h\nREDIS_CA_FILE=/dev/null", NULL, "h", 6379, 0, NULL, NULL,
         true, true, "/dev/null"},
        {"Upstash", "UPSTASH_REDIS_REST_URL=https://h/\nUPSTASH_REDIS_REST_TOKEN=\"t\"", NULL, "h", 6379, 0,
         "default", "t", false, true, NULL},
        {"REDIS_URL before Upstash", "UPSTASH_REDIS_REST_URL=https://h\nREDIS_URL=redis://r", NULL, "r", 6379,
         0, NULL, NULL, true, false, NULL},
        {"a token alone", "UPSTASH_REDIS_REST_TOKEN=t", NULL, "127.0.0.1", 6379, 0, NULL, NULL, false, false,
         NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings settings;
        struct error err;
        if (load(*state, PROGRAM_WORKER, NULL, rows[i].file, &settings, &err) != STATUS_OK)
            fail_msg("%s: %s", rows[i].name, err.message);
        check_string(rows[i].name, "unix_path", settings.redis.unix_path, rows[i].unix_path);
        check_string(rows[i].name, "host", settings.redis.host, rows[i].host);
        check_int(rows[i].name, "port", settings.redis.port, rows[i].port);
        check_int(rows[i].name, "db", settings.redis.db, rows[i].db);
        check_string(rows[i].name, "user", settings.redis.user, rows[i].user);
        check_string(rows[i].name, "password", settings.redis.password, rows[i].password);
        check_int(rows[i].name, "redis_url_is_set", settings.redis_url_is_set, rows[i].is_set);
        check_int(rows[i].name, "tls", settings.redis.tls, rows[i].tls);
        check_string(rows[i].name, "ca_file", settings.redis.ca_file, rows[i].ca_file);
    }
}

static void test_every_choice(void **state)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    for (size_t i = 0; i < COUNT(levels); i++) {
        const struct pair pairs[PAIRS] = {{"LOG_LEVEL", levels[i]},
                                          {"LOG_FORMAT", i % 2 == 0 ? "text" : "json"},
                                          {"HEALTH_SCORES_FORMATO", i % 2 == 0 ? "plano" : "detalhado"},
                                          {"REDIS_PREFIX", "aZ09_-.:"}};
        struct settings settings;
        struct error err;
        if (load(*state, PROGRAM_API, pairs, "", &settings, &err) != STATUS_OK)
            fail_msg("%s: %s", levels[i], err.message);
        check_int("settings", "level", settings.log_level, (int64_t)i);
        check_int("settings", "log format", settings.log_format, (int64_t)(i % 2));
        check_int("settings", "format", settings.health_format, (int64_t)(i % 2));
        check_string("settings", "prefix", settings.redis_prefix, "aZ09_-.:");
    }
}

static void test_modes_of_tls(void **state)
{
    static const char *const pg[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    static const char *const mysql[] = {"disabled", "preferred", "required", "verify_identity"};
    struct settings settings;
    struct error err;
    assert_int_equal(load(*state, PROGRAM_WORKER, NULL, "", &settings, &err), STATUS_OK);
    check_string("settings", "libpq decides", settings.kommo_sslmode, NULL);
    check_string("settings", "libpq decides", settings.kommo_ca_file, NULL);
    check_int("settings", "default of MySQL", settings.ecosys_tls, MYSQL_TLS_PREFERRED);
    check_string("settings", "the system's authorities", settings.ecosys_ca_file, NULL);
    for (size_t i = 0; i < COUNT(pg); i++) {
        const struct pair pairs[PAIRS] = {{"DB_SSLMODE", pg[i]},
                                          {"DB_SSLROOTCERT", "/dev/null"},
                                          {"DB_SSLMODE_ECOSYS", mysql[i % COUNT(mysql)]},
                                          {"DB_SSLROOTCERT_ECOSYS", "/dev/zero"}};
        if (load(*state, PROGRAM_WORKER, pairs, "", &settings, &err) != STATUS_OK)
            fail_msg("%s: %s", pg[i], err.message);
        check_string("settings", "mode", settings.kommo_sslmode, pg[i]);
        check_string("settings", "authorities", settings.kommo_ca_file, "/dev/null");
        check_int("settings", "mode of MySQL", settings.ecosys_tls, (int64_t)(i % COUNT(mysql)));
        check_string("settings", "authorities of MySQL", settings.ecosys_ca_file, "/dev/zero");
    }
}

static void write_bytes(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static void test_files(void **state)
{
    char folder[] = "/tmp/test_settings.XXXXXX", old[4096];
    struct dotenv dotenv;
    struct error err;
    assert_non_null(getcwd(old, sizeof old));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(settings_read_file(*state, NULL, &dotenv, &err), STATUS_OK);
    assert_null(dotenv.newest);
    assert_int_equal(settings_read_file(*state, "absent", &dotenv, &err), STATUS_INVALID);
    check_string("settings", "absent", err.message,
                 "--env-file: is \"absent\", takes a file that can be read: No such file or directory");
    assert_int_equal(settings_read_file(*state, "", &dotenv, &err), STATUS_INVALID);
    check_string("settings", "no name", err.message,
                 "--env-file: is \"\", takes a file that can be read: No such file or directory");
    assert_int_equal(settings_read_file(*state, ".", &dotenv, &err), STATUS_INVALID);
    check_string("settings", "a folder", err.message,
                 "--env-file: is \".\", takes a file that can be read: Is a directory");
    assert_int_equal(settings_read_file(*state, "/dev/zero", &dotenv, &err), STATUS_INVALID);
    check_string("settings", "endless", err.message,
                 "--env-file: is \"/dev/zero\", takes a file of at most 1048576 bytes");
    assert_int_equal(mkdir(".env", 0700), 0);
    assert_int_equal(settings_read_file(*state, NULL, &dotenv, &err), STATUS_INVALID);
    check_string("settings", ".env is a folder", err.message,
                 ".env: is no file that can be read: Is a directory");
    assert_int_equal(rmdir(".env"), 0);
    write_bytes("nul", "A=\0", 3);
    assert_int_equal(settings_read_file(*state, "nul", &dotenv, &err), STATUS_INVALID);
    check_string("settings", "NUL", err.message, "--env-file: is \"nul\", takes a file without NUL bytes");
    write_file(".env", "PORT=81\n= 1\nexport HOST='::1'");
    write_file("named", "PORT=82");
    assert_int_equal(settings_read_file(*state, NULL, &dotenv, &err), STATUS_OK);
    check_string("settings", ".env", dotenv_value(&dotenv, "PORT"), "81");
    check_string("settings", ".env", dotenv_value(&dotenv, "HOST"), "::1");
    check_int("settings", "unreadable lines", (int64_t)dotenv.unreadable_count, 1);
    check_int("settings", "the first one", (int64_t)dotenv.unreadable_line, 2);
    assert_int_equal(settings_read_file(*state, "named", &dotenv, &err), STATUS_OK);
    check_string("settings", "named", dotenv_value(&dotenv, "PORT"), "82");
    assert_int_equal(unlink("nul") + unlink(".env") + unlink("named") + chdir(old) + rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults_of_the_worker, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_defaults_of_the_api, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_refusals_say_name_value_and_what_is_taken, init_arena,
                                        clear_arena),
        cmocka_unit_test_setup_teardown(test_no_secret_in_any_message, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_secrets_are_marked, init_arena, clear_arena),
        cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test_setup_teardown(test_rows_of_the_table, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_precedence, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_required_ones_come_from_the_file_too, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_refresh_interval, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_redis_addresses, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_every_choice, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_modes_of_tls, init_arena, clear_arena),
        cmocka_unit_test_setup_teardown(test_files, init_arena, clear_arena),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
