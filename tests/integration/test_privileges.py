"""The service under the users that are shipped for it (schemas/redis-acl.conf, schemas/*/roles.sql): all of it works,
and everything else is refused to the very same credentials."""

import hashlib
import os
import re
import socket
import subprocess

import pytest

from http_client import ask
from service import (
    AS_OF,
    API,
    ECOSYS_TABLES,
    KOMMO_TABLES,
    ROOT,
    Redis,
    ServerError,
    Stage,
    WORKER,
    prepare_sample,
    unique,
    wait_for,
)
from serving import start_loaded, wait_until_served

PASSWORDS = {"ecosys-api": "read-only-1", "ecosys-worker": "its-prefix-2"}
DATABASE_PASSWORD = "select-only-3"
READER = "ecosys_worker"
ANY_CONNECTION = {"auth", "hello", "quit", "reset"}  # Redis asks nobody's leave for these


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        return source.read()


class Privileged(Stage):
    """A stage whose programs come with the shipped users."""

    def url(self, user):
        return f"redis://{user}:{PASSWORDS[user]}@127.0.0.1:{self.redis.port}/0"

    def environment(self, **changes):
        users = {
            "DB_USER": READER,
            "DB_PASSWORD": DATABASE_PASSWORD,
            "DB_USER_ECOSYS": READER,
            "DB_PASSWORD_ECOSYS": DATABASE_PASSWORD,
            "REDIS_URL": self.url("ecosys-worker"),
        }
        return super().environment(**{**users, **changes})

    def start_api(self, seconds=30, **changes):
        """It is told nothing of databases."""
        none = {name: None for name in super().environment() if name.startswith("DB_")}
        return super().start_api(seconds, REDIS_URL=self.url("ecosys-api"), **none, **changes)


@pytest.fixture(scope="module")
def stage(fleet):
    prepare_sample(fleet, "small", "--tenants", "30", "--clients", "40")
    for _ in range(2):  # they may be run again
        fleet.postgres.load("kommo_small", os.path.join(ROOT, "schemas/postgres/roles.sql"))
        fleet.mariadb.load("ecosys_small", os.path.join(ROOT, "schemas/mysql/roles.sql"))
    fleet.postgres.execute(f"ALTER ROLE {READER} PASSWORD '{DATABASE_PASSWORD}'")
    fleet.mariadb.execute(f"ALTER USER '{READER}'@'%' IDENTIFIED BY '{DATABASE_PASSWORD}' ACCOUNT UNLOCK")
    prefix = unique("least")
    rules = text_of("schemas/redis-acl.conf").replace("ecosys:", prefix + ":")
    for user, marker in (("ecosys-api", "API_PASSWORD_SHA256"), ("ecosys-worker", "WORKER_PASSWORD_SHA256")):
        rules = rules.replace(marker, hashlib.sha256(PASSWORDS[user].encode()).hexdigest())
    path = os.path.join(fleet.folder, "redis-acl.conf")
    with open(path, "w", encoding="utf-8") as out:
        out.write(rules)
    os.chmod(path, 0o644)
    redis = fleet.add(Redis, unique("redis"), options=[f"include {path}"]).start()
    stage = Privileged(fleet, "small", redis)
    stage.prefix = prefix
    return stage


# ---- All of it works


def test_the_whole_service(stage):
    """Start, publication, loading, all questions, a refresh by HTTP and by command, the checks; nothing was refused."""
    stage.start_worker()
    api = start_loaded(stage)
    for path in ("/clientes", "/health-scores", "/dashboard", "/dashboard?data_adesao_inicio=2024-01-02"):
        assert ask(api.port, path).status == 200
    tenant = next(iter(ask(api.port, "/health-scores").json()))
    assert ask(api.port, f"/logins?tenant_id={tenant}").status == 200
    before = stage.pointer()
    response = ask(api.port, "/cache/clear", "POST")
    assert response.status == 200 and response.json()["generation"] > before
    refreshed = stage.run(WORKER, "--refresh")
    assert refreshed.returncode == 0, refreshed.stderr
    wait_until_served(api.port, stage.pointer())
    for program, url in ((WORKER, "ecosys-worker"), (API, "ecosys-api")):
        checked = stage.run(program, "--check", REDIS_URL=stage.url(url), PORT=1)
        assert checked.returncode == 0 and "FAIL" not in checked.stdout, checked.stdout
    health = ask(api.port, "/health").json()
    assert health["status"] == "healthy" and health["worker"] == {"alive": True, "last_error": None}
    assert stage.redis.command("ACL", "LOG") == []


def test_lease_and_clearing_away(stage):
    """A second worker stands by, --once names the holder, and what was replaced is unlinked; nothing was refused."""
    stage.expire_lease()
    for _ in range(3):
        stage.publish()
    worker = stage.start_worker(REFRESH_INTERVAL=0)
    wait_for(lambda: 'message="generation published"' in worker.log_text(), "the worker leads", 20)
    kept = {f"{stage.prefix}:gen:{generation}:" for generation in sorted(stage.generations_with_keys())[-2:]}
    left = [ttl for key, ttl in stage.ttls().items() if ":gen:" in key and not key.startswith(tuple(kept))]
    assert left and max(left) <= 10
    standby = stage.start_worker(REFRESH_INTERVAL=0)
    wait_for(lambda: "stand" in standby.log_text(), "the other one stands by", 20)
    refused = stage.once("--as-of", AS_OF)
    assert refused.returncode == 1 and "lease" in refused.stderr
    stage.assert_keys_end()
    assert stage.redis.command("ACL", "LOG") == []


