"""What attackers send: slowly, endlessly, by the thousand, without ever reading. It is refused within bounds that are
settings, memory stays bounded, and others are answered meanwhile."""

import concurrent.futures
import contextlib
import os
import resource
import select
import signal
import socket
import threading
import time

import pytest

from http_client import Connection, ask, basic, exchange, request_bytes
from service import API, Stage, crypt, hold_in_postgres, prepare_counter, processor_s, wait_for
from serving import start_loaded

MIB = 1 << 20
ROWS = 20000
# What a connection that sends and never reads may hold: unsent answers, and twice the longest head and body.
DEAF_BYTES = 2 * 32 * 1024 + 2 * (16384 + 65536)
SLOW_HASH = crypt("demo", "$6$rounds=500000$saltstring")
HEAD = b"GET /clientes HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def large(fleet):
    """A stage whose /clientes takes megabytes, and whose clients' days of adhesion are all different filters."""
    prepare_counter(fleet, "large", clients=ROWS)
    stage = Stage(fleet, "large")
    stage.publish()
    return stage


@pytest.fixture(scope="module")
def port(large):
    """An API that only answers."""
    return start_loaded(large).port


@pytest.fixture(scope="module", autouse=True)
def room_for_sockets():
    """The test's own limit on open files, as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def connections(port, count, **options):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Connection(port, **options)) for _ in range(count)]


def is_cut(connection):
    """Whether the server has closed it; what it said before is passed over."""
    connection.socket.setblocking(False)
    try:
        while connection.socket.recv(1 << 16):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def is_refused(connection, data):
    """Whether the server has closed a connection on which more is sent."""
    try:
        connection.send(data)
        return False
    except OSError:
        return True


def assert_others_are_answered(api, count=20):
    """On connections of their own, and not one by one at the attackers' pace."""
    begin = time.monotonic()
    for _ in range(count):
        assert ask(api.port, "/dashboard").status == 200
        assert ask(api.port, "/health", user=None).status == 200
    assert time.monotonic() - begin < 30


