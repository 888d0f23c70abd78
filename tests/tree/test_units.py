"""The systemd units: what they run, that their times fit the settings' defaults, and what systemd says of them."""

import os
import re
import shutil
import subprocess

import pytest

from sources import ROOT, text_of

BUILD = os.environ.get("ECOSYS_BUILD", os.path.join(ROOT, "build"))
# Of systemd's own, that ours refer to and that a scratch root does not have.
STANDARD_TARGETS = (
    "basic",
    "multi-user",
    "network-online",
    "paths",
    "shutdown",
    "slices",
    "sockets",
    "sysinit",
    "time-set",
    "time-sync",
    "timers",
)
PROGRAM_OF = {"ecosys-worker": "ecosys-worker", "ecosys-api": "ecosys-api", "ecosys-refresh": "ecosys-worker --refresh"}


def units():
    return sorted(os.listdir(os.path.join(ROOT, "systemd")))


def default_of(name):
    """From the sample file, which another test compares with the programs."""
    return int(re.search(rf"^#?{name}=(\d+)$", text_of(".env.example"), re.M)[1])


def seconds(unit, key):
    number, word = re.search(rf"^{key}=(\d+)(min)?$", text_of(f"systemd/{unit}"), re.M).groups()
    return int(number) * (60 if word else 1)


def test_all_units_are_known():
    assert units() == ["ecosys-api.service", "ecosys-refresh.service", "ecosys-refresh.timer", "ecosys-worker.service"]


@pytest.mark.parametrize("name, program", PROGRAM_OF.items())
def test_units_run_the_programs(name, program):
    unit = text_of(f"systemd/{name}.service")
    assert f"\nExecStart=/usr/bin/{program}\n" in unit
    assert "\nEnvironmentFile=/etc/ecosys-ms.env\n" in unit
    kind = "oneshot" if "--refresh" in program else "notify"
    assert f"\nType={kind}\n" in unit


def test_api_is_started_again_at_once():
    """That loading takes no longer than the rest of a second is test_api_killed_amid_answers's."""
    wait_ms = int(re.search(r"^RestartSec=(\d+)ms$", text_of("systemd/ecosys-api.service"), re.M)[1])
    assert wait_ms <= 500


def test_times_fit_the_defaults():
    redis_s = default_of("REDIS_TIMEOUT_MS") / 1000
    descriptors = int(re.search(r"^LimitNOFILE=(\d+)$", text_of("systemd/ecosys-api.service"), re.M)[1])
    spare = int(re.search(r"#define SPARE_DESCRIPTORS (\d+)", text_of("api/server.c"))[1])
    assert descriptors >= default_of("HTTP_CONNECTIONS") + spare
    assert seconds("ecosys-api.service", "TimeoutStopSec") > default_of("SHUTDOWN_TIMEOUT") + redis_s
    stop_s = 2 * default_of("DB_CONNECT_TIMEOUT") + 4 * redis_s
    assert seconds("ecosys-worker.service", "TimeoutStopSec") > stop_s
    assert seconds("ecosys-refresh.service", "TimeoutStopSec") > stop_s
    give_up_s = int(re.search(r"#define GIVE_UP_MS +(\d+)", text_of("worker/refresh_client.c"))[1]) / 1000
    own_s = default_of("SNAPSHOT_TIMEOUT") + stop_s
    assert seconds("ecosys-refresh.service", "TimeoutStartSec") > give_up_s + own_s


def test_a_failed_refresh_fails_the_unit():
    """Nothing in the unit may take a status for success, or hide one by starting again."""
    unit = text_of("systemd/ecosys-refresh.service")
    assert not re.search(r"^(SuccessExitStatus|Restart|RemainAfterExit)=", unit, re.M)
    assert "\nExecStart=-" not in unit
    timer = text_of("systemd/ecosys-refresh.timer")
    assert re.search(r"^OnCalendar=\S", timer, re.M) and "\nPersistent=true\n" in timer


