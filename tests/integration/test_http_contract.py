"""What ecosys-api says on a sound connection: every status, header and body of the contract, and in which order errors
are looked for. Connections, hostile bytes and failing parts are test_api.py's."""

import collections
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import re

import pytest

import http_client
from http_client import Connection, ask, basic, exchange
from service import SCORING, Stage, changed_model, new_redis, prepare_counter, prepare_sample, wait_for
from serving import assert_compact, names_in, start_loaded, wait_until_served

DATA = ("/clientes", "/health-scores", "/dashboard")
OPEN = ("/", "/health")
LOGINS = "/logins?tenant_id=1"
CLEAR = "/cache/clear"
READ, WRITE = {"GET", "HEAD", "OPTIONS"}, {"POST", "OPTIONS"}
METHODS = {
    "/": READ,
    "/health": READ,
    "/clientes": READ,
    "/health-scores": READ,
    "/dashboard": READ,
    "/logins": READ,
    CLEAR: WRITE,
}
BUCKET = "data_adesao_inicio=2024-01-01&data_adesao_fim=2024-12-31"
DETALHADO = "/health-scores?formato=detalhado"
ANSWERS = [*DATA, DETALHADO, f"/clientes?{BUCKET}", "/dashboard?data_adesao_fim=2024-05-06", LOGINS]
NOBODY = {"user": None}


@pytest.fixture(scope="module")
def published(fleet):
    """A stage with a generation."""
    prepare_sample(fleet, "small", "--tenants", "30", "--clients", "60")
    stage = Stage(fleet, "small")
    stage.publish()
    return stage


@pytest.fixture(scope="module")
def port(published):
    """An API that only answers: for tests that do nothing to it but ask."""
    return start_loaded(published).port


@pytest.fixture(scope="module")
def empty_port(fleet, published):
    """An API that has nothing to serve, and no worker."""
    return Stage(fleet, published.data).start_api().port


@pytest.fixture
def fresh_port(published):
    """An API that nobody has asked anything yet."""
    return start_loaded(published).port


def fields_of(response, *left_out):
    return {name: value for name, value in response.headers if name not in ("Date", *left_out)}


# ---- Answers


@pytest.mark.parametrize("path", ANSWERS)
def test_data_answers(published, port, path):
    response = ask(port, path)
    assert response.status == 200
    assert response.header("Content-Type") == "application/json"
    assert response.header("Cache-Control") == "private, no-cache"
    assert response.header("X-Generation") == str(published.pointer())
    assert response.header("X-Cache") in ("HIT", "BLOB", "COMPUTE")
    assert 0 <= int(response.header("Age")) < 3600
    assert names_in(response.header("Vary")) == {"Accept-Encoding", "Accept"}
    assert re.fullmatch(r'W/"[0-9a-f]+"', response.header("ETag"))
    assert response.header("Content-Encoding") is None
    assert_compact(response.body, path)
    assert response.json()


def test_root(port):
    response = ask(port, "/", **NOBODY)
    assert response.status == 200
    assert response.body.decode() == '{"message":"API de Gestão de Clientes está no ar!"}'


def assert_has_all_of_health(health):
    assert list(health) == [
        "status",
        "environment",
        "redis_connection",
        "env_variables",
        "timestamp",
        "generation",
        "as_of",
        "taken_at",
        "age_s",
        "stale",
        "worker",
        "scoring_model",
    ]
    assert list(health["env_variables"]) == [
        "UPSTASH_REDIS_REST_URL",
        "UPSTASH_REDIS_REST_TOKEN",
        "REDIS_URL",
        "BASIC_AUTH_USERS",
    ]
    assert list(health["worker"]) == ["alive", "last_error"]


def test_health(published, port):
    response = ask(port, "/health", **NOBODY)
    health = response.json()
    assert response.status == 200
    assert_compact(response.body, "/health")
    assert_has_all_of_health(health)
    assert (health["status"], health["environment"], health["redis_connection"]) == ("healthy", "development", "ok")
    assert health["env_variables"] == {
        "UPSTASH_REDIS_REST_URL": False,
        "UPSTASH_REDIS_REST_TOKEN": False,
        "REDIS_URL": True,
        "BASIC_AUTH_USERS": True,
    }
    assert health["generation"] == published.pointer()
    assert health["as_of"] == "2025-03-14T15:09:26-03:00"
    for name in ("timestamp", "taken_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", health[name]), health[name]
    assert health["worker"] == {"alive": False, "last_error": None}
    assert health["stale"] is False


def test_health_names_the_scoring_model(fleet, published):
    def rename(model):
        model["version"] = "other"

    shown = []
    for path in (SCORING, changed_model(fleet.folder, rename)):
        stage = Stage(fleet, published.data, SCORING_MODEL=path)
        stage.publish()
        shown.append(ask(start_loaded(stage).port, "/health").json()["scoring_model"])
    with open(SCORING, encoding="utf-8") as model:
        assert shown[0]["version"] == json.load(model)["version"]
    assert shown[1]["version"] == "other"
    assert shown[0]["hash"] != shown[1]["hash"]
    assert all(re.fullmatch("[0-9a-f]{32}", one["hash"]) for one in shown)


def test_health_of_nothing(empty_port):
    response = wait_for(
        lambda: (now := ask(empty_port, "/health", **NOBODY)).json()["redis_connection"] == "ok" and now,
        "the API has looked at Redis for the first time",
    )
    health = response.json()
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert_has_all_of_health(health)
    assert (health["status"], health["redis_connection"], health["stale"]) == ("unhealthy", "ok", True)
    assert [health[name] for name in ("generation", "as_of", "taken_at", "age_s", "scoring_model")] == [None] * 5


def test_health_without_redis(fleet, published):
    """The same fields, first with a generation in memory, then with one that is too old to be served."""
    redis = new_redis(fleet)
    stage = Stage(fleet, published.data, redis)
    generation = stage.publish()
    api = start_loaded(stage, CACHE_MAX_STALE=8)
    redis.stop()
    for status, word in ((200, "degraded"), (503, "unhealthy")):
        response = wait_for(
            lambda word=word: (now := ask(api.port, "/health")).json()["status"] == word and now, word, 15
        )
        health = response.json()
        assert_has_all_of_health(health)
        assert_compact(response.body, "/health")
        assert response.status == status and (response.header("Retry-After") is None) == (status == 200)
        assert (health["redis_connection"], health["generation"]) == ("error", generation)
        assert health["worker"] == {"alive": False, "last_error": None}


