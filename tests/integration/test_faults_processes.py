"""Worker and API killed at every step, a log that cannot be written, a clock that steps back. What a killed worker
leaves in Redis, command by command, is test_worker.py's; who takes over from it test_lease.py's."""

import contextlib
import datetime
import glob
import os
import signal
import time

import pytest

from faults import ONLY_WHEN_ASKED, PATIENCE_S, Service, Witness
from http_client import Connection, ask, request_bytes
from redis_proxy import Action, RedisProxy
from service import (
    API,
    ECOSYS_TABLES,
    KOMMO_TABLES,
    WORKER,
    Stage,
    answers_http,
    free_port,
    hold_in_postgres,
    lock_in_mariadb,
    lock_in_postgres,
    new_redis,
    prepare_counter,
    processor_s,
    unique,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
    worker_in_mariadb,
    worker_in_postgres,
)
from serving import start_loaded

TIMED = 5  # kills, the quickest return of which counts: the machine may have other work
BACK_S = 0.5  # in which an API that was started again answers, with all its data; its unit waits as long before


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "mortal", clients=5)
    return "mortal"


@pytest.fixture(scope="module")
def large(fleet):
    """Clients whose rows do not fit into the kernel's buffers."""
    prepare_counter(fleet, "mortal_large", clients=12000)
    return "mortal_large"


@pytest.fixture
def stage(fleet, counter):
    stage = Stage(fleet, counter)
    stage.set_counter(1)
    return stage


# ---- The worker is killed while it has to do with databases


# statuses may be a view: hold_in_postgres
READ_TABLES = [
    *((lock_in_postgres, table) for table in KOMMO_TABLES if table != "statuses"),
    *((lock_in_mariadb, table) for table in ECOSYS_TABLES),
]


