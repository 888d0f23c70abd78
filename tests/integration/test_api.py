"""ecosys-api from outside: connections, hostile bytes, limits, and what is served while parts are dead. What is said on
a sound connection is test_http_contract.py's."""

import concurrent.futures
import contextlib
import os
import random
import re
import resource
import signal
import socket
import threading
import time

import pytest

import http_client
from http_client import Connection, ask, basic, exchange, request_bytes
from service import API, Stage, new_redis, prepare_counter, prepare_sample, wait_for
from serving import start_loaded, wait_until_served

DATA = ("/clientes", "/health-scores", "/dashboard")
GOOD = request_bytes("/dashboard")


@pytest.fixture(scope="module")
def published(fleet):
    """A stage with a generation."""
    prepare_sample(fleet, "small", "--tenants", "30", "--clients", "40")
    stage = Stage(fleet, "small")
    stage.publish()
    return stage


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "counter", clients=20)
    return "counter"


@pytest.fixture(scope="module")
def large(fleet):
    """A stage whose /clientes does not fit into the kernel's buffers."""
    prepare_counter(fleet, "large", clients=40000)
    stage = Stage(fleet, "large")
    stage.publish()
    return stage


@pytest.fixture(scope="module")
def port(published):
    """An API that only answers: for tests that do nothing to it but ask."""
    return start_loaded(published).port


def open_files(pid):
    """What the descriptors of a process refer to."""
    names = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return names


# ---- Connections


def test_keep_alive(port):
    with Connection(port) as connection:
        for path in (*DATA, "/nada", "/", *DATA):
            response = connection.ask(path)
            assert response.header("Connection") in (None, "keep-alive")
        assert connection.ask("/dashboard", user=None).status == 401
        assert connection.ask("/dashboard").status == 200


def test_connection_close(port):
    with Connection(port) as connection:
        response = connection.ask("/dashboard", headers={"Connection": "close"})
        assert response.status == 200 and response.header("Connection") == "close"
        assert connection.is_closed()


@pytest.mark.parametrize("headers, stays", [({"Host": None}, False), ({"Connection": "keep-alive"}, True)])
def test_http_1_0(port, headers, stays):
    with Connection(port) as connection:
        response = connection.ask("/dashboard", version="1.0", headers=headers)
        assert response.status == 200
        assert response.header("Connection") == ("keep-alive" if stays else "close")
        if stays:
            assert connection.ask("/", version="1.0").status == 200
        assert connection.is_closed()


def test_pipelining(port):
    asked = [("GET", path, user) for path in (*DATA, "/", "/nada") for user in (http_client.USER, None)] * 10
    asked += [("HEAD", "/clientes", http_client.USER), ("POST", "/clientes", None), ("OPTIONS", "/clientes", None)]
    random.Random(1).shuffle(asked)
    bodies = {(path, user): ask(port, path, user=user).body for _, path, user in asked}
    with Connection(port) as connection:
        sender = threading.Thread(
            target=connection.send,
            args=(b"".join(request_bytes(path, method, user=user) for method, path, user in asked),),
        )
        sender.start()
        for method, path, user in asked:
            response = connection.read(method)
            if method == "GET":
                assert response.body == bodies[path, user]
            else:
                assert response.status == {"HEAD": 200, "POST": 405, "OPTIONS": 204}[method]
        sender.join()
        assert connection.ask("/").status == 200


def test_byte_by_byte(port):
    data = request_bytes("/dashboard", body=b'{"a":1}') + request_bytes("/", headers={"Connection": "close"})
    with Connection(port) as connection:
        for byte in data:
            connection.send(bytes([byte]))
        assert connection.read().body == ask(port, "/dashboard").body
        assert connection.read().status == 200
        assert connection.is_closed()


def test_client_that_ends_its_side_early(port):
    with Connection(port) as connection:
        connection.send(request_bytes("/clientes") * 3)
        connection.socket.shutdown(socket.SHUT_WR)
        bodies = {connection.read().body for _ in range(3)}
        assert len(bodies) == 1 and connection.is_closed()


@pytest.mark.parametrize(
    "last",
    [b"", GOOD[:-2], request_bytes("/dashboard", body=b"12345")[:-1]],
    ids=["whole", "half a head", "half a body"],
)
def test_client_that_ends_its_side_while_answers_are_held_back(large, last):
    """Requests wait for the answers before them to be sent; what was whole when the client ended is answered."""
    api = start_loaded(large)
    with Connection(api.port, receive_buffer=4096) as connection:
        connection.send(request_bytes("/clientes") * 4 + last)
        connection.socket.shutdown(socket.SHUT_WR)
        bodies = {connection.read().body for _ in range(4)}
        assert bodies == {ask(api.port, "/clientes").body} and connection.is_closed()


