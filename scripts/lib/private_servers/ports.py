"""Loopback ports that nobody else takes, and whether somebody answers on one."""

import functools
import http.client
import random
import socket
import threading

from .waiting import ServerError

PORTS_LOCK = threading.Lock()


def is_free_port(port):
    with socket.socket() as probe:
        # A stopped program's sockets in TIME_WAIT do not block the next one; a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


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
