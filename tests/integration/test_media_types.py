"""The same answers as MessagePack and as CSV: what they hold is what the JSON holds, and everything else about an
answer (ETag, 304, gzip, HEAD, X-Cache, errors) is as it is for JSON. Which Accept asks for which is
test_api_negotiation.c's to the last row; here it is seen that the answer follows."""

import concurrent.futures
import json
import os

import pytest

from http_client import CSV_TYPE, MSGPACK, Connection, ask
from media_types import assert_csv_is_json, assert_msgpack_is_json, parse_csv, parse_msgpack
from service import MYSQL_SCHEMA, POSTGRES_SCHEMA, Stage, prepare_counter, prepare_sample
from serving import names_in, start_loaded, wait_until_served

CSV, JSON = "text/csv", "application/json"
CLIENT_NAMES = [
    "client_id",
    "nome",
    "razao_social",
    "cnpj",
    "valor",
    "vendedor",
    "cs",
    "status",
    "pipeline",
    "data_adesao",
    "data_start_onboarding",
    "data_end_onboarding",
    "data_cancelamento",
    "motivos_churn",
    "descricao_cancelamento",
    "criado_em",
    "atualizado_em",
    "tmo",
]
TENANT_NAMES = [
    "tenant_id",
    "slug",
    "name",
    "cnpj",
    "qntd_acessos_30d",
    "dias_desde_ultimo_acesso",
    "score_engajamento",
    "qntd_entradas_30d",
    "dias_desde_ultima_entrada",
    "qntd_saidas_30d",
    "dias_desde_ultima_saida",
    "score_movimentacao_estoque",
    "qntd_leads_30d",
    "dias_desde_ultimo_lead",
    "score_crm",
    "econversa_ativo",
    "integradores_conectados",
    "integradores",
    "score_adoption",
    "score_total",
    "categoria",
]
COLUMNS = {"/clientes": CLIENT_NAMES, "/health-scores": TENANT_NAMES}
INICIO, FIM = "data_adesao_inicio", "data_adesao_fim"
FILTERS = [
    "",
    f"{INICIO}=2024-01-01&{FIM}=2024-12-31",
    f"{INICIO}=2024-03-05",
    f"{FIM}=2023-11-17",
    f"{INICIO}=0001-01-01&{FIM}=9999-12-31",
    f"{INICIO}=0001-01-01&{FIM}=0001-01-01",
]
OBJECTS = [
    "/clientes",
    "/health-scores",
    "/health-scores?formato=plano",
    "/health-scores?formato=detalhado",
    "/dashboard",
]
LOGINS = [f"/logins?tenant_id={tenant}" for tenant in (1, 2, 3, 30)]


def with_query(path, query):
    return path + ("&" if "?" in path else "?") * bool(query) + query


def accept(value, **more):
    return {"headers": {"Accept": value, **more}}


@pytest.fixture(scope="module")
def published(fleet):
    """Rows that are hard to handle among them."""
    prepare_sample(fleet, "hostile", "--tenants", "60", "--clients", "120", "--hostile")
    stage = Stage(fleet, "hostile")
    stage.publish()
    return stage


@pytest.fixture(scope="module")
def port(published):
    return start_loaded(published).port


@pytest.fixture
def fresh_port(published):
    """An API that nobody has asked anything yet."""
    return start_loaded(published, COMPUTE_TIMEOUT=60).port


# ---- What is in them


@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("path", OBJECTS)
def test_msgpack_is_the_json(port, path, query):
    with Connection(port) as connection:
        plain = connection.ask(with_query(path, query))
        packed = connection.ask(with_query(path, query), **accept(MSGPACK))
    assert (packed.status, packed.header("Content-Type")) == (200, MSGPACK)
    assert packed.header("Content-Disposition") is None
    assert_msgpack_is_json(packed.body, plain.body)