def test_answers_that_no_file_may_hold(large):
    """A limit on the length of files, those in memory too, is no reason to die of."""
    api = start_loaded(large)
    resource.prlimit(api.process.pid, resource.RLIMIT_FSIZE, (65536, 65536))
    wait_until_served(api.port, large.publish())
    assert not [name for name in open_files(api.process.pid) if "memfd:" in name]
    assert len(ask(api.port, "/clientes").json()) == 40000
    assert len(ask(api.port, "/clientes", headers={"Accept-Encoding": "gzip"}).json()) == 40000


def test_large_answers_go_with_their_generation(large):
    """What is sent from files that lie in memory takes no more descriptors with each generation."""
    api = start_loaded(large, HTTP_REQUEST_TIMEOUT=120)

    def files():
        return len([name for name in open_files(api.process.pid) if "memfd:" in name])

    before = files()
    assert before >= 1, "gzip"
    with Connection(api.port, receive_buffer=4096) as slow:
        slow.send(request_bytes("/clientes", headers={"Accept-Encoding": "gzip"}))
        slow.received += slow.socket.recv(1000)
        for _ in range(3):
            wait_until_served(api.port, large.publish())
        assert len(slow.read().json()) == 40000
    wait_for(lambda: files() == before, "the files of earlier generations are closed", 10)


def test_get_with_body(port):
    with Connection(port) as connection:
        for body in (b'{"tenant_id": "1"}', b"GET /nada HTTP/1.1\r\n\r\n", b"x" * 65536):
            assert connection.ask("/dashboard", body=body).status == 200
        assert connection.ask("/dashboard", headers={"Content-Length": "0"}).status == 200


def test_expect_100_continue(port):
    head, body = (
        request_bytes("/dashboard", body=b"12345", headers={"Expect": "100-continue"}).split(b"12345")[0],
        b"12345",
    )
    with Connection(port) as connection:
        connection.send(head)
        assert connection.read().status == 100
        connection.send(body)
        assert connection.read().status == 200
        connection.send(request_bytes("/dashboard", user=None, body=b"12345", headers={"Expect": "100-continue"})[:-5])
        response = connection.read()
        assert response.status == 401 and response.header("Connection") == "close"
        assert connection.is_closed()


def test_refused_body_is_not_taken_for_a_request(port):
    hidden = request_bytes("/dashboard")
    for options, status in (({"user": None}, 401), ({"method": "POST"}, 405)):
        with Connection(port) as connection:
            assert connection.ask("/clientes", body=hidden, **options).status == status
            assert connection.is_closed()


def test_empty_lines_before_a_request(port):
    assert exchange(port, b"\r\n\r\n" + request_bytes("/", headers={"Connection": "close"}))[0].status == 200


# ---- What is not clean HTTP


def raw(*lines, body=b""):
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\r\n\r\n" + body


