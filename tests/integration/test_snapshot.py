"""The snapshot a refresh reads: one instant of both databases, never in anybody's way for long, and of a size that
history has no part in."""

import contextlib
import re

import pytest

from http_client import Connection
from service import (
    AS_OF,
    MYSQL_INDEXES,
    MYSQL_SCHEMA,
    POSTGRES_SCHEMA,
    Stage,
    hold_in_postgres,
    lock_in_mariadb,
    lock_in_postgres,
    new_redis,
    prepare_sample,
    session_in_mariadb,
    session_in_postgres,
    slow_table,
    unique,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
    worker_in_mariadb,
    worker_in_postgres,
)
from serving import start_loaded, wait_until_served

DATA = ("/clientes", "/health-scores", "/health-scores?formato=detalhado", "/dashboard")
LOCK_WAIT_S = 5  # for which the worker waits for a lock
AT_AS_OF = ("--as-of", AS_OF)

SCANNING_OR_SEEKING = pytest.mark.parametrize("indexes", [False, True], ids=["scanning", "seeking"])


def prepare(fleet, name, indexes):
    prepare_sample(fleet, name, "--tenants", "12", "--clients", "15")
    if indexes:
        fleet.mariadb.load(f"ecosys_{name}", MYSQL_INDEXES)
    return name


@pytest.fixture(scope="module")
def data(fleet):
    """A data set whose rows stay as they are."""
    return prepare(fleet, "snapshot", True)


@pytest.fixture
def stage(fleet, data):
    return Stage(fleet, data)


def served(port):
    """All answers without dates, by path."""
    with Connection(port) as connection:
        documents = {path: connection.ask(path).json() for path in DATA}
        logins = [f"/logins?tenant_id={tenant}" for tenant in documents["/health-scores"]]
        return documents | {path: connection.ask(path).json() for path in logins}


def wait_for_reading(stage, table, seconds=10):
    """The refresh has both snapshots and waits for somebody who has locked that table of MariaDB."""
    wait_for(
        lambda: any(f" FROM {table}" in sql for sql in waits_in_mariadb(stage)),
        f"the worker waits for {table}",
        seconds,
    )


def wait_for_kommo(stage, seconds=10):
    wait_for(lambda: waits_in_postgres(stage), "the worker waits for PostgreSQL", seconds)


def assert_failed(stage, worker, generation, *texts):
    """One line says why, and what was published before stays."""
    errors = re.findall(r"level=error .*", worker.log_text())
    assert len(errors) == 1, worker.log_text()
    for text in texts:
        assert text in errors[0]
    assert stage.pointer() == generation
    assert stage.generations_with_keys() == {generation}


# ---- One instant


def inserted(table, columns, tenants, values):
    return f"INSERT INTO {table} ({columns}) VALUES " + ", ".join(f"({tenant}, {values})" for tenant in tenants)


def changes_in_mariadb(tenants):
    """By table: what changes numbers of every store."""
    now = f"'{AS_OF}'"
    return {
        "tenants": "UPDATE tenants SET name = CONCAT(name, ' & Filhos')",
        "users": "UPDATE users SET name = CONCAT(name, ' Filho')",
        "activity_log": inserted(
            "activity_log", "tenant_id, subject_id, event, created_at", tenants, f"NULL, 'login', {now}"
        ),
        "inventory_entries": inserted("inventory_entries", "tenant_id, created_at", tenants, now),
        "inventory_outs": inserted("inventory_outs", "tenant_id, created_at", tenants, now),
        "cards": inserted("cards", "tenant_id, created_at", tenants, now),
        "econversa_instance_configurations": "UPDATE econversa_instance_configurations"
        " SET status = IF(status = 'open', 'close', 'open')",
        "econversa_messages": inserted("econversa_messages", "tenant_id, created_at", tenants, now),
        "integrator_ads": "DELETE FROM integrator_ads",
        "reports": "DELETE FROM reports",
        "contracts": "DELETE FROM contracts",
        "integrator_configurations": "UPDATE integrator_configurations SET integrator_id = 16",
    }


