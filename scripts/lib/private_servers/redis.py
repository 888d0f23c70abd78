"""Redis, and just enough of a client to ask it one thing at a time."""

import os
import secrets
import socket

from .server import Server, find_program
from .waiting import ServerError


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
        return [find_program("redis-server"), self._write("redis.conf", "\n".join(lines + self.options) + "\n")]

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
