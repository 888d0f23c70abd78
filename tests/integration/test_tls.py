"""TLS to Redis and to both databases: what is protected, what is refused and in which words, and what happens when
the other side lies, is silent or goes away."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

import certificates
from byte_proxy import ByteProxy, Then, without_tls
from http_client import ask
from serving import start_loaded, wait_until_served
from service import (
    API,
    AS_OF,
    Redis,
    Stage,
    WORKER,
    free_port,
    hold_in_postgres,
    lock_in_mariadb,
    prepare_counter,
    slow_table,
    unique,
    wait_for,
    waits_in_mariadb,
    waits_in_postgres,
)

ONLY_WHEN_ASKED = {"REFRESH_INTERVAL": 0}


# ---- Servers and their certificates


class Certificates:
    """What the servers can show: one that is right, and one for each thing that can be wrong with one."""

    def __init__(self, folder):
        self.authority = certificates.Authority(folder, "authority")
        self.other = certificates.Authority(folder, "other-authority")
        self.good = self.authority.sign("good")
        self.expired = self.authority.sign("expired", days=-1)
        self.wrong_host = self.authority.sign("wrong-host", "DNS:elsewhere.example,IP:192.0.2.1")
        self.stranger = self.other.sign("stranger")
        self.self_signed = certificates.self_signed(folder, "self-signed")


class TlsRedis(Redis):
    """One with a port for TLS besides the ordinary one, which is left to the test itself."""

    def __init__(self, fleet, name, certificate, authority):
        self.tls_port = free_port()
        super().__init__(
            fleet,
            name,
            options=[
                f"tls-port {self.tls_port}",
                f"tls-cert-file {certificate.path}",
                f"tls-key-file {certificate.key}",
                f"tls-ca-cert-file {authority.path}",
                "tls-auth-clients no",
            ],
        )

    def tls_url(self, host="localhost", port=None):
        return f"rediss://default:{self.password}@{host}:{port or self.tls_port}"

    def show(self, certificate):
        self.command("CONFIG", "SET", "tls-cert-file", certificate.path, "tls-key-file", certificate.key)

    @contextlib.contextmanager
    def showing(self, certificate, good):
        self.show(certificate)
        try:
            yield
        finally:
            self.show(good)


@pytest.fixture(scope="module")
def shown(fleet):
    return Certificates(fleet.folder)


@pytest.fixture(scope="module")
def redis(fleet, shown):
    return fleet.add(TlsRedis, unique("redis"), shown.good, shown.authority).start()


def show_in_postgres(fleet, certificate):
    """certificate None: no TLS at all. A session that was opened behind the change has it."""
    server = fleet.postgres
    changes = {"ssl": "off"}
    if certificate:
        changes = {"ssl_cert_file": certificate.path, "ssl_key_file": certificate.key_of(server.account), "ssl": "on"}
    for name, value in changes.items():
        server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    server.execute("SELECT pg_reload_conf()")
    wait_for(lambda: all(server.query(f"SHOW {name}") == [[value]] for name, value in changes.items()), "reloaded")


def show_in_mariadb(fleet, certificate):
    folder = fleet.mariadb.folder
    shutil.copy(certificate.path, f"{folder}/shown.crt")
    shutil.copy(certificate.key, f"{folder}/shown.key")
    fleet.mariadb.execute("FLUSH SSL")


@pytest.fixture(scope="module", name="databases")
def databases_with_tls(fleet, shown):
    folder = fleet.mariadb.folder
    fleet.mariadb.stop()
    shutil.copy(shown.good.path, f"{folder}/shown.crt")
    shutil.copy(shown.good.key, f"{folder}/shown.key")
    fleet.mariadb.options += [f"--ssl-cert={folder}/shown.crt", f"--ssl-key={folder}/shown.key"]
    fleet.mariadb.argv = fleet.mariadb.command_line()
    fleet.mariadb.start()
    show_in_postgres(fleet, shown.good)
    return fleet


@pytest.fixture(scope="module")
def data(fleet):
    """Rows of more than 1 MiB, so that replies of Redis go over many records of TLS."""
    prepare_counter(fleet, "tls", clients=12000)
    return "tls"


@pytest.fixture(name="stage")
def stage_over_tls(databases, data, redis, shown):
    authority = shown.authority.path
    return Stage(
        databases,
        data,
        redis,
        REDIS_URL=redis.tls_url(),
        REDIS_CA_FILE=authority,
        DB_SSLMODE="verify-full",
        DB_SSLROOTCERT=authority,
        DB_SSLMODE_ECOSYS="verify_identity",
        DB_SSLROOTCERT_ECOSYS=authority,
    )


def checked(stage, part, program=WORKER, **changes):
    """("ok" or "FAIL", the rest of its line) of a part of --check."""
    done = stage.run(program, "--check", **changes)
    assert stage.redis.password not in done.stdout + done.stderr
    assert stage.fleet.password not in done.stdout + done.stderr
    match = re.search(rf"^(ok|FAIL) +{part}: (.+)$", done.stdout, re.MULTILINE)
    assert match, done
    assert done.returncode == (0 if match[1] == "ok" else 1), done
    return match[1], match[2]


def assert_ok(stage, part, text, **changes):
    word, line = checked(stage, part, **changes)
    assert word == "ok" and text in line, line


def assert_refused(stage, part, text, **changes):
    word, line = checked(stage, part, **changes)
    assert word == "FAIL" and re.search(text, line), line


# ---- All of it


LARGEST_SCRIPT = """
local largest = 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    if redis.call('TYPE', key).ok == 'string' then largest = math.max(largest, redis.call('STRLEN', key)) end
end
return largest
"""


def test_worker_and_api_over_tls(stage, redis):
    """From a publication of many chunks to a flip that the API hears of and a refresh that it asks for."""
    stage.ecosys(f"ALTER USER '{stage.fleet.READER}'@'127.0.0.1' REQUIRE SSL")
    try:
        stage.set_counter("10.00")
        worker = stage.start_worker(**ONLY_WHEN_ASKED)
        api = start_loaded(stage)
        assert ask(api.port, "/dashboard").json()["mrr_value"] == 10
        assert stage.command("EVAL", LARGEST_SCRIPT, 0, f"{stage.prefix}:gen:*") > 1000000
        assert len(ask(api.port, "/clientes").json()) == 12000
        for value in ("20.00", "30.00"):
            stage.set_counter(value)
            cleared = ask(api.port, "/cache/clear", "POST")
            assert cleared.status == 200, cleared
            assert ask(api.port, "/dashboard").json()["mrr_value"] == float(value)
        assert ask(api.port, "/logins?tenant_id=1").status == 200
        assert ask(api.port, "/health").json()["redis_connection"] == "ok"
        done = stage.run(WORKER, "--refresh")
        assert done.returncode == 0, done.stderr
        wait_until_served(api.port, stage.pointer())
        for process in (worker, api.process):
            assert process.stop() == 0
            assert redis.password not in process.log_text()
    finally:
        stage.ecosys(f"ALTER USER '{stage.fleet.READER}'@'127.0.0.1' REQUIRE NONE")


def test_check_says_how_each_connection_is_protected(stage):
    done = stage.run(WORKER, "--check")
    assert done.returncode == 0, done
    for part in ("postgresql", "mysql", "redis"):
        assert re.search(rf"^ok +{part}: .*, over TLSv1\.3$", done.stdout, re.MULTILINE), done.stdout
    assert "ok   redis: answers over TLSv1.3" in stage.run(API, "--check").stdout


def test_check_says_what_is_not_protected(stage):
    plain = {"REDIS_URL": stage.redis.url(), "DB_SSLMODE": "disable", "DB_SSLMODE_ECOSYS": "disabled"}
    done = stage.run(WORKER, "--check", **plain)
    assert done.stdout.count(", over TCP without TLS") == 3, done.stdout
    open_to_all = stage.fleet.add(Redis, unique("redis"), password="").start()
    sockets = {
        "REDIS_URL": f"unix://{open_to_all.socket}",
        "DB_HOST": stage.fleet.postgres.socket,
        "DB_HOST_ECOSYS": stage.fleet.mariadb.socket,
        "DB_SSLMODE": None,
        "DB_SSLMODE_ECOSYS": None,
    }
    done = stage.run(WORKER, "--check", **sockets)
    assert done.stdout.count(", over a Unix socket") == 3, done.stdout


# ---- Redis: whom it trusts


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_names_and_addresses_are_those_of_the_certificate(stage, redis, host):
    assert_ok(stage, "redis", "over TLSv1.3", REDIS_URL=redis.tls_url(host))


def test_without_a_file_the_system_is_trusted(stage, shown):
    assert_refused(
        stage,
        "redis",
        "certificate of localhost is refused: self-signed certificate in certificate chain",
        REDIS_CA_FILE=None,
    )
    assert_ok(stage, "redis", "over TLSv1.3", REDIS_CA_FILE=None, SSL_CERT_FILE=shown.authority.path)


BAD_CERTIFICATES = {
    "expired": "certificate has expired",
    "wrong_host": "hostname mismatch",
    "stranger": "unable to get local issuer certificate",
    "self_signed": "self-signed certificate",
}


@pytest.mark.parametrize("name", BAD_CERTIFICATES)
@pytest.mark.parametrize("program", [WORKER, API], ids=["worker", "api"])
def test_a_bad_certificate_is_refused_before_anything_is_said(stage, redis, shown, program, name):
    """Neither a command nor a password goes out, and nothing is tried without TLS."""
    text = f"^Redis: TLS, the certificate of localhost is refused: {BAD_CERTIFICATES[name]}$"
    with redis.showing(getattr(shown, name), shown.good), ByteProxy(redis.tls_port) as proxy:
        assert_refused(stage, "redis", text, program=program, REDIS_URL=redis.tls_url(port=proxy.port))
    assert proxy.sent[:1] == b"\x16" and redis.password.encode() not in proxy.sent and b"AUTH" not in proxy.sent


def test_a_certificate_can_be_its_own_authority(stage, redis, shown):
    with redis.showing(shown.self_signed, shown.good):
        assert_ok(stage, "redis", "over TLSv1.3", REDIS_CA_FILE=shown.self_signed.path)


def test_an_address_that_the_certificate_does_not_have(stage, redis, shown):
    with redis.showing(shown.wrong_host, shown.good):
        assert_refused(
            stage, "redis", "of 127.0.0.1 is refused: IP address mismatch", REDIS_URL=redis.tls_url("127.0.0.1")
        )


def test_a_better_certificate_is_taken_without_a_restart(stage, redis, shown):
    """Programs that run meanwhile say why, once in a while, and go on as soon as the server is right."""
    with redis.showing(shown.expired, shown.good):
        worker = stage.start_worker(**ONLY_WHEN_ASKED)
        api = stage.start_api()
        for process in (worker, api.process):
            wait_for(lambda: "certificate has expired" in process.log_text(), f"{process.name} says why")
        assert ask(api.port, "/health").status == 503
    wait_for(lambda: ask(api.port, "/health").status == 200, "a generation is served")
    assert ask(api.port, "/dashboard").status == 200


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n", "."),
    ],
    ids=["empty", "damaged"],
)
def test_a_file_without_authorities(stage, content, reason):
    path = f'{stage.fleet.folder}/{unique("ca")}'
    with open(path, "wb") as out:
        out.write(content)
    assert_refused(stage, "redis", f"^Redis: TLS, no authorities from {path}: .*{reason}", REDIS_CA_FILE=path)


@pytest.mark.parametrize("name", ["REDIS_CA_FILE", "DB_SSLROOTCERT", "DB_SSLROOTCERT_ECOSYS"])
@pytest.mark.parametrize("path", ["/no/such/file", "/etc"])
def test_a_file_that_cannot_be_read(stage, name, path):
    done = stage.run(WORKER, "--check", **{name: path})
    assert done.returncode == 2 and done.stdout == "", done
    assert done.stderr.startswith(f'ecosys-worker: {name}: is "{path}", takes the path of a file that can be read: ')


def test_a_wrong_password(stage, redis):
    assert_refused(stage, "redis", "^Redis: WRONGPASS", REDIS_URL=f"rediss://default:guess@localhost:{redis.tls_port}")


def test_a_server_that_wants_a_certificate_of_ours(stage, redis):
    """Its words are lost when it resets the connection before we have read them."""
    redis.command("CONFIG", "SET", "tls-auth-clients", "yes")
    try:
        assert_refused(stage, "redis", "^Redis: (TLS, .*(certificate required|reset by peer|Broken pipe)|Server clos)")
    finally:
        redis.command("CONFIG", "SET", "tls-auth-clients", "no")


def test_versions_below_1_2_are_refused(stage, redis):
    redis.command("CONFIG", "SET", "tls-protocols", "TLSv1.2")
    try:
        assert_ok(stage, "redis", "over TLSv1.2")
        redis.command("CONFIG", "SET", "tls-protocols", "TLSv1.1")
        assert_refused(stage, "redis", "^Redis: TLS, .*(protocol|alert)")
    finally:
        redis.command("CONFIG", "SET", "tls-protocols", "TLSv1.2 TLSv1.3")


# ---- Redis: a server that lies, is silent or goes away


def test_a_port_of_redis_without_tls(stage, redis):
    """It waits for the end of what it takes for a command."""
    assert_refused(
        stage,
        "redis",
        "which may not speak TLS: Redis did not answer in 300 ms$",
        REDIS_URL=redis.tls_url(port=redis.port),
        REDIS_TIMEOUT_MS=300,
    )


def test_tls_where_plain_text_is_spoken_to(stage, redis):
    assert_refused(stage, "redis", "^Redis: ", REDIS_URL=f"redis://default:{redis.password}@localhost:{redis.tls_port}")


@contextlib.contextmanager
def accepting(serve):
    """A server whose every connection is handled by serve(connection) in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = []

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in [acceptor, *threads]:
                thread.join(20)
                assert not thread.is_alive()