HOST = "Host: x"
DIRTY = {
    "two lengths": raw("GET / HTTP/1.1", HOST, "Content-Length: 5", "Content-Length: 6", body=b"12345"),
    "the same length twice": raw("GET / HTTP/1.1", HOST, "Content-Length: 5", "Content-Length: 5", body=b"12345"),
    "list of lengths": raw("GET / HTTP/1.1", HOST, "Content-Length: 5, 5", body=b"12345"),
    "length with sign": raw("GET / HTTP/1.1", HOST, "Content-Length: +5", body=b"12345"),
    "negative length": raw("GET / HTTP/1.1", HOST, "Content-Length: -1"),
    "hexadecimal length": raw("GET / HTTP/1.1", HOST, "Content-Length: 0x5", body=b"12345"),
    "broken length": raw("GET / HTTP/1.1", HOST, "Content-Length: 5 5", body=b"12345"),
    "empty length": raw("GET / HTTP/1.1", HOST, "Content-Length:"),
    "the same length twice in other letters": raw(
        "GET / HTTP/1.1", HOST, "Content-Length: 5", "CONTENT-LENGTH: 5", body=b"12345"
    ),
    "length with a comma behind": raw("GET / HTTP/1.1", HOST, "Content-Length: 5,", body=b"12345"),
    "length in quotes": raw("GET / HTTP/1.1", HOST, 'Content-Length: "5"', body=b"12345"),
    "length with a fraction": raw("GET / HTTP/1.1", HOST, "Content-Length: 5.0", body=b"12345"),
    "length beyond 64 bits": raw("GET / HTTP/1.1", HOST, "Content-Length: 18446744073709551621", body=b"12345"),
    "chunked": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked and length": raw(
        "GET / HTTP/1.1", HOST, "Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "invented encoding": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked in capitals": raw("GET / HTTP/1.1", HOST, "TRANSFER-ENCODING: CHUNKED", body=b"0\r\n\r\n"),
    "identity": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding: identity", "Content-Length: 5", body=b"12345"),
    "empty encoding": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding:"),
    "chunked twice": raw(
        "GET / HTTP/1.1", HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "chunked and more": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "chunked with a blank before the colon": raw(
        "GET / HTTP/1.1", HOST, "Transfer-Encoding : chunked", body=b"0\r\n\r\n"
    ),
    "chunked on a folded line": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding:", " chunked", body=b"0\r\n\r\n"),
    "chunked behind a vertical tab": raw("GET / HTTP/1.1", HOST, "Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"),
    "chunked in HTTP/1.0": raw("GET / HTTP/1.0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare line feed at the end": b"GET / HTTP/1.1\r\nHost: x\r\n\n",
    "line feed before carriage return": b"GET / HTTP/1.1\n\rHost: x\n\r\n\r",
    "two carriage returns": b"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
    "bare line feed first": b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "NUL in a value": raw("GET / HTTP/1.1", HOST, "A: b\0c"),
    "NUL in a name": raw("GET / HTTP/1.1", HOST, "A\0: b"),
    "NUL in the host": raw("GET / HTTP/1.1", "Host: x\0y"),
    "NUL first": b"\0GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the target": raw("GET /\0 HTTP/1.1", HOST),
    "control character in a value": raw("GET / HTTP/1.1", HOST, "A: b\x01c"),
    "DEL in a value": raw("GET / HTTP/1.1", HOST, "A: b\x7fc"),
    "blank before a colon": raw("GET / HTTP/1.1", HOST, "Content-Length : 5", body=b"12345"),
    "tab before a colon": raw("GET / HTTP/1.1", HOST, "Content-Length\t: 5", body=b"12345"),
    "no colon": raw("GET / HTTP/1.1", HOST, "Nonsense"),
    "empty name": raw("GET / HTTP/1.1", HOST, ": value"),
    "blank in a name": raw("GET / HTTP/1.1", HOST, "A B: value"),
    "name beyond ASCII": raw("GET / HTTP/1.1", HOST, "Á: value"),
    "folded line": raw("GET / HTTP/1.1", HOST, "A: b", " c"),
    "folded line with a tab": raw("GET / HTTP/1.1", HOST, "A: b", "\tc"),
    "first header folded": raw("GET / HTTP/1.1", " Host: x"),
    "absolute target of the same host": raw("GET http://x/ HTTP/1.1", HOST),
    "absolute target of HTTPS": raw("GET https://x/ HTTP/1.1", HOST),
    "authority for GET": raw("GET x:80 HTTP/1.1", HOST),
    "absolute target": raw("GET http://x/dashboard HTTP/1.1", HOST),
    "target without slash": raw("GET dashboard HTTP/1.1", HOST),
    "asterisk for GET": raw("GET * HTTP/1.1", HOST),
    "target of CONNECT": raw("CONNECT x:443 HTTP/1.1", HOST),
    "fragment": raw("GET /#a HTTP/1.1", HOST),
    "two hosts": raw("GET / HTTP/1.1", HOST, "Host: y"),
    "the same host twice": raw("GET / HTTP/1.1", HOST, HOST),
    "two hosts in other letters": raw("GET / HTTP/1.1", HOST, "HOST: y"),
    "two hosts of HTTP/1.0": raw("GET / HTTP/1.0", HOST, "Host: y"),
    "folded host": raw("GET / HTTP/1.1", "Host: x", " y"),
    "host with two ports": raw("GET / HTTP/1.1", "Host: x:80:81"),
    "host with a port in letters": raw("GET / HTTP/1.1", "Host: x:http"),
    "host with half a bracket": raw("GET / HTTP/1.1", "Host: [::1"),
    "host beyond ASCII": raw("GET / HTTP/1.1", "Host: ã"),
    "no host": raw("GET / HTTP/1.1", "A: b"),
    "no header at all": raw("GET / HTTP/1.1"),
    "host with a path": raw("GET / HTTP/1.1", "Host: x/y"),
    "host with a user": raw("GET / HTTP/1.1", "Host: u@x"),
    "two hosts in one": raw("GET / HTTP/1.1", "Host: x, y"),
    "two authorizations": raw(
        "GET /clientes HTTP/1.1", HOST, f"Authorization: {basic()}", f'Authorization: {basic("a:b")}'
    ),
    "encoded NUL in the path": raw("GET /clientes%00 HTTP/1.1", HOST),
    "encoded NUL in the query": raw("GET /clientes?a=%00 HTTP/1.1", HOST),
    "blank in the target": raw("GET /a b HTTP/1.1", HOST),
    "two blanks": raw("GET  / HTTP/1.1", HOST),
    "two blanks before the version": raw("GET /  HTTP/1.1", HOST),
    "blank first": raw(" GET / HTTP/1.1", HOST),
    "blank last": raw("GET / HTTP/1.1 ", HOST),
    "tab in the request line": raw("GET\t/ HTTP/1.1", HOST),
    "UTF-8 in the target": raw("GET /?a=ã HTTP/1.1", HOST),
    "no version": raw("GET /"),
    "HTTP/1.2": raw("GET / HTTP/1.2", HOST),
    "HTTP/2.0": raw("GET / HTTP/2.0", HOST),
    "HTTP/1.10": raw("GET / HTTP/1.10", HOST),
    "http/1.1": raw("GET / http/1.1", HOST),
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "hello of TLS": bytes.fromhex("16030100c8010000c40303") + b"\0" * 64,
    "empty request line": raw(" ", HOST),
    "method of no token": raw("GE(T / HTTP/1.1", HOST),
    "garbage": bytes(range(256)),
    "target too long": raw("GET /" + "a" * 17000 + " HTTP/1.1", HOST),
    "header too long": raw("GET / HTTP/1.1", HOST, "A: " + "b" * 17000),
    "too many headers": raw("GET / HTTP/1.1", HOST, *["A: b"] * 4000),
    "header without end": b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 20000,
    "dirty before unknown path": raw("GET /nada HTTP/1.1", HOST, "A : b"),
    "dirty before wrong method": raw("POST / HTTP/1.1", HOST, HOST),
}


@pytest.mark.parametrize("name", DIRTY)
def test_dirty_requests(port, name):
    """400, and the connection ends: nothing behind it is taken for a request."""
    response, is_closed = exchange(port, DIRTY[name] + GOOD)
    assert response.status == 400, response
    assert list(response.json()) == ["detail"]
    assert response.header("Connection") == "close"
    assert is_closed


@pytest.mark.parametrize("name", ["two lengths", "folded line", "NUL in a value", "bare line feeds", "header too long"])
def test_dirty_requests_behind_good_ones(port, name):
    with Connection(port) as connection:
        connection.send(GOOD * 3 + DIRTY[name] + GOOD)
        assert [connection.read().status for _ in range(4)] == [200, 200, 200, 400]
        assert connection.is_closed()


def test_header_just_below_the_limit(port):
    assert ask(port, "/", headers={"A": "b" * 15000}).status == 200


def test_clean_oddities_are_taken(port):
    for data in (
        raw("GET / HTTP/1.1", "hOsT: [::1]:80", "A:b", "B:   c  ", "C:", "D: á"),
        raw("GET / HTTP/1.1", HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
        raw("GET / HTTP/1.1", HOST, "Upgrade: websocket", "Connection: upgrade"),
        raw("GET / HTTP/1.1", HOST, "Content-Length: 005", body=b"12345"),
        raw("GET / HTTP/1.1", "Host:"),
        raw("GET /?a=%2F%3F&b=%C3%A3 HTTP/1.1", HOST),
        raw("GET / HTTP/1.0"),
    ):
        with Connection(port) as connection:
            connection.send(data)
            assert connection.read().status == 200, data


# ---- Limits


def closes_within(connection, seconds):
    connection.socket.settimeout(seconds)
    try:
        return connection.is_closed()
    except TimeoutError:
        return False


def test_deadline_of_a_request(published):
    api = start_loaded(published, HTTP_REQUEST_TIMEOUT=1)
    with Connection(api.port) as silent, Connection(api.port) as head, Connection(api.port) as body:
        head.send(GOOD[:20])
        body.send(request_bytes("/dashboard", body=b"12345")[:-1])
        for connection in (silent, head, body):
            assert closes_within(connection, 5)


def test_deadline_does_not_start_again_with_every_byte(published):
    api = start_loaded(published, HTTP_REQUEST_TIMEOUT=2)
    begin = time.monotonic()
    with Connection(api.port) as connection:

        def is_cut():
            try:
                connection.send(b"a")
                return False
            except OSError:
                return True

        connection.send(b"GET /")
        wait_for(is_cut, "the slow sender is cut off", 10, pause_s=0.2)
    assert time.monotonic() - begin > 1.5


def test_deadline_is_one_for_head_and_body(published):
    """A body that begins late has what its head has left, also behind other requests on the connection."""
    api = start_loaded(published, HTTP_REQUEST_TIMEOUT=5)
    request = request_bytes("/logins", body=b'{"tenant_id": "1"}')
    for before in (b"", request_bytes("/") * 2):
        with Connection(api.port) as connection:
            connection.send(before)
            answers = [connection.read() for _ in range(before.count(b"GET"))]
            assert all(answer.status == 200 for answer in answers)
            begin = time.monotonic()
            connection.send(request[:20])
            wait_for(lambda begin=begin: time.monotonic() - begin > 3, "most of the time is over", 5)
            connection.send(request[20:-1])
            assert closes_within(connection, 10)
            assert 3 < time.monotonic() - begin < 7.5, "it would take eight if the time began anew"
    with Connection(api.port) as connection:  # the next request has the whole time again
        for _ in range(2):
            begin = time.monotonic()
            connection.send(request[:20])
            wait_for(lambda begin=begin: time.monotonic() - begin > 3, "most of the time is over", 5)
            connection.send(request[20:])
            assert connection.read().status == 200


def test_reader_that_only_sends_is_cut(large):
    """Bytes from a client that reads nothing do not put its deadline off."""
    api = start_loaded(large, HTTP_REQUEST_TIMEOUT=2)
    with Connection(api.port, receive_buffer=4096) as connection:

        def is_cut():
            try:
                connection.send(b"\r")
                return False
            except OSError:
                return True

        connection.send(request_bytes("/clientes") * 8)
        wait_for(is_cut, "who does not read is cut off", 10, pause_s=0.3)


def test_idle_connections_end(published):
    api = start_loaded(published, HTTP_IDLE_TIMEOUT=1)
    with Connection(api.port) as connection:
        assert connection.ask("/").status == 200
        assert closes_within(connection, 5)


def test_descriptors_have_room_from_the_start(published):
    """Else the system makes accept wait for many milliseconds whenever it enlarges their table."""
    api = published.start_api(HTTP_CONNECTIONS=3000)
    with open(f"/proc/{api.process.pid}/status", encoding="ascii") as status:
        assert next(int(line.split()[1]) for line in status if line.startswith("FDSize:")) >= 3000


def test_limit_of_connections(large):
    """Three that are being answered give way to nobody."""
    api = start_loaded(large, HTTP_CONNECTIONS=3, HTTP_REQUEST_TIMEOUT=120)
    opened = []

    def has_three():
        connection = Connection(api.port, receive_buffer=4096)
        connection.send(request_bytes("/clientes"))
        connection.received = connection.socket.recv(12)
        if connection.received != b"HTTP/1.1 200":  # an earlier connection is still being counted
            connection.socket.close()
            return False
        opened.append(connection)
        return len(opened) == 3

    try:
        wait_for(has_three, "three connections are open")
        with contextlib.ExitStack() as stack:
            for _ in range(4):  # those sent away make no room for those after them
                further = stack.enter_context(Connection(api.port))
                response = further.read()
                assert response.status == 503 and int(response.header("Retry-After")) > 0
                assert response.header("Access-Control-Allow-Origin") == "*"
                assert further.is_closed()
        for connection in opened:
            assert len(connection.read().json()) == 40000
            assert connection.ask("/dashboard").status == 200
    finally:
        for connection in opened:
            connection.socket.close()
    wait_for(lambda: ask(api.port, "/").status == 200, "there is room again")


# ---- Life and death of its parts


def test_nothing_to_serve_yet(fleet, published):
    """Redis is not there, then it is empty, then there is a generation."""
    redis = new_redis(fleet)
    redis.stop()
    stage = Stage(fleet, published.data, redis)
    api = stage.start_api()
    assert_nothing_to_serve(api.port, "error")
    redis.start()
    wait_for(lambda: ask(api.port, "/health").json()["redis_connection"] == "ok", "Redis is seen")
    assert_nothing_to_serve(api.port, "ok")
    stage.publish()
    wait_for(lambda: ask(api.port, "/health").status == 200, "the generation is seen", 20)
    for path in DATA:
        assert ask(api.port, path).status == 200


def assert_nothing_to_serve(port, redis):
    health = ask(port, "/health", user=None)
    assert health.status == 503 and int(health.header("Retry-After")) > 0
    assert health.json()["redis_connection"] == redis
    assert health.json()["generation"] is None and health.json()["stale"] is True
    assert ask(port, "/").status == 200
    for path in DATA:
        response = ask(port, path)
        assert response.status == 503 and int(response.header("Retry-After")) > 0
        assert response.header("X-Generation") is None
        assert ask(port, path, user=None).status == 401


def test_redis_dies_and_comes_back_empty(fleet, published, port):
    redis = new_redis(fleet)
    stage = Stage(fleet, published.data, redis)
    generation = stage.publish()
    api = start_loaded(stage)
    before = {path: ask(api.port, path).body for path in DATA}
    filtered = "/clientes?data_adesao_inicio=2024-01-02", "/dashboard?data_adesao_fim=2025-01-31"
    redis.kill()
    wait_for(lambda: ask(api.port, "/health").json()["status"] == "degraded", "the API notices", 10)
    health = ask(api.port, "/health")
    assert health.status == 200 and health.json()["redis_connection"] == "error"
    assert {path: ask(api.port, path).body for path in DATA} == before
    for path in filtered:
        assert ask(api.port, path).body == ask(port, path).body
    redis.start()
    wait_for(lambda: ask(api.port, "/health").json()["status"] == "healthy", "the API notices", 10)
    assert {path: ask(api.port, path).body for path in DATA} == before
    newer = stage.publish()
    assert newer > generation
    wait_for(lambda: ask(api.port, "/dashboard").header("X-Generation") == str(newer), "the newer one is served", 10)


def test_redis_that_does_not_answer(fleet, published):
    redis = new_redis(fleet)
    stage = Stage(fleet, published.data, redis)
    stage.publish()
    api = start_loaded(stage, REDIS_TIMEOUT_MS=300)
    redis.pause()
    wait_for(lambda: ask(api.port, "/health").json()["status"] == "degraded", "the API notices", 10)
    assert ask(api.port, "/clientes").status == 200
    redis.resume()
    wait_for(lambda: ask(api.port, "/health").json()["status"] == "healthy", "the API notices", 10)


def test_generation_that_is_too_old(published, fleet):
    stage = Stage(fleet, published.data)
    stage.publish()
    api = start_loaded(stage, CACHE_MAX_STALE=6, CACHE_TTL_CLIENTES=1)
    wait_for(lambda: ask(api.port, "/health").json()["stale"], "it counts as stale", 10)
    wait_for(lambda: ask(api.port, "/dashboard").status == 503, "it is not served any more", 10)
    health = ask(api.port, "/health")
    assert health.status == 503 and health.json()["age_s"] > 6
    assert int(ask(api.port, "/clientes").header("Retry-After")) > 0
    stage.publish()
    wait_for(lambda: ask(api.port, "/dashboard").status == 200, "a new one is", 10)


def test_redis_user_without_write_commands(fleet, published):
    redis = new_redis(fleet)
    stage = Stage(fleet, published.data, redis)
    generation = stage.publish()
    redis.command(
        "ACL",
        "SETUSER",
        "api",
        "on",
        ">only-reads",
        "resetkeys",
        f"%R~{stage.prefix}:*",
        "resetchannels",
        f"&{stage.prefix}:*",
        "-@all",
        "+@read",
        "+@connection",
        "+@pubsub",
    )
    url = f"redis://api:only-reads@127.0.0.1:{redis.port}/0"
    api = start_loaded(stage, REDIS_URL=url)
    assert ask(api.port, "/dashboard").header("X-Generation") == str(generation)
    newer = stage.publish()
    wait_for(lambda: ask(api.port, "/dashboard").header("X-Generation") == str(newer), "the newer one is served", 10)
    assert redis.command("ACL", "LOG") == []
    assert stage.run(API, "--check", REDIS_URL=url, PORT=1).returncode == 0


# ---- Blobs that are damaged


def flip(position):
    return lambda blob: blob[:position] + bytes([blob[position] ^ 0x10]) + blob[position + 1 :]


DAMAGE = {
    "magic": flip(0),
    "schema version": flip(5),
    "kind": flip(7),
    "length": flip(11),
    "checksum": flip(15),
    "first byte": flip(20),
    "last byte": lambda blob: flip(len(blob) - 1)(blob),
    "middle": lambda blob: flip(len(blob) // 2)(blob),
    "cut short": lambda blob: blob[:-1],
    "header only": lambda blob: blob[:20],
    "half a header": lambda blob: blob[:7],
    "empty": lambda blob: b"",
    "more behind": lambda blob: blob + b"\0",
    "garbage": lambda blob: b"\xc1" * len(blob),
    "gone": None,
    "of another type": "list",
}


def damage(stage, key, how):
    if callable(how):
        blob = stage.command("GET", key)
        stage.command("SET", key, how(blob), "KEEPTTL")
        return
    stage.command("DEL", key)
    if how == "list":
        stage.command("RPUSH", key, "x")
        stage.command("EXPIRE", key, 600)


MONTH = "?data_adesao_inicio=2025-03-01&data_adesao_fim=2025-03-31"


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_answer_is_computed_instead(fleet, published, port, name):
    """Answers with and without filter, through an API that can use all others and one that can use no list of them."""
    stage = Stage(fleet, published.data)
    generation = stage.publish()
    for bounds in ("all:all", "2025-03-01:2025-03-31"):
        damage(stage, stage.generation_key(generation, f"answer:{bounds}"), DAMAGE[name])
    api = start_loaded(stage)
    assert_same_answers(api.port, port, "COMPUTE")
    assert re.search('message="stored answers cannot be used and are computed instead" .*answers=2', api.log())
    assert (
        ask(api.port, "/clientes?data_adesao_inicio=2025-01-01&data_adesao_fim=2025-03-31").header("X-Cache") == "BLOB"
    )
    damage(stage, stage.generation_key(generation, "buckets"), DAMAGE[name])
    api = start_loaded(stage)
    assert_same_answers(api.port, port, "COMPUTE")
    assert "the list of stored answers cannot be used" in api.log()


def assert_same_answers(port, other_port, source):
    for path in DATA:
        assert ask(port, path).body == ask(other_port, path).body
        response = ask(port, path + MONTH)
        assert response.header("X-Cache") == source
        assert response.body == ask(other_port, path + MONTH).body


@pytest.fixture(scope="module")
def followed(fleet, counter):
    """A stage and an API that follows it."""
    stage = Stage(fleet, counter)
    stage.set_counter(1)
    stage.publish()
    return stage, start_loaded(stage)


@pytest.mark.parametrize("key", ["manifest", "model", "clients:0", "tenants:0", "tenant_ids:0"])
@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_snapshot_keeps_the_old_generation(followed, key, name):
    stage, api = followed
    good = stage.pointer()
    wait_until_served(api.port, good)
    before = {path: ask(api.port, path).body for path in DATA}
    api.process.pause()  # it must not see the new generation before the damage
    try:
        stage.set_counter(good % 10**6)
        bad = stage.publish()
        damage(stage, stage.generation_key(bad, key), DAMAGE[name])
    finally:
        api.process.resume()
    wait_for(lambda: f"generation={bad} " in api.log(), "the damage is logged", 10)
    assert "a generation cannot be loaded" in api.log()
    health = ask(api.port, "/health")
    assert health.status == 200 and health.json()["generation"] == good
    assert {path: ask(api.port, path).body for path in DATA} == before
    stage.command("SET", f"{stage.prefix}:current", good, "EX", 600)


POINTERS = {
    "no number": "x",
    "a number and more": "{}abc",
    "another one with a sign": "-1",
    "nothing": "",
    "zero": "0",
    "too large": 2**64 - 1,
    "larger than 64 bits": "9" * 40,
    "bytes": b"\0\xff\n" * 100,
}


@pytest.mark.parametrize("name", POINTERS)
def test_damaged_pointer_keeps_the_generation_and_the_next_one_replaces_it(followed, name):
    stage, api = followed
    good = stage.publish()
    wait_until_served(api.port, good)
    path, reports = "/dashboard?data_adesao_inicio=2021-02-03", api.log().count("the pointer is no number")
    before = ask(api.port, path).body
    pointer = POINTERS[name]
    stage.command(
        "SET", f"{stage.prefix}:current", pointer.format(good) if isinstance(pointer, str) else pointer, "EX", 600
    )
    wait_for(lambda: api.log().count("the pointer is no number") == reports + 1, "the damage is logged", 10)
    assert ask(api.port, "/health").json()["generation"] == good and ask(api.port, path).body == before
    healed = stage.publish()
    assert healed > good
    wait_until_served(api.port, healed)
    assert api.log().count("the pointer is no number") == reports + 1


def test_largest_pointer_is_not_counted_on(followed):
    """The number behind it would be none."""
    stage, api = followed
    stage.command("SET", f"{stage.prefix}:current", 10**15, "EX", 600)
    healed = stage.publish()
    assert healed < 10**15
    wait_until_served(api.port, healed)


def test_pointer_of_another_type_waits_for_a_hand(followed):
    """The one damage that a publication does not mend: nobody but a person can tell what the key is for."""
    stage, api = followed
    good = stage.publish()
    wait_until_served(api.port, good)
    stage.command("DEL", f"{stage.prefix}:current")
    stage.command("HSET", f"{stage.prefix}:current", "field", "value")
    done = stage.once()
    assert done.returncode == 1 and "WRONGTYPE" in done.stderr, done.stderr
    assert ask(api.port, "/health").json()["generation"] == good
    stage.command("DEL", f"{stage.prefix}:current")
    wait_until_served(api.port, stage.publish())


# ---- Many clients while generations change


class Asker:
    """One client that asks on a connection until it is told to stop, and notes what it saw."""

    def __init__(self, port, stop):
        self.port, self.stop = port, stop
        self.seen = set()  # (generation, number that the body holds)
        self.count = 0

    def run(self):
        with Connection(self.port) as connection:
            while not self.stop.is_set():
                path = ("/dashboard", "/clientes")[self.count % 2]
                response = connection.ask(path)
                assert response.status == 200, response
                self.seen.add((int(response.header("X-Generation")), number_in(path, response.json())))
                self.count += 1


def number_in(path, document):
    return document["mrr_value"] if path == "/dashboard" else document["1"]["valor"]


def test_no_answer_mixes_two_generations(fleet, counter):
    stage = Stage(fleet, counter)
    numbers = {}

    def publish(number):
        stage.set_counter(number)
        numbers[stage.publish()] = number

    publish(1)
    api = start_loaded(stage)
    stop = threading.Event()
    askers = [Asker(api.port, stop) for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(len(askers)) as pool:
        running = [pool.submit(asker.run) for asker in askers]
        try:
            for number in range(2, 8):
                publish(number)
                wait_until_served(api.port, stage.pointer())
        finally:
            stop.set()
        for future in running:
            future.result(30)
    seen = set().union(*(asker.seen for asker in askers))
    assert seen <= set(numbers.items())
    assert len(seen) >= 5 and min(asker.count for asker in askers) >= 5


# ---- The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_at_once_when_idle(published, number):
    api = start_loaded(published, SHUTDOWN_TIMEOUT=60)
    with Connection(api.port) as idle:
        assert idle.ask("/").status == 200
        api.process.signal(number)
        assert idle.is_closed()
        assert api.process.wait(30) == 0


def test_answer_under_way_is_finished(large):
    """A slow reader gets all of it after SIGTERM."""
    api = start_loaded(large, SHUTDOWN_TIMEOUT=30)
    with Connection(api.port, receive_buffer=4096) as slow:
        slow.send(request_bytes("/clientes"))
        slow.received += slow.socket.recv(1000)
        api.process.signal(signal.SIGTERM)
        wait_for(lambda: "message=stopping" in api.log(), "it stops", 10)
        wait_for(lambda: refuses_connections(api.port), "it takes no new connections", 10)
        response = slow.read()
        assert response.status == 200 and len(response.json()) == 40000
        assert slow.is_closed()
    assert api.process.wait(10) == 0


def refuses_connections(port):
    try:
        with Connection(port) as connection:
            return connection.socket.getpeername() is None
    except OSError:
        return True


def test_shutdown_timeout(fleet, published):
    api = start_loaded(published, SHUTDOWN_TIMEOUT=1)
    with Connection(api.port) as connection:
        connection.send(GOOD[:30])  # a request that never ends
        with Connection(api.port) as other:
            assert other.ask("/").status == 200
        api.process.signal(signal.SIGTERM)
        assert api.process.wait(12) == 0, "the request would be given up after fifteen"


# ---- Command line and settings


def test_help_and_version(published):
    done = published.run(API, "--help", env={"PATH": "/usr/bin"})
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("--check", "--env-file", "BASIC_AUTH_USERS", "HTTP_CONNECTIONS", "REDIS_URL"):
        assert text in done.stdout, text
    assert "DB_PASSWORD" not in done.stdout
    assert re.fullmatch(r"ecosys-api \d+\.\d+\.\d+\S*\n", published.run(API, "--version", env={}).stdout)


@pytest.mark.parametrize(
    "flags, settings, text",
    [
        (["--nonsense"], {}, "--nonsense"),
        (["extra"], {}, "extra"),
        (["--env-file", "/no/file"], {}, "/no/file"),
        ([], {"BASIC_AUTH_USERS": None}, "BASIC_AUTH_USERS"),
        ([], {"BASIC_AUTH_USERS": "S3CRET"}, "BASIC_AUTH_USERS"),
        ([], {"BASIC_AUTH_USERS": ":S3CRET"}, "BASIC_AUTH_USERS"),
        ([], {"BASIC_AUTH_USERS": "a:S3CRET,,"}, "BASIC_AUTH_USERS"),
        ([], {"PORT": "0"}, "PORT"),
        ([], {"PORT": "http"}, "PORT"),
        ([], {"HOST": "no.such.host.invalid"}, "HOST"),
        ([], {"HEALTH_SCORES_FORMATO": "csv"}, "HEALTH_SCORES_FORMATO"),
        ([], {"API_THREADS": "-1"}, "API_THREADS"),
        ([], {"HTTP_HEADER_BYTES": "10"}, "HTTP_HEADER_BYTES"),
        ([], {"REDIS_URL": "redis://:S3CRET@h:x"}, "REDIS_URL"),
        ([], {"REDIS_URL": "rediss://:S3CRET@h:x"}, "REDIS_URL"),
        ([], {"CACHE_MAX_STALE": "x"}, "CACHE_MAX_STALE"),
        ([], {"TZ": "Mars/Base"}, "TZ"),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value),
)
def test_wrong_usage_and_settings(published, flags, settings, text):
    done = published.run(API, *flags, **{"LOG_LEVEL": "error", **settings}, seconds=20)
    assert done.returncode == 2, done
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    assert text in done.stderr and "S3CRET" not in done.stderr


def test_check(published):
    done = published.run(API, "--check", PORT=1)
    assert done.returncode == 0 and "FAIL" not in done.stdout
    done = published.run(API, "--check", REDIS_URL="redis://127.0.0.1:1", PORT=1)
    assert done.returncode == 1 and re.search("^FAIL redis: .*refused", done.stdout, re.MULTILINE)


def test_port_in_use(published, port):
    done = published.run(API, PORT=port, seconds=10)
    assert done.returncode == 1 and str(port) in done.stderr
