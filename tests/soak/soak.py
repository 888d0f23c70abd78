"""scripts/soak: worker and API under load, refreshes every few seconds, and faults of every part, as long as wanted.

Two workers and two APIs serve changing data. Of each pair one is never killed: its memory is watched. Readers ask every
endpoint all the time, and each 200 is compared with the generation that it names (truth.py). One fault after another,
sometimes two at once, befalls a part; then everything has to become healthy by itself. Exit status: 0 when no answer
was wrong, nothing stayed ill and no other status came than may come; 1 when one did; 2 wrong usage.
"""

import argparse
import collections
import contextlib
import json
import os
import random
import sys
import threading
import time
from datetime import datetime, timedelta

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "integration"))
import oracle  # noqa: E402 (found through the line above)
import service  # noqa: E402
from http_client import CSV_TYPE, MSGPACK, Connection, ask  # noqa: E402
from part_faults import Faults  # noqa: E402
from service import ServerError, Stage, prepare_sample, wait_for  # noqa: E402
from truth import ZONE, Change, Question, Truth, Wrong  # noqa: E402

READERS = 5
CHANGE_S, CLEAR_S, SAMPLE_S = 0.5, 7, 5
HEALTHY_S = 60  # at most, from the end of a fault; a worker that failed again and again waits longer before each try
REST_S = 0.5  # in which logins that waited for a Redis that did not answer, and whoever joined them, are told so
SHOWN = 20  # wrong answers
LEAK_MIN_S, LEAK_MIB = 600, 8  # a shorter run is too short to tell growth from warming up; how much is noise
MARKED_CLIENT, MARKED_TENANT = 99_999_999, 9_999_999
WORKER = {
    "REFRESH_INTERVAL": 2,
    "LEASE_TIME": 3,
    "DB_CONNECT_TIMEOUT": 2,
    "SNAPSHOT_TIMEOUT": 10,
    "REDIS_TIMEOUT_MS": 1000,
}
API = {"REDIS_TIMEOUT_MS": 1000, "API_THREADS": 2, "CACHE_MEMORY": 32 << 20}
TABLES = ("/clientes", "/health-scores")  # which there is a CSV of
DOCUMENTS = (*TABLES, "/dashboard")
ROUTES = {"/": 1, "/health": 3, "/logins": 10, **dict.fromkeys(DOCUMENTS, 28)}  # and how often readers ask for each
GREETING = {"message": "API de Gestão de Clientes está no ar!"}
REMEMBERED = 300  # answers, by each reader
# What /cache/clear may answer while a part is ill, besides 200 and 202.
CLEAR_FAILURES = (502, 503, 504)