@pytest.mark.parametrize(
    "path",
    [
        *OPEN,
        *ANSWERS,
        "/nada",
        "/logins",
        "/logins?tenant_id=999999",
        CLEAR,
        "/clientes?data_adesao_inicio=x",
        "/dashboard?data_adesao_inicio=2024-01-01",
    ],
)
@pytest.mark.parametrize(
    "options",
    [{}, NOBODY, {"headers": {"Accept-Encoding": "gzip"}}, {"headers": {"Accept-Encoding": "zstd"}}],
    ids=["plain", "nobody", "gzip", "zstd"],
)
def test_head_is_get_without_body(port, path, options):
    with Connection(port) as connection:
        connection.ask(path, **options)  # from here on it is at hand
        get, head = connection.ask(path, **options), connection.ask(path, "HEAD", **options)
        assert head.status == get.status and head.body == b""
        # the length of /health may change with the seconds
        left_out = ("Age", "Content-Length") if path == "/health" else ("Age",)
        assert fields_of(head, *left_out) == fields_of(get, *left_out)
        assert get.header("Content-Length") == str(len(get.body))
        assert connection.ask("/").status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"HEAD / HTTP/1.1\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
        b"HEAD  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HEAD / HTTP/1.1\nHost: x\n\n",
        b"HEAD / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 17000 + b"\r\n\r\n",
        b"\r\nHEAD /nada HTTP/3.0\r\n\r\n",
    ],
    ids=["no Host", "blank", "two blanks", "bare LF", "too long", "version"],
)
def test_head_that_is_not_clean_http(port, data):
    """It has no body either, whoever could not read the rest of it."""
    for before in (b"", http_client.request_bytes("/")):
        with Connection(port) as connection:
            connection.send(before + data)
            assert not before or connection.read().status == 200
            response = connection.read("HEAD")
            assert response.status == 400 and int(response.header("Content-Length")) > 0
            assert connection.is_closed()
    response, is_closed = exchange(port, data.replace(b"HEAD", b"GET"))
    assert response.status == 400 and response.body and is_closed


@pytest.mark.parametrize("path", [*ANSWERS, "/health"])
def test_trailing_slash_makes_no_difference(port, path):
    name, question, query = path.partition("?")
    response = ask(port, f"{name}/{question}{query}")
    assert response.status == 200
    assert response.header("Location") is None
    if path != "/health":
        assert response.body == ask(port, path).body


# ---- Errors

Row = collections.namedtuple("Row", "name method path options status detail headers", defaults=({},))
NOT_FOUND, NOT_ALLOWED, NOT_AUTHENTICATED = "Not Found", "Method Not Allowed", "Not authenticated"
UNDECODABLE, DENIED = "Invalid authentication credentials", "Acesso negado."
CHALLENGE = {"WWW-Authenticate": "Basic"}


def authorization(value):
    return {"user": None, "headers": {"Authorization": value}}


def not_allowed(method, path, **options):
    return Row(f"{method} {path}", method, path, options, 405, NOT_ALLOWED, {"Allow": METHODS[path]})


ERRORS = [
    Row("unknown path", "GET", "/nada", {}, 404, NOT_FOUND),
    Row("letter case counts", "GET", "/Clientes", {}, 404, NOT_FOUND),
    Row("below an endpoint", "GET", "/clientes/1", {}, 404, NOT_FOUND),
    Row("half of a path", "GET", "/cache", {}, 404, NOT_FOUND),
    Row("prefix of an endpoint", "GET", "/client", {}, 404, NOT_FOUND),
    Row("two slashes", "GET", "//clientes", {}, 404, NOT_FOUND),
    Row("encoded slash", "POST", "/cache%2Fclear", {}, 404, NOT_FOUND),
    Row("dots", "GET", "/../clientes", {}, 404, NOT_FOUND),
    *[not_allowed(method, path) for path in METHODS for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW")],
    *[not_allowed("POST", path) for path in METHODS if path != CLEAR],
    not_allowed("GET", CLEAR),
    not_allowed("HEAD", CLEAR),
    not_allowed("get", "/clientes"),
    not_allowed("post", CLEAR),
    not_allowed("POST", "/logins", body=b'{"tenant_id":1}'),
    *[
        Row(f"no credentials for {path}", "GET", path, NOBODY, 401, NOT_AUTHENTICATED, CHALLENGE)
        for path in (*DATA, "/logins")
    ],
    Row("no credentials for a refresh", "POST", CLEAR, NOBODY, 401, NOT_AUTHENTICATED, CHALLENGE),
    Row("another scheme", "GET", "/clientes", authorization("Bearer abc"), 401, NOT_AUTHENTICATED, CHALLENGE),
    Row(
        "scheme that only begins so",
        "GET",
        "/clientes",
        authorization("Basics ZGVtbzpkZW1v"),
        401,
        NOT_AUTHENTICATED,
        CHALLENGE,
    ),
    Row("empty header", "GET", "/clientes", authorization(""), 401, NOT_AUTHENTICATED, CHALLENGE),
    Row("no base64", "GET", "/clientes", authorization("Basic ????"), 401, UNDECODABLE, CHALLENGE),
    Row("base64 cut short", "GET", "/clientes", authorization("Basic ZGVtbzpkZW1"), 401, UNDECODABLE, CHALLENGE),
    Row("no colon", "GET", "/clientes", authorization("Basic ZGVtbw=="), 401, UNDECODABLE, CHALLENGE),
    Row("wrong password", "GET", "/clientes", {"user": "demo:Demo"}, 401, DENIED, CHALLENGE),
    Row("longer password", "GET", "/clientes", {"user": "demo:demodemo"}, 401, DENIED, CHALLENGE),
    Row("shorter password", "GET", "/clientes", {"user": "demo:dem"}, 401, DENIED, CHALLENGE),
    Row("empty password", "GET", "/clientes", {"user": "demo:"}, 401, DENIED, CHALLENGE),
    Row("unknown user", "GET", "/clientes", {"user": "who:demo"}, 401, DENIED, CHALLENGE),
    Row("empty user", "GET", "/clientes", {"user": ":"}, 401, DENIED, CHALLENGE),
    *[
        Row(f"password of {length} bytes", "GET", "/clientes", {"user": "demo:" + "x" * length}, 401, DENIED, CHALLENGE)
        for length in (1019, 1020, 2000, 10000)
    ],
    Row("name of 2000 bytes", "GET", "/clientes", {"user": "x" * 2000 + ":demo"}, 401, DENIED, CHALLENGE),
    Row("2000 bytes without a colon", "GET", "/clientes", {"user": "x" * 2000}, 401, UNDECODABLE, CHALLENGE),
    Row("NUL behind the password", "GET", "/clientes", {"user": "demo:demo\0"}, 401, DENIED, CHALLENGE),
    Row("wrong password for a refresh", "POST", CLEAR, {"user": "demo:x"}, 401, DENIED, CHALLENGE),
    *[
        Row(
            f"body too large for {path}",
            "GET",
            path,
            {**NOBODY, "body": b"x" * 65537},
            413,
            "Corpo da requisição grande demais.",
        )
        for path in OPEN
    ],
    Row("body too large", "GET", "/clientes", {"body": b"x" * 65537}, 413, "Corpo da requisição grande demais."),
    Row(
        "body far too large",
        "GET",
        LOGINS,
        {"headers": {"Content-Length": "999999999999"}},
        413,
        "Corpo da requisição grande demais.",
    ),
    Row(
        "body too large for a refresh", "POST", CLEAR, {"body": b"x" * 65537}, 413, "Corpo da requisição grande demais."
    ),
    Row("unknown tenant", "GET", "/logins?tenant_id=999999", {}, 404, "Tenant não encontrado."),
]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row.name)
def test_errors(port, row):
    response = ask(port, row.path, row.method, **row.options)
    assert response.status == row.status, response
    if row.method != "HEAD":
        assert response.json() == {"detail": row.detail}
    for name in ("ETag", "Age", "X-Generation", "X-Cache", "Content-Encoding"):
        assert response.header(name) is None
    assert response.header("Access-Control-Allow-Origin") == "*"
    for name in ("Allow", "WWW-Authenticate"):
        found, value = response.header(name), row.headers.get(name)
        assert (names_in(found) if isinstance(value, set) else found) == value, response


