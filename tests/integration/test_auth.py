"""Who gets in: password hashes, users that may only read, users read again, guessing, and what never shows."""

import concurrent.futures
import os
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from http_client import Connection, ask, basic, request_bytes
from service import (
    API,
    crypt,
    free_port,
    is_sanitizer_build,
    new_redis,
    prepare_counter,
    processor_s,
    Stage,
    wait_for,
    WORKER,
)
from serving import start_loaded

SLOW = "$6$rounds=2000000$saltstring$"  # the head of a hash that takes about a second
CLEAR = "/cache/clear?wait=false"
DENIED = {"detail": "Acesso negado."}
THROTTLED = {"detail": "Credenciais erradas demais deste endereço; tente novamente em instantes."}
READONLY = {"detail": "Este usuário não pode atualizar os dados."}

# Of "senha, com vírgula": a password that is given as a hash may hold a comma.
PASSWORD = "senha, com vírgula"


@pytest.fixture(scope="module")
def stage(fleet):
    """A generation that all tests of this file serve."""
    prepare_counter(fleet, "auth", clients=5)
    stage = Stage(fleet, "auth", LOG_LEVEL="debug")
    stage.publish()
    return stage


def verifications(api):
    return re.findall(r'message="credentials verified" duration_ms=\d+ result=(\w+)', api.log())


# ---- Hashes


@pytest.mark.parametrize(
    "setting",
    [
        "$y$j75$saltsalt",
        "$2b$05$abcdefghijklmnopqrstuu",
        "$2y$05$abcdefghijklmnopqrstuu",
        "$2a$05$abcdefghijklmnopqrstuu",
        "$6$saltstring",
        "$5$rounds=1000$saltstring",
    ],
)
def test_hash(stage, setting):
    api = start_loaded(stage, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, setting)}")
    for _ in range(3):
        assert ask(api.port, "/dashboard", user=f"ana:{PASSWORD}").status == 200
    assert verifications(api) == ["right"]
    for user in (f"ana:{PASSWORD}x", "ana:", f"bia:{PASSWORD}", f"ana:{PASSWORD}\0"):
        response = ask(api.port, "/dashboard", user=user)
        assert (response.status, response.json()) == (401, DENIED), user
        assert response.header("WWW-Authenticate") == "Basic"
    assert verifications(api) == ["right", *["wrong"] * 4]
    assert ask(api.port, "/dashboard", user=f"ana:{PASSWORD}").status == 200
    assert len(verifications(api)) == 5


def documented_commands():
    with open(os.path.join(os.path.dirname(__file__), "../../docs/configuration.md"), encoding="utf-8") as f:
        return re.findall(r"^((?:openssl passwd|mkpasswd) .*)$", f.read(), re.M)


def test_hash_of_the_documented_commands(stage, fleet):
    commands = documented_commands()
    assert commands
    for command in commands:
        from_stdin = "-stdin" if command.startswith("openssl") else "--stdin"
        done = subprocess.run(
            [*command.split(), from_stdin], input=PASSWORD + "\n", capture_output=True, encoding="utf-8", check=True
        )
        path = os.path.join(fleet.folder, "hash.env")
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"BASIC_AUTH_USERS=ana:{done.stdout.strip()}\n")
        environment = stage.environment(BASIC_AUTH_USERS=None)
        done = stage.run(API, "--check", "--env-file", path, env=environment)
        assert done.returncode == 0 and "1 users" in done.stdout, done.stderr


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_hash_in_a_file(stage, fleet, quote):
    """A hash means the same with and without quotes: `$` alone begins nothing there."""
    path = os.path.join(fleet.folder, "quoted.env")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'BASIC_AUTH_USERS={quote}ana:{crypt(PASSWORD, "$5$rounds=1000$saltstring")}{quote}\n')
    api = start_from_file(stage, path)
    assert ask(api.port, "/dashboard", user=f"ana:{PASSWORD}").status == 200


