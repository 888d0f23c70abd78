"""Properties that hold for any data: random rows in both servers, a refresh, and the API asked with random filters.

Each data set has a seed of its own, which is in the test's name. ECOSYS_SEED repeats a run from that seed on,
ECOSYS_SETS says how many data sets there are."""

import datetime
import os
import random
import re
from decimal import Decimal

import pytest

import oracle
from http_client import MSGPACK, Connection, ask
from media_types import assert_csv_is_json, assert_msgpack_is_json, parse_csv
from service import MYSQL_INDEXES, MYSQL_SCHEMA, POSTGRES_SCHEMA, Stage, prepare_sample, published_generations
from serving import assert_compact, start_loaded

SETS = int(os.environ.get("ECOSYS_SETS", "50"))
FIRST_SEED = int(os.environ.get("ECOSYS_SEED", random.SystemRandom().randrange(1, 10**6)))
DATA = ("/clientes", "/health-scores?formato=plano", "/health-scores?formato=detalhado", "/dashboard")
FILTERS, BUCKETS, TENANTS, SPLITS = 3, 3, 3, 3  # a data set
OLDEST_INSTANT, INSTANT_SPAN_S = datetime.datetime(2023, 1, 1), 4 * 365 * 86400


class DataSet:
    """Random rows, published; an API that has the stored answers and one that must compute them all."""

    def __init__(self, fleet, seed):
        self.rng = random.Random(seed)
        self.as_of = OLDEST_INSTANT + datetime.timedelta(seconds=self.rng.randrange(INSTANT_SPAN_S))
        flags = [
            "--tenants",
            str(self.rng.randint(1, 24)),
            "--clients",
            str(self.rng.randint(1, 40)),
            "--seed",
            str(seed),
        ]
        if seed % 2:
            flags.append("--hostile")
        prepare_sample(fleet, "random", *flags, as_of=str(self.as_of))
        if self.rng.random() < 0.5:  # by seeking, else by scanning
            fleet.mariadb.load("ecosys_random", MYSQL_INDEXES)
        self.stage = Stage(fleet, "random")
        self.generation = self.stage.publish("--as-of", str(self.as_of))
        self.api = start_loaded(self.stage)
        self.buckets = self.stored_filters()
        self.forget_stored_answers()
        self.computing = start_loaded(self.stage)
        assert "computed instead" in self.computing.log() or "list of stored answers" in self.computing.log()
        self.opinion = oracle.Oracle(
            fleet.postgres.client("kommo_random"), fleet.mariadb.client("ecosys_random"), self.as_of
        )
        self.days = sorted(
            oracle.as_day(c["data_adesao"]) for c in self.opinion.clients if c["data_adesao"] is not None
        )

    def stored_filters(self):
        found = (re.search(r":answer:([^:]+):([^:]+)$", key) for key in self.stage.keys())
        return sorted((read_bound(match[1]), read_bound(match[2])) for match in found if match)

    def forget_stored_answers(self):
        """They are gone, or they are garbage, or the list of them is."""
        keys = [key for key in self.stage.keys() if ":answer:" in key]
        way = self.rng.choice(("gone", "garbage", "list"))
        if way == "gone":
            self.stage.command("DEL", *keys)
        elif way == "garbage":
            for key in keys:
                blob = bytearray(self.stage.command("GET", key))
                blob[self.rng.randrange(len(blob))] ^= 1 << self.rng.randrange(8)
                self.stage.command("SET", key, bytes(blob), "KEEPTTL")
        else:
            self.stage.command("DEL", self.stage.generation_key(self.generation, "buckets"))

    def day(self):
        """Often one on which somebody came, or next to it; sometimes any."""
        if self.days and self.rng.random() < 0.8:
            return oracle.shift(self.rng.choice(self.days), self.rng.choice((-1, 0, 0, 0, 1)))
        return datetime.date.fromordinal(self.rng.randint(1, datetime.date.max.toordinal()))

    def filter(self):
        first, last = sorted((self.day(), self.day()))
        return self.rng.choice(((first, last), (first, last), (first, None), (None, last)))


def read_bound(text):
    return "" if text == "all" else text


def with_filter(path, first, last):
    query = "&".join(
        f"{name}={value}" for name, value in (("data_adesao_inicio", first), ("data_adesao_fim", last)) if value
    )
    return path + ("&" if "?" in path else "?") + query if query else path


def answer_of(connection, path):
    response = connection.ask(path)
    assert response.status == 200, (path, response)
    assert_compact(response.body, path)
    return oracle.parse_answer(response.body)


def expected(opinion, path, first, last):
    if path == "/clientes":
        return opinion.clientes(first, last)
    if path == "/dashboard":
        return opinion.dashboard(first, last)
    return opinion.health_scores(first, last, path.partition("=")[2])


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SETS))
def test_properties(fleet, seed):
    data = DataSet(fleet, seed)
    with Connection(data.api.port) as connection, Connection(data.computing.port) as computing:
        check_against_second_implementation(data, connection)
        check_logins(data, connection)
        check_buckets(data, connection, computing)
        check_media_types(data, connection)
        for _ in range(SPLITS):
            check_split(data, connection)


