"""Packets that vanish instead of being refused: nobody learns that a server is gone but by waiting. All waiting has an
end: DB_CONNECT_TIMEOUT, SNAPSHOT_TIMEOUT, REDIS_TIMEOUT_MS, and what the servers were told about transactions of
clients that are not heard of any more. Clients are answered all the while."""

import functools
import signal
import socket
import subprocess
import time

import pytest

from faults import PATIENCE_S, WORDS, Service, Witness, amid_an_answer
from http_client import request_bytes
from network import Network, inside
from redis_monitor import RedisMonitor
from service import (
    Fleet,
    MariaDB,
    PostgreSQL,
    Redis,
    Stage,
    hold_in_postgres,
    lock_in_mariadb,
    prepare_counter,
    published_generations,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
    worker_in_mariadb,
    worker_in_postgres,
)

SERVERS = ("postgres", "mariadb", "redis")
TIMED_OUT = {"postgres": "timeout expired", "mariadb": "connecting"}
LOCKS = {"postgres": (hold_in_postgres, waits_in_postgres), "mariadb": (lock_in_mariadb, waits_in_mariadb)}
SNAPSHOT_S = 3
MARGIN_S = 1  # INTERRUPT_MARGIN_S: how much longer servers are told to bear a transaction
GRACE_S = 10


@pytest.fixture(scope="module")
def network():
    try:
        network = Network([*SERVERS, "clients"])
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f'no network namespaces here, which take root: {getattr(error, "stderr", None) or error}')
    yield network
    network.close()


@pytest.fixture(scope="module")
def fleet(network):
    """Servers at the far end, which also listen to the wire; the tests' own commands come from there."""
    with inside(network.far):
        fleet = Fleet(servers=())
        try:
            fleet.postgres = fleet.add(PostgreSQL, options=["-c", "listen_addresses=*"])
            fleet.mariadb = fleet.add(MariaDB, options=["--bind-address=0.0.0.0"])
            fleet.redis = fleet.add(Redis, options=["bind 0.0.0.0"])
            fleet.start()
            prepare_counter(fleet, "far", clients=5)
            prepare_counter(fleet, "far_large", clients=20000)  # rows that do not fit into the sockets' buffers
            fleet.mariadb.execute(
                "INSERT INTO activity_log (tenant_id, event, created_at)"
                " SELECT 1, 'login', NOW() FROM seq_1_to_200000",
                "ecosys_far_large",
            )
            let_in_from_afar(fleet)
            yield fleet
        finally:
            fleet.close()


def let_in_from_afar(fleet):
    with open(f"{fleet.postgres.data}/pg_hba.conf", "a", encoding="utf-8") as rules:
        rules.write("host all all samenet scram-sha-256\n")
    fleet.postgres.query("SELECT pg_reload_conf()")
    fleet.mariadb.execute(
        f"CREATE USER '{fleet.READER}'@'%' IDENTIFIED BY '{fleet.password}';"
        f" GRANT SELECT ON *.* TO '{fleet.READER}'@'%'"
    )


def new_stage(fleet, network, data):
    wires = network.wires
    redis_url = f"redis://default:{fleet.redis.password}@{wires['redis'].host}:{fleet.redis.port}/0"
    stage = Stage(
        fleet,
        data,
        DB_HOST=wires["postgres"].host,
        DB_HOST_ECOSYS=wires["mariadb"].host,
        REDIS_URL=redis_url,
        SNAPSHOT_TIMEOUT=SNAPSHOT_S,
        REDIS_TIMEOUT_MS=2000,
    )
    stage.set_counter(1)
    return stage


def new_service(stage, network, **worker_settings):
    return Service(stage, worker_settings, where=functools.partial(inside, network.near))


@pytest.fixture
def service(fleet, network):
    return new_service(new_stage(fleet, network, "far"), network)


@pytest.fixture(autouse=True)
def mended(network):
    yield
    for wire in network.wires.values():
        wire.mend()


def witness_of(service, *paths):
    return Witness(service.port, where=service.where, **({"paths": paths} if paths else {}))


def must_recover(service, generation):
    service.wait_until_newer(generation)
    service.must_be_well(2)


# ---- Databases


@pytest.mark.parametrize("server", WORDS)
def test_database_out_of_reach(network, service, server):
    """Connecting is given up after DB_CONNECT_TIMEOUT."""
    generation = service.stage.pointer()
    with witness_of(service) as witness:
        network.wires[server].cut()
        service.hang_up()
        service.wait_for_error(f"phase={WORDS[server]}", TIMED_OUT[server])
        health = service.wait_for_health(status="healthy", alive=True, last_error=WORDS[server])
        assert health["generation"] == generation
        assert service.clear().status == 502
        witness.wait_for_more()
        network.wires[server].mend()
        must_recover(service, generation)
        witness.wait_for_more()


def sessions(stage):
    return worker_in_postgres(stage) + worker_in_mariadb(stage)


@pytest.mark.parametrize("server", WORDS)
def test_database_that_vanishes_amid_a_refresh(network, service, server):
    """The refresh fails with SNAPSHOT_TIMEOUT. The server, which has sent its answer to nobody and waits for another
    question, ends the transaction by itself, so that it stands in nobody's way."""
    stage = service.stage
    generation = stage.pointer()
    lock, waits = LOCKS[server]
    with witness_of(service) as witness:
        with lock(stage):
            service.hang_up()
            wait_for(lambda: waits(stage), "the refresh waits", PATIENCE_S)
            network.wires[server].cut()
            assert sessions(stage)
        service.wait_for_error(f"phase={WORDS[server]}", "SNAPSHOT_TIMEOUT")
        wait_for(lambda: not sessions(stage), "the server is rid of it", SNAPSHOT_S + MARGIN_S + GRACE_S)
        witness.wait_for_more()
        network.wires[server].mend()
        must_recover(service, generation)