@pytest.mark.parametrize(
    "users, message",
    [
        (
            "ana:b,bia:$6$hunter2",
            "BASIC_AUTH_USERS: entry 2: is not a whole crypt(3) hash: $6$ and more, but not its shape",
        ),
        (
            "ana:$1$hunter2$x",
            "BASIC_AUTH_USERS: entry 1: is no crypt(3) hash of a kind that is taken: yescrypt ($y$), bcrypt ($2b$, "
            "$2y$, $2a$), SHA-512 ($6$) and SHA-256 ($5$)",
        ),
        ("ana:a,ana:hunter2", "BASIC_AUTH_USERS: entry 2: has the name of an entry before it"),
    ],
)
def test_users_that_are_refused(stage, users, message):
    done = stage.run(API, "--check", BASIC_AUTH_USERS=users)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"ecosys-api: {message}\n")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"BASIC_AUTH_READONLY": "hunter2"}, "BASIC_AUTH_READONLY: entry 1: names no user of BASIC_AUTH_USERS"),
        (
            {"TRUSTED_PROXIES": "127.0.0.1,proxy"},
            'TRUSTED_PROXIES: entry 2 is "proxy", takes an address or a network such as 10.0.0.0/8 or 2001:db8::/32',
        ),
    ],
)
def test_settings_that_are_refused(stage, changes, message):
    done = stage.run(API, "--check", **changes)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"ecosys-api: {message}\n")


# ---- Off the loops


def test_loops_answer_while_a_hash_is_verified(stage):
    """One loop, one verification that takes a second: others come and go meanwhile, on connections of that loop."""
    api = start_loaded(stage, API_THREADS=1, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)},lia:clara")
    with Connection(api.port) as waiting, Connection(api.port) as other:
        waiting.send(request_bytes("/dashboard", user=f"ana:{PASSWORD}"))
        answered = 0
        while not verifications(api):
            assert other.ask("/dashboard", user="lia:clara").status == 200
            answered += 1
        assert waiting.read().status == 200
    assert answered > 3


def test_equal_ones_are_verified_once(stage):
    api = start_loaded(stage, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)}")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(ask, api.port, "/dashboard", user=f"ana:{PASSWORD}") for _ in range(12)]
        assert {future.result().status for future in asked} == {200}
    assert verifications(api) == ["right"]


def test_queue_of_verifications(stage):
    """Who was let in before does not notice that it is full."""
    api = start_loaded(stage, AUTH_QUEUE=1, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)},lia:clara")
    assert ask(api.port, "/dashboard", user=f"ana:{PASSWORD}").status == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, api.port, "/dashboard", user=f"ana:{number}") for number in range(8)]
        statuses = [
            future.result().status
            for future in concurrent.futures.wait(asked, return_when=concurrent.futures.FIRST_COMPLETED).done
        ]
        assert set(statuses) == {503}
        for user in (f"ana:{PASSWORD}", "lia:clara"):
            assert ask(api.port, "/dashboard", user=user).status == 200
        answers = [future.result() for future in asked]
    assert {answer.status for answer in answers} == {401, 503}
    busy = next(answer for answer in answers if answer.status == 503)
    assert busy.header("Retry-After") and "sobrecarregado" in busy.json()["detail"]


def test_body_that_comes_while_credentials_are_verified(stage):
    api = start_loaded(stage, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)}")
    body = b'{"tenant_id": "1"}'
    with Connection(api.port) as connection:
        connection.send(request_bytes("/logins", user=f"ana:{PASSWORD}", body=body) * 2)
        assert [connection.read().status for _ in range(2)] == [200, 200]
    with Connection(api.port) as connection:
        connection.send(request_bytes("/logins", user="ana:x", body=body))
        assert connection.read().status == 401
        assert connection.is_closed()
    assert verifications(api) == ["right", "wrong"]


