"""The matrix of docs/reliability.md, cell by cell: what stored blobs are like × what has become of the stores × each
question. The document is read, not repeated: a cell that is wrong there fails here."""

import concurrent.futures
import contextlib
import os

import pytest

from http_client import ask
from service import ROOT, Redis, Stage, prepare_counter, unique, wait_for
from serving import start_loaded

PATIENCE_S = 30
NEW, OLD = 2, 1  # the numbers that the newest generation and the one before it show
MONTH = "data_adesao_inicio=2023-12-01&data_adesao_fim=2023-12-31"
WEEK = "data_adesao_inicio=2023-12-25&data_adesao_fim=2024-01-01"
DOCUMENTS = ("/clientes", "/health-scores?formato=plano", "/health-scores?formato=detalhado", "/dashboard")
ASKED, NOT_ASKED = "/logins?tenant_id=2", "/logins?tenant_id=3"
QUESTIONS = {  # column of the document: paths
    "whole": DOCUMENTS,
    "bucket": [f'{path}{"&" if "?" in path else "?"}{MONTH}' for path in DOCUMENTS],
    "other dates": [f'{path}{"&" if "?" in path else "?"}{WEEK}' for path in DOCUMENTS],
    "logins, asked before": [ASKED],
    "logins, not asked before": [NOT_ASKED],
}
HEADLINE = ["blobs", "stores", *QUESTIONS, "`/health`", "`/cache/clear`"]
STORES = {"PostgreSQL": "postgres", "MySQL": "mariadb", "Redis": "redis"}


# ---- The document


def rows_of_the_document():
    """{(blobs, stores): {column: cell}}, with the alternatives of each row spelled out."""
    with open(os.path.join(ROOT, "docs/reliability.md"), encoding="utf-8") as document:
        lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in document if line.startswith("|")]
    start = lines.index(HEADLINE) + 2
    rows = {}
    for line in lines[start:]:
        if len(line) != len(HEADLINE):
            break
        for blobs in alternatives(line[0]):
            for stores in alternatives(line[1]):
                assert (blobs, stores) not in rows, (blobs, stores)
                rows[blobs, stores] = dict(zip(HEADLINE[2:], line[2:]))
    return rows


def alternatives(cell):
    """A row "Redis slow, refusing, gone" stands for three."""
    subject, colon, words = cell.partition(": ")
    return [f"{subject}: {word}" for word in words.split(", ")] if colon else [cell]


ROWS = rows_of_the_document()
BLOBS = list(dict.fromkeys(blobs for blobs, _ in ROWS))
STORE_STATES = list(dict.fromkeys(stores for _, stores in ROWS))


def test_the_matrix_is_whole():
    states = [f"{store}: {state}" for store in STORES for state in ("slow", "refusing", "gone")]
    assert STORE_STATES == ["all well", *states, "all gone"]
    ways = ("another's", "corrupt", "none")
    damage = [f"{what}: {how}" for what in ("stored answers", "rows", "logins") for how in ways]
    assert BLOBS == ["fresh", "stale", "too old", *damage, "no generation"]
    assert set(ROWS) == {(blobs, stores) for blobs in BLOBS for stores in STORE_STATES}


# ---- What blobs are like


@pytest.fixture(scope="module")
def data(fleet):
    """Twenty clients, a tenant that they share, and two with logins that are always in the window: nothing depends on
    today."""
    prepare_counter(fleet, "matrix", clients=20)
    fleet.mariadb.execute(
        "INSERT INTO tenants (id, name, slug) VALUES (2, 'b', 'b'), (3, 'c', 'c');"
        "INSERT INTO activity_log (tenant_id, event, created_at) VALUES"
        " (2, 'login', '2037-01-01 12:00:00'), (3, 'login', '2037-01-01 12:00:00')",
        "ecosys_matrix",
    )
    return "matrix"


def keys_of(stage, generation, what):
    """The keys that a kind of damage is done to."""
    if what == "stored answers":
        prefix = stage.generation_key(generation, "answer:")
        return [key for key in stage.keys() if key.startswith(prefix)]
    return [stage.generation_key(generation, {"rows": "manifest", "logins": "logins"}[what])]


def damage(stage, old, new, what, how):
    for key in keys_of(stage, new, what):
        if how == "none":
            stage.command("DEL", key)
        elif how == "corrupt" and what == "logins":
            for tenant in (2, 3):
                stage.command("HSET", key, f"{tenant}:0", "garbage")
        elif how == "corrupt":
            stage.command("SETRANGE", key, 25, b"\xc1\xc1\xc1")
        else:
            take_anothers(stage, key, old, what)


