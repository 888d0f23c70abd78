"""What documents, sample file, units and schemas say, compared with the code and with what the programs print."""

import json
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ECOSYS_BUILD", os.path.join(ROOT, "build"))


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


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
    source = text_of("common/settings.c")
    named = {name: int(value) for name, value in re.findall(r"^#define (\w+) +(\d+)$", source, re.M)}

    def number(word):
        return named[word] if word in named else int(word)

    pattern = r'NUMBER\("(\w+)",\s*(?:"\d*"|NULL),\s*\w+,\s*(\w+),\s*(\w+),'
    ranges = {name: f"{number(low)} to {number(high)}" for name, low, high in re.findall(pattern, source)}
    documented = {code(row[0]): row[3] for row in documented_settings() if re.fullmatch(r"\d+ to \d+", row[3])}
    assert ranges and documented == ranges


# ---- HTTP


def routes():
    """{path: (whether it takes GET, whether it needs credentials)}"""
    table = re.search(r"ROUTES\[\] = \{(.*?)\n\};", text_of("api/routes.c"), re.S)[1]
    rows = re.findall(r'\{"([^"]+)",\s*METHOD_(\w+),\s*(true|false),', table)
    assert len(rows) == table.count("{")
    return {path: (method, needs_auth == "true") for path, method, needs_auth in rows}


def openapi():
    return json.loads(text_of("schemas/openapi.json"))


def test_openapi_has_the_routes():
    described = {}
    for path, item in openapi()["paths"].items():
        methods = set(item)
        assert "options" in methods, path
        assert ("get" in methods) == ("head" in methods), path
        method = "GET" if "get" in methods else "POST"
        described[path] = (method, item[method.lower()]["security"] == [{"basic": []}])
        assert item["options"]["security"] == [], path
    assert described == routes()


def test_openapi_has_the_errors():
    rows = re.findall(r'\[ERROR_\w+\] =\s*\{(\d+),\s*"((?:[^"\\]|\\.|"\s*")*)"', text_of("api/reply.c"))
    in_code = sorted(
        (int(status), json.dumps(json.loads(re.sub(r'"\s*\n\s*"', "", body).replace('\\"', '"')), sort_keys=True))
        for status, body in rows
    )
    assert len(in_code) == len(re.findall(r"^    ERROR_\w+,$", text_of("api/reply.h"), re.M))
    described = sorted(
        (response["x-status"], json.dumps(example["value"], sort_keys=True))
        for response in openapi()["components"]["responses"].values()
        for example in response["content"]["application/json"]["examples"].values()
    )
    assert described == in_code


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
    body = re.search(rf"\b{function}\(struct [^;]*?\)\n\{{(.*?)\n\}}", text_of("api/render.c"), re.S)
    if body is None:
        body = re.search(rf"\b{function}\([^;]*?\)\n\{{(.*?)\n\}}", text_of("api/render.c"), re.S)
    written = []
    for call, arguments in re.findall(r"\b(put_\w+|json_key)\(([^;]*?)\);", body[1]):
        written += ["cnpj"] if call == "put_cnpj" else re.findall(r'"([a-z_0-9]+)"', arguments)
    assert list(openapi()["components"]["schemas"][schema]["properties"]) == written


# ---- Redis


def redis_document():
    return text_of("schemas/redis.md")


def test_redis_names_are_documented():
    source = text_of("common/redis_names.c")
    expected = {f"{{prefix}}:{word}" for word in re.findall(r'\[REDIS_\w+\] = "(\w+)"', source)}
    of_generation = re.findall(r'of_generation\(prefix, \w+, "(\w+)"\)', source)
    chunks = re.findall(r'chunk_of\(prefix, \w+, "(\w+)"', source)
    expected |= {f"{{prefix}}:gen:{{generation}}:{word}" for word in of_generation}
    expected |= {f"{{prefix}}:gen:{{generation}}:{word}:{{index}}" for word in chunks}
    formats = re.findall(r'"(%s:(?:[^"]|" PRI\w+ ")*)"', source)
    assert '%s:gen:%" PRIu64 ":answer:%s:%s' in formats and '%s:%" PRIu32 ":events' in formats
    expected |= {"{prefix}:gen:{generation}:answer:{first}:{last}", "{prefix}:{db}:events"}
    assert len(formats) == 5, "a format that this test does not know"
    documented = {code(row[0]) for row in table_with("schemas/redis.md", "name", "type", "holds", "lives for")}
    assert documented == expected


def test_redis_envelope_is_documented():
    header = text_of("common/envelope.h")
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
        ("Worker's report", "WORKER", "REPORT_FIELDS"),
    ],
)
def test_redis_payloads_are_documented(title, kind, fields):
    number = int(re.search(rf"BLOB_{kind} = (\d+)", text_of("common/envelope.h"))[1])
    sources = text_of("common/codec.c") + text_of("common/codec_rows.c")
    count = int(re.search(rf"#define {fields} +(\d+)", sources)[1]) if fields else 1
    section = redis_document().split(f"\n### {title}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    assert f"Kind {number}, {count} field" in section
    rows = tables(section)[0]
    assert rows[0] == ["field", "name", "type", "unit and limits"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(count)]


def test_redis_manifest_fields_are_in_order():
    body = re.search(r"codec_unpack_manifest\(.*?\n\{(.*?)\n\}", text_of("common/codec.c"), re.S)[1]
    unpacked = [path.rsplit(".", 1)[-1] for path in re.findall(r"manifest\.([\w.]+) = \(?", body)]
    section = redis_document().split("\n### Manifest\n", 1)[1]
    documented = [row[1].removeprefix("replaced_") for row in tables(section)[0][1:]]
    assert documented == unpacked


@pytest.mark.parametrize("program, folders", [("worker", ["worker"]), ("API", ["api"])])
def test_redis_commands_are_documented(program, folders):
    sources = text_of("common/redis_link.c")
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            sources += text_of(f"{folder}/{name}") if name.endswith(".c") else ""
    used = set(re.findall(r"redis\.call\('([A-Z]+)'", sources))
    for argument in re.findall(r"\bbytes_of\(([^()]*)\)", sources):
        used |= set(re.findall(r'"([A-Z]{3,})"', argument))  # EX and PX are no commands
    cells = {row[0]: row[1] for row in table_with("schemas/redis.md", "program", "commands")}
    assert set(re.findall(r"`([A-Z]+)`", cells[program])) == used


# ---- Units


@pytest.mark.parametrize("program", ["worker", "api"])
def test_units_run_the_programs(program):
    unit = text_of(f"systemd/ecosys-{program}.service")
    assert f"\nExecStart=/usr/bin/ecosys-{program}\n" in unit
    assert "\nType=exec\n" in unit and "\nEnvironmentFile=/etc/ecosys-ms.env\n" in unit


def test_units_fit_the_defaults():
    defaults = {code(row[0]): code(row[1]) for row in documented_settings()}

    def number(program, key):
        return int(re.search(rf"^{key}=(\d+)$", text_of(f"systemd/ecosys-{program}.service"), re.M)[1])

    redis_s = int(defaults["REDIS_TIMEOUT_MS"]) / 1000
    assert number("api", "LimitNOFILE") > int(defaults["HTTP_CONNECTIONS"])
    assert number("api", "TimeoutStopSec") > int(defaults["SHUTDOWN_TIMEOUT"]) + redis_s
    assert number("worker", "TimeoutStopSec") > 2 * int(defaults["DB_CONNECT_TIMEOUT"]) + 4 * redis_s


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