# What can be wrong with a request, in the order in which it is to be found.
WRONGS = (400, 404, 405, 401, 403, 413, 422)
PRECEDENCE = {  # path: method, method that is refused, query that is refused
    "/clientes": ("GET", "POST", "data_adesao_inicio=x"),
    "/health-scores": ("GET", "DELETE", "formato=x"),
    "/dashboard": ("HEAD", "PUT", "data_adesao_fim=2024-02-30"),
    "/logins": ("GET", "POST", "tenant_id=0"),
    CLEAR: ("POST", "GET", "wait=maybe"),
}


READER = "rui:c"


@pytest.fixture(scope="module")
def strict_port(fleet, published):
    """An API that has nothing to serve, and a user who may only read."""
    return (
        Stage(fleet, published.data)
        .start_api(BASIC_AUTH_USERS=f"{http_client.USER},{READER}", BASIC_AUTH_READONLY="rui")
        .port
    )


@pytest.mark.parametrize("path", PRECEDENCE)
def test_every_combination_of_errors_says_the_first(strict_port, path):
    """Behind them all: there is nothing to serve, and no worker."""
    method, refused_method, refused_query = PRECEDENCE[path]
    for wrongs in itertools.chain.from_iterable(itertools.combinations(WRONGS, n) for n in range(1, len(WRONGS) + 1)):
        if 403 in wrongs and path != CLEAR:
            continue
        target = ("/nada" if 404 in wrongs else path) + ("?" + refused_query if 422 in wrongs else "")
        headers = {}
        if 400 in wrongs:
            headers["Folded"] = "a\r\n b"
        if 413 in wrongs:
            headers["Content-Length"] = "65537"
        user = None if 401 in wrongs else READER if 403 in wrongs else http_client.USER
        response = ask(strict_port, target, refused_method if 405 in wrongs else method, user=user, headers=headers)
        assert response.status == wrongs[0], (path, wrongs, response)


@pytest.mark.parametrize("path", [*ANSWERS, "/logins?tenant_id=999999"])
def test_nothing_to_serve(empty_port, path):
    response = ask(empty_port, path)
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert "dados" in response.json()["detail"]


def test_unknown_tenant_of_a_generation_that_is_too_old(published):
    """The generation is not served any more, but who is not in it is not there: 404 comes before 503."""
    port = published.start_api(CACHE_MAX_STALE=1).port
    wait_for(lambda: (health := ask(port, "/health")).status == 503 and health.json()["generation"], "it is too old")
    for tenant, status in (("999999", 404), ("1", 503), ("0", 422)):
        assert ask(port, f"/logins?tenant_id={tenant}").status == status
    assert ask(port, "/clientes").status == 503


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_scheme_in_any_letter_case(port, scheme):
    assert ask(port, "/dashboard", headers={"Authorization": basic().replace("Basic", scheme)}).status == 200


def test_users(published):
    api = start_loaded(published, BASIC_AUTH_USERS="ana:a:b, joão:señha€,c:d")
    for user, status in (("ana:a:b", 200), ("joão:señha€", 200), ("c:d", 200), ("ana:a", 401), ("c:a:b", 401)):
        assert ask(api.port, "/dashboard", user=user).status == status, user


# ---- What is malformed: 422

INICIO, FIM = "data_adesao_inicio", "data_adesao_fim"
NOT_DAYS = [
    "2024-1-01",
    "2024-01-1",
    "20240101",
    "2024/01/01",
    "01/02/2024",
    "2024-01-01T00:00:00",
    "2024-01",
    "2024",
    "hoje",
    "0",
    "-",
    "2024-02-30",
    "2023-02-29",
    "1900-02-29",
    "2024-04-31",
    "2024-13-01",
    "2024-00-01",
    "2024-01-00",
    "2024-01-32",
    "0000-01-01",
    "0000-00-00",
    "10000-01-01",
    "-2024-01-01",
    "%2B2024-01-01",
    "-001-01-01",
    "%202024-01-01",
    "2024-01-01%20",
    "+2024-01-01",
    "2024-01-01+",
    "+",
    "%20",
    "2024-01-01%0a",
    "2024-01-0a",
    "2024%2D01%2D1",
    "%EF%BC%92024-01-01",
    "2024-01-01,2024-01-02",
    "'2024-01-01'",
    "null",
    "NaN",
    "%ff",
    "%zz",
]


def problem_of(response):
    """The one problem of a 422."""
    assert response.status == 422, response
    (problem,) = response.json()["detail"]
    assert list(problem) == ["loc", "msg", "type"], problem
    assert problem["msg"] and problem["type"]
    return problem


@pytest.mark.parametrize("name", [INICIO, FIM])
def test_what_is_not_a_day(port, name):
    with Connection(port) as connection:
        for path in DATA:
            for value in NOT_DAYS:
                problem = problem_of(connection.ask(f"{path}?{name}={value}"))
                assert problem["loc"] == ["query", name], value


