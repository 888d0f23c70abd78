/* api/main.c - ecosys-api: the command line, then the server or a check. */
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth/auth.h"
#include "api/net/listener.h"
#include "api/server.h"
#include "common/program/program.h"
#include "common/redis/redis_link.h"

static const char NAME[] = "ecosys-api";

static const char USAGE[] =
    "usage: ecosys-api [--check] [--env-file FILE]\n"
    "\n"
    "Serves /health, /clientes, /health-scores, /dashboard, /logins and /cache/clear from what "
    "ecosys-worker\n"
    "publishes to Redis. Reads Redis, never a database, and writes nothing.\n"
    "\n"
    "  --check          tries settings, HOST and Redis, says each in a line, changes nothing\n"
    "  --env-file FILE  settings that the environment does not have (default: ./.env where it exists)\n"
    "  --help           this text\n"
    "  --version        the version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or configuration.\n";

enum flag { FLAG_CHECK = 1, FLAG_ENV_FILE, FLAG_HELP, FLAG_VERSION };

static const struct option FLAGS[] = {
    {"check", no_argument, NULL, FLAG_CHECK},
    {"env-file", required_argument, NULL, FLAG_ENV_FILE},
    {"help", no_argument, NULL, FLAG_HELP},
    {"version", no_argument, NULL, FLAG_VERSION},
    {NULL, 0, NULL, 0},
};

struct command_line {
    bool check;
    const char *env_file;
};

_Noreturn static void print_and_exit(enum flag flag)
{
    if (flag == FLAG_HELP) {
        fputs(USAGE, stdout);
        program_print_settings(stdout, PROGRAM_API);
    } else {
        printf("%s %s\n", NAME, program_version());
    }
    exit(EXIT_DONE);
}

static enum status parse_command_line(int argc, char **argv, struct command_line *out, struct error *err)
{
    int flag;
    while ((flag = getopt_long(argc, argv, "", FLAGS, NULL)) != -1) {
        switch (flag) {
        case FLAG_CHECK:
            out->check = true;
            break;
        case FLAG_ENV_FILE:
            out->env_file = optarg;
            break;
        case FLAG_HELP:
        case FLAG_VERSION:
            print_and_exit((enum flag)flag);
        default: /* getopt_long has said what is wrong */
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc)
        return error_set(err, STATUS_INVALID, "\"%.60s\" is no flag; see --help", argv[optind]);
    return STATUS_OK;
}

static enum status check_settings(const struct settings *settings, const struct users *users)
{
    struct addrinfo *addresses;
    struct error err;
    if (listener_resolve(settings, &addresses, &err) != STATUS_OK) {
        program_print_line(stdout, "FAIL settings", err.message);
        return err.code;
    }
    freeaddrinfo(addresses);
    printf("ok   settings: %zu users, %zu of them readonly, listens on %s port %" PRId64
           ", zone %s, prefix %s\n",
           users->count, users->readonly_count, settings->host, settings->port, settings->zone,
           settings->redis_prefix);
    return STATUS_OK;
}

static enum status check_redis(const struct settings *settings)
{
    struct redis_link link;
    struct redisReply *reply;
    struct error err;
    const struct bytes ping[] = {bytes_of("PING")};
    redis_link_init(&link, &settings->redis, settings->redis_timeout_ms);
    enum status status = redis_link_call(&link, ping, 1, &reply, &err);
    if (status == STATUS_OK) {
        printf("ok   redis: answers over %s\n", redis_link_protection(&link));
        redis_reply_free(reply);
    } else {
        program_print_line(stdout, "FAIL redis", err.message);
    }
    redis_link_close(&link);
    return status;
}

static enum exit_status check(const struct settings *settings, const struct users *users)
{
    enum status settings_status = check_settings(settings, users), redis_status = check_redis(settings);
    return settings_status == STATUS_OK && redis_status == STATUS_OK ? EXIT_DONE : EXIT_FAILED;
}

/* Loads the users, then checks or serves. */
static enum exit_status run(const struct command_line *command_line, const struct settings *settings,
                            struct arena *arena)
{
    struct auth auth;
    struct users *users = NULL;
    struct error err;
    enum exit_status exit_status;
    if (auth_init(&auth, arena, settings, &err) != STATUS_OK ||
        auth_load_users(&auth, settings, NULL, &users, &err) != STATUS_OK) {
        program_complain(NAME, err.message);
        exit_status = program_exit_status(err.code);
    } else if (command_line->check) {
        program_release_reload();
        exit_status = check(settings, users);
        users_unref(users);
    } else {
        exit_status = server_run(settings, command_line->env_file, &auth, users);
    }
    auth_clear(&auth);
    return exit_status;
}

int main(int argc, char **argv)
{
    struct command_line command_line = {.env_file = NULL};
    struct settings settings;
    struct arena arena;
    struct error err;
    program_hold_reload();
    arena_init(&arena);
    if (parse_command_line(argc, argv, &command_line, &err) != STATUS_OK ||
        program_start(PROGRAM_API, NAME, command_line.env_file, &arena, &settings, &err) != STATUS_OK) {
        program_complain(NAME, err.message);
        arena_clear(&arena);
        return (int)program_exit_status(err.code);
    }
    enum exit_status exit_status = run(&command_line, &settings, &arena);
    arena_clear(&arena);
    return (int)exit_status;
}
