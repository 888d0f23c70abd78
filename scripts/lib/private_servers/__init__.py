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

from .accounts import clean_environment
from .fleet import Fleet
from .folders import can_host_servers, temporary_folder
from .mysql import MariaDB
from .pgbouncer import PgBouncer
from .ports import answers_http, free_port, is_free_port
from .postgres import PostgreSQL
from .processes import is_fleet_folder, reap
from .program import Process
from .redis import Redis
from .server import Server
from .waiting import ServerError, wait_for

__all__ = [
    "Fleet",
    "MariaDB",
    "PgBouncer",
    "PostgreSQL",
    "Process",
    "Redis",
    "Server",
    "ServerError",
    "answers_http",
    "can_host_servers",
    "clean_environment",
    "free_port",
    "is_fleet_folder",
    "is_free_port",
    "reap",
    "temporary_folder",
    "wait_for",
]
