"""Rows for measurements, made inside the servers by SQL: the same at every run, shaped like a base of car dealers.

- Event tables are filled in the order of time, as production fills them: history first, then the last 30 days. A row of
  the last 30 days depends on its own number alone, so more history leaves the 30 days as they are.
- Few tenants have many rows, many have few. The last tenth has none in the last 30 days, the last fiftieth none at all.
- Of activity_log, 25 % are logins that name their tenant, 5 % logins whose tenant only the user tells, and the rest
  other events. Those have subjects of other kinds, with numbers that grow with history and are numbers of users too.
- Nothing is drawn at random: a number is scattered by a product and CRC32.
"""

import concurrent.futures
import dataclasses
import datetime
import os
import re

from common import ROOT

AS_OF = "2025-06-30 18:00:00"  # in TZ, as what follows
ZONE = "-03:00"
WINDOW_DAYS = 30
HISTORY_DAYS = 3 * 365 - WINDOW_DAYS
USERS_PER_TENANT = 5
ROWS_PER_COMMIT = 500_000
WINDOW_NUMBERS = 10**10  # rows of the last 30 days are numbered from here, whatever the history

POSTGRES_SCHEMA = os.path.join(ROOT, "schemas/postgres/schema.sql")
MYSQL_SCHEMA = os.path.join(ROOT, "schemas/mysql/schema.sql")
POSTGRES_INDEXES = os.path.join(ROOT, "schemas/postgres/indexes.sql")
MYSQL_INDEXES = os.path.join(ROOT, "schemas/mysql/indexes.sql")


def scatter(salt):
    """An expression: the row's number {n} as 32 bits in disorder. Other salts, other disorder: in CRC32 alone, texts
    that differ in a suffix would differ in a constant."""
    return f"CRC32({{n}} * {salt})"


KIND = f"{scatter(16807)} % 100"
DELETED = f"IF({scatter(30011)} % 100 < 3, {{created}}, NULL)"
USER = f"({{tenant}} - 1) * {USERS_PER_TENANT} + 1 + {scatter(69621)} % {USERS_PER_TENANT}"

# Table: (hundredths of all rows, the columns besides id and created_at)
EVENTS = {
    "activity_log": (
        40,
        {
            "tenant_id": f"IF({KIND} BETWEEN 25 AND 29 OR {KIND} > 97, NULL, {{tenant}})",
            "subject_id": f"IF({KIND} < 30, {USER}, 1 + {{n}} DIV 3)",
            "event": f"IF({KIND} < 30, 'login', ELT(1 + {KIND} % 4, 'created', 'updated', 'deleted', 'updated'))",
        },
    ),
    "inventory_entries": (
        10,
        {
            "tenant_id": "{tenant}",
            "vehicle_id": "{n}",
            "status": "IF({n} % 10 < 3, 'active', 'sold')",
            "deleted_at": DELETED,
        },
    ),
    "inventory_outs": (10, {"tenant_id": "{tenant}", "vehicle_id": "{n}", "deleted_at": DELETED}),
    "cards": (15, {"tenant_id": "{tenant}", "deleted_at": DELETED}),
    "econversa_messages": (15, {"tenant_id": "{tenant}"}),
    "integrator_ads": (6, {"tenant_id": "{tenant}", "integrator_id": f"1 + {scatter(40014)} % 16"}),
    "reports": (2, {"tenant_id": "{tenant}"}),
    "contracts": (2, {"tenant_id": "{tenant}"}),
}

FIRST_CNPJ = 11_000_000_000_000  # tenant N has that of client N