@pytest.mark.parametrize(
    "query, name",
    [
        (f"{INICIO}=2024-01-02&{FIM}=2024-01-01", INICIO),
        (f"{FIM}=2024-01-01&{INICIO}=9999-12-31", INICIO),
        (f"{INICIO}=x&{FIM}=x", INICIO),
        (f"{INICIO}=2024-01-01&{INICIO}=x", INICIO),
        (f"{INICIO}=&{FIM}=x", FIM),
        (f"{FIM}=2024-01-01&{FIM}=0", FIM),
        ("data%5Fadesao_inicio=x", INICIO),
        (f"{INICIO}=2024-02-02&{FIM}=2024-03-01&{FIM}=2024-02-01", INICIO),
    ],
)
def test_filters_that_are_refused(port, query, name):
    for path in DATA:
        assert problem_of(ask(port, f"{path}?{query}"))["loc"] == ["query", name]


@pytest.mark.parametrize("value", ["xml", "Plano", "plano%20", "plano%0a", "%ff", "detalhado/", "plano,detalhado"])
def test_unknown_formato(port, value):
    assert problem_of(ask(port, f"/health-scores?formato={value}"))["loc"] == ["query", "formato"]


@pytest.mark.parametrize("value", ["maybe", "0", "1", "Falsch", "true%20", "no", "falsex"])
def test_wait_is_true_or_false(port, value):
    assert problem_of(ask(port, f"{CLEAR}?wait={value}", "POST"))["loc"] == ["query", "wait"]


NOT_IDS = ["0", "-1", "+1", "um", "1.0", "1e3", "0x1", " 1", "1 ", "1,2", "00", "0" * 30, "null", "1a", "١"]


