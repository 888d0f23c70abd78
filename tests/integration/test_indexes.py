"""The recommended indexes: the files that make them, the notes of --check that ask for them, and what the servers do
with what the worker sends, with and without them."""

import re

import pytest

from service import (
    AS_OF,
    MYSQL_INDEXES,
    MYSQL_INDEXES_BY_SIZE,
    MYSQL_SCHEMA,
    POSTGRES_INDEXES,
    POSTGRES_SCHEMA,
    SCORING_BY_SIZE,
    WORKER,
    ServerError,
    Stage,
    hold_in_postgres,
    session_in_postgres,
    unique,
    wait_for,
    waits_in_postgres,
    worker_in_postgres,
)

ROWS = 50000  # of each table of events, over 400 days
TENANTS, PEOPLE = 400, 2000
BY_SIZE = {"SCORING_MODEL": SCORING_BY_SIZE}
FILES = {MYSQL_INDEXES: "indexes.sql", MYSQL_INDEXES_BY_SIZE: "indexes-by-size.sql"}
INDEXES = {  # name: file, table, columns
    "ecosys_logins_by_tenant": ("indexes.sql", "activity_log", "tenant_id,event,created_at"),
    "ecosys_logins_by_user": ("indexes.sql", "activity_log", "subject_id,event,tenant_id,created_at"),
    "ecosys_logins_by_time": ("indexes.sql", "activity_log", "event,created_at,tenant_id,subject_id"),
    "ecosys_entries_by_tenant": ("indexes.sql", "inventory_entries", "tenant_id,deleted_at,created_at"),
    "ecosys_entries_by_time": ("indexes.sql", "inventory_entries", "deleted_at,created_at,tenant_id"),
    "ecosys_outs_by_tenant": ("indexes.sql", "inventory_outs", "tenant_id,deleted_at,created_at"),
    "ecosys_outs_by_time": ("indexes.sql", "inventory_outs", "deleted_at,created_at,tenant_id"),
    "ecosys_leads_by_tenant": ("indexes.sql", "cards", "tenant_id,deleted_at,created_at"),
    "ecosys_leads_by_time": ("indexes.sql", "cards", "deleted_at,created_at,tenant_id"),
    "ecosys_messages_by_tenant": ("indexes.sql", "econversa_messages", "tenant_id,created_at"),
    "ecosys_ads_by_time": ("indexes.sql", "integrator_ads", "created_at,tenant_id,integrator_id"),
    "ecosys_reports_by_tenant": ("indexes.sql", "reports", "tenant_id,created_at"),
    "ecosys_contracts_by_time": ("indexes.sql", "contracts", "created_at,tenant_id"),
    "ecosys_stores": ("indexes-by-size.sql", "inventory_entries", "status,deleted_at,tenant_id,vehicle_id"),
    "ecosys_departures": ("indexes-by-size.sql", "inventory_outs", "vehicle_id,deleted_at"),
}
EVENTS = sorted({table for _, table, _ in INDEXES.values()})


def events(table, columns="", values=""):
    return (
        f"INSERT INTO {table} (tenant_id, created_at{columns}) SELECT 1 + seq % {TENANTS},"
        f" '{AS_OF}' - INTERVAL seq * 7919 % 400 DAY{values} FROM seq_1_to_{ROWS};"
    )


def make_rows(stage):
    deleted = ", IF(seq % 20, NULL, '2025-01-01')"
    stage.ecosys(
        f"INSERT INTO tenants (id, name, cnpj, slug) SELECT seq, 'Loja', '11222333000181', seq FROM seq_1_to_{TENANTS};"
        f"INSERT INTO users (id, tenant_id, name) SELECT seq, 1 + seq % {TENANTS}, 'Ana' FROM seq_1_to_{PEOPLE};"
        + events("activity_log", ", subject_id, event", f", 1 + seq * 7 % {PEOPLE}, IF(seq % 3, 'login', 'updated')")
        + events(
            "inventory_entries", ", vehicle_id, status, deleted_at", f", seq, IF(seq % 30, 'sold', 'active'){deleted}"
        )
        + events("inventory_outs", ", vehicle_id, deleted_at", f", seq * 2{deleted}")
        + events("cards", ", deleted_at", deleted)
        + events("econversa_messages")
        + events("integrator_ads", ", integrator_id", ", seq % 16")
        + events("reports")
        + events("contracts")
        + "UPDATE activity_log SET tenant_id = NULL WHERE id % 10 = 0;"
    )