@amid_an_answer
def test_database_that_vanishes_amid_an_answer(fleet, network, server, lock, waits, is_sending):
    """The server, which cannot send on, gives up as well."""
    stage = new_stage(fleet, network, "far_large")
    service = new_service(stage, network, LEASE_TIME=60)
    generation = stage.pointer()
    with witness_of(service, "/dashboard") as witness:
        with lock(stage):
            service.hang_up()
            wait_for(lambda: waits(stage), "the refresh waits", PATIENCE_S)
            service.worker.pause()
        wait_for(lambda: is_sending(stage), "the buffers are full", PATIENCE_S)
        network.wires[server].cut()
        service.worker.resume()
        service.wait_for_error(f"phase={WORDS[server]}", "SNAPSHOT_TIMEOUT")
        wait_for(lambda: not sessions(stage), "the server is rid of it", SNAPSHOT_S + MARGIN_S + GRACE_S)
        witness.wait_for_more()
        network.wires[server].mend()
        must_recover(service, generation)


# ---- Redis


def test_redis_out_of_reach(network, service):
    generation = service.stage.pointer()
    with witness_of(service) as witness:
        network.wires["redis"].cut()
        service.wait_for_error("Redis cannot be used", "did not answer in 2000 ms")
        service.wait_for_health(status="degraded", redis_connection="error", alive=False)
        assert service.clear().status == 503
        assert service.ask("/logins?tenant_id=1").status == 503
        witness.wait_for_more()
        network.wires["redis"].mend()
        must_recover(service, 0)
        wait_for(lambda: service.ask("/logins?tenant_id=1").status == 200, "logins are fetched again", PATIENCE_S)
    assert service.stage.pointer() > generation


def stop_amid_a_publication(service):
    """False: it was over before the worker was stopped."""
    stage = service.stage
    generation = stage.pointer()
    with RedisMonitor(stage.redis, stage.prefix) as monitor:  # not for longer: it makes Redis slow
        stopped = monitor.strike("write", 2, lambda: service.worker.signal(signal.SIGSTOP))
        service.hang_up()
        wait_for(stopped.done.is_set, "a publication has begun", PATIENCE_S)
    if stage.pointer() == generation:
        return True
    service.worker.signal(signal.SIGCONT)
    return False


def test_redis_vanishes_amid_a_publication(fleet, network):
    """What was written cannot even be withdrawn; the next publication does that."""
    stage = new_stage(fleet, network, "far_large")
    service = new_service(stage, network)
    with witness_of(service, "/dashboard") as witness:
        wait_for(lambda: stop_amid_a_publication(service), "it is stopped in time", PATIENCE_S)
        generation = stage.pointer()
        network.wires["redis"].cut()
        service.worker.signal(signal.SIGCONT)
        wait_for(lambda: any("phase=redis" in line for line in service.errors()), "it fails", PATIENCE_S)
        assert stage.pointer() == generation and len(stage.generations_with_keys()) == 2
        witness.wait_for_more()
        network.wires["redis"].mend()
        must_recover(service, generation)
        # The log may be a moment behind the pointer, and the kernel may only now send what the worker had left to it:
        # the next publication removes that.
        wait_for(
            lambda: service.clear().status == 200
            and stage.generations_with_keys() <= {stage.pointer(), *published_generations(service.worker.log_text())},
            "nothing else is left",
            PATIENCE_S,
        )


# ---- Everything at once, and clients


def test_nothing_is_in_reach(network, service):
    """An API that has a generation answers any dates; one that starts now has none until the wires are mended."""
    generation = service.stage.pointer()
    with witness_of(service) as witness:
        for server in SERVERS:
            network.wires[server].cut()
        service.hang_up()
        service.wait_for_health(status="degraded", redis_connection="error", alive=False)
        for day in range(10, 29):
            answer = service.ask(f"/clientes?data_adesao_inicio=2023-12-{day}")
            assert answer.status == 200 and answer.header("X-Generation") == str(generation)
        with service.where():
            other = service.stage.start_api()
        service.port = other.port
        health = service.wait_for_health(status="unhealthy", redis_connection="error")
        assert health["generation"] is None and service.ask("/dashboard").status == 503
        witness.wait_for_more()
        for server in SERVERS:
            network.wires[server].mend()
        must_recover(service, generation)
        witness.wait_for_more()


def test_clients_that_vanish(network, service):
    """Their places are free again when they have been silent for as long as clients may be."""
    with service.where():
        api = service.stage.start_api(
            HOST="0.0.0.0", API_THREADS=1, HTTP_CONNECTIONS=4, HTTP_IDLE_TIMEOUT=1, HTTP_REQUEST_TIMEOUT=1
        )
    service.port = api.port
    wait_for(lambda: service.ask("/health").status == 200, "it serves", PATIENCE_S)
    wire = network.wires["clients"]
    clients = []

    def are_there():
        """Four are, and there is room for nobody else: unless it takes so long that one of them gives way."""
        for client in clients:
            client.close()
        begin = time.monotonic()
        clients[:] = [socket.create_connection((wire.addresses[network.near], api.port), PATIENCE_S) for _ in range(4)]
        for client in clients:
            client.sendall(request_bytes("/dashboard"))
            assert client.recv(12) == b"HTTP/1.1 200"
        clients[0].sendall(b"GET /dashb")
        status = service.ask("/dashboard").status
        return time.monotonic() - begin < 0.8 and status

    assert wait_for(are_there, "all of them came in time", PATIENCE_S) == 503
    wire.cut()
    wait_for(lambda: service.ask("/dashboard").status == 200, "there is room again", PATIENCE_S)
    for client in clients:
        client.close()
    wire.mend()
