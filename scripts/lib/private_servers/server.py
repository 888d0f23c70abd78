"""What servers have in common: a folder, a port, tools of their own; and what both kinds of database server do."""

import gzip
import io
import os
import re
import shutil
import subprocess
import tempfile

from .accounts import clean_environment
from .ports import free_port, is_free_port
from .program import Process
from .waiting import READY_S, ServerError


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


def find_program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        raise ServerError(f"{name} is not installed")
    return path


def identifier(name):
    if not re.fullmatch(r"[A-Za-z0-9_]{1,60}", name):
        raise ServerError(f"not a plain name: {name!r}")
    return name


def literal(text):
    if re.search(r"['\\\0]", text):
        raise ServerError("a password here holds no quotes, backslashes or NUL")
    return f"'{text}'"