@pytest.mark.parametrize("path", LOGINS)
def test_msgpack_of_logins(port, path):
    plain, packed = ask(port, path), ask(port, path, **accept(MSGPACK))
    assert packed.header("Content-Type") == MSGPACK
    assert_msgpack_is_json(packed.body, plain.body)
    assert ask(port, path, **accept(CSV)).body == plain.body


def test_msgpack_of_many_logins(fleet):
    """A list that is longer than its header was thought to be when it was begun, read in parts."""
    prepare_counter(fleet, "busy")
    count = 70000
    fleet.mariadb.execute(
        "INSERT INTO activity_log (tenant_id, subject_id, event, created_at) SELECT 1, 7, 'login',"
        f" '2025-03-10' + INTERVAL seq SECOND FROM seq_1_to_{count}",
        "ecosys_busy",
    )
    stage = Stage(fleet, "busy")
    stage.publish()
    port = start_loaded(stage).port
    plain, packed = (ask(port, "/logins?tenant_id=1", **accept(media)) for media in (JSON, MSGPACK))
    assert dict(parse_msgpack(packed.body))["total_logins"] == count
    assert_msgpack_is_json(packed.body, plain.body)


@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("path", COLUMNS)
def test_csv_is_the_json(port, path, query):
    plain = ask(port, with_query(path, query))
    table = ask(port, with_query(path, query), **accept(CSV))
    assert (table.status, table.header("Content-Type")) == (200, CSV_TYPE)
    assert table.header("Content-Disposition") == f'attachment; filename="{path[1:]}.csv"'
    assert_csv_is_json(table.body, plain.body, COLUMNS[path])
    by_query = ask(port, with_query(with_query(path, query), "formato=csv"))
    assert by_query.body == table.body
    assert by_query.header("ETag") == table.header("ETag")
    assert by_query.header("Content-Disposition") == table.header("Content-Disposition")


def test_trailing_slash_is_not_in_the_name(port):
    assert (
        ask(port, "/health-scores/?formato=csv").header("Content-Disposition")
        == 'attachment; filename="health-scores.csv"'
    )


HOSTILE = [
    "=1+1",
    "+55 11",
    "-3",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    " =1",
    "\u00a0\u2003=1",
    "\ufeff=1",
    "\uff1d1",
    "\x01\x02=1",
    "a;b",
    'a"b',
    '"',
    '""',
    ";",
    "a\nb",
    "a\r\nb",
    "\n",
    "\r",
    " ",
    "",
    "'",
    "'=1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example";"y")',
    "\x01\x1f\x7f",
    "🚗 ção €",
    "a\u2028b",
    "x=1",
    "1,5",
    "007",
    "\\",
    '\\"',
    "{}",
    "<b>",
    "é" * 40000,
    ";" * 70000,
    '"' * 40000,
]


def literal(text):
    return "convert_from(decode('" + text.encode().hex() + "', 'hex'), 'UTF8')"


@pytest.fixture(scope="module")
def hostile_port(fleet):
    """A client for each hostile text, which is all its texts."""
    name = "texts"
    path = os.path.join(fleet.folder, f"{name}.sql")
    with open(path, "w", encoding="utf-8") as out:
        for number, text in enumerate(HOSTILE, 1):
            value = literal(text)
            out.write(
                f"INSERT INTO companies_kommo VALUES ({number}, {value}, {value}, {10**number % (10**15)});"
                f"INSERT INTO users VALUES ({number}, {value}); INSERT INTO pipelines VALUES ({number}, {value});"
                f"INSERT INTO statuses VALUES ({number}, {value});"
                "INSERT INTO clientes_kommo (id, company_id, valor, vendedor, cs_id, pipeline_id, status_id,"
                " motivos_churn, descricao_cancelamento, data_adesao, data_cancelamento, criado_em, atualizado_em,"
                " data_start_onboarding, data_end_onboarding)"
                f" VALUES ({number}, {number}, {number - 5}.25, {value}, {number}, {number}, {number}, {value},"
                f" {value}, '2024-01-01'::timestamp - {number} * interval '1 hour', '2024-02-29 23:59:59.999999',"
                " '1899-12-31', '0001-01-01', '2024-02-01', '2024-01-01');"
            )
    fleet.prepare(name, kommo=[POSTGRES_SCHEMA, path], ecosys=[MYSQL_SCHEMA])
    stage = Stage(fleet, name)
    stage.publish()
    return start_loaded(stage).port