def say_nothing(connection):
    """Reads to the end."""
    with connection:
        while connection.recv(65536):
            pass


def say_a_little_at_a_time(connection):
    """The head of a long handshake message, then a byte of it now and then."""
    with connection, contextlib.suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")
        connection.settimeout(0.05)
        while True:
            connection.sendall(b"\x02")
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return


def hang_up(connection):
    with connection:
        connection.recv(65536)


def answer_in_plain_text(connection):
    with connection:
        connection.recv(65536)
        connection.sendall(b"-ERR unknown command\r\n")


def test_a_server_that_speaks_plain_text(stage, redis):
    with accepting(answer_in_plain_text) as port:
        assert_refused(
            stage,
            "redis",
            f"^Redis: TLS, the server at localhost:{port} does not speak it",
            REDIS_URL=redis.tls_url(port=port),
        )


@pytest.mark.parametrize(
    "serve, text",
    [
        (say_nothing, "Redis did not answer in 400 ms"),
        (say_a_little_at_a_time, "Redis did not answer in 400 ms"),
        (hang_up, "Redis: (Server closed the connection|TLS, Connection reset by peer)"),
    ],
    ids=["silent", "slow", "gone"],
)
def test_a_handshake_that_does_not_come_to_an_end(stage, redis, serve, text):
    with accepting(serve) as port:
        began = time.monotonic()
        assert_refused(
            stage,
            "redis",
            rf"(^TLS handshake with localhost:{port}, which may not speak TLS: )?{text}$",
            REDIS_URL=redis.tls_url(port=port),
            REDIS_TIMEOUT_MS=400,
        )
        assert time.monotonic() - began < 30, "it would never end"