def encoded(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("value", NOT_IDS)
def test_tenant_id_that_is_none(port, value):
    """In the query and in the body; one in the query that is wrong is not made good by the body."""
    path = f"/logins?tenant_id={encoded(value)}"
    for options in ({}, {"body": b'{"tenant_id": 1}'}):
        assert problem_of(ask(port, path, **options))["loc"] == ["query", "tenant_id"]
    body = json.dumps({"tenant_id": value}).encode()
    assert problem_of(ask(port, "/logins", body=body))["loc"] == ["body", "tenant_id"]


@pytest.mark.parametrize("number", ["999999999", "18446744073709551615", "18446744073709551616", "1" + "0" * 5000])
def test_tenant_that_does_not_exist(port, number):
    """However large the number: it is a positive integer, and no tenant's."""
    for path, body in ((f"/logins?tenant_id={number}", b""), ("/logins", f'{{"tenant_id": {number}}}'.encode())):
        response = ask(port, path, body=body)
        assert (response.status, response.json()) == (404, {"detail": "Tenant não encontrado."})


@pytest.mark.parametrize(
    "body, loc",
    [
        (b"", ["query", "tenant_id"]),
        (b"{}", ["query", "tenant_id"]),
        (b'{"tenant": 1}', ["query", "tenant_id"]),
        (b'{"Tenant_id": 1}', ["query", "tenant_id"]),
        (b'{"tenant_id": 0}', ["body", "tenant_id"]),
        (b'{"tenant_id": -1}', ["body", "tenant_id"]),
        (b'{"tenant_id": 1.0}', ["body", "tenant_id"]),
        (b'{"tenant_id": 1.5}', ["body", "tenant_id"]),
        (b'{"tenant_id": 1e0}', ["body", "tenant_id"]),
        (b'{"tenant_id": true}', ["body", "tenant_id"]),
        (b'{"tenant_id": null}', ["body", "tenant_id"]),
        (b'{"tenant_id": [1]}', ["body", "tenant_id"]),
        (b'{"tenant_id": {"tenant_id": 1}}', ["body", "tenant_id"]),
        (b'{"tenant_id": ""}', ["body", "tenant_id"]),
        (b"[1]", ["body", "body"]),
        (b'[{"tenant_id": 1}]', ["body", "body"]),
        (b"1", ["body", "body"]),
        (b'"1"', ["body", "body"]),
        (b"null", ["body", "body"]),
        (b" ", ["body", "body"]),
        (b'{"tenant_id": 1', ["body", "body"]),
        (b'{"tenant_id": 1}}', ["body", "body"]),
        (b'{"tenant_id": 1} x', ["body", "body"]),
        (b"{tenant_id: 1}", ["body", "body"]),
        (b"{'tenant_id': 1}", ["body", "body"]),
        (b'{"tenant_id": 01}', ["body", "body"]),
        (b"tenant_id=1", ["body", "body"]),
        (b"\xff\xfe", ["body", "body"]),
        (b'{"tenant_id": "\xff"}', ["body", "body"]),
        (b"\0" * 10, ["body", "body"]),
        (b'{"tenant_id": 1, "tenant_id": 1}', ["body", "body"]),
        (b'{"tenant_id": 1, "a": ' + b"[" * 16 + b"]" * 16 + b"}", ["body", "body"]),
        (b'{"tenant_id": 1, ' + b", ".join(b'"m%d": 0' % n for n in range(256)) + b"}", ["body", "body"]),
        (b"[" * 60000, ["body", "body"]),
        (b'{"a":' * 10000 + b"1" + b"}" * 10000, ["body", "body"]),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_bodies_without_a_tenant(port, body, loc):
    assert problem_of(ask(port, "/logins", body=body))["loc"] == loc


@pytest.mark.parametrize(
    "query, body, tenant_id",
    [
        ("?tenant_id=2", b"", 2),
        ("?tenant_id=1&tenant_id=2", b"", 2),
        ("?tenant_id=x&tenant_id=2", b"", 2),
        ("?tenant_id=002", b"", 2),
        ("?tenant%5Fid=%32", b"", 2),
        ("?tenant_id=2", b'{"tenant_id": 1}', 2),
        ("?tenant_id=2", b"not JSON", 2),
        ("?tenant_id=2", b"[1]", 2),
        ("", b'{"tenant_id": "2"}', 2),
        ("", b'{"tenant_id": 2}', 2),
        ("", b' {"x": [null], "tenant_id" : 2 }\r\n', 2),
        ("?tenant_id=", b'{"tenant_id": 2}', 2),
        ("?tenant_id", b'{"tenant_id": 2}', 2),
        ("?tenant_id=1&tenant_id=", b'{"tenant_id": 2}', 2),
        ("", b'{"tenant_id": 2, "a": ' + b"[" * 15 + b"]" * 15 + b"}", 2),
        ("", b'{"tenant_id": 2, ' + b", ".join(b'"m%d": 0' % n for n in range(255)) + b"}", 2),
        ("", b'{"tenant_id": 2, "a": [' + b", ".join([b"0"] * 1000) + b"]}", 2),
        ("?Tenant_id=1", b'{"tenant_id": 2}', 2),
        ("", b'{"tenant_id": "\\u0032"}', 2),
    ],
)
def test_where_the_tenant_is_read(port, query, body, tenant_id):
    for method in ("GET", "HEAD"):
        response = ask(port, f"/logins{query}", method, body=body)
        assert response.status == 200, response
        if method == "GET":
            assert response.json()["tenant_id"] == tenant_id


@pytest.mark.parametrize("tenant_id", ["31", "18446744073709551615", "4294967297", "9223372036854775808"])
def test_tenants_that_are_not_there(port, tenant_id):
    for options in (
        {"path": f"/logins?tenant_id={tenant_id}"},
        {"path": "/logins", "body": b'{"tenant_id": "%s"}' % tenant_id.encode()},
        {"path": "/logins", "body": b'{"tenant_id": %s}' % tenant_id.encode()},
    ):
        path = options.pop("path")
        response = ask(port, path, **options)
        assert response.status == 404 and response.json() == {"detail": "Tenant não encontrado."}
        assert response.header("X-Generation") is None and response.header("Cache-Control") == "no-store"


# ---- Filters


@pytest.mark.parametrize(
    "query, same_as",
    [
        (f"{INICIO}=", ""),
        (INICIO, ""),
        (f"{INICIO}=&{FIM}=", ""),
        ("", ""),
        ("&&&=&", ""),
        ("outra=1&x", ""),
        ("a=%zz%", ""),
        (f"{INICIO}=2024-06-01&{INICIO}=", ""),
        ("Data_Adesao_Inicio=2024-06-01", ""),
        ("xdata_adesao_inicio=2024-06-01", ""),
        ("data_adesao_inicio[]=x", ""),
        ("formato=", ""),
        ("wait=maybe&tenant_id=0", ""),
        (f"{INICIO}=x&{INICIO}=2024-06-01", f"{INICIO}=2024-06-01"),
        (f"{INICIO}=2020-01-01&{INICIO}=2024-06-01", f"{INICIO}=2024-06-01"),
        ("data%5Fadesao_inicio=2024%2d06-01", f"{INICIO}=2024-06-01"),
        (f"{INICIO}=2024-06-01&{FIM}=", f"{INICIO}=2024-06-01"),
        (f"{FIM}=2024-06-30&x=1&{INICIO}=2024-06-01", f"{INICIO}=2024-06-01&{FIM}=2024-06-30"),
    ],
)
def test_queries_that_mean_the_same(port, query, same_as):
    for path in DATA:
        response = ask(port, f"{path}?{query}")
        assert response.status == 200, response
        assert response.body == ask(port, f"{path}?{same_as}").body
        assert not same_as or response.body != ask(port, path).body


def test_a_filter_is_a_choice_of_clients(port):
    """Both bounds count; those without a day are in the answer without bounds only."""
    clients = ask(port, "/clientes").json()
    days = {key: client["data_adesao"] and client["data_adesao"][:10] for key, client in clients.items()}
    known = sorted(day for day in days.values() if day)
    assert None in days.values() and len(set(known)) > 10
    middle = known[len(known) // 2]
    for first, last in (
        (middle, ""),
        ("", middle),
        (middle, middle),
        (known[3], known[-3]),
        ("0001-01-01", ""),
        ("", "9999-12-31"),
        ("0001-01-01", "9999-12-31"),
        ("0001-01-01", "0001-01-01"),
    ):
        response = ask(port, f"/clientes?{INICIO}={first}&{FIM}={last}")
        chosen = [key for key, day in days.items() if day and (not first or day >= first) and (not last or day <= last)]
        assert list(response.json()) == chosen, (first, last)


@pytest.mark.parametrize(
    "query, same_as",
    [
        ("formato=plano", "plano"),
        ("formato=detalhado", "detalhado"),
        ("formato=", None),
        ("formato", None),
        ("formato=detalhado&formato=plano", "plano"),
        ("formato=x&formato=detalhado", "detalhado"),
        ("formato=detalhado&formato=", None),
        ("formato=detalh%61do", "detalhado"),
        ("Formato=detalhado", None),
    ],
)
@pytest.mark.parametrize("default", ["plano", "detalhado"])
def test_formato(port, port_detalhado, query, same_as, default):
    port = port if default == "plano" else port_detalhado
    expected = ask(port, f"/health-scores?formato={same_as or default}")
    assert ("1" in expected.json()) == ((same_as or default) == "plano")
    assert ask(port, f"/health-scores?{query}").body == expected.body


@pytest.fixture(scope="module")
def port_detalhado(published):
    return start_loaded(published, HEALTH_SCORES_FORMATO="detalhado").port


# ---- Where an answer came from

MADE = [  # path, source of the first answer; the rows are scored as of 2025-03-14
    *[(path, "HIT") for path in (*DATA, DETALHADO, f"/clientes?{INICIO}=")],
    (f"/clientes?{BUCKET}", "BLOB"),
    (f"/health-scores?{BUCKET}", "BLOB"),
    (f"/health-scores?formato=detalhado&{BUCKET}", "BLOB"),
    (f"/dashboard?{BUCKET}", "BLOB"),
    (f"/dashboard?{INICIO}=2024-02-01&{FIM}=2024-02-29", "BLOB"),
    (f"/dashboard?{INICIO}=2025-01-01&{FIM}=2025-03-14", "BLOB"),
    (f"/dashboard?{INICIO}=2025-02-12", "BLOB"),
    (f"/dashboard?{INICIO}=2025-02-12&{FIM}=2025-03-14", "BLOB"),
    (f"/clientes?{INICIO}=2024-01-02", "COMPUTE"),
    (f"/health-scores?{FIM}=2024-01-02", "COMPUTE"),
    (f"/health-scores?formato=detalhado&{FIM}=2024-01-02", "COMPUTE"),
    (f"/dashboard?{INICIO}=2024-01-02&{FIM}=2024-01-02", "COMPUTE"),
    (f"/dashboard?{INICIO}=0001-01-01", "COMPUTE"),
    (LOGINS, "BLOB"),
]


def test_x_cache(fresh_port):
    with Connection(fresh_port) as connection:
        for path, source in MADE:
            for headers in ({}, {"Accept-Encoding": "gzip"}):  # each encoding is made once
                shown = [
                    connection.ask(path, method, headers=headers).header("X-Cache") for method in ("GET", "HEAD", "GET")
                ]
                assert shown == [source, "HIT", "HIT"], (path, headers)


def test_concurrent_questions_share_a_computation(fresh_port):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection(fresh_port)) for _ in range(24)]
        for day in range(1, 13):
            for connection in connections:
                connection.send(http_client.request_bytes(f"/clientes?{INICIO}=2024-03-{day:02d}"))
            answers = [connection.read() for connection in connections]
            assert sorted(answer.header("X-Cache") for answer in answers) == ["COMPUTE"] + ["HIT"] * 23
            assert len({answer.body for answer in answers}) == 1


def test_age_grows(fleet, published):
    stage = Stage(fleet, published.data)
    stage.publish()
    api = start_loaded(stage)
    first = int(ask(api.port, "/dashboard").header("Age"))
    for path in ("/dashboard", f"/clientes?{BUCKET}", LOGINS):
        wait_for(lambda path=path: int(ask(api.port, path).header("Age")) > first, f"{path} grows older", 5)
    health = ask(api.port, "/health").json()
    assert health["age_s"] > first
    assert (
        abs(
            (
                datetime.datetime.fromisoformat(health["timestamp"])
                - datetime.datetime.fromisoformat(health["taken_at"])
            ).total_seconds()
            - health["age_s"]
        )
        <= 1
    )


# ---- ETag


def test_etag_outlives_a_generation_without_changes(fleet, published):
    stage = Stage(fleet, published.data)
    first = stage.publish()
    api = start_loaded(stage)
    before = {path: ask(api.port, path) for path in ANSWERS}
    second = stage.publish()
    wait_until_served(api.port, second)
    for path, old in before.items():
        new = ask(api.port, path)
        assert (old.header("X-Generation"), new.header("X-Generation")) == (str(first), str(second))
        assert new.body == old.body and new.header("ETag") == old.header("ETag")
        known = ask(api.port, path, headers={"If-None-Match": old.header("ETag")})
        assert known.status == 304 and known.header("X-Generation") == str(second)


def test_etag_changes_with_the_data(fleet):
    prepare_counter(fleet, "counter")
    stage = Stage(fleet, "counter")
    stage.set_counter(0)
    stage.publish()
    api = start_loaded(stage)
    tags = []
    for number in (1, 2, 1):
        stage.set_counter(number)
        wait_until_served(api.port, stage.publish())
        tags.append([ask(api.port, path).header("ETag") for path in DATA])
        stale = {"If-None-Match": ", ".join(tags[0])}
        assert ask(api.port, "/clientes", headers=stale).status == (304 if number == 1 else 200)
    assert tags[0] == tags[2]
    for path, one, two in zip(DATA, tags[0], tags[1]):
        assert (one == two) == (path == "/health-scores")


def test_etags_differ(port):
    tags = [ask(port, path).header("ETag") for path in ANSWERS]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("path", ANSWERS)
def test_if_none_match(port, path):
    with Connection(port) as connection:
        full = connection.ask(path)
        weak, strong = full.header("ETag"), full.header("ETag").removeprefix("W/")
        for value in (
            weak,
            strong,
            "*",
            f'"x", {weak}',
            f'W/"x",{weak},"y"',
            f'{strong} , "y"',
            f'"",{weak}',
            f"  {weak}  ",
        ):
            for method in ("GET", "HEAD"):
                for headers in ({}, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "zstd"}):
                    known = connection.ask(path, method, headers={"If-None-Match": value, **headers})
                    assert (known.status, known.body) == (304, b""), (value, known)
                    assert known.header("Content-Encoding") is None and known.header("Content-Length") is None
                    for name in ("ETag", "Cache-Control", "Vary", "X-Generation", "Access-Control-Allow-Origin"):
                        assert known.header(name) == full.header(name), name
                    assert known.header("X-Cache") in ("HIT", "BLOB", "COMPUTE")
                    assert int(known.header("Age")) >= int(full.header("Age"))
        for value in ('"x"', 'W/"x"', "", ",", strong.strip('"'), f"w/{strong}", strong[:-2] + '"', strong[:-1], '"*"'):
            response = connection.ask(path, headers={"If-None-Match": value})
            assert response.status == 200 and response.body == full.body, value


def ask_with_lines(port, path, name, values, method="GET", lines=""):
    """Asks with several lines of one field."""
    lines += "".join(f"{name}: {value}\r\n" for value in values)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic()}\r\n{lines}\r\n"
    with Connection(port) as connection:
        connection.send(head.encode())
        return connection.read(method)