class Part:
    """A program that serves or publishes, and what may be asked of it now."""

    def __init__(self, process, port=None):
        self.process, self.port = process, port
        self.is_eternal = True
        self.life = 0  # counts its starts and ends: it is down in odd ones
        self.loaded_s = None  # when it first answered with data in this life
        self.newest = 0  # generation that it has answered from, to whomever
        self.rss = []  # (seconds since the beginning, bytes)

    def restart(self, how):
        self.life += 1
        how()
        self.process.start()
        self.loaded_s = None
        self.life += 1

    def is_up_since(self, life):
        return self.life == life and life % 2 == 0

    def sample(self, at_s):
        with contextlib.suppress(OSError, TypeError, IndexError):
            with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
                self.rss.append((at_s, int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")))


class Model:
    """The scoring model that the workers read, and what stands in its place for a while."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "model.json")
        with open(service.SCORING, encoding="utf-8") as f:
            self._good = f.read()
        self.restore()

    def _write(self, text):
        with open(f"{self.path}.new", "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(f"{self.path}.new", self.path)

    def spoil(self):
        self._write(self._good[: len(self._good) // 2])

    def restore(self):
        self._write(self._good)


class World:
    """All parts, what befell them, and what was seen."""

    def __init__(self, fleet, seed, minutes):
        self.fleet, self.rng = fleet, random.Random(seed)
        prepare_sample(fleet, "soak", "--tenants", "300", "--clients", "400", as_of=None)
        self.redis = service.new_redis(fleet)
        self.stage = Stage(fleet, "soak", redis=self.redis)
        self.model = Model(fleet.folder)
        self.stop = threading.Event()
        self.began_s = time.monotonic()
        self.statuses = collections.Counter()  # (endpoint, status)
        self.sources = collections.Counter()
        self.wrong, self.wrong_count = [], 0
        self.ill = 0  # faults that are not known to be over
        self.ill_ended_s = 0
        self._lock = threading.Lock()
        self._add_marked()
        self.truth = Truth(MARKED_CLIENT, MARKED_TENANT, self._opinions(minutes))
        self.workers = [Part(self.stage.start_worker(**WORKER, SCORING_MODEL=self.model.path)) for _ in range(2)]
        self.apis = [Part(api.process, api.port) for api in (self.stage.start_api(**API) for _ in range(2))]
        self.workers[1].is_eternal = self.apis[1].is_eternal = False
        self.await_health(0)

    def _add_marked(self):
        self.stage.kommo(
            "INSERT INTO companies_kommo VALUES (99999999, 'Marco', 'Marco Ltda', 11222333000181);"
            "INSERT INTO clientes_kommo (id, company_id, valor, pipeline_id, data_adesao) SELECT "
            f"{MARKED_CLIENT}, 99999999, 0, id, timestamp '2024-01-01' FROM pipelines"
            " WHERE name = 'CS | ONGOING'"
        )
        self.stage.ecosys(
            "INSERT INTO tenants (id, name, cnpj, slug, type) VALUES "
            f"({MARKED_TENANT}, '0', '11222333000181', 'marco', 'normal')"
        )

    def _opinions(self, minutes):
        """The second implementation's, for each day that the soak may see."""
        now = datetime.now(ZONE).replace(tzinfo=None)
        instants = [now + timedelta(days=days) for days in range(int(minutes / 1440) + 3)]
        clients = self.fleet.postgres.client("kommo_soak"), self.fleet.mariadb.client("ecosys_soak")
        return {instant.date(): oracle.Oracle(*clients, instant) for instant in instants}

    def fault_since(self, instant_s):
        """Whether something was ill at any time since then."""
        with self._lock:
            return self.ill > 0 or self.ill_ended_s >= instant_s

    @contextlib.contextmanager
    def illness(self):
        with self._lock:
            self.ill += 1
        try:
            yield
        finally:
            with self._lock:
                self.ill -= 1
                self.ill_ended_s = time.monotonic()

    def note(self, endpoint, status, source=None):
        with self._lock:
            self.statuses[endpoint, status] += 1
            if source:
                self.sources[source] += 1

    def note_wrong(self, what):
        with self._lock:
            self.wrong_count += 1
            if len(self.wrong) < SHOWN:
                self.wrong.append(f"{time.monotonic() - self.began_s:.1f} s: {what}")
                print(f"WRONG {self.wrong[-1]}", file=sys.stderr, flush=True)

    def count(self):
        with self._lock:
            return sum(self.statuses.values())

    def health(self, api):
        try:
            return ask(api.port, "/health").json()
        except (OSError, EOFError, AssertionError):
            return {}

    def await_health(self, generation):
        """Seconds until every API serves a later generation and says that all is well."""
        began_s = time.monotonic()

        def is_healthy(api):
            said = self.health(api)
            return (
                said.get("status") == "healthy"
                and not said["stale"]
                and said["generation"] > generation
                and said["worker"] == {"alive": True, "last_error": None}
            )

        for api in self.apis:
            wait_for(lambda api=api: is_healthy(api), f"the API at {api.port} says that all is well", HEALTHY_S, 0.1)
        return time.monotonic() - began_s

    def generation(self):
        return max(self.health(api).get("generation") or 0 for api in self.apis)


# ---- Who goes on all the time


class Changer:
    """Writes a marker into both databases, one after the other, and changes something else each time."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng

    def run(self):
        marker = 0
        while not self.world.stop.wait(CHANGE_S):
            marker += 1
            self.world.truth.begin_change(marker)
            began_s = time.time()
            self._insist(
                self.world.stage.kommo, f"UPDATE clientes_kommo SET valor = {marker} WHERE id = {MARKED_CLIENT}"
            )
            self._insist(self.world.stage.ecosys, f"UPDATE tenants SET name = '{marker}' WHERE id = {MARKED_TENANT}")
            self.world.truth.end_change(Change(began_s, time.time(), marker))
            self._insist(*self.rng.choice([self._client, self._move, self._lead])())

    def _insist(self, execute, sql):
        while not self.world.stop.is_set():
            with contextlib.suppress(ServerError):
                execute(sql)
                return
            self.world.stop.wait(0.1)

    def _client(self):
        return self.world.stage.kommo, (
            f"UPDATE clientes_kommo SET valor = coalesce(valor, 0) + 0.01 WHERE id % 97 ="
            f" {self.rng.randrange(97)} AND id <> {MARKED_CLIENT}"
        )

    def _move(self):
        return self.world.stage.kommo, (
            f"UPDATE clientes_kommo SET data_adesao = data_adesao + interval '{self.rng.choice((-1, 1))} day',"
            f" pipeline_id = (SELECT id FROM pipelines ORDER BY random() LIMIT 1) WHERE id % 89 ="
            f" {self.rng.randrange(89)} AND id <> {MARKED_CLIENT}"
        )

    def _lead(self):
        return self.world.stage.ecosys, (
            f"INSERT INTO cards (tenant_id, created_at) SELECT id, NOW() FROM tenants"
            f" WHERE id % 50 = {self.rng.randrange(50)}"
        )


class Clearer:
    """POST /cache/clear now and then: with all parts well, it must succeed, and what it made is served."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng

    def run(self):
        while not self.world.stop.wait(CLEAR_S):
            api, query = self.rng.choice(self.world.apis), self.rng.choice(["", "", "?wait=false"])
            began_s, life = time.monotonic(), api.life
            try:
                with Connection(api.port) as link:
                    link.socket.settimeout(90)
                    response = link.ask(f"/cache/clear{query}", method="POST")
                    self.world.note("/cache/clear", response.status)
                    self._check(api, life, response, began_s)
            except (OSError, EOFError) as error:
                if api.is_up_since(life):
                    self.world.note_wrong(f"/cache/clear: {error!r}")

    def _check(self, api, life, response, began_s):
        if response.status == 200:
            served = self.world.health(api).get("generation")
            if served is not None and served < response.json()["generation"] and api.is_up_since(life):
                self.world.note_wrong(f'/cache/clear made {response.json()["generation"]}, {served} is served')
        elif response.status != 202 and not (response.status in CLEAR_FAILURES and self.world.fault_since(began_s)):
            self.world.note_wrong(f"/cache/clear: {response}")


class Link:
    """A reader's connection to one life of an API."""

    def __init__(self, api):
        self.life = api.life
        self.connection = Connection(api.port)


class Reader:
    """Asks for anything, of both APIs, and knows what it was told."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.links = {}  # by port
        self.known = collections.OrderedDict()  # (port, path, headers): (ETag, content)

    def run(self):
        while not self.world.stop.is_set():
            api = self.rng.choice(self.world.apis)
            method, path, headers = self._question()
            began_s, life, newest = time.monotonic(), api.life, api.newest
            try:
                response = self._ask(api, life, method, path, headers)
            except (OSError, EOFError) as error:
                self._drop(api)
                if api.is_up_since(life):
                    self.world.note_wrong(f"{path} of the API at {api.port}: {error!r}")
                continue
            except AssertionError as error:
                self.world.note_wrong(f"{path}: {error}")
                self._drop(api)
                continue
            try:
                self._judge(api, life, newest, method, path, headers, response, began_s)
            except Wrong as error:
                self.world.note_wrong(f"{error}; {method} {path}, {response.headers}")
            except Exception as error:  # what cannot be read at all is wrong, too
                self.world.note_wrong(f"{error!r}; {method} {path}, {response.headers}")
            if response.header("Connection") == "close":
                self._drop(api)

    def _question(self):
        """(method, path, headers)"""
        route = self.rng.choices(list(ROUTES), ROUTES.values())[0]
        query, headers = [], {}
        if route == "/logins":
            query.append(f"tenant_id={self.rng.choice((1, 2, 3, 5, 8, MARKED_TENANT))}")
        elif route in DOCUMENTS and self.rng.random() < 0.5:
            query.append(self._dates())
        shape = self.rng.choices([None, MSGPACK, "text/csv", "formato=csv", "formato=detalhado"], [80, 5, 5, 5, 5])[0]
        if shape == "formato=detalhado" and route == "/health-scores" or shape == "formato=csv" and route in TABLES:
            query.append(shape)
        elif shape == MSGPACK and route in (*DOCUMENTS, "/logins") or shape == "text/csv" and route in TABLES:
            headers["Accept"] = shape
        encoding = self.rng.choice([None, None, "gzip", "zstd"])
        if encoding:
            headers["Accept-Encoding"] = encoding
        method = "HEAD" if self.rng.random() < 0.05 else "GET"
        return method, route + ("?" + "&".join(query) if query else ""), headers

    def _dates(self):
        year, month, day = self.rng.randint(2022, 2026), self.rng.randint(1, 12), self.rng.randint(1, 28)
        return self.rng.choice(
            [
                f"data_adesao_inicio={year}-01-01&data_adesao_fim={year}-12-31",
                f"data_adesao_inicio={year}-{month:02}-{day:02}",
                f"data_adesao_fim={year}-{month:02}-{day:02}",
            ]
        )

    def _ask(self, api, life, method, path, headers):
        if api.port not in self.links or self.links[api.port].life != life:
            self._drop(api)
            self.links[api.port] = Link(api)
        known = self.known.get((api.port, path, *headers.values()))
        tag = {"If-None-Match": known[0]} if known and self.rng.random() < 0.3 else {}
        return self.links[api.port].connection.ask(path, method=method, headers={**headers, **tag})

    def _drop(self, api):
        link = self.links.pop(api.port, None)
        if link is not None:
            link.connection.socket.close()

    def _judge(self, api, life, newest, method, path, headers, response, began_s):
        self.world.note(path.split("?")[0], response.status, response.header("X-Cache"))
        if response.status not in (200, 304):
            if api.is_up_since(life):
                self._judge_failure(api, path, response, began_s)
        elif path == "/":
            if method == "GET" and response.json() != GREETING:
                raise Wrong("another greeting")
        elif path == "/health":
            if method == "GET" and response.json()["status"] not in ("healthy", "degraded"):
                raise Wrong(f'{response.json()["status"]} with 200')
        else:
            self._judge_data(api, newest, method, path, headers, response)
        if path != "/" and response.status in (200, 304) and api.is_up_since(life):
            api.loaded_s = api.loaded_s or time.monotonic()

    def _judge_data(self, api, newest, method, path, headers, response):
        key = api.port, path, *headers.values()
        tag, generation = response.header("ETag"), int(response.header("X-Generation"))
        if generation < newest:
            raise Wrong(f"generation {generation} behind {newest}")
        api.newest = max(api.newest, generation)
        if response.status == 304:
            if tag != self.known[key][0]:
                raise Wrong("304 with another ETag")
            content = self.known[key][1]
        else:
            content = response.content() if method == "GET" else None
        if content is not None:
            self.known[key] = tag, content
            self.known.move_to_end(key)
            if len(self.known) > REMEMBERED:
                self.known.popitem(last=False)
        media = {MSGPACK: MSGPACK, "text/csv": CSV_TYPE}.get(headers.get("Accept"))
        if "formato=csv" in path:
            media = CSV_TYPE
        if response.status == 200 and response.header("Content-Type") != (media or "application/json"):
            raise Wrong(f'{media or "JSON"} was asked for')
        if not path.startswith("/logins") and not self.world.truth.knows(generation):
            self._learn(api)
        self.world.truth.check(generation, Question(path, media), tag, content)

    def _learn(self, api):
        """Both unfiltered documents of what is served now."""
        for path in ("/clientes", "/health-scores"):
            with contextlib.suppress(OSError, EOFError):
                response = ask(api.port, path)
                self.world.note(path, response.status)
                if response.status == 200:
                    self.world.truth.check(
                        int(response.header("X-Generation")),
                        Question(path, None),
                        response.header("ETag"),
                        response.content(),
                    )

    def _judge_failure(self, api, path, response, began_s):
        is_without_data = api.loaded_s is None or began_s < api.loaded_s
        is_without_redis = path.startswith("/logins") and self.world.fault_since(began_s - REST_S)
        is_load = not api.is_eternal and is_without_data and path != "/"
        if response.status != 503 or not response.header("Retry-After") or not (is_load or is_without_redis):
            raise Wrong(f"status {response.status}")


def soak(world, minutes, befell):
    """Adds (faults, seconds until all was well) to befell."""
    faults = Faults(world)
    until_s = time.monotonic() + minutes * 60
    while time.monotonic() < until_s:
        chosen = faults.pick()
        with world.illness():
            with contextlib.ExitStack() as stack:
                for fault in chosen:
                    stack.enter_context(fault(faults))
                faults.hold()
            took_s = world.await_health(world.generation())
        befell.append(([fault.__name__ for fault in chosen], round(took_s, 2)))
        print(
            f"{time.monotonic() - world.began_s:6.0f} s  {world.count():8} answers, {world.wrong_count} wrong;"
            f' {" and ".join(befell[-1][0])}: well after {took_s:.1f} s',
            file=sys.stderr,
            flush=True,
        )
        faults.hold()


def sample_memory(world):
    while not world.stop.wait(SAMPLE_S):
        for part in (*world.workers, *world.apis):
            part.sample(time.monotonic() - world.began_s)


# ---- What came of it


def mib(part, first, last):
    """The most that was resident in a stretch of the run, given as fractions of it."""
    found = part.rss[int(len(part.rss) * first) : int(len(part.rss) * last)]
    return round(max(size for _, size in found) / 2**20, 1) if found else None


def judge_memory(world):
    """Of the parts that never end: what they held at the most in the last quarter, against the second one."""
    for part in (world.workers[0], world.apis[0]):
        early, late = mib(part, 0.25, 0.5), mib(part, 0.75, 1)
        if part.rss and part.rss[-1][0] >= LEAK_MIN_S and late > early * 1.25 + LEAK_MIB:
            world.note_wrong(f"{part.process.name} has grown from {early} to {late} MiB")


def results_of(world, befell, seconds):
    by_fault = collections.defaultdict(list)
    for names, took_s in befell:
        for name in names:
            by_fault[name].append(took_s)
    published = [len(service.published_generations(part.process.log_text())) for part in world.workers]
    return {
        "seconds": round(seconds),
        "answers": world.count(),
        "generations": sum(published),
        "statuses": {f"{endpoint} {status}": count for (endpoint, status), count in sorted(world.statuses.items())},
        "sources": dict(world.sources),
        "compared": world.truth.compared,
        "derived": world.truth.derived,
        "faults": {name: {"times": len(took), "slowest_s": max(took)} for name, took in sorted(by_fault.items())},
        "memory_mib": {
            name: {"second quarter": mib(part, 0.25, 0.5), "last quarter": mib(part, 0.75, 1)}
            for name, part in (("worker", world.workers[0]), ("api", world.apis[0]))
        },
        "wrong": world.wrong_count,
        "shown": world.wrong,
    }


def run(options):
    fleet = service.start_fleet()
    try:
        world = World(fleet, options.seed, options.minutes)
        rng = random.Random(options.seed + 1)
        tasks = [
            Changer(world, random.Random(rng.random())).run,
            Clearer(world, random.Random(rng.random())).run,
            lambda: sample_memory(world),
        ]
        tasks += [Reader(world, random.Random(rng.random())).run for _ in range(READERS)]
        threads = [threading.Thread(target=watched, args=(world, task)) for task in tasks]
        for thread in threads:
            thread.start()
        befell = []
        try:
            soak(world, options.minutes, befell)
        except ServerError as error:
            world.note_wrong(f"{error}")
        finally:
            world.stop.set()
            for thread in threads:
                thread.join()
        judge_memory(world)
        for part in (*world.workers, *world.apis):
            if part.process.stop() != 0:
                world.note_wrong(f"{part.process.name} ended with {part.process.returncode}")
        if world.wrong_count and options.logs:
            for part in (*world.workers, *world.apis):
                with open(os.path.join(options.logs, f"{part.process.name}.log"), "w", encoding="utf-8") as out:
                    out.write(part.process.log_text())
        return results_of(world, befell, time.monotonic() - world.began_s)
    finally:
        fleet.close()


def watched(world, task):
    """A thread that ends by an error is a fault of the soak's own, and told."""
    try:
        task()
    except Exception as error:  # whatever it was
        world.note_wrong(f"the soak itself: {error!r}")
        raise


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description="Worker and API under load and faults.")
    parser.add_argument("--minutes", type=float, default=60, help="how long (60)")
    parser.add_argument("--seed", type=int, default=None, help="of what befalls which part; told when not given")
    parser.add_argument("--out", metavar="FILE", help="results as JSON")
    parser.add_argument("--logs", metavar="FOLDER", help="where logs go when something was wrong")
    options = parser.parse_args()
    if options.minutes <= 0:
        parser.error("--minutes takes a number above 0")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    print(f"seed {options.seed}", file=sys.stderr)
    results = {"seed": options.seed, **run(options)}
    text = json.dumps(results, indent=1, ensure_ascii=False)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as out:
            out.write(text + "\n")
    print(text)
    return 1 if results["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
