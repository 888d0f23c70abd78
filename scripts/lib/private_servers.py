"""Private PostgreSQL, MariaDB and Redis, and PgBouncer, for the demo and the tests: the one place that starts servers.

    with Fleet() as fleet:                        # a temporary folder; all three servers, ready to answer
        fleet.prepare("demo", kommo=["schema.sql", "rows.sql"], ecosys=["schema.sql", "rows.sql"])
        worker = fleet.program("worker", ["build/worker/ecosys-worker", "--once"], fleet.environment("demo"))
        fleet.redis.pause()

Guarantees:
- Servers listen on 127.0.0.1 on their own port and on a socket with a short path. They read no configuration of the
  machine and write only into the fleet's folder, which is removed at the end.
- As root, each server runs as its own user (postgres, mysql, redis); otherwise all run as the caller.
- The administrator logs in through the unix socket, identified by the operating system; over TCP there are only the
  users that were created, with passwords. A loopback port is open to everyone on the machine, and a superuser without
  a password there would give all of them the account the server runs as.
- Nothing outlives the fleet: a keeper process in its own session waits for the process that made the fleet to end, in
  whatever way (SIGKILL too), then kills by pid what is still alive and removes the folder.
- Both databases run in UTC on purpose: the service must not depend on the servers' time zone.
- Data are disposable: nothing is synced to disk.
"""

import atexit
import concurrent.futures
import csv
import ctypes
import functools
import glob
import gzip
import http.client
import io
import os
import pwd
import random
import re
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

SUN_PATH_MAX = 107
LONGEST_SOCKET_NAME = "/postgres/.s.PGSQL.65535"
PROCESSES = "processes"  # in the fleet's folder: a line of /proc/PID/stat for each process it ever started
READY_S = 60
STOP_S = 20


class ServerError(RuntimeError):
    """A server or program could not be started, reached or queried; the text says which and shows its log."""


# ---- Waiting, ports, users, folders


def wait_for(condition, what, seconds=READY_S, pause_s=0.03):
    """Returns the first true value of condition(); ServerError if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not so after {seconds} s")
        time.sleep(pause_s)


def is_free_port(port):
    with socket.socket() as probe:
        # A stopped program's sockets in TIME_WAIT do not block the next one; a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


PORTS_LOCK = threading.Lock()


class Ports:
    """A run of loopback ports of which no other process with this module takes any, as long as this one lives: a server
    that is stopped finds its port free when it starts again. They are below those the kernel gives to outgoing
    connections: with one of those, a client that keeps trying to reach a stopped server would sooner or later get the
    server's port as its own, and connect to itself."""

    COUNT = 1000

    def __init__(self):
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            first_outgoing = int(f.read().split()[0])
        low, high = (10240, first_outgoing) if first_outgoing > 12000 else (20000, 32000)
        runs = list(range(low, high - self.COUNT, self.COUNT))
        random.shuffle(runs)
        # A name that exists once in the kernel, and as long as its owner.
        self.claim = socket.socket(socket.AF_UNIX)
        self.first = next((first for first in runs if self._claim(first)), None)
        if self.first is None:
            raise ServerError(f"no free loopback ports between {low} and {high}")
        self.taken = 0

    def _claim(self, first):
        try:
            self.claim.bind(f"\0ecosys-ports-{first}")
        except OSError:
            return False
        return True

    def take(self):
        """One that is free, and was not taken before for as long as there are others."""
        for _ in range(self.COUNT):
            port = self.first + self.taken % self.COUNT
            self.taken += 1
            if is_free_port(port):
                return port
        raise ServerError(f"no free loopback port from {self.first} on")


@functools.lru_cache(maxsize=None)
def own_ports():
    return Ports()


def free_port():
    with PORTS_LOCK:
        return own_ports().take()


def answers_http(port, path="/health", status=200, host="127.0.0.1"):
    """Whether GET path is answered with this status."""
    link = http.client.HTTPConnection(host, port, timeout=5)
    try:
        link.request("GET", path)
        return link.getresponse().status == status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


