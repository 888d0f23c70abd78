"""A proxy that knows bytes and no protocol: it can change, cut and hold what a server sends, and keeps what a client
sent."""

import enum
import select
import socket
import threading

from redis_proxy import DEADLINE_S, shut

LOOK_S = 0.05


class Then(enum.Enum):
    """What becomes of what the server sends behind the limit."""

    CUT = "the connection is closed"
    HOLD = "nothing more comes, and the connection stays"


class ByteProxy:
    """In front of 127.0.0.1:port. limit: bytes of the server that get through, on each connection. change: what is made
    of the first bytes that a server sends."""

    def __init__(self, port, limit=None, then=Then.CUT, change=None):
        self.server_port, self.limit, self.then, self.change = port, limit, then, change
        self.sent = b""  # by clients
        self.received = []  # bytes of the server on each connection that has ended
        self._is_ending = False
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_ending = True
        shut(self._listener)
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()
        self._listener.close()

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
            self._start(self._serve, client)

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.server_port), DEADLINE_S) as server:
            count = 0
            try:
                for count in self._pump(client, server):
                    pass
            except OSError:
                pass  # either side closed it
            self.received.append(count)

    def _pump(self, client, server):
        """Yields how many bytes of the server came so far."""
        left, count, is_first = self.limit, 0, True
        while not self._is_ending:
            for ready in select.select([client, server], [], [], LOOK_S)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                if ready is client:
                    self.sent += data
                    server.sendall(data)
                    continue
                if is_first and self.change:
                    data = self.change(data)
                is_first = False
                count += len(data)
                yield count
                client.sendall(data if left is None else data[:left])
                if left is not None:
                    left = max(0, left - len(data))
                    if left == 0 and self.then is Then.CUT:
                        return


def without_tls(greeting):
    """MySQL's greeting as a server without TLS sends it, or somebody on the way: the capability is taken out."""
    at = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1  # header, protocol, version; thread, salt, filler
    capabilities = int.from_bytes(greeting[at : at + 2], "little")
    assert capabilities & 0x0800
    return greeting[:at] + (capabilities & ~0x0800).to_bytes(2, "little") + greeting[at + 2 :]