def test_limit_of_bodies_comes_after_credentials(stage):
    api = start_loaded(stage, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)}", HTTP_BODY_BYTES=10)
    with Connection(api.port) as connection:
        connection.send(request_bytes("/logins", user=f"ana:{PASSWORD}", body=b"x" * 11))
        assert connection.read().status == 413
        assert connection.is_closed()


def test_client_that_goes_away_meanwhile(stage):
    """What was found out for it is remembered all the same."""
    api = start_loaded(stage, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)}")
    with Connection(api.port) as connection:
        connection.send(request_bytes("/dashboard", user=f"ana:{PASSWORD}"))
    wait_for(lambda: verifications(api), "the verification ends")
    assert ask(api.port, "/dashboard", user=f"ana:{PASSWORD}").status == 200
    assert verifications(api) == ["right"]


def test_stop_while_hashes_are_verified(stage):
    """It does not wait for all that is queued: ten verifications would take ten seconds."""
    api = start_loaded(stage, SHUTDOWN_TIMEOUT=0, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)}")
    connections = [Connection(api.port) for _ in range(10)]
    for number, connection in enumerate(connections):
        connection.send(request_bytes("/dashboard", user=f"ana:{number}"))
    wait_for(lambda: verifications(api), "the first verification ends")
    assert api.process.stop(60) == 0
    assert len(verifications(api)) < 5
    for connection in connections:
        connection.socket.close()


# ---- Roles


def test_readonly(stage):
    stage.start_worker()
    users = f'ana:a,lia:{crypt(PASSWORD, "$5$rounds=1000$saltstring")},rui:c'
    api = start_loaded(stage, BASIC_AUTH_USERS=users, BASIC_AUTH_READONLY="lia, rui")
    for user in (f"lia:{PASSWORD}", "rui:c", f"lia:{PASSWORD}"):
        with Connection(api.port) as connection:
            for path in (CLEAR, "/cache/clear", "/cache/clear/", "/cache/clear?wait=nonsense"):
                response = connection.ask(path, "POST", user=user)
                assert (response.status, response.json()) == (403, READONLY)
            for path in ("/clientes", "/health-scores", "/dashboard", "/logins?tenant_id=1"):
                assert connection.ask(path, user=user).status == 200
            assert connection.ask(CLEAR, "OPTIONS", user=user).status == 204
            assert connection.ask(CLEAR, user=user).status == 405
    assert ask(api.port, CLEAR, "POST", user="rui:x").status == 401
    with Connection(api.port) as connection:  # refused before a body is looked at
        connection.send(request_bytes(CLEAR, "POST", user="rui:c", headers={"Content-Length": "1000000"}))
        assert connection.read().status == 403
        assert connection.is_closed()
    assert ask(api.port, CLEAR, "POST", user="ana:a").status == 202


# ---- Users read again


def start_from_file(stage, path, **settings):
    """An API that has its users from a file."""
    return start_loaded(stage, flags=["--env-file", path], BASIC_AUTH_USERS=None, **settings)