@pytest.fixture(scope="module", name="published")
def published_over_tls(databases, data, redis, shown):
    """The stage whose generation replies are cut in, and how many bytes it takes to load it."""
    stage = Stage(databases, data, redis, REDIS_URL=redis.tls_url(), REDIS_CA_FILE=shown.authority.path)
    stage.publish()
    return stage


@pytest.mark.parametrize(
    "then, text", [(Then.CUT, "Server closed the connection"), (Then.HOLD, "Redis did not answer in 400 ms")]
)
@pytest.mark.parametrize("limit", [2500, 70001, 1500000])
def test_an_api_that_is_cut_off_in_a_reply(published, redis, limit, then, text):
    """It says so, keeps what it has (nothing, here), and loads the generation once the way is free."""
    with ByteProxy(redis.tls_port, limit=limit, then=then) as proxy:
        api = published.start_api(REDIS_URL=redis.tls_url(port=proxy.port), REDIS_TIMEOUT_MS=400)
        wait_for(lambda: text in api.log(), "it says so")
        assert ask(api.port, "/health").status == 503
        proxy.limit = None
        wait_for(lambda: ask(api.port, "/health").status == 200, "the generation is loaded")
        api.process.stop()


def test_a_worker_that_is_cut_off_publishes_nothing(published, redis):
    """In the handshake, and among the replies to a publication."""
    with ByteProxy(redis.tls_port) as proxy:
        published.publish(REDIS_URL=redis.tls_url(port=proxy.port))
    before = published.pointer()
    for limit in (1, max(proxy.received) - 600):
        with ByteProxy(redis.tls_port, limit=limit) as proxy:
            done = published.once(REDIS_URL=redis.tls_url(port=proxy.port))
        assert done.returncode == 1 and "Server closed the connection" in done.stderr, done
        assert published.pointer() == before


