"""The service under test: servers, data sets, and the two programs run on them.

A Stage is a data set and a Redis prefix of its own, so that tests share servers and nothing else.
"""

import contextlib
import itertools
import json
import os
import re
import select
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("ECOSYS_BUILD", os.path.join(ROOT, "build"))
WORKER = os.path.join(BUILD, "worker/ecosys-worker")
API = os.path.join(BUILD, "api/ecosys-api")

sys.path.insert(0, os.path.join(ROOT, "scripts/lib"))
from private_servers import (  # noqa: E402 (found through the line above)
    Fleet,
    MariaDB,
    PgBouncer,
    PostgreSQL,
    Redis,
    ServerError,
    answers_http,
    free_port,
    wait_for,
)
from sample_data import EVENT_TABLES  # noqa: E402

POSTGRES_SCHEMA = os.path.join(ROOT, "schemas/postgres/schema.sql")
MYSQL_SCHEMA = os.path.join(ROOT, "schemas/mysql/schema.sql")
MYSQL_INDEXES = os.path.join(ROOT, "schemas/mysql/indexes.sql")
MYSQL_INDEXES_BY_SIZE = os.path.join(ROOT, "schemas/mysql/indexes-by-size.sql")
POSTGRES_INDEXES = os.path.join(ROOT, "schemas/postgres/indexes.sql")
SCORING = os.path.join(ROOT, "schemas/scoring.json")
SCORING_BY_SIZE = os.path.join(ROOT, "schemas/scoring-by-size.json")
KOMMO_TABLES = ("clientes_kommo", "companies_kommo", "users", "pipelines", "statuses")
ECOSYS_TABLES = (
    "tenants",
    "users",
    "econversa_instance_configurations",
    "integrator_configurations",
    *EVENT_TABLES,
)
AS_OF = "2025-03-14 15:09:26"

_numbers = itertools.count(1)

__all__ = [
    "AS_OF",
    "ECOSYS_TABLES",
    "EVENT_TABLES",
    "KOMMO_TABLES",
    "MYSQL_INDEXES",
    "PgBouncer",
    "ROOT",
    "Redis",
    "SCORING",
    "ServerError",
    "Stage",
    "WORKER",
    "API",
    "free_port",
    "hold_in_postgres",
    "lock_in_mariadb",
    "lock_in_postgres",
    "new_redis",
    "prepare_counter",
    "prepare_sample",
    "processor_s",
    "published_generations",
    "changed_model",
    "is_sanitizer_build",
    "session_in_mariadb",
    "session_in_postgres",
    "slow_table",
    "start_fleet",
    "unique",
    "wait_for",
    "waits_in_mariadb",
    "waits_in_postgres",
    "worker_in_mariadb",
    "worker_in_postgres",
]


def unique(name):
    """A name that no other program, prefix or file of this run has."""
    return f"{name}{next(_numbers)}"


def start_fleet():
    """All three servers. Their time zones are neither UTC nor TZ, and MariaDB's isolation level is the one under
    which a consistent snapshot must be asked for twice: the service must depend on neither."""
    fleet = Fleet(servers=())
    try:
        fleet.postgres = fleet.add(PostgreSQL, options=["-c", "timezone=Asia/Kathmandu"])
        fleet.mariadb = fleet.add(
            MariaDB, options=["--default-time-zone=+09:30", "--transaction-isolation=READ-COMMITTED"]
        )
        fleet.redis = fleet.add(Redis)
        return fleet.start()
    except BaseException:
        fleet.close()
        raise


def new_redis(fleet, **options):
    """A further Redis, for a test that stops, kills or empties it, or has it work otherwise."""
    return fleet.add(Redis, unique("redis"), **options).start()


def prepare_sample(fleet, name, *flags, as_of=AS_OF):
    """Sample rows of scripts/lib/sample_data.py in both servers; as_of None is now."""
    folder = os.path.join(fleet.folder, f"rows_{name}")
    script = os.path.join(ROOT, "scripts/lib/sample_data.py")
    instant = ["--as-of", as_of] if as_of else []
    subprocess.run([sys.executable, script, "--out", folder, *instant, *flags], check=True, stdout=subprocess.DEVNULL)
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA, f"{folder}/postgres.sql"], ecosys=[MYSQL_SCHEMA, f"{folder}/mysql.sql"])


def is_sanitizer_build():
    with open(API, "rb") as program:
        return b"Sanitizer" in program.read()