def take_anothers(stage, key, old, what):
    """Sound blobs in the wrong place: another filter's answer, another generation's manifest, another tenant's
    logins."""
    if what == "logins":
        two, three = stage.command("HMGET", key, "2:0", "3:0")
        stage.command("HSET", key, "2:0", three, "3:0", two)
    elif what == "rows":
        stage.command("COPY", stage.generation_key(old, "manifest"), key, "REPLACE")
    else:
        answers = keys_of(stage, old, what)
        other = answers[0] if not key.endswith(answers[0].rpartition("answer:")[2]) else answers[1]
        stage.command("COPY", other, key, "REPLACE")


class Cell:
    """A service whose blobs are in one of the states, before anything happens to the stores."""

    def __init__(self, fleet, data, redis, blobs):
        self.blobs = blobs
        self.what, _, self.how = blobs.partition(": ")
        self.stage = Stage(
            fleet,
            data,
            redis,
            REFRESH_INTERVAL=0,
            DB_CONNECT_TIMEOUT=3,
            LEASE_TIME=3,
            REDIS_TIMEOUT_MS=1000,
            API_THREADS=1,
        )
        self.old = None if blobs == "no generation" else self.stage.publish("--once")
        self.api = start_loaded(self.stage) if self.what == "rows" else None
        if self.api:
            assert ask(self.api.port, ASKED).status == 200
            self.api.process.pause()  # it is not to see the newer one before the damage

    def refresh(self):
        """The newer generation, by a worker that stays."""
        self.worker = self.stage.start_worker()

    def set_up(self):
        self.new = wait_for(lambda: (now := self.stage.pointer()) != self.old and now, "the newer one", PATIENCE_S)
        if self.how:
            damage(self.stage, self.old, self.new, self.what, self.how)
        if self.blobs == "no generation":
            self.stage.command("DEL", f"{self.stage.prefix}:current")
        self.start_api()
        self.shown = OLD if self.what == "rows" else NEW
        self.generation = self.old if self.what == "rows" else self.new

    def start_api(self):
        if self.api:
            self.api.process.resume()
            wait_for(lambda: "cannot be loaded" in self.api.log(), "the newer generation is refused", PATIENCE_S)
            return
        old = {"CACHE_TTL_CLIENTES": 1, "CACHE_TTL_HEALTH_SCORES": 1}
        settings = {"stale": old, "too old": {**old, "CACHE_MAX_STALE": 1}}
        self.api = self.stage.start_api(**settings.get(self.blobs, {}))
        if self.blobs != "no generation":
            wait_for(lambda: self.health()["generation"] == self.new, "it is loaded", PATIENCE_S)
            if self.blobs != "too old":
                ask(self.api.port, ASKED)
        states = {"stale": ("healthy", True), "too old": ("unhealthy", True), "no generation": ("unhealthy", True)}
        expected = states.get(self.blobs, ("healthy", False))
        wait_for(
            lambda: (self.health()["status"], self.health()["stale"]) == expected,
            f"the blobs are {self.blobs}",
            PATIENCE_S,
        )

    def health(self):
        return ask(self.api.port, "/health").json()

    def wait_for_trouble(self):
        wait_for(lambda: self.health()["redis_connection"] == "error", "the API notices", PATIENCE_S)

    # ---- What the document says

    def check_answers(self, expected, bodies):
        """bodies: {(number, path): body}, which all services agree on."""
        for column, paths in QUESTIONS.items():
            for path in paths:
                self.check_answer(expected[column], path, bodies)

    def check_answer(self, expected, path, bodies):
        response = ask(self.api.port, path)
        where = (self.blobs, path, response)
        words = expected.split()
        assert response.status == int(words[0]), where
        if response.status != 200:
            assert words == ["503"] and response.header("Retry-After"), where
            assert response.header("X-Generation") is None, where
            return
        assert words == ["200", response.header("X-Cache")], where
        assert response.header("X-Generation") == str(self.generation), where
        age_s = int(response.header("Age"))
        assert 0 <= age_s <= self.health()["age_s"] and (age_s > 1 or self.blobs != "stale"), where
        assert bodies.setdefault((self.shown, path), response.body) == response.body, where
        again = ask(self.api.port, path)
        assert again.header("X-Cache") == "HIT" and again.body == response.body, where

    def check_health(self, expected):
        """Such as "200 degraded" or "200 healthy mysql", and which generation."""
        code, status, *last_error = expected.split()

        def told():
            response = ask(self.api.port, "/health")
            document = response.json()
            return (response.status, document["status"], document["worker"]["last_error"])

        wanted = (int(code), status, last_error[0] if last_error else None)
        wait_for(lambda: told() == wanted, f"{self.blobs}: /health says {wanted}", PATIENCE_S)
        document = self.health()
        assert document["generation"] == (None if self.blobs == "no generation" else self.generation), document
        assert document["stale"] == (self.blobs in ("stale", "too old", "no generation")), document
        assert document["worker"]["alive"] == (document["redis_connection"] == "ok"), document

    def check_clear(self, expected):
        response = ask(self.api.port, "/cache/clear", method="POST")
        assert response.status == int(expected), (self.blobs, response)
        if response.status == 200 and self.blobs != "too old":
            answer = ask(self.api.port, "/clientes")
            assert answer.header("X-Generation") == str(response.json()["generation"]), (self.blobs, answer)

    def must_be_well(self, bodies):
        """Without a hand: the next generation has all blobs."""
        wait_for(lambda: ask(self.api.port, "/cache/clear", method="POST").status == 200, "a refresh", PATIENCE_S)
        if self.blobs == "too old":
            return  # it soon is again, with a limit of a second
        self.shown = NEW
        for path in (path for paths in QUESTIONS.values() for path in paths):
            wait_for(lambda asked=path: self.is_as_ever(asked, bodies), f"{path} is as ever", PATIENCE_S)
        wait_for(lambda: self.health()["status"] == "healthy", "/health says so", PATIENCE_S)

    def is_as_ever(self, path, bodies):
        response = ask(self.api.port, path)
        return response.status == 200 and response.body == bodies.get((NEW, path), response.body)