# ---- Redis refuses the rest


def as_user(stage, user, *words):
    """One command on a connection of its own, with the credentials that the program has."""
    redis = stage.redis
    parts = [("AUTH", user, PASSWORDS[user]), words]
    with socket.create_connection((redis.host, redis.port), 10) as link, link.makefile("rwb") as stream:
        for part in parts:
            stream.write(b"*%d\r\n" % len(part))
            for word in part:
                data = word if isinstance(word, bytes) else str(word).encode()
                stream.write(b"$%d\r\n%s\r\n" % (len(data), data))
            stream.flush()
            line = stream.readline().decode()
        return line.strip()


def all_commands(stage):
    """{name: (fewest words, its flags)} of every command that this Redis has; a subcommand is "name|sub"."""
    found = {}

    def take(entry):
        name, arity, flags, subcommands = entry[0].decode(), entry[1], {flag.decode() for flag in entry[2]}, entry[9]
        for sub in subcommands:
            take(sub)
        if not subcommands:
            found[name] = (abs(arity), flags)

    for entry in stage.redis.command("COMMAND"):
        take(entry)
    return found


def documented_commands(program):
    row = re.search(rf"^\| {program} \| (.*) \|$", text_of("schemas/redis.md"), re.M)[1]
    return {name.lower() for name in re.findall(r"`([A-Z]+)`", row)} - ANY_CONNECTION


@pytest.mark.parametrize("user, program", [("ecosys-api", "API"), ("ecosys-worker", "worker")])
def test_every_other_command_is_refused(stage, user, program):
    """Each command that this Redis knows, sent with the user's credentials: those that are not refused are those that
    the documents list, and what writes is not among the API's."""
    commands, taken = all_commands(stage), set()
    assert len(commands) > 200
    for name, (count, _) in sorted(commands.items()):
        words = name.split("|")
        words += [f"{stage.prefix}:x"] * (count - len(words))
        answer = as_user(stage, user, *words)
        if not re.search("permissions to run|command not allowed", answer):  # the latter: not by anybody, as configured
            taken.add(name)
    assert taken - ANY_CONNECTION == documented_commands(program)
    if program == "API":
        assert [name for name in taken if "write" in commands[name][1]] == []
        assert not taken & {"eval", "eval_ro", "evalsha", "fcall", "script|load", "config|set", "acl|setuser"}


def is_refused(answer):
    """Redis words it in several ways, in scripts in others."""
    return answer.startswith("-") and re.search("permission|not allowed|can't (access|publish|run)", answer)


def test_other_prefixes_are_out_of_reach(stage):
    stage.command("SET", "other:current", "1")
    stage.command("SET", f"{stage.prefix}x:current", "1")
    for user in PASSWORDS:
        for key in ("other:current", f"{stage.prefix}x:current", stage.prefix, "", "*"):
            assert is_refused(as_user(stage, user, "GET", key)), (user, key)
        assert is_refused(as_user(stage, user, "SUBSCRIBE", "other:0:events"))
        assert is_refused(as_user(stage, user, "PUBLISH", "other:0:requests", "refresh x"))
    assert is_refused(as_user(stage, "ecosys-api", "MGET", f"{stage.prefix}:current", "other:current"))
    for words in (
        ("SET", "other:x", "1"),
        ("UNLINK", "other:current"),
        ("HSET", "other:h", "a", "b"),
        ("EXPIRE", "other:current", 1),
        ("ZADD", "other:z", 1, "a"),
        ("SADD", "other:s", "a"),
    ):
        assert is_refused(as_user(stage, "ecosys-worker", *words)), words
    assert stage.command("GET", "other:current") == b"1"


def test_scripts_reach_no_further(stage):
    """Whether the key is told or not."""
    for script, keys in (
        ("return redis.call('SET', KEYS[1], '1')", ["other:x"]),
        ("return redis.call('SET', 'other:x', '1')", []),
        ("return redis.call('PUBLISH', 'other:0:events', 'published 1')", []),
        ("return redis.call('FLUSHALL')", []),
        ("return redis.call('CONFIG', 'GET', '*')", []),
    ):
        assert is_refused(as_user(stage, "ecosys-worker", "EVAL", script, len(keys), *keys)), script
    assert stage.command("EXISTS", "other:x") == 0
    own = f"{stage.prefix}:own"
    assert as_user(stage, "ecosys-worker", "EVAL", "return redis.call('SET', KEYS[1], '1', 'EX', 60)", 1, own) == "+OK"


