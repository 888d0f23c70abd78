"""Redis full, read-only, mute, with another password, unable to save, dying amid a publication. Clients see the
generation that the API has, whole, all the while; nothing half-written stays; when Redis is itself again, so is
everything, without a hand. What happens at each single command is test_worker.py's; restarts and emptiness are
test_refresh.py's."""

import contextlib
import os
import re

import pytest

from faults import PATIENCE_S, Service, Witness
from http_client import ask
from redis_monitor import RedisMonitor
from redis_proxy import Action, RedisProxy
from service import Redis, Stage, new_redis, prepare_counter, unique, wait_for
from serving import start_loaded

TENANTS = range(1, 6)


@pytest.fixture(scope="module")
def counter(fleet):
    prepare_counter(fleet, "stored", clients=5)
    fleet.mariadb.execute(
        "INSERT INTO tenants (id, name) VALUES (2, 'a'), (3, 'b'), (4, 'c'), (5, 'd');"
        "INSERT INTO activity_log (tenant_id, event, created_at)"
        " SELECT 1 + seq % 5, 'login', NOW() FROM seq_1_to_20000",
        "ecosys_stored",
    )
    return "stored"


@pytest.fixture
def stage(fleet, counter):
    """With a Redis of its own, as tests do things to it."""
    stage = Stage(fleet, counter, new_redis(fleet), REDIS_TIMEOUT_MS=1000)
    stage.set_counter(1)
    return stage


@pytest.fixture
def service(stage):
    return Service(stage)


def assert_refuses_what_needs_redis(service):
    response = service.clear()
    assert response.status == 503 and response.header("Retry-After"), response


# ---- Connections that are refused or cut


def throw_out(redis):
    """Everybody, listeners too."""
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    redis.command("CLIENT", "KILL", "TYPE", "pubsub")


def set_password(redis, password):
    redis.command("CONFIG", "SET", "requirepass", password)
    redis.password = password


@pytest.mark.parametrize(
    "before, after, text",
    [("", "today", "NOAUTH"), ("yesterday", "today", "WRONGPASS")],
    ids=["none before", "another"],
)
def test_password_that_it_did_not_require_yesterday(fleet, counter, before, after, text):
    redis = fleet.add(Redis, unique("redis"), password=before).start()
    stage = Stage(fleet, counter, redis)
    stage.set_counter(1)
    service = Service(stage)
    stage.settings["REDIS_URL"] = redis.url()  # programs keep the password that they were started with
    with Witness(service.port) as witness:
        set_password(redis, after)
        throw_out(redis)
        for name, log in (("worker", service.worker.log_text), ("API", service.api.log)):
            wait_for(
                lambda now=log: re.search(f'level=error .*"Redis cannot be used".*{text}', now()),
                f"the {name} says why",
                PATIENCE_S,
            )
        service.wait_for_health(status="degraded", redis_connection="error", alive=False)
        assert_refuses_what_needs_redis(service)
        witness.wait_for_more()
        set_password(redis, before)
        service.must_be_well(2)
        witness.wait_for_more()
    for secret in filter(None, (before, after)):
        assert secret not in service.worker.log_text() + service.api.log()


def test_everybody_is_thrown_out(service):
    with Witness(service.port) as witness:
        for number in (2, 3, 4):
            throw_out(service.stage.redis)
            service.must_be_well(number)
            witness.wait_for_more()


def test_idle_connections_are_closed(stage):
    """As a server with a limit does: who asks for logins the next time must not notice."""
    stage.publish()
    api = start_loaded(stage, API_THREADS=1)
    stage.command("CONFIG", "SET", "timeout", "1")
    for tenant in TENANTS:
        assert ask(api.port, f"/logins?tenant_id={tenant}").status == 200
        wait_for(lambda: b"cmd=hmget" not in stage.command("CLIENT", "LIST"), "the connection is closed", PATIENCE_S)


def test_channels_that_are_granted_late(stage):
    """Programs whose user may use the keys but not the channels, until somebody sees to it."""
    stage.command("ACL", "SETUSER", "service", "on", ">secret", f"~{stage.prefix}:*", "resetchannels", "+@all")
    stage.settings["REDIS_URL"] = f"redis://service:secret@127.0.0.1:{stage.redis.port}/0"
    service = Service(stage)
    wait_for(
        lambda: any("requests cannot be heard" in line and "NOPERM" in line for line in service.errors()),
        "the worker says so",
        PATIENCE_S,
    )
    stage.command("ACL", "SETUSER", "service", f"&{stage.prefix}:*")
    service.must_be_well(2)


# ---- Writes that are refused


def test_redis_becomes_a_read_only_replica(fleet, service):
    """Of an empty one: what was published is gone, too."""
    redis, other = service.stage.redis, new_redis(fleet)
    redis.command("CONFIG", "SET", "masterauth", other.password)
    with Witness(service.port) as witness:
        redis.command("REPLICAOF", other.host, other.port)
        wait_for(lambda: b"master_link_status:up" in redis.command("INFO", "replication"), "it follows", PATIENCE_S)
        assert redis.command("DBSIZE") == 0
        service.wait_for_error("Redis cannot be used", "READONLY")
        health = service.wait_for_health(status="healthy", redis_connection="ok", alive=False)
        assert_refuses_what_needs_redis(service)
        witness.wait_for_more()
        redis.command("REPLICAOF", "NO", "ONE")
        service.wait_until_newer(health["generation"])
        service.must_be_well(2)