def write_file(path, *lines):
    with open(f"{path}.new", "w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in lines)
    os.replace(f"{path}.new", path)


def status_of(api, user, path="/dashboard", method="GET"):
    return ask(api.port, path, method, user=user).status


def test_users_read_again(stage, fleet):
    path = os.path.join(fleet.folder, "users.env")
    slow = crypt(PASSWORD, SLOW)
    write_file(path, f"BASIC_AUTH_USERS=ana:{slow},lia:a")
    api = start_from_file(stage, path, BASIC_AUTH_READONLY=None)
    wait_for(lambda: 'message="users taken" users=2 hashed=1 readonly=0' in api.log(), "it says so")
    assert (status_of(api, f"ana:{PASSWORD}"), status_of(api, "lia:a"), status_of(api, "rui:c")) == (200, 200, 401)
    write_file(path, f"BASIC_AUTH_USERS=rui:c,ana:{slow}", "BASIC_AUTH_READONLY=rui")
    with Connection(api.port) as connection:
        assert connection.ask("/dashboard", user="lia:a").status == 200
        before = verifications(api)
        api.process.signal(signal.SIGHUP)
        wait_for(lambda: 'message="users taken" users=2 hashed=1 readonly=1' in api.log(), "the users are read again")
        wait_for(lambda: status_of(api, "rui:c") == 200, "the loops have them")
        wait_for(lambda: connection.ask("/dashboard", user="lia:a").status == 401, "they are gone on old connections")
    after = verifications(api)
    assert status_of(api, "rui:c", CLEAR, "POST") == 403
    assert status_of(api, f"ana:{PASSWORD}") == 200
    assert verifications(api) == after, "whose hash is the same is known still"
    assert len(after) > len(before)


def test_users_of_the_environment_cannot_be_read_again(stage):
    """Which does not change while a program runs: whoever reloads it is told."""
    api = start_loaded(stage, BASIC_AUTH_USERS="ana:a")
    api.process.signal(signal.SIGHUP)
    wait_for(lambda: api.log().count('message="users taken"') == 2, "it was tried", 10)
    assert "level=warning" in api.log() and "BASIC_AUTH_USERS comes from the environment" in api.log()
    assert status_of(api, "ana:a") == 200


@pytest.mark.parametrize(
    "lines, error",
    [
        (["BASIC_AUTH_USERS=ana:hunter2,oops"], "BASIC_AUTH_USERS: entry 2: is not user:password"),
        (["BASIC_AUTH_USERS="], "BASIC_AUTH_USERS: is not set, and there is no default"),
        (["BASIC_AUTH_USERS=ana:hunter2", "BASIC_AUTH_READONLY=bia"], "BASIC_AUTH_READONLY: entry 1: names no user"),
        (["BASIC_AUTH_USERS=ana:hunter2", "API_THREADS=many"], "API_THREADS: is "),
        (None, 'users.env\\", takes a file that can be read: No such file or directory'),
    ],
)
def test_users_that_cannot_be_read_again(stage, fleet, lines, error):
    path = os.path.join(fleet.folder, "users.env")
    write_file(path, "BASIC_AUTH_USERS=ana:a")
    api = start_from_file(stage, path)
    if lines is None:
        os.remove(path)
    else:
        write_file(path, *lines)
    api.process.signal(signal.SIGHUP)
    wait_for(lambda: 'message="users were not read again; the old ones stay"' in api.log(), "it says so")
    assert error in api.log() and "hunter2" not in api.log()
    assert (status_of(api, "ana:a"), status_of(api, "ana:hunter2")) == (200, 401)
    write_file(path, "BASIC_AUTH_USERS=ana:b")
    api.process.signal(signal.SIGHUP)
    wait_for(lambda: status_of(api, "ana:b") == 200, "it is no obstacle to the next time")


def test_environment_wins_when_users_are_read_again(stage, fleet):
    path = os.path.join(fleet.folder, "users.env")
    write_file(path, "BASIC_AUTH_USERS=ana:file")
    api = start_loaded(stage, flags=["--env-file", path], BASIC_AUTH_USERS="ana:environment")
    api.process.signal(signal.SIGHUP)
    wait_for(lambda: api.log().count("users taken") == 2, "the users are read again")
    assert (status_of(api, "ana:environment"), status_of(api, "ana:file")) == (200, 401)


def test_requests_while_users_are_read_again(stage, fleet):
    """None fails, whoever is replaced by whom: ana is among them all the time."""
    path = os.path.join(fleet.folder, "users.env")
    lists = ["BASIC_AUTH_USERS=ana:a", "BASIC_AUTH_USERS=bia:b,ana:a,rui:c"]
    write_file(path, lists[0])
    api = start_from_file(stage, path)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask_often, api.port, 200) for _ in range(4)]
        for count in range(2, 32):
            write_file(path, lists[count % 2])
            api.process.signal(signal.SIGHUP)
            wait_for(lambda: api.log().count("users taken") >= count, "the users are read again")
        assert [future.result() for future in asked] == [{200}] * 4


