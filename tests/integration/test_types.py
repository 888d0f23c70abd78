"""Columns as they come: production's types differ from those of schemas/, and the answers do not. What cannot be read
is refused with table, column and type."""

import collections
import datetime
import re

import pytest

import oracle
from http_client import Connection
from service import (
    AS_OF,
    ECOSYS_TABLES,
    EVENT_TABLES,
    KOMMO_TABLES,
    MYSQL_INDEXES,
    SCORING_BY_SIZE,
    WORKER,
    Stage,
    prepare_sample,
    unique,
)
from serving import start_loaded, wait_until_served

FILTERED_DAYS = datetime.date(2024, 6, 1), datetime.date(2024, 12, 31)
FILTER = "?data_adesao_inicio={}&data_adesao_fim={}".format(*FILTERED_DAYS)
DATA = (
    "/clientes",
    "/health-scores",
    "/health-scores?formato=detalhado",
    "/dashboard",
    f"/clientes{FILTER}",
    f"/health-scores{FILTER}",
    f"/dashboard{FILTER}",
)
TENANTS = range(1, 17)

# Further rows in PostgreSQL: values that a type could lose.
MORE_CLIENTS = """
    INSERT INTO companies_kommo (id, nome, cnpj) VALUES (1, 'Zeros à esquerda', 191), (2, 'Nenhum', 0),
                                                          (3, 'Sem', NULL);
    INSERT INTO clientes_kommo (id, company_id, valor, pipeline_id, data_adesao, data_start_onboarding,
                                data_end_onboarding)
    VALUES (1, 1, 0, 48111, '2024-10-10 23:59:59', '2024-10-10 10:00', '2024-10-12 09:59:59'),
           (2, 2, -10.5, 48113, '2024-10-10 00:00:00', '2024-10-10 10:00', '2024-10-10 09:00'),
           (3, 3, 99999.99, 48112, NULL, '2024-10-10 10:00', NULL),
           (4, NULL, NULL, 48110, '2024-10-10 12:00:00', NULL, NULL);"""

# What must change with a type is asked anew of the second implementation.
Case = collections.namedtuple("Case", "name sql is_same", defaults=(True,))


class Bench:
    """Rows in the plain schema, their answers, and copies of those rows; one API serves what was published last."""

    def __init__(self, fleet):
        self.fleet = fleet
        fleet.mariadb.execute("SET GLOBAL innodb_file_per_table = OFF")  # making files would take most of the time
        prepare_sample(fleet, "plain", "--tenants", str(len(TENANTS)), "--clients", "20")
        self.stage = Stage(fleet, "plain")
        self.stage.kommo(MORE_CLIENTS)
        fleet.postgres.execute(
            "CREATE DATABASE kommo_copies TEMPLATE kommo_plain; ALTER DATABASE kommo_copies SET search_path = copy"
        )
        self.stage.publish()
        self.port = start_loaded(self.stage).port
        self.plain = self.served(TENANTS)

    def served(self, tenants):
        """The bodies of answers, by path."""
        paths = [*DATA, *(f"/logins?tenant_id={tenant}" for tenant in tenants)]
        with Connection(self.port) as connection:
            return {path: connection.ask(path).body for path in paths}

    def copy_kommo(self, sql):
        """The settings of a database with the plain rows after `sql`: of one whose search path leads to them."""
        reader = self.fleet.READER
        copies = "".join(
            f"CREATE TABLE {table} (LIKE public.{table} INCLUDING ALL);"
            f"INSERT INTO {table} SELECT * FROM public.{table};"
            for table in KOMMO_TABLES
        )
        self.fleet.postgres.execute(
            "DROP SCHEMA IF EXISTS copy CASCADE; CREATE SCHEMA copy; SET search_path = copy;"
            f"{copies} SET TimeZone TO 'America/Sao_Paulo'; {sql};"
            f"GRANT USAGE ON SCHEMA copy TO {reader}; GRANT SELECT ON ALL TABLES IN SCHEMA copy TO {reader}",
            "kommo_copies",
        )
        return {"DB_NAME": "kommo_copies"}

    def copy_ecosys(self, sql):
        server, name = self.fleet.mariadb, unique("ecosys_")
        server.create_database(name)
        server.execute(
            ";".join(
                f"CREATE TABLE {table} LIKE ecosys_plain.{table};"
                f"INSERT INTO {table} SELECT * FROM ecosys_plain.{table}"
                for table in ECOSYS_TABLES
            ),
            name,
        )
        server.execute(f"SET time_zone = '-03:00', sql_mode = 'ALLOW_INVALID_DATES'; {sql}", name)
        server.create_reader(self.fleet.READER, self.fleet.password, name)
        return {"DB_NAME_ECOSYS": name}

    def check(self, case, database):
        """--check finds nothing wrong, nothing is replaced, and the answers are what they must be."""
        checked = self.stage.run(WORKER, "--check", **database)
        assert checked.returncode == 0, checked.stdout
        done = self.stage.once("--as-of", AS_OF, **database)
        assert done.returncode == 0 and "replaced_texts=0 replaced_values=0" in done.stderr, done.stderr
        wait_until_served(self.port, self.stage.pointer())
        if case.is_same:
            served = self.served(TENANTS)
            assert [path for path in served if served[path] != self.plain[path]] == []
        else:
            self.check_anew(database)

    def check_anew(self, database):
        names = {"DB_NAME": "kommo_plain", "DB_NAME_ECOSYS": "ecosys_plain", **database}
        opinion = oracle.Oracle(
            self.fleet.postgres.client(names["DB_NAME"]),
            self.fleet.mariadb.client(names["DB_NAME_ECOSYS"]),
            datetime.datetime.fromisoformat(AS_OF),
        )
        served = self.served(opinion.tenants)
        expected = {f"/logins?tenant_id={tenant}": opinion.logins(tenant) for tenant in opinion.tenants}
        for query, first, last in (("", None, None), (FILTER, *FILTERED_DAYS)):
            expected[f"/clientes{query}"] = opinion.clientes(first, last)
            expected[f"/health-scores{query}"] = opinion.health_scores(first, last)
            expected[f"/dashboard{query}"] = opinion.dashboard(first, last)
        for path, document in expected.items():
            found = oracle.differences(document, oracle.parse_answer(served[path]))
            assert not found, (path, found[:5])
        assert served != self.plain  # else the case would be about nothing