def prepare(fleet, name, *index_files):
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA])
    stage = Stage(fleet, name)
    make_rows(stage)
    fleet.mariadb.load(f"ecosys_{name}", *index_files)
    stage.ecosys("ANALYZE TABLE " + ", ".join(EVENTS))
    return stage


@pytest.fixture(scope="module")
def bare(fleet):
    """Many rows; no keys but the schema's."""
    fleet.mariadb.execute("SET GLOBAL innodb_file_per_table = OFF")  # making files would take most of the time
    return prepare(fleet, "bare")


@pytest.fixture(scope="module")
def indexed(fleet, bare):
    """The same with all recommended indexes, made twice."""
    return prepare(fleet, "indexed", *FILES, *FILES)


@pytest.fixture
def schema(fleet):
    """No rows, and all recommended indexes; for tests that change tables."""
    name = unique("schema")
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA, *FILES])
    return Stage(fleet, name)


def notes(stage, **changes):
    """What --check says of indexes: {(file, table, columns)}."""
    done = stage.run(WORKER, "--check", **changes)
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("note mysql")]
    found = [
        re.search(r"^note mysql: no index on (\w+) \(([\w,]+)\): .* one from schemas/mysql/([\w.-]+) \w", line)
        for line in lines
    ]
    assert all(found), lines
    assert len({match.groups() for match in found}) == len(lines)
    return {(match[3], match[1], match[2]) for match in found}


def indexes_of(stage):
    """{name: (table, columns)} of those that the recommended files made."""
    rows = stage.fleet.mariadb.query(
        "SELECT index_name, table_name, GROUP_CONCAT(column_name ORDER BY seq_in_index)"
        f" FROM information_schema.statistics WHERE table_schema = 'ecosys_{stage.data}' AND index_name LIKE 'ecosys%'"
        " GROUP BY 1, 2"
    )
    return {name: (table, columns) for name, table, columns in rows}


# ---- The files and the notes


def test_files_and_notes_speak_of_the_same_indexes(bare, indexed):
    assert notes(bare, **BY_SIZE) == set(INDEXES.values())
    assert notes(bare) == {index for index in INDEXES.values() if index[0] == "indexes.sql"}
    assert indexes_of(indexed) == {name: index[1:] for name, index in INDEXES.items()}
    assert notes(indexed) == notes(indexed, **BY_SIZE) == set()


def test_notes_say_how_many_rows(bare):
    rows = [int(number) for number in re.findall(r"some (\d+) rows", bare.run(WORKER, "--check", **BY_SIZE).stdout)]
    assert len(rows) == len(INDEXES) and all(0.8 * ROWS < number < 1.2 * ROWS for number in rows)


def test_files_may_be_run_again(schema):
    for _ in range(2):
        schema.fleet.mariadb.load(f"ecosys_{schema.data}", *FILES)
    assert indexes_of(schema) == {name: index[1:] for name, index in INDEXES.items()}


def test_each_index_has_a_note(schema):
    for name, index in INDEXES.items():
        schema.ecosys(f"DROP INDEX {name} ON {index[1]}")
        assert notes(schema, **BY_SIZE) == {index}
        assert notes(schema) == ({index} if index[0] == "indexes.sql" else set())
        schema.fleet.mariadb.load(f"ecosys_{schema.data}", *FILES)
    assert notes(schema, **BY_SIZE) == set()


