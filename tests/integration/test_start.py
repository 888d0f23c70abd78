"""How both programs start and stop: the one line with which they refuse, a SIGHUP that comes before they wait for
signals, and what systemd is told. No server is needed for that."""

import os
import signal
import socket
import subprocess
import time

import pytest

from http_client import ask
from service import API, Fleet, WORKER, free_port, unique, wait_for

NAMES = {WORKER: "ecosys-worker", API: "ecosys-api"}
BOTH = pytest.mark.parametrize("program", [WORKER, API], ids=["worker", "api"])
SETTINGS = {
    "DB_NAME": "a",
    "DB_USER": "b",
    "DB_NAME_ECOSYS": "c",
    "DB_USER_ECOSYS": "d",
    "BASIC_AUTH_USERS": "demo:demo",
    "REDIS_URL": "redis://127.0.0.1:1",
    "HOST": "127.0.0.1",
}
NO_FILE = "takes a file that can be read: No such file or directory"
PORT_TAKES = "takes a whole number from 1 to 65535"
ORIGINS_TAKE = (
    "takes *, null and scheme://host[:port], as browsers send them (lower case, no usual port, nothing behind), "
    "with commas between them"
)


@pytest.fixture(scope="module")
def fleet():
    with Fleet(servers=()) as fleet:
        yield fleet


def run(fleet, program, *flags, before=(), **changes):
    env = {"PATH": os.environ["PATH"], **SETTINGS, **changes}
    return subprocess.run(
        [*before, program, *flags],
        env=env,
        cwd=fleet.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )


# ---- What is wrong, in one line