CHANGES_IN_POSTGRES = {
    "clientes_kommo": "UPDATE clientes_kommo SET valor = valor + 1, vendedor = 'Outra pessoa'",
    "companies_kommo": "UPDATE companies_kommo SET nome = nome || ' & Filhos'",
    "users": "DELETE FROM users",
    "statuses": "UPDATE statuses SET name = name || '!'",
    "pipelines": "UPDATE pipelines SET name = 'CS | ONBOARDING'",
}


def assert_all_changed(before, after):
    """Every value that the changes above are about."""
    for member in ("nome", "valor", "vendedor", "cs", "status", "pipeline"):
        assert values(before["/clientes"], member) != values(after["/clientes"], member), member
    for member in (
        "name",
        "qntd_acessos_30d",
        "qntd_entradas_30d",
        "qntd_saidas_30d",
        "qntd_leads_30d",
        "econversa_ativo",
        "integradores",
        "score_adoption",
    ):
        assert values(before["/health-scores"], member) != values(after["/health-scores"], member), member
    for member in ("mrr_value", "clientes_onboarding", "clientes_health"):
        assert before["/dashboard"][member] != after["/dashboard"][member], member


def values(document, member):
    return {key: row[member] for key, row in document.items()}


@SCANNING_OR_SEEKING
@pytest.mark.parametrize("locked", ["tenants", "cards"])  # nothing was read; half of it was
def test_changes_during_a_refresh_are_of_the_next_one(fleet, locked, indexes):
    """Everything changes in both databases between the snapshots and the reading, also what stands in locked tables.
    The server's own isolation level is READ COMMITTED."""
    assert fleet.mariadb.query("SELECT @@GLOBAL.tx_isolation") == [["READ-COMMITTED"]]
    stage = Stage(fleet, prepare(fleet, unique("instant"), indexes))
    stage.publish()
    port = start_loaded(stage).port
    before = served(port)
    changes = changes_in_mariadb(list(before["/health-scores"]))
    in_locked = changes.pop(locked)
    with lock_in_mariadb(stage, locked) as ecosys, hold_in_postgres(stage) as kommo:
        worker = stage.start_worker("--once", *AT_AS_OF)
        wait_for_reading(stage, locked)
        wait_for_kommo(stage)
        stage.ecosys(";".join(changes.values()))
        ecosys.run(in_locked)
        kommo.run(";".join(CHANGES_IN_POSTGRES.values()) + ";COMMIT")
    assert worker.wait(20) == 0, worker.log_text()
    wait_until_served(port, stage.pointer())
    during = served(port)
    assert during == before
    wait_until_served(port, stage.publish())
    assert_all_changed(before, served(port))


# ---- Locks of others


@pytest.mark.parametrize(
    "lock, table, texts",
    [
        (lock_in_mariadb, "reports", ("phase=mysql", "reports", "1205")),
        (lock_in_postgres, "clientes_kommo", ("phase=postgresql", "clientes_kommo", "lock timeout")),
        (lock_in_postgres, "statuses", ("phase=postgresql", "statuses", "lock timeout")),
    ],
    ids=["mariadb reports", "postgresql clientes_kommo", "postgresql statuses"],
)
def test_lock_that_is_held_for_too_long(stage, lock, table, texts):
    generation = stage.publish()
    with lock(stage, table):
        worker = stage.start_worker("--once")
        assert worker.wait(3 * LOCK_WAIT_S) == 1
    assert_failed(stage, worker, generation, *texts)
    assert stage.publish() > generation


def test_lock_that_is_held_for_a_moment(stage):
    """Of PostgreSQL's tables before the snapshots, of MariaDB's behind them."""
    with lock_in_mariadb(stage, "reports"):
        with lock_in_postgres(stage, "statuses"):
            worker = stage.start_worker("--once")
            wait_for_kommo(stage)
        wait_for_reading(stage, "reports")
    assert worker.wait(20) == 0


RELOAD = "CREATE TEMP TABLE kept AS SELECT * FROM {0}; TRUNCATE {0}; INSERT INTO {0} SELECT * FROM kept"
REPLACE = (
    "CREATE TABLE another (LIKE {0} INCLUDING ALL); INSERT INTO another SELECT * FROM {0}; DROP TABLE {0};"
    " ALTER TABLE another RENAME TO {0}; GRANT SELECT ON {0} TO {1}"
)
REWRITE = "ALTER TABLE {0} ALTER valor TYPE numeric(20,6)"