def crypt(password, setting):
    """As crypt(3) has it."""
    script = (
        'import ctypes, sys; c = ctypes.CDLL("libcrypt.so.1"); c.crypt.restype = ctypes.c_char_p; '
        "print(c.crypt(sys.argv[1].encode(), sys.argv[2].encode()).decode())"
    )
    return subprocess.run(
        ["/usr/bin/python3", "-c", script, password, setting], check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


def prepare_counter(fleet, name, clients=1):
    """Active clients without a value but the first, so that mrr_value of /dashboard is what set_counter last said,
    and a tenant that belongs to all of them."""
    path = os.path.join(fleet.folder, f"{name}.sql")
    with open(path, "w", encoding="utf-8") as out:
        out.write(
            "INSERT INTO pipelines VALUES (1, 'CS | ONGOING');"
            "INSERT INTO companies_kommo VALUES (1, 'Loja', 'Loja Ltda', 11222333000181);"
            "INSERT INTO clientes_kommo (id, company_id, valor, pipeline_id, data_adesao, vendedor)"
            " SELECT g, 1, 0, 1, timestamp '2024-01-01' - g * interval '1 hour', repeat('Fulano de Tal ', 20)"
            f" FROM generate_series(1, {clients}) g;"
        )
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA, path], ecosys=[MYSQL_SCHEMA])
    fleet.mariadb.execute(
        "INSERT INTO tenants (id, name, cnpj, slug) VALUES (1, 'Loja', '11222333000181', 'loja')", f"ecosys_{name}"
    )


def processor_s(pid):
    """The time that all threads of a process have spent computing."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Api:
    """A running ecosys-api."""

    def __init__(self, process, port):
        self.process, self.port = process, port

    def log(self):
        return self.process.log_text()


# {key, its time to live} of all keys of a prefix, in one round trip.
TTLS_SCRIPT = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do table.insert(found, {key, redis.call('TTL', key)}) end
return found
"""


