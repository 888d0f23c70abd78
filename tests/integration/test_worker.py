"""ecosys-worker from outside: command line, failures, and that no crash ever shows a reader half a generation. What
goes by the lease is in test_lease.py."""

import datetime
import re
import signal
import subprocess
import time

import pytest

import http_client
from faults import Witness
from redis_proxy import Action, RedisProxy, is_flip
from service import (
    AS_OF,
    WORKER,
    Redis,
    Stage,
    changed_model,
    free_port,
    hold_in_postgres,
    lock_in_mariadb,
    new_redis,
    prepare_counter,
    prepare_sample,
    unique,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
)
from serving import start_loaded

SECRET = "s3cret-pass-w0rd"
ONLY_WHEN_ASKED = {"REFRESH_INTERVAL": 0, "LEASE_TIME": 3}
GRACE_S = 60  # for which readers may go on loading the previous generation
ERROR = re.compile(r"level=error .*")


@pytest.fixture(scope="module")
def data(fleet):
    """A small data set that tests leave as they found it."""
    prepare_sample(fleet, "small", "--tenants", "30", "--clients", "40", as_of=None)  # daemons score as of now
    return "small"


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "counter", clients=3)
    return "counter"


@pytest.fixture
def stage(fleet, data):
    return Stage(fleet, data)


def assert_one_line(done, *texts):
    assert done.stdout == "", done.stdout
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
    for text in texts:
        assert text in done.stderr, (text, done.stderr)


def errors_in(log):
    return ERROR.findall(log)


def wait_for_generation(stage, above=0, seconds=20):
    """The pointer, as soon as it is higher than `above`."""
    return wait_for(lambda: (number := stage.pointer() or 0) > above and number, "a newer generation", seconds)


def ask_fresh_api(stage, path="/dashboard"):
    """What an API that has just been started says, as soon as it says something else than 503."""
    api = stage.start_api()
    try:
        return wait_for(lambda: (answer := http_client.ask(api.port, path)).status != 503 and answer, "the API answers")
    finally:
        api.process.kill()


# ---- Command line and settings


def test_help_names_flags_and_settings(stage):
    done = stage.run(WORKER, "--help", env={"PATH": "/usr/bin"})
    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "--once",
        "--as-of",
        "--check",
        "--env-file",
        "--version",
        "DB_NAME_ECOSYS",
        "REDIS_URL",
        "LEASE_TIME",
    ):
        assert text in done.stdout, text
    assert "BASIC_AUTH_USERS" not in done.stdout