# ---- What becomes of the stores


@contextlib.contextmanager
def slow(fleet, redis, name):
    """It stands still for longer than anybody waits."""
    server = redis if name == "redis" else getattr(fleet, name)
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextlib.contextmanager
def refusing(fleet, redis, name):
    set_password(fleet, redis, name, "another")
    try:
        yield
    finally:
        set_password(fleet, redis, name, fleet.password)


def set_password(fleet, redis, name, password):
    if name == "postgres":
        fleet.postgres.execute(f"ALTER ROLE {fleet.READER} PASSWORD '{password}'")
    elif name == "mariadb":
        fleet.mariadb.execute(f"ALTER USER '{fleet.READER}'@'127.0.0.1' IDENTIFIED BY '{password}'")
    else:
        redis.command("CONFIG", "SET", "requirepass", password)
        redis.password = password
        redis.command("CLIENT", "KILL", "TYPE", "normal")
        redis.command("CLIENT", "KILL", "TYPE", "pubsub")


@contextlib.contextmanager
def gone(fleet, redis, *names):
    servers = [redis if name == "redis" else getattr(fleet, name) for name in names]
    for server in servers:
        server.kill()
    try:
        yield
    finally:
        for server in servers:
            server.start()


def break_stores(fleet, redis, state):
    if state == "all well":
        return contextlib.nullcontext()
    if state == "all gone":
        return gone(fleet, redis, *STORES.values())
    store, how = state.split(": ")
    return {"slow": slow, "refusing": refusing, "gone": gone}[how](fleet, redis, STORES[store])


def side_by_side(cells, function):
    with concurrent.futures.ThreadPoolExecutor(len(cells)) as pool:
        for done in [pool.submit(function, cell) for cell in cells]:
            done.result()


@pytest.mark.parametrize("state", STORE_STATES)
def test_cells(fleet, data, state):
    redis = fleet.add(Redis, unique("redis"), password=fleet.password).start()
    stage = Stage(fleet, data, redis)
    stage.set_counter(OLD)
    cells = [Cell(fleet, data, redis, blobs) for blobs in BLOBS]
    stage.set_counter(NEW)
    for cell in cells:
        cell.refresh()
    for cell in cells:
        cell.set_up()
    bodies = {}
    with break_stores(fleet, redis, state):
        if ROWS["fresh", state]["`/health`"] == "200 degraded":
            side_by_side(cells, Cell.wait_for_trouble)
        for cell in cells:
            cell.check_answers(ROWS[cell.blobs, state], bodies)
        is_well = state == "all well"
        if is_well:
            side_by_side(cells, lambda cell: cell.check_health(ROWS[cell.blobs, state]["`/health`"]))
        side_by_side(cells, lambda cell: cell.check_clear(ROWS[cell.blobs, state]["`/cache/clear`"]))
        if not is_well:
            side_by_side(cells, lambda cell: cell.check_health(ROWS[cell.blobs, state]["`/health`"]))
    side_by_side(cells, lambda cell: cell.must_be_well(bodies))
    assert {number for number, _ in bodies} == {OLD, NEW}
