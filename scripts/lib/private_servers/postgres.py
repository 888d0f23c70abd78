"""PostgreSQL: a cluster of its own, whose superuser is whoever started it, through the socket only."""

import csv
import glob
import io
import os
import signal
import subprocess

from .accounts import clean_environment, current_user
from .processes import forget_shared_memory
from .server import SqlServer, identifier, literal
from .waiting import ServerError


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
                f"--pgdata={self.data}",
                f"--username={admin}",
                "--encoding=UTF8",
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
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            f"--host={self.folder}",
            f"--port={self.port}",
            f"--username={current_user()}",
            f"--dbname={database or 'postgres'}",
        ]

    def is_ready(self):
        argv = [f"{self.binaries}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port), "-d", "postgres"]
        return subprocess.run(argv, env=clean_environment(), check=False).returncode == 0

    def create_database(self, name):
        self.execute(f'CREATE DATABASE "{identifier(name)}"')

    def drop_database(self, name):
        self.execute(f'DROP DATABASE IF EXISTS "{identifier(name)}" WITH (FORCE)')

    def create_reader(self, user, password, database):
        """Creates a role that may SELECT from every table of the database, future ones included, and nothing else."""
        user = identifier(user)
        exists = self.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{user}'")
        verb = "ALTER" if exists else "CREATE"
        self.execute(f"""{verb} ROLE "{user}" LOGIN PASSWORD {literal(password)}""")
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
        forget_shared_memory(self.data)


def _postgres_binaries():
    """The newest installed version; Debian keeps them out of PATH."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise ServerError("PostgreSQL's server is not installed (no /usr/lib/postgresql/*/bin/postgres)")
    return os.path.dirname(max(found, key=lambda path: float(path.split("/")[4])))