@pytest.mark.parametrize(
    "before, behind, status",
    [
        ([], ['"x"'], 304),
        (['"x"'], [], 304),
        (['"x"', 'W/"y"'], ['"z"'], 304),
        (['"x"'] * 7, [], 304),
        (['"a'], ['"b'], 304),
        (['"x"'] * 8, [], 200),
        ([], ['"x"'] * 8, 200),
    ],
)
def test_if_none_match_in_several_lines(port, before, behind, status):
    tag = ask(port, "/clientes").header("ETag")
    assert ask_with_lines(port, "/clientes", "If-None-Match", [*before, tag, *behind]).status == status
    assert ask_with_lines(port, "/clientes", "If-None-Match", [*before, '"no"', *behind]).status == 200


@pytest.mark.parametrize("value", ['"a,*,b"', '"a * b"', 'W/"*,"', '"x", "a,*"'])
def test_asterisk_inside_a_tag_is_part_of_it(port, value):
    assert ask(port, "/clientes", headers={"If-None-Match": value}).status == 200


def test_if_none_match_elsewhere_is_ignored(port):
    for path, status in (
        ("/", 200),
        ("/health", 200),
        ("/nada", 404),
        ("/clientes?data_adesao_inicio=x", 422),
        ("/logins?tenant_id=999999", 404),
    ):
        response = ask(port, path, headers={"If-None-Match": "*"})
        assert response.status == status and response.header("ETag") is None


# ---- gzip