@BOTH
@pytest.mark.parametrize(
    "flags, complaint",
    [
        (["--env-file", "nofile"], f'--env-file: is "nofile", {NO_FILE}'),
        (["--env-file", ""], f'--env-file: is "", {NO_FILE}'),
        (["--env-file=no\nfile"], f'--env-file: is "no\\u000afile", {NO_FILE}'),
        (["--env-file", "/"], '--env-file: is "/", takes a file that can be read: Is a directory'),
        (["--env-file", "/dev/zero"], '--env-file: is "/dev/zero", takes a file of at most 1048576 bytes'),
        (["word\n"], '"word\\u000a" is no flag; see --help'),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_flag_that_is_wrong(fleet, program, flags, complaint):
    done = run(fleet, program, *flags)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{NAMES[program]}: {complaint}\n")


@pytest.mark.parametrize(
    "program, name, value, complaint",
    [
        (API, "PORT", "80\n00", f'is "80\\u000a00", {PORT_TAKES}'),
        (API, "PORT", "\x1b[2J\r\t", f'is "\\u001b[2J\\u000d\\u0009", {PORT_TAKES}'),
        (WORKER, "DB_PORT", "\x7f", f'is "\\u007f", {PORT_TAKES}'),
        (API, "CORS_ALLOW_ORIGINS", "https://a.example/", f'is "https://a.example/", {ORIGINS_TAKE}'),
        (API, "CORS_ALLOW_ORIGINS", "https://a.example,\n", f'is "https://a.example,\\u000a", {ORIGINS_TAKE}'),
        (
            WORKER,
            "UPSTASH_REDIS_REST_URL",
            "http://cache\n.example",
            'is "http://cache\\u000a.example", takes https://HOST',
        ),
    ],
)
def test_setting_that_is_wrong(fleet, program, name, value, complaint):
    done = run(fleet, program, **{"REDIS_URL": "", name: value})
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{NAMES[program]}: {name}: {complaint}\n")


# ---- HOST


def test_host_that_is_wrong(fleet):
    """The same words when it starts and when it only looks."""
    complaint = 'HOST: is "::g", takes an address of this machine (Name or service not known)'
    done = run(fleet, API, HOST="::g")
    assert done.returncode == 2 and complaint.replace('"', '\\"') in done.stderr
    done = run(fleet, API, "--check", HOST="::g")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0] == f"FAIL settings: {complaint}"
    assert len(done.stdout.splitlines()) == 2, "Redis is tried all the same"


@pytest.mark.skipif(os.geteuid() != 0, reason="a machine without network is made by unshare, as root")
def test_host_that_cannot_be_resolved_now(fleet):
    """systemd starts it again, unlike one that is wrong."""
    done = run(fleet, API, before=["unshare", "--net"], HOST="host.example")
    assert done.returncode == 1 and "Temporary failure in name resolution" in done.stderr


def test_host_of_which_check_tells(fleet):
    assert "listens on ::1 port 81, " in run(fleet, API, "--check", HOST="::1", PORT="81").stdout


# ---- SIGHUP


def start_from_pipe(fleet, program, **settings):
    """The program, which waits for its settings file, and what writes it. It opens the file long after it began, and
    before it waits for signals."""
    path = os.path.join(fleet.folder, unique("pipe"))
    os.mkfifo(path)
    env = {"PATH": os.environ["PATH"], **SETTINGS, **settings}
    process = fleet.program(unique("program"), [program, "--env-file", path], env, fleet.folder)
    return process.start(), path


@BOTH
def test_reload_that_comes_too_early(fleet, program):
    port = free_port()
    process, path = start_from_pipe(fleet, program, PORT=str(port))
    with open(path, "w", encoding="utf-8") as pipe:
        process.signal(signal.SIGHUP)
        pipe.write("# nothing\n")
    if program == WORKER:
        wait_for(lambda: 'message="asked for a refresh" by=SIGHUP' in process.log_text(), "it takes the signal")
    else:
        wait_for(lambda: process.log_text().count('message="users taken"') == 1, "the first reading is over")
        with open(path, "w", encoding="utf-8") as pipe:
            pipe.write("# the second reading\n")
        wait_for(lambda: process.log_text().count('message="users taken"') == 2, "the users are read again")
        assert ask(port, "/").status == 200
    assert process.alive
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0


@BOTH
def test_hanging_up_ends_what_does_not_wait_for_signals(fleet, program):
    """A check or a question that its terminal left alone: here one whose Redis says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as redis:
        settings = {**SETTINGS, "REDIS_URL": f"redis://127.0.0.1:{redis.getsockname()[1]}", "REDIS_TIMEOUT_MS": "60000"}
        flag = "--refresh" if program == WORKER else "--check"
        process = fleet.program(
            unique("program"), [program, flag], {"PATH": os.environ["PATH"], **settings}, fleet.folder
        )
        process.start()
        redis.settimeout(10)
        with redis.accept()[0]:
            process.signal(signal.SIGHUP)
            assert process.wait(10) == -signal.SIGHUP


# ---- What systemd is told


class Supervisor:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, fleet):
        self.path = os.path.join(fleet.folder, unique("notify"))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hear(self, seconds=10):
        """{name: value} of the next message."""
        self.socket.settimeout(seconds)
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def has_heard_all(self):
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(4096)
        except BlockingIOError:
            return True


@BOTH
def test_systemd_is_told(fleet, program):
    port = free_port()
    with Supervisor(fleet) as systemd:
        env = {"PATH": os.environ["PATH"], **SETTINGS, "PORT": str(port), "NOTIFY_SOCKET": systemd.path}
        process = fleet.program(unique("program"), [program], env, fleet.folder).start()
        assert systemd.hear() == {"READY": "1"}
        if program == API:
            assert ask(port, "/").status == 200, "it listens"
            began_us = time.monotonic_ns() // 1000
            process.signal(signal.SIGHUP)
            told = systemd.hear()
            assert began_us <= int(told.pop("MONOTONIC_USEC")) <= time.monotonic_ns() // 1000
            assert told == {"RELOADING": "1"}
            assert systemd.hear() == {"READY": "1"}
            assert process.log_text().count('message="users taken"') == 2
        process.signal(signal.SIGTERM)
        assert systemd.hear() == {"STOPPING": "1"}
        assert process.wait(10) == 0
        assert systemd.has_heard_all()


def test_worker_takes_a_signal_as_soon_as_it_is_ready(fleet):
    """Which is an orderly end, not one by SIGTERM."""
    with Supervisor(fleet) as systemd:
        env = {"PATH": os.environ["PATH"], **SETTINGS, "NOTIFY_SOCKET": systemd.path}
        process = fleet.program(unique("program"), [WORKER], env, fleet.folder).start()
        assert systemd.hear() == {"READY": "1"}
        process.signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert "message=stopped" in process.log_text()


@pytest.mark.parametrize(
    "program, flag", [(WORKER, "--once"), (WORKER, "--check"), (WORKER, "--version"), (API, "--check")]
)
def test_systemd_is_told_nothing_of_what_does_not_serve(fleet, program, flag):
    with Supervisor(fleet) as systemd:
        run(fleet, program, flag, NOTIFY_SOCKET=systemd.path)
        assert systemd.has_heard_all()


def test_reload_that_fails_ends_too(fleet):
    """systemd would wait for its end."""
    path = os.path.join(fleet.folder, unique("env"))
    with open(path, "w", encoding="utf-8") as out:
        out.write("# nothing\n")
    with Supervisor(fleet) as systemd:
        env = {"PATH": os.environ["PATH"], **SETTINGS, "PORT": str(free_port()), "NOTIFY_SOCKET": systemd.path}
        process = fleet.program(unique("program"), [API, "--env-file", path], env, fleet.folder).start()
        assert systemd.hear() == {"READY": "1"}
        os.remove(path)
        process.signal(signal.SIGHUP)
        assert systemd.hear()["RELOADING"] == "1" and systemd.hear() == {"READY": "1"}
        assert "users were not read again" in process.log_text()


@BOTH
def test_systemd_that_cannot_be_told(fleet, program):
    env = {"PATH": os.environ["PATH"], **SETTINGS, "PORT": str(free_port()), "NOTIFY_SOCKET": "/no/such/socket"}
    process = fleet.program(unique("program"), [program], env, fleet.folder).start()
    wait_for(
        lambda: 'message="systemd was not told" state="READY=1" error="No such file' in process.log_text(), "it says so"
    )
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0
