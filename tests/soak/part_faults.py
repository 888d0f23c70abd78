"""What befalls a part of the soak: each fault is a context in which that part is ill."""

import contextlib
import os
import socket

import service
from service import ServerError, lock_in_mariadb, lock_in_postgres, wait_for

MISBEHAVING = 100  # connections to each API
NONSENSE = (
    b"",
    b"\r\n",
    b"GET /clientes HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"\x16\x03\x01\x02\x00\x01",
    b"GET / HTTP/1.1\n\n",
    b"POST /cache/clear HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
    b"GET /logins HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
    b"GET /dashboard HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp4\r\n\r\n" * 50,
)


# A key that has just ended is not to come back without a TTL.
ROT_SCRIPT = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('SETRANGE', KEYS[1], ARGV[1], ARGV[2])"


@contextlib.contextmanager
def between(begin, end):
    """A fault that has to be ended, whatever happens meanwhile."""
    begin()
    try:
        yield
    finally:
        end()


class Faults:
    def __init__(self, world):
        self.world, self.stage, self.fleet, self.rng = world, world.stage, world.fleet, world.rng

    def hold(self):
        """So long that readers have seen what it is like."""
        target = self.world.count() + self.rng.choice((100, 400, 1500))
        wait_for(lambda: self.world.count() >= target or self.world.stop.is_set(), "readers go on", 120, 0.05)

    def killed(self, server):
        def kill():
            with contextlib.nullcontext() if server is self.world.redis else self.world.truth.database_killed():
                server.kill()

        return between(kill, server.start)

    def standing_still(self, process):
        return between(process.pause, process.resume)

    def redis_is_killed(self):
        return self.killed(self.world.redis)

    def redis_stands_still(self):
        return self.standing_still(self.world.redis)

    @contextlib.contextmanager
    def redis_is_emptied(self):
        self.stage.command("FLUSHALL")
        yield

    def redis_is_full(self):
        return between(
            lambda: self.stage.command("CONFIG", "SET", "maxmemory", "1mb"),
            lambda: self.stage.command("CONFIG", "SET", "maxmemory", "0"),
        )

    def redis_is_read_only(self):
        return between(
            lambda: self.stage.command("REPLICAOF", "127.0.0.1", service.free_port()),
            lambda: self.stage.command("REPLICAOF", "NO", "ONE"),
        )

    def redis_has_another_password(self):
        def change(password):
            self.stage.command("CONFIG", "SET", "requirepass", password)
            self.world.redis.password = password

        def begin():
            change("another")
            self._cut_redis()

        password = self.world.redis.password
        return between(begin, lambda: change(password))

    @contextlib.contextmanager
    def redis_cuts_connections(self):
        self._cut_redis()
        yield

    def _cut_redis(self):
        for kind in ("normal", "pubsub"):
            self.stage.command("CLIENT", "KILL", "TYPE", kind)

    @contextlib.contextmanager
    def redis_bytes_rot(self):
        keys = [key for key in self.stage.keys() if ":gen:" in key]
        for key in self.rng.sample(keys, min(3, len(keys))):
            with contextlib.suppress(ServerError):  # the set of keys and the hash of logins are no texts, and stay
                self.stage.command("EVAL", ROT_SCRIPT, "1", key, self.rng.randrange(64), os.urandom(8))
        yield

    def postgres_is_killed(self):
        return self.killed(self.fleet.postgres)

    def postgres_stands_still(self):
        return self.standing_still(self.fleet.postgres)

    def postgres_refuses_logins(self):
        return between(
            lambda: self.fleet.postgres.execute(f"ALTER ROLE {self.fleet.READER} NOLOGIN"),
            lambda: self.fleet.postgres.execute(f"ALTER ROLE {self.fleet.READER} LOGIN"),
        )

    def postgres_is_locked(self):
        return lock_in_postgres(self.stage, "pipelines")

    @contextlib.contextmanager
    def postgres_ends_sessions(self):
        self.fleet.postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{self.fleet.READER}'"
        )
        yield

    def mariadb_is_killed(self):
        return self.killed(self.fleet.mariadb)

    def mariadb_stands_still(self):
        return self.standing_still(self.fleet.mariadb)

    def mariadb_refuses_logins(self):
        return between(lambda: self._alter_reader("ACCOUNT LOCK"), lambda: self._alter_reader("ACCOUNT UNLOCK"))

    def _alter_reader(self, how):
        for host in ("127.0.0.1", "localhost"):
            self.fleet.mariadb.execute(f"ALTER USER '{self.fleet.READER}'@'{host}' {how}")

    def mariadb_is_locked(self):
        return lock_in_mariadb(self.stage, "reports")

    def mariadb_lacks_a_table(self):
        return between(
            lambda: self.stage.ecosys("RENAME TABLE contracts TO away"),
            lambda: self.stage.ecosys("RENAME TABLE away TO contracts"),
        )

    def worker_stands_still(self):
        return self.standing_still(self.rng.choice(self.world.workers).process)

    def worker_is_killed(self):
        process = self.world.workers[1].process
        self._must_live(process)
        return between(process.kill, process.start)

    def worker_is_told_to_end(self):
        process = self.world.workers[1].process
        self._must_live(process)
        return between(lambda: self._end(process), process.start)

    def _must_live(self, process):
        if not process.alive:
            self.world.note_wrong(f"{process.name} had ended by itself, with {process.returncode}")

    def _end(self, process):
        if process.stop() != 0:
            self.world.note_wrong(f"{process.name} ended with {process.returncode}")

    @contextlib.contextmanager
    def api_is_killed(self):
        api = self.world.apis[1]
        self._must_live(api.process)
        api.restart(api.process.kill)
        yield

    @contextlib.contextmanager
    def api_is_told_to_end(self):
        api = self.world.apis[1]
        self._must_live(api.process)
        api.restart(lambda: self._end(api.process))
        yield

    def model_is_invalid(self):
        return between(self.world.model.spoil, self.world.model.restore)

    @contextlib.contextmanager
    def clients_misbehave(self):
        """Slow, cut off, malformed, too large, without credentials; none of them reads."""
        with contextlib.ExitStack() as stack:
            for api in self.world.apis * MISBEHAVING:
                client = stack.enter_context(socket.socket())
                client.settimeout(1)
                with contextlib.suppress(OSError):  # the API is down
                    client.connect(("127.0.0.1", api.port))
                    client.send(self.rng.choice(NONSENSE))
            yield

    @contextlib.contextmanager
    def redis_pointer_is_damaged(self):
        self.stage.command(
            "SET", f"{self.stage.prefix}:current", self.rng.choice(("x", "12abc", "9" * 40, "")), "EX", 600
        )
        yield

    ALL = [
        redis_is_killed,
        redis_stands_still,
        redis_is_emptied,
        redis_is_full,
        redis_is_read_only,
        redis_has_another_password,
        redis_cuts_connections,
        redis_bytes_rot,
        postgres_is_killed,
        postgres_stands_still,
        postgres_refuses_logins,
        postgres_is_locked,
        postgres_ends_sessions,
        mariadb_is_killed,
        mariadb_stands_still,
        mariadb_refuses_logins,
        mariadb_is_locked,
        mariadb_lacks_a_table,
        worker_stands_still,
        worker_is_killed,
        worker_is_told_to_end,
        api_is_killed,
        api_is_told_to_end,
        model_is_invalid,
        clients_misbehave,
        redis_pointer_is_damaged,
    ]

    def pick(self):
        """One fault, or two of different parts: what a fault needs to begin must be well."""
        first = self.rng.choice(self.ALL)
        if self.rng.random() < 0.7:
            return [first]
        part = first.__name__.split("_")[0]
        return [first, self.rng.choice([each for each in self.ALL if each.__name__.split("_")[0] != part])]
