"""/logins: one tenant's logins, worked out by hand and by the second implementation, and what is answered when the
stored ones are damaged or out of reach. What may be asked, and how, is test_http_contract.py's."""

import contextlib
import datetime
import os
import random

import pytest

import oracle
from http_client import Connection, ask, request_bytes
from service import AS_OF, MYSQL_SCHEMA, POSTGRES_SCHEMA, Stage, new_redis, prepare_sample, wait_for
from serving import assert_compact, start_loaded, wait_until_served

TODAY = datetime.date(2025, 3, 14)
WINDOW = TODAY - datetime.timedelta(days=30)  # 2025-02-12
NULL = "NULL"

TENANTS = [(1, "normal"), (2, "normal"), (3, "normal"), (4, "teste"), (5, "normal"), (18446744073709551615, "normal")]
USERS = [  # id, tenant, name, e-mail
    (11, 1, 'Ana "Aspas" \\ Ação', "ana@loja.example"),
    (12, 1, None, None),
    (13, 2, "Bia", "bia@loja.example"),
    (14, None, "Suporte", "suporte@ecosys.example"),
    (15, 1, "", "\n\t\x01🚗"),
]
ROWS = [  # id, tenant, user, event, created_at
    (101, 1, 11, "login", "2025-03-14 15:09:26"),
    (102, 1, 12, "login", "2025-03-14 15:09:26"),  # the same second: the higher id comes first
    (103, 1, 11, "login", "2025-03-13 00:00:00"),  # midnight is 00:00:00, not null
    (104, 1, NULL, "login", "2025-03-13 23:59:59"),  # nobody: counted, but no user
    (105, NULL, 11, "login", "2025-03-01 08:00:00"),  # the tenant is that of the user
    (106, 1, 13, "login", "2025-03-02 08:00:00"),  # a user of another tenant: the row's tenant counts
    (107, 1, 99, "login", "2025-03-02 09:00:00"),  # a user that is not there
    (108, 1, 15, "login", f"{WINDOW} 00:00:00"),  # the first instant of the window
    (109, 1, 11, "login", "2025-02-11 23:59:59"),  # the last one before it
    (110, 1, 11, "logout", "2025-03-14 10:00:00"),
    (111, 1, 11, "login", NULL),
    (112, 1, 14, "login", "2025-03-20 10:00:00"),  # after the reference: still since its first day
    (113, NULL, 14, "login", "2025-03-10 10:00:00"),  # nobody's: neither row nor user has a tenant
    (114, NULL, NULL, "login", "2025-03-10 10:00:00"),
    (115, 777, 11, "login", "2025-03-10 10:00:00"),  # a tenant that is not there
    (116, 2, 13, "login", "2025-01-01 10:00:00"),  # all of tenant 2's are too old
    (117, 4, 13, "login", "2025-03-10 10:00:00"),
    (118, 18446744073709551615, 13, "login", "2025-03-10 10:00:00"),
    (119, 1, 11, "LOGIN", "2025-03-14 11:00:00"),  # letter case is for the column's collation to say: it ignores it
]


def literal(value):
    if value is None or value == NULL:
        return "NULL"
    return str(value) if isinstance(value, int) else "CONVERT(X'" + value.encode().hex() + "' USING utf8mb4)"


def insert(table, columns, rows):
    lines = ",".join("(" + ",".join(literal(value) for value in row) + ")" for row in rows)
    return f"INSERT INTO {table} ({columns}) VALUES {lines};"


@pytest.fixture(scope="module")
def by_hand(fleet):
    """A port where the rows above are served."""
    path = os.path.join(fleet.folder, "logins.sql")
    with open(path, "w", encoding="utf-8") as out:
        out.write("SET time_zone = '-03:00';")
        out.write(insert("tenants", "id, type, name", [(*tenant, "Loja") for tenant in TENANTS]))
        out.write(insert("users", "id, tenant_id, name, email", USERS))
        out.write(insert("activity_log", "id, tenant_id, subject_id, event, created_at", ROWS))
    fleet.prepare("by_hand", kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA, path])
    stage = Stage(fleet, "by_hand")
    stage.publish()
    return start_loaded(stage).port


