"""HTTP as bytes: what is sent and received is seen as it is, nothing is made right on the way."""

import base64
import ctypes
import gzip
import json
import re
import socket

USER = "demo:demo"
DEADLINE_S = 20
MSGPACK, CSV_TYPE = "application/msgpack", "text/csv; charset=utf-8"


def unzstd(data):
    """By libzstd itself: Python has no module for it before 3.14."""
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    library.ZSTD_decompress.restype = ctypes.c_size_t
    size = library.ZSTD_getFrameContentSize(data, ctypes.c_size_t(len(data)))
    assert size < 1 << 32, "a frame that does not tell its size"
    out = ctypes.create_string_buffer(size)
    found = library.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert found == size, "a frame that is damaged"
    return out.raw


DECODERS = {None: bytes, "gzip": gzip.decompress, "zstd": unzstd}


class Response:
    def __init__(self, version, status, headers, body):
        self.version, self.status, self.headers, self.body = version, status, headers, body

    def header(self, name):
        """The value, several joined as one; None when there is none."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def content(self):
        """The body without its encoding."""
        return DECODERS[self.header("Content-Encoding")](self.body)

    def json(self):
        return json.loads(self.content())

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


def basic(user=USER):
    return "Basic " + base64.b64encode(user.encode()).decode()


def request_bytes(path, method="GET", user=USER, headers=(), version="1.1", body=b""):
    """A proper request. headers: further pairs; a pair replaces an ordinary header of the same name, with a value of
    None it takes it out."""
    fields = {"Host": "localhost"}
    if user is not None:
        fields["Authorization"] = basic(user)
    if body:
        fields["Content-Length"] = str(len(body))
    fields.update(headers)
    lines = [f"{method} {path} HTTP/{version}"] + [
        f"{key}: {value}" for key, value in fields.items() if value is not None
    ]
    return "\r\n".join(lines + ["", ""]).encode() + body


class Connection:
    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", port))
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError(f"closed behind {self.received[:200]!r}")
        self.received += data

    def _take(self, length):
        parts, missing = [self.received], length - len(self.received)
        while missing > 0:
            data = self.socket.recv(1 << 20)
            if not data:
                raise EOFError(f"closed {missing} bytes before the end of a body")
            parts.append(data)
            missing -= len(data)
        joined = b"".join(parts)
        self.received = joined[length:]
        return joined[:length]

    def read(self, method="GET"):
        """One answer to a request of that method, checked for what all answers have."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        response = parse_head(head)
        if response.status == 100:
            return response
        has_length = response.status not in (204, 304)
        lengths = [value for key, value in response.headers if key.lower() == "content-length"]
        assert len(lengths) == (1 if has_length else 0), response
        if has_length and method != "HEAD":
            response.body = self._take(int(lengths[0]))
        check_common(response)
        return response

    def ask(self, path, method="GET", **options):
        self.send(request_bytes(path, method, **options))
        return self.read(method)

    def is_closed(self):
        """Waits for the end; False when anything else comes instead."""
        try:
            return self.received == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def parse_head(head):
    lines = head.decode("utf-8").split("\r\n")
    match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}) [ -~]+", lines[0])
    assert match, lines[0]
    headers = []
    for line in lines[1:]:
        field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\r\n\0]*)", line)
        assert field, line
        headers.append((field[1], field[2]))
    return Response(match[1], int(match[2]), headers, b"")


def check_common(response):
    """What every answer carries, errors included."""
    exposed = {name.strip() for name in (response.header("Access-Control-Expose-Headers") or "").split(",")}
    assert {"ETag", "Age", "X-Cache", "X-Generation"} <= exposed, response
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.header("Date") or ""), response
    is_data = response.header("X-Generation") is not None
    assert response.header("Cache-Control") == ("private, no-cache" if is_data else "no-store"), response
    if response.body:
        assert response.header("Content-Encoding") in DECODERS, response
    if response.body and response.header("Content-Type") in (MSGPACK, CSV_TYPE):
        assert is_data and response.status == 200, response
    elif response.body:
        assert response.header("Content-Type") == "application/json", response
        assert response.content()[:1] in (b"{", b"["), response
        response.json()
    if response.status >= 400 and response.body and "status" not in response.json():
        assert list(response.json()) == ["detail"], response


def ask(port, path, method="GET", **options):
    """One request on a connection of its own."""
    with Connection(port) as connection:
        return connection.ask(path, method, **options)


def exchange(port, data, method="GET"):
    """Sends bytes; the first answer and whether the connection was closed behind it."""
    with Connection(port) as connection:
        connection.send(data)
        response = connection.read(method)
        return response, connection.is_closed()