def test_hostile_texts(hostile_port):
    plain = ask(hostile_port, "/clientes")
    clients = plain.json()
    assert [client["nome"] for client in clients.values()] == HOSTILE
    assert_msgpack_is_json(ask(hostile_port, "/clientes", **accept(MSGPACK)).body, plain.body)
    table = ask(hostile_port, "/clientes?formato=csv")
    assert_csv_is_json(table.body, plain.body, CLIENT_NAMES)
    for row, text in zip(parse_csv(table.body)[1:], HOSTILE):
        assert row[1].removeprefix("'") == text.removeprefix("'")
        assert row[1].lstrip("\0\x01\x02 \u00a0\u2003\ufeff")[:1] not in (
            "=",
            "+",
            "-",
            "@",
            "\uff1d",
            "\t",
            "\r",
            "\n",
        ) or text in ("\n", "\r")


def test_csv_to_the_byte(hostile_port):
    lines = ask(hostile_port, "/clientes?formato=csv").body.split(b"\r\n")
    assert lines[0] == b"\xef\xbb\xbf" + ";".join(CLIENT_NAMES).encode()
    cell = "'=1+1"
    assert lines[1].decode() == (
        f"1;{cell};{cell};00.000.000/0000-10;-4,25;{cell};{cell};{cell};{cell};2023-12-31 23:00:00;"
        f"2024-02-01 00:00:00;2024-01-01 00:00:00;2024-02-29 23:59:59;{cell};{cell};"
        "1899-12-31 00:00:00;0001-01-01 00:00:00;-31"
    )


# ---- Which one is answered

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    "value, table, no_table",
    [
        (None, JSON, JSON),
        ("", JSON, JSON),
        ("*/*", JSON, JSON),
        (BROWSER, JSON, JSON),
        (JSON, JSON, JSON),
        (MSGPACK, MSGPACK, MSGPACK),
        ("application/*", JSON, JSON),
        (CSV, CSV_TYPE, JSON),
        ("text/*", CSV_TYPE, JSON),
        ("TEXT/CSV; charset=utf-8", CSV_TYPE, JSON),
        (f"{CSV}, {JSON}", JSON, JSON),
        (f"{CSV}, {JSON};q=0.9", CSV_TYPE, JSON),
        (f"{MSGPACK};q=0.5, {JSON};q=0.4", MSGPACK, MSGPACK),
        (f"{MSGPACK};q=0", JSON, JSON),
        ("*/*;q=0", JSON, JSON),
        (f"{JSON};q=0, */*", MSGPACK, MSGPACK),
        (f"{JSON};q=0, {MSGPACK};q=0, */*", CSV_TYPE, JSON),
        ("text/html", JSON, JSON),
        ("image/png, nonsense/", JSON, JSON),
        (f"{CSV};q=0.1, */*;q=0.01", CSV_TYPE, JSON),
        (f"{MSGPACK}, */*", MSGPACK, MSGPACK),
        (f"{CSV}, */*", CSV_TYPE, JSON),
        (f"{JSON}, text/plain, */*", JSON, JSON),
        (f"{MSGPACK}, {JSON}", JSON, JSON),
        (f"{MSGPACK};q=0, */*;q=0", JSON, JSON),
    ],
)
def test_accept(port, value, table, no_table):
    with Connection(port) as connection:
        for method in ("GET", "HEAD"):
            for path in (
                "/clientes",
                "/health-scores",
                f"/clientes?{INICIO}=2024-01-01",
                "/health-scores?formato=",
                "/health-scores?formato=plano",
            ):
                assert connection.ask(path, method, **accept(value)).header("Content-Type") == table
            for path in ("/dashboard", LOGINS[0], "/health-scores?formato=detalhado"):
                assert connection.ask(path, method, **accept(value)).header("Content-Type") == no_table
            for path in ("/clientes?formato=csv", "/health-scores?formato=csv"):
                assert connection.ask(path, method, **accept(value)).header("Content-Type") == CSV_TYPE
            for path in ("/dashboard?formato=csv", "/dashboard?formato=xyz", "/logins?tenant_id=1&formato=csv"):
                assert connection.ask(path, method, **accept(value)).header("Content-Type") == no_table