@pytest.mark.parametrize(
    "lock, table",
    [(hold_in_postgres, None), *READ_TABLES],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_worker_killed_while_it_reads(stage, lock, table):
    """One that is started afterwards does the refresh; the servers are rid of the dead one's sessions."""
    waits = waits_in_mariadb if lock is lock_in_mariadb else waits_in_postgres
    generation = stage.publish()
    with lock(stage, *([table] if table else [])):
        worker = stage.start_worker("--once")
        wait_for(lambda: waits(stage), "it waits", PATIENCE_S)
        worker.kill()
    assert stage.pointer() == generation
    assert stage.generations_with_keys() == {generation}
    wait_for(lambda: not worker_in_mariadb(stage) and not worker_in_postgres(stage), "no session is left", PATIENCE_S)
    stage.expire_lease()
    assert stage.publish() > generation


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_worker_killed_while_it_connects(fleet, stage, server):
    """The daemon, which is not waited for: another one takes over when its lease has run out."""
    service = Service(stage)
    generation = stage.pointer()
    with Witness(service.port) as witness:
        getattr(fleet, server).pause()
        try:
            service.hang_up()
            wait_for(lambda: connects_to(service.worker.pid, getattr(fleet, server)), "it connects", PATIENCE_S)
            service.worker.kill()
        finally:
            getattr(fleet, server).resume()
        service.worker = stage.start_worker(**ONLY_WHEN_ASKED)
        service.wait_until_newer(generation)
        service.must_be_well(2)
        witness.wait_for_more()


def connects_to(pid, server):
    """Whether a process has a connection to the server's port."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as lines:
        inodes = {line.split()[9] for line in lines if line.split()[2].endswith(f":{server.port:04X}")}
    links = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return any(f"socket:[{inode}]" in links for inode in inodes)


# ---- The API is killed


def kill_at(target):
    return lambda number, _: Action.KILL if number == target else Action.FORWARD


def test_api_killed_at_every_command_while_it_loads(fleet, stage):
    """The next one loads and answers; what is in Redis is none the worse."""
    stage.publish()
    before = stage.keys()
    target = 0
    while True:
        with RedisProxy(fleet.redis, kill_at(target)) as proxy:
            port = free_port()
            process = fleet.program(unique("api"), [API], stage.environment(PORT=port, REDIS_URL=proxy.url()))
            process.start()
            proxy.set_victim(process.pid)
            wait_for(lambda now=process: not now.alive or answers_http(port), "it is killed, or serves", PATIENCE_S)
            if not proxy.has_struck:
                break
            assert process.wait() == -signal.SIGKILL
        target += 1
    assert target > 40  # one for each bucket
    assert stage.keys() == before
    assert ask(start_loaded(stage).port, "/dashboard").json()["mrr_value"] == 1


def test_api_killed_amid_answers(fleet, large):
    """Clients find their connections cut: an answer that was not sent whole is known by its Content-Length. The next
    process is back, on the same port and with all data, in under a second."""
    stage = Stage(fleet, large)
    generation = stage.publish()
    api = start_loaded(stage)
    expected = ask(api.port, "/clientes").body
    readers = [Connection(api.port, receive_buffer=4096) for _ in range(4)]
    for reader in readers:
        reader.send(request_bytes("/clientes"))
        reader.received = reader.socket.recv(4096)  # amid the answer
    other = stage.start_api()
    wait_for(lambda: ask(other.port, "/health").status == 200, "another API", PATIENCE_S)
    waiting = Connection(api.port)
    waiting.send(request_bytes("/cache/clear", method="POST"))
    took_s = [back_after_s(api) for _ in range(TIMED)]
    assert ask(api.port, "/clientes").body == expected
    for link in (*readers, waiting):
        with pytest.raises((EOFError, ConnectionError)):
            link.read()
        link.socket.close()
    assert ask(other.port, "/dashboard").header("X-Generation") == str(generation)
    print(f"back after {took_s} s")
    assert min(took_s) < BACK_S or is_sanitized()


def is_sanitized():
    """Everything takes several times as long then."""
    with open(API, "rb") as program:
        return b"__asan_init" in (text := program.read()) or b"__tsan_init" in text


def back_after_s(api):
    """Seconds from a kill to the first answer."""
    api.process.kill()
    killed_s = time.monotonic()
    api.process.start()
    wait_for(lambda: ask(api.port, "/dashboard").status == 200, "it is back", PATIENCE_S, 0.005)
    return time.monotonic() - killed_s


def test_api_killed_while_others_go_on(stage):
    service = Service(stage)
    with Witness(service.port) as witness:
        other = start_loaded(stage)
        other.process.kill()
        witness.wait_for_more()
        other.process.start()
        assert ask(other.port, "/dashboard").status in (200, 503)
        wait_for(lambda: ask(other.port, "/dashboard").status == 200, "it is back", PATIENCE_S)
        service.must_be_well(2)


# ---- A log that cannot be written


def with_log_to(path, *argv):
    return ["/bin/sh", "-c", f'exec "$0" "$@" 2>{path}', *argv]


@pytest.mark.parametrize("path, where", [("/dev/full", "/dev/full"), ("&-", "/dev/null")], ids=["disk full", "closed"])
def test_log_that_cannot_be_written(fleet, counter, path, where):
    """Both go on as if nothing were wrong, and do not wear the processor out trying. No socket gets the number of
    standard error when that is closed: the log would be written into it."""
    stage = Stage(fleet, counter, new_redis(fleet))
    stage.set_counter(1)
    port = free_port()
    worker = fleet.program(unique("worker"), with_log_to(path, WORKER), stage.environment(**ONLY_WHEN_ASKED)).start()
    api = fleet.program(
        unique("api"), with_log_to(path, API), stage.environment(PORT=port), ready=lambda: answers_http(port)
    ).start()
    for program in (worker, api):
        assert os.readlink(f"/proc/{program.pid}/fd/2") == where
    for number in (2, 3):
        stage.redis.kill()  # that is worth many lines
        wait_for(lambda: ask(port, "/health").json()["status"] == "degraded", "the API notices", PATIENCE_S)
        stage.redis.start()
        wait_for(lambda: ask(port, "/health").json()["worker"]["alive"], "the worker leads again", PATIENCE_S)
        stage.set_counter(number)
        wait_for(lambda: ask(port, "/cache/clear", method="POST").status == 200, "a refresh", PATIENCE_S)
        assert ask(port, "/dashboard").json()["mrr_value"] == number
    assert processor_s(worker.pid) < 3 and processor_s(api.pid) < 3
    for program in (worker, api):
        program.signal(signal.SIGTERM)
        assert program.wait(PATIENCE_S) == 0
        assert program.log_text() == ""


# ---- A clock that steps


FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
HOUR_S = 3600


class FakeClock:
    """A wall clock apart from the machine's by what set() says; the monotonic one is left alone, as steps leave it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, unique("clock"))
        self.set(0)

    def set(self, offset_s):
        with open(f"{self.path}.new", "w", encoding="ascii") as out:
            out.write(f"{offset_s:+d}")
        os.rename(f"{self.path}.new", self.path)

    def settings(self):
        # AddressSanitizer's allocator reads the clock at the first block of a size if it is ever to give memory back;
        # libfaketime allocates before it is ready, and the two wait for each other for ever, depending on the sizes.
        return {
            "LD_PRELOAD": FAKETIME[0],
            "FAKETIME_TIMESTAMP_FILE": self.path,
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:allocator_release_to_os_interval_ms=-1",
        }


def shared_by_libfaketime():
    return set(glob.glob("/dev/shm/*faketime_s*_*"))


@pytest.fixture
def clock(fleet):
    assert FAKETIME, "libfaketime is not installed"
    before = shared_by_libfaketime()
    yield FakeClock(fleet.folder)
    for path in shared_by_libfaketime() - before:  # it leaves them behind when its process is killed
        os.unlink(path)


def clock_of(service):
    """The API's, from what it says of itself."""
    return parse_instant(service.health()["timestamp"])


def parse_instant(text):
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    "step_s", [-HOUR_S, -48 * HOUR_S, HOUR_S], ids=["an hour back", "two days back", "an hour ahead"]
)
def test_clock_that_steps(stage, clock, step_s):
    """Of both programs, while they run: numbers of generations rise, ages are never below zero, nobody loses the lease,
    and what counts as stale goes by the clock there is."""
    service = Service(stage, {**clock.settings(), "LEASE_TIME": 9}, **clock.settings())
    before = service.health()
    assert abs(clock_of(service) - time.time()) < 10
    with Witness(service.port) as witness:
        clock.set(step_s)
        wait_for(lambda: abs(clock_of(service) - time.time() - step_s) < 10, "the API sees the step", PATIENCE_S)
        health = service.health()
        assert health["generation"] == before["generation"] and health["status"] == "healthy"
        assert health["age_s"] < 10 if step_s < 0 else health["age_s"] >= HOUR_S
        assert health["stale"] == (step_s > 0)
        witness.wait_for_more()
        service.hang_up()
        service.wait_until_newer(before["generation"])
        service.must_be_well(2)
        health = service.health()
        assert abs(parse_instant(health["taken_at"]) - time.time() - step_s) < 10 and health["age_s"] < 10
        witness.wait_for_more()
    clock.set(0)
    service.hang_up()
    service.wait_until_newer(health["generation"])
    service.must_be_well(3)
    log = service.worker.log_text()
    assert "level=error" not in log and "level=warning" not in log and "standing by" not in log
    assert log.count("leading") == 1


def test_clock_far_ahead(stage, clock):
    """By it the generation is older than CACHE_MAX_STALE: not served until there is a newer one or the clock is put
    right."""
    service = Service(stage, clock.settings(), **clock.settings())
    clock.set(48 * HOUR_S)
    wait_for(lambda: ask(service.port, "/dashboard").status == 503, "it is too old", PATIENCE_S)
    assert service.health()["status"] == "unhealthy"
    clock.set(0)
    wait_for(lambda: ask(service.port, "/dashboard").status == 200, "it is served again", PATIENCE_S)
    clock.set(48 * HOUR_S)
    assert service.clear().status == 200
    service.must_be_well(2)