def ask_often(port, times):
    with Connection(port) as connection:
        return {connection.ask("/dashboard", user="ana:a").status for _ in range(times)}


# ---- Guessing


@pytest.mark.parametrize("hashed", [False, True], ids=["in clear", "hashed"])
def test_guessing_is_slowed(stage, hashed):
    """When the budget of an address is used up, nothing is told to it, but to those who got in from there before."""
    password = crypt("a", "$5$rounds=1000$saltstring") if hashed else "a"
    api = start_loaded(stage, AUTH_FAILURES=5, BASIC_AUTH_USERS=f"ana:{password},lia:{password}")
    assert status_of(api, "lia:a") == 200
    guesses = [ask(api.port, "/dashboard", user=f"ana:{number}") for number in range(20)]
    assert [guess.status for guess in guesses[:5]] == [401] * 5
    assert [guess.status for guess in guesses[6:]] == [503] * 14  # the budget may have grown by one meanwhile
    assert guesses[-1].json() == THROTTLED and guesses[-1].header("Retry-After")
    assert status_of(api, "ana:a") == 503, "that it is right would be an answer to a guess"
    assert status_of(api, "lia:a") == 200
    assert ask(api.port, "/dashboard", user=None).status == 401, "nothing was guessed"
    assert ask(api.port, "/").status == 200
    assert api.process.stop() == 0
    [line] = re.findall(r'level=warning .*message="credentials were refused" (.*)', api.log())
    fields = dict(field.split("=") for field in line.split())
    assert int(fields["wrong"]) in (5, 6) and int(fields["wrong"]) + int(fields["not_looked_at"]) == 21
    assert (fields["addresses"], fields["worst_address"]) == ("1", "127.0.0.1")


@pytest.mark.parametrize("hashed", [False, True])
def test_guessing_without_end_is_told_nothing(stage, hashed):
    """Not even credentials that got in from there before: that they are right would be an answer, too. It passes."""
    password = crypt("a", "$5$rounds=1000$saltstring") if hashed else "a"
    api = start_loaded(stage, AUTH_FAILURES=60, BASIC_AUTH_USERS=f"ana:{password}")
    assert status_of(api, "ana:a") == 200
    with Connection(api.port) as connection:
        begin = time.monotonic()
        wrong = [connection.ask("/dashboard", "HEAD", user=f"ana:{number}").status for number in range(900)]
        right = []

        def mostly_refused():
            """More guesses, of which one a second is looked at, and the right password as often: with that, ten
            attempts a second get through, as somebody has got in with it from there."""
            right.clear()
            begin_right = time.monotonic()
            for number in range(900, 930):
                wrong.append(connection.ask("/dashboard", "HEAD", user=f"ana:{number}").status)
                right.append(connection.ask("/dashboard", "HEAD", user="ana:a").status)
            return time.monotonic() - begin_right < 2

        wait_for(mostly_refused, "thirty of each in less than two seconds", 60)
        took = time.monotonic() - begin
    assert set(wrong) == {401, 503} and wrong.count(401) <= 61 + took
    assert set(right) <= {200, 503} and right.count(200) <= 1 + 2 / 0.1
    assert ask(api.port, "/health", user=None).status == 200
    wait_for(lambda: status_of(api, "ana:a") == 200, "who got in before is heard again", 10)


def test_budget_is_out_of_the_way_unless_it_is_lowered(stage):
    """A client that goes on with an old password is told that it is wrong, and who shares its address gets in."""
    api = start_loaded(stage, BASIC_AUTH_USERS="ana:a")
    assert [status_of(api, f"ana:{number}") for number in range(200)] == [401] * 200
    assert status_of(api, "ana:a") == 200