@pytest.mark.parametrize(
    "change, table",
    [
        (RELOAD, "clientes_kommo"),
        (REWRITE, "clientes_kommo"),
        (REPLACE, "clientes_kommo"),
        (RELOAD, "companies_kommo"),
        (REPLACE, "companies_kommo"),
    ],
    ids=["clients reloaded", "clients rewritten", "clients replaced", "companies reloaded", "companies replaced"],
)
def test_table_filled_anew_while_the_worker_waits_for_it(fleet, change, table):
    """By a transaction that ends meanwhile. A snapshot from before its end would see the new table, and none of its
    rows."""
    stage = Stage(fleet, prepare(fleet, unique("anew"), False))
    stage.publish()
    port = start_loaded(stage).port
    before = served(port)
    assert before["/clientes"] and any(row["nome"] for row in before["/clientes"].values())
    with session_in_postgres(stage) as other:
        other.run("BEGIN; " + change.format(table, fleet.READER))
        worker = stage.start_worker("--once", *AT_AS_OF)
        wait_for_kommo(stage)
        other.run("COMMIT")
        assert worker.wait(20) == 0, worker.log_text()
    wait_until_served(port, stage.pointer())
    assert served(port) == before


# ---- Schema changes of others


def test_schema_change_waits_for_the_snapshot_and_not_for_the_other_database(stage):
    """Of a table that was read, until MariaDB's last row is there: not until PostgreSQL and Redis are through."""
    with session_in_mariadb(stage) as other, hold_in_postgres(stage):
        with lock_in_mariadb(stage, "cards"):
            worker = stage.start_worker("--once")
            wait_for_reading(stage, "cards")
            wait_for_kommo(stage)
            other.begin("ALTER TABLE tenants ADD COLUMN added INT")
            wait_for(
                lambda: any(
                    "metadata lock" in (row[6] or "") and "added" in (row[7] or "")
                    for row in stage.fleet.mariadb.query("SHOW FULL PROCESSLIST")
                ),
                "the change waits",
            )
        wait_for(other.is_done, "the change is made", LOCK_WAIT_S)
        assert worker.alive and waits_in_postgres(stage)
        wait_for(lambda: not worker_in_mariadb(stage), "its session has ended", LOCK_WAIT_S)
        other.run("ALTER TABLE tenants DROP COLUMN added")
    assert worker.wait(20) == 0


def test_schema_change_in_postgres_does_not_wait_for_mariadb(stage):
    with lock_in_mariadb(stage, "cards"), session_in_postgres(stage) as other:
        worker = stage.start_worker("--once")
        wait_for_reading(stage, "cards")
        wait_for(lambda: not worker_in_postgres(stage), "PostgreSQL was read", LOCK_WAIT_S)
        other.run(
            "SET lock_timeout = '1s'; ALTER TABLE clientes_kommo ADD COLUMN added int;"
            " ALTER TABLE clientes_kommo DROP COLUMN added"
        )
        assert worker.alive and waits_in_mariadb(stage)
    assert worker.wait(20) == 0


INDEX = "ecosys_contracts_by_time"
MAKE_INDEX = f"CREATE INDEX {INDEX} ON contracts (created_at, tenant_id)"
DROP_INDEX = f"DROP INDEX {INDEX} ON contracts"


def wait_for_another_second(stage):
    """Than that in which the youngest table was made or altered: the server tells them apart by it."""
    wait_for(
        lambda: stage.fleet.mariadb.query(
            "SELECT MAX(create_time) < NOW() FROM information_schema.tables"
            f" WHERE table_schema = 'ecosys_{stage.data}'"
        )
        == [["1"]],
        "another second",
    )