@pytest.fixture(scope="module")
def bench(fleet):
    return Bench(fleet)


def names_of_cases(cases):
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    return {"argvalues": cases, "ids": names}


# ---- PostgreSQL


def altered(table, columns, target, using=None):
    """ALTER TABLE for several columns; {} in target and using stands for the column."""
    changes = [
        f'ALTER {column} TYPE {target.replace("{}", column)}'
        + (f' USING {using.replace("{}", column)}' if using else "")
        for column in columns.split()
    ]
    return f"ALTER TABLE {table} " + ", ".join(changes) + ";"


def texts_as(target, using=None):
    return (
        altered("companies_kommo", "nome razao_social", target, using)
        + altered("users", "name", target, using)
        + altered("pipelines", "name", target, using)
        + altered("statuses", "name", target, using)
        + altered("clientes_kommo", "vendedor motivos_churn descricao_cancelamento", target, using)
    )


def times_as(target, using=None):
    return altered("clientes_kommo", TIMES, target, using)


def references_as(target, using=None):
    """Ids of what clients refer to, on both sides."""
    return altered("clientes_kommo", "company_id cs_id pipeline_id status_id", target, using) + "".join(
        altered(table, "id", target, using) for table in ("companies_kommo", "users", "pipelines", "statuses")
    )


def instead_of_tables(kind):
    """Each table is a view, or the like, of one that has another name."""
    return "".join(
        f"ALTER TABLE {table} RENAME TO base_{table}; CREATE {kind} {table} AS SELECT * FROM base_{table};"
        for table in KOMMO_TABLES
    )


def renumbered(limit):
    return (
        "CREATE SEQUENCE renumbering MAXVALUE "
        + str(limit)
        + "; UPDATE clientes_kommo SET id = -nextval('renumbering');"
    )


TIMES = "data_adesao data_start_onboarding data_end_onboarding data_cancelamento criado_em atualizado_em deleted_at"
PUNCTUATED = r"regexp_replace(lpad(cnpj::text, 14, '0'), '(..)(...)(...)(....)(..)', '\1.\2.\3/\4-\5')"

