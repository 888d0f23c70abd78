"""Databases that refuse, stop, die and close amid an answer. Clients see the generation there is, whole, all the while;
/health names the source; the worker's log says why; when the database is back, so is everything, without a hand. What
waits for locks and SNAPSHOT_TIMEOUT is test_snapshot.py's, what is behind a pooler test_pooler.py's."""

import contextlib
import os
import signal
import socket

import pytest

from byte_proxy import ByteProxy, Then
from faults import PATIENCE_S, WORDS, Service, Witness, amid_an_answer
from service import (
    WORKER,
    Stage,
    hold_in_postgres,
    lock_in_mariadb,
    prepare_counter,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
    worker_in_mariadb,
    worker_in_postgres,
)

CLIENTS = 20000  # their rows do not fit into the sockets' buffers
LOGINS = 200000


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "faulty", clients=5)
    return "faulty"


@pytest.fixture
def service(fleet, counter):
    stage = Stage(fleet, counter)
    stage.set_counter(1)
    return Service(stage)


def must_fail(service, word, *texts, is_over=False):
    """The refresh under way fails with these texts in its line of the log, and so does the next one. If the fault is
    over, that one may have succeeded before anybody looks. Answers what is to be called when the database is itself
    again: that waits for a new generation, which nobody asks for."""
    generation = service.stage.pointer()
    service.wait_for_error(f"phase={word}", "class=unavailable", *texts)
    if not is_over:
        health = service.wait_for_health(status="healthy", alive=True, last_error=word)
        assert health["generation"] == generation == service.stage.pointer()
        assert service.clear().status == 502

    def recover(number):
        service.wait_until_newer(generation)
        service.must_be_well(number)

    return recover


# ---- Faults that the next connection meets


@contextlib.contextmanager
def wrong_password(fleet, server):
    set_password(fleet, server, "another")
    try:
        yield "password authentication failed" if server == "postgres" else "Access denied"
    finally:
        set_password(fleet, server, fleet.password)


def set_password(fleet, server, password):
    if server == "postgres":
        fleet.postgres.execute(f"ALTER ROLE {fleet.READER} PASSWORD '{password}'")
    else:
        fleet.mariadb.execute(f"ALTER USER '{fleet.READER}'@'127.0.0.1' IDENTIFIED BY '{password}'")


@contextlib.contextmanager
def between(server, first, last):
    """first, last: what execute() is given before and after."""
    server.execute(*first)
    try:
        yield
    finally:
        server.execute(*last)


@contextlib.contextmanager
def no_more_logins(fleet, server):
    if server == "postgres":
        limit = f"ALTER ROLE {fleet.READER} CONNECTION LIMIT"
        with between(fleet.postgres, (f"{limit} 0",), (f"{limit} -1",)):
            yield "too many connections"
    else:
        account = f"ALTER USER '{fleet.READER}'@'127.0.0.1' ACCOUNT"
        with between(fleet.mariadb, (f"{account} LOCK",), (f"{account} UNLOCK",)):
            yield "account is locked"


@contextlib.contextmanager
def no_privileges(fleet, server):
    if server == "postgres":
        what, database = "SELECT ON clientes_kommo", "kommo_faulty"
        with between(
            fleet.postgres,
            (f"REVOKE {what} FROM {fleet.READER}", database),
            (f"GRANT {what} TO {fleet.READER}", database),
        ):
            yield "clientes_kommo"
    else:
        what, reader = "SELECT ON ecosys_faulty.*", f"'{fleet.READER}'@'127.0.0.1'"
        with between(fleet.mariadb, (f"REVOKE {what} FROM {reader}",), (f"GRANT {what} TO {reader}",)):
            yield "Access denied"


@contextlib.contextmanager
def gone(fleet, server):
    getattr(fleet, server).kill()
    try:
        yield "failed" if server == "postgres" else "(error 2"
    finally:
        getattr(fleet, server).start()


@contextlib.contextmanager
def stopped(fleet, server):
    """The kernel still accepts connections in its place."""
    getattr(fleet, server).pause()
    try:
        yield "timeout expired" if server == "postgres" else "DB_CONNECT_TIMEOUT"
    finally:
        getattr(fleet, server).resume()


def greeting_len(fleet):
    """How many bytes MariaDB sends before it was told anything."""
    with socket.create_connection(("127.0.0.1", fleet.mariadb.port), PATIENCE_S) as link:
        return len(link.recv(4096))


@pytest.mark.parametrize("limit", [0, 3, "login", 600, 4000])
def test_mysql_that_accepts_and_then_says_nothing(fleet, counter, limit):
    """At once, amid its greeting, amid the login, amid session and catalogue."""
    stage = Stage(fleet, counter)
    limit = greeting_len(fleet) + 2 if limit == "login" else limit
    with ByteProxy(fleet.mariadb.port, limit=limit, then=Then.HOLD) as proxy:
        done = stage.once(DB_PORT_ECOSYS=proxy.port, DB_CONNECT_TIMEOUT=1, seconds=10)
    assert done.returncode == 1
    assert "phase=mysql" in done.stderr and "connecting took longer than DB_CONNECT_TIMEOUT" in done.stderr, done.stderr
    with ByteProxy(fleet.mariadb.port, limit=limit, then=Then.HOLD) as proxy:
        checked = stage.run(WORKER, "--check", DB_PORT_ECOSYS=proxy.port, DB_CONNECT_TIMEOUT=1, seconds=10)
    assert "FAIL mysql: MySQL: connecting took longer than DB_CONNECT_TIMEOUT" in checked.stdout, checked.stdout