class Account:
    """The account a server runs as."""

    def __init__(self, *names):
        self.uid, self.gid = os.geteuid(), os.getegid()
        self.popen = {}
        if self.uid != 0:
            return
        for name in names:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            self.uid, self.gid = entry.pw_uid, entry.pw_gid
            self.popen = {"user": self.uid, "group": self.gid, "extra_groups": []}
            return


def current_user():
    return pwd.getpwuid(os.geteuid()).pw_name


def clean_environment(**settings):
    """Only what a program needs of the caller's environment: no PGHOST, no DB_HOST, no proxy."""
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
    env.update(settings)
    return env


# Tried as the server's user in its folder: can it get there, bind a socket, and close the folder to others? A home that
# is 0700, a path that is too long and a shared folder of a virtual machine fail in turn.
PROBE = """
import os, socket, sys
os.chdir("/")
path = sys.argv[1]
os.chmod(path, 0o700)
assert os.stat(path).st_mode & 0o777 == 0o700
with socket.socket(socket.AF_UNIX) as s: s.bind(path + sys.argv[2])
open(path + "/file", "w").close()
"""


def can_host_servers(folder):
    """Whether servers can live in this (existing) folder; tried for real."""
    # MariaDB's installation script and PostgreSQL's list of socket folders split paths at some characters.
    if not re.fullmatch(r"[A-Za-z0-9._/+-]+", folder):
        return False
    if len(folder) + len(LONGEST_SOCKET_NAME) > SUN_PATH_MAX:
        return False
    return all(_probe(folder, Account(*kind.users)) for kind in (PostgreSQL, MariaDB, Redis))


def _probe(folder, account):
    path = os.path.join(folder, "postgres")
    try:
        os.mkdir(path)
        os.chown(path, account.uid, account.gid)
        argv = ["/usr/bin/python3", "-IS", "-c", PROBE, path, "/.s.PGSQL.65535"]
        return subprocess.run(argv, cwd="/", capture_output=True, check=False, **account.popen).returncode == 0
    except OSError:
        return False
    finally:
        shutil.rmtree(path, ignore_errors=True)


def temporary_folder():
    """A new folder where servers can live: under $TMPDIR if suitable (it may be private or long), else /tmp."""
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):
        try:
            folder = tempfile.mkdtemp(prefix="ecosys-", dir=parent)
        except OSError:
            continue
        os.chmod(folder, 0o755)
        if can_host_servers(folder):
            return folder
        os.rmdir(folder)
    raise ServerError("no temporary folder that PostgreSQL, MariaDB and Redis can use: set TMPDIR to one")


# ---- Processes: only those started here, by pid and start time


def _stat(pid):
    """(ppid, state, start time) of a living process, else None. The start time tells it from a later one of its pid."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return _parse_stat(f.read())[1:]
    except (OSError, ValueError, IndexError):
        return None


def _parse_stat(line):
    """(pid, ppid, state, start time); the command's name is in parentheses and may contain anything."""
    head, tail = line.rsplit(")", 1)
    fields = tail.split()
    return int(head.split("(", 1)[0]), int(fields[1]), fields[0], int(fields[19])


def _is_alive(pid, started):
    now = _stat(pid)
    return now is not None and now[1] != "Z" and now[2] == started


def _descendants(pid):
    """[(pid, start time)] of all descendants of pid. PostgreSQL's backends have own sessions: no group has them all."""
    children = {}
    for name in os.listdir("/proc"):
        info = _stat(name) if name.isdigit() else None
        if info:
            children.setdefault(info[0], []).append((int(name), info[2]))
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += [child for child, _ in below]
    return found


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _kill_tree(pid, started):
    """Sends SIGKILL to a process and its descendants; returns them, to be waited for."""
    tree = [(pid, started)] + _descendants(pid)
    _kill_all(tree)
    return tree


def _kill_all(processes):
    for pid, started in processes:
        if _is_alive(pid, started):
            _signal(pid, signal.SIGKILL)


def _await_end(tree, seconds=STOP_S):
    wait_for(lambda: not any(_is_alive(p, s) for p, s in tree), "killed processes are gone", seconds)