def test_connections_that_redis_ends(published, redis):
    """Both programs connect and subscribe anew, and a refresh that is asked for comes to its end."""
    stage = Stage(published.fleet, published.data, redis, **published.settings)
    worker = stage.start_worker(**ONLY_WHEN_ASKED)
    api = start_loaded(stage)
    redis.command("CLIENT", "KILL", "TYPE", "pubsub")
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    assert wait_for(lambda: ask(api.port, "/cache/clear", "POST").status == 200, "both are connected again")
    assert worker.alive


def test_messages_longer_than_a_record_of_tls(published, redis):
    """A listener takes what has arrived, whole or not, and never waits for the rest of it."""
    stage = Stage(published.fleet, published.data, redis, **published.settings)
    stage.start_worker(**ONLY_WHEN_ASKED)
    api = start_loaded(stage)
    for channel in (f"{stage.prefix}:0:events", f"{stage.prefix}:0:requests"):
        assert redis.command("PUBSUB", "NUMSUB", channel)[1] == 1
        for _ in range(8):
            redis.command("PUBLISH", channel, b"x" * 300000)
    assert ask(api.port, "/cache/clear", "POST").status == 200
    assert ask(api.port, "/health").json()["redis_connection"] == "ok"


# ---- The addresses of the Python service


LOOPBACK_AND_RUN = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack('16sh14x', b'lo', 0x49))  # SIOCSIFFLAGS: up, loopback, running
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(name="inside")
def network_of_its_own(databases, redis, shown):
    """What puts a program into a network where a Redis has the port for TLS that the settings of Upstash mean."""
    if subprocess.run(["/usr/bin/unshare", "--net", "/bin/true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a network namespace takes root, and a kernel that lets it make one")
    path = f'{databases.folder}/{unique("upstash")}'
    with open(f"{path}.conf", "w", encoding="ascii") as out:
        out.write(
            f"port 0\ntls-port 6379\nbind 127.0.0.1\nunixsocket {path}\nrequirepass {redis.password}\n"
            f'tls-cert-file {shown.good.path}\ntls-key-file {shown.good.key}\ntls-auth-clients no\nsave ""\n'
            f"tls-ca-cert-file {shown.authority.path}\ndir {databases.folder}\n"
        )
    argv = ["/usr/bin/python3", "-c", LOOPBACK_AND_RUN, shutil.which("redis-server"), f"{path}.conf"]
    server = databases.program(
        unique("upstash"), ["/usr/bin/unshare", "--net", *argv], ready=lambda: os.path.exists(path)
    ).start()
    return ["/usr/bin/nsenter", f"--net=/proc/{server.pid}/ns/net"]


def test_settings_of_upstash(databases, data, redis, shown, inside):
    """As the Python service's .env has them; the databases are reached through sockets."""
    env_file = f'{databases.folder}/{unique("env")}'
    with open(env_file, "w", encoding="ascii") as out:
        out.write(f'UPSTASH_REDIS_REST_URL="https://localhost"\nUPSTASH_REDIS_REST_TOKEN="{redis.password}"\n')
    worker, api = ([*inside, program, "--env-file", env_file] for program in (WORKER, API))
    stage = Stage(
        databases,
        data,
        redis,
        REDIS_URL=None,
        REDIS_CA_FILE=shown.authority.path,
        DB_HOST=databases.postgres.socket,
        DB_HOST_ECOSYS=databases.mariadb.socket,
    )
    done = stage.run(*worker, "--check")
    assert done.returncode == 0 and re.search("^ok   redis: .* over TLSv1.3$", done.stdout, re.MULTILINE), done
    done = stage.run(*api, "--check", REDIS_CA_FILE=None)
    assert done.returncode == 1 and "certificate of localhost is refused" in done.stdout, done
    done = stage.run(*worker, "--once", "--as-of", AS_OF)
    assert done.returncode == 0, done
    port = free_port()
    databases.program(unique("api"), api, stage.environment(PORT=port), databases.folder).start()
    script = f"from urllib.request import urlopen; print(urlopen('http://127.0.0.1:{port}/health').read().decode())"
    asking = [*inside, "/usr/bin/python3", "-c", script]

    def health():
        return subprocess.run(asking, capture_output=True, encoding="utf-8", check=False).stdout

    wait_for(lambda: '"status":"healthy"' in health(), "the API serves what the worker published")
    assert '"UPSTASH_REDIS_REST_URL":true,"UPSTASH_REDIS_REST_TOKEN":true,"REDIS_URL":false' in health()


# ---- PostgreSQL


@contextlib.contextmanager
def postgres_as(fleet, certificate, good):
    show_in_postgres(fleet, certificate)
    try:
        yield
    finally:
        show_in_postgres(fleet, good)


@pytest.mark.parametrize(
    "mode, host, protection",
    [
        (None, "127.0.0.1", "TLSv1.3"),
        ("allow", "127.0.0.1", "TCP without TLS"),
        ("prefer", "localhost", "TLSv1.3"),
        ("require", "127.0.0.1", "TLSv1.3"),
        ("verify-ca", "127.0.0.1", "TLSv1.3"),
        ("verify-full", "localhost", "TLSv1.3"),
        ("verify-full", "127.0.0.1", "TLSv1.3"),
        ("disable", "127.0.0.1", "TCP without TLS"),
    ],
)
def test_modes_of_postgres(stage, mode, host, protection):
    assert_ok(stage, "postgresql", f", over {protection}", DB_SSLMODE=mode, DB_HOST=host)


def test_libpq_decides_where_no_mode_is_set(stage):
    assert_ok(stage, "postgresql", ", over TCP without TLS", DB_SSLMODE=None, PGSSLMODE="disable")
    assert_ok(stage, "postgresql", ", over TLSv1.3", DB_SSLMODE="require", PGSSLMODE="disable")


@pytest.mark.parametrize(
    "name, mode, text",
    [
        ("expired", "verify-ca", "certificate verify failed"),
        ("expired", "verify-full", "certificate verify failed"),
        ("wrong_host", "verify-full", 'does not match host name "127.0.0.1"'),
        ("stranger", "verify-ca", "certificate verify failed"),
        ("self_signed", "verify-full", "certificate verify failed"),
        ("stranger", "require", "certificate verify failed"),
    ],
)
def test_a_bad_certificate_of_postgres(stage, shown, name, mode, text):
    with postgres_as(stage.fleet, getattr(shown, name), shown.good):
        assert_refused(stage, "postgresql", f"^PostgreSQL: .*({text})", DB_SSLMODE=mode)


def test_what_the_modes_of_postgres_let_pass(stage, shown):
    with postgres_as(stage.fleet, shown.wrong_host, shown.good):
        assert_ok(stage, "postgresql", ", over TLSv1.3", DB_SSLMODE="verify-ca")
    with postgres_as(stage.fleet, shown.stranger, shown.good):
        assert_ok(stage, "postgresql", ", over TLSv1.3", DB_SSLMODE="require", DB_SSLROOTCERT=None)
    with postgres_as(stage.fleet, None, shown.good):
        assert_ok(stage, "postgresql", ", over TCP without TLS", DB_SSLMODE="prefer")
        assert_refused(stage, "postgresql", "server does not support SSL", DB_SSLMODE="require")


# ---- MySQL


@contextlib.contextmanager
def mariadb_as(fleet, certificate, good):
    show_in_mariadb(fleet, certificate)
    try:
        yield
    finally:
        show_in_mariadb(fleet, good)


@pytest.mark.parametrize(
    "mode, host, protection",
    [
        (None, "127.0.0.1", "TLSv1.3"),
        ("disabled", "127.0.0.1", "TCP without TLS"),
        ("preferred", "localhost", "TLSv1.3"),
        ("required", "127.0.0.1", "TLSv1.3"),
        ("verify_identity", "127.0.0.1", "TLSv1.3"),
        ("verify_identity", "localhost", "TLSv1.3"),
    ],
)
def test_modes_of_mysql(stage, mode, host, protection):
    assert_ok(stage, "mysql", f", over {protection}", DB_SSLMODE_ECOSYS=mode, DB_HOST_ECOSYS=host)


@pytest.mark.parametrize(
    "mode, protection",
    [(None, "a Unix socket"), ("preferred", "a Unix socket"), ("required", "TLSv1.3"), ("verify_identity", "TLSv1.3")],
)
def test_a_socket_of_mysql_has_tls_when_it_is_required(stage, mode, protection):
    assert_ok(stage, "mysql", f", over {protection}", DB_SSLMODE_ECOSYS=mode, DB_HOST_ECOSYS=stage.fleet.mariadb.socket)


@pytest.mark.parametrize(
    "name, mode, text",
    [
        ("expired", "verify_identity", "certificate has expired"),
        ("expired", "required", "certificate has expired"),
        ("wrong_host", "verify_identity", "certificate is not for 127.0.0.1"),
        ("stranger", "verify_identity", "unable to get local issuer certificate"),
        ("self_signed", "verify_identity", "self-signed certificate"),
    ],
)
def test_a_bad_certificate_of_mysql(stage, shown, name, mode, text):
    with mariadb_as(stage.fleet, getattr(shown, name), shown.good):
        assert_refused(stage, "mysql", f"^MySQL, connecting: TLS/SSL error: .*{text}", DB_SSLMODE_ECOSYS=mode)


def test_what_the_modes_of_mysql_let_pass(stage, shown):
    with mariadb_as(stage.fleet, shown.wrong_host, shown.good):
        assert_ok(stage, "mysql", ", over TLSv1.3", DB_SSLMODE_ECOSYS="required")
    with mariadb_as(stage.fleet, shown.stranger, shown.good):
        assert_ok(stage, "mysql", ", over TLSv1.3", DB_SSLMODE_ECOSYS="required", DB_SSLROOTCERT_ECOSYS=None)
        assert_refused(stage, "mysql", "unable to get local issuer", DB_SSLROOTCERT_ECOSYS=None)
        assert_ok(stage, "mysql", ", over TLSv1.3", DB_SSLROOTCERT_ECOSYS=None, SSL_CERT_FILE=shown.other.path)


def test_a_mysql_without_tls(stage):
    """Or one that somebody on the way makes look like that."""
    with ByteProxy(stage.fleet.mariadb.port, change=without_tls) as proxy:
        assert_ok(stage, "mysql", ", over TCP without TLS", DB_SSLMODE_ECOSYS="preferred", DB_PORT_ECOSYS=proxy.port)
        assert_refused(
            stage,
            "mysql",
            "the server has no TLS, which DB_SSLMODE_ECOSYS asks for",
            DB_SSLMODE_ECOSYS="required",
            DB_PORT_ECOSYS=proxy.port,
        )
        assert b"SET SESSION" in proxy.sent  # the first one's
    with ByteProxy(stage.fleet.mariadb.port, change=without_tls) as proxy:
        assert_refused(stage, "mysql", "SSL is required, but the server does not support it", DB_PORT_ECOSYS=proxy.port)
        assert stage.fleet.READER.encode() not in proxy.sent, "not even the name of the user goes out"


# ---- Databases that are silent or go away


@pytest.mark.parametrize("part, port", [("postgresql", "DB_PORT"), ("mysql", "DB_PORT_ECOSYS")])
@pytest.mark.parametrize("limit", [0, 300])
def test_a_database_that_is_silent(stage, part, port, limit):
    """From the beginning, or in the handshake."""
    server = stage.fleet.postgres if part == "postgresql" else stage.fleet.mariadb
    with ByteProxy(server.port, limit=limit, then=Then.HOLD) as proxy:
        began = time.monotonic()
        assert_refused(stage, part, "connecti|timeout|timed out|expired", **{port: proxy.port}, DB_CONNECT_TIMEOUT=2)
        assert time.monotonic() - began < 15


@pytest.mark.parametrize("port, limit", [("DB_PORT", 100000), ("DB_PORT_ECOSYS", 4000)])
def test_a_database_that_is_cut_off(stage, port, limit):
    stage.publish()
    before = stage.pointer()
    server = stage.fleet.postgres if port == "DB_PORT" else stage.fleet.mariadb
    with ByteProxy(server.port, limit=limit) as proxy:
        done = stage.once(**{port: proxy.port})
    assert done.returncode == 1 and re.search("SSL|TLS|server", done.stderr), done
    assert stage.pointer() == before


@pytest.mark.parametrize("limit", [300, 1500])
def test_mysql_that_says_nothing_amid_the_handshake(stage, limit):
    with ByteProxy(stage.fleet.mariadb.port, limit=limit, then=Then.HOLD) as proxy:
        done = stage.once(DB_PORT_ECOSYS=proxy.port, DB_CONNECT_TIMEOUT=1, seconds=60)
    assert done.returncode == 1 and "connecting took longer than DB_CONNECT_TIMEOUT" in done.stderr, done


def test_statement_that_takes_longer_than_connecting_may(stage):
    with slow_table(stage, "cards", 5):
        assert stage.once(DB_CONNECT_TIMEOUT=4).returncode == 0


@pytest.mark.parametrize(
    "lock, waits",
    [(hold_in_postgres, waits_in_postgres), (lock_in_mariadb, waits_in_mariadb)],
    ids=["postgres", "mariadb"],
)
def test_a_snapshot_is_ended_over_tls_too(stage, lock, waits):
    with lock(stage):
        done = stage.once(SNAPSHOT_TIMEOUT=1)
        assert done.returncode == 1 and "open for longer than SNAPSHOT_TIMEOUT" in done.stderr, done
        wait_for(lambda: not waits(stage), "nothing of it waits any more")
