"""PgBouncer, a pooler in front of the fleet's PostgreSQL."""

import secrets
import subprocess

from .accounts import clean_environment, current_user
from .postgres import PostgreSQL
from .server import SqlServer, find_program


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
        return [find_program("pgbouncer"), self._write("pgbouncer.ini", "\n".join(lines) + "\n")]

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