KOMMO_CASES = [
    Case("adhesion is a date", altered("clientes_kommo", "data_adesao", "date"), False),
    Case("all times are dates", times_as("date"), False),
    Case("onboarding begins with a date", altered("clientes_kommo", "data_start_onboarding", "date"), False),
    Case("timestamptz", times_as("timestamptz")),
    Case("timestamptz, the end of onboarding alone", altered("clientes_kommo", "data_end_onboarding", "timestamptz")),
    Case("timestamp(0)", times_as("timestamp(0)")),
    Case("timestamptz(3)", times_as("timestamptz(3)")),
    Case("valor numeric", altered("clientes_kommo", "valor", "numeric")),
    Case("valor numeric(20,6)", altered("clientes_kommo", "valor", "numeric(20,6)")),
    Case("valor double precision", altered("clientes_kommo", "valor", "double precision")),
    Case("valor real", altered("clientes_kommo", "valor", "real")),
    Case("valor real, with an exponent", altered("clientes_kommo", "valor", "real", "{} * 1000"), False),
    Case("valor bigint", altered("clientes_kommo", "valor", "bigint"), False),
    Case("valor integer", altered("clientes_kommo", "valor", "integer"), False),
    Case("valor smallint", altered("clientes_kommo", "valor", "smallint", "least({}, 32767)"), False),
    Case("cnpj numeric", altered("companies_kommo", "cnpj", "numeric")),
    Case("cnpj numeric(14)", altered("companies_kommo", "cnpj", "numeric(14)")),
    Case("cnpj numeric(20,2)", altered("companies_kommo", "cnpj", "numeric(20,2)")),
    Case(
        "cnpj integer",
        "UPDATE companies_kommo SET cnpj = NULL WHERE id > 2;" + altered("companies_kommo", "cnpj", "integer"),
        False,
    ),
    Case("cnpj text", altered("companies_kommo", "cnpj", "text")),
    Case("cnpj text with zeros", altered("companies_kommo", "cnpj", "text", "lpad({}::text, 14, '0')")),
    Case("cnpj varchar with punctuation", altered("companies_kommo", "cnpj", "varchar(18)", PUNCTUATED)),
    Case("cnpj char(14)", altered("companies_kommo", "cnpj", "char(14)")),
    Case("cnpj char(25) with punctuation", altered("companies_kommo", "cnpj", "char(25)", PUNCTUATED)),
    Case("id integer", altered("clientes_kommo", "id", "integer")),
    Case("id smallint, negative", renumbered(32767) + altered("clientes_kommo", "id", "smallint"), False),
    Case("id beyond 2^53", "UPDATE clientes_kommo SET id = id + 9223372036800000000", False),
    Case("references integer", references_as("integer")),
    Case("references numeric", references_as("numeric(20)")),
    Case("references text", references_as("text")),
    Case("references uuid", references_as("uuid", "lpad({}::text, 32, '0')::uuid")),
    Case(
        "references of other integers", altered("clientes_kommo", "company_id cs_id pipeline_id status_id", "integer")
    ),
    Case("texts varchar", texts_as("varchar")),
    Case("texts varchar(200)", texts_as("varchar(200)")),
    Case("texts char(200)", texts_as("char(200)")),
    Case(
        "domains",
        "CREATE DOMAIN word AS text CHECK (value <> ''); CREATE DOMAIN short AS varchar(200);"
        " CREATE DOMAIN short_word AS short; CREATE DOMAIN money2 AS numeric(12,2); CREATE DOMAIN instant AS timestamp;"
        " CREATE DOMAIN key AS bigint;"
        + texts_as("short_word")
        + altered("clientes_kommo", "valor", "money2")
        + times_as("instant")
        + altered("clientes_kommo", "id company_id", "key")
        + altered("companies_kommo", "cnpj", "word"),
    ),
    Case("views", instead_of_tables("VIEW")),
    Case("materialized views", instead_of_tables("MATERIALIZED VIEW")),
    Case(
        "partitions",
        "ALTER TABLE clientes_kommo RENAME TO base;"
        " CREATE TABLE clientes_kommo (LIKE base) PARTITION BY HASH (id);"
        + "".join(
            f"CREATE TABLE part{n} PARTITION OF clientes_kommo FOR VALUES WITH (MODULUS 3, REMAINDER {n});"
            for n in range(3)
        )
        + "INSERT INTO clientes_kommo SELECT * FROM base",
    ),
    Case(
        "further columns",
        "".join(
            f"ALTER TABLE {table} ADD cs_name text DEFAULT 7, ADD ck int, ADD co json, ADD p uuid;"
            for table in KOMMO_TABLES
        )
        + "ALTER TABLE users ADD company_id text, ADD valor money",
    ),
]


@pytest.mark.parametrize("case", **names_of_cases(KOMMO_CASES))
def test_types_in_postgres(bench, case):
    bench.check(case, bench.copy_kommo(case.sql))


# ---- MariaDB