def test_repeated_accept(port):
    head = b"GET /clientes HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ZGVtbzpkZW1v\r\n"
    for fields, expected in (
        (b"Accept: text/csv;q=0.5\r\nAccept: application/msgpack;q=0.6\r\n", MSGPACK),
        (b"Accept: application/msgpack;q=0.6\r\nAccept: text/csv;q=0.5\r\n", MSGPACK),
        (b"Accept: text/csv\r\nAccept:\r\n", CSV_TYPE),
    ):
        with Connection(port) as connection:
            connection.send(head + fields + b"\r\n")
            assert connection.read().header("Content-Type") == expected


def test_table_of_scores_where_the_nested_shape_is_the_default(published, port):
    detalhado = start_loaded(published, HEALTH_SCORES_FORMATO="detalhado").port
    expected = ask(port, "/health-scores?formato=csv")
    assert ask(detalhado, "/health-scores?formato=csv").body == expected.body
    for asked in (port, detalhado):
        for path in ("/health-scores", "/health-scores?formato=plano"):
            assert ask(asked, path, **accept(CSV)).body == expected.body
        assert ask(asked, "/health-scores?formato=detalhado", **accept(CSV)).header("Content-Type") == JSON
    for path in ("/health-scores", "/health-scores?formato=detalhado"):
        packed = ask(detalhado, path, **accept(MSGPACK))
        assert packed.body == ask(port, "/health-scores?formato=detalhado", **accept(MSGPACK)).body


@pytest.mark.parametrize(
    "path, value",
    [
        ("/clientes", "xyz"),
        ("/clientes", "plano"),
        ("/clientes", "detalhado"),
        ("/clientes", "CSV"),
        ("/clientes", "csv%20"),
        ("/clientes", "json"),
        ("/clientes", "msgpack"),
        ("/clientes", "text/csv"),
        ("/clientes", "csv&formato=xyz"),
        ("/health-scores", "xyz"),
        ("/health-scores", "Csv"),
        ("/health-scores", "plano,csv"),
        ("/health-scores", "csv&formato=x"),
    ],
)
def test_unknown_formato(port, path, value):
    for headers in ({}, accept(MSGPACK), accept(CSV)):
        response = ask(port, f"{path}?formato={value}", **headers)
        assert response.status == 422 and response.header("Content-Type") == JSON
        (problem,) = response.json()["detail"]
        assert problem["loc"] == ["query", "formato"] and problem["type"] == "value_error.formato"
        assert problem["msg"].startswith("formato desconhecido; use ") and problem["msg"].endswith("csv")


@pytest.mark.parametrize(
    "query, media",
    [
        ("formato=xyz&formato=csv", CSV_TYPE),
        ("formato=csv&formato=", JSON),
        ("formato=c%73v", CSV_TYPE),
        ("Formato=csv", JSON),
        ("formato", JSON),
    ],
)
def test_last_formato_counts(port, query, media):
    for path in COLUMNS:
        assert ask(port, f"{path}?{query}").header("Content-Type") == media


