"""Attacks on an HTTP server, each for as long as nobody ends it: python3 bench/attackers.py NAME PORT [CONNECTIONS].

Each keeps up a number of connections and opens another one for each that the server closes. One thread, as fast as it
gets: what hurts a server is not the number of machines but what it does for each byte.
"""

import datetime
import selectors
import signal
import socket
import sys
import time

import load

LOGIN = "".join(f"{name}: {value}\r\n" for name, value in load.LOGIN.items())
HEAD = f"GET /dashboard HTTP/1.1\r\nHost: x\r\n{LOGIN}"
GOOD = f"{HEAD}\r\n".encode()
FIRST_DAY, DAYS = datetime.date(2020, 7, 2), 1825
BLOCK = b"x" * 65536
TRICKLE_S = 0.01  # between two bytes of somebody slow


class Attacker:
    """What is sent on one connection, and how. `pause_s` lies between two sendings of all connections together."""

    pause_s = 0.0
    reads = True  # takes the answers

    def __init__(self, number):
        self.number = number

    def first(self):
        """What is sent once the connection is there."""
        return b""

    def more(self):
        """What is sent after that, whenever the server takes some; empty: nothing."""
        return b""


class SlowHeads(Attacker):
    """A head, byte by byte."""

    pause_s = TRICKLE_S

    def first(self):
        return HEAD.encode()

    def more(self):
        return b"x"


class SlowBodies(Attacker):
    """A body, byte by byte."""

    pause_s = TRICKLE_S

    def first(self):
        return f"{HEAD}Content-Length: 60000\r\n\r\n".encode()

    def more(self):
        return b"x"


class EndlessHeaders(Attacker):
    """Fields without end."""

    def first(self):
        return HEAD.encode()

    def more(self):
        return b"X-Field: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 20


class HugeBodies(Attacker):
    """A body of a gigabyte, whatever the server says to it."""

    def first(self):
        return f"{HEAD}Content-Length: {1 << 30}\r\n\r\n".encode()

    def more(self):
        return BLOCK


class Idle(Attacker):
    """Connections on which nothing is ever said."""

    pause_s = TRICKLE_S


class Pipelined(Attacker):
    """Requests one behind the other, without waiting for an answer."""

    def more(self):
        return GOOD * 100


class Deaf(Attacker):
    """Large answers, each to another filter, that nobody reads."""

    reads = False
    pause_s = TRICKLE_S

    def first(self):
        path = load.filtered("/clientes", *load.filter_of(self.number, FIRST_DAY, DAYS))
        return f"GET {path} HTTP/1.1\r\nHost: x\r\n{LOGIN}\r\n".encode() * 20


class Flood(Attacker):
    """Requests without credentials one behind the other, whose answers nobody reads."""

    reads = False

    def more(self):
        return b"GET /nada HTTP/1.1\r\nHost: x\r\n\r\n" * 200


class Filters(Attacker):
    """Ever new filters, as fast as they are answered or refused."""

    def more(self):
        self.number += 1_000
        path = load.filtered("/clientes", *load.filter_of(self.number, FIRST_DAY, DAYS))
        return f"HEAD {path} HTTP/1.1\r\nHost: x\r\n{LOGIN}\r\n".encode()


class HugeQueries(Attacker):
    """As many parameters as a head has room for."""

    def more(self):
        return f"GET /dashboard?{'%61=&' * 3000} HTTP/1.1\r\nHost: x\r\n{LOGIN}\r\n".encode()


class Dirty(Attacker):
    """Requests that are none, each of which costs its connection."""

    def first(self):
        return f"{HEAD}Transfer-Encoding : chunked\r\n\r\n".encode()


ATTACKERS = {
    "slow heads": SlowHeads,
    "slow bodies": SlowBodies,
    "endless headers": EndlessHeaders,
    "bodies of 1 GB": HugeBodies,
    "idle connections": Idle,
    "pipelined floods": Pipelined,
    "answers nobody reads": Deaf,
    "floods nobody reads": Flood,
    "ever new filters": Filters,
    "huge queries": HugeQueries,
    "dirty requests": Dirty,
}


class Attack:
    """So many connections of one kind of attacker."""

    def __init__(self, kind, port, count):
        self._kind, self._port, self._count = kind, port, count
        self._selector = selectors.DefaultSelector()
        self._opened, self._open = 0, 0

    def _connect(self):
        """False: the server takes no more for now."""
        link = socket.socket()
        if not self._kind.reads:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(1)
        attacker = self._kind(self._opened)
        self._opened += 1
        try:
            link.connect(("127.0.0.1", self._port))
            link.setblocking(False)
            link.send(attacker.first())
        except OSError:
            link.close()
            return False
        self._selector.register(link, selectors.EVENT_READ, attacker)
        self._open += 1
        return True

    def _close(self, link):
        self._selector.unregister(link)
        link.close()
        self._open -= 1

    def _fill_up(self):
        while self._open < self._count and self._connect():
            pass

    def _read(self):
        for key, _ in self._selector.select(0):
            try:
                if (key.data.reads or self._is_over(key.fileobj)) and not key.fileobj.recv(1 << 16):
                    self._close(key.fileobj)
            except BlockingIOError:
                pass
            except OSError:
                self._close(key.fileobj)

    @staticmethod
    def _is_over(link):
        """Of a connection that reads nothing: whether the server has ended it."""
        return link.recv(1, socket.MSG_PEEK) == b""

    def _send(self):
        for key in list(self._selector.get_map().values()):
            text = key.data.more()
            try:
                if text:
                    key.fileobj.send(text)
            except BlockingIOError:
                pass
            except OSError:
                self._close(key.fileobj)
            if self._kind.pause_s:
                time.sleep(self._kind.pause_s / 10)

    def run(self):
        """Says when it has begun."""
        while not self._open:
            self._fill_up()
        print("begun", flush=True)
        while True:
            self._fill_up()
            self._read()
            self._send()
            time.sleep(self._kind.pause_s)


def main():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    name, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    load.raise_descriptor_limit(count + 200)
    Attack(ATTACKERS[name], port, count).run()


if __name__ == "__main__":
    main()