def login(number, name, email, instant):
    day, time = instant.split("T")
    return {
        "id": number,
        "usuario_nome": name,
        "usuario_email": email,
        "data_login": instant,
        "data": day,
        "hora": time,
    }


def test_a_tenant_by_hand(by_hand):
    ana = ('Ana "Aspas" \\ Ação', "ana@loja.example")
    logins = [
        login(112, "Suporte", "suporte@ecosys.example", "2025-03-20T10:00:00"),
        login(102, None, None, "2025-03-14T15:09:26"),
        login(101, *ana, "2025-03-14T15:09:26"),
        login(119, *ana, "2025-03-14T11:00:00"),
        login(104, None, None, "2025-03-13T23:59:59"),
        login(103, *ana, "2025-03-13T00:00:00"),
        login(107, None, None, "2025-03-02T09:00:00"),
        login(106, "Bia", "bia@loja.example", "2025-03-02T08:00:00"),
        login(105, *ana, "2025-03-01T08:00:00"),
        login(108, "", "\n\t\x01🚗", "2025-02-12T00:00:00"),
    ]
    response = ask(by_hand, "/logins?tenant_id=1")
    document = response.json()
    assert document == {
        "tenant_id": 1,
        "periodo": "últimos 30 dias",
        "total_logins": 10,
        "usuarios_unicos": 6,
        "dias_com_acesso": 6,
        "dias_com_login": 6,
        "ultimo_login": logins[0],
        "logins": logins,
    }
    assert list(document) == [
        "tenant_id",
        "periodo",
        "total_logins",
        "usuarios_unicos",
        "dias_com_acesso",
        "dias_com_login",
        "ultimo_login",
        "logins",
    ]
    assert list(document["logins"][0]) == ["id", "usuario_nome", "usuario_email", "data_login", "data", "hora"]
    assert_compact(response.body, "tenant 1")


@pytest.mark.parametrize("tenant_id", [2, 3, 5])
def test_a_tenant_without_logins(by_hand, tenant_id):
    assert ask(by_hand, f"/logins?tenant_id={tenant_id}").json() == {
        "tenant_id": tenant_id,
        "periodo": "últimos 30 dias",
        "total_logins": 0,
        "usuarios_unicos": 0,
        "dias_com_acesso": 0,
        "dias_com_login": 0,
        "ultimo_login": None,
        "logins": [],
    }


@pytest.mark.parametrize("tenant_id", [4, 18446744073709551615])
def test_tenants_that_have_no_score_have_logins(by_hand, tenant_id):
    document = ask(by_hand, f"/logins?tenant_id={tenant_id}").json()
    assert (document["tenant_id"], document["total_logins"]) == (tenant_id, 1)
    assert document["ultimo_login"] == document["logins"][0]


def test_a_tenant_that_no_row_has(by_hand):
    response = ask(by_hand, "/logins?tenant_id=777")
    assert response.status == 404 and response.json() == {"detail": "Tenant não encontrado."}


def test_filters_do_not_matter(by_hand):
    path = "/logins?tenant_id=1"
    assert ask(by_hand, f"{path}&data_adesao_inicio=x&formato=y&wait=z").body == ask(by_hand, path).body


# ---- Against the second implementation


def second_opinion(stage):
    as_of = datetime.datetime.fromisoformat(AS_OF)
    return oracle.Oracle(
        stage.fleet.postgres.client(f"kommo_{stage.data}"), stage.fleet.mariadb.client(f"ecosys_{stage.data}"), as_of
    )