def test_api_reads_a_replica(fleet, stage):
    """It follows the master's generations; only requests for a refresh have to go to the master."""
    replica = new_redis(fleet)
    replica.command("CONFIG", "SET", "masterauth", stage.redis.password)
    replica.command("REPLICAOF", stage.redis.host, stage.redis.port)
    service = Service(stage)
    api = start_loaded(stage, REDIS_URL=replica.url())
    generation = service.wait_for_health(status="healthy")["generation"]
    stage.set_counter(2)
    service.hang_up()
    newer = service.wait_until_newer(generation)
    wait_for(lambda: ask(api.port, "/health").json()["generation"] == newer, "the replica has it", PATIENCE_S)
    assert ask(api.port, "/dashboard").json()["mrr_value"] == 2
    assert ask(api.port, "/logins?tenant_id=1").status == 200


def assert_nothing_half_written(stage, generations):
    """Whatever has keys was published, and is listed."""
    assert stage.generations_with_keys() <= set(generations), "keys of a generation that never was served"
    listed = {int(number) for number in stage.command("ZRANGE", f"{stage.prefix}:generations", 0, -1)}
    assert listed <= set(generations)


def test_redis_fills_up_amid_a_publication(stage):
    countdown = []  # of the keys of a generation that are still to be written

    def decide(_, words):
        if words[0] == b"EVAL" and b":gen:" in words[3] and countdown:
            countdown.pop()
            if not countdown:
                stage.command("CONFIG", "SET", "maxmemory", "100kb")
        return Action.FORWARD

    with RedisProxy(stage.redis, decide) as proxy, contextlib.ExitStack() as stack:
        service = Service(stage, {"REDIS_URL": proxy.url()})
        generation = stage.pointer()
        witness = stack.enter_context(Witness(service.port))
        stage.set_counter(2)
        countdown.extend([None] * 30)
        service.hang_up()
        wait_for(
            lambda: any("phase=redis" in line and "OOM command not allowed" in line for line in service.errors()),
            "the refresh fails",
            PATIENCE_S,
        )
        health = service.wait_for_health(status="healthy", redis_connection="ok", alive=False)
        assert health["generation"] == generation == stage.pointer()
        assert_nothing_half_written(stage, [generation])
        assert_refuses_what_needs_redis(service)
        witness.wait_for_more()
        stage.command("CONFIG", "SET", "maxmemory", 0)
        service.must_be_well(3)


def test_redis_cannot_save(service):
    """Its disk is full, or not its own any more: it takes no writes then."""
    stage = service.stage
    redis = stage.redis
    with Witness(service.port) as witness:
        os.chmod(redis.folder, 0o555)
        os.chown(redis.folder, 0, 0)
        redis.command("CONFIG", "SET", "save", "3600 1")
        redis.command("BGSAVE")
        service.wait_for_error("Redis cannot be used", "MISCONF")
        service.wait_for_health(status="healthy", alive=False)
        assert_refuses_what_needs_redis(service)
        witness.wait_for_more()
        os.chown(redis.folder, redis.account.uid, redis.account.gid)
        os.chmod(redis.folder, 0o755)
        redis.command("BGSAVE")
        service.must_be_well(2)


# ---- Redis that stops or dies amid a publication


@pytest.mark.parametrize("kind", ["write", "flip"])
def test_redis_stands_still_amid_a_publication(service, kind):
    stage = service.stage
    generation = stage.pointer()
    with Witness(service.port) as witness, RedisMonitor(stage.redis, stage.prefix) as monitor:
        stopped = monitor.strike(kind, 30 if kind == "write" else 1, stage.redis.pause)
        stage.set_counter(2)
        service.hang_up()
        wait_for(stopped.done.is_set, "it was amid a publication", PATIENCE_S)
        service.wait_for_error("did not answer in 1000 ms")
        service.wait_for_health(status="degraded", redis_connection="error", alive=False)
        assert_refuses_what_needs_redis(service)
        witness.wait_for_more()
        stage.redis.resume()
        service.wait_until_newer(generation)
        service.must_be_well(3)
        assert_nothing_half_written(stage, [generation, *(flip.generation for flip in monitor.flips)])


@pytest.mark.parametrize("kind", ["write", "flip"])
def test_redis_is_killed_amid_a_publication(service, kind):
    stage = service.stage
    generation = stage.pointer()
    with Witness(service.port) as witness:
        with RedisMonitor(stage.redis, stage.prefix) as monitor:
            killed = monitor.strike(kind, 30 if kind == "write" else 1, stage.redis.kill)
            stage.set_counter(2)
            service.hang_up()
            wait_for(killed.done.is_set, "it was amid a publication", PATIENCE_S)
        service.wait_for_health(status="degraded", redis_connection="error", alive=False)
        assert_refuses_what_needs_redis(service)
        witness.wait_for_more()
        stage.redis.start()
        service.wait_until_newer(generation)
        service.must_be_well(3)
    assert service.errors()
