"""PostgreSQL behind PgBouncer in transaction mode, with a single connection to the server for all who come: what a
refresh sets is gone when it ends, and it gives the connection back."""

import json
import signal
import time
import threading

import pytest

from http_client import ask
from service import (
    MYSQL_SCHEMA,
    POSTGRES_SCHEMA,
    WORKER,
    PgBouncer,
    Stage,
    hold_in_postgres,
    prepare_counter,
    prepare_sample,
    published_generations,
    wait_for,
    waits_in_postgres,
)
from serving import start_loaded

PATIENCE_S = 20
ONLY_WHEN_ASKED = {"REFRESH_INTERVAL": 0}
# What a refresh sets, and what a pooler hands on: none of it may be seen by who comes next.
NAMES = [
    "TimeZone",
    "DateStyle",
    "client_encoding",
    "extra_float_digits",
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "tcp_user_timeout",
    "transaction_isolation",
    "transaction_read_only",
    "standard_conforming_strings",
    "application_name",
]
SETTINGS_SQL = "SELECT pg_backend_pid(), " + ", ".join(f"current_setting('{name}')" for name in NAMES)


@pytest.fixture(scope="module")
def pooler(fleet):
    return fleet.add(PgBouncer).start()


@pytest.fixture(scope="module")
def data(fleet):
    """Defaults that are not those of the worker's session, nor PostgreSQL's own."""
    prepare_sample(fleet, "pooled", "--tenants", "30", "--clients", "200")
    own = {"client_encoding": "LATIN1", "DateStyle": "SQL, DMY", "extra_float_digits": "0"}
    for name, value in own.items():
        fleet.postgres.execute(f"ALTER DATABASE kommo_pooled SET {name} = '{value}'")
    return "pooled"


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "counted", clients=3)
    return "counted"


@pytest.fixture
def stage(fleet, pooler, counter):
    stage = Stage(fleet, counter, DB_PORT=pooler.port)
    stage.set_counter(1)
    return stage


def errors_in(log):
    return [line for line in log.splitlines() if "level=error" in line]


def others_see(pooler, stage):
    """The server's process and the settings that another client meets behind the pooler."""
    process, *settings = pooler.query(SETTINGS_SQL, f"kommo_{stage.data}")[0]
    return process, dict(zip(NAMES, settings))


def answers(stage):
    api = start_loaded(stage)
    try:
        return [ask(api.port, path).body for path in ("/clientes", "/health-scores", "/dashboard")]
    finally:
        api.process.kill()


def test_check(stage):
    done = stage.run(WORKER, "--check")
    assert done.returncode == 0, done.stdout
    assert f'ok   postgresql: 127.0.0.1:{stage.settings["DB_PORT"]}/kommo_{stage.data}' in done.stdout


def test_answers_are_those_of_a_direct_connection(fleet, pooler, data):
    pooled, direct = Stage(fleet, data, DB_PORT=pooler.port), Stage(fleet, data)
    pooled.publish()
    direct.publish()
    assert answers(pooled) == answers(direct)


def test_another_client_meets_the_servers_own_settings(fleet, pooler, data):
    """Refreshes and another client take turns, and then get into each other's way, on the same connection."""
    stage = Stage(fleet, data, DB_PORT=pooler.port)
    first = others_see(pooler, stage)
    expected = {
        "TimeZone": "Asia/Kathmandu",
        "DateStyle": "SQL, DMY",
        "client_encoding": "LATIN1",
        "extra_float_digits": "0",
        "lock_timeout": "0",
        "statement_timeout": "0",
        "transaction_isolation": "read committed",
        "transaction_read_only": "off",
        "standard_conforming_strings": "on",
        "application_name": "psql",
        "idle_in_transaction_session_timeout": "0",
        "tcp_user_timeout": "0",
    }
    assert first[1] == expected
    for _ in range(10):
        stage.publish()
        assert others_see(pooler, stage) == first
    seen, has_ended = [], threading.Event()

    def look():
        while not has_ended.is_set():
            seen.append(others_see(pooler, stage))

    other = threading.Thread(target=look)
    other.start()
    try:
        for _ in range(10):
            count = len(seen)
            stage.publish()
            wait_for(lambda now=count: len(seen) > now, "the other one has looked", PATIENCE_S)
    finally:
        has_ended.set()
        other.join()
    assert seen == [first] * len(seen)
    assert stage.run(WORKER, "--check").returncode == 0
    assert others_see(pooler, stage) == first


