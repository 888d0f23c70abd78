"""The servers of MySQL's protocol: MariaDB."""

import os
import re
import subprocess

from .accounts import clean_environment, current_user
from .server import SqlServer, find_program, identifier, literal


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
                find_program("mariadb-install-db"),
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
            find_program("mariadbd"),
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
            find_program("mariadb"),
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
        self.execute(f"CREATE DATABASE `{identifier(name)}` CHARACTER SET utf8mb4")

    def drop_database(self, name):
        self.execute(f"DROP DATABASE IF EXISTS `{identifier(name)}`")

    def create_reader(self, user, password, database):
        """Creates a user who may SELECT from every table of the database and nothing else, over TCP and the socket."""
        for host in ("127.0.0.1", "localhost"):
            account = f"'{identifier(user)}'@'{host}'"
            self.execute(
                f"CREATE USER IF NOT EXISTS {account}; ALTER USER {account} IDENTIFIED BY {literal(password)};"
                f" GRANT SELECT ON `{identifier(database)}`.* TO {account}"
            )

    def query(self, sql, database=None):
        """Rows as lists of text. NULL is None, and so is the text NULL, as the client prints both alike."""
        lines = self.execute(sql, database).split("\n")[:-1]
        return [[None if field == "NULL" else _unescape(field) for field in line.split("\t")] for line in lines]


def _unescape(field):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "0": "\0"}.get(m[1], m[1]), field, flags=re.DOTALL)