@pytest.mark.parametrize("media", [MSGPACK, CSV])
def test_errors_stay_json(fleet, published, port, media):
    empty = Stage(fleet, published.data).start_api().port
    for asked, path, options, status in (
        (port, "/nada", {}, 404),
        (port, "/clientes", {"method": "POST"}, 405),
        (port, "/clientes", {"user": None}, 401),
        (port, "/clientes", {"user": "demo:x"}, 401),
        (port, "/clientes", {"body": b"x" * 65537}, 413),
        (port, "/clientes?data_adesao_inicio=x", {}, 422),
        (port, "/clientes?data_adesao_inicio=x&formato=csv", {}, 422),
        (port, "/logins?tenant_id=999999", {}, 404),
        (port, "/logins", {}, 422),
        (empty, "/clientes", {}, 503),
        (empty, "/clientes?formato=csv", {}, 503),
        (empty, "/health-scores", {}, 503),
    ):
        response = ask(asked, path, **accept(media), **options)
        assert response.status == status, response
        assert response.header("Content-Type") == JSON and list(response.json()) == ["detail"]
        assert response.header("Content-Disposition") is None


def test_what_is_not_data_stays_json(port):
    for path in ("/", "/health"):
        assert ask(port, path, **accept(MSGPACK)).header("Content-Type") == JSON


# ---- Everything else is as it is for JSON

KINDS = [
    ("/clientes", MSGPACK),
    ("/clientes", CSV),
    ("/health-scores", MSGPACK),
    ("/health-scores", CSV),
    ("/health-scores?formato=detalhado", MSGPACK),
    ("/dashboard", MSGPACK),
    (LOGINS[0], MSGPACK),
]


@pytest.mark.parametrize("path, media", KINDS)
def test_headers(published, port, path, media):
    response = ask(port, path, **accept(media))
    assert response.header("Cache-Control") == "private, no-cache"
    assert names_in(response.header("Vary")) == {"Accept-Encoding", "Accept"}
    assert response.header("X-Generation") == str(published.pointer())
    assert int(response.header("Age")) >= 0


def test_etags_differ_between_representations(port):
    tags = [ask(port, path, **accept(media)).header("ETag") for path, media in KINDS]
    tags += [ask(port, path).header("ETag") for path in {path for path, _ in KINDS}]
    assert len(set(tags)) == len(tags)


def test_etags_of_nothing_differ(port):
    nothing = f"{INICIO}=0001-01-01&{FIM}=0001-01-01"
    tags = {ask(port, f"/clientes?{nothing}", **accept(media)).header("ETag") for media in (JSON, MSGPACK, CSV)}
    assert len(tags) == 3


@pytest.mark.parametrize("path, media", KINDS)
def test_if_none_match(port, path, media):
    with Connection(port) as connection:
        full = connection.ask(path, **accept(media))
        other = connection.ask(path).header("ETag")
        for method in ("GET", "HEAD"):
            for value in (
                full.header("ETag"),
                full.header("ETag").removeprefix("W/"),
                "*",
                f'{other}, {full.header("ETag")}',
            ):
                known = connection.ask(path, method, **accept(media, **{"If-None-Match": value}))
                assert (known.status, known.body) == (304, b"")
                assert known.header("ETag") == full.header("ETag")
                for name in ("Content-Type", "Content-Disposition", "Content-Encoding", "Content-Length"):
                    assert known.header(name) is None
        unknown = connection.ask(path, **accept(media, **{"If-None-Match": other}))
        assert unknown.status == 200 and unknown.body == full.body


@pytest.mark.parametrize("path, media", KINDS)
def test_gzip(port, path, media):
    plain = ask(port, path, **accept(media))
    packed = ask(port, path, **accept(media, **{"Accept-Encoding": "gzip"}))
    is_long = len(plain.body) >= 1000
    assert packed.header("Content-Encoding") == ("gzip" if is_long else None)
    assert (len(packed.body) < len(plain.body)) == is_long
    assert packed.content() == plain.body
    for name in ("ETag", "Content-Type", "Content-Disposition", "X-Generation"):
        assert packed.header(name) == plain.header(name)