class Stage:
    def __init__(self, fleet, data, redis=None, **settings):
        self.fleet, self.data = fleet, data
        self.redis = redis or fleet.redis
        self.prefix = unique("p")
        self.settings = settings

    def environment(self, **changes):
        settings = {"REDIS_URL": self.redis.url(), "REDIS_PREFIX": self.prefix, **self.settings, **changes}
        return self.fleet.environment(self.data, **settings)

    # ---- Programs

    def run(self, program, *flags, seconds=60, env=None, **changes):
        """Runs a program to its end; what it printed is text."""
        return subprocess.run(
            [program, *flags],
            env=env or self.environment(**changes),
            cwd=self.fleet.folder,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def once(self, *flags, **options):
        return self.run(WORKER, "--once", *flags, **options)

    def publish(self, *flags, **options):
        """A refresh that must succeed; the number of its generation."""
        done = self.once(*(flags or ("--as-of", AS_OF)), **options)
        assert done.returncode == 0, done.stderr
        return published_generations(done.stderr)[0]

    def start_worker(self, *flags, **changes):
        argv = [WORKER, *flags]
        return self.fleet.program(unique("worker"), argv, self.environment(**changes), self.fleet.folder).start()

    def start_api(self, seconds=30, flags=(), **changes):
        """Listens when this returns; whether it has data is another question."""
        port = free_port()
        process = self.fleet.program(
            unique("api"),
            [API, *flags],
            self.environment(PORT=port, **changes),
            self.fleet.folder,
            ready=lambda: answers_http(port, "/"),
        )
        return Api(process.start(seconds), port)

    # ---- What is in Redis

    def command(self, *words):
        return self.redis.command(*words)

    def pointer(self):
        """The generation that is served, or None."""
        value = self.command("GET", f"{self.prefix}:current")
        return None if value is None else int(value)

    def keys(self):
        return sorted(key.decode() for key in self.command("KEYS", f"{self.prefix}:*"))

    def generations_with_keys(self):
        found = [re.match(rf"{self.prefix}:gen:(\d+):", key) for key in self.keys()]
        return {int(match[1]) for match in found if match}

    def ttls(self):
        """{key: its time to live in seconds, -1 for one that stays for ever}."""
        return {key.decode(): ttl for key, ttl in self.command("EVAL", TTLS_SCRIPT, 0, f"{self.prefix}:*")}

    def assert_keys_end(self):
        """Every key starts with the prefix (else it would not be listed) and has a time to live."""
        assert [key for key, ttl in self.ttls().items() if ttl == -1] == []

    def generation_key(self, generation, name):
        return f"{self.prefix}:gen:{generation}:{name}"

    def expire_lease(self):
        """What time would do to the lease of a worker that is dead."""
        self.command("DEL", f"{self.prefix}:lease")

    # ---- What is in the databases

    def set_counter(self, value):
        self.fleet.postgres.execute(f"UPDATE clientes_kommo SET valor = {value} WHERE id = 1", f"kommo_{self.data}")

    def kommo(self, sql):
        return self.fleet.postgres.execute(sql, f"kommo_{self.data}")

    def ecosys(self, sql):
        return self.fleet.mariadb.execute(sql, f"ecosys_{self.data}")


def published_generations(log):
    """The numbers of all generations that a worker's log says it published."""
    return [int(number) for number in re.findall(r'message="generation published" generation=(\d+)', log)]


def changed_model(folder, change):
    """The path of a copy of the scoring model after change(model)."""
    with open(SCORING, encoding="utf-8") as source:
        model = json.load(source)
    change(model)
    path = os.path.join(folder, unique("model") + ".json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(model, out)
    return path


# ---- Sessions of the databases' clients, for a refresh that is to take as long as a test needs


class Session:
    """A session of a database's client that stays open, with the locks it takes, to the end of the block."""

    def __init__(self, argv):
        self.client = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self.printed, self.count = b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.kill()
        self.client.communicate()

    def begin(self, sql):
        """Sends statements, which may wait for the locks of others."""
        self.count += 1
        self.client.stdin.write(f"{sql}; SELECT 'done {self.count}';\n".encode())

    def is_done(self):
        """Whether all that was sent has been run."""
        while select.select([self.client.stdout], [], [], 0)[0]:
            data = os.read(self.client.stdout.fileno(), 1 << 16)
            if not data:
                raise ServerError(f"the client has ended: {self.printed.decode()}")
            self.printed += data
        return f"done {self.count}".encode() in self.printed

    def run(self, sql, seconds=20):
        self.begin(sql)
        wait_for(self.is_done, sql, seconds)


def session_in_postgres(stage):
    return Session(stage.fleet.postgres.client(f"kommo_{stage.data}") + ["-t"])


def session_in_mariadb(stage):
    return Session(stage.fleet.mariadb.client(f"ecosys_{stage.data}") + ["--unbuffered"])


@contextlib.contextmanager
def lock_in_postgres(stage, table="clientes_kommo"):
    """The session that has locked the table; it may change what is in it."""
    with session_in_postgres(stage) as session:
        session.run(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield session


# A refresh waits for locks of others before its snapshot. Who is to wait behind it is asked for a lock by a view, and
# for as long as it is held: the worker's own limit on such waits does not count for it.
HELD_SQL = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('held_statuses')) THEN
        ALTER TABLE statuses RENAME TO held_statuses;
        CREATE FUNCTION wait_until_let_go() RETURNS bool LANGUAGE plpgsql SET lock_timeout = 0 AS
            'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END';
        CREATE VIEW statuses AS SELECT * FROM held_statuses WHERE (SELECT wait_until_let_go());
        GRANT SELECT ON statuses TO {reader};
    END IF;
END
$$"""


@contextlib.contextmanager
def hold_in_postgres(stage):
    """The session that refreshes wait for when they have their snapshot and locks and read the clients. statuses stays
    a view."""
    stage.kommo(HELD_SQL.format(reader=stage.fleet.READER))
    with session_in_postgres(stage) as session:
        session.run("BEGIN; SELECT pg_advisory_xact_lock(7)")
        yield session


@contextlib.contextmanager
def lock_in_mariadb(stage, table="cards"):
    with session_in_mariadb(stage) as session:
        session.run(f"LOCK TABLES {table} WRITE")
        yield session


@contextlib.contextmanager
def slow_table(stage, table, seconds):
    """Each statement that reads it takes so long."""
    stage.ecosys(
        f"RENAME TABLE {table} TO quick_{table};"
        f"CREATE VIEW {table} AS SELECT t.* FROM quick_{table} t, (SELECT SLEEP({seconds})) waited"
    )
    try:
        yield
    finally:
        stage.ecosys(f"DROP VIEW {table}; RENAME TABLE quick_{table} TO {table}")


def waits_in_postgres(stage):
    return stage.fleet.postgres.query("SELECT 1 FROM pg_locks WHERE NOT granted")


def waits_in_mariadb(stage):
    """What the worker asks while it waits for somebody's lock."""
    return [row[7] for row in worker_in_mariadb(stage) if "Waiting for table" in (row[6] or "")]


def worker_in_mariadb(stage):
    """The worker's sessions, as SHOW FULL PROCESSLIST has them."""
    return [row for row in stage.fleet.mariadb.query("SHOW FULL PROCESSLIST") if row[1] == stage.fleet.READER]


def worker_in_postgres(stage):
    return stage.fleet.postgres.query(
        f"SELECT state, query FROM pg_stat_activity WHERE usename = '{stage.fleet.READER}'"
    )