@pytest.mark.parametrize(
    "before, change, undo, words",
    [
        (
            "DO 0",
            "ALTER TABLE contracts ADD COLUMN added INT, ALGORITHM=COPY",
            "ALTER TABLE contracts DROP COLUMN added",
            "1412",
        ),
        ("DO 0", "ALTER TABLE contracts FORCE, ALGORITHM=INPLACE", "DO 0", "1412"),
        (DROP_INDEX, MAKE_INDEX, "DO 0", "1412"),  # the server would use it, and has no old rows there
        ("DO 0", DROP_INDEX, MAKE_INDEX, "altered or replaced"),  # harmless, but looks like a table of another's name
        ("DO 0", RELOAD.format("contracts").replace("TEMP ", "TEMPORARY "), "DO 0", "1412"),
    ],
    ids=["copied", "rebuilt", "index made", "index dropped", "emptied and filled"],
)
def test_table_altered_behind_the_snapshot(stage, before, change, undo, words):
    """One that was not read yet. What a snapshot cannot read any more is read with another one."""
    stage.ecosys(before)
    wait_for_another_second(stage)
    try:
        with lock_in_mariadb(stage, "users"):
            worker = stage.start_worker("--once", *AT_AS_OF)
            wait_for_reading(stage, "users")
            stage.ecosys(change)
        assert worker.wait(20) == 0, worker.log_text()
    finally:
        stage.ecosys(undo)
    retries = re.findall(r'message="snapshot taken again" .*', worker.log_text())
    assert len(retries) == 1 and "contracts" in retries[0] and words in retries[0], worker.log_text()


@pytest.mark.parametrize("filled", ["id % 5 < 2", "false"], ids=["half filled", "empty"])
def test_table_replaced_behind_the_snapshot(fleet, filled):
    """As tools for schema changes do: another table is filled, partly before the snapshot, and takes the name."""
    stage = Stage(fleet, prepare(fleet, unique("replaced"), True))
    stage.publish()
    port = start_loaded(stage).port
    before = served(port)
    wait_for_another_second(stage)
    stage.ecosys(f"CREATE TABLE ghost LIKE cards; INSERT INTO ghost SELECT * FROM cards WHERE {filled}")
    with lock_in_mariadb(stage, "users"):
        worker = stage.start_worker("--once", *AT_AS_OF)
        wait_for_reading(stage, "users")
        stage.ecosys(
            f"INSERT INTO ghost SELECT * FROM cards WHERE NOT ({filled});"
            "RENAME TABLE cards TO old_cards, ghost TO cards"
        )
    assert worker.wait(20) == 0, worker.log_text()
    retries = re.findall(r'message="snapshot taken again" .*', worker.log_text())
    assert len(retries) == 1 and "table cards was altered or replaced" in retries[0], worker.log_text()
    wait_until_served(port, stage.pointer())
    assert served(port) == before


def alter_while_it_waits(stage, holder):
    """The worker has a snapshot and waits for the holder of tenants, who alters the table, lets it look, and has it
    again before the next snapshot looks."""
    wait_for_reading(stage, "tenants")
    statements = "ALTER TABLE tenants FORCE, ALGORITHM=COPY; UNLOCK TABLES; LOCK TABLES tenants WRITE"
    holder.run(f"DELIMITER //\n{statements}//\nDELIMITER ;\nDO 0")  # in one request: nothing comes in between


@pytest.mark.parametrize("times", [1, 2])
def test_table_altered_behind_several_snapshots(stage, times):
    with lock_in_mariadb(stage, "tenants") as holder:
        worker = stage.start_worker("--once")
        for _ in range(times):
            alter_while_it_waits(stage, holder)
        wait_for_reading(stage, "tenants")
    assert worker.wait(20) == 0, worker.log_text()
    assert worker.log_text().count("snapshot taken again") == times


def test_table_altered_behind_each_snapshot(stage):
    generation = stage.publish()
    with lock_in_mariadb(stage, "tenants") as holder:
        worker = stage.start_worker("--once")
        for _ in range(3):
            alter_while_it_waits(stage, holder)
        assert worker.wait(20) == 1
    assert worker.log_text().count("snapshot taken again") == 2
    assert_failed(stage, worker, generation, "phase=mysql", "tenants", "1412")
    assert stage.publish() > generation


# ---- Snapshots that are open for too long


def wait_for_no_sessions(stage, seconds):
    wait_for(
        lambda: not worker_in_mariadb(stage) and not worker_in_postgres(stage), "both servers are rid of it", seconds
    )