def test_gzip_from_a_thousand_bytes_on(port):
    lengths = set()
    days = sorted(
        {client["data_adesao"][:10] for client in ask(port, "/clientes").json().values() if client["data_adesao"]}
    )
    with Connection(port) as connection:
        for day in days[::3]:
            for path, media in KINDS[:5]:
                path = with_query(path, f"{INICIO}={day}&{FIM}={day}")
                plain = connection.ask(path, **accept(media))
                packed = connection.ask(path, **accept(media, **{"Accept-Encoding": "gzip"}))
                assert (packed.header("Content-Encoding") == "gzip") == (len(plain.body) >= 1000)
                assert packed.content() == plain.body
                lengths.add(len(plain.body))
    assert min(lengths) < 900 and max(lengths) > 1000


@pytest.mark.parametrize("path, media", KINDS)
@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_head_is_get_without_body(port, path, media, encoding):
    options = accept(media, **{"Accept-Encoding": encoding})
    with Connection(port) as connection:
        connection.ask(path, **options)
        get, head = connection.ask(path, **options), connection.ask(path, "HEAD", **options)
        assert head.status == 200 and head.body == b""
        left_out = ("Date", "Age")
        assert [(name, value) for name, value in head.headers if name not in left_out] == [
            (name, value) for name, value in get.headers if name not in left_out
        ]
        assert get.header("Content-Length") == str(len(get.body))


def test_where_answers_come_from(fresh_port):
    """JSON without filter is at hand from the start; other media types are made when they are asked for, and kept."""
    computed = f"{INICIO}=2024-01-02&{FIM}=2024-02-03"
    bucket = f"{INICIO}=2024-01-01&{FIM}=2024-12-31"
    with Connection(fresh_port) as connection:
        for path, media in KINDS:
            if path.startswith("/logins"):
                continue
            assert connection.ask(path).header("X-Cache") == "HIT"
            for query, source in (("", "BLOB"), (bucket, "BLOB"), (computed, "COMPUTE")):
                asked = with_query(path, query)
                assert connection.ask(asked, **accept(media)).header("X-Cache") == source, asked
                assert connection.ask(asked, **accept(media)).header("X-Cache") == "HIT", asked


def test_many_at_once_on_a_new_generation(fresh_port):
    """Rows of a media type that nobody has asked for yet are rendered once, for all who ask."""
    asked = [(with_query(path, query), media) for path, media in KINDS[:5] for query in FILTERS] * 3

    def answer(question):
        return ask(fresh_port, question[0], **accept(question[1]))

    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(answer, asked))
    assert {response.status for response in answers} == {200}
    for question, response in zip(asked, answers):
        assert response.body == answer(question).body


def test_a_new_generation_is_shown_in_all_media_types(fleet):
    prepare_counter(fleet, "counter")
    stage = Stage(fleet, "counter")
    stage.set_counter(1)
    stage.publish()
    api = start_loaded(stage)
    seen = []
    for number in (1, 2, 2):
        stage.set_counter(number)
        wait_until_served(api.port, stage.publish())
        table, packed = ask(api.port, "/clientes?formato=csv"), ask(api.port, "/clientes", **accept(MSGPACK))
        assert parse_csv(table.body)[1][4] == str(number)
        assert dict(dict(parse_msgpack(packed.body))["1"])["valor"] == number
        seen.append((table.header("ETag"), packed.header("ETag")))
    assert seen[0][0] != seen[1][0] and seen[0][1] != seen[1][1]
    assert seen[1] == seen[2]


def test_json_is_what_it_was(port):
    """Asking for other media types changes nothing about it."""
    for path in OBJECTS:
        before = ask(port, path)
        ask(port, path, **accept(MSGPACK))
        assert ask(port, path).body == before.body
        json.loads(before.body)