@pytest.mark.parametrize("server", WORDS)
@pytest.mark.parametrize(
    "fault", [wrong_password, no_more_logins, no_privileges, gone, stopped], ids=lambda fault: fault.__name__
)
def test_database_that_lets_nobody_in(fleet, service, fault, server):
    with Witness(service.port) as witness:
        with fault(fleet, server) as text:
            service.hang_up()
            recover = must_fail(service, WORDS[server], text)
            witness.wait_for_more()
        recover(2)
        witness.wait_for_more()
    assert set(witness.numbers.values()) == {1, 2}


def test_both_databases_gone_at_once(fleet, service):
    with Witness(service.port) as witness:
        with gone(fleet, "postgres"), gone(fleet, "mariadb"):
            service.hang_up()
            recover = must_fail(service, "postgresql")
            witness.wait_for_more()
        recover(2)


# ---- Faults amid a refresh, which waits for a lock meanwhile


LOCKS = {"postgres": (hold_in_postgres, waits_in_postgres), "mariadb": (lock_in_mariadb, waits_in_mariadb)}


def server_killed(fleet, server):
    getattr(fleet, server).flush()
    getattr(fleet, server).kill()
    return getattr(fleet, server).start


def session_ended(fleet, server):
    if server == "postgres":
        fleet.postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{fleet.READER}'")
    else:
        end_in_mariadb(fleet, "CONNECTION")
    return lambda: None


def statement_cancelled(fleet, server):
    """As an administrator does, or a limit on the time of statements."""
    if server == "postgres":
        fleet.postgres.query(f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = '{fleet.READER}'")
    else:
        end_in_mariadb(fleet, "QUERY")
    return lambda: None


def end_in_mariadb(fleet, what):
    sessions = [row[0] for row in fleet.mariadb.query("SHOW PROCESSLIST") if row[1] == fleet.READER]
    fleet.mariadb.execute(";".join(f"KILL {what} {session}" for session in sessions))


def other_process_crashes(fleet, server):
    """One process of PostgreSQL dies, and it throws everybody out to recover."""
    others = fleet.postgres.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(int(others[0][0]), signal.SIGKILL)
    return lambda: wait_for(fleet.postgres.is_ready, "PostgreSQL has recovered", PATIENCE_S)


def server_stopped(fleet, server):
    getattr(fleet, server).pause()
    return getattr(fleet, server).resume


AMID = [
    (fault, server) for fault in (server_killed, server_stopped, session_ended, statement_cancelled) for server in WORDS
]
LASTING = (server_killed, server_stopped)


@pytest.mark.parametrize(
    "fault, server", [*AMID, (other_process_crashes, "postgres")], ids=lambda value: getattr(value, "__name__", value)
)
def test_database_that_dies_amid_a_refresh(fleet, counter, fault, server):
    stage = Stage(fleet, counter)
    stage.set_counter(1)
    service = Service(stage, {"SNAPSHOT_TIMEOUT": 2} if fault is server_stopped else None)
    lock, waits = LOCKS[server]
    with Witness(service.port) as witness:
        with lock(service.stage):
            service.hang_up()
            wait_for(lambda: waits(service.stage), "the refresh waits", PATIENCE_S)
            mend = fault(fleet, server)
            # The lock's session dies of the fault as well, and must not do so first: the refresh would go on.
            wait_for(service.new_errors, "the refresh has failed", PATIENCE_S)
            if fault is not other_process_crashes:
                service.wait_for_health(status="healthy", alive=True, last_error=WORDS[server])
        recover = must_fail(service, WORDS[server], is_over=fault not in LASTING)
        witness.wait_for_more()
        mend()
        recover(2)
        witness.wait_for_more()
    assert set(witness.numbers.values()) == {1, 2}


# ---- Answers that end in the middle


@pytest.fixture(scope="module")
def large(fleet):
    """Answers of both databases that do not fit into the kernel's buffers."""
    prepare_counter(fleet, "faulty_large", clients=CLIENTS)
    fleet.mariadb.execute(
        "INSERT INTO activity_log (tenant_id, event, created_at)"
        f" SELECT 1, 'login', NOW() - INTERVAL seq SECOND FROM seq_1_to_{LOGINS}",
        "ecosys_faulty_large",
    )
    return "faulty_large"


@amid_an_answer
@pytest.mark.parametrize("fault", [server_killed, session_ended], ids=lambda f: f.__name__)
def test_answer_that_ends_in_the_middle(fleet, large, server, lock, waits, is_sending, fault):
    """The worker stands still until the server has sent what the buffers take; what it then reads is the beginning of
    an answer and its sudden end."""
    stage = Stage(fleet, large)
    stage.set_counter(1)
    service = Service(stage, {"LEASE_TIME": 60})
    with Witness(service.port, ["/dashboard", "/dashboard?data_adesao_fim=2029-05-06"]) as witness:
        with lock(stage):
            service.hang_up()
            wait_for(lambda: waits(stage), "the refresh waits", PATIENCE_S)
            service.worker.pause()
        wait_for(lambda: is_sending(stage), "the buffers are full", PATIENCE_S)
        mend = fault(fleet, server)
        service.worker.resume()
        recover = must_fail(service, WORDS[server], is_over=fault not in LASTING)
        mend()
        recover(2)
        witness.wait_for_more()
    assert set(witness.numbers.values()) == {1, 2}
    wait_for(lambda: not worker_in_mariadb(stage) and not worker_in_postgres(stage), "no session is left", PATIENCE_S)