@pytest.mark.parametrize(
    "value, is_gzip",
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("Gzip", True),
        ("br, gzip", True),
        ("gzip, deflate, br", True),
        ("deflate,gzip;q=1.0", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=0.5", True),
        ("gzip;Q=1", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("identity", False),
        ("br", False),
        ("deflate", False),
        ("gzipped", False),
        ("xgzip", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0", False),
        ("gzip; q=0.000", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("*, gzip;q=0", False),
        ("*;q=0, gzip", True),
        ("identity;q=0, gzip", True),
        (",,gzip,,", True),
        ("\tgzip", True),
    ],
)
@pytest.mark.parametrize("path", ["/clientes", f"/clientes?{INICIO}=2024-01-01", "/health-scores", LOGINS])
def test_gzip(port, path, value, is_gzip):
    plain = ask(port, path, headers={"Accept-Encoding": None})
    assert plain.header("Content-Encoding") is None and len(plain.body) >= 1000
    response = ask(port, path, headers={"Accept-Encoding": value})
    assert response.header("Content-Encoding") == ("gzip" if is_gzip else None)
    assert response.content() == plain.body
    assert (len(response.body) < len(plain.body)) == is_gzip
    assert response.header("ETag") == plain.header("ETag")
    assert "Accept-Encoding" in names_in(response.header("Vary"))


@pytest.mark.parametrize(
    "value, encoding",
    [
        ("zstd", "zstd"),
        ("ZStd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("gzip;q=0.5, zstd;q=0.5", "zstd"),
        ("zstd;q=0", None),
        ("zstd;q=0, gzip", "gzip"),
        ("*, zstd;q=0.1", "gzip"),
        ("zstd, *;q=0", "zstd"),
        ("zstandard", None),
    ],
)
@pytest.mark.parametrize("path", ["/clientes", f"/clientes?{INICIO}=2024-01-01", "/health-scores", LOGINS])
def test_zstd(port, path, value, encoding):
    plain = ask(port, path, headers={"Accept-Encoding": None})
    response = ask(port, path, headers={"Accept-Encoding": value})
    assert response.header("Content-Encoding") == encoding
    assert response.content() == plain.body
    assert (len(response.body) < len(plain.body)) == (encoding is not None)
    assert response.header("ETag") == plain.header("ETag")
    assert "Accept-Encoding" in names_in(response.header("Vary"))


@pytest.mark.parametrize(
    "values, is_gzip",
    [
        (["gzip;q=0", "*"], False),
        (["*", "gzip;q=0"], False),
        (["gzip", "br"], True),
        (["br", "gzip"], True),
        (["gzip", ""], True),
        (["br"] * 7 + ["gzip"], True),
        (["br"] * 8 + ["gzip"], False),
        (["gzip"] + ["br"] * 8, False),
    ],
)
def test_accept_encoding_in_several_lines(port, values, is_gzip):
    response = ask_with_lines(port, "/clientes", "Accept-Encoding", values)
    assert response.header("Content-Encoding") == ("gzip" if is_gzip else None)
    assert response.content() == ask(port, "/clientes").body


def test_gzip_from_a_thousand_bytes_on(port):
    """Answers of many lengths around the limit, none of them on the wrong side."""
    lengths = set()
    clients = ask(port, "/clientes").json().values()
    with Connection(port) as connection:
        for day in sorted({client["data_adesao"][:10] for client in clients if client["data_adesao"]}):
            for path in (
                f"/clientes?{INICIO}={day}&{FIM}={day}",
                f"/health-scores?{INICIO}={day}&{FIM}={day}",
                "/dashboard",
            ):
                plain = connection.ask(path)
                response = connection.ask(path, headers={"Accept-Encoding": "gzip"})
                assert (response.header("Content-Encoding") == "gzip") == (len(plain.body) >= 1000)
                assert response.content() == plain.body
                lengths.add(len(plain.body))
    assert min(lengths) < 600 and max(lengths) > 1000


def test_compression_of_exactly_a_thousand_bytes(fleet):
    """A client whose text is made so long that the answer has 999, 1000 and 1001 bytes."""
    prepare_counter(fleet, "thousand")
    stage = Stage(fleet, "thousand")
    stage.set_counter(1)
    stage.publish()
    length = len(ask(start_loaded(stage).port, "/clientes").body)
    assert length < 990
    for wanted in (999, 1000, 1001):
        stage.kommo(f"UPDATE clientes_kommo SET motivos_churn = repeat('x', {wanted - length + 2}) WHERE id = 1")
        stage.publish()
        port = start_loaded(stage).port
        assert len(ask(port, "/clientes").body) == wanted
        for encoding in ("gzip", "zstd"):
            response = ask(port, "/clientes", headers={"Accept-Encoding": encoding})
            assert response.header("Content-Encoding") == (encoding if wanted >= 1000 else None)
            assert len(response.content()) == wanted


def test_what_is_not_data_is_never_compressed(port):
    for path in ("/", "/health", "/nada", "/clientes?data_adesao_inicio=x"):
        assert ask(port, path, headers={"Accept-Encoding": "gzip"}).header("Content-Encoding") is None


# ---- CORS and OPTIONS


def preflight(headers=None, **more):
    return {"Origin": "https://painel.example", "Access-Control-Request-Method": "GET", **(headers or {}), **more}


@pytest.mark.parametrize("path", METHODS)
def test_preflight(port, path):
    wanted = "authorization, x-anything"
    headers = preflight({"Access-Control-Request-Headers": wanted, "Access-Control-Request-Method": "POST"})
    response = ask(port, path, "OPTIONS", user=None, headers=headers)
    assert (response.status, response.body) == (204, b"")
    assert response.header("Access-Control-Allow-Origin") == "*"
    assert names_in(response.header("Access-Control-Allow-Methods")) == METHODS[path]
    assert response.header("Access-Control-Allow-Headers") == wanted
    assert response.header("Access-Control-Max-Age") == "600"
    assert response.header("Allow") is None
    assert ask(port, path + "/", "OPTIONS", user=None, headers=headers).status == 204


def test_preflight_that_asks_for_no_headers(port):
    response = ask(port, "/clientes", "OPTIONS", user=None, headers=preflight())
    assert response.status == 204 and response.header("Access-Control-Allow-Headers") is None


@pytest.mark.parametrize(
    "values, allowed",
    [
        (["authorization", "x-a, x-b"], "authorization, x-a, x-b"),
        (["", "authorization", ""], "authorization"),
        (["", ""], None),
        (["x"] * 8, ", ".join(["x"] * 8)),
        (["x"] * 9, None),
    ],
)
def test_preflight_that_asks_in_several_lines(port, values, allowed):
    lines = "Origin: https://painel.example\r\nAccess-Control-Request-Method: GET\r\n"
    response = ask_with_lines(port, "/clientes", "Access-Control-Request-Headers", values, "OPTIONS", lines)
    shown = [value for name, value in response.headers if name == "Access-Control-Allow-Headers"]
    assert response.status == 204 and shown == ([allowed] if allowed else [])


@pytest.mark.parametrize("path", METHODS)
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://painel.example"}, {"Access-Control-Request-Method": "GET"}]
)
def test_other_options(port, path, headers):
    response = ask(port, path, "OPTIONS", user=None, headers=headers)
    assert (response.status, response.body) == (204, b"")
    assert names_in(response.header("Allow")) == METHODS[path]
    assert response.header("Access-Control-Allow-Methods") is None


def test_options_of_everything(port):
    response = ask(port, "*", "OPTIONS", user=None)
    assert response.status == 204 and names_in(response.header("Allow")) == READ | WRITE


def test_options_of_an_unknown_path(port):
    assert ask(port, "/nada", "OPTIONS", user=None, headers=preflight()).status == 404


@pytest.fixture(scope="module")
def listed_port(published):
    return start_loaded(published, CORS_ALLOW_ORIGINS="https://a.example, https://b.example:8443").port


@pytest.mark.parametrize(
    "method, path, options, status",
    [
        ("GET", "/clientes", {}, 200),
        ("GET", f"/clientes?{BUCKET}", {}, 200),
        ("GET", LOGINS, {}, 200),
        ("GET", "/", {}, 200),
        ("HEAD", "/clientes", {}, 200),
        ("GET", "/health", {}, 200),
        ("GET", "/nada", {}, 404),
        ("GET", CLEAR, {}, 405),
        ("GET", "/clientes", NOBODY, 401),
        ("GET", "/clientes", {"body": b"x" * 65537}, 413),
        ("GET", "/health-scores?formato=x", {}, 422),
        ("GET", "/logins?tenant_id=999999", {}, 404),
        ("OPTIONS", "/clientes", NOBODY, 204),
        ("GET", "/clientes", {"headers": {"If-None-Match": "*"}}, 304),
        ("OPTIONS", "/clientes", {"user": None, "headers": {"Access-Control-Request-Method": "GET"}}, 204),
    ],
)
def test_listed_origins(listed_port, method, path, options, status):
    for origin, allowed in (
        ("https://a.example", True),
        ("https://b.example:8443", True),
        ("https://c.example", False),
        ("https://a.example.evil", False),
        ("https://b.example", False),
        ("http://a.example", False),
        ("a.example", False),
        ("*", False),
        ("null", False),
        ("", False),
        (None, False),
    ):
        headers = {**options.get("headers", {}), "Origin": origin}
        response = ask(listed_port, path, method, **{**options, "headers": headers})
        assert response.status == status, response
        assert response.header("Access-Control-Allow-Origin") == (origin if allowed else None)
        vary = names_in(response.header("Vary"))
        assert "Origin" in vary and (response.header("ETag") is None or vary == {"Origin", "Accept", "Accept-Encoding"})


def test_star_among_listed_origins(published):
    """It stands for all, whatever stands beside it."""
    port = start_loaded(published, CORS_ALLOW_ORIGINS="https://a.example,*").port
    for origin in ("https://a.example", "https://b.example", "null", None):
        response = ask(port, "/clientes", headers={"Origin": origin})
        assert response.header("Access-Control-Allow-Origin") == "*"
        assert "Origin" not in names_in(response.header("Vary"))


def test_origin_of_what_is_not_clean_http(listed_port):
    response, _ = exchange(listed_port, b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\nA : b\r\n\r\n")
    assert response.status == 400 and "Origin" in names_in(response.header("Vary"))


def test_origin_is_open_by_default_also_in_errors(port):
    for path in (*OPEN, *ANSWERS, "/nada", "/health-scores?formato=x", "/logins?tenant_id=0"):
        for user in (http_client.USER, None):
            response = ask(port, path, user=user, headers={"Origin": "https://painel.example"})
            assert response.header("Access-Control-Allow-Origin") == "*"
            assert "Origin" not in names_in(response.header("Vary"))
    response, _ = exchange(port, b"broken\r\n\r\n")
    assert response.header("Access-Control-Allow-Origin") == "*"


# ---- /cache/clear, as HTTP sees it


@pytest.mark.parametrize("query", ["", "?wait=true", "?wait=false", "?wait=", "?wait=maybe&wait=false", "/?x=1"])
def test_refresh_without_a_worker(port, query):
    response = ask(port, CLEAR + query, "POST")
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert response.header("Access-Control-Allow-Origin") == "*"
    assert "atualização" in response.json()["detail"]


@pytest.fixture(scope="module")
def attended(fleet, published):
    """A stage with a worker, and an API of two threads."""
    stage = Stage(fleet, published.data)
    worker = stage.start_worker(REFRESH_INTERVAL=0)
    api = start_loaded(stage, API_THREADS=2)
    yield stage, worker, api
    worker.stop()


def test_refresh(attended):
    stage, _, api = attended
    for options in ({}, {"body": b"{}"}, {"headers": {"Content-Length": "0"}}, {"body": b"x" * 65536}):
        before = stage.pointer()
        response = ask(api.port, CLEAR, "POST", **options)
        assert response.status == 200, response
        document = response.json()
        assert list(document) == ["status", "message", "generation", "duration_ms"]
        assert document["status"] == "success" and document["message"]
        assert before < document["generation"] == stage.pointer()
        assert 0 <= document["duration_ms"] < 60000
        assert_compact(response.body, CLEAR)
        assert response.header("Cache-Control") == "no-store" and response.header("X-Generation") is None
        with contextlib.ExitStack() as stack:
            for connection in [stack.enter_context(Connection(api.port)) for _ in range(8)]:
                assert int(connection.ask("/dashboard").header("X-Generation")) >= document["generation"]


@pytest.mark.parametrize("value", ["True", "TRUE", "tRUE"])
def test_wait_in_any_letter_case(attended, value):
    _, _, api = attended
    assert ask(api.port, f"{CLEAR}?wait={value}", "POST").status == 200


@pytest.mark.parametrize("value", ["false", "False", "FALSE"])
def test_refresh_that_is_not_waited_for(attended, value):
    stage, _, api = attended
    before = stage.pointer()
    response = ask(api.port, f"{CLEAR}?wait={value}", "POST")
    document = response.json()
    assert response.status == 202 and document["status"] == "accepted" and document["message"]
    wait_for(lambda: ask(api.port, "/health").json()["generation"] > before, "the new generation is served", 20)


def test_many_refreshes_at_once(attended):
    stage, worker, api = attended
    before, published_before = stage.pointer(), worker.log_text().count("generation published")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(api.port, CLEAR, "POST"), range(20)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.json()["generation"] > before for answer in answers)
    assert 1 <= worker.log_text().count("generation published") - published_before <= 8


def test_refresh_that_fails(fleet, published):
    stage = Stage(fleet, published.data)
    model = changed_model(fleet.folder, lambda model: None)
    worker = stage.start_worker(REFRESH_INTERVAL=0, SCORING_MODEL=model)
    api = start_loaded(stage)
    generation = stage.pointer()
    with open(model, "w", encoding="utf-8") as out:
        out.write("{}")
    response = ask(api.port, CLEAR, "POST")
    assert response.status == 502, (response, worker.log_tail())
    assert response.header("Access-Control-Allow-Origin") == "*"
    assert set(response.json()) == {"detail"} and "SQL" not in response.body.decode()
    assert ask(api.port, "/dashboard").header("X-Generation") == str(generation)
    wait_for(lambda: ask(api.port, "/health").json()["worker"]["last_error"], "the reason is told", 10)
    health = ask(api.port, "/health").json()
    assert re.fullmatch(r"[a-z_-]+", health["worker"]["last_error"]) and health["worker"]["alive"] is True
    worker.stop()