DELETED = ("inventory_entries", "inventory_outs", "cards", "integrator_configurations")
IDS = {
    "tenants": "id",
    "users": "id tenant_id",
    "activity_log": "id tenant_id subject_id",
    **{
        table: "tenant_id"
        for table in ECOSYS_TABLES
        if table not in ("tenants", "users", "activity_log", "econversa_instance_configurations")
    },
}
NAMES = {"tenants": "slug name", "users": "name email", "econversa_instance_configurations": "name"}


def modified(tables, target):
    """ALTER TABLE for columns by table."""
    return "".join(
        f"ALTER TABLE {table} " + ", ".join(f"MODIFY {column} {target}" for column in columns.split()) + ";"
        for table, columns in tables.items()
    )


def created_as(target):
    return modified(dict.fromkeys(EVENT_TABLES, "created_at"), f"{target} NULL")


def deleted_as(target):
    return modified(dict.fromkeys(DELETED, "deleted_at"), f"{target} NULL")


def digits_of(column):
    return f"UPDATE tenants SET {column} = REGEXP_REPLACE({column}, '[^0-9]', '');"


def shifted(by):
    return "".join(
        f"UPDATE {table} SET " + ", ".join(f"{column} = {column} + {by}" for column in columns.split()) + ";"
        for table, columns in IDS.items()
    )


# No event of tenant 3 has a date, everyone has some without; logins without a tenant too.
ZERO_DATES = "".join(
    f"UPDATE {table} SET created_at = '0000-00-00 00:00:00' WHERE tenant_id = 3;"
    f"INSERT INTO {table} (tenant_id, created_at) SELECT id, '0000-00-00 00:00:00' FROM tenants;"
    for table in EVENT_TABLES
) + (
    "UPDATE activity_log SET event = 'login', subject_id = tenant_id WHERE created_at = 0;"
    "UPDATE activity_log SET created_at = 0 WHERE subject_id IN (SELECT id FROM users WHERE tenant_id = 3);"
    "UPDATE activity_log SET tenant_id = NULL WHERE subject_id IN (SELECT id FROM users WHERE tenant_id = 3);"
)

# Two in a second, the later one with the lower id; the last instant before the window and the first one in it.
MICROSECONDS = "".join(
    f"INSERT INTO {table} (tenant_id, created_at) VALUES (1, '2025-02-11 23:59:59.999999'), (1, '2025-02-12 00:00:00'),"
    " (2, '2025-03-01 10:00:00.9'), (2, '2025-03-01 10:00:00.100001'), (2, '2025-03-13 23:59:59.999999');"
    for table in EVENT_TABLES
) + ("UPDATE activity_log SET event = 'login', subject_id = tenant_id WHERE event IS NULL;")