def test_database_that_takes_any_bytes(fleet, pooler):
    """SQL_ASCII: for its sake the encoding of the session is changed, too."""
    fleet.prepare("bytes", ecosys=[MYSQL_SCHEMA])
    fleet.postgres.drop_database("kommo_bytes")
    fleet.postgres.execute(
        "CREATE DATABASE kommo_bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    fleet.postgres.load("kommo_bytes", POSTGRES_SCHEMA)
    fleet.postgres.create_reader(fleet.READER, fleet.password, "kommo_bytes")
    stage = Stage(fleet, "bytes", DB_PORT=pooler.port)
    stage.kommo("INSERT INTO clientes_kommo (id, vendedor) VALUES (1, E'Jo\\xe3o')")
    first = others_see(pooler, stage)
    assert first[1]["client_encoding"] == "SQL_ASCII"
    for _ in range(3):
        stage.publish()
        assert others_see(pooler, stage) == first
    clientes = answers(stage)[0]
    assert json.loads(clientes)["1"]["vendedor"] == "Jo\ufffdo"


# ---- Failures


class Daemon:
    """A worker that has published behind the pooler, and whose next refresh is to fail."""

    def __init__(self, stage, **settings):
        self.stage = stage
        self.worker = stage.start_worker(**ONLY_WHEN_ASKED, **settings)
        self.generation = wait_for(stage.pointer, "a generation", PATIENCE_S)

    def refresh(self):
        self.worker.signal(signal.SIGHUP)

    def must_fail(self, text):
        wait_for(lambda: errors_in(self.worker.log_text()), "the refresh fails", PATIENCE_S)
        complaint = errors_in(self.worker.log_text())[0]
        assert "phase=postgresql" in complaint and text in complaint, complaint
        assert self.stage.pointer() == self.generation
        assert self.stage.generations_with_keys() == {self.generation}

    def must_recover(self):
        newer = wait_for(lambda: (now := self.stage.pointer()) != self.generation and now, "it recovers", PATIENCE_S)
        wait_for(lambda: published_generations(self.worker.log_text())[-1] == newer, "it says so", PATIENCE_S)


def test_pooler_killed_amid_a_refresh(pooler, stage):
    daemon = Daemon(stage)
    try:
        with hold_in_postgres(stage):
            daemon.refresh()
            wait_for(lambda: waits_in_postgres(stage), "the refresh waits", PATIENCE_S)
            pooler.kill()
            daemon.must_fail("PostgreSQL")
    finally:
        pooler.start()
    daemon.must_recover()


def test_pooler_that_stands_still_amid_a_refresh(pooler, stage):
    daemon = Daemon(stage, SNAPSHOT_TIMEOUT=2)
    with hold_in_postgres(stage):
        daemon.refresh()
        wait_for(lambda: waits_in_postgres(stage), "the refresh waits", PATIENCE_S)
        pooler.pause()
    try:
        daemon.must_fail("PostgreSQL: the databases' snapshots were open for longer than SNAPSHOT_TIMEOUT")
    finally:
        pooler.resume()
    daemon.must_recover()


def test_pooler_that_lets_us_in_and_has_no_server(pooler, stage):
    """PAUSE: the login succeeds, and the first statement waits for a connection to the server."""
    daemon = Daemon(stage, DB_CONNECT_TIMEOUT=3)
    pooler.execute("PAUSE")
    try:
        done = stage.run(WORKER, "--check", DB_CONNECT_TIMEOUT=1)
        assert done.returncode == 1 and "FAIL postgresql: PostgreSQL: no answer within" in done.stdout, done.stdout
        daemon.refresh()
        daemon.must_fail("PostgreSQL: no answer within DB_CONNECT_TIMEOUT")
    finally:
        pooler.execute("RESUME")
    daemon.must_recover()


def waits_for_server(pooler):
    """Whether a client waits for a connection to the server."""
    return any(row[0].startswith("kommo_") and int(row[3]) > 0 for row in pooler.query("SHOW POOLS"))


def test_answer_that_comes_while_the_worker_stands_still(pooler, stage):
    """For longer than DB_CONNECT_TIMEOUT: it is late itself, and what has arrived counts."""
    timeout_s = 4
    daemon = Daemon(stage, DB_CONNECT_TIMEOUT=timeout_s, LEASE_TIME=60)
    pooler.execute("PAUSE")
    try:
        daemon.refresh()
        wait_for(lambda: waits_for_server(pooler), "the first statement waits", PATIENCE_S)
        daemon.worker.pause()
    finally:
        pooler.execute("RESUME")
    wait_for(lambda: not waits_for_server(pooler), "it is passed on", PATIENCE_S)
    begin = time.monotonic()
    wait_for(lambda: time.monotonic() - begin > timeout_s, "the time for its answer is over", PATIENCE_S)
    daemon.worker.resume()
    daemon.must_recover()
    assert not errors_in(daemon.worker.log_text())


def test_server_killed_behind_the_pooler(fleet, pooler, stage):
    daemon = Daemon(stage)
    with hold_in_postgres(stage):
        daemon.refresh()
        wait_for(lambda: waits_in_postgres(stage), "the refresh waits", PATIENCE_S)
        fleet.postgres.kill()
    try:
        daemon.must_fail("PostgreSQL")
        assert pooler.alive
    finally:
        fleet.postgres.start()
    daemon.must_recover()
