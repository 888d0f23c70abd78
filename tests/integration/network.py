"""Two network namespaces with a wire for each server between them, on which packets can be made to vanish: nobody is
told that they do, as when a cable is pulled behind a switch or a firewall forgets a connection. Servers live at the far
end, programs at the near one. Root only; nothing outlives the process."""

import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
NOBODY = "02:00:00:00:00:00"  # an address of no card: what is sent to it is dropped by whoever receives it

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *args):
    if function(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def _namespace_here():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def inside(namespace):
    """What this thread opens and starts meanwhile lives in the namespace."""
    before = _namespace_here()
    _call(_libc.setns, namespace, CLONE_NEWNET)
    try:
        yield
    finally:
        _call(_libc.setns, before, CLONE_NEWNET)
        os.close(before)


def _new_namespace():
    before = _namespace_here()
    _call(_libc.unshare, CLONE_NEWNET)
    try:
        _ip("link", "set", "lo", "up")
        return _namespace_here()
    finally:
        _call(_libc.setns, before, CLONE_NEWNET)
        os.close(before)


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Wire:
    """One link between both ends, with an address at each."""

    def __init__(self, near, far, number):
        self.name = f"wire{number}"
        self.addresses = {near: f"10.0.{number}.1", far: f"10.0.{number}.2"}
        self.cards = {near: f"02:00:00:00:{number:02x}:01", far: f"02:00:00:00:{number:02x}:02"}
        self.host = self.addresses[far]
        with inside(near):
            _ip(
                "link",
                "add",
                self.name,
                "address",
                self.cards[near],
                "type",
                "veth",
                "peer",
                "name",
                self.name,
                "address",
                self.cards[far],
                "netns",
                f"/proc/{os.getpid()}/fd/{far}",
            )
        for end, address in self.addresses.items():
            with inside(end):
                _ip("address", "add", f"{address}/24", "dev", self.name)
                _ip("link", "set", self.name, "up")
        self.mend()

    def _set_neighbours(self, cards):
        for end in self.addresses:
            other = next(key for key in self.addresses if key != end)
            with inside(end):
                _ip(
                    "neighbour",
                    "replace",
                    self.addresses[other],
                    "lladdr",
                    cards.get(other, NOBODY),
                    "dev",
                    self.name,
                    "nud",
                    "permanent",
                )

    def cut(self):
        """From now on packets vanish, in both directions."""
        self._set_neighbours({})

    def mend(self):
        self._set_neighbours(self.cards)


class Network:
    def __init__(self, names):
        """OSError or CalledProcessError where this machine does not let us."""
        self.near, self.far = _new_namespace(), _new_namespace()
        self.wires = {name: Wire(self.near, self.far, number) for number, name in enumerate(names, 1)}

    def close(self):
        """The namespaces go with the last process in them."""
        os.close(self.near)
        os.close(self.far)
