/* common/program/settings.h - every setting of both programs, in one table: name, parser, default, accepted values,
 * help. The environment takes precedence over the file. An invalid value prevents the start. Texts live in the given
 * arena; the struct is immutable afterwards and may be read by any thread. */
#ifndef ECOSYS_COMMON_PROGRAM_SETTINGS_H
#define ECOSYS_COMMON_PROGRAM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "common/program/dotenv.h"
#include "common/program/log.h"
#include "common/redis/redis_url.h"

/* The programs a setting is for; a bit mask. */
enum program { PROGRAM_WORKER = 1, PROGRAM_API = 2 };

/* How the connection to MySQL is protected; each level includes those before it. */
enum mysql_tls {
    MYSQL_TLS_DISABLED,
    MYSQL_TLS_PREFERRED, /* if the server offers it, and not on sockets */
    MYSQL_TLS_REQUIRED,
    MYSQL_TLS_VERIFY_IDENTITY, /* the certificate matches the host and is from a trusted authority */
};

enum health_format { HEALTH_FORMAT_PLANO, HEALTH_FORMAT_DETALHADO };

struct database_settings {
    const char *host; /* starts with '/': a directory of sockets (PostgreSQL) or a socket (MySQL) */
    int64_t port;
    const char *name;
    const char *user;
    const char *password;
};

struct settings {
    struct database_settings kommo;
    const char *kommo_sslmode; /* one of libpq's words; NULL: libpq's default */
    const char *kommo_ca_file; /* NULL: libpq's default */
    struct database_settings ecosys;
    int64_t ecosys_tls;
    const char *ecosys_ca_file; /* NULL: the system's authorities */
    int64_t db_connect_timeout_s;
    int64_t snapshot_timeout_s;

    const char *redis_url;
    bool redis_url_is_set;
    const char *upstash_url;
    const char *upstash_token;
    const char *redis_ca_file;
    struct redis_address redis; /* from the four above */
    const char *redis_prefix;
    int64_t redis_timeout_ms;

    const char *basic_auth_users;
    const char *basic_auth_readonly;
    int64_t auth_failures; /* per address and minute; 0: unlimited */
    int64_t auth_queue;    /* verifications that may be queued */
    const char *trusted_proxies;
    const char *host;
    int64_t port;
    int64_t api_threads; /* 0: number of cores */
    int64_t health_format;
    const char *cors_allow_origins;
    int64_t cache_memory;  /* bytes of finished answers */
    int64_t send_memory;   /* bytes of answers still being sent but no longer cached */
    int64_t compute_queue; /* computations that may be queued */
    int64_t compute_timeout_s;
    int64_t connections_max; /* per process */
    int64_t header_bytes_max;
    int64_t body_bytes_max;
    int64_t request_timeout_s; /* to receive one request, and to send its answer */
    int64_t idle_timeout_s;    /* between requests of a connection */
    int64_t shutdown_timeout_s;

    int64_t ttl_clientes_s;
    int64_t ttl_health_scores_s;
    int64_t refresh_interval_s; /* 0: only on request */
    int64_t cache_max_stale_s;
    int64_t lease_s;
    const char *scoring_model; /* NULL: the built-in one */

    const char *zone;
    const char *environment;
    int64_t log_level;
    int64_t log_format;
};

/* Reads, checks and completes the settings of `program`. `environment` is settings_environment, or a test's function;
 * `file` may be empty. STATUS_INVALID: one line that names the variable, its value and what is accepted; never a
 * secret's value. */
MUST_CHECK enum status settings_load(struct arena *arena, enum program program,
                                     const char *(*environment)(const char *name), const struct dotenv *file,
                                     struct settings *out, struct error *err);

/* Reads `path`, given by --env-file, or, if it is NULL, ./.env if that exists. STATUS_INVALID: a file that cannot be
 * read, is too long or contains a NUL byte, in one line that names the flag, or ./.env. */
MUST_CHECK enum status settings_read_file(struct arena *arena, const char *path, struct dotenv *out,
                                          struct error *err);

/* getenv, in the form settings_load takes. */
const char *settings_environment(const char *name);

/* Seconds from the end of a refresh to the next one: REFRESH_INTERVAL, or the smaller TTL. */
int64_t settings_refresh_interval_s(const struct settings *settings);

enum setting_kind {
    KIND_TEXT,
    KIND_NUMBER, /* a whole number from `low` to `high` */
    KIND_CHOICE, /* one of the choices, stored as its index */
    KIND_WORD,   /* one of the choices, stored as text */
    KIND_FILE,   /* the path of a readable file */
    KIND_ZONE,
    KIND_PREFIX,
    KIND_ORIGINS,
};

/* One row of the table, for the parser, for --help and for the test that compares it with the documentation. */
struct setting {
    const char *name;
    const char *fallback; /* the default; NULL: none; "" is shown as empty */
    unsigned programs;    /* programs that read it */
    unsigned required_by; /* programs that do not start without it */
    bool is_secret;       /* no message shows its value */
    enum setting_kind kind;
    int64_t low, high;          /* KIND_NUMBER; both inclusive */
    const char *const *choices; /* KIND_CHOICE and KIND_WORD; ends with NULL */
    size_t field; /* offset in struct settings: an int64_t for KIND_NUMBER and KIND_CHOICE, else a text */
    const char *help;
};

/* The row with that number, from 0, or NULL past the last one. */
const struct setting *settings_row(size_t index);

#endif