def test_the_api_says_nothing_in_the_workers_name(stage):
    events, requests = f"{stage.prefix}:0:events", f"{stage.prefix}:0:requests"
    assert is_refused(as_user(stage, "ecosys-api", "PUBLISH", events, "published 99999999999999"))
    assert is_refused(as_user(stage, "ecosys-api", "SUBSCRIBE", requests))
    assert as_user(stage, "ecosys-api", "PUBLISH", requests, "asked all:all=1").startswith(":")
    assert as_user(stage, "ecosys-api", "SUBSCRIBE", events).startswith("*")


def test_unedited_rules_do_not_start(fleet):
    """A Redis with the placeholders for passwords would let everybody in who reads the file."""
    path = os.path.join(ROOT, "schemas/redis-acl.conf")
    with pytest.raises(ServerError):
        fleet.add(Redis, unique("redis"), options=[f"include {path}"]).start(5)


# ---- The databases refuse the rest


def in_postgres(stage, sql):
    server = stage.fleet.postgres
    argv = [
        f"{server.binaries}/psql",
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-p",
        str(server.port),
        "-U",
        READER,
        "-d",
        f"kommo_{stage.data}",
        "-c",
        sql,
    ]
    return subprocess.run(
        argv,
        env={"PGPASSWORD": DATABASE_PASSWORD, "PATH": os.environ["PATH"]},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )


def in_mariadb(stage, sql):
    server = stage.fleet.mariadb
    argv = [
        server.client()[0],
        "--no-defaults",
        "--host=127.0.0.1",
        f"--port={server.port}",
        f"--user={READER}",
        f"--password={DATABASE_PASSWORD}",
        f"ecosys_{stage.data}",
        "-e",
        sql,
    ]
    return subprocess.run(argv, capture_output=True, encoding="utf-8", check=False, timeout=30)


def assert_denied(done, sql):
    assert done.returncode != 0 and re.search("denied|read-only|must be", done.stderr), (sql, done.stdout, done.stderr)


def writes_to(table):
    return [
        f"INSERT INTO {table} (id) VALUES (987654321)",
        f"UPDATE {table} SET id = id",
        f"DELETE FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE {table} ADD COLUMN x int",
        f"TRUNCATE TABLE {table}",
    ]


@pytest.mark.parametrize("table", KOMMO_TABLES)
def test_postgres_gives_select_only(stage, table):
    assert in_postgres(stage, f"SELECT count(*) FROM {table}").returncode == 0
    for sql in writes_to(table):
        assert_denied(in_postgres(stage, sql), sql)
        assert_denied(in_postgres(stage, f"SET default_transaction_read_only = off; {sql}"), sql)
    assert_denied(in_postgres(stage, f"SELECT * FROM {table} FOR UPDATE"), "FOR UPDATE")


def test_postgres_denies_the_rest(stage):
    stage.kommo("CREATE TABLE secrets (id int); INSERT INTO secrets VALUES (1)")
    for sql in (
        "SELECT * FROM secrets",
        "SELECT * FROM pg_authid",
        "CREATE TABLE x (id int)",
        "CREATE ROLE x",
        "COPY users TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER ROLE ecosys_worker SUPERUSER",
        "CREATE SCHEMA x",
        "CREATE DATABASE x",
    ):
        assert_denied(in_postgres(stage, f"SET default_transaction_read_only = off; {sql}"), sql)
        assert_denied(in_postgres(stage, sql), sql)


@pytest.mark.parametrize("table", ECOSYS_TABLES)
def test_mariadb_gives_select_only(stage, table):
    assert in_mariadb(stage, f"SELECT count(*) FROM {table}").returncode == 0
    for sql in writes_to(table):
        assert_denied(in_mariadb(stage, sql), sql)


def test_mariadb_denies_the_rest(stage):
    stage.ecosys("CREATE TABLE secrets (id int)")
    for sql in (
        "SELECT * FROM secrets",
        "SELECT * FROM mysql.global_priv",
        "CREATE TABLE x (id int)",
        "CREATE TEMPORARY TABLE x (id int)",
        "CREATE USER 'x'",
        "CREATE DATABASE x",
        "LOCK TABLES users WRITE",
        "SELECT * FROM users INTO OUTFILE '/tmp/x'",
        "SET GLOBAL max_connections = 1",
        "SHUTDOWN",
        "FLUSH TABLES",
        "GRANT SELECT ON users TO 'x'",
    ):
        assert_denied(in_mariadb(stage, sql), sql)


def test_roles_name_the_documented_tables():
    """roles.sql, what the documents say that the databases must grant, and this test agree."""
    documented = re.sub(r"\s+", " ", text_of("docs/configuration.md").split("### What the databases must grant")[1])
    for name, path, tables in (
        ("PostgreSQL", "schemas/postgres/roles.sql", KOMMO_TABLES),
        ("MySQL", "schemas/mysql/roles.sql", ECOSYS_TABLES),
    ):
        row = re.search(rf"- {name}: ([^.]*)\.", documented)[1]
        assert set(re.findall(r"`(\w+)`", row)) == set(tables)
        sql = re.sub(r"--[^\n]*", "", text_of(path))
        granted = " ".join(re.findall(r"GRANT SELECT ON(.*?)TO", sql, re.S))
        assert set(re.findall(r"\w+", granted)) == set(tables)
