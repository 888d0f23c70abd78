"""scripts/demo from beginning to end: what it says, and that nothing outlives it. It builds the release preset, so
other builds pass this file over."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from service import BUILD, ROOT, free_port, prepare_sample, start_fleet, wait_for
from private_servers import is_free_port

pytestmark = pytest.mark.skipif(
    os.path.realpath(BUILD) != os.path.join(ROOT, "build"), reason="the demo builds and runs what is in build/"
)

PR_SET_CHILD_SUBREAPER = 36
RUN_S = 240  # of which a copy needs most for its build, on a machine that has other things to do
LONG_PATH = 120  # characters: a socket below it would be above sun_path's 108


@pytest.fixture(autouse=True)
def programs_of_the_test():
    """The demo has servers of its own."""


@pytest.fixture(autouse=True, scope="module")
def orphans_come_here():
    """What the demo leaves behind becomes a child of this process, where is_alone() sees it."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def is_alone():
    """Whether this process has no children, with those that ended waited for."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
        return False
    return True


def demo_argv(root, *flags):
    return [os.path.join(root, "scripts/demo"), *flags]


def run_demo(*flags, root=ROOT):
    return subprocess.run(
        demo_argv(root, *flags),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_S,
        check=False,
    )


def ports_in(printed):
    """Of the three servers, and the API's."""
    ports = {int(port) for port in re.findall(r"\bon port (\d+)", printed)}
    assert len(ports) == 4, printed
    return ports


def assert_nothing_is_left(printed, root=ROOT):
    assert printed.endswith("stopped; nothing is left running\n")
    wait_for(is_alone, "no process of the demo is left")
    assert [port for port in ports_in(printed) if not is_free_port(port)] == []
    assert not os.path.lexists(os.path.join(root, ".run"))


def assert_has_passed(done, root=ROOT):
    assert done.returncode == 0, done.stdout + done.stderr
    asked = re.findall(r"^ok    GET (\S+) \S", done.stdout, re.M)
    assert {"/", "/health", "/dashboard", "/clientes", "/health-scores", "/logins?tenant_id=1"} <= set(asked)
    assert "\nall ok\n" in done.stdout and "FAIL" not in done.stdout and "skip" not in done.stdout
    assert_nothing_is_left(done.stdout, root)


def test_check_twice():
    """What the first one leaves, the second would trip over."""
    for _ in range(2):
        assert_has_passed(run_demo("--check"))


def test_interrupted_once_it_is_up():
    demo = subprocess.Popen(
        demo_argv(ROOT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        printed = ""
        for line in demo.stdout:
            printed += line
            if line.startswith("Ctrl-C stops"):
                break
        assert re.search(r"^The API is up: http://127\.0\.0\.1:\d+$", printed, re.M), printed
        assert [port for port in ports_in(printed) if is_free_port(port)] == []
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
        printed += demo.communicate(timeout=30)[0]
    finally:
        demo.kill()
    assert demo.returncode == 0, printed
    assert "SIGINT: stopping the API, the worker and the servers" in printed
    assert_nothing_is_left(printed)


def copy_to(root):
    """The checkout's files without what was built, run or set up in it."""

    def is_made_here(folder, names):
        return [
            name
            for name in names
            if folder == ROOT and re.match(r"build|\.git$|\.run$|\.env$|\.env\.(?!example)", name)
        ]

    shutil.copytree(ROOT, root, ignore=is_made_here, symlinks=True)


@pytest.mark.parametrize("mode, length", [(0o755, LONG_PATH), (0o700, None)], ids=["long path", "private folder"])
def test_servers_that_cannot_live_in_the_checkout(mode, length):
    """The sockets' paths would be too long; or the servers' own users, as which root runs them, cannot get there."""
    parent = tempfile.mkdtemp(prefix="ecosys-demo-", dir="/tmp")
    try:
        os.chmod(parent, mode)
        root = os.path.join(parent, "checkout")
        root += "-" * (length - len(root) if length else 0)
        copy_to(root)
        done = run_demo("--check", root=root)
        assert_has_passed(done, root)
        elsewhere = re.search(r"everything is in (/\S+), which \.run names$", done.stdout, re.M)
        assert (elsewhere is not None) == (length is not None or os.geteuid() == 0), done.stdout
        assert elsewhere is None or not os.path.exists(elsewhere[1])
    finally:
        shutil.rmtree(parent)


@pytest.fixture
def own_servers():
    """An environment for them, of the service only."""
    fleet = start_fleet()
    try:
        prepare_sample(fleet, "own", "--tenants", "30", "--clients", "40", as_of=None)
        yield {name: value for name, value in fleet.environment("own").items() if re.match("DB_|REDIS_|TZ", name)}
    finally:
        fleet.close()


# How the file has BASIC_AUTH_USERS, and whether the demo can ask as the first one.
OWN_USERS = (
    ('"ana:s3cret,b:c" # the first one asks', True),
    ("'ana:it\\'s'", False),
    ("${NOBODY:-ana:s3cret}", False),
    ("ana:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7", False),
)


def test_own_servers(own_servers, tmp_path):
    """Where it listens is what the programs make of the file; a password that the demo cannot read is not guessed."""
    path = tmp_path / "own.env"
    for users, is_told in OWN_USERS:
        port = free_port()
        path.write_text(
            "\n".join(
                [
                    *(f"{name}='{value}'" for name, value in own_servers.items()),
                    "export HOST = 127.0.0.1 # '0.0.0.0'",
                    f"LAST='{str(port)[1:]}'",
                    f'PORT="{str(port)[0]}${{LAST}}"',
                    f"BASIC_AUTH_USERS={users}",
                ]
            ),
            encoding="utf-8",
        )
        done = run_demo("--check", "--env-file", str(path))
        assert done.returncode == 0 and "FAIL" not in done.stdout, done.stdout + done.stderr
        assert f"[5/5] worker and API on port {port}\n" in done.stdout
        assert ("\nskip  GET /dashboard: " not in done.stdout) == is_told, users
        assert "ok    GET /health is healthy" in done.stdout and done.stdout.endswith("nothing is left running\n")
        assert is_free_port(port) and not os.path.lexists(os.path.join(ROOT, ".run"))


def test_own_settings_that_are_wrong(tmp_path):
    path = tmp_path / "own.env"
    path.write_text("BASIC_AUTH_USERS=a:b\nPORT=http\n", encoding="utf-8")
    done = run_demo("--check", "--env-file", str(path))
    assert done.returncode == 1
    assert 'demo: ecosys-api: PORT: is "http", takes a whole number from 1 to 65535\n' in done.stderr


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--nonsense"], "unknown argument '--nonsense'"),
        (["extra"], "unknown argument 'extra'"),
        (["--env-file"], "--env-file takes the name of a file"),
        (["--env-file="], "--env-file takes the name of a file"),
        (["--env-file", "/no/such/file"], "--env-file: cannot read '/no/such/file'"),
        (["--check", "--env-file=/"], "--env-file: cannot read '/'"),
    ],
)
def test_wrong_usage(flags, message):
    done = run_demo(*flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"demo: {message} (see scripts/demo --help)\n"
    assert not os.path.lexists(os.path.join(ROOT, ".run"))