def test_budget_fills_up_again(stage):
    api = start_loaded(stage, AUTH_FAILURES=60, BASIC_AUTH_USERS="ana:a")
    wait_for(lambda: status_of(api, "ana:x") == 503, "the budget is used up")
    wait_for(lambda: status_of(api, "ana:a") == 200, "a second later one attempt may be made", 10)


def test_many_guesses_at_once(stage):
    """What is under way counts."""
    api = start_loaded(stage, AUTH_FAILURES=4, BASIC_AUTH_USERS=f"ana:{crypt(PASSWORD, SLOW)}")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda number: status_of(api, f"ana:{number}"), range(16)))
    assert statuses.count(401) == 4 and statuses.count(503) == 12
    assert verifications(api) == ["wrong"] * 4


def test_guessing_behind_a_proxy(stage):
    api = start_loaded(stage, AUTH_FAILURES=3, TRUSTED_PROXIES="127.0.0.0/8", BASIC_AUTH_USERS="ana:a")

    def asked(client, user):
        return ask(api.port, "/dashboard", user=user, headers={"X-Forwarded-For": client}).status

    for number in range(8):  # what stands in front of the address that the proxy saw is anybody's invention
        asked(f"203.0.113.{number}, 198.51.100.7", "ana:x")
    assert asked("198.51.100.7", "ana:a") == 503
    assert asked("198.51.100.8", "ana:a") == 200
    assert asked("2001:db8::1", "ana:a") == 200
    assert status_of(api, "ana:a") == 200, "the proxy itself has guessed nothing"


def test_forwarded_addresses_of_strangers_are_not_believed(stage):
    api = start_loaded(stage, AUTH_FAILURES=3, TRUSTED_PROXIES="192.0.2.1", BASIC_AUTH_USERS="ana:a")
    statuses = [
        ask(api.port, "/dashboard", user="ana:x", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status
        for number in range(8)
    ]
    assert statuses[-1] == 503 and status_of(api, "ana:a") == 503


def test_unknown_users_take_as_long(stage):
    """A hash is computed for each failure, and only one, whoever it is for. Of some tries the quickest counts: other
    work on the machine may make a computation slower, never quicker."""
    hashes = crypt(PASSWORD, "$6$rounds=300000$saltstring")
    api = start_loaded(stage, BASIC_AUTH_USERS=f"ana:{hashes},bia:{hashes},lia:clara", AUTH_FAILURES=1000)
    wrong = "x" * len(PASSWORD.encode())  # a longer one may take longer
    users = [
        f"ana:{wrong}",
        f"bia:{wrong}",
        f"lia:{wrong}",
        f"nobody:{wrong}",
        f":{wrong}",
        f"nobody:{PASSWORD}",
        f"lia:{PASSWORD}",
    ]
    quickest, rounds = dict.fromkeys(users, float("inf")), []

    def take_as_long():
        rounds.append(users)
        for user in users:
            before = processor_s(api.process.pid)
            assert status_of(api, user) == 401
            quickest[user] = min(quickest[user], processor_s(api.process.pid) - before)
        return 0 < max(quickest.values()) < 1.5 * min(quickest.values())

    wait_for(take_as_long, "each takes as long as the others", 60, 0)
    assert len(re.findall("credentials verified", api.log())) == len(rounds) * len(users)


# ---- What never shows

SECRETS = ("hunter2", "segredo-errado", "aHVudGVyMg", "c2VncmVkby1lcnJhZG8", "$6$")


def test_redis_that_repeats_what_it_is_sent(stage, fleet):
    """One that does not know AUTH tells so with all its words, the password among them."""
    redis = new_redis(fleet, password="", options=['rename-command AUTH ""'])
    url = f"redis://default:hunter2@{redis.host}:{redis.port}/0"
    api = stage.start_api(REDIS_URL=url)
    wait_for(lambda: "AUTH is refused: ERR" in api.log(), "the API has met it", 10)
    said = api.log()
    for program in (API, WORKER):
        done = stage.run(program, "--check", REDIS_URL=url)
        assert done.returncode == 1 and "FAIL redis: Redis: AUTH is refused: ERR" in done.stdout
        said += done.stdout + done.stderr
    assert "hunter2" not in said


def test_logs_hold_no_secret(stage, fleet):
    """At the finest level, with right, wrong, unknown and garbled credentials."""
    users = f'ana:{crypt("hunter2", "$6$saltstring")},lia:hunter2'
    for level, form in (("debug", "text"), ("debug", "json")):
        api = start_loaded(stage, LOG_LEVEL=level, LOG_FORMAT=form, AUTH_FAILURES=3, BASIC_AUTH_USERS=users)
        for user in ("ana:hunter2", "lia:hunter2", "ana:segredo-errado", "nobody:segredo-errado", "segredo-errado:x"):
            status_of(api, user)
        for header in (basic("ana:hunter2") + "!", "Bearer hunter2", "Basic hunter2", basic("hunter2")):
            ask(api.port, "/dashboard", user=None, headers={"Authorization": header})
        with Connection(api.port) as connection:
            connection.send(b"GET /dashboard HTTP/1.1\r\nAuthorization: " + basic("ana:hunter2").encode() + b"\r\n\r\n")
            assert connection.read().status == 400
        api.process.signal(signal.SIGHUP)
        wait_for(lambda: api.log().count("users taken") == 2, "the users are read again")
        api.process.stop()
        for secret in SECRETS:
            assert secret not in api.log(), secret


def start_as_nobody(stage, argv, folder, **changes):
    """A program of a user who is not root, beside which others of that user can be tried. It may leave a core dump."""
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    return subprocess.Popen(
        argv,
        env=stage.environment(**changes),
        cwd=folder,
        user=65534,
        group=65534,
        extra_groups=[],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, limits),
    )