def resident(api):
    """Bytes of memory that the API has."""
    with open(f"/proc/{api.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def takes_memory_of_its_own():
    """Sanitizers hold back what was freed: their memory tells nothing."""
    with open(API, "rb") as program:
        content = program.read()
    return b"__asan_init" not in content and b"__tsan_init" not in content


def assert_grown_by_less(api, before, bound):
    if takes_memory_of_its_own():
        assert resident(api) - before < bound, (resident(api), before, bound)


def days(count, first=1):
    """That many filters of /clientes that no bucket answers, each with nearly all rows."""
    return [
        f"/clientes?data_adesao_inicio=19{70 + n // 300:02}-{n // 25 % 12 + 1:02}-{n % 25 + 1:02}"
        f"&data_adesao_fim=2024-01-01"
        for n in range(first, first + count)
    ]


# ---- Slowly


def test_slow_senders(large):
    """Hundreds who send a byte now and then are cut off at the deadline, whatever they are in the middle of."""
    api = start_loaded(large, HTTP_REQUEST_TIMEOUT=3)
    body = request_bytes("/logins", body=b'{"tenant_id": "1"}')[:-5]
    with connections(api.port, 300) as slow:
        begin = time.monotonic()
        for number, connection in enumerate(slow):
            connection.send((HEAD, body, b"\r\n", b"G")[number % 4])
        left = set(slow)

        def are_cut():
            for connection in list(left):
                if is_refused(connection, b"\r\n" if connection is slow[2] else b"x"):
                    left.discard(connection)
            assert ask(api.port, "/dashboard").status == 200
            return not left

        wait_for(are_cut, "all slow senders are cut off", 20, pause_s=0.2)
        assert time.monotonic() - begin > 2
    assert_others_are_answered(api)


def test_empty_lines_do_not_put_the_deadline_off(large):
    api = start_loaded(large, HTTP_REQUEST_TIMEOUT=2)
    with Connection(api.port) as connection:
        assert connection.ask("/").status == 200
        wait_for(lambda: is_refused(connection, b"\r\n"), "who sends nothing but empty lines is cut off", 15, 0.2)


# ---- Endlessly


def test_endless_headers(large):
    api = start_loaded(large)
    before = resident(api)
    with connections(api.port, 50) as endless:
        for connection in endless:
            connection.send(HEAD)
        line = b"X-Header: " + b"x" * 1000 + b"\r\n"

        def are_refused():
            return all([is_refused(connection, line) for connection in endless])

        wait_for(are_refused, "headers without end are refused", 20, pause_s=0)
        assert_grown_by_less(api, before, 50 * 4 * 16384 + 16 * MIB)
    response, is_closed = exchange(api.port, HEAD + line * 17)
    assert response.status == 400 and is_closed


def test_endless_header_in_one_line(large):
    api = start_loaded(large)
    with Connection(api.port) as connection:
        connection.send(HEAD + b"X: ")
        wait_for(lambda: is_refused(connection, b"x" * 65536), "a line without end is refused", 20, pause_s=0)


def send_until_refused(connection, total):
    """How many of `total` bytes were taken before the connection was closed."""
    block, sent = b"x" * MIB, 0
    connection.socket.settimeout(20)
    while sent < total and not is_refused(connection, block):
        sent += len(block)
    return sent


def test_body_of_a_gigabyte(large):
    """It is refused when it is announced; who sends it all the same is cut off long before its end."""
    api = start_loaded(large)
    before = resident(api)
    head = request_bytes("/logins", headers={"Content-Length": str(1 << 30)})
    with Connection(api.port) as connection:
        connection.send(head)
        response = connection.read()
        assert response.status == 413 and response.header("Connection") == "close"
    with Connection(api.port) as connection:
        connection.send(head)
        assert send_until_refused(connection, 1 << 30) < 64 * MIB
    with Connection(api.port) as connection:
        connection.send(request_bytes("/", method="POST", headers={"Content-Length": "9" * 18}))
        assert connection.read().status == 405
    assert_grown_by_less(api, before, 16 * MIB)
    assert_others_are_answered(api)


@pytest.mark.parametrize("limit, length, status", [(0, 0, 422), (0, 1, 413), (100, 100, 422), (100, 101, 413)])
def test_limit_of_bodies(large, limit, length, status):
    api = start_loaded(large, HTTP_BODY_BYTES=limit)
    assert ask(api.port, "/logins", body=b" " * length).status == status


@pytest.mark.parametrize("limit", [1024, 8192])
def test_limit_of_heads(large, limit):
    api = start_loaded(large, HTTP_HEADER_BYTES=limit)
    usual = len(request_bytes("/", headers={"X-Long": ""}))
    assert ask(api.port, "/", headers={"X-Long": "x" * (limit - usual)}).status == 200
    response, is_closed = exchange(api.port, request_bytes("/", headers={"X-Long": "x" * (limit - usual + 1)}))
    assert response.status == 400 and is_closed


# ---- By the thousand


def test_idle_connections_give_way(large):
    """Four times as many as HTTP_CONNECTIONS lock nobody out: the ones that have waited longest go first."""
    api = start_loaded(large, HTTP_CONNECTIONS=500, API_THREADS=1)
    with Connection(api.port) as first:
        begin = time.monotonic()
        assert first.ask("/").status == 200  # so the end of those before it was seen, and they are not counted anymore
        with connections(api.port, 499) as others:
            wait_for(lambda: ask(api.port, "/dashboard").status == 200, "somebody has waited for a second", 10)
            assert time.monotonic() - begin >= 0.9
            wait_for(lambda: is_cut(first), "the first one gave way")
            assert not is_cut(others[-1])
            with connections(api.port, 1500):
                wait_for(lambda: ask(api.port, "/dashboard").status == 200, "others get in", 10)
    wait_for(lambda: ask(api.port, "/").status == 200, "there is room")
    assert_others_are_answered(api)


def states_of_threads(api):
    states = set()
    for thread in os.listdir(f"/proc/{api.process.pid}/task"):
        with open(f"/proc/{api.process.pid}/task/{thread}/stat", encoding="ascii") as f:
            states.add(f.read().rsplit(")", 1)[1].split()[0])
    return states


def is_answered_amid_refusals(api):
    """The API stands still while 200 newcomers come, each of whom is one too many. Whether who is inside, and asks
    again and again, is answered after the first of them was refused and before the last."""
    count = 200
    with select.epoll() as ready, Connection(api.port) as asker:
        assert asker.ask("/").status == 200
        begin = time.monotonic()
        api.process.signal(signal.SIGSTOP)
        wait_for(lambda: states_of_threads(api) == {"T"}, "all its threads stand still")
        with connections(api.port, count) as newcomers:
            for connection in newcomers:
                ready.register(connection.socket, select.EPOLLIN | select.EPOLLONESHOT)
            ready.register(asker.socket, select.EPOLLIN | select.EPOLLET)
            asker.send(request_bytes("/"))
            might_give_way = time.monotonic() - begin > 0.5
            api.process.signal(signal.SIGCONT)
            if might_give_way:
                return False
            refused, found = 0, False
            while refused < count:
                events = ready.poll(10, 1)  # in the order in which there was something to read
                if not events:
                    return False  # the API did not run for a second, and who asks gave way to a newcomer
                ((number, _),) = events
                if number == asker.socket.fileno():
                    found = found or refused > 0
                    with contextlib.suppress(EOFError, OSError):  # of who gave way
                        assert asker.read().status == 200
                        asker.send(request_bytes("/"))
                else:
                    refused += 1
            assert [connection.read().status for connection in newcomers] == [503] * count
            return found


def test_newcomers_do_not_hold_up_who_is_inside(large):
    api = start_loaded(large, HTTP_CONNECTIONS=1, API_THREADS=1)
    wait_for(lambda: is_answered_amid_refusals(api), "who is inside is answered between two newcomers", 30)


def test_who_has_left_makes_room(large):
    """Nobody is refused because the API has not seen yet that somebody left: one from inside, or newcomers."""
    api = start_loaded(large, HTTP_CONNECTIONS=1, API_THREADS=1)
    with Connection(api.port) as inside:
        assert inside.ask("/").status == 200
        api.process.signal(signal.SIGSTOP)
        wait_for(lambda: states_of_threads(api) == {"T"}, "all its threads stand still")
        with connections(api.port, 20):
            newcomer = Connection(api.port)
    with newcomer:
        newcomer.send(request_bytes("/"))
        api.process.signal(signal.SIGCONT)
        assert newcomer.read().status == 200


def test_who_was_refused_takes_no_place(large):
    """Clients that were told there is no room, and stay, keep out nobody who comes when there is."""
    api = start_loaded(large, HTTP_CONNECTIONS=1, API_THREADS=1)
    with Connection(api.port) as inside, contextlib.ExitStack() as stack:
        for _ in range(20):
            assert inside.ask("/").status == 200  # else it would give way
            assert stack.enter_context(Connection(api.port)).read().status == 503
        inside.socket.close()
        assert ask(api.port, "/").status == 200


def test_who_is_busy_does_not_give_way(large):
    """Neither who is being answered nor who asks again and again, but the one that is idle."""
    api = start_loaded(large, HTTP_CONNECTIONS=4, API_THREADS=1)
    with contextlib.ExitStack() as stack:
        idle, asker = stack.enter_context(Connection(api.port)), stack.enter_context(Connection(api.port))
        reader = stack.enter_context(Connection(api.port, receive_buffer=4096))
        assert idle.ask("/").status == 200
        reader.send(request_bytes("/clientes"))
        reader.received = reader.socket.recv(100)

        def has_given_way():
            stack.enter_context(Connection(api.port))
            assert asker.ask("/").status == 200
            return is_cut(idle)

        wait_for(has_given_way, "the idle one gave way", 10, pause_s=0.2)
        assert asker.ask("/").status == 200
        assert len(reader.read().json()) == ROWS


def test_who_was_refused_gives_way_at_once(large):
    """Clients that go on sending after their last answer keep nobody out."""
    api = start_loaded(large, HTTP_CONNECTIONS=20, API_THREADS=1)

    def have_given_way():
        """Within a second, after which anybody idle gives way."""
        with contextlib.ExitStack() as stack:
            begin = time.monotonic()
            for _ in range(20):
                refused = stack.enter_context(Connection(api.port))
                refused.send(b"NONSENSE\r\n\r\n")
                assert refused.read().status == 400
            answers = [stack.enter_context(Connection(api.port)).ask("/dashboard").status for _ in range(20)]
            assert answers == [200] * 20
            return time.monotonic() - begin < 1

    wait_for(have_given_way, "all of them gave way in time", 30)


def test_who_asks_for_a_refresh_and_leaves_gives_way(fleet):
    """Refreshes that take long, asked for by clients that are gone: their places are others'; who waits stays."""
    prepare_counter(fleet, "left")
    stage = Stage(fleet, "left")
    stage.start_worker(REFRESH_INTERVAL=0)
    api = start_loaded(stage, HTTP_CONNECTIONS=20, API_THREADS=1)
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(Connection(api.port))
        with hold_in_postgres(stage):
            waiting.send(request_bytes("/cache/clear", "POST"))
            for _ in range(60):
                with Connection(api.port) as connection:
                    connection.send(request_bytes("/cache/clear", "POST"))
            wait_for(lambda: ask(api.port, "/dashboard").status == 200, "others get in", 10)
            assert_others_are_answered(api)
            half = stack.enter_context(Connection(api.port))
            half.send(request_bytes("/cache/clear", "POST"))
            half.socket.shutdown(socket.SHUT_WR)
            assert_others_are_answered(api)
        assert waiting.read().status == 200
        assert half.read().status == 200 and half.is_closed()


def test_pipelined_floods(large):
    """Thousands of requests at once on each of many connections, answered in order; others get their turn."""
    api = start_loaded(large)
    before = resident(api)
    count, paths = 3000, ("/", "/dashboard", "/nada", "/health")
    flood = b"".join(request_bytes(paths[n % len(paths)]) for n in range(count))

    def run(connection):
        sender = threading.Thread(target=connection.send, args=(flood,))
        sender.start()
        statuses = [connection.read().status for _ in range(count)]
        sender.join()
        return statuses

    with connections(api.port, 16) as flooding, concurrent.futures.ThreadPoolExecutor(16) as pool:
        running = [pool.submit(run, connection) for connection in flooding]
        assert_others_are_answered(api)
        for future in running:
            assert future.result(120) == [200, 200, 404, 200] * (count // 4)
    assert_grown_by_less(api, before, 16 * DEAF_BYTES + 32 * MIB)


def test_who_sends_and_never_reads(large):
    """Its requests wait once enough is unsent, and it is cut off when it has taken nothing for the deadline."""
    api = start_loaded(large, HTTP_REQUEST_TIMEOUT=2)
    before = resident(api)
    flood = request_bytes("/nada") * 1000
    with connections(api.port, 20, receive_buffer=4096) as deaf:
        for connection in deaf:
            connection.socket.settimeout(0.2)
        left = set(deaf)

        def send_more(connection):
            try:
                while True:
                    connection.send(flood)
            except TimeoutError:
                return False
            except OSError:
                return True

        def are_cut():
            for connection in list(left):
                if send_more(connection):
                    left.discard(connection)
            return not left

        wait_for(are_cut, "who never reads is cut off", 60)
    assert_grown_by_less(api, before, 20 * DEAF_BYTES + 32 * MIB)
    assert_others_are_answered(api)


def fill(connection, data):
    """Sends until the server takes no more, or has closed."""
    connection.socket.settimeout(0.05)
    with contextlib.suppress(OSError):
        while True:
            connection.send(data)


def assert_comes_to_rest(api):
    """Once it is through with what was sent, the API takes next to no processor time while nothing goes on."""

    def rests():
        before, begin = processor_s(api.process.pid), time.monotonic()
        wait_for(lambda: time.monotonic() - begin > 1, "a second has passed", 5, 0.1)
        return processor_s(api.process.pid) - before < 0.1

    wait_for(rests, "the API has nothing to do", 120)


def test_deaf_connections_cost_neither_time_nor_memory(large):
    """Who sends without end and never reads, and needs no credentials for that."""
    api = start_loaded(large, HTTP_REQUEST_TIMEOUT=600)
    before, count = resident(api), 200
    with connections(api.port, count, receive_buffer=4096) as deaf:
        for connection in deaf:
            fill(connection, request_bytes("/nada", user=None) * 200)
        assert_grown_by_less(api, before, count * DEAF_BYTES + 8 * MIB)
        assert_comes_to_rest(api)
        assert_others_are_answered(api)


def test_who_ends_and_does_not_read_costs_no_time(large):
    """Answers are held back, and the client has said that it sends no more."""
    api = start_loaded(large, API_THREADS=1, HTTP_REQUEST_TIMEOUT=600)
    with connections(api.port, 5, receive_buffer=4096) as opened:
        for connection in opened:
            connection.send(request_bytes("/clientes") * 4)
            connection.socket.shutdown(socket.SHUT_WR)
        assert_comes_to_rest(api)


def test_deaf_connections_give_way(large):
    """They hold no answer that is worth anything, so others are let in at once."""
    api = start_loaded(large, HTTP_CONNECTIONS=50, HTTP_REQUEST_TIMEOUT=600)
    with connections(api.port, 50, receive_buffer=4096) as deaf:
        for connection in deaf:
            fill(connection, request_bytes("/nada", user=None) * 200)
        wait_for(lambda: ask(api.port, "/health", user=None).status == 200, "one has waited for long enough", 10)
        for _ in range(20):
            assert ask(api.port, "/health", user=None).status == 200


@pytest.mark.parametrize(
    "method, path, user, settings",
    [
        ("POST", "/cache/clear", "demo:demo", {}),
        ("GET", "/dashboard", "demo:x", {"BASIC_AUTH_USERS": f"demo:{SLOW_HASH}"}),
    ],
)
def test_much_behind_a_request_that_waits(large, method, path, user, settings):
    """For a refresh, or for its credentials to be verified: what comes behind is not looked at again and again."""
    with hold_in_postgres(large):
        worker = large.start_worker(REFRESH_INTERVAL=0)
        api = start_loaded(large, AUTH_FAILURES=0, **settings)
        wait_for(lambda: "leading" in worker.log_text(), "there is a worker", 10)
        with connections(api.port, 4) as waiting:
            for connection in waiting:
                fill(connection, request_bytes(path, method, user=user) + b"x" * 200_000)
            if method == "POST":
                assert_comes_to_rest(api)
                assert not any(map(is_cut, waiting))
            assert ask(api.port, "/health", user=None).status == 200
    assert worker.stop() == 0


def test_answers_that_wait_for_too_long(large):
    """Who asked for them has left; whoever asks next does not wait for them."""
    api = start_loaded(large, COMPUTE_TIMEOUT=1, CACHE_MEMORY=48 * MIB)
    gzip = {"Accept-Encoding": "gzip"}
    assert ask(api.port, "/dashboard").status == 200
    begin = time.monotonic()
    assert ask(api.port, days(1, first=2000)[0], headers=gzip).status == 200
    one_s = time.monotonic() - begin
    filters = days(1000)
    with connections(api.port, 1000) as leaving:
        for connection, path in zip(leaving, filters):
            connection.send(request_bytes(path, headers=gzip))
    begin = time.monotonic()
    wait_for(lambda: ask(api.port, days(1, first=3000)[0], headers=gzip).status == 200, "a new filter is answered", 30)
    assert time.monotonic() - begin < 4 + 50 * one_s, "a thousand large answers take longer"


def test_many_answers_that_nobody_reads(large):
    """Bodies that are kept no more live on while they are sent; together they are bounded by SEND_MEMORY."""
    kept, unsent, deaf_count = 8 * MIB, 32 * MIB, 60
    api = start_loaded(large, CACHE_MEMORY=kept, SEND_MEMORY=unsent, API_THREADS=2)
    assert ask(api.port, "/dashboard").status == 200
    filters = days(deaf_count)
    largest = len(ask(api.port, filters[0]).body)
    assert deaf_count * largest > 4 * (kept + unsent), "the attack is worth its name"
    before = resident(api)
    with connections(api.port, deaf_count, receive_buffer=4096) as deaf:
        for connection, path in zip(deaf, filters):
            connection.send(request_bytes(path))
        statuses = []
        for connection in deaf:
            connection.received = connection.socket.recv(12)
            statuses.append(int(connection.received[-3:]))
        assert set(statuses) == {200, 503}, statuses
        assert unsent / largest - 2 <= statuses.count(200) <= (kept + unsent) / largest + 4, statuses
        # each of two threads holds one answer and what it is made from
        assert_grown_by_less(api, before, kept + unsent + 2 * 3 * largest + 32 * MIB)
        response = ask(api.port, days(1, first=900)[0])
        assert response.status == 503 and int(response.header("Retry-After")) > 0
        assert_others_are_answered(api)
    wait_for(lambda: ask(api.port, days(1, first=900)[0]).status == 200, "there is room again")


def test_thousands_of_filters(large):
    """Beyond COMPUTE_QUEUE it is 503 with Retry-After, and what is at hand is answered meanwhile."""
    api = start_loaded(large, COMPUTE_QUEUE=4, CACHE_MEMORY=48 * MIB)
    for path in ("/clientes", "/dashboard"):
        assert ask(api.port, path, headers={"Accept-Encoding": "gzip"}).status == 200
    filters = days(2000)

    def run(paths):
        found = []
        with Connection(api.port) as connection:
            for path in paths:
                response = connection.ask(path, "HEAD")
                if response.status == 503:
                    assert int(response.header("Retry-After")) > 0
                found.append(response.status)
        return found

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        running = [pool.submit(run, filters[n::40]) for n in range(40)]
        while not all(future.done() for future in running):
            response = ask(api.port, "/dashboard")
            assert response.status == 200
        statuses = [status for future in running for status in future.result(120)]
    assert set(statuses) == {200, 503}, {status: statuses.count(status) for status in set(statuses)}


# ---- In bytes that mean something else to somebody else


OVERLONG = ("%c0%af", "%e0%80%af", "%f0%80%80%af", "%c0%ae%c0%ae%c0%af", "%ed%a0%80", "%f4%90%80%80", "%fe", "%80")


@pytest.mark.parametrize("text", OVERLONG)
def test_overlong_utf8(port, text):
    """It is never taken for the character it hides, neither in the path nor in a parameter."""
    for path in (f"/clientes{text}", f"/{text}clientes", f"/{text}/clientes", f"/x/{text}/clientes"):
        assert ask(port, path).status == 404
    for path in (
        f"/clientes?formato={text}",
        f"/clientes?data_adesao_inicio={text}2024-01-01",
        f"/logins?tenant_id={text}1",
    ):
        assert ask(port, path).status == 422
    raw = bytes.fromhex(text.replace("%", ""))
    assert ask(port, "/logins", body=b'{"tenant_id": "' + raw + b'"}').status == 422
    credentials = basic().encode() + raw
    with Connection(port) as connection:
        connection.send(b"GET /clientes HTTP/1.1\r\nHost: x\r\nAuthorization: " + credentials + b"\r\n\r\n")
        assert connection.read().status == 401


def test_huge_queries(port):
    """As long as a head may be, they are read in time that grows with their length alone."""
    limit = 16000
    for query in (
        "a=b&" * (limit // 4),
        "&" * limit,
        "=" * limit,
        "%61=" * (limit // 4),
        "data_adesao_inicio=&" * (limit // 20),
        "%" * limit,
        "data_adesao_fim=" + "9" * (limit - 20),
    ):
        begin = time.monotonic()
        assert ask(port, "/dashboard?" + query).status == (422 if "9" in query else 200), query[:40]
        assert time.monotonic() - begin < 2
    response, is_closed = exchange(port, request_bytes("/dashboard?" + "a" * 17000))
    assert response.status == 400 and is_closed
