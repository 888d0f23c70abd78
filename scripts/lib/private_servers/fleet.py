"""Servers and programs that are started together and end together, and the data sets in them."""

import atexit
import concurrent.futures
import os
import secrets
import sys

from .accounts import clean_environment
from .folders import temporary_folder
from .keeper import start_keeper
from .mysql import MariaDB
from .postgres import PostgreSQL
from .processes import PROCESSES
from .program import Process
from .redis import Redis
from .server import Server
from .waiting import ServerError


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
        self._keeper = start_keeper(self.folder, also_remove, keep, hold_fds)
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