def check_against_second_implementation(data, connection):
    for first, last in [(None, None), *(data.filter() for _ in range(FILTERS))]:
        for path in DATA:
            got = answer_of(connection, with_filter(path, first, last))
            found = oracle.differences(expected(data.opinion, path, first, last), got)
            assert not found, (path, first, last, found[:5])


def check_media_types(data, connection):
    """The same answers in MessagePack and as tables, to questions without filter and with one."""
    for first, last in ((None, None), data.filter()):
        for path in DATA:
            plain = connection.ask(with_filter(path, first, last))
            packed = connection.ask(with_filter(path, first, last), headers={"Accept": MSGPACK})
            assert_msgpack_is_json(packed.body, plain.body)
        for path in ("/clientes", "/health-scores"):
            plain = connection.ask(with_filter(path, first, last))
            table = connection.ask(with_filter(f"{path}?formato=csv", first, last))
            assert_csv_is_json(table.body, plain.body, parse_csv(table.body)[0])


def check_logins(data, connection):
    for tenant in data.rng.sample(sorted(data.opinion.tenants), min(TENANTS, len(data.opinion.tenants))):
        got = answer_of(connection, f"/logins?tenant_id={tenant}")
        found = oracle.differences(data.opinion.logins(tenant), got)
        assert not found, (tenant, found[:5])
        plain, packed = (
            connection.ask(f"/logins?tenant_id={tenant}", headers=headers) for headers in ({}, {"Accept": MSGPACK})
        )
        assert_msgpack_is_json(packed.body, plain.body)


def check_buckets(data, connection, computing):
    """What was stored and what is computed are the same to the byte."""
    assert ("", "") in data.buckets and len(data.buckets) > 10
    chosen = [("", ""), *data.rng.sample([bucket for bucket in data.buckets if bucket != ("", "")], BUCKETS)]
    for bucket in chosen:
        for path in DATA:
            stored, computed = connection.ask(with_filter(path, *bucket)), computing.ask(with_filter(path, *bucket))
            assert stored.body == computed.body, (path, bucket)
            assert stored.header("ETag") == computed.header("ETag")
            if bucket != ("", ""):  # whose answers are made when a generation is loaded
                assert computed.header("X-Cache") == "COMPUTE" and stored.header("X-Cache") in ("BLOB", "HIT"), (
                    path,
                    bucket,
                )


def check_split(data, connection):
    """A range and its two halves: clients are in one of them, counts and money add up, tenants may be in both."""
    first, middle, last = sorted((data.day(), data.day(), data.day()))
    if middle == last:
        return
    ranges = (first, last), (first, middle), (oracle.shift(middle, 1), last)
    whole, left, right = (answer_of(connection, with_filter("/clientes", *bounds)) for bounds in ranges)
    assert list(right) + list(left) == list(whole)  # newest first
    kpis, left_kpis, right_kpis = (answer_of(connection, with_filter("/dashboard", *bounds)) for bounds in ranges)
    for name in ("clientes_ativos", "clientes_pagantes", "clientes_onboarding"):
        assert kpis[name] == left_kpis[name] + right_kpis[name], (name, ranges)
    # each sum is rounded once, so halves of a cent may come and go
    amounts = [Decimal(client["valor"]) for client in whole.values() if client["valor"] is not None]
    is_whole_cents = all(amount.as_tuple().exponent >= -2 for amount in amounts)
    for name in ("mrr_value", "churn_value"):
        off = abs(Decimal(kpis[name]) - Decimal(left_kpis[name]) - Decimal(right_kpis[name]))
        assert off <= (0 if is_whole_cents else Decimal("0.01")), (name, ranges)
    scores, left_scores, right_scores = (
        answer_of(connection, with_filter("/health-scores", *bounds)) for bounds in ranges
    )
    assert {**left_scores, **right_scores} == dict(scores)
    assert sum(kpis["clientes_health"].values()) == len(scores)


# ---- Bytes that are not UTF-8


def garbage(rng, length):
    """Bytes without NUL: some text, some of Latin 1, sequences cut short, too long, surrogates, beyond Unicode."""
    pieces = [
        b"Loja ",
        "ção".encode("latin-1"),
        "ção 🚗".encode(),
        b"\xff",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x9a",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe0\x80\x80",
        b"\x80\xbf",
        b'"\\\x01',
        b"\xf8\x88\x80\x80\x80",
        b"\xef\xbf\xbd",
    ]
    return b"".join(rng.choice(pieces) if rng.random() < 0.9 else bytes([rng.randint(1, 255)]) for _ in range(length))