def _forget_shared_memory(data_folder):
    """Removes the System V segment that a killed PostgreSQL leaves behind; an orderly end removes the pid file."""
    try:
        with open(os.path.join(data_folder, "postmaster.pid"), encoding="utf-8") as f:
            segment = int(f.read().splitlines()[6].split()[1])
    except (OSError, ValueError, IndexError):
        return
    ctypes.CDLL(None).shmctl(segment, 0, None)  # 0 is IPC_RMID; the segment may be gone already


def kill_started_in(folder):
    """Kills what the fleet of this folder started and is still running."""
    trees = []
    try:
        with open(os.path.join(folder, PROCESSES), encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            pid, _, _, started = _parse_stat(line)
        except (ValueError, IndexError):
            continue  # cut off while being written
        if _is_alive(pid, started):
            trees += _kill_tree(pid, started)
    _await_end(trees)
    for data in glob.glob(os.path.join(glob.escape(folder), "*", "data")):
        _forget_shared_memory(data)


def reap(folder):
    """Cleans up a fleet that could not end by itself: its processes, then its folder."""
    kill_started_in(folder)
    shutil.rmtree(folder, ignore_errors=True)


def is_fleet_folder(folder):
    """Whether a folder was made by a fleet of this user, so that reap() may be used on it."""
    try:
        info = os.lstat(os.path.join(folder, PROCESSES))
    except OSError:
        return False
    return stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid()


class Process:
    """A program started by the fleet. Subclasses define how it is set up; the rest is common."""

    stop_signal = signal.SIGTERM
    users = ()

    def __init__(self, fleet, name, argv=(), env=None, cwd=None, ready=None):
        self.fleet, self.name = fleet, name
        self.argv, self.env = list(argv), env
        self.cwd = cwd or fleet.folder
        self.log = os.path.join(fleet.folder, f"{name}.log")
        self.account = Account(*self.users)
        self._ready = ready
        self._popen = None
        self._paused = []
        self.returncode = None  # of the last run that ended

    @property
    def pid(self):
        return self._popen.pid if self._popen else None

    @property
    def alive(self):
        if self._popen and self._popen.poll() is not None:
            self.returncode = self._popen.returncode
            self._popen = None
        return self._popen is not None

    def is_ready(self):
        """One quick check; start() repeats it until it is true."""
        return self._ready is None or self._ready()

    def start(self, seconds=READY_S):
        """Starts it and waits until it is ready. If it fails or takes too long: ServerError, with the end of its log.
        It may have ended with status 0 by then."""
        if self.alive:
            raise ServerError(f"{self.name} runs already")
        self._spawn()
        try:
            wait_for(lambda: self._died() or self.is_ready(), f"{self.name} is ready", seconds)
        except ServerError as error:
            self.kill()
            raise ServerError(f"{error}\n{self.log_tail()}") from None
        if not self.alive and self.returncode != 0:
            raise ServerError(f"{self.name} ended at once with status {self.returncode}:\n{self.log_tail()}")
        return self

    def stop(self, seconds=STOP_S):
        """Asks it to end and waits; kills it if it takes too long. Returns its exit status."""
        if self.alive:
            self.resume()
            tree = _descendants(self.pid)
            _signal(self.pid, self.stop_signal)
            try:
                self._ended(self._popen.wait(seconds))
            except subprocess.TimeoutExpired:
                self.kill()
            _kill_all(tree)
            _await_end(tree)
        return self.returncode

    def kill(self):
        """Sends SIGKILL to it and its descendants, as when the machine loses power."""
        if self.alive:
            tree = _kill_tree(self.pid, _stat(self.pid)[2])
            self._ended(self._popen.wait(STOP_S))
            _await_end(tree)

    def restart(self, seconds=READY_S):
        self.stop()
        return self.start(seconds)

    def pause(self):
        """SIGSTOP: it stays alive and keeps its connections, but does not answer."""
        if not self.alive:
            raise ServerError(f"{self.name} does not run")
        # The parent first: once stopped, it can have no more children.
        _signal(self.pid, signal.SIGSTOP)
        self._paused = [pid for pid, _ in _descendants(self.pid)] + [self.pid]
        for pid in self._paused:
            _signal(pid, signal.SIGSTOP)
        wait_for(lambda: all((_stat(p) or "TT")[1] in "TZ" for p in self._paused), f"{self.name} stands still", STOP_S)

    def resume(self):
        for pid in self._paused:
            _signal(pid, signal.SIGCONT)
        self._paused = []

    def signal(self, number):
        if self.alive:
            _signal(self.pid, number)

    def wait(self, seconds=READY_S):
        """Waits for it to end by itself and returns its exit status."""
        if self.alive:
            try:
                self._ended(self._popen.wait(seconds))
            except subprocess.TimeoutExpired:
                raise ServerError(f"{self.name} still runs after {seconds} s\n{self.log_tail()}") from None
        return self.returncode

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def log_tail(self, lines=20):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def clean_up(self):
        """Called once, after the last stop."""

    def _died(self):
        return not self.alive

    def _ended(self, status):
        self.returncode, self._popen, self._paused = status, None, []

    def _spawn(self):
        # The shell records itself before it becomes the program, so the keeper knows of everything that runs.
        script = 'read -r me </proc/$$/stat; printf "%s\\n" "$me" >&0; exec "$@" </dev/null'
        with open(self.log, "ab") as log:
            self._popen = subprocess.Popen(
                ["/bin/sh", "-c", script, self.name, *self.argv],
                env=self.env if self.env is not None else clean_environment(),
                cwd=self.cwd,
                stdin=self.fleet.processes_fd,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever started us, which decides the order of stopping
                **self.account.popen,
            )


class Server(Process):
    """A server with its own folder, port and socket."""

    program = ""

    def __init__(self, fleet, name, options=()):
        super().__init__(fleet, name)
        self.options = list(options)
        self.folder = os.path.join(fleet.folder, name)
        self.host = "127.0.0.1"
        self.port = None
        self.cwd = "/"

    def start(self, seconds=READY_S):
        if self.port is not None:
            return super().start(seconds)
        self._make_folder()
        self.set_up()
        for attempt in range(3):
            self.port = free_port()
            self.argv = self.command_line()
            try:
                return super().start(seconds)
            except ServerError:
                # Another program may have taken the port between check and use.
                if attempt == 2 or is_free_port(self.port):
                    raise
        return self

    def _make_folder(self):
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        os.chown(self.folder, self.account.uid, self.account.gid)

    def set_up(self):
        """Makes what the server needs before its first start."""

    def command_line(self):
        raise NotImplementedError

    def _run(self, argv, **options):
        """Runs one of the server's tools as its user; the output is shown only on failure."""
        done = subprocess.run(
            argv,
            env=clean_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            **self.account.popen,
            **options,
        )
        if done.returncode != 0:
            output = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
            raise ServerError(f"{os.path.basename(argv[0])} failed with status {done.returncode}:\n{output}")

    def _write(self, name, text):
        """Writes a file in the server's folder that only the server can read; returns its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(text)
        os.chown(path, self.account.uid, self.account.gid)
        return path


class SqlServer(Server):
    """What both database servers share: databases, SQL files, readers, queries. Names are plain identifiers."""

    def client(self, database):
        """argv of the command line client, as the administrator."""
        raise NotImplementedError

    FLUSH = ""

    def flush(self):
        """Makes what was written so far survive kill(): commits do not wait for that."""
        self.execute(self.FLUSH)

    def execute(self, sql, database=None):
        """Runs SQL statements and returns what the client printed."""
        return self._feed(sql.encode("utf-8"), self.client(database))

    def load(self, database, *paths):
        """Runs SQL files (plain or .gz) in the order given."""
        for path in paths:
            opener = gzip.open if str(path).endswith(".gz") else open
            with opener(path, "rb") as source:
                try:
                    self._feed(source, self.client(database))
                except ServerError as error:
                    raise ServerError(f"{path}: {error}") from None

    def _feed(self, source, argv):
        """Runs a client with bytes or an open file on its stdin."""
        with tempfile.TemporaryFile() as output:
            client = subprocess.Popen(
                argv, env=clean_environment(), cwd="/", stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                with client.stdin as pipe:
                    shutil.copyfileobj(io.BytesIO(source) if isinstance(source, bytes) else source, pipe, 1 << 20)
                client.wait()
            except BrokenPipeError:
                client.wait()  # it gave up at an error, reported below
            finally:
                client.kill()  # if something else stopped us: Ctrl-C
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        if client.returncode != 0:
            raise ServerError(f"{self.name}: {text.strip()[-2000:]}")
        return text


class PostgreSQL(SqlServer):
    FLUSH = "CHECKPOINT"
    users = ("postgres",)
    stop_signal = signal.SIGINT  # "fast": sessions are cut off, not waited for

    SETTINGS = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "60",
        "password_encryption": "scram-sha-256",
        "logging_collector": "off",
    }

    def __init__(self, fleet, name="postgres", options=()):
        super().__init__(fleet, name, options)
        self.data = os.path.join(self.folder, "data")
        self.binaries = _postgres_binaries()

    @property
    def socket(self):
        """The folder of its socket, for DB_HOST instead of a host name."""
        return self.folder

    def set_up(self):
        admin = current_user()
        self._run(
            [
                f"{self.binaries}/initdb",
                "-D",
                self.data,
                "-U",
                admin,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--auth-local=peer",
                "--auth-host=scram-sha-256",
            ]
        )
        # The account that starts the fleet is the superuser, through the socket only.
        self._write(
            "data/pg_hba.conf",
            f'local all "{admin}" peer\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n',
        )

    def command_line(self):
        argv = [f"{self.binaries}/postgres", "-D", self.data, "-p", str(self.port), "-h", self.host, "-k", self.folder]
        for key, value in self.SETTINGS.items():
            argv += ["-c", f"{key}={value}"]
        return argv + self.options

    def client(self, database=None):
        return [
            f"{self.binaries}/psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self.folder,
            "-p",
            str(self.port),
            "-U",
            current_user(),
            "-d",
            database or "postgres",
        ]

    def is_ready(self):
        argv = [f"{self.binaries}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port), "-d", "postgres"]
        return subprocess.run(argv, env=clean_environment(), check=False).returncode == 0

    def create_database(self, name):
        self.execute(f'CREATE DATABASE "{_identifier(name)}"')

    def drop_database(self, name):
        self.execute(f'DROP DATABASE IF EXISTS "{_identifier(name)}" WITH (FORCE)')

    def create_reader(self, user, password, database):
        """Creates a role that may SELECT from every table of the database, future ones included, and nothing else."""
        user = _identifier(user)
        exists = self.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{user}'")
        verb = "ALTER" if exists else "CREATE"
        self.execute(f"""{verb} ROLE "{user}" LOGIN PASSWORD {_literal(password)}""")
        self.execute(
            f'GRANT USAGE ON SCHEMA public TO "{user}"; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{user}";'
            f' ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{user}"',
            database,
        )

    def query(self, sql, database=None):
        """Rows as lists of text; NULL is None."""
        null = "\\N"
        argv = self.client(database) + ["--csv", "-t", "-P", f"null={null}"]
        rows = csv.reader(io.StringIO(self._feed(sql.encode("utf-8"), argv), newline=""))
        return [[None if value == null else value for value in row] for row in rows]

    def clean_up(self):
        _forget_shared_memory(self.data)


class PgBouncer(SqlServer):
    """A pooler in front of the fleet's PostgreSQL: one server connection, lent per transaction. For tests; it has
    no socket, and its administrator has a password."""

    users = ("postgres",)  # it refuses to run as root

    SETTINGS = {
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "pool_mode": "transaction",
        "default_pool_size": 1,
        "server_login_retry": 1,  # seconds, also after a restart of PostgreSQL
        "server_tls_sslmode": "disable",
        "client_tls_sslmode": "disable",
    }

    def __init__(self, fleet, name="pgbouncer", options=()):
        """options: lines for the section [pgbouncer]."""
        super().__init__(fleet, name, options)
        self.postgres = fleet.postgres
        self._passwords = {fleet.READER: fleet.password, current_user(): secrets.token_hex(12)}

    def set_up(self):
        users = [f'"{user}" "{password}"\n' for user, password in self._passwords.items()]
        self._write("users.txt", "".join(users))  # in clear text: it logs in to PostgreSQL with them
        logins = [f"*:*:*:{user}:{password}\n" for user, password in self._passwords.items()]
        self._write("pgpass", "".join(logins))

    def command_line(self):
        settings = {
            "listen_addr": self.host,
            "listen_port": self.port,
            "auth_file": f"{self.folder}/users.txt",
            "admin_users": current_user(),
            **self.SETTINGS,
        }
        lines = [
            "[databases]",
            f"* = host={self.postgres.socket} port={self.postgres.port}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
            *self.options,
        ]
        return [_program("pgbouncer"), self._write("pgbouncer.ini", "\n".join(lines) + "\n")]

    def client(self, database=None):
        """For the reader in a database, or the administrator at the console, which takes only SHOW, PAUSE etc."""
        user = self.fleet.READER if database else current_user()
        where = f"host={self.host} port={self.port} user={user} dbname={database or 'pgbouncer'}"
        return [
            f"{self.postgres.binaries}/psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            f"{where} passfile={self.folder}/pgpass sslmode=disable",
        ]

    query = PostgreSQL.query  # the client is the same

    def is_ready(self):
        argv = [f"{self.postgres.binaries}/pg_isready", "-q", "-h", self.host, "-p", str(self.port), "-d", "pgbouncer"]
        return subprocess.run(argv, env=clean_environment(), check=False).returncode == 0


class MariaDB(SqlServer):
    FLUSH = "FLUSH ENGINE LOGS"
    users = ("mysql",)

    SETTINGS = (
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--skip-log-bin",
        "--character-set-server=utf8mb4",
        "--default-time-zone=+00:00",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--innodb-flush-method=nosync",
        "--innodb-use-native-aio=0",  # its requests have a limit for the whole machine, which runs out
        "--innodb-buffer-pool-size=256M",
        "--innodb-log-file-size=128M",
        "--sync-frm=0",
        "--performance-schema=0",
    )

    def __init__(self, fleet, name="mariadb", options=()):
        super().__init__(fleet, name, options)
        self.data = os.path.join(self.folder, "data")

    @property
    def socket(self):
        """Its socket, for DB_HOST_ECOSYS instead of a host name."""
        return os.path.join(self.folder, "sock")

    def set_up(self):
        self._run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.data}",
                f"--tmpdir={self.folder}",
                "--skip-test-db",
                "--skip-name-resolve",
                "--auth-root-authentication-method=socket",
                f"--auth-root-socket-user={current_user()}",
                "--innodb-flush-method=nosync",
                "--innodb-use-native-aio=0",
            ]
        )

    def command_line(self):
        return [
            _program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self.data}",
            f"--port={self.port}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder}/pid",
            *self.SETTINGS,
            *self.options,
        ]

    def client(self, database=None):
        argv = [
            _program("mariadb"),
            "--no-defaults",
            "--default-character-set=utf8mb4",
            "--batch",
            "--skip-column-names",
            f"--socket={self.socket}",
            f"--user={current_user()}",
            "--max-allowed-packet=1G",
        ]
        return argv + ([database] if database else [])

    def is_ready(self):
        argv = self.client() + ["--connect-timeout=2", "-e", "SELECT 1"]
        return subprocess.run(argv, env=clean_environment(), capture_output=True, check=False).returncode == 0

    def create_database(self, name):
        self.execute(f"CREATE DATABASE `{_identifier(name)}` CHARACTER SET utf8mb4")

    def drop_database(self, name):
        self.execute(f"DROP DATABASE IF EXISTS `{_identifier(name)}`")

    def create_reader(self, user, password, database):
        """Creates a user who may SELECT from every table of the database and nothing else, over TCP and the socket."""
        for host in ("127.0.0.1", "localhost"):
            account = f"'{_identifier(user)}'@'{host}'"
            self.execute(
                f"CREATE USER IF NOT EXISTS {account}; ALTER USER {account} IDENTIFIED BY {_literal(password)};"
                f" GRANT SELECT ON `{_identifier(database)}`.* TO {account}"
            )

    def query(self, sql, database=None):
        """Rows as lists of text. NULL is None, and so is the text NULL, as the client prints both alike."""
        lines = self.execute(sql, database).split("\n")[:-1]
        return [[None if field == "NULL" else _unescape(field) for field in line.split("\t")] for line in lines]


class Redis(Server):
    users = ("redis",)

    def __init__(self, fleet, name="redis", options=(), password=None):
        """password: random if None; "" for none at all. options: lines for redis.conf."""
        super().__init__(fleet, name, options)
        self.password = secrets.token_hex(12) if password is None else password

    @property
    def socket(self):
        return os.path.join(self.folder, "sock")

    def url(self, db=0):
        login = f"default:{self.password}@" if self.password else ""
        return f"redis://{login}{self.host}:{self.port}/{db}"

    def command_line(self):
        lines = [
            f"port {self.port}",
            f"bind {self.host}",
            f"unixsocket {self.socket}",
            "unixsocketperm 777",
            f"dir {self.folder}",
            'save ""',
            "appendonly no",
            "daemonize no",
            "supervised no",
        ]
        if self.password:
            lines.append(f"requirepass {self.password}")
        # In a file, not on the command line, which every user of the machine can read.
        return [_program("redis-server"), self._write("redis.conf", "\n".join(lines + self.options) + "\n")]

    def is_ready(self):
        try:
            return self.command("PING", seconds=2) == b"PONG"
        except (OSError, ServerError):
            return False

    def command(self, *words, db=0, seconds=10):
        """Sends one command on a new connection; returns bytes, int, list or None. ServerError holds an error reply."""
        with socket.create_connection((self.host, self.port), seconds) as link, link.makefile("rwb") as stream:
            if self.password:
                _redis_ask(stream, "AUTH", self.password)
            if db:
                _redis_ask(stream, "SELECT", db)
            return _redis_ask(stream, *words)


def _redis_ask(stream, *words):
    parts = [w if isinstance(w, bytes) else str(w).encode("utf-8") for w in words]
    stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
    stream.flush()
    return _redis_reply(stream)


def _redis_reply(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ServerError("Redis closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest
    if kind == b"-":
        raise ServerError(f"Redis: {rest.decode('utf-8', 'replace')}")
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    return None if rest == b"-1" else [_redis_reply(stream) for _ in range(int(rest))]


def _postgres_binaries():
    """The newest installed version; Debian keeps them out of PATH."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise ServerError("PostgreSQL's server is not installed (no /usr/lib/postgresql/*/bin/postgres)")
    return os.path.dirname(max(found, key=lambda path: float(path.split("/")[4])))


def _program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        raise ServerError(f"{name} is not installed")
    return path


def _identifier(name):
    if not re.fullmatch(r"[A-Za-z0-9_]{1,60}", name):
        raise ServerError(f"not a plain name: {name!r}")
    return name


def _literal(text):
    if re.search(r"['\\\0]", text):
        raise ServerError("a password here holds no quotes, backslashes or NUL")
    return f"'{text}'"


def _unescape(field):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "0": "\0"}.get(m[1], m[1]), field, flags=re.DOTALL)