TENANTS = """
INSERT INTO tenants (id, name, cnpj, slug, type, created_at)
    SELECT seq, CONCAT('Loja ', seq, ' Veículos'), {cnpj} + seq, CONCAT('loja-', seq),
           IF(seq % 20 = 0, 'demo', 'normal'), '2020-01-01' FROM seq_1_to_{tenants};
INSERT INTO users (id, tenant_id, name, email)
    SELECT seq, 1 + (seq - 1) DIV {users}, CONCAT('Pessoa ', seq), CONCAT('pessoa', seq, '@loja.example')
    FROM seq_1_to_{all_users};
INSERT INTO econversa_instance_configurations (id, name, status)
    SELECT seq, CONCAT('loja-', seq * 2), ELT(1 + seq % 3, 'open', 'close', 'OPEN') FROM seq_1_to_{half};
INSERT INTO integrator_configurations (id, tenant_id, integrator_id, deleted_at)
    SELECT seq, 1 + (seq - 1) DIV 2, 1 + CRC32(seq * 40014) % 16, IF(seq % 10 = 0, '2024-01-01', NULL)
    FROM seq_1_to_{twice};
"""

CLIENTS = """
INSERT INTO users SELECT g, 'CS ' || g, 'cs' || g || '@loja.example' FROM generate_series(1, 5) g;
INSERT INTO pipelines VALUES (0, 'CS | ONGOING'), (1, 'CS | ONGOING'), (2, 'CS | ONGOING'), (3, 'CS | ONBOARDING'),
    (4, 'CS | BRADESCO'), (5, 'Churns & Cancelamentos'), (6, 'Comercial | Negociação');
INSERT INTO statuses SELECT g, 'Etapa ' || g FROM generate_series(0, 8) g;
INSERT INTO companies_kommo
    SELECT g, 'Loja ' || g || ' Veículos', 'Loja ' || g || ' Comércio de Veículos Ltda', {cnpj} + g
    FROM generate_series(1, {clients}) g;
INSERT INTO clientes_kommo
    SELECT g, g, 179.90 + g % 13 * 50, 'Vendedora ' || g % 6, 1 + g % 5, g % 7, g % 9, adesao,
           adesao + interval '2 days', CASE WHEN g % 7 <> 3 THEN adesao + g % 45 * interval '1 day' END,
           CASE WHEN g % 7 = 5 THEN adesao + interval '200 days' END, CASE WHEN g % 7 = 5 THEN 'Preço' END,
           CASE WHEN g % 7 = 5 THEN 'Pediu desconto e não aceitou a contraproposta' END, adesao, adesao,
           CASE WHEN g % 40 = 0 THEN adesao END
    FROM (SELECT g, CASE WHEN g % 50 <> 1 THEN timestamp '{as_of}' - g::bigint * 7919 % 43800 * interval '1 hour' END
          AS adesao FROM generate_series(1, {clients}) g) AS drawn;
VACUUM ANALYZE;
"""


@dataclasses.dataclass(frozen=True)
class Size:
    """How much of it; rows are those of the eight event tables together."""

    tenants: int
    clients: int
    window_rows: int
    history_rows: int
    history: int = 1  # how many times the rows before the last 30 days

    @property
    def rows(self):
        return self.window_rows + self.history * self.history_rows

    def with_history(self, history):
        return dataclasses.replace(self, history=history)


def unix_s(text):
    return int(datetime.datetime.fromisoformat(f"{text}{ZONE}").timestamp())


def window_start():
    day = datetime.date.fromisoformat(AS_OF[:10]) - datetime.timedelta(WINDOW_DAYS)
    return f"{day} 00:00:00"


def _inserts(table, ids_after, count, first_number, last_tenant, begin_s, end_s):
    """INSERTs of count rows, equally apart in time, each a transaction."""
    columns = EVENTS[table][1]
    if count == 0:
        return
    row = {
        "n": f"({first_number} + seq)",
        "tenant": f"(1 + FLOOR({last_tenant} * POW({scatter(48271)} / 4294967296, 2)))",
        "created": f"FROM_UNIXTIME({begin_s} + (seq - 1) * {end_s - begin_s} DIV {count})",
    }
    row["tenant"] = row["tenant"].format(**row)
    values = ", ".join(expression.format(**row) for expression in columns.values())
    for first in range(1, count + 1, ROWS_PER_COMMIT):
        last = min(first + ROWS_PER_COMMIT - 1, count)
        yield (
            f"INSERT INTO {table} (id, created_at, {', '.join(columns)})"
            f" SELECT {ids_after} + seq, {row['created']}, {values} FROM seq_{first}_to_{last};\n"
        )


