"""What documents show: every curl line is run against the sample data, and every answer that is printed is compared."""

import json
import os
import re
import subprocess

import pytest

import http_client
from http_client import ask
from service import ROOT, SCORING, Stage, prepare_sample
from serving import start_loaded

USER, PASSWORD = http_client.USER.split(":")  # the demo's
SAMPLE = ("--tenants", "400", "--clients", "480")  # those of scripts/demo
BASE = "http://127.0.0.1:8000"
DOCUMENTS = ("README.md", "docs/api.md", "docs/pt-BR/inicio.md")
# For the moment at which they are asked, and with a worker; all other answers are those of AS_OF.
LIVE = ("/health", "/cache/clear")
VOLATILE = r'"(timestamp|taken_at|as_of)":"[^"]*"|"(generation|age_s|duration_ms)":\d+'


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def blocks(document):
    """[(language, text)] in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text_of(document), re.M | re.S)


def curl_lines(block):
    """[(line, the status it must be answered with, or None)]"""
    lines = [line for line in block.splitlines() if line.startswith("curl ")]
    return [re.fullmatch(r"(.*?)(?:\s+# (\d{3}))?", line).groups() for line in lines]


def all_lines():
    found = []
    for document in DOCUMENTS:
        for language, block in blocks(document):
            found += [(document, *line) for line in (curl_lines(block) if language == "sh" else ())]
    return found


def lines_with_answers(document):
    """[(line, language, answer)]: blocks behind a sh block are the answers to its lines, in order."""
    found, waiting = [], []
    for language, block in blocks(document):
        if language == "sh":
            waiting = [line for line, _ in curl_lines(block)]
        elif waiting:
            found.append((waiting.pop(0), language, block))
    return found


@pytest.fixture(scope="module")
def ports(fleet):
    """{what it serves: its port}"""
    login = {"BASIC_AUTH_USERS": f"{USER}:{PASSWORD}"}
    prepare_sample(fleet, "documents", *SAMPLE)
    fixed = Stage(fleet, "documents", **login)
    fixed.publish()
    by_size = Stage(fleet, "documents", SCORING_MODEL=SCORING.replace("scoring.json", "scoring-by-size.json"), **login)
    by_size.publish()
    live = Stage(fleet, "documents", **login)
    live.start_worker()
    return {name: start_loaded(stage).port for name, stage in (("fixed", fixed), ("by size", by_size), ("live", live))}


def run(line, ports, folder):
    """(status, what curl printed) of a line as a reader would paste it, but for the port."""
    path = re.search(re.escape(BASE) + r"([^?'\s]*)", line)[1]
    port = ports["live" if path in LIVE else "fixed"]
    headers = os.path.join(folder, "headers")
    script = f'curl() {{ command curl --max-time 60 --dump-header {headers} "$@"; }}\n' + line.replace(
        BASE, f"http://127.0.0.1:{port}"
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", script], env=env, cwd=folder, timeout=90, capture_output=True, check=False)
    assert done.returncode == 0, (line, done.stderr)
    with open(headers, encoding="utf-8") as f:
        return int(re.findall(r"^HTTP/1\.1 (\d+)", f.read(), re.M)[-1]), done.stdout


def normalised(text):
    bare = re.sub(r"\s", "", text)
    return re.sub(VOLATILE, lambda match: match[1] or match[2], bare)


def assert_shown(shown, real):
    """The parts of `shown` between its cuts occur in `real`, in order; without a cut it is all of it."""
    parts, real = normalised(shown).split("…"), normalised(real)
    if len(parts) == 1:
        assert parts[0] == real
    at = 0
    for part in parts:
        found = real.find(part, at)
        assert found >= 0 and (at > 0 or found == 0), part
        at = found + len(part)


def head_of(text):
    """Status line and fields, without the values that no two answers share."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return [lines[0], *sorted(re.sub(r"^(Date|Age|X-Generation): .*", r"\1", line) for line in lines[1:])]


@pytest.mark.parametrize("document, line, status", all_lines())
def test_line_is_answered(ports, tmp_path, document, line, status):
    answered, _ = run(line, ports, str(tmp_path))
    expected = {int(status)} if status else {200, 202, 204}
    assert answered in expected, document


@pytest.mark.parametrize("line, language, answer", lines_with_answers("docs/api.md"))
def test_answer_is_the_one_shown(ports, tmp_path, line, language, answer):
    _, printed = run(line, ports, str(tmp_path))
    text = printed.decode("utf-8-sig" if language == "csv" else "utf-8")
    if language == "http":
        assert head_of(text) == head_of(answer)
    else:
        assert_shown(answer, text.replace('"environment":"' + environment(ports) + '"', '"environment":"development"'))


def environment(ports):
    return ask(ports["live"], "/health").json()["environment"]


def scores(port):
    return ask(port, "/health-scores").json()


def test_worked_example_is_the_one_that_is_served(ports):
    shown = next(json.loads(text) for language, text in blocks("docs/scoring.md") if language == "json")
    assert scores(ports["fixed"])[str(shown["tenant_id"])] == shown


def test_worked_example_by_size(ports):
    tenant = scores(ports["by size"])["13"]
    told = [tenant[name] for name in ("score_engajamento", "score_movimentacao_estoque", "score_total", "categoria")]
    assert told == [1, 0.66, 0.69, "Saudável"]
    flat = " ".join(text_of("docs/scoring.md").split())
    assert "engajamento 1, estoque (0.6 + 0.7 + 0.85 + 0.5) / 4 = 0.66, total" in flat
    assert "= 0.688, Saudável" in flat


def test_clients_without_adhesion_are_as_many_as_told(ports):
    def count(path):
        return len(ask(ports["fixed"], path).json())

    told = re.search(r"(\d+) of the sample data's (\d+) clients", " ".join(text_of("docs/compatibility.md").split()))
    assert told.groups() == (str(count("/clientes?data_adesao_inicio=0001-01-01")), str(count("/clientes")))


def test_sizes_are_those_told(ports):
    plain = ask(ports["fixed"], "/clientes")
    told = re.search(r"is ([\d,]+) bytes, ([\d,]+) as gzip, ([\d,]+) as zstd", " ".join(text_of("docs/api.md").split()))
    lengths = [int(length.replace(",", "")) for length in told.groups()]
    assert lengths[0] == len(plain.body)
    for encoding, length in zip(("gzip", "zstd"), lengths[1:]):
        packed = ask(ports["fixed"], "/clientes", method="HEAD", headers={"Accept-Encoding": encoding})
        assert packed.header("Content-Encoding") == encoding
        # To a tenth: another version of the library compresses a little differently.
        assert int(packed.header("Content-Length")) == pytest.approx(length, rel=0.1)