LOCKS = pytest.mark.parametrize(
    "lock, wait, server",
    [
        (lock_in_mariadb, lambda stage: wait_for_reading(stage, "cards"), "mariadb"),
        (hold_in_postgres, wait_for_kommo, "postgres"),
        (lock_in_postgres, wait_for_kommo, "postgres"),
    ],
    ids=["mariadb", "postgresql", "postgresql before the snapshot"],
)


@LOCKS
def test_snapshot_that_takes_too_long(stage, lock, wait, server):
    """Both servers end their transactions before the lock is given up."""
    generation = stage.publish()
    with lock(stage):
        worker = stage.start_worker("--once", SNAPSHOT_TIMEOUT=3)
        wait(stage)
        assert worker.wait(20) == 1
        wait_for_no_sessions(stage, LOCK_WAIT_S / 2)
    assert_failed(stage, worker, generation, "SNAPSHOT_TIMEOUT")


@LOCKS
def test_server_that_hangs(fleet, stage, lock, wait, server):
    """One that says nothing any more is given up, and ends its transaction when it is back."""
    generation = stage.publish()
    with lock(stage):
        worker = stage.start_worker("--once", SNAPSHOT_TIMEOUT=3)
        wait(stage)
        getattr(fleet, server).pause()
        try:
            assert worker.wait(20) == 1
        finally:
            getattr(fleet, server).resume()
        wait_for_no_sessions(stage, LOCK_WAIT_S / 2)
    assert_failed(stage, worker, generation, "SNAPSHOT_TIMEOUT")


def test_statement_that_begins_late(stage):
    """The server ends it when the whole snapshot's time is over, not when a statement's would be."""
    generation = stage.publish()
    with slow_table(stage, "inventory_entries", 3.2), slow_table(stage, "cards", 60):
        worker = stage.start_worker("--once", SNAPSHOT_TIMEOUT=4)
        assert worker.wait(10) == 1
        wait_for_no_sessions(stage, 2)
    assert_failed(stage, worker, generation, "SNAPSHOT_TIMEOUT")


def test_statement_that_takes_longer_than_connecting_may(stage):
    with slow_table(stage, "cards", 3.5):
        stage.publish(DB_CONNECT_TIMEOUT=2)


def test_deadline_is_kept_while_redis_hangs(fleet, data):
    """Who else looks at the clock is held up by Redis; the refresh, whose statements are all in time, looks itself."""
    stage = Stage(fleet, data, redis=new_redis(fleet))
    generation = stage.publish()
    with contextlib.ExitStack() as slow:
        for table in ("inventory_outs", "cards", "econversa_messages", "integrator_ads", "reports", "contracts"):
            slow.enter_context(slow_table(stage, table, 0.9))
        worker = stage.start_worker(SNAPSHOT_TIMEOUT=2, REDIS_TIMEOUT_MS=10000)
        wait_for(lambda: any("User sleep" in (row[6] or "") for row in worker_in_mariadb(stage)), "it reads", 10)
        stage.redis.pause()
        try:
            wait_for_no_sessions(stage, 4)
        finally:
            stage.redis.resume()
        line = wait_for(lambda: re.findall('.*message="refresh failed".*', worker.log_text()), "it fails", 10)[0]
        assert "SNAPSHOT_TIMEOUT" in line
        worker.kill()
    assert stage.pointer() == generation


def test_postgres_that_fails_ends_the_reading_of_mariadb(stage):
    """At once, and is what the failure is put down to."""
    generation = stage.publish()
    with slow_table(stage, "cards", 60):
        with hold_in_postgres(stage):
            worker = stage.start_worker("--once")
            wait_for_kommo(stage)
            wait_for(
                lambda: any("User sleep" in (row[6] or "") for row in worker_in_mariadb(stage)), "MariaDB is read", 10
            )
            stage.fleet.postgres.query(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{stage.fleet.READER}'"
            )
            assert worker.wait(20) == 1
        for row in worker_in_mariadb(stage):  # which does not see before the statement's end that nobody waits for it
            stage.fleet.mariadb.execute(f"KILL {row[0]}")
    assert_failed(stage, worker, generation, "phase=postgresql", "terminating connection")


