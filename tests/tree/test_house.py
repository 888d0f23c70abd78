"""The rooms of the house and their floors: no file includes one of a floor above its own, or of a neighbour; and no
files include each other in a circle, nor call each other in one."""

import os
import re
import shlex
import subprocess

import pytest

from sources import ROOT, code_of, files, includes, text_of

# The two towers, floor by floor from the ground up. Rooms on one floor are neighbours, who do not know each other.
COMMON = (("common/base",), ("common/domain",), ("common/stored",), ("common/redis",), ("common/program",))
WORKER = (*COMMON, ("worker/sources",), ("worker",))
API = (
    *COMMON,
    ("api/net", "api/formats"),
    ("api/http",),
    ("api/auth", "api/data"),
    ("api/endpoints",),
    ("api",),
)

# The rooms in which a library may be used, by how its headers begin.
LIBRARIES = {
    "crypt.h": ("api/auth",),
    "event2/": ("api/net", "api/http", "api"),
    "hiredis/": ("common/redis",),
    "libdeflate.h": ("api/formats",),
    "libpq-fe.h": ("worker/sources",),
    "ma_pvio.h": ("worker/sources",),
    "msgpack": ("common/stored",),
    "mysql.h": ("worker/sources", "worker"),
    "openssl/": ("common/redis",),
    "sodium": ("api/auth",),
    "systemd/": ("common/program",),
    "xxhash.h": ("common/domain", "common/stored", "api/formats", "api/data"),
    "yajl/": ("common/base", "api/formats"),
    "zstd.h": ("api/formats",),
}

# Time is an argument in these.
WITHOUT_CLOCK = ("common/domain", "common/stored")

ALL = [path for top in ("common", "worker", "api") for extension in (".h", ".c") for path in files(top, extension)]


def room_of(path):
    return os.path.dirname(path)


def rooms_below(room):
    for tower in (WORKER, API):
        for i, floor in enumerate(tower):
            if room in floor:
                return {other for below in tower[:i] for other in below}
    raise AssertionError(f"{room} is on no floor")


def test_every_file_has_a_room():
    assert {room_of(path) for path in ALL} == {room for tower in (WORKER, API) for floor in tower for room in floor}


def test_floors_are_told_apart():
    assert rooms_below("api/auth") >= {"api/http", "common/base"}
    assert not rooms_below("api/auth") & {"api/data", "api/auth", "api/endpoints", "worker"}
    assert rooms_below("common/base") == set()


@pytest.mark.parametrize("path", ALL)
def test_includes_go_down(path):
    for name in includes(path):
        assert not name.startswith("."), f"{name} is no path from the top"
        if name.split("/")[0] in ("common", "worker", "api"):
            assert room_of(name) in {room_of(path)} | rooms_below(room_of(path)), f"{name} is not below"


@pytest.mark.parametrize("path", ALL)
def test_libraries_stay_in_their_rooms(path):
    for name in includes(path):
        for library, rooms in LIBRARIES.items():
            assert not name.startswith(library) or room_of(path) in rooms, name


def test_libraries_are_used():
    used = {name for path in ALL for name in includes(path)}
    assert [library for library in LIBRARIES if not any(name.startswith(library) for name in used)] == []


@pytest.mark.parametrize("path", [path for path in ALL if room_of(path) in WITHOUT_CLOCK])
def test_the_domain_reads_no_clock(path):
    assert "common/base/clock.h" not in includes(path)
    assert re.findall(r"\b(?:clock_gettime|time|gettimeofday)\s*\(", code_of(path)) == []


def stem_of(path):
    return os.path.splitext(path)[0]


def circles(arrows):
    """The nodes that can be reached from themselves; arrows: {node: set of nodes}."""
    found = []
    for start in arrows:
        seen, ahead = set(), list(arrows[start])
        while ahead:
            node = ahead.pop()
            if node not in seen:
                seen.add(node)
                ahead += arrows.get(node, ())
        if start in seen:
            found.append(start)
    return sorted(found)


def test_circles_are_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def include_arrows():
    """A header and its source are one file here."""
    arrows = {stem_of(path): set() for path in ALL}
    for path in ALL:
        arrows[stem_of(path)] |= {stem_of(name) for name in includes(path) if stem_of(name) in arrows}
    return {stem: others - {stem} for stem, others in arrows.items()}


def test_no_files_include_each_other_in_a_circle():
    assert circles(include_arrows()) == []


def functions_of(path):
    """The functions that a source defines for others: as .clang-format lays them out, their body begins a line."""
    heads = re.findall(r"^(?!static\b)([A-Za-z_][^;{}=]*?)\b(\w+)\([^;{}]*\)\n\{", code_of(path), re.M)
    return {name for _, name in heads}


def test_no_files_call_each_other_in_a_circle():
    sources = [path for path in ALL if path.endswith(".c")]
    owner = {name: stem_of(path) for path in sources for name in functions_of(path) if name != "main"}
    assert len(owner) > 300
    arrows = {}
    for path in sources:
        called = set(re.findall(r"\b(\w+)\s*\(", code_of(path)))
        arrows[stem_of(path)] = {owner[name] for name in called & set(owner)} - {stem_of(path)}
    assert circles(arrows) == []


def test_the_trial_endpoint_compiles():
    """The one that CONTRIBUTING.md walks through."""
    [block] = re.findall(r"^```c\n(/\* api/endpoints/.*?)^```$", text_of("CONTRIBUTING.md"), re.M | re.S)
    compiler = shlex.split(os.environ.get("ECOSYS_CC") or "cc")
    argv = [
        *compiler,
        "-std=c11",
        "-D_GNU_SOURCE",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        "-I.",
        "-x",
        "c",
        "-",
    ]
    compiled = subprocess.run(argv, input=block, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert compiled.returncode == 0, compiled.stderr
    assert "LINE(ENDPOINT_TENANT_EXISTS)" in text_of("CONTRIBUTING.md")
    errors = re.findall(r"struct http_error (\w+) =", block)
    assert errors and all(name.startswith("ERROR_") for name in errors)  # else the documents' tests cannot read them