def _fill(server, database, table, size):
    """Rows first, secondary keys behind them: sorting once is faster than keeping the order all the time."""
    share = EVENTS[table][0]
    history, window = (total * share // 100 for total in (size.history * size.history_rows, size.window_rows))
    definition = server.execute(f"SHOW CREATE TABLE {table}", database)
    keys = re.findall(r"(KEY `(\w+)` \(.*?\))(?=,?\\n)", definition)
    start, since, now = unix_s(window_start()) - HISTORY_DAYS * 86400, unix_s(window_start()), unix_s(AS_OF)
    server.execute(
        "".join(
            [
                f"SET time_zone = '{ZONE}';\n",
                *(f"ALTER TABLE {table} DROP KEY {name};\n" for _, name in keys),
                *_inserts(table, 0, history, 0, size.tenants * 49 // 50, start, since),
                *_inserts(table, history, window, WINDOW_NUMBERS, size.tenants * 9 // 10, since, now),
                f"ALTER TABLE {table} {', '.join(f'ADD {key}' for key, _ in keys)};\n" if keys else "",
                f"ANALYZE TABLE {table};\n",
            ]
        ),
        database,
    )


def load(fleet, name, size):
    """Makes the data set anew, with the keys of schemas/*/schema.sql. The largest tables begin, two at a time."""
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA])
    fleet.postgres.execute(CLIENTS.format(cnpj=FIRST_CNPJ, clients=size.clients, as_of=AS_OF), f"kommo_{name}")
    fleet.mariadb.execute(
        TENANTS.format(
            cnpj=FIRST_CNPJ,
            tenants=size.tenants,
            users=USERS_PER_TENANT,
            all_users=USERS_PER_TENANT * size.tenants,
            half=size.tenants // 2,
            twice=2 * size.tenants,
        ),
        f"ecosys_{name}",
    )
    pool = concurrent.futures.ThreadPoolExecutor(2)
    try:
        for filled in [pool.submit(_fill, fleet.mariadb, f"ecosys_{name}", table, size) for table in EVENTS]:
            filled.result()
    finally:
        # After a failure or a signal those under way are not waited for: they end with the server.
        pool.shutdown(wait=False, cancel_futures=True)


def add_recommended_indexes(fleet, name):
    fleet.postgres.load(f"kommo_{name}", POSTGRES_INDEXES)
    fleet.mariadb.load(f"ecosys_{name}", MYSQL_INDEXES)
    fleet.mariadb.execute(f"ANALYZE TABLE {', '.join(EVENTS)}", f"ecosys_{name}")


def count_rows(fleet, name):
    """{table: [all its rows, those of the last 30 days]}, counted."""
    counts = " UNION ALL ".join(
        f"SELECT '{table}', COUNT(*), SUM(created_at >= '{window_start()}') FROM {table}" for table in EVENTS
    )
    rows = fleet.mariadb.query(f"SET time_zone = '{ZONE}'; {counts}", f"ecosys_{name}")
    return {table: [int(count), int(recent)] for table, count, recent in rows}


def count_bytes(fleet, name):
    """(bytes of rows, bytes of secondary keys) of the EcoSys database, as the server estimates them."""
    sums = "SELECT SUM(data_length), SUM(index_length) FROM information_schema.tables"
    sql = f"{sums} WHERE table_schema = 'ecosys_{name}'"
    return tuple(map(int, fleet.mariadb.query(sql)[0]))