ECOSYS_CASES = [
    Case("as they are", ""),
    Case("created_at datetime", created_as("DATETIME")),
    Case("created_at datetime(6)", created_as("DATETIME(6)")),
    Case("created_at timestamp(3)", created_as("TIMESTAMP(3)")),
    Case("created_at datetime(6) with fractions", created_as("DATETIME(6)") + MICROSECONDS, False),
    Case("created_at timestamp(6) with fractions", created_as("TIMESTAMP(6)") + MICROSECONDS, False),
    Case("created_at date", created_as("DATE"), False),
    Case("created_at not null", modified(dict.fromkeys(EVENT_TABLES, "created_at"), "DATETIME NOT NULL")),
    Case("zero dates", ZERO_DATES, False),
    Case("zero dates in datetime", created_as("DATETIME(3)") + ZERO_DATES, False),
    Case("zero dates in date", created_as("DATE") + ZERO_DATES, False),
    Case("deleted_at datetime", deleted_as("DATETIME")),
    Case("deleted_at date", deleted_as("DATE")),
    Case("deleted_at text", deleted_as("VARCHAR(30)")),
    Case("ids int unsigned", modified(IDS, "INT UNSIGNED")),
    Case("ids mediumint", modified(IDS, "MEDIUMINT")),
    Case("ids varchar", modified(IDS, "VARCHAR(20)")),
    Case("ids char", modified(IDS, "CHAR(20)")),
    Case("ids beyond 2^63", shifted(1 << 63), False),
    Case(
        "tenants by text",
        modified({**dict.fromkeys(EVENT_TABLES, "tenant_id"), "integrator_configurations": "tenant_id"}, "VARCHAR(20)"),
    ),
    Case(
        "tenants by text with zeros",
        "".join(
            f"ALTER TABLE {table} MODIFY tenant_id VARCHAR(20);"
            f"UPDATE {table} SET tenant_id = LPAD(tenant_id, 6, '0') WHERE id % 2;"
            for table in EVENT_TABLES
        ),
    ),
    Case("people by text", modified({"activity_log": "subject_id"}, "VARCHAR(36)")),
    Case("people of text", modified({"users": "id"}, "VARCHAR(20)")),
    Case(
        "integrators tinyint",
        modified({"integrator_ads": "integrator_id", "integrator_configurations": "integrator_id"}, "TINYINT"),
    ),
    Case(
        "integrators text",
        modified({"integrator_ads": "integrator_id", "integrator_configurations": "integrator_id"}, "VARCHAR(10)"),
    ),
    Case(
        "words enum",
        "ALTER TABLE tenants MODIFY type ENUM('demo', 'normal', 'trial', 'teste') NOT NULL;"
        " ALTER TABLE activity_log MODIFY event ENUM('created', 'updated', 'deleted', 'logout', 'login');"
        " ALTER TABLE econversa_instance_configurations MODIFY status ENUM('close', 'connecting', 'open')",
    ),
    Case(
        "words text",
        "ALTER TABLE tenants MODIFY type TINYTEXT NOT NULL; ALTER TABLE activity_log MODIFY event CHAR(40);"
        " ALTER TABLE econversa_instance_configurations MODIFY status MEDIUMTEXT",
    ),
    Case("cnpj bigint", digits_of("cnpj") + modified({"tenants": "cnpj"}, "BIGINT UNSIGNED")),
    Case("cnpj char(14)", digits_of("cnpj") + modified({"tenants": "cnpj"}, "CHAR(14)")),
    Case(
        "cnpj char with punctuation",
        r"UPDATE tenants SET cnpj = REGEXP_REPLACE(REGEXP_REPLACE(cnpj, '[^0-9]', ''),"
        r" '^(..)(...)(...)(....)(..)$', '\\1.\\2.\\3/\\4-\\5');" + modified({"tenants": "cnpj"}, "CHAR(20)"),
    ),
    Case("cnpj decimal", digits_of("cnpj") + modified({"tenants": "cnpj"}, "DECIMAL(20,0)")),
    Case("cnpj decimal with decimals", digits_of("cnpj") + modified({"tenants": "cnpj"}, "DECIMAL(20,2)")),
    Case("slug of another collation", modified({"tenants": "slug"}, "VARCHAR(191) COLLATE utf8mb4_general_ci")),
    Case(
        "slug of a collation that tells case",
        modified({"tenants": "slug"}, "VARCHAR(191) COLLATE utf8mb4_bin")
        + "UPDATE tenants SET slug = LOWER(slug); UPDATE econversa_instance_configurations SET name = UPPER(name);",
    ),
    Case(
        "names of another collation", modified(NAMES, "VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    ),
    Case("names in latin1", modified(NAMES, "VARCHAR(191) CHARACTER SET latin1")),
    Case(
        "slug in latin1, configurations in utf8mb4", modified({"tenants": "slug"}, "VARCHAR(191) CHARACTER SET latin1")
    ),
    Case(
        "slug in utf8mb4, configurations in latin1",
        modified({"econversa_instance_configurations": "name"}, "VARCHAR(191) CHARACTER SET latin1"),
    ),
    Case(
        "everything in latin1",
        "".join(f"ALTER TABLE {table} CONVERT TO CHARACTER SET latin1;" for table in ECOSYS_TABLES),
    ),
    Case("names binary", modified(NAMES, "VARBINARY(300)")),
    Case("names blank-padded", modified(NAMES, "CHAR(200)")),
    Case(
        "further columns",
        "".join(
            f"ALTER TABLE {table} ADD tenant INT DEFAULT 1 FIRST, ADD subject VARCHAR(9) DEFAULT 'x',"
            " ADD user INT DEFAULT 1;"
            for table in ECOSYS_TABLES
        ),
    ),
]


@pytest.mark.parametrize("case", **names_of_cases(ECOSYS_CASES))
def test_types_in_mariadb(bench, case):
    """Without the recommended indexes, and with them."""
    database = bench.copy_ecosys(case.sql)
    bench.check(case, database)
    bench.fleet.mariadb.load(database["DB_NAME_ECOSYS"], MYSQL_INDEXES)
    bench.check(case, database)


def test_views_in_mariadb(bench):
    """Of tables with and without indexes; a view itself has none."""
    sql = "".join(
        f"RENAME TABLE {table} TO base_{table}; CREATE VIEW {table} AS SELECT * FROM base_{table};"
        for table in ECOSYS_TABLES
    )
    database = bench.copy_ecosys("")
    bench.fleet.mariadb.load(database["DB_NAME_ECOSYS"], MYSQL_INDEXES)
    for database in (bench.copy_ecosys(""), database):
        bench.fleet.mariadb.execute(sql, database["DB_NAME_ECOSYS"])
        bench.check(Case("", ""), database)


@pytest.mark.parametrize("mode", ["", "ANSI,TRADITIONAL,ONLY_FULL_GROUP_BY", "ORACLE", "MSSQL,HIGH_NOT_PRECEDENCE"])
def test_modes_of_the_server(bench, mode):
    """The session's SQL does not depend on what the server makes of quotes, groups and empty texts."""
    before = bench.fleet.mariadb.query("SELECT @@GLOBAL.sql_mode")[0][0]
    bench.fleet.mariadb.execute(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        bench.check(Case("", ""), {})
    finally:
        bench.fleet.mariadb.execute(f"SET GLOBAL sql_mode = '{before}'")


# ---- What cannot be used


@pytest.fixture(scope="module")
def published(bench):
    """A stage with a generation that no refresh replaces."""
    stage = Stage(bench.fleet, "plain")
    stage.publish()
    return stage


def assert_refused(stage, part, text, settings):
    """By --check, and by a refresh, which leaves what was published alone."""
    generation, keys = stage.pointer(), stage.keys()
    checked = stage.run(WORKER, "--check", **settings)
    assert checked.returncode == 1
    assert [line for line in checked.stdout.splitlines() if line.startswith("FAIL")] == [f"FAIL {part}: {text}"]
    done = stage.once(**settings)
    assert done.returncode == 1
    errors = re.findall(r"level=error .*", done.stderr)
    assert len(errors) == 1 and f"phase={part} " in errors[0] and text in errors[0], done.stderr
    report = f"{stage.prefix}:worker"
    assert stage.pointer() == generation and set(stage.keys()) - {report} == set(keys) - {report}


def named(refusals):
    return {"argvalues": refusals, "ids": [text for _, text in refusals]}


def wrong_type(column, found, takes):
    return f"column {column} is {found}, takes {takes}"


TEXT, TIME, NUMBER, NEEDS_ID = (
    "text or varchar",
    "timestamp, timestamptz or date",
    "numeric or another number",
    "bigint, integer or smallint",
)
ID_TYPE = "the type of companies_kommo.id, bigint"

KOMMO_REFUSALS = [
    ("DROP TABLE pipelines", "table pipelines is missing"),
    ("ALTER TABLE clientes_kommo RENAME TO away", "table clientes_kommo is missing"),
    ("ALTER TABLE clientes_kommo DROP cs_id", "column clientes_kommo.cs_id is missing"),
    ("ALTER TABLE clientes_kommo DROP deleted_at", "column clientes_kommo.deleted_at is missing"),
    ("ALTER TABLE statuses DROP name", "column statuses.name is missing"),
    (
        "ALTER TABLE companies_kommo RENAME TO base;"
        " CREATE VIEW companies_kommo AS SELECT id, nome, razao_social FROM base",
        "column companies_kommo.cnpj is missing",
    ),
    (altered("companies_kommo", "nome", "bytea", "{}::bytea"), wrong_type("companies_kommo.nome", "bytea", TEXT)),
    (altered("clientes_kommo", "vendedor", "json", "to_json({})"), wrong_type("clientes_kommo.vendedor", "json", TEXT)),
    (altered("pipelines", "name", "jsonb", "to_jsonb({})"), wrong_type("pipelines.name", "jsonb", TEXT)),
    (altered("users", "name", "text[]", "ARRAY[{}]"), wrong_type("users.name", "text[]", TEXT)),
    (
        "CREATE TYPE stage AS ENUM ('Ativo'); ALTER TABLE statuses ALTER name TYPE stage USING NULL",
        wrong_type("statuses.name", "stage", TEXT),
    ),
    (altered("clientes_kommo", "valor", "text"), wrong_type("clientes_kommo.valor", "text", NUMBER)),
    (altered("clientes_kommo", "valor", "money"), wrong_type("clientes_kommo.valor", "money", NUMBER)),
    (altered("clientes_kommo", "data_adesao", "text"), wrong_type("clientes_kommo.data_adesao", "text", TIME)),
    (
        altered("clientes_kommo", "criado_em", "time"),
        wrong_type("clientes_kommo.criado_em", "time without time zone", TIME),
    ),
    (
        altered("clientes_kommo", "data_end_onboarding", "interval", "{} - now()::timestamp"),
        wrong_type("clientes_kommo.data_end_onboarding", "interval", TIME),
    ),
    (
        altered("clientes_kommo", "data_cancelamento", "bigint", "extract(epoch FROM {})::bigint"),
        wrong_type("clientes_kommo.data_cancelamento", "bigint", TIME),
    ),
    (
        altered("companies_kommo", "cnpj", "double precision"),
        wrong_type("companies_kommo.cnpj", "double precision", "bigint, numeric, text or varchar"),
    ),
    (
        altered("clientes_kommo", "id", "uuid", "lpad({}::text, 32, '0')::uuid"),
        wrong_type("clientes_kommo.id", "uuid", NEEDS_ID),
    ),
    (altered("clientes_kommo", "id", "text"), wrong_type("clientes_kommo.id", "text", NEEDS_ID)),
    (
        altered("clientes_kommo", "company_id", "uuid", "lpad({}::text, 32, '0')::uuid"),
        wrong_type("clientes_kommo.company_id", "uuid", ID_TYPE),
    ),
    (altered("clientes_kommo", "company_id", "text"), wrong_type("clientes_kommo.company_id", "text", ID_TYPE)),
]


@pytest.mark.parametrize("sql, text", **named(KOMMO_REFUSALS))
def test_what_cannot_be_used_in_postgres(bench, published, sql, text):
    assert_refused(published, "postgresql", f"PostgreSQL: {text}", bench.copy_kommo(sql))


def test_what_is_asked_to_explain_has_limits_too(bench, published):
    """Behind the failed transaction: somebody's lock must not keep --check for ever."""
    server = bench.fleet.postgres
    server.execute("ALTER DATABASE kommo_copies SET log_statement = 'all'")
    try:
        database = bench.copy_kommo("ALTER TABLE statuses DROP name")
        assert published.run(WORKER, "--check", **database).returncode == 1
    finally:
        server.execute("ALTER DATABASE kommo_copies RESET log_statement")
    log = server.log_text()
    behind = log[log.rindex("LEFT JOIN statuses") :]
    assert behind.index("ROLLBACK") < behind.index("SET LOCAL lock_timeout") < behind.index("to_regclass")


INTEGER, WORD, SHOWN, INSTANT, CNPJ = (
    "an integer, char or varchar",
    "char, varchar, text, enum or set",
    "char, varchar, text, enum, set, binary or blob",
    "datetime, timestamp or date",
    "an integer, decimal, char, varchar or text",
)
OR_RIGHTS = "is missing, or its user may not read it"

ECOSYS_REFUSALS = [
    ("DROP TABLE reports", f"table reports {OR_RIGHTS}"),
    ("ALTER TABLE cards DROP deleted_at", f"column cards.deleted_at {OR_RIGHTS}"),
    (
        "RENAME TABLE contracts TO base; CREATE VIEW contracts AS SELECT id, tenant_id FROM base",
        f"column contracts.created_at {OR_RIGHTS}",
    ),
    (modified({"contracts": "created_at"}, "BIGINT"), wrong_type("contracts.created_at", "bigint(20)", INSTANT)),
    (modified({"activity_log": "created_at"}, "TIME"), wrong_type("activity_log.created_at", "time", INSTANT)),
    (modified({"cards": "created_at"}, "YEAR"), wrong_type("cards.created_at", "year(4)", INSTANT)),
    (
        modified({"inventory_outs": "created_at"}, "VARCHAR(30)"),
        wrong_type("inventory_outs.created_at", "varchar(30)", INSTANT),
    ),
    (modified({"activity_log": "event"}, "BLOB"), wrong_type("activity_log.event", "blob", WORD)),
    (modified({"tenants": "type"}, "VARBINARY(32)"), wrong_type("tenants.type", "varbinary(32)", WORD)),
    (modified({"users": "name"}, "INT"), wrong_type("users.name", "int(11)", SHOWN)),
    (modified({"tenants": "cnpj"}, "DOUBLE"), wrong_type("tenants.cnpj", "double", CNPJ)),
    (modified({"tenants": "id"}, "DOUBLE"), wrong_type("tenants.id", "double", INTEGER)),
    (modified({"users": "id"}, "DECIMAL(20,0)"), wrong_type("users.id", "decimal(20,0)", INTEGER)),
    (modified({"users": "tenant_id"}, "JSON"), wrong_type("users.tenant_id", "longtext", INTEGER)),
    (modified({"reports": "tenant_id"}, "BINARY(16)"), wrong_type("reports.tenant_id", "binary(16)", INTEGER)),
    (
        modified({"integrator_ads": "integrator_id"}, "BIT(8)"),
        wrong_type("integrator_ads.integrator_id", "bit(8)", INTEGER),
    ),
]


@pytest.mark.parametrize("sql, text", **named(ECOSYS_REFUSALS))
def test_what_cannot_be_used_in_mariadb(bench, published, sql, text):
    assert_refused(published, "mysql", f"MySQL: {text}", bench.copy_ecosys(sql))


def test_table_that_the_user_may_not_read(bench, published):
    database = bench.copy_ecosys("")
    name, account = database["DB_NAME_ECOSYS"], "'partly'@'127.0.0.1'"
    bench.fleet.mariadb.execute(
        f"CREATE USER {account} IDENTIFIED BY '{bench.fleet.password}';"
        + ";".join(f"GRANT SELECT ON {name}.{table} TO {account}" for table in ECOSYS_TABLES if table != "contracts")
    )
    assert_refused(published, "mysql", f"MySQL: table contracts {OR_RIGHTS}", {**database, "DB_USER_ECOSYS": "partly"})


def assert_refresh_refused(stage, text, settings):
    """By a refresh alone: --check looks at no rows."""
    generation = stage.pointer()
    assert stage.run(WORKER, "--check", **settings).returncode == 0
    done = stage.once("--as-of", AS_OF, **settings)
    errors = re.findall(r"level=error .*", done.stderr)
    assert done.returncode == 1 and len(errors) == 1 and text in errors[0] and "class=invalid" in errors[0], done.stderr
    assert stage.pointer() == generation


@pytest.mark.parametrize("table", ["tenants", "users", "activity_log"])
def test_ids_of_text_that_are_no_numbers(bench, published, table):
    """Rows that would be lost without a word. Of logins those in the window are read."""
    row = "ORDER BY id LIMIT 1" if table != "activity_log" else "WHERE event = 'login' ORDER BY created_at DESC LIMIT 1"
    database = bench.copy_ecosys(
        modified({table: "id"}, "VARCHAR(36)") + f"UPDATE {table} SET id = '6f9619ff-8b86' {row};"
    )
    assert_refresh_refused(
        published, f"MySQL: {table}.id '6f9619ff-8b86' is not a whole number from 0 to 2^64 - 1", database
    )


def test_logins_of_what_is_no_number(bench):
    """Of no tenant, of no user, and counted."""
    database = bench.copy_ecosys(
        modified({"activity_log": "tenant_id subject_id"}, "VARCHAR(36)")
        + """
        INSERT INTO activity_log (tenant_id, subject_id, event, created_at) VALUES
            ('6f9619ff', '1', 'login', '2025-03-10 10:00:00'), ('1', '6f9619ff', 'login', '2025-03-10 10:00:00'),
            (NULL, NULL, 'login', '2025-03-10 10:00:00');"""
    )
    done = Stage(bench.fleet, "plain").once("--as-of", AS_OF, **database)
    assert done.returncode == 0 and "replaced_texts=0 replaced_values=2" in done.stderr, done.stderr


TWICE = "occurs twice; is the id of companies_kommo, users, pipelines and statuses unique?"


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE companies_kommo DROP CONSTRAINT companies_kommo_pkey;"
        " INSERT INTO companies_kommo SELECT * FROM companies_kommo WHERE id = 1",
        "ALTER TABLE clientes_kommo DROP CONSTRAINT clientes_kommo_pkey;"
        " INSERT INTO clientes_kommo (id, data_adesao) VALUES (1, '2020-01-01')",
    ],
    ids=["company twice", "client twice, on different days"],
)
def test_clients_that_occur_twice(bench, published, sql):
    assert_refresh_refused(published, f"PostgreSQL: client 1 {TWICE}", bench.copy_kommo(sql))


def test_columns_that_only_some_models_need(bench, published):
    """Sizes of stores: what cannot be used matters when the scoring model asks for it."""
    database = bench.copy_ecosys(modified({"inventory_outs": "vehicle_id"}, "DOUBLE"))
    assert published.run(WORKER, "--check", **database).returncode == 0
    assert_refused(
        published,
        "mysql",
        f"MySQL: {wrong_type('inventory_outs.vehicle_id', 'double', INTEGER)}",
        {**database, "SCORING_MODEL": SCORING_BY_SIZE},
    )