def leaves_core(process):
    """Whether there is a core dump of it when it aborts."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


LOOK = 'import sys; open(f"/proc/{sys.argv[1]}/{sys.argv[2]}", "rb").read(1)'


def can_read(process, name):
    """Whether another process of the same user may."""
    looked = subprocess.run(
        ["/usr/bin/python3", "-c", LOOK, str(process.pid), name],
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return looked.returncode == 0


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start programs as somebody else")
# Builds for sanitizers leave their memory open: LeakSanitizer needs to look at it.
needs_hidden = pytest.mark.skipif(is_sanitizer_build(), reason="a build for a sanitizer")


@needs_root
@needs_hidden
@pytest.mark.parametrize("program", [API, WORKER], ids=["api", "worker"])
def test_memory_is_hidden(stage, fleet, program):
    """Neither others of the same user nor a core dump get at what is in memory and environment; a program that does not
    hide it shows that they could."""
    folder = os.path.join(fleet.folder, os.path.basename(program))
    program = shutil.copy(program, f"{folder}-copy")  # nobody may have no way into the checkout
    control = start_as_nobody(stage, ["/bin/sleep", "60"], f"{folder}-control")
    process = start_as_nobody(stage, [program], folder, PORT=free_port())
    try:
        assert can_read(control, "environ") and can_read(control, "maps")
        wait_for(lambda: not can_read(process, "environ"), "its memory is closed", 20)
        assert process.poll() is None
        for name in ("environ", "maps", "mem", "auxv"):
            assert not can_read(process, name), name
        with open(f"/proc/{process.pid}/cmdline", encoding="utf-8") as shown:
            assert shown.read() == program + "\0"
        assert not leaves_core(process) and os.listdir(folder) == []
        if not leaves_core(control):
            pytest.skip("this system writes no core dumps at all: that there is none of ours tells nothing")
    finally:
        for started in (control, process):
            if started.returncode is None:
                started.kill()
                started.wait()