# ---- The fleet


class Fleet:
    """Servers and programs with a common folder and lifetime. Not for use by several threads at once."""

    READER = "ecosys_reader"

    def __init__(self, folder=None, servers=("postgres", "mariadb", "redis"), keep=False, also_remove=(), hold_fds=()):
        """folder: empty or to be made, where can_host_servers() is true; a temporary one if None.
        keep: the folder stays, for its logs. also_remove: links to the folder, removed with it.
        hold_fds: file descriptors that stay open until everything is gone, such as a lock's."""
        self.folder = self._make_folder(folder)
        self.password = secrets.token_hex(12)
        self.processes = []
        self._owner = os.getpid()
        self._closed = False
        self.processes_fd = os.open(
            os.path.join(self.folder, PROCESSES), os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._keeper = _start_keeper(self.folder, also_remove, keep, hold_fds)
        atexit.register(self.close)
        self.postgres = self.add(PostgreSQL) if "postgres" in servers else None
        self.mariadb = self.add(MariaDB) if "mariadb" in servers else None
        self.redis = self.add(Redis) if "redis" in servers else None

    @staticmethod
    def _make_folder(folder):
        if folder is None:
            return temporary_folder()
        folder = os.path.realpath(folder)
        if not os.path.isdir(folder):
            os.mkdir(folder)
            os.chmod(folder, 0o755)
        return folder

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def add(self, kind, *args, **options):
        """Adds a server: fleet.add(Redis, "replica", password="")."""
        process = kind(self, *args, **options)
        self.processes.append(process)
        return process

    def program(self, name, argv, env=None, cwd=None, ready=None):
        """Adds a program that ends with the fleet; the caller starts it. Its output goes to <folder>/<name>.log."""
        return self.add(Process, name, [os.path.abspath(argv[0]), *argv[1:]], env, cwd, ready)

    def start(self):
        """Starts the servers that are not running, in parallel, and waits until all are ready."""
        waiting = [p for p in self.processes if isinstance(p, Server) and not p.alive]
        with concurrent.futures.ThreadPoolExecutor(max(1, len(waiting))) as pool:
            for started in [pool.submit(server.start) for server in waiting]:
                started.result()
        return self

    def prepare(self, name, kommo=(), ecosys=()):
        """Makes a data set: database kommo_<name> in PostgreSQL and ecosys_<name> in MariaDB, recreated from SQL files,
        with a reader who may SELECT. environment(name) has the matching settings."""
        self._prepare(self.postgres, f"kommo_{name}", kommo)
        self._prepare(self.mariadb, f"ecosys_{name}", ecosys)

    def _prepare(self, server, database, paths):
        server.drop_database(database)
        server.create_database(database)
        server.load(database, *paths)
        server.create_reader(self.READER, self.password, database)
        server.flush()

    def environment(self, name, **changes):
        """The whole environment of a worker or an API on a data set; changes override, None removes a setting."""
        settings = {
            "DB_HOST": self.postgres.host,
            "DB_PORT": self.postgres.port,
            "DB_NAME": f"kommo_{name}",
            "DB_USER": self.READER,
            "DB_PASSWORD": self.password,
            "DB_HOST_ECOSYS": self.mariadb.host,
            "DB_PORT_ECOSYS": self.mariadb.port,
            "DB_NAME_ECOSYS": f"ecosys_{name}",
            "DB_USER_ECOSYS": self.READER,
            "DB_PASSWORD_ECOSYS": self.password,
            "REDIS_URL": self.redis.url(),
            "REDIS_PREFIX": name,
            "BASIC_AUTH_USERS": "demo:demo",
            "HOST": "127.0.0.1",
            "PORT": None,
            "TZ": "America/Sao_Paulo",
            "ENVIRONMENT": "development",
        }
        settings.update(changes)
        return clean_environment(**{key: str(value) for key, value in settings.items() if value is not None})

    def close(self):
        """Stops everything, in reverse order of starting, and removes the folder. Later calls do nothing."""
        if self._closed or os.getpid() != self._owner:
            return
        self._closed = True
        atexit.unregister(self.close)
        for process in reversed(self.processes):
            try:
                process.stop()
                process.clean_up()
            except (ServerError, OSError) as error:
                print(f"stopping {process.name}: {error}", file=sys.stderr)
        os.close(self.processes_fd)
        # Closing its pipe lets the keeper remove the folder and kill anything that survived.
        self._keeper.stdin.close()
        self._keeper.wait()


# ---- The keeper: this file, run as a program


def _start_keeper(folder, also_remove, keep, hold_fds):
    argv = ["/usr/bin/python3", "-IS", os.path.abspath(__file__), "--keeper", "keep" if keep else "remove", folder]
    return subprocess.Popen(
        [*argv, *also_remove],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=hold_fds,
    )


def _keep_watch(parent):
    """Returns when the process that made the fleet is gone or closes its pipe. Checks the parent too: a forked child of
    the process could still hold the other end of the pipe."""
    while os.getppid() == parent:
        if select.select([0], [], [], 0.5)[0] and not os.read(0, 1):
            return


def _keeper(mode, folder, *also_remove):
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _keep_watch(parent)
    if mode == "keep":
        kill_started_in(folder)
        return
    reap(folder)
    for link in also_remove:
        if os.path.islink(link):
            os.unlink(link)


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] != "--keeper":
        sys.exit("this file is imported by scripts/lib/demo.py and the tests; see its first lines")
    _keeper(*sys.argv[2:])