@pytest.mark.parametrize(
    "definition, serves",
    [
        ("(tenant_id, created_at)", True),
        ("(tenant_id, created_at, id)", True),
        ("(TENANT_ID, Created_At)", True),
        ("(created_at, tenant_id)", False),
        ("(tenant_id)", False),
        ("(tenant_id, id, created_at)", False),
        ("(tenant_id, created_at DESC)", False),
        ("(tenant_id, created_at) IGNORED", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_indexes_of_others(schema, definition, serves):
    """Whatever an index is called and has behind our columns, it serves; not in another order, and not unused."""
    schema.ecosys(f"DROP INDEX ecosys_reports_by_tenant ON reports; CREATE INDEX theirs ON reports {definition}")
    assert notes(schema) == (set() if serves else {INDEXES["ecosys_reports_by_tenant"]})


def test_index_on_the_beginning_of_a_text_does_not_serve(schema):
    schema.ecosys(
        "DROP INDEX ecosys_logins_by_tenant ON activity_log;"
        "CREATE INDEX theirs ON activity_log (tenant_id, event(4), created_at)"
    )
    assert notes(schema) == {INDEXES["ecosys_logins_by_tenant"]}


# ---- What is sent, and what MariaDB does with it


def sent(stage, *flags, **changes):
    """The questions that a run of the worker puts to EcoSys's tables."""
    server = stage.fleet.mariadb
    server.execute("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = ON")
    done = stage.run(WORKER, *(flags or ("--once", "--as-of", AS_OF)), **changes)
    server.execute("SET GLOBAL general_log = OFF")
    assert done.returncode == 0, done.stderr
    rows = server.query(
        "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE"
        f" '{stage.fleet.READER}%' ORDER BY event_time"
    )
    return [sql for (sql,) in rows if sql.startswith("SELECT") and "information_schema" not in sql]


def plan(stage, sql):
    """{table: (type, key, extra)}; tables that are joined by an alias are called like that."""
    rows = stage.fleet.mariadb.query(f"SET time_zone = '-03:00'; EXPLAIN {sql}", f"ecosys_{stage.data}")
    return {row[2]: (row[3], row[5], row[9] or "") for row in rows}


def plans(stage):
    return {sql: plan(stage, sql) for sql in sent(stage, **BY_SIZE)}


def rows_read(stage, run):
    """How many rows the server looked at while run() ran."""

    def count():
        return sum(int(value) for _, value in stage.fleet.mariadb.query("SHOW GLOBAL STATUS LIKE 'Handler_read%'"))

    before = count()
    run()
    return count() - before


def test_scans_go_through_tables_and_not_through_indexes(bare):
    """An index on tenant_id alone would spare the sorting, at a random read a row."""
    found = plans(bare)
    scanned = [table for steps in found.values() for table in steps if table in EVENTS]
    assert set(scanned) == set(EVENTS)
    for sql, steps in found.items():
        for table, (kind, key, _) in steps.items():
            if table in EVENTS or table in ("e", "o"):
                assert (kind, key) == ("ALL", None), (sql, steps)


def expected_plans():
    """What a question has in it, and how it is answered: (table, type, index, what is said of it)."""
    window, newest = ("range", "Using index"), ("range", "Using index for group-by")
    events_of = {"inventory_entries": "entries", "inventory_outs": "outs", "cards": "leads"}
    return [
        ("subject_id, created_at FROM activity_log", "activity_log", "ecosys_logins_by_time", *window),
        ("NULL, MAX(created_at) FROM activity_log", "activity_log", "ecosys_logins_by_tenant", *newest),
        ("FROM activity_log a WHERE a.subject_id = u.id", "a", "ecosys_logins_by_user", "ref", "Using index"),
        ("FROM activity_log a WHERE a.subject_id = u.id", "w", "ecosys_logins_by_time", *window),
        *(
            (f"COUNT(*), MAX(created_at) FROM {table}", table, f"ecosys_{name}_by_time", *window)
            for table, name in events_of.items()
        ),
        *(
            (f"0, MAX(created_at) FROM {table}", table, f"ecosys_{name}_by_tenant", *newest)
            for table, name in events_of.items()
        ),
        ("FROM econversa_messages", "econversa_messages", "ecosys_messages_by_tenant", *newest),
        ("FROM reports", "reports", "ecosys_reports_by_tenant", *newest),
        ("FROM integrator_ads", "integrator_ads", "ecosys_ads_by_time", *window),
        ("FROM contracts", "contracts", "ecosys_contracts_by_time", *window),
        ("FROM inventory_entries e", "e", "ecosys_stores", "ref", "Using index"),
        ("LEFT JOIN inventory_outs o", "o", "ecosys_departures", "ref", "Using index"),
    ]


def test_indexes_are_used(indexed):
    found = plans(indexed)
    expected = expected_plans()
    assert {index for _, _, index, _, _ in expected} == set(INDEXES)
    for text, table, index, kind, extra in expected:
        ((sql, steps),) = [(sql, steps) for sql, steps in found.items() if text in sql]
        assert steps[table][:2] == (kind, index) and extra in steps[table][2], (sql, steps)
        assert "filesort" not in steps[table][2] or "COUNT" in sql, (sql, steps)
    touched = {table for steps in found.values() for table in steps} & {*EVENTS, "a", "e", "o", "w"}
    assert touched == {table for _, table, _, _, _ in expected}


def test_refresh_reads_the_window_and_a_few_rows_a_tenant_and_user(bare, indexed):
    """Not the history: by the server's own count, in which each row of the six windows also stands for a look into the
    table of groups, and each newest row for a few steps down the index."""
    window = ROWS * 31 // 400
    assert rows_read(bare, bare.publish) > 8 * ROWS
    assert rows_read(indexed, indexed.publish) < 2 * 6 * window + 2 * (6 * TENANTS + 3 * PEOPLE)


def test_check_reads_nothing(bare, indexed):
    for stage in (bare, indexed):
        assert rows_read(stage, lambda: notes(stage, **BY_SIZE)) < 1000  # of the catalogue


def test_index_of_others_is_used(indexed):
    """Under another name and with further columns, for the window and for the newest rows."""
    indexed.ecosys(
        "DROP INDEX ecosys_leads_by_tenant ON cards; DROP INDEX ecosys_leads_by_time ON cards;"
        "CREATE INDEX theirs ON cards (tenant_id, deleted_at, created_at, id);"
        "CREATE INDEX theirs_too ON cards (deleted_at, created_at, tenant_id, id); ANALYZE TABLE cards"
    )
    try:
        steps = [plan(indexed, sql)["cards"] for sql in sent(indexed) if "FROM cards" in sql]
    finally:
        indexed.ecosys("DROP INDEX theirs ON cards; DROP INDEX theirs_too ON cards")
        indexed.fleet.mariadb.load(f"ecosys_{indexed.data}", MYSQL_INDEXES)
    assert [step[:2] for step in steps] == [("range", "theirs_too"), ("range", "theirs")]
    assert "Using index for group-by" in steps[1][2]


def is_seeking_by_user(sql):
    return "a.subject_id = u.id" in sql


@pytest.mark.parametrize(
    "change",
    [
        "activity_log MODIFY subject_id VARCHAR(36)",
        "users MODIFY id VARCHAR(20)",
        "activity_log MODIFY tenant_id VARCHAR(20)",
        "users MODIFY tenant_id VARCHAR(20)",
    ],
)
def test_users_are_not_sought_across_types(schema, change):
    """A comparison of a text with a number finds nothing by an index, so no note asks for one."""
    assert any(map(is_seeking_by_user, sent(schema)))
    schema.ecosys(f"ALTER TABLE {change}")
    assert not any(map(is_seeking_by_user, sent(schema)))
    schema.ecosys(
        "DROP INDEX ecosys_logins_by_user ON activity_log; DROP INDEX ecosys_logins_by_tenant ON activity_log"
    )
    assert notes(schema) == set()


def test_ignored_index_is_not_relied_on(schema):
    schema.ecosys("ALTER TABLE activity_log ALTER INDEX ecosys_logins_by_user IGNORED")
    assert notes(schema) == {INDEXES["ecosys_logins_by_user"]}
    assert not any(map(is_seeking_by_user, sent(schema)))
    schema.ecosys("ALTER TABLE activity_log ALTER INDEX ecosys_logins_by_user NOT IGNORED")
    assert any(map(is_seeking_by_user, sent(schema)))


# ---- PostgreSQL


def kommo_note(stage):
    """What --check says of the index of live clients."""
    done = stage.run(WORKER, "--check")
    assert done.returncode == 0, done.stdout
    note = re.search(r"^note postgresql: no index on clientes_kommo WHERE deleted_at IS NULL: (.*)$", done.stdout, re.M)
    return note and note[1]


def test_note_of_the_index_for_live_clients(fleet, schema):
    schema.kommo(
        "INSERT INTO clientes_kommo (id, deleted_at) SELECT g, CASE WHEN g % 4 > 0 THEN timestamp '2024-01-01' END"
        " FROM generate_series(1, 1000) g"
    )
    assert kommo_note(schema) == (
        "a refresh reads the whole table, where one from schemas/postgres/indexes.sql skips deleted rows"
    )
    schema.kommo("ANALYZE clientes_kommo")
    assert kommo_note(schema) == (
        "a refresh reads the whole table, some 1000 rows, where one from"
        " schemas/postgres/indexes.sql reads the 250 that are not deleted"
    )
    schema.kommo("CREATE INDEX theirs ON clientes_kommo (criado_em, id) WHERE deleted_at IS NULL")
    assert kommo_note(schema) is None
    schema.kommo(
        "DROP INDEX theirs; ALTER TABLE clientes_kommo RENAME TO kept;"
        f"CREATE VIEW clientes_kommo AS SELECT * FROM kept; GRANT SELECT ON clientes_kommo TO {fleet.READER}"
    )
    assert kommo_note(schema) is None


def test_index_that_was_broken_off_is_made_anew(fleet, schema):
    """As PostgreSQL leaves it when its making, which waits for whoever writes to the table, is given up."""
    with session_in_postgres(schema) as session:
        session.run("BEGIN; INSERT INTO clientes_kommo (id) VALUES (1)")
        with pytest.raises(ServerError, match="statement timeout"):
            schema.kommo(
                "SET statement_timeout = '300ms'; CREATE INDEX CONCURRENTLY ecosys_clientes_live"
                " ON clientes_kommo (id) WHERE deleted_at IS NULL"
            )
    assert (
        schema.kommo("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ecosys_clientes_live'::regclass").split()[2]
        == "f"
    )
    assert kommo_note(schema) is not None
    for _ in range(2):
        fleet.postgres.load(f"kommo_{schema.data}", POSTGRES_INDEXES)
        assert kommo_note(schema) is None


def test_index_for_live_clients(fleet, schema):
    """Made twice, used once deleted clients are many."""
    fleet.postgres.load(f"kommo_{schema.data}", POSTGRES_INDEXES, POSTGRES_INDEXES)
    schema.kommo(
        "INSERT INTO clientes_kommo (id, vendedor, deleted_at)"
        " SELECT g, repeat('x', 100), CASE WHEN g % 500 > 0 THEN timestamp '2024-01-01' END"
        f" FROM generate_series(1, {ROWS}) g; ANALYZE clientes_kommo"
    )
    with hold_in_postgres(schema):
        worker = schema.start_worker("--once")
        wait_for(lambda: waits_in_postgres(schema), "the worker waits", 10)
        ((_, sql),) = worker_in_postgres(schema)
    assert worker.wait(20) == 0
    steps = "\n".join(line for (line,) in fleet.postgres.query(f"EXPLAIN {sql}", f"kommo_{schema.data}"))
    assert "ecosys_clientes_live" in steps and "Seq Scan on clientes_kommo" not in steps, steps