def test_mariadb_that_fails_ends_the_reading_of_postgres(stage):
    generation = stage.publish()
    with hold_in_postgres(stage), lock_in_mariadb(stage, "cards"):
        worker = stage.start_worker("--once")
        wait_for_kommo(stage)
        wait_for_reading(stage, "cards")
        for row in worker_in_mariadb(stage):
            stage.fleet.mariadb.execute(f"KILL {row[0]}")
        assert worker.wait(20) == 1
    assert_failed(stage, worker, generation, "phase=mysql", "cards")


# ---- History


def fill_history(stage, times):
    """As many stores, clients and rows in the window as ever, and so many times the rows before it."""
    event = "created_at) SELECT 1 + seq % 20, '2024-06-01' + INTERVAL seq % 200 DAY FROM"
    for table in ("inventory_entries", "inventory_outs", "cards", "econversa_messages", "reports", "contracts"):
        stage.ecosys(f"INSERT INTO {table} (tenant_id, {event} seq_1_to_{2000 * times}")
    stage.ecosys(
        "INSERT INTO integrator_ads (tenant_id, integrator_id, created_at) SELECT 1 + seq % 20, 1 + seq % 16,"
        f" '2024-06-01' + INTERVAL seq % 200 DAY FROM seq_1_to_{2000 * times};"
        "INSERT INTO activity_log (tenant_id, subject_id, event, created_at) SELECT NULLIF(1 + seq % 20, 7),"
        " 1 + seq % 40, 'login', '2024-06-01' + INTERVAL seq % 200 DAY"
        f" FROM seq_1_to_{10000 * times}"
    )
    stage.kommo(
        "INSERT INTO clientes_kommo (id, company_id, deleted_at, vendedor) SELECT 1000 + g, 1, '2024-06-01', 'Fulano'"
        f" FROM generate_series(1, {2000 * times}) g"
    )


def prepare_history(fleet, times, indexes):
    name = unique("history")
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA])
    stage = Stage(fleet, name)
    stage.kommo(
        "INSERT INTO companies_kommo VALUES (1, 'Loja', 'Loja Ltda', 11222333000181);"
        "INSERT INTO clientes_kommo (id, company_id, data_adesao)"
        " SELECT g, 1, '2024-01-01' FROM generate_series(1, 30) g"
    )
    stage.ecosys(
        "INSERT INTO tenants (id, name, cnpj, slug) SELECT seq, 'Loja', '11222333000181', seq FROM seq_1_to_20;"
        "INSERT INTO users (id, tenant_id, name) SELECT seq, 1 + seq % 20, 'Ana' FROM seq_1_to_40;"
        "INSERT INTO activity_log (tenant_id, subject_id, event, created_at)"
        " SELECT 1 + seq % 20, 1 + seq % 40, 'login', '2025-03-14' - INTERVAL seq % 20 DAY FROM seq_1_to_500"
    )
    fill_history(stage, times)
    if indexes:
        fleet.mariadb.load(f"ecosys_{name}", MYSQL_INDEXES)
    return stage


def most_memory(worker):
    """In KiB. What wait4 says of a process is no less than what the one that started it had."""
    with open(f"/proc/{worker.pid}/status", encoding="utf-8") as status:
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read())[1])


def measured_refresh(stage):
    """How many rows the servers sent, and the most memory that the worker had until MariaDB's were all there."""
    with hold_in_postgres(stage):
        worker = stage.start_worker("--once", *AT_AS_OF)
        wait_for_kommo(stage)
        wait_for(lambda: not worker_in_mariadb(stage), "MariaDB was read", LOCK_WAIT_S)
        memory = most_memory(worker)
    assert worker.wait(20) == 0, worker.log_text()
    return int(re.search(r" rows=(\d+)", worker.log_text())[1]), memory


@SCANNING_OR_SEEKING
def test_history_is_not_sent(fleet, indexes):
    """Ten times of it: as many rows, and as much memory but for what an allocator does."""
    few, many = (prepare_history(fleet, times, indexes) for times in (1, 10))
    rows, memory = measured_refresh(few)
    more_rows, more_memory = measured_refresh(many)
    print(f"{rows} and {more_rows} rows, {memory} and {more_memory} KiB")
    assert 500 < rows == more_rows
    assert more_memory - memory < 1024  # 210,000 rows more take more, however they are kept
