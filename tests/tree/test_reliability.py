"""docs/reliability.md: every test that it names exists, every test of faults is named, and what it says of the API's
libraries is so."""

import ast
import os
import re
import subprocess

import pytest

from sources import ROOT, text_of

BUILD = os.environ.get("ECOSYS_BUILD", os.path.join(ROOT, "build"))


def functions_in(path):
    functions = (node for node in ast.parse(text_of(path)).body if isinstance(node, ast.FunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


def named_tests():
    """{(path, name)} of the document."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text_of("docs/reliability.md"))
    return {(path if "/" in path else f"tests/integration/{path}", name) for path, name in named}


def test_named_tests_exist():
    assert named_tests()
    for path, name in sorted(named_tests()):
        assert name in functions_in(path), f"{path}::{name}"


@pytest.mark.parametrize("name", ["databases", "redis", "processes", "network"])
def test_tests_of_faults_are_named(name):
    path = f"tests/integration/test_faults_{name}.py"
    missing = functions_in(path) - {test for where, test in named_tests() if where == path}
    # One is of use to who runs APIs beside a replica, and no fault.
    assert missing - {"test_api_reads_a_replica"} == set()


def test_promises_are_those_of_the_readme():
    """In short there, in full here, in the same order."""
    promises = re.findall(r"^\| (\d)\. ", text_of("docs/reliability.md"), re.M)
    section = text_of("README.md").split("\n## Promises\n", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^(\d)\. ", section, re.M) == promises == list("1234567")
    assert "](docs/reliability.md)" in section


def test_api_has_no_client_of_a_database():
    path = os.path.join(BUILD, "api/ecosys-api")
    if not os.path.exists(path):
        pytest.skip(f"{path} is not built")
    dynamic = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True, timeout=30).stdout
    libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    assert any(name.startswith("libhiredis") for name in libraries)
    assert not [name for name in libraries if re.match(r"lib(pq|mariadb|mysqlclient)\b", name)]
