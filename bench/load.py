"""Load on an HTTP server, and what it costs that server: wrk, single filters one after another, idle connections."""

import base64
import contextlib
import datetime
import json
import math
import os
import re
import resource
import socket
import subprocess
import time

import common  # first: it says where private_servers is
from private_servers import ServerError, clean_environment

SCRIPT = os.path.join(common.ROOT, "bench/wrk.lua")
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"demo:demo").decode()}
TICKS = os.sysconf("SC_CLK_TCK")
SCATTER = 1_000_003  # a prime that days * days has not


def percentile(values, percent):
    """The smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


# ---- What a server has used


def family(pid):
    """A process and its children: nginx is a master and its workers."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [pid, *map(int, f.read().split())]


def cpu_s(pids):
    """Processor time of the processes so far, user and system."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory_bytes(pid, field):
    """VmRSS or VmHWM."""
    return int(common.first_match(rf"^{field}:\s+(\d+) kB$", f"/proc/{pid}/status")) * 1024


# ---- wrk


class Wrk:
    """wrk on some processors (None: any); a run is as many seconds on as many connections."""

    def __init__(self, processors, threads, connections):
        pin = ["/usr/bin/taskset", "-c", ",".join(map(str, processors))] if processors else []
        self._argv = [*pin, "wrk", "-t", str(threads), "-c", str(max(connections, threads)), "--timeout", "30s"]
        self._argv += ["-s", SCRIPT]

    def start(self, port, path, seconds, headers, *script_arguments, nice=0):
        argv = ["nice", "-n", str(nice), *self._argv, "-d", f"{seconds}s"]
        for name, value in {**LOGIN, **headers}.items():
            argv += ["-H", f"{name}: {value}"]
        argv += [f"http://127.0.0.1:{port}{path}", "--", *map(str, script_arguments)]
        return subprocess.Popen(
            argv,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def run(self, *args, **options):
        with ended(self.start(*args, **options)) as process:
            found = finish(process)
        if found["broken"] or found["status_errors"]:
            raise ServerError(f"wrk met errors: {found}")
        return found


@contextlib.contextmanager
def ended(process):
    """The process does not outlive the block."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def finish(process):
    """What wrk.lua says at the end."""
    output, _ = process.communicate()
    if process.returncode != 0:
        raise ServerError(f"wrk failed:\n{output}")
    return json.loads(output.splitlines()[-1])


# ---- Questions with filters


def filter_of(number, first_day, days):
    """The number's filter: it begins on one of `days` days and ends less than as many later; each has one number below
    days * days, neighbours are far apart."""
    start, length = divmod(number * SCATTER % (days * days), days)
    begin = first_day + datetime.timedelta(start)
    return begin, begin + datetime.timedelta(length)


def filtered(path, begin, end):
    return f"{path}?data_adesao_inicio={begin}&data_adesao_fim={end}"


ROOM = memoryview(bytearray(1 << 20))


class Client:
    """One connection that asks one question after another."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self._socket.close()

    def ask(self, path, headers=(), keep=False):
        """(head as text, body or its length, milliseconds to the first byte and to the last) of a GET."""
        fields = {"Host": "127.0.0.1", **LOGIN, **dict(headers)}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        began = time.perf_counter()
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head = self._receive()
        first_ms = (time.perf_counter() - began) * 1000
        while b"\r\n\r\n" not in head:
            head += self._receive()
        head, body = head.split(b"\r\n\r\n", 1)
        text = head.decode("latin-1")
        length = re.search(r"\r\nContent-Length: (\d+)", text, re.I)
        total, got = int(length[1]) if length and " 304 " not in text else 0, len(body)
        while got < total:
            part = self._receive() if keep else self._skip()
            got += len(part) if keep else part
            body += part if keep else b""
        last_ms = (time.perf_counter() - began) * 1000
        return text, body if keep else total, first_ms, last_ms

    def _receive(self):
        return bytes(ROOM[: self._skip()])

    def _skip(self):
        count = self._socket.recv_into(ROOM)
        if count == 0:
            raise ServerError("the server closed the connection")
        return count


def header(head, name):
    """The value of a header in a head, or None."""
    found = re.search(rf"^{name}: (.*?)\r?$", head, re.M | re.I)
    return found[1] if found else None


def raise_descriptor_limit(count):
    """This process's own, as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count), hard))


@contextlib.contextmanager
def idle_connections(port, count, path):
    """So many connections, each of which has asked once and stays open."""
    raise_descriptor_limit(count + 200)
    clients = []
    try:
        for _ in range(count):
            clients.append(Client(port))
            clients[-1].ask(path)
        yield
    finally:
        for client in clients:
            client.close()
