"""What documents, sample file, units and schemas say, compared with the code and with what the programs print."""

import json
import os
import re
import subprocess

import pytest

from sources import ROOT, files, text_of, without_comments

BUILD = os.environ.get("ECOSYS_BUILD", os.path.join(ROOT, "build"))


def tables(text):
    """Every table of a Markdown text, each a list of rows of cells, headline first."""
    found, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            current.append([cell.strip() for cell in line.strip("|").split("|")])
        elif current:
            found.append([current[0], *current[2:]])
            current = []
    return found


def table_with(path, *headline):
    for rows in tables(text_of(path)):
        if rows[0] == list(headline):
            return rows[1:]
    raise AssertionError(f"{path} has no table with the columns {headline}")


def code(cell):
    """What stands between backquotes, or the empty text."""
    match = re.fullmatch(r"`(.*)`", cell)
    return match[1] if match else ""


# ---- Settings


def settings_of(program):
    """[(name, default, whether it is required)] in the order of --help."""
    path = os.path.join(BUILD, program, f"ecosys-{program}")
    shown = subprocess.run([path, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    settings = []
    for line in shown.split("\nSettings", 1)[1].splitlines()[1:]:
        name, rest = re.fullmatch(r"  (\S+)\s+(.*)", line).groups()
        default = re.search(r" \[([^\[\]]*)\]$", rest)
        settings.append((name, default[1] if default else "", " (required)" in rest))
    assert settings
    return settings


def documented_settings():
    return table_with("docs/configuration.md", "name", "default", "program", "takes", "meaning")


def sample_settings():
    """[(name, value, whether it is commented out)] of .env.example."""
    found = re.findall(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", text_of(".env.example"), re.M)
    return [(name, value, mark == "#") for mark, name, value in found]


@pytest.mark.parametrize("program, word", [("worker", "worker"), ("api", "API")])
def test_documented_settings_are_those_of_the_program(program, word):
    documented = [
        (code(name), code(default), default == "required")
        for name, default, reads, *_ in documented_settings()
        if reads in (word, "both")
    ]
    assert documented == settings_of(program)


def test_programs_of_settings_are_known():
    assert {row[2] for row in documented_settings()} == {"worker", "API", "both"}


def test_sample_file_has_every_setting_in_order():
    documented = [code(row[0]) for row in documented_settings()]
    assert [name for name, _, _ in sample_settings()] == documented


def test_sample_file_has_the_defaults():
    expected = [(code(row[0]), code(row[1]), row[1] != "required") for row in documented_settings()]
    assert sample_settings() == expected


def test_sample_file_means_the_same_to_systemd():
    for name, value, _ in sample_settings():
        assert not re.search(r"\s#|\$\{|['\"]", value), name
    assert "export " not in text_of(".env.example")


def test_documented_ranges_are_those_of_the_table():
    source = text_of("common/program/settings.c")
    named = {name: int(value) for name, value in re.findall(r"^#define (\w+) +(\d+)$", source, re.M)}

    def number(word):
        if word == "INT64_MAX / 2":
            return (2**63 - 1) // 2
        return named[word] if word in named else int(word)

    table = re.search(r"^static const struct setting ROWS\[\] = \{\n(.*?)^\};", source, re.M | re.S)[1]
    rows = [
        dict(re.findall(r'\.(\w+) = ("(?:[^"\\]|\\.)*"|[^,{}"]+)', row))
        for row in re.findall(r"^    \{(\..*?)\},$", table, re.M | re.S)
    ]
    assert [row["name"].strip('"') for row in rows] == [code(row[0]) for row in documented_settings()]
    ranges = {
        row["name"].strip('"'): f"{number(row['low'])} to {number(row['high'])}"
        for row in rows
        if row["kind"] == "KIND_NUMBER"
    }
    documented = {code(row[0]): row[3] for row in documented_settings() if re.fullmatch(r"\d+ to \d+", row[3])}
    assert ranges and documented == ranges


def names_of_settings():
    return {code(row[0]) for row in documented_settings()}


def marked_names(document):
    """What a document shows as names of settings: in capitals, between backquotes or in front of an =."""
    text = text_of(document)
    return set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)[`=]", text)) | set(re.findall(r"^([A-Z]+(?:_[A-Z]+)+)=", text, re.M))


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CHANGELOG.md",
        "docs/api.md",
        "docs/architecture.md",
        "docs/compatibility.md",
        "docs/known-limits.md",
        "docs/scoring.md",
        "docs/security.md",
        "docs/pt-BR/inicio.md",
        "docs/reliability.md",
        "docs/least-privilege.md",
        "docs/benchmarks.md",
        "schemas/redis.md",
    ],
)
def test_documents_name_settings_that_exist(document):
    assert marked_names(document) - {"ENVELOPE_VERSION", "MSG_MORE"} <= names_of_settings()


# ---- Numbers


@pytest.mark.parametrize(
    "source, name, value, document, words",
    [
        ("worker/sources/value.h", "VALUE_TEXT_MAX", "115000u", "docs/known-limits.md", "a text above 115,000 bytes"),
        ("common/domain/buckets.h", "BUCKETS_YEARS_MAX", "30", "docs/architecture.md", "at most 30 years back"),
        ("common/domain/buckets.h", "BUCKETS_MAX", "1024", "docs/architecture.md", "At most 1,024 in all"),
        ("common/domain/buckets.h", "BUCKETS_MAX", "1024", "schemas/redis.md", "at most 1,024 filters"),
        ("worker/job.h", "POPULAR_BUCKETS", "128", "docs/architecture.md", "up to 128 filters"),
        ("worker/job.h", "POPULAR_BUCKETS", "128", "schemas/redis.md", "up to 128 of the filters"),
        ("worker/leadership.c", "LEASE_CHECK_MS", "1000", "schemas/redis.md", "`LEASE_TIME`, renewed each second"),
        ("worker/requests.h", "REQUESTS_MAX", "2048", "schemas/redis.md", "remembers 2,048 requests"),
        ("worker/requests.c", "IDS_IN_MESSAGE", "64", "schemas/redis.md", "at most 64\nids in a message"),
        ("worker/publish.h", "PUBLISH_GRACE_S", "60", "schemas/redis.md", "`CACHE_MAX_STALE` + 60 s"),
        ("worker/refresh_client.c", "GIVE_UP_MS", "600000", "docs/architecture.md", "up to ten minutes"),
        ("worker/refresh_client.c", "SILENCE_MS", "10000", "docs/architecture.md", "falls silent for 10 s"),
        ("common/domain/tenant_logins.h", "LOGINS_DAYS", "30", "docs/api.md", "The window is always 30 days"),
        ("common/stored/messages.h", "REQUEST_ID_MAX", "40", "schemas/redis.md", "1 to 39 letters"),
        ("common/stored/codec_logins.c", "IDS_IN_CHUNK", "100000u", "schemas/redis.md", "at\nmost 100,000 in a chunk"),
        ("api/data/popular_filters.c", "REPORTED_MAX", "64", "schemas/redis.md", "at most 64, most asked for first"),
        ("api/data/follower.c", "REPORT_EVERY_MS", "5000", "schemas/redis.md", "at most each 5 s"),
        ("api/data/follower.c", "LOOK_EVERY_MS", "500", "docs/architecture.md", "500 ms"),
        ("api/server.c", "FETCHERS", "2", "docs/architecture.md", "| API | two fetchers |"),
        ("api/server.c", "SPARE_DESCRIPTORS", "128", "docs/configuration.md", "this number and 128 more"),
        ("api/net/listener.c", "ACCEPT_REST_S", "1", "docs/architecture.md", "the listener rests for a second"),
        ("api/net/turns.c", "ROUND_US", "50", "docs/architecture.md", "those who wait get 50 µs"),
        (
            "api/http/connection.c",
            "REQUESTS_A_TURN",
            "8",
            "docs/architecture.md",
            "a turn being eight requests at most",
        ),
        ("api/net/listener.c", "ACCEPT_AT_MOST_US", "1000", "docs/architecture.md", "at most a millisecond"),
        ("api/auth/throttle.h", "THROTTLE_ADDRESSES", "4096", "docs/architecture.md", "At most 4,096 addresses"),
        ("api/auth/throttle.h", "THROTTLE_FAMILIAR", "8192", "docs/architecture.md", "8,192 are remembered"),
        ("api/auth/verifier.c", "THREADS", "1", "docs/architecture.md", "one thread of its own, that"),
        ("api/server.c", "REPORT_EVERY_S", "60", "docs/configuration.md", "Once a minute at most, the log says"),
        (
            "common/stored/messages.h",
            "MESSAGE_NO_WORKER_MS",
            "2000",
            "docs/api.md",
            "No worker answers within 2 s: 503",
        ),
        ("api/data/tickets.h", "TICKET_GIVE_UP_MS", "60000", "docs/api.md", "not done in 60 s: 504"),
        ("common/stored/messages.h", "MESSAGE_REPEAT_MS", "1000", "schemas/redis.md", "Repeated each second"),
        (
            "api/formats/compression.h",
            "COMPRESS_LEN_MIN",
            "1000u?",
            "docs/api.md",
            "content of 1,000 bytes or more is compressed",
        ),
    ],
)
def test_numbers_are_those_of_the_code(source, name, value, document, words):
    assert re.search(rf"^#define {name} +{value}\b", text_of(source), re.M), "the document may be wrong now"
    assert words in text_of(document) or words.replace("\n", " ") in text_of(document).replace("\n", " ")


# ---- HTTP


def routes():
    """{path: (its methods as Allow tells them, whether it needs credentials)}, in the order of the list."""
    allowed = dict(re.findall(r'#define TAKES_(\w+) +"([A-Z, ]+)"', text_of("api/endpoints/router.c")))
    sources = "".join(text_of(path) for path in files("api/endpoints", ".c"))
    row = r'^const struct endpoint (\w+) = \{\.path = "([^"]+)",\s*\.method = METHOD_(\w+),\s*\.access = ACCESS_(\w+),'
    rows = {
        name: (path, (allowed[method], access != "PUBLIC"))
        for name, path, method, access in re.findall(row, sources, re.M)
    }
    listed = re.findall(r"LINE\((ENDPOINT_\w+)\)", text_of("api/endpoints/endpoints.h"))
    assert sorted(listed) == sorted(rows)
    return dict(rows[name] for name in listed)


def openapi():
    return json.loads(text_of("schemas/openapi.json"))


def test_openapi_has_the_routes():
    described = {}
    for path, item in openapi()["paths"].items():
        main = "get" if "get" in item else "post"
        described[path] = (", ".join(method.upper() for method in item), item[main]["security"] == [{"basic": []}])
        assert item["options"]["security"] == [], path
        if "head" in item:
            assert item["head"]["security"] == item["get"]["security"], path
    assert described == routes()


def test_api_document_has_the_routes():
    described = {
        re.search(r"`([^`]+)`", path)[1]: (method, credentials == "yes")
        for path, method, credentials, _ in table_with("docs/api.md", "path", "method", "credentials", "answer")
    }
    assert described == {path: (methods.split(",")[0], auth) for path, (methods, auth) in routes().items()}


@pytest.mark.parametrize("document", ["README.md", "docs/pt-BR/inicio.md"])
def test_documents_ask_for_routes_that_exist(document):
    asked = re.findall(r"http://127\.0\.0\.1:8000(/[a-z/-]*)", text_of(document))
    assert asked and set(asked) <= set(routes())


def errors_in_code():
    """{name: (status, document, whether it tells when to come again)}"""
    found = {}
    for path in ["api/http/errors.c", *files("api/endpoints", ".c")]:
        source = text_of(path)
        texts = dict(re.findall(r'^#define (\w+) +"((?:[^"\\]|\\.)*)"$', source, re.M))

        def arguments(words, texts=texts):
            parts = re.findall(r'"((?:[^"\\]|\\.)*)"|(\b\w+\b)', words)
            return [text or texts[name] for text, name in parts]

        start = r"^(?:static )?const struct http_error "
        row = start + r"ERROR_(\w+) = \{\s*(\d+),\s*ERROR_(DETAIL|INVALID)\((.*?)\),\s*(\w+)\};$"
        rows = re.findall(row, source, re.M | re.S)
        assert len(rows) == len(re.findall(start + r"\w+ = ", source, re.M)), path
        for name, status, kind, words, headers in rows:
            assert name not in found, name
            if kind == "INVALID":
                place, field, message, word = arguments(words)
                document = {"detail": [{"loc": [place, field], "msg": message, "type": word}]}
            else:
                [detail] = arguments(words)
                document = {"detail": detail}
            found[name] = (int(status), document, headers == "ERROR_RETRY_AFTER")
    return found


def test_openapi_has_the_errors():
    described = {
        name: (example["x-status"], example["value"]) for name, example in openapi()["components"]["examples"].items()
    }
    assert described == {name: error[:2] for name, error in errors_in_code().items()}


def test_openapi_uses_each_error_under_its_status():
    document, used = openapi(), set()
    for response in document["components"]["responses"].values():
        for example in response.get("content", {}).get("application/json", {}).get("examples", {}).values():
            name = example["$ref"].rsplit("/", 1)[1]
            used.add(name)
            assert document["components"]["examples"][name]["x-status"] == response["x-status"]
            if errors_in_code()[name][2]:
                assert "Retry-After" in response["headers"], name
    assert used == set(errors_in_code())
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if "$ref" in response:
                    component = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
                    assert str(component["x-status"]) == status


def test_api_document_has_the_errors():
    described = {(int(row[0]), code(row[1])) for row in table_with("docs/api.md", "status", "detail", "when")}
    expected = set()
    for status, document, _ in errors_in_code().values():
        detail = document["detail"]
        expected.add((status, detail if isinstance(detail, str) else detail[0]["msg"]))
    assert described == expected


def test_openapi_has_the_parameters():
    """Those that an endpoint asks a request for, each of them somewhere in the document."""
    sources = "".join(text_of(path) for path in files("api/endpoints", ".c"))
    asked = set(re.findall(r'(?:parameter_find|read_bound)\([^;]*?"(\w+)"', sources))
    document = openapi()["components"]["parameters"].values()
    assert {parameter["name"] for parameter in document if parameter["in"] == "query"} == asked
    for name in asked:
        assert f"`{name}`" in text_of("docs/api.md"), name


def test_openapi_has_the_headers():
    """Those that are written anywhere in the API, but for the ones that HTTP itself describes."""
    rooms = ("api/formats", "api/http", "api/endpoints")
    paths = [path for room in rooms for extension in (".h", ".c") for path in files(room, extension)]
    sources = "".join(without_comments(text_of(path)) for path in paths)
    written = set(re.findall(r'(?:"|\\r\\n)([A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)*): ', sources))
    of_http = {"Date", "Content-Length", "Content-Type", "Connection"}
    assert set(openapi()["components"]["headers"]) == written - of_http


def test_media_types_are_documented():
    """Those of the table in media.c, in its order, and which paths have them."""
    rows = re.findall(r'\[MEDIA_\w+\] = \{"([^"]+)"', text_of("api/formats/media.c"))
    documented = {
        code(row[0]): set(re.findall(r"`(/[a-z-]*)`", row[1]))
        for row in table_with("docs/api.md", "media type", "who has it", "how to ask for it")
    }
    assert list(documented) == rows
    described = {media: set() for media in rows}
    for path, item in openapi()["paths"].items():
        for media in item.get("get", {"responses": {"200": {"content": {}}}})["responses"]["200"]["content"]:
            described[media].add(path)
    assert described.pop("application/json") == {path for path, (methods, _) in routes().items() if "GET" in methods}
    assert documented.pop("application/json") == set()
    assert documented == described


def test_cells_are_documented():
    """The words that a cell has for true and false."""
    words = re.search(r'boolean \? "(\w+)" : "(\w+)"', text_of("api/formats/csv_writer.c")).groups()
    rows = {row[0]: row[1] for row in table_with("docs/api.md", "in the JSON", "in a cell")}
    assert tuple(re.findall(r"`(\w+)`", rows["true, false"])) == words


def test_openapi_references_resolve():
    document = openapi()

    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                target = document
                for step in value["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)


def test_openapi_has_the_version():
    version = re.search(r"project\(ecosys-ms VERSION ([0-9.]+)", text_of("CMakeLists.txt"))[1]
    assert openapi()["info"]["version"] == version
    assert f"## [{version}]" in text_of("CHANGELOG.md")


@pytest.mark.parametrize(
    "schema, function", [("Cliente", "put_client"), ("TenantPlano", "put_plano"), ("Dashboard", "render_dashboard")]
)
def test_openapi_has_the_fields(schema, function):
    """Fields in the order in which the renderer writes them. Of the dashboard's, clientes_health has free members."""
    body = re.search(rf"\b{function}\(struct [^;]*?\)\n\{{(.*?)\n\}}", text_of("api/data/render.c"), re.S)
    if body is None:
        body = re.search(rf"\b{function}\([^;]*?\)\n\{{(.*?)\n\}}", text_of("api/data/render.c"), re.S)
    written = []
    for call, arguments in re.findall(r"\b((?:writer_)?put_\w+|writer_key)\(([^;]*?)\);", body[1]):
        written += ["cnpj"] if call == "put_cnpj" else re.findall(r'"([a-z_0-9]+)"', arguments)
    assert list(openapi()["components"]["schemas"][schema]["properties"]) == written


@pytest.mark.parametrize("schema, functions", [("Login", ["put_login"]), ("Logins", ["put_head"])])
def test_openapi_has_the_fields_of_logins(schema, functions):
    written = []
    for function in functions:
        body = re.search(rf"\b{function}\(struct [^;]*?\)\n\{{(.*?)\n\}}", text_of("api/data/login_fetcher.c"), re.S)[1]
        written += re.findall(r'(?:put_\w+|writer_key)\(writer, "(\w+)"', body)
    assert list(openapi()["components"]["schemas"][schema]["properties"]) == written


def test_openapi_has_the_fields_of_health():
    source = text_of("api/endpoints/health.c")
    written = set(re.findall(r'(?:put_unix_ms|writer_key|writer_put_\w+)\(writer, "(\w+)"', source))
    written |= set(re.findall(r'"(\w+)"', re.search(r"keys\[\] = \{(.*?)\};", source)[1]))
    health = openapi()["components"]["schemas"]["Health"]["properties"]
    described = set(health)
    for name in ("env_variables", "worker", "scoring_model"):
        described |= set(health[name]["properties"])
    assert described == written


# ---- Scoring


def test_scoring_document_has_the_members_of_a_model():
    source = text_of("common/domain/scoring_model.c")
    members = set()
    for listed in re.findall(r"known\[\] = \{(.*?)NULL\};", source, re.S):
        members |= set(re.findall(r'"(\w+)"', listed))
    members |= {"days_up_to", "more_than"}
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`|```.*?```", text_of("docs/scoring.md"), re.S))))
    assert members - words == set()


@pytest.mark.parametrize("model", ["scoring.json", "scoring-by-size.json"])
def test_scoring_document_links_the_models(model):
    assert f"](../schemas/{model})" in text_of("docs/scoring.md")


def band_tables():
    """The rows of the tables of points of docs/scoring.md, each as its cells without emphasis."""
    return [row for rows in tables(text_of("docs/scoring.md")) for row in rows]


def test_scoring_document_has_the_points():
    model = json.loads(text_of("schemas/scoring.json"))
    rows = band_tables()

    def plain(numbers):
        return [f"{number:g}" for number in numbers]

    recency = {"logins, leads": ("engajamento", "crm"), "entries, outs": ("estoque",)}
    for headline, pillars in recency.items():
        cells = next(row[1:] for row in rows if row[0] == headline)
        days = next(row[1:] for row in rows if row[0] == "days since the newest, up to")
        for pillar in pillars:
            bands = model["pillars"][pillar]["recency"]
            assert days[:-1] == plain(band["days_up_to"] for band in bands)
            assert cells == [*plain(band["points"] for band in bands), "0"]
    volume = {"logins or leads, more than": ("engajamento", "crm"), "entries or outs, more than": ("estoque",)}
    for headline, pillars in volume.items():
        at = next(i for i, row in enumerate(rows) if row[0] == headline)
        for pillar in pillars:
            bands = model["pillars"][pillar]["volume"]
            assert rows[at][1:-1] == plain(band["more_than"] for band in bands)
            assert rows[at + 1][1:] == [*plain(band["points"] for band in bands), "0"]
    cuts = next(row[1:-1] for row in rows if row[0] == "total, up to")
    names = next(row[1:] for row in rows if row[0] == "categoria")
    assert cuts == plain(category["up_to"] for category in model["categories"][:-1])
    assert names == [category["name"] for category in model["categories"]]
    points = [row[0] for row in table_with("docs/scoring.md", "points", "what must be true")]
    adoption = model["pillars"]["adocao"]
    assert points == plain(adoption[name] for name in ("econversa", "integrator_ads", "reports", "contracts"))
    weights = {row[0]: row[1] for row in table_with("docs/scoring.md", "pillar", "weight", "rows of EcoSys")}
    assert list(weights.values()) == [
        f"{model['pillars'][name]['weight'] * 100:g} %" for name in ("engajamento", "estoque", "crm", "adocao")
    ]


# ---- Redis


def redis_document():
    return text_of("schemas/redis.md")


def test_redis_names_are_documented():
    source = text_of("common/redis/redis_names.c")
    expected = {f"{{prefix}}:{word}" for word in re.findall(r'\[REDIS_\w+\] = "(\w+)"', source)}
    of_generation = re.findall(r'of_generation\(prefix, \w+, "(\w+)"\)', source)
    chunks = re.findall(r'chunk_of\(prefix, \w+, "(\w+)"', source)
    channels = re.findall(r'channel\(prefix, \w+, "(\w+)"\)', source)
    expected |= {f"{{prefix}}:gen:{{generation}}:{word}" for word in of_generation}
    expected |= {f"{{prefix}}:gen:{{generation}}:{word}:{{index}}" for word in chunks}
    expected |= {f"{{prefix}}:{{db}}:{word}" for word in channels}
    formats = re.findall(r'"(%s:(?:[^"]|" PRI\w+ ")*)"', source)
    assert '%s:gen:%" PRIu64 ":answer:%s' in formats
    expected |= {"{prefix}:gen:{generation}:answer:{first}:{last}"}
    assert len(formats) == 5, "a format that this test does not know"
    documented = {code(row[0]) for row in table_with("schemas/redis.md", "name", "type", "holds", "lives for")}
    assert documented == expected
    complete = re.search(r'REDIS_LOGINS_COMPLETE "(\w+)"', text_of("common/redis/redis_names.h"))[1]
    assert f"field `{complete}`" in redis_document()


def test_redis_messages_are_documented():
    kinds = re.findall(r'\[MESSAGE_\w+\] = "(\w+)"', text_of("common/stored/messages.c"))
    rows = table_with("schemas/redis.md", "channel", "message", "who sends it, and when")
    assert [code(row[1]).split()[0] for row in rows] == kinds
    to_worker = {"refresh", "asked"}
    assert {code(row[1]).split()[0] for row in rows if row[0] == "requests"} == to_worker
    words = re.search(r"words\[PHASE_COUNT\] = \{(.*?)\};", text_of("worker/refresh.c"))[1]
    failed = next(row[2] for row in rows if code(row[1]).startswith("failed"))
    for word in re.findall(r'"(\w+)"', words):
        assert f"`{word}`" in failed
        assert f"`{word}`" in text_of("docs/api.md")


def test_redis_kinds_are_all_documented():
    kinds = set(re.findall(r"BLOB_\w+ = (\d+)", text_of("common/stored/envelope.h")))
    assert set(re.findall(r"^Kind (\d+), ", redis_document(), re.M)) == kinds


def test_redis_envelope_is_documented():
    header = text_of("common/stored/envelope.h")
    version = re.search(r"#define ENVELOPE_VERSION +(\d+)", header)[1]
    assert f"Schema version: {version}." in redis_document()
    offsets = [row[0] for row in table_with("schemas/redis.md", "offset", "length", "what")]
    assert offsets[-1] == re.search(r"#define ENVELOPE_HEADER_LEN +(\d+)u", header)[1]
    assert re.search(r"#define ENVELOPE_LEN_MAX +\(1024u \* 1024u\)", header) and "1,048,576 bytes" in redis_document()


@pytest.mark.parametrize(
    "title, kind, fields",
    [
        ("Manifest", "MANIFEST", "MANIFEST_FIELDS"),
        ("Model", "MODEL", None),
        ("Clients", "CLIENTS", "CLIENT_FIELDS"),
        ("Tenants", "TENANTS", "TENANT_FIELDS"),
        ("Answer", "ANSWER", "ANSWER_FIELDS"),
        ("Buckets", "BUCKETS", None),
        ("Logins", "LOGINS", "PART_FIELDS"),
        ("Worker's report", "WORKER", "REPORT_FIELDS"),
    ],
)
def test_redis_payloads_are_documented(title, kind, fields):
    number = int(re.search(rf"BLOB_{kind} = (\d+)", text_of("common/stored/envelope.h"))[1])
    sources = (
        text_of("common/stored/codec.c")
        + text_of("common/stored/codec_rows.c")
        + text_of("common/stored/codec_logins.c")
    )
    count = int(re.search(rf"#define {fields} +(\d+)", sources)[1]) if fields else 1
    section = redis_document().split(f"\n### {title}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    assert f"Kind {number}, {count} field" in section
    rows = tables(section)[0]
    assert rows[0] == ["field", "name", "type", "unit and limits"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(count)]


def test_redis_manifest_fields_are_in_order():
    body = re.search(r"codec_unpack_manifest\(.*?\n\{(.*?)\n\}", text_of("common/stored/codec.c"), re.S)[1]
    unpacked = [path.rsplit(".", 1)[-1] for path in re.findall(r"manifest\.([\w.]+) = \(?", body)]
    section = redis_document().split("\n### Manifest\n", 1)[1]
    documented = [row[1].removeprefix("replaced_") for row in tables(section)[0][1:]]
    assert documented == unpacked


def scripts_of(program):
    return files("schemas/redis", ".lua") if program == "worker" else []


def test_redis_scripts_are_documented():
    """Each in the table, embedded, and with a comment on top about what it takes and returns."""
    documented = [
        re.search(r"\]\(redis/(\w+\.lua)\)", row[0])[1]
        for row in table_with("schemas/redis.md", "script", "what it does", "run by")
    ]
    assert sorted(f"schemas/redis/{name}" for name in documented) == scripts_of("worker")
    assert re.findall(r"\bscript_(\w+)\(void\)", text_of("worker/scripts.h")) == [name[:-4] for name in documented]
    for path in scripts_of("worker"):
        comment, script = re.fullmatch(r"((?:--[^\n]*\n)+)((?:(?! *--)[^\n]+\n)+)", text_of(path)).groups()
        used = set(re.findall(r"\b(?:KEYS|ARGV)\[\d+\]", script))
        told = set(re.findall(r"^-- ((?:KEYS|ARGV)\[\d+\])  \S", comment, re.M))
        assert used <= told and re.search(r"^-- Returns  \S", comment, re.M), path
        assert told - used <= ({"ARGV[4]"} if "unpack(ARGV, 4)" in script else set()), path


@pytest.mark.parametrize("program, folders", [("worker", ["worker"]), ("API", ["api"])])
def test_redis_commands_are_documented(program, folders):
    sources = text_of("common/redis/redis_link.c")
    for folder in folders:
        sources += "".join(text_of(path) for path in files(folder, ".c"))
    scripts = "".join(text_of(path) for path in scripts_of(program))
    used = set(re.findall(r"redis\.call\('([A-Z]+)'", scripts))
    assert "redis.call" not in sources, "a script that is not a file"
    for argument in re.findall(r"\bbytes_of\(([^()]*)\)", sources):
        used |= set(re.findall(r'"([A-Z]{3,})"', argument))  # EX and PX are no commands
    used |= set(re.findall(r'\bwrite_key\(run, [^;]*?"([A-Z]{3,})"', sources))  # what write_key.lua is told to call
    cells = {row[0]: row[1] for row in table_with("schemas/redis.md", "program", "commands")}
    assert set(re.findall(r"`([A-Z]+)`", cells[program])) == used


# ---- Links


def documents():
    found = [name for name in os.listdir(ROOT) if name.endswith(".md")]
    for folder in ("docs", "schemas"):
        for base, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.relpath(os.path.join(base, name), ROOT) for name in names if name.endswith(".md")]
    return sorted(found)


def anchors(text):
    """Those that a forge makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents())
def test_links_resolve(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        near = os.path.join(os.path.dirname(document), path) if path else document
        full = os.path.normpath(os.path.join(ROOT, near))
        assert os.path.exists(full), target
        assert full == ROOT or full.startswith(ROOT + os.sep), target
        if anchor:
            assert anchor in anchors(text_of(os.path.relpath(full, ROOT))), target
