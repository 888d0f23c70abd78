"""A proxy in front of Redis that forwards a command at a time and can go wrong at any of them."""

import enum
import os
import select
import signal
import socket
import threading

DEADLINE_S = 20
LOOK_S = 0.05  # how often a pump looks whether somebody else takes over


class Action(enum.Enum):
    FORWARD = "forward"
    KILL = "kill the worker instead of forwarding"
    CUT = "close the connection instead of forwarding"
    CUT_REPLY = "forward, let Redis answer, close the connection without passing the answer on"
    LOSE = "answer in place of Redis, which never hears of it: a message that gets lost, a subscription that is deaf"
    HOLD = "close the connection and keep the command for later, as a network that is slow"
    STALL = "keep the connection and forward only when let go, as for a worker that stands still meanwhile"


def is_flip(words):
    """Whether a command is the script that moves the pointer."""
    return words[0] == b"EVAL" and b"return 'flipped'" in words[1]


def is_message(words, kind):
    """Whether a command says something of that kind to the worker or to the APIs: "refresh", "published"."""
    return words[0] == b"PUBLISH" and words[2].split(b" ")[0] == kind.encode()


def made_up_reply(words):
    """What Redis says to a message that nobody hears, and to a subscription."""
    if words[0] == b"PUBLISH":
        return b":0\r\n"
    assert words[0] == b"SUBSCRIBE", words
    return b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n" % (len(words[1]), words[1])


class Cut(Exception):
    """The connection is to end."""


class RedisProxy:
    """decide(number, words) says what happens to the command with that number, counted from 0 over all connections;
    change(data) what becomes of some bytes from Redis."""

    def __init__(self, redis, decide, change=lambda data: data):
        self.redis, self.decide, self.change = redis, decide, change
        self.commands = []  # words of each, the one that went wrong included
        self.has_struck = False
        self.is_stalling = False
        self.victim = None
        self._held = None
        self._victim_known = threading.Event()
        self._let_go = threading.Event()
        self._lock = threading.Lock()
        self._sockets = []
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._victim_known.set()
        self._let_go.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in self._sockets:
                shut(end)
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()
        for end in self._sockets:
            end.close()

    def url(self):
        port = self._listener.getsockname()[1]
        return f"redis://default:{self.redis.password}@127.0.0.1:{port}/0"

    def set_victim(self, pid):
        self.victim = pid
        self._victim_known.set()

    def release(self):
        """Sends the command that was held, and waits until Redis has answered."""
        upstream, raw = self._held
        upstream.sendall(raw)
        return upstream.recv(4096)

    def let_go(self):
        """Forwards the command that is stalled, and what was sent behind it."""
        self._let_go.set()

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            upstream = socket.create_connection((self.redis.host, self.redis.port), DEADLINE_S)
            with self._lock:
                self._sockets += [client, upstream]
            link = Link(client, upstream, self.change)
            self._start(link.pump_replies)
            self._start(self._serve, link)

    def _serve(self, link):
        stream = link.client.makefile("rb")
        try:
            while (command := read_command(stream)) is not None:
                self._handle(link, *command)
        except (OSError, Cut):
            pass
        shut(link.client)
        if self._held is None or self._held[0] is not link.upstream:
            shut(link.upstream)

    def _handle(self, link, words, raw):
        with self._lock:
            number = len(self.commands)
            self.commands.append(words)
            action = self.decide(number, words)
            self.has_struck = self.has_struck or action is not Action.FORWARD
        if action is Action.STALL:
            self.is_stalling = True
            self._let_go.wait()
            action = Action.FORWARD
        if action in (Action.FORWARD, Action.CUT_REPLY):
            if action is Action.CUT_REPLY:
                link.mute()
            link.upstream.sendall(raw)
        if action is Action.LOSE:
            link.client.sendall(made_up_reply(words))
        if action in (Action.FORWARD, Action.LOSE):
            return
        if action is Action.CUT_REPLY:
            assert link.reply_swallowed.wait(DEADLINE_S)
        if action is Action.KILL:
            assert self._victim_known.wait(DEADLINE_S)
            os.kill(self.victim, signal.SIGKILL)
        if action is Action.HOLD:
            link.hand_over_replies()
            self._held = (link.upstream, raw)
        raise Cut


class Link:
    """A connection of the worker and the one to Redis that belongs to it."""

    def __init__(self, client, upstream, change):
        self.client, self.upstream, self.change = client, upstream, change
        self.reply_swallowed = threading.Event()
        self._is_muted = False
        self._handed_over = threading.Event()
        self._ended = threading.Event()

    def mute(self):
        self._is_muted = True

    def hand_over_replies(self):
        """From here on whoever holds the connection to Redis reads its answers."""
        self._handed_over.set()
        assert self._ended.wait(DEADLINE_S)

    def pump_replies(self):
        try:
            while not self._handed_over.is_set():
                self._pump_some()
        except (OSError, Cut):
            shut(self.client)
        finally:
            self._ended.set()

    def _pump_some(self):
        if not select.select([self.upstream], [], [], LOOK_S)[0]:
            return
        data = self.upstream.recv(65536)
        if not data:
            raise Cut
        if self._is_muted:
            self.reply_swallowed.set()
        else:
            self.client.sendall(self.change(data))


def read_command(stream):
    """(words, the bytes they came as), or None at the end."""
    head = stream.readline()
    if not head.endswith(b"\r\n"):
        return None
    raw, words = [head], []
    for _ in range(int(head[1:])):
        size = stream.readline()
        if not size.endswith(b"\r\n"):
            return None
        word = stream.read(int(size[1:]) + 2)
        raw += [size, word]
        words.append(word[:-2])
    return words, b"".join(raw)


def shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
