"""Every header stands alone, and none of common/ shows a library."""

import os
import re
import shlex
import subprocess

import pytest

from sources import ROOT, code_of, files, includes, text_of, without_comments

FOLDERS = ("common", "worker", "api")
LIBRARIES = r"msgpack|yajl|hiredis|libpq|postgres|mysql|mariadb|errmsg|event2|xxhash|openssl|sodium|systemd"
# A library is found under one of these names, as in scripts/cmake/Libraries.cmake.
PACKAGES = (
    ("libpq",),
    ("libmariadb", "mysqlclient"),
    ("hiredis",),
    ("libevent_core",),
    ("msgpack-c", "msgpack"),
    ("yajl",),
    ("libxxhash",),
    ("openssl",),
    ("libsodium",),
)

HEADERS = [path for folder in FOLDERS for path in files(folder, ".h")]
SOURCES = [path for folder in FOLDERS for path in files(folder, ".c")]


@pytest.fixture(scope="module")
def compile_flags():
    flags = []
    for names in PACKAGES:
        for name in names:
            asked = subprocess.run(["pkg-config", "--cflags", name], capture_output=True, text=True, check=False)
            if asked.returncode == 0:
                flags += shlex.split(asked.stdout)
                break
    return flags


def test_there_are_headers():
    assert {path.split("/")[0] for path in HEADERS} == set(FOLDERS)


@pytest.mark.parametrize("path", HEADERS)
def test_header_has_its_guard(path):
    guard = "ECOSYS_" + re.sub(r"[/.]", "_", path).upper()
    lines = [line.strip() for line in without_comments(text_of(path)).splitlines() if line.strip()]
    assert lines[:2] == [f"#ifndef {guard}", f"#define {guard}"]
    assert lines[-1] == "#endif"


@pytest.mark.parametrize("path", HEADERS)
def test_header_compiles_alone(path, compile_flags):
    compiler = shlex.split(os.environ.get("ECOSYS_CC") or "cc")
    options = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only", "-I.", *compile_flags]
    argv = [*compiler, *options, "-x", "c", "-"]
    # Twice, so that the guard is tried too.
    source = f'#include "{path}"\n#include "{path}"\n'
    compiled = subprocess.run(argv, input=source, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert compiled.returncode == 0, compiled.stderr


@pytest.mark.parametrize("path", files("common", ".h"))
def test_common_headers_have_no_library(path):
    assert [name for name in includes(path) if re.match(LIBRARIES, name)] == []


@pytest.mark.parametrize("path", SOURCES)
def test_sources_declare_nothing_extern(path):
    assert re.findall(r"\bextern\b.*", code_of(path)) == []