@pytest.mark.parametrize("flags", [(), ("--hostile", "--seed", "77")], ids=["usual", "hostile"])
def test_every_tenant(fleet, flags):
    name = "hostile" if flags else "usual"
    prepare_sample(fleet, name, "--tenants", "40", "--clients", "10", *flags)
    stage = Stage(fleet, name)
    stage.publish()
    opinion = second_opinion(stage)
    with Connection(start_loaded(stage).port) as connection:
        for tenant_id in opinion.tenants:
            body = connection.ask(f"/logins?tenant_id={tenant_id}").body
            found = oracle.differences(opinion.logins(tenant_id), oracle.parse_answer(body))
            assert not found, (tenant_id, found[:5])
            assert_compact(body, tenant_id)


# ---- Stored in several parts, damaged, out of reach

BUSY, QUIET, EMPTY = 1, 2, 3


@pytest.fixture(scope="module")
def busy(fleet):
    """A data set with a tenant whose logins take several parts, as each has a user of its own with long texts."""
    path = os.path.join(fleet.folder, "busy.sql")
    with open(path, "w", encoding="utf-8") as out:
        out.write("SET time_zone = '-03:00';")
        out.write(insert("tenants", "id, name", [(BUSY, "Loja"), (QUIET, "Loja"), (EMPTY, "Loja")]))
        out.write(
            "INSERT INTO users (id, tenant_id, name, email) SELECT seq, 1, RPAD(seq, 255, 'ção '), RPAD(seq, 255, 'x')"
            " FROM seq_1_to_9000;"
        )
        out.write(
            "INSERT INTO activity_log (id, tenant_id, subject_id, event, created_at)"
            " SELECT seq, 1, seq, 'login', '2025-03-14 15:00:00' - INTERVAL (seq * 7919 % 1000) MINUTE"
            " FROM seq_1_to_9000;"
        )
        out.write("INSERT INTO activity_log (tenant_id, event, created_at) VALUES (2, 'login', '2025-03-14 10:00:00');")
    fleet.prepare("busy", kommo=[POSTGRES_SCHEMA], ecosys=[MYSQL_SCHEMA, path])
    return "busy"


def fields_of(stage, generation):
    return {field.decode() for field in stage.command("HKEYS", stage.generation_key(generation, "logins"))}


def test_logins_in_several_parts(fleet, busy):
    stage = Stage(fleet, busy)
    generation = stage.publish()
    assert {"1:0", "1:1", "1:2", "2:0", "complete"} <= fields_of(stage, generation)
    opinion = second_opinion(stage)
    port = start_loaded(stage).port
    for tenant_id in (BUSY, QUIET, EMPTY):
        response = ask(port, f"/logins?tenant_id={tenant_id}")
        assert not oracle.differences(opinion.logins(tenant_id), oracle.parse_answer(response.body))
        compressed = ask(port, f"/logins?tenant_id={tenant_id}", headers={"Accept-Encoding": "gzip"})
        assert compressed.content() == response.body


def change(position):
    return lambda blob: blob[:position] + bytes([blob[position] ^ 0x20]) + blob[position + 1 :]


DAMAGE = {  # field: what becomes of it
    "first part cut short": ("1:0", lambda blob: blob[:-1]),
    "second part cut short": ("1:1", lambda blob: blob[:100]),
    "bit of the magic": ("1:0", change(0)),
    "bit of the version": ("1:0", change(5)),
    "bit of the kind": ("1:0", change(7)),
    "bit of the content": ("1:2", change(5000)),
    "empty": ("1:1", lambda blob: b""),
    "garbage": ("1:0", lambda blob: random.Random(5).randbytes(len(blob))),
    "second part gone": ("1:1", None),
    "a part of another tenant": ("1:0", "HGET 2:0"),
    "a part twice": ("1:1", "HGET 1:0"),
    "a part skipped": ("1:1", "HGET 1:2"),
    "the last part first": ("1:0", "HGET 1:2"),
    "unfinished": ("complete", None),
    "all gone": (None, None),
    "of another type": (None, "type"),
}


