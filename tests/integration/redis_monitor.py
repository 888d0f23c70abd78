"""All that Redis is told about one prefix, in the order in which it is done: who took the lease, who flipped to
what."""

import re
import socket
import threading
import typing

DEADLINE_S = 20
WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
LINE = re.compile(rb"\+(\d+\.\d+) \[\d+ ([^\]]+)\] (.*)")


class Flip(typing.NamedTuple):
    at_s: float  # Redis's wall clock
    generation: int
    token: str  # of the lease's holder


class Holding(typing.NamedTuple):
    at_s: float  # when the lease was first seen with this token, and when it was last renewed
    renewed_s: float
    token: str


class Strike:
    """Something to be done the moment a command comes that is counted down to."""

    def __init__(self, kind, count, action):
        self.kind, self.left, self.action = kind, count, action
        self.done = threading.Event()

    def take(self, kind):
        if kind == self.kind and not self.done.is_set():
            self.left -= 1
            if self.left <= 0:
                self.action()
                self.done.set()


class RedisMonitor:
    """A connection on which Redis repeats every command (MONITOR), those of scripts included."""

    def __init__(self, redis, prefix):
        self.flips = []
        self.holdings = []
        self.error = None
        self._prefix = f'"{prefix}:'.encode()
        self._asked = None  # what the last script that may flip was given: (token, generation)
        self._strike = None
        self._socket = socket.create_connection((redis.host, redis.port), DEADLINE_S)
        self._stream = self._socket.makefile("rwb")
        for line in (f"AUTH {redis.password}", "MONITOR"):
            self._stream.write(line.encode() + b"\r\n")
            self._stream.flush()
            assert self._stream.readline() == b"+OK\r\n"
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE_S)
        self._stream.close()
        self._socket.close()
        assert self.error is None, self.error

    def strike(self, kind, count, action):
        """Does action(), in the thread that reads, at the count-th command of a kind from now on: "write" (to a
        generation), "flip", or "other" (a look at the lease, mostly). The answer's done is set after that."""
        self._strike = Strike(kind, count, action)
        return self._strike

    def _read(self):
        try:
            while (line := self._stream.readline()).endswith(b"\r\n"):
                match = LINE.match(line)
                if match and self._prefix in match[3]:
                    self._take(float(match[1]), match[2] == b"lua", match[3])
        except OSError:
            pass  # the end
        except Exception as error:  # pylint: disable=broad-except (told by __exit__, in the test's thread)
            self.error = error

    def _take(self, at_s, is_of_script, text):
        if is_of_script:
            self._take_effect(at_s, text)
            return
        kind = "write" if b":gen:" in text else "other"
        if b"return 'flipped'" in text:
            words = [word.decode() for word in WORD.findall(text)]
            self._asked = (words[7], int(words[9]))  # as worker/publish.c hands them to the script
            kind = "flip"
        elif not text.startswith((b'"EVAL"', b'"SET"')):
            return  # somebody who reads
        if self._strike:
            self._strike.take(kind)

    def _take_effect(self, at_s, text):
        """A command of a script that was begun just before."""
        if text.startswith(b'"SET" ' + self._prefix + b'current"'):
            token, generation = self._asked
            assert f'"{generation}"'.encode() in text, text
            self.flips.append(Flip(at_s, generation, token))
        if text.startswith(b'"SET" ' + self._prefix + b'lease"'):
            token = WORD.findall(text)[2].decode()
            if self.holdings and self.holdings[-1].token == token:
                self.holdings[-1] = self.holdings[-1]._replace(renewed_s=at_s)
            else:
                self.holdings.append(Holding(at_s, at_s, token))