def test_the_two_that_reach_databases_are_confined_alike():
    def confinement(unit):
        lines = text_of(f"systemd/{unit}.service").split("\nDynamicUser=", 1)[1].splitlines()
        keys = r"(Protect|Private|Restrict|System|Lock|Memory|NoNew|Capability|UMask|LimitCORE)"
        return sorted(line for line in lines if re.match(keys, line))

    assert confinement("ecosys-refresh") == confinement("ecosys-worker")


@pytest.mark.parametrize("unit", units())
def test_each_choice_has_its_reason_above(unit):
    """In front of each run of assignments stands a comment; the sections that only name and enable need none."""
    section, commented = "", False
    for line in text_of(f"systemd/{unit}").splitlines():
        if line.startswith("["):
            section = line
        if line.startswith("#"):
            commented = True
        elif not line:
            commented = False
        elif "=" in line and section in ("[Service]", "[Timer]"):
            assert commented or line.startswith(("ExecStart=", "RestartSec=")), line


@pytest.fixture(scope="module")
def scratch_root(tmp_path_factory):
    """An installation into an empty root, with nothing of systemd's but the targets that units refer to."""
    root = str(tmp_path_factory.mktemp("root"))
    if not os.path.exists(os.path.join(BUILD, "cmake_install.cmake")):
        pytest.skip(f"{BUILD} is no build folder: there is nothing to install")
    installed = subprocess.run(
        ["cmake", "--install", BUILD, "--prefix", "/usr"],
        env={**os.environ, "DESTDIR": root},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert installed.returncode == 0, installed.stderr
    folder = os.path.join(root, "usr/lib/systemd/system")
    for name in STANDARD_TARGETS:
        with open(os.path.join(folder, f"{name}.target"), "w", encoding="utf-8") as f:
            f.write("[Unit]\nDescription=stands for systemd's own\n")
    with open(os.path.join(folder, "-.mount"), "w", encoding="utf-8") as f:
        f.write("[Mount]\nWhat=none\nWhere=/\n")
    # What a unit runs must be there; ours run one program that is not ours.
    os.makedirs(os.path.join(root, "bin"))
    with open(os.path.join(root, "bin/kill"), "w", encoding="utf-8") as f:
        os.fchmod(f.fileno(), 0o755)
    return root


def named_sql():
    """The files of SQL for whoever owns the databases, all but the schemas; README.md tells where they go."""
    found = [
        f"{source}/{name}"
        for source in ("mysql", "postgres")
        for name in sorted(os.listdir(os.path.join(ROOT, "schemas", source)))
        if name != "schema.sql"
    ]
    assert "mysql/indexes.sql" in found and "/usr/share/ecosys-ms/mysql/" in text_of("README.md")
    return found


def test_installation_has_what_documents_name(scratch_root):
    for path in (
        "bin/ecosys-worker",
        "bin/ecosys-api",
        "share/ecosys-ms/ecosys-ms.env.example",
        "share/ecosys-ms/scoring.json",
        "share/ecosys-ms/scoring-by-size.json",
        "share/ecosys-ms/openapi.json",
        "share/ecosys-ms/redis-acl.conf",
        *(f"share/ecosys-ms/{path}" for path in named_sql()),
        *(f"lib/systemd/system/{unit}" for unit in units()),
    ):
        assert os.path.exists(os.path.join(scratch_root, "usr", path)), path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_installed_units(scratch_root):
    checked = subprocess.run(
        ["systemd-analyze", f"--root={scratch_root}", "--man=no", "verify", *units()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert checked.returncode == 0 and checked.stderr.strip() == "", checked.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_knows_the_time():
    when = re.search(r"^OnCalendar=(.*)$", text_of("systemd/ecosys-refresh.timer"), re.M)[1]
    checked = subprocess.run(
        ["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False, timeout=30
    )
    assert checked.returncode == 0 and "Next elapse" in checked.stdout, checked.stderr