def damage(stage, generation, field, how):
    key = stage.generation_key(generation, "logins")
    if field is None:
        stage.command("DEL", key)
        if how:
            stage.command("SET", key, "x", "EX", 600)
    elif how is None:
        stage.command("HDEL", key, field)
    elif isinstance(how, str):
        stage.command("HSET", key, field, stage.command("HGET", key, how.split()[1]))
    else:
        stage.command("HSET", key, field, how(stage.command("HGET", key, field)))


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_logins(fleet, busy, name):
    """Never wrong numbers: 503, until the next generation brings good ones."""
    field, how = DAMAGE[name]
    stage = Stage(fleet, busy)
    generation = stage.publish()
    damage(stage, generation, field, how)
    api = start_loaded(stage)
    for _ in range(2):
        response = ask(api.port, f"/logins?tenant_id={BUSY}")
        assert response.status == 503 and int(response.header("Retry-After")) > 0, response
    others = 503 if field in (None, "complete") else 200
    assert [ask(api.port, f"/logins?tenant_id={tenant}").status for tenant in (QUIET, EMPTY, 777)] == [
        others,
        others,
        404,
    ]
    assert ask(api.port, "/dashboard").status == 200
    assert "an answer could not be made" in api.log()
    wait_until_served(api.port, stage.publish())
    assert ask(api.port, f"/logins?tenant_id={BUSY}").json()["total_logins"] == 9000


def test_redis_is_out_of_reach(fleet, busy):
    """What was asked before is at hand, the rest is 503 in good time; when Redis is back, so is all."""
    redis = new_redis(fleet)
    stage = Stage(fleet, busy, redis)
    stage.publish()
    api = start_loaded(stage, REDIS_TIMEOUT_MS=500)
    known = ask(api.port, f"/logins?tenant_id={QUIET}")
    redis.pause()
    assert ask(api.port, f"/logins?tenant_id={QUIET}").body == known.body
    response = ask(api.port, f"/logins?tenant_id={BUSY}")
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert ask(api.port, "/logins?tenant_id=777").status == 404
    redis.resume()
    wait_for(lambda: ask(api.port, f"/logins?tenant_id={BUSY}").status == 200, "they are fetched again", 20)
    redis.kill()
    assert ask(api.port, f"/logins?tenant_id={QUIET}").body == known.body
    assert ask(api.port, f"/logins?tenant_id={EMPTY}").status == 503
    redis.start()
    wait_for(lambda: ask(api.port, "/health").json()["redis_connection"] == "ok", "Redis is seen", 10)
    assert ask(api.port, f"/logins?tenant_id={EMPTY}").status == 503  # Redis is empty
    wait_until_served(api.port, stage.publish())
    assert ask(api.port, f"/logins?tenant_id={EMPTY}").status == 200


def test_a_queue_waits_for_redis_once(fleet, busy):
    """Two at a time are fetched; what waits behind those that Redis left without an answer fails with them."""
    redis = new_redis(fleet)
    stage = Stage(fleet, busy, redis)
    stage.publish()
    api = start_loaded(stage, REDIS_TIMEOUT_MS=3000)
    redis.pause()
    requests = [
        request_bytes(f"/logins?tenant_id={BUSY}", headers=(("Accept", media), ("Accept-Encoding", encoding)))
        for media in ("application/json", "application/msgpack")
        for encoding in ("gzip", "zstd", "identity")
    ]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection(api.port)) for _ in requests]
        for connection, request in zip(connections, requests):
            connection.send(request)
        assert [connection.read().status for connection in connections] == [503] * 6
    assert api.log().count("Redis did not answer while this waited") == 4
    redis.resume()
    wait_for(lambda: ask(api.port, f"/logins?tenant_id={BUSY}").status == 200, "they are fetched again", 20)