def test_version(stage):
    done = stage.run(WORKER, "--version", env={"PATH": "/usr/bin"})
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"ecosys-worker \d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize(
    "flags, text",
    [
        (["--nonsense"], "--nonsense"),
        (["once"], "once"),
        (["--once", "extra"], "extra"),
        (["-x"], "x"),
        (["--as-of", AS_OF], "--once"),
        (["--once", "--as-of"], "--as-of"),
        (["--once", "--as-of", "yesterday"], "yesterday"),
        (["--once", "--as-of", "2025-02-30 00:00:00"], "2025-02-30"),
        (["--once", "--as-of", "2025-01-01"], "2025-01-01"),
        (["--once", "--as-of", "2025-01-01 24:00:00"], "24:00:00"),
        (["--once", "--as-of", "2025-01-01 00:00-03"], "00:00-03"),
        (["--once", "--as-of", ""], "--as-of"),
        (["--check", "--once"], "--check"),
        (["--env-file"], "--env-file"),
        (["--env-file", "/no/such/file"], "/no/such/file"),
        (["--env-file", "/"], "/"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(stage, flags, text):
    done = stage.run(WORKER, *flags)
    assert done.returncode == 2
    assert_one_line(done, text)


@pytest.mark.parametrize(
    "name, value",
    [
        ("DB_NAME", None),
        ("DB_USER", None),
        ("DB_NAME_ECOSYS", None),
        ("DB_USER_ECOSYS", None),
        ("DB_PORT", "abc"),
        ("DB_PORT", "0"),
        ("DB_PORT", "65536"),
        ("DB_PORT", "-1"),
        ("DB_PORT", "5432 "),
        ("DB_PORT_ECOSYS", "1e3"),
        ("REDIS_PREFIX", "a b"),
        ("REDIS_PREFIX", "x" * 65),
        ("REFRESH_INTERVAL", "-1"),
        ("REFRESH_INTERVAL", "1.5"),
        ("REFRESH_INTERVAL", "99999999999999999999"),
        ("CACHE_MAX_STALE", "0"),
        ("CACHE_TTL_CLIENTES", "x"),
        ("CACHE_TTL_HEALTH_SCORES", "0"),
        ("TZ", "Nowhere/City"),
        ("TZ", "../../etc/passwd"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("LEASE_TIME", "2"),
        ("SNAPSHOT_TIMEOUT", "0"),
    ],
)
def test_bad_setting(stage, name, value):
    done = stage.run(WORKER, "--once", **{name: value})
    assert done.returncode == 2
    assert_one_line(done, name, value or "not set")


@pytest.mark.parametrize(
    "settings",
    [
        {"REDIS_URL": f"http://u:{SECRET}@localhost:1"},
        {"REDIS_URL": f"redis://u:{SECRET}@localhost:99999/0"},
        {"REDIS_URL": f"redis://u:{SECRET}@localhost:6379/x"},
        {"REDIS_URL": f"rediss://u:{SECRET}@localhost:x"},
        {"REDIS_URL": None, "UPSTASH_REDIS_REST_URL": "https://cache.example/x", "UPSTASH_REDIS_REST_TOKEN": SECRET},
        {"DB_PORT": "x", "DB_PASSWORD": SECRET, "DB_PASSWORD_ECOSYS": SECRET},
    ],
    ids=lambda settings: next(iter(settings.values())) or "upstash",
)
def test_secrets_stay_out_of_complaints(stage, settings):
    done = stage.run(WORKER, "--once", **settings)
    assert done.returncode == 2
    assert_one_line(done, next(name for name, value in settings.items() if value))
    assert SECRET not in done.stderr


def test_settings_from_a_file(fleet, stage):
    """--env-file and ./.env are read; the environment wins."""
    settings = {name: value for name, value in stage.environment().items() if re.match("DB_|REDIS_|TZ", name)}
    path = f'{fleet.folder}/{unique("env")}'
    with open(path, "w", encoding="utf-8") as out:
        out.write("# settings\nUNKNOWN_NAME=1\n")
        for number, (name, value) in enumerate(settings.items()):
            out.write((f"export {name}={value}\n", f"{name}='{value}' # text\n", f'{name} = "{value}"\n')[number % 3])
    bare = {"PATH": "/usr/bin"}
    assert stage.run(WORKER, "--once", "--env-file", path, env=bare).returncode == 0
    assert stage.pointer()
    done = stage.run(WORKER, "--once", "--env-file", path, env={**bare, "REDIS_PREFIX": "no good"})
    assert done.returncode == 2 and "no good" in done.stderr


# ---- --check


def checked(stage, **changes):
    """Exit status of --check and {part: (word, the rest of its line)}."""
    before = stage.keys()
    done = stage.run(WORKER, "--check", **changes)
    assert stage.keys() == before
    lines = [re.fullmatch(r"(ok|FAIL|note) +(\w+): (.+)", line) for line in done.stdout.splitlines()]
    assert all(lines), done.stdout
    assert stage.fleet.password not in done.stdout + done.stderr
    return done.returncode, {line[2]: (line[1], line[3]) for line in lines}


def test_check_says_each_part_and_changes_nothing(stage):
    status, parts = checked(stage)
    assert status == 0
    assert list(parts) == ["settings", "model", "postgresql", "mysql", "redis"]
    assert {word for word, _ in parts.values()} == {"ok"}
    assert stage.keys() == []


def assert_fails(stage, part, text, **changes):
    status, parts = checked(stage, **changes)
    assert status == 1
    assert [name for name, (word, _) in parts.items() if word != "ok"] == [part], parts
    assert text in parts[part][1], parts[part]


@pytest.mark.parametrize(
    "part, text, settings",
    [
        ("postgresql", "refused", {"DB_PORT": 1}),
        ("postgresql", "does not exist", {"DB_NAME": "kommo_nowhere"}),
        ("postgresql", "password authentication failed", {"DB_PASSWORD": "wrong"}),
        ("mysql", "(error 2", {"DB_PORT_ECOSYS": 1}),
        ("mysql", "denied", {"DB_PASSWORD_ECOSYS": "wrong"}),
        ("mysql", "nowhere", {"DB_NAME_ECOSYS": "ecosys_nowhere"}),
        ("redis", "refused", {"REDIS_URL": "redis://127.0.0.1:1"}),
        ("model", "/no/model.json", {"SCORING_MODEL": "/no/model.json"}),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_check_names_the_part_that_fails(stage, part, text, settings):
    assert_fails(stage, part, text, **settings)


def test_check_refuses_a_wrong_password_of_redis(stage):
    url = f"redis://default:{SECRET}@127.0.0.1:{stage.redis.port}/0"
    assert_fails(stage, "redis", "WRONGPASS", REDIS_URL=url)


def test_check_refuses_a_redis_that_may_evict(fleet, data):
    redis = fleet.add(Redis, unique("evicting"), options=["maxmemory-policy allkeys-lru"]).start()
    assert_fails(Stage(fleet, data, redis), "redis", "allkeys-lru")


def test_check_refuses_a_replica(fleet, data):
    redis = new_redis(fleet)
    redis.command("REPLICAOF", "127.0.0.1", free_port())
    assert_fails(Stage(fleet, data, redis), "redis", "replica")


@pytest.mark.parametrize(
    "source, part, text, do, undo",
    [
        (
            "kommo",
            "postgresql",
            "clientes_kommo",
            "ALTER TABLE clientes_kommo RENAME TO away",
            "ALTER TABLE away RENAME TO clientes_kommo",
        ),
        (
            "kommo",
            "postgresql",
            "data_adesao",
            "ALTER TABLE clientes_kommo RENAME data_adesao TO away",
            "ALTER TABLE clientes_kommo RENAME away TO data_adesao",
        ),
        (
            "kommo",
            "postgresql",
            "clientes_kommo.valor",
            "ALTER TABLE clientes_kommo ALTER valor TYPE text",
            "ALTER TABLE clientes_kommo ALTER valor TYPE numeric(12,2) USING valor::numeric",
        ),
        (
            "kommo",
            "postgresql",
            "permission denied",
            "REVOKE SELECT ON statuses FROM ecosys_reader",
            "GRANT SELECT ON statuses TO ecosys_reader",
        ),
        ("ecosys", "mysql", "reports", "RENAME TABLE reports TO away", "RENAME TABLE away TO reports"),
        (
            "ecosys",
            "mysql",
            "deleted_at",
            "ALTER TABLE cards CHANGE deleted_at away TIMESTAMP NULL",
            "ALTER TABLE cards CHANGE away deleted_at TIMESTAMP NULL",
        ),
    ],
    ids=lambda value: "" if " " in value else value,
)
def test_schema_that_does_not_fit(stage, source, part, text, do, undo):
    """--check says so, --once fails and names it, and what was published before stays."""
    generation = stage.publish()
    before = stage.keys()
    change = getattr(stage, source)
    change(do)
    try:
        assert_fails(stage, part, text)
        done = stage.once()
    finally:
        change(undo)
    assert done.returncode == 1
    assert text in errors_in(done.stderr)[0], done.stderr
    assert stage.pointer() == generation
    assert set(stage.keys()) - {f"{stage.prefix}:worker"} == set(before) - {f"{stage.prefix}:worker"}
    assert checked(stage)[0] == 0


def test_check_refuses_a_table_without_snapshots(stage):
    stage.ecosys("ALTER TABLE reports ENGINE=MyISAM")
    try:
        assert_fails(stage, "mysql", "reports")
    finally:
        stage.ecosys("ALTER TABLE reports ENGINE=InnoDB")


# ---- --once


@pytest.mark.parametrize(
    "text, settings",
    [
        ("PostgreSQL", {"DB_PORT": 1}),
        ("PostgreSQL", {"DB_PASSWORD": SECRET}),
        ("PostgreSQL", {"DB_NAME": "kommo_nowhere"}),
        ("MySQL", {"DB_PORT_ECOSYS": 1}),
        ("MySQL", {"DB_PASSWORD_ECOSYS": SECRET}),
        ("SCORING_MODEL", {"SCORING_MODEL": "/no/model.json"}),
        ("Redis", {"REDIS_URL": f"redis://u:{SECRET}@127.0.0.1:1"}),
    ],
)
def test_once_fails_and_the_old_generation_stays(stage, text, settings):
    generation = stage.publish()
    done = stage.once(LOG_LEVEL="debug", **settings)
    assert done.returncode == 1
    assert len(errors_in(done.stderr)) == 1 and text in errors_in(done.stderr)[0], done.stderr
    assert SECRET not in done.stderr
    assert stage.pointer() == generation
    assert stage.generations_with_keys() == {generation}


def test_once_keeps_the_previous_generation_for_its_readers(stage):
    first, second = stage.publish(), stage.publish()
    assert second > first and stage.pointer() == second
    assert stage.generations_with_keys() == {first, second}
    stage.assert_keys_end()
    for key, ttl in stage.ttls().items():
        if f":{first}:" in key:
            assert ttl <= GRACE_S, key
        elif f":{second}:" in key:
            assert ttl > 86400, key


def test_generation_rises_above_a_pointer_from_the_future(stage):
    future = stage.publish() + 10**9
    stage.command("SET", f"{stage.prefix}:current", future, "EX", 1000)
    assert stage.publish() == future + 1


def test_instances_share_a_redis_by_prefix_and_database(fleet, data, stage):
    other = Stage(fleet, data)
    generation = stage.publish()
    other.publish()
    assert stage.pointer() == generation and stage.generations_with_keys() == {generation}
    stage.publish(REDIS_URL=fleet.redis.url(5))
    assert stage.pointer() == generation
    assert fleet.redis.command("GET", f"{stage.prefix}:current", db=5)


def test_sockets_instead_of_ports(fleet, data):
    redis = fleet.add(Redis, unique("open"), password="").start()
    stage = Stage(fleet, data, redis)
    stage.publish(
        DB_HOST=fleet.postgres.socket,
        DB_HOST_ECOSYS=fleet.mariadb.socket,
        DB_PORT_ECOSYS=1,
        REDIS_URL=f"unix://{redis.socket}?db=2",
    )
    assert redis.command("GET", f"{stage.prefix}:current", db=2)


def test_once_when_redis_is_full(fleet, data):
    redis = new_redis(fleet)
    stage = Stage(fleet, data, redis)
    generation = stage.publish()
    used = int(re.search(rb"used_memory:(\d+)", redis.command("INFO", "memory"))[1])
    redis.command("CONFIG", "SET", "maxmemory", used)
    done = stage.once()
    assert done.returncode == 1 and "OOM" in done.stderr
    assert stage.pointer() == generation
    redis.command("CONFIG", "SET", "maxmemory", 0)
    stage.publish()


# ---- The daemon


def test_daemon_refreshes_at_start_by_interval_and_when_asked(stage):
    stage.start_worker(REFRESH_INTERVAL=1)
    first = wait_for_generation(stage)
    second = wait_for_generation(stage, first)
    assert wait_for_generation(stage, second) - first >= 1900  # generations are milliseconds here
    asked = Stage(stage.fleet, stage.data)
    daemon = asked.start_worker(**ONLY_WHEN_ASKED)
    first = wait_for_generation(asked)
    daemon.signal(signal.SIGHUP)
    wait_for_generation(asked, first)
    asked.assert_keys_end()


def published_at_s(log):
    """When each generation was published, by the log."""
    texts = re.findall(r'time=(\S+)Z .*message="generation published"', log)
    return [datetime.datetime.fromisoformat(text).timestamp() for text in texts]


def test_interval_counts_from_the_last_refresh_whoever_asked(stage):
    """Every 6 s: asked 2 s behind the first one, the third comes 6 s behind the second."""
    daemon = stage.start_worker(REFRESH_INTERVAL=6)
    wait_for(lambda: len(published_at_s(daemon.log_text())) == 1, "the first refresh", 10)
    start = time.monotonic()
    wait_for(lambda: time.monotonic() - start > 2, "the time to ask", 10)
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: len(published_at_s(daemon.log_text())) == 3, "the third refresh", 20)
    first, second, third = published_at_s(daemon.log_text())
    assert 2 <= second - first < 6, daemon.log_text()
    assert 6 <= third - second < 10, daemon.log_text()


def test_daemon_starts_before_redis(fleet, data):
    redis = new_redis(fleet)
    redis.stop()
    stage = Stage(fleet, data, redis)
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    wait_for(lambda: errors_in(daemon.log_text()), "it says that Redis is not there", 10)
    redis.start()
    wait_for_generation(stage)
    assert len(errors_in(daemon.log_text())) == 1, daemon.log_text()


def test_daemon_fills_a_redis_that_lost_everything(fleet, data):
    redis = new_redis(fleet)
    stage = Stage(fleet, data, redis)
    stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    redis.command("FLUSHALL")
    newer = wait_for_generation(stage, generation, 10)
    redis.kill()
    redis.start()
    wait_for_generation(stage, newer, 15)


def test_daemon_tells_its_last_error_and_recovers(stage):
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    api = stage.start_api()
    stage.kommo("ALTER TABLE clientes_kommo RENAME TO away")
    try:
        daemon.signal(signal.SIGHUP)
        health = wait_for(
            lambda: (h := http_client.ask(api.port, "/health").json())["worker"]["last_error"] and h,
            "/health tells the error",
            10,
        )
    finally:
        stage.kommo("ALTER TABLE away RENAME TO clientes_kommo")
    assert health["worker"] == {"alive": True, "last_error": "postgresql"}
    assert health["generation"] == generation
    wait_for_generation(stage, generation, 100)  # by its own retries
    wait_for(lambda: http_client.ask(api.port, "/health").json()["worker"]["last_error"] is None, "all is well", 10)


def test_scoring_model_is_read_anew_at_each_refresh(fleet, stage):
    path = changed_model(fleet.folder, lambda model: None)
    daemon = stage.start_worker(SCORING_MODEL=path, **ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    before = ask_fresh_api(stage, "/health-scores").json()

    with open(path, "w", encoding="utf-8") as out:
        out.write('{"schema": 1, "version": ')
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: errors_in(daemon.log_text()), "the refresh fails", 10)
    assert "phase=model" in errors_in(daemon.log_text())[0] and path in errors_in(daemon.log_text())[0]
    assert stage.pointer() == generation

    def all_for_use(model):
        for name, pillar in model["pillars"].items():
            pillar["weight"] = 1 if name == "engajamento" else 0

    replacement = changed_model(fleet.folder, all_for_use)
    subprocess.run(["mv", replacement, path], check=True)
    daemon.signal(signal.SIGHUP)
    wait_for_generation(stage, generation)
    after = ask_fresh_api(stage, "/health-scores").json()
    assert after != before and after.keys() == before.keys()
    assert all(tenant["score_total"] == tenant["score_engajamento"] for tenant in after.values())


# ---- Databases that make it wait


LOCKS = pytest.mark.parametrize(
    "lock, waits",
    [(hold_in_postgres, waits_in_postgres), (lock_in_mariadb, waits_in_mariadb)],
    ids=["postgresql", "mariadb"],
)


@LOCKS
def test_sigterm_in_the_middle_of_a_refresh(stage, lock, waits):
    generation = stage.publish()
    before = stage.keys()
    with lock(stage):
        daemon = stage.start_worker(**ONLY_WHEN_ASKED)
        wait_for(lambda: waits(stage), "the worker waits for the lock", 10)
        daemon.signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
    assert stage.pointer() == generation
    assert stage.keys() == before
    assert not errors_in(daemon.log_text())


def test_sigterm_of_once(stage):
    with hold_in_postgres(stage):
        worker = stage.start_worker("--once")
        wait_for(lambda: waits_in_postgres(stage), "the worker waits for the lock", 10)
        worker.signal(signal.SIGTERM)
        assert worker.wait(20) == 1
    assert stage.pointer() is None


def test_daemon_survives_databases_that_die_and_come_back(fleet, stage):
    daemon = stage.start_worker(**ONLY_WHEN_ASKED)
    generation = wait_for_generation(stage)
    for database in (fleet.postgres, fleet.mariadb):
        failures = len(errors_in(daemon.log_text()))
        database.kill()
        daemon.signal(signal.SIGHUP)
        wait_for(lambda: len(errors_in(daemon.log_text())) > failures, "the refresh fails", 10)
        assert stage.pointer() == generation
        database.start()
        generation = wait_for_generation(stage, generation, 100)  # by its own retries


# ---- Crashes and cuts between any two commands


class Publishing:
    """A stage whose data are a number: what any generation must show is known."""

    def __init__(self, fleet, data):
        self.stage = Stage(fleet, data, CACHE_MAX_STALE=3600)
        self.value = 0
        self.shown = {}  # generation: the number it holds

    def change(self):
        self.value += 1
        self.stage.set_counter(self.value)

    def publish(self):
        self.change()
        self.shown[self.stage.publish()] = self.value

    def run_through(self, proxy, seconds=30):
        """--once through the proxy, the victim when it kills; exit status and log."""
        argv = [WORKER, "--once", "--as-of", AS_OF]
        worker = subprocess.Popen(
            argv,
            env=self.stage.environment(REDIS_URL=proxy.url()),
            cwd=self.stage.fleet.folder,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            proxy.set_victim(worker.pid)
            log = worker.communicate(timeout=seconds)[1]
            return worker.returncode, log
        finally:
            worker.kill()

    def assert_whole(self, before):
        """The pointer is at what it was or at what was just computed, and an API can load that and shows its number."""
        pointer = self.stage.pointer()
        if pointer != before:
            self.shown[pointer] = self.value
        response = ask_fresh_api(self.stage)
        assert response.status == 200
        assert response.header("X-Generation") == str(pointer)
        assert response.json()["mrr_value"] == self.shown[pointer]
        return pointer != before


def strike_at(target, action):
    return lambda number, _: action if number == target else Action.FORWARD


def every_command(publishing, action, fleet, passed_over=()):
    """Runs a refresh for each of its commands, with the action at that one; yields what came of it."""
    for target in range(300):
        if target in passed_over:
            continue
        before = publishing.stage.pointer()
        publishing.change()
        with RedisProxy(fleet.redis, strike_at(target, action)) as proxy:
            status, log = publishing.run_through(proxy)
        if not proxy.has_struck:
            assert target > 40 and status == 0, (target, status, log)  # one for each bucket
            publishing.assert_whole(before)
            return
        yield target, before, status, log
    raise AssertionError("a refresh has no end")


def test_worker_killed_between_any_two_commands(fleet, counter):
    publishing = Publishing(fleet, counter)
    stage = publishing.stage
    publishing.publish()
    flips = 0
    with Witness(start_loaded(stage).port) as witness:
        for target, before, status, log in every_command(publishing, Action.KILL, fleet):
            assert status == -signal.SIGKILL, (target, log)
            flips += publishing.assert_whole(before)
            stage.assert_keys_end()
            stage.expire_lease()
        assert flips >= 2  # it was also killed behind the flip
        publishing.publish()
        witness.wait_for_more()
    assert witness.numbers.items() <= publishing.shown.items() and len(witness.numbers) >= 2
    assert stage.generations_with_keys() <= publishing.shown.keys(), "nothing of a generation that never was current"
    listed = {int(number) for number in stage.command("ZRANGE", f"{stage.prefix}:generations", 0, -1)}
    assert {stage.pointer()} <= listed <= publishing.shown.keys()
    current = stage.pointer()
    for key, ttl in stage.ttls().items():
        is_old = ":gen:" in key and f":{current}:" not in key
        assert ttl <= (GRACE_S if is_old else 3600 + GRACE_S), key
    stage.assert_keys_end()


def test_generation_left_half_by_a_killed_worker_is_removed(fleet, counter):
    publishing = Publishing(fleet, counter)
    stage = publishing.stage
    publishing.publish()
    first = stage.pointer()
    publishing.change()
    with RedisProxy(fleet.redis, lambda _, words: Action.KILL if is_flip(words) else Action.FORWARD) as proxy:
        publishing.run_through(proxy)
    assert stage.pointer() == first
    assert len(stage.generations_with_keys()) == 2
    stage.expire_lease()
    publishing.publish()
    assert stage.generations_with_keys() == {first, stage.pointer()}


def test_connection_cut_at_any_command(fleet, counter):
    """The worker lives, and cleans up: exit 0 means published, 1 means that nothing of it is left."""
    publishing = Publishing(fleet, counter)
    stage = publishing.stage
    publishing.publish()
    alike = [target for target in range(12, 40) if target % 4]  # a bucket's key is stored as the next one's is
    for target, before, status, log in every_command(publishing, Action.CUT, fleet, alike):
        has_flipped = publishing.assert_whole(before)
        assert status == (0 if has_flipped else 1), (target, log)
        assert stage.generations_with_keys() <= publishing.shown.keys(), (target, log)
        stage.expire_lease()


def test_reply_to_the_flip_lost(fleet, counter):
    """The flip was made and the worker does not know: what is current now must stay whole."""
    publishing = Publishing(fleet, counter)
    publishing.publish()
    before = publishing.stage.pointer()
    publishing.change()
    with RedisProxy(fleet.redis, lambda _, words: Action.CUT_REPLY if is_flip(words) else Action.FORWARD) as proxy:
        status, log = publishing.run_through(proxy)
    assert proxy.has_struck
    assert publishing.assert_whole(before), "the flip was made"
    assert status == 0, log


def test_flip_that_arrives_late(fleet, counter):
    """The flip is held up until the worker has given it up and removed the keys: it must not be made any more."""
    publishing = Publishing(fleet, counter)
    stage = publishing.stage
    publishing.publish()
    before = stage.pointer()
    publishing.change()
    proxy = RedisProxy(fleet.redis, lambda _, words: hold_first_flip(proxy, words))
    with proxy:
        daemon = stage.start_worker(REDIS_URL=proxy.url(), **ONLY_WHEN_ASKED)
        wait_for(lambda: errors_in(daemon.log_text()), "the worker gives up", 10)
        assert b"incomplete" in proxy.release()
        assert stage.pointer() == before
        proxy.let_go()
        wait_for_generation(stage, before)  # by its own retry
        publishing.assert_whole(before)


def hold_first_flip(proxy, words):
    """The next ones wait until the first has arrived."""
    if not is_flip(words):
        return Action.FORWARD
    return Action.STALL if proxy.has_struck else Action.HOLD