def cleaned(raw):
    """The text, and how many sequences had to be replaced."""
    text = raw.decode("utf-8", errors="replace")
    return text, text.count("\ufffd") - raw.count(b"\xef\xbf\xbd")


def refresh_with_replacements(stage):
    """The number of texts that the log says were replaced."""
    done = stage.once("--as-of", "2025-03-14 15:09:26")
    assert done.returncode == 0, done.stderr
    assert published_generations(done.stderr)
    return int(re.search(r"replaced_texts=(\d+)", done.stderr)[1])


def test_garbage_in_mariadb(fleet):
    """Binary columns with anything in them; a column of Latin 1 is turned into UTF-8 by the server, and keeps all."""
    rng = random.Random(FIRST_SEED)
    path = os.path.join(fleet.folder, "garbage.sql")
    names = {tenant: garbage(rng, rng.randint(0, 8))[:255] for tenant in range(1, 41)}
    people = {user: garbage(rng, rng.randint(0, 8))[:255] for user in range(1, 21)}
    with open(path, "w", encoding="utf-8") as out:
        out.write(
            "SET time_zone = '-03:00'; ALTER TABLE tenants MODIFY name VARBINARY(255);"
            " ALTER TABLE users MODIFY name BLOB, MODIFY email VARCHAR(255) CHARACTER SET latin1;"
        )
        for tenant, raw in names.items():
            out.write(
                f"INSERT INTO tenants (id, name, cnpj, slug)"
                f" VALUES ({tenant}, X'{raw.hex()}', '11222333000181', 'l{tenant}');"
            )
        for user, raw in people.items():
            out.write(
                f"INSERT INTO users (id, tenant_id, name, email)"
                f" VALUES ({user}, 1, X'{raw.hex()}', 'joão€@loja.example');"
            )
            out.write(
                "INSERT INTO activity_log (tenant_id, subject_id, event, created_at)"
                f" VALUES (1, {user}, 'login', '2025-03-10');"
            )
    fleet.prepare("garbage_in_mariadb", kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA, path])
    stage = Stage(fleet, "garbage_in_mariadb")
    stage.kommo(
        "INSERT INTO companies_kommo VALUES (1, 'Loja', 'Loja', 11222333000181);"
        "INSERT INTO clientes_kommo (id, company_id) VALUES (1, 1)"
    )
    assert refresh_with_replacements(stage) == sum(cleaned(raw)[1] for raw in (*names.values(), *people.values()))
    port = start_loaded(stage).port
    response = ask(port, "/health-scores")
    shown = {int(key): tenant["name"] for key, tenant in response.json().items()}
    assert shown == {key: cleaned(raw)[0] for key, raw in names.items()}
    assert_compact(response.body, "names")
    response = ask(port, "/logins?tenant_id=1")
    logins = response.json()["logins"][::-1]
    assert [login["usuario_nome"] for login in logins] == [cleaned(raw)[0] for raw in people.values()]
    assert {login["usuario_email"] for login in logins} == {"joão€@loja.example"}
    assert_compact(response.body, "people")


def test_garbage_in_postgres(fleet):
    """A database of SQL_ASCII takes any bytes and gives them back as they are, whatever the client's encoding."""
    rng = random.Random(FIRST_SEED)
    name = "garbage_in_postgres"
    fleet.prepare(name, ecosys=[MYSQL_SCHEMA])
    fleet.postgres.drop_database(f"kommo_{name}")
    fleet.postgres.execute(
        f"CREATE DATABASE kommo_{name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    texts = {client: [garbage(rng, rng.randint(0, 12)) for _ in range(3)] for client in range(1, 41)}
    path = os.path.join(fleet.folder, f"{name}.sql")
    with open(path, "w", encoding="utf-8") as out:
        out.write(
            "ALTER TABLE clientes_kommo ALTER vendedor TYPE text, ALTER motivos_churn TYPE text,"
            " ALTER descricao_cancelamento TYPE text;"
        )
        for client, raws in texts.items():
            values = ", ".join("E'" + "".join(f"\\x{byte:02x}" for byte in raw) + "'" for raw in raws)
            out.write(
                "INSERT INTO clientes_kommo (id, vendedor, motivos_churn, descricao_cancelamento)"
                f" VALUES ({client}, {values});"
            )
    fleet.postgres.load(f"kommo_{name}", POSTGRES_SCHEMA, path)
    fleet.postgres.create_reader(fleet.READER, fleet.password, f"kommo_{name}")
    stage = Stage(fleet, name)
    assert refresh_with_replacements(stage) == sum(cleaned(raw)[1] for raws in texts.values() for raw in raws)
    response = ask(start_loaded(stage).port, "/clientes")
    shown = {
        int(key): [client[column] for column in ("vendedor", "motivos_churn", "descricao_cancelamento")]
        for key, client in response.json().items()
    }
    assert shown == {key: [cleaned(raw)[0] for raw in raws] for key, raws in texts.items()}
    assert_compact(response.body, "clients")
