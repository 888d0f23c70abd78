"""scripts/bench serve: how fast the API answers, beside nginx with the same bytes in files, and what disturbs it.

A generation of each data set (dataset.py) is published by ecosys-worker into private servers, and served. Whatever is
compared is measured in short rounds in turn, so that whatever else the machine does hits both sides. Results go to a
JSON file; what is read out of them is serve_report.py.
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import sys
import threading

import common  # first: it says where private_servers is
import compression
import dataset
import load
import serve_report
from private_servers import Fleet, MariaDB, PostgreSQL, Redis, Server, ServerError, answers_http, free_port, wait_for

ROWS_PER_TENANT = 20  # of the last 30 days, in the event tables; answers do not depend on it
DAY_S = 86400
FIRST_DAY = datetime.date.fromisoformat(dataset.AS_OF[:10]) - datetime.timedelta(1825)  # of adhesion, nearly
DAYS = 1825
GZIP, ZSTD = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "zstd"}
FLIP_EVERY_S = 1
PACE_MS = 10  # that each connection waits before a request, where times are measured and not throughput;
PACE_CLIENTS = 2_200  # longer with more clients, whose answers are longer
PACED_CONNECTIONS = 16
BURST_PAUSE_MS = 500


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much is measured; a run of wrk takes whole seconds."""

    sizes: tuple  # (tenants, clients): what throughput is measured with, and what filters are measured with
    rounds: int
    seconds: int
    filters: int  # of each kind, one after another
    burst_connections: int
    idle_connections: int


SCALES = {
    "full": Scale(((2_000, 2_200), (20_000, 20_000)), 5, 3, 1_000, 2_000, 5_000),
    "quick": Scale(((2_000, 2_200), (20_000, 20_000)), 3, 1, 200, 2_000, 1_000),
    "tiny": Scale(((20, 2_200), (20, 2_200)), 1, 1, 20, 50, 100),
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A question that is measured."""

    name: str
    path: str
    headers: dict = dataclasses.field(default_factory=dict)
    has_peer: bool = True  # nginx has a file for it
    is_conditional: bool = False  # asks with the ETag that the server gave


CASES = (
    Case("/dashboard", "/dashboard"),
    Case("/clientes, gzip", "/clientes", GZIP),
    Case("/clientes, identity", "/clientes"),
    Case("/clientes, zstd", "/clientes", ZSTD, has_peer=False),
    Case("/clientes, 304", "/clientes", GZIP, is_conditional=True),
)
PAIR_CASES = CASES[:3]  # that are measured with two threads as well
QUIET_CASES = CASES[:2]  # that should not feel flips
# Name, path, headers, how many days a filter spans at least and at most (as a share of all days)
FILTER_KINDS = (
    ("/clientes, any dates, gzip", "/clientes", GZIP, 0, 1),
    ("/clientes, any dates, identity", "/clientes", {}, 0, 1),
    ("/health-scores, any dates, gzip", "/health-scores", GZIP, 0, 1),
    ("/dashboard, any dates", "/dashboard", {}, 0, 1),
    ("/clientes, about 2,000 rows, gzip", "/clientes", GZIP, 0.095, 0.105),
    ("/clientes, about 2,000 rows, identity", "/clientes", {}, 0.095, 0.105),
)


# ---- What is measured


class Nginx(Server):
    """nginx with files, which are {name: bytes}; NAME.gz is what it sends for NAME to those who take gzip."""

    users = ("www-data", "nginx")

    CONFIGURATION = """
daemon off;
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    gzip_static on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    default_type application/json;
    client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
    server {{ listen 127.0.0.1:{port} reuseport backlog=511; root {folder}/files; }}
}}
"""

    def __init__(self, fleet, name, workers, files, pin):
        super().__init__(fleet, name)
        self._workers, self._files, self._pin = workers, files, pin

    def set_up(self):
        folder = os.path.join(self.folder, "files")
        os.mkdir(folder)
        for name, content in self._files.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)

    def command_line(self):
        text = self.CONFIGURATION.format(workers=self._workers, folder=self.folder, port=self.port)
        path = self._write("nginx.conf", text)
        return [*self._pin, program("nginx"), "-e", "stderr", "-p", self.folder, "-c", path]

    def is_ready(self):
        return answers_http(self.port, "/dashboard")

    def pids(self):
        return load.family(self.pid)


class Api:
    """A running ecosys-api that has loaded a generation."""

    def __init__(self, fleet, data, threads, pin, **settings):
        self.port = free_port()
        env = fleet.environment(data.name, PORT=self.port, API_THREADS=threads, LOG_FORMAT="json", **settings)
        argv = [*pin, common.API]
        name = f"api-{self.port}"
        self.process = fleet.program(name, argv, env, ready=lambda: answers_http(self.port, "/health"))

    def __enter__(self):
        self.process.start(120)
        return self

    def __exit__(self, *_):
        self.process.stop()

    def pids(self):
        return [self.process.pid]

    def memory_bytes(self, field):
        return load.memory_bytes(self.process.pid, field)

    def loads(self):
        """How many generations it has loaded so far."""
        return self.process.log_text().count('"generation loaded"')


def program(name):
    """Where a program of the system lies."""
    for folder in ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise ServerError(f"{name} is not installed")


class Data:
    """A data set of which two generations are in Redis, made by the worker; which of them is served can be changed."""

    def __init__(self, fleet, tenants, clients):
        self.name, self.tenants, self.clients = f"serve{tenants}x{clients}", tenants, clients
        self._fleet = fleet
        size = dataset.Size(tenants, clients, window_rows=ROWS_PER_TENANT * tenants, history_rows=0)
        common.say(f"{tenants:,} tenants, {clients:,} clients: loading and publishing")
        dataset.load(fleet, self.name, size)
        self.generations = [self._publish()]
        fleet.postgres.execute("UPDATE clientes_kommo SET valor = valor + 1", f"kommo_{self.name}")
        self.generations.append(self._publish())
        self._served = 1

    def _publish(self):
        argv = [common.WORKER, "--once", "--as-of", dataset.AS_OF]
        worker = self._fleet.program(f"worker-{self.name}", argv, self._fleet.environment(self.name)).start()
        if worker.wait(300) != 0:
            raise ServerError(f"the worker failed:\n{worker.log_tail()}")
        for key in self._fleet.redis.command("KEYS", f"{self.name}:*"):
            self._fleet.redis.command("EXPIRE", key, DAY_S)  # else the earlier generation goes after a minute
        return self._fleet.redis.command("GET", f"{self.name}:current").decode()

    def flip(self):
        """What the worker does at the end of a publication: the pointer to the other generation, and a message."""
        self._served = 1 - self._served
        generation = self.generations[self._served]
        self._fleet.redis.command("SET", f"{self.name}:current", generation)
        self._fleet.redis.command("PUBLISH", f"{self.name}:0:events", f"published {generation}")
        return generation


@contextlib.contextmanager
def flipping(data):
    """Flips of the data set all the time."""
    is_over = threading.Event()

    def work():
        while not is_over.wait(FLIP_EVERY_S):
            data.flip()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextlib.contextmanager
def running_fleet():
    fleet = Fleet(servers=())
    try:
        fleet.postgres, fleet.mariadb, fleet.redis = (fleet.add(kind) for kind in (PostgreSQL, MariaDB, Redis))
        yield fleet.start()
    finally:
        common.ignore_signals()
        fleet.close()
        common.stop_at_signals()


@dataclasses.dataclass(frozen=True)
class Placement:
    """Which processors servers with so many threads get, and which the load; None: any."""

    servers: tuple
    load: tuple

    @classmethod
    def of(cls, threads):
        """Apart where there are enough: as many for wrk as for a server."""
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) < 2 * threads:
            return cls(None, None)
        return cls(tuple(processors[:threads]), tuple(processors[threads : 2 * threads]))

    def pin(self):
        return [program("taskset"), "-c", ",".join(map(str, self.servers))] if self.servers else []


@contextlib.contextmanager
def pinned(processors):
    """This process on the processors of the load."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# ---- Throughput, beside nginx


def fetch(port, path, headers):
    """(head, body) of a GET."""
    client = load.Client(port)
    try:
        head, body, _, _ = client.ask(path, headers, keep=True)
        return head, body
    finally:
        client.close()


def files_of(port):
    """The API's own bodies, as nginx is to serve them."""
    return {
        "dashboard": fetch(port, "/dashboard", {})[1],
        "clientes": fetch(port, "/clientes", {})[1],
        "clientes.gz": fetch(port, "/clientes", GZIP)[1],
    }


def headers_of(case, port):
    if not case.is_conditional:
        return case.headers
    etag = load.header(fetch(port, case.path, case.headers)[0], "ETag")
    return {**case.headers, "If-None-Match": etag}


def check_equal(case, servers):
    """Both answer with the same status and the same bytes."""
    answers = [fetch(server.port, case.path, headers_of(case, server.port)) for server in servers.values()]
    lines = {(head.split(" ")[1], body) for head, body in answers}
    if len(lines) != 1 or answers[0][0].split(" ")[1] != ("304" if case.is_conditional else "200"):
        raise ServerError(f"{case.name}: the servers answer differently, or not as expected")
    return len(answers[0][1])


def measure_round(server, case, wrk, seconds):
    headers, before = headers_of(case, server.port), load.cpu_s(server.pids())
    found = wrk.run(server.port, case.path, seconds, headers)
    used_s = load.cpu_s(server.pids()) - before
    return {
        "requests_per_s": round(found["requests"] / found["seconds"], 1),
        "p99_ms": found["p99_ms"],
        "cpu_us": round(used_s / found["requests"] * 1e6, 2),
        "busy": round(used_s / found["seconds"], 3),
    }


def in_turn(rounds, measures):
    """{name: results of measure()}, first one first and then the other first."""
    results = {name: [] for name in measures}
    for number in range(rounds):
        order = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in order:
            results[name].append(measures[name]())
    return results


def measure_case(case, servers, wrk, scale):
    common.say(f"  {case.name}")
    taking = servers if case.has_peer else {"api": servers["api"]}
    length = check_equal(case, taking)
    measures = {name: lambda s=server: measure_round(s, case, wrk, scale.seconds) for name, server in taking.items()}
    return {"case": case.name, "bytes": length, **{"nginx": None}, **in_turn(scale.rounds, measures)}


def measure_throughput(fleet, data, threads, cases, scale, connections):
    common.say(f"{threads} {'thread' if threads == 1 else 'threads'}, nginx and API in turn")
    place = Placement.of(threads)
    wrk = load.Wrk(place.load, threads, connections)
    with Api(fleet, data, threads, place.pin()) as api:
        nginx = fleet.add(Nginx, f"nginx-{threads}", threads, files_of(api.port), place.pin()).start()
        servers = {"nginx": nginx, "api": api}
        found = [measure_case(case, servers, wrk, scale) for case in cases]
        nginx.stop()
    return {
        "threads": threads,
        "servers_on": place.servers,
        "load_on": place.load,
        "connections": connections,
        "cases": found,
    }


# ---- Filters that no bucket is for


def filters(count, first_number, shortest, longest):
    """So many filters whose days are within the shares of all days."""
    found, number = [], first_number
    while len(found) < count:
        begin, end = load.filter_of(number, FIRST_DAY, DAYS)
        if shortest * DAYS <= (end - begin).days <= longest * DAYS and end <= FIRST_DAY + datetime.timedelta(DAYS):
            found.append((begin, end))
        number += 1
    return found


def measure_filters(api, kind, count, first_number):
    """Questions one after another, on one connection; those whose answers were computed count."""
    name, path, headers, shortest, longest = kind
    common.say(f"  {name}")
    first, last, lengths, sources = [], [], [], {}
    client = load.Client(api.port)
    for begin, end in filters(count, first_number, shortest, longest):
        head, length, first_ms, last_ms = client.ask(load.filtered(path, begin, end), headers)
        source = load.header(head, "X-Cache") if head.startswith("HTTP/1.1 200 ") else "failed"
        sources[source] = sources.get(source, 0) + 1
        if source == "COMPUTE":
            first.append(first_ms)
            last.append(last_ms)
            lengths.append(length)
    client.close()
    times = {
        f"{which}_p{percent}_ms": round(load.percentile(values, percent), 3)
        for which, values in (("first", first), ("last", last))
        for percent in (50, 99)
    }
    return {"kind": name, "sources": sources, "median_bytes": load.percentile(lengths, 50), **times}


def measure_all_filters(fleet, data, scale):
    common.say(f"filters without a bucket, one after another, {data.clients:,} clients")
    place = Placement.of(1)
    found = []
    with Api(fleet, data, 1, place.pin()) as api, pinned(place.load):
        for place_in_list, kind in enumerate(FILTER_KINDS):
            found.append(measure_filters(api, kind, scale.filters, place_in_list * 100_000))
    return {"tenants": data.tenants, "clients": data.clients, "kinds": found}


# ---- What disturbs


def measure_pace(api, data, case, wrk, seconds):
    """Times at a pace that leaves the server most of its time."""
    pace_ms = PACE_MS if case.path == "/dashboard" else PACE_MS * max(1, data.clients // PACE_CLIENTS)
    found = wrk.run(api.port, case.path, seconds, case.headers, pace_ms)
    return {
        "requests_per_s": round(found["requests"] / found["seconds"], 1),
        **{name: found[name] for name in ("p50_ms", "p99_ms", "max_ms")},
    }


def measure_flips(api, data, case, wrk, seconds):
    before = api.loads()
    with flipping(data):
        found = measure_pace(api, data, case, wrk, seconds)
        wait_for(lambda: api.loads() > before, "a flip has been seen")
    return {**found, "flips": api.loads() - before}


def measure_all_flips(fleet, data, threads, scale):
    common.say(f"flips, {data.clients:,} clients, {threads} {'thread' if threads == 1 else 'threads'}")
    place, seconds = Placement.of(threads), max(2, scale.seconds)
    wrk, found = load.Wrk(place.load, 1, PACED_CONNECTIONS), []
    with Api(fleet, data, threads, place.pin()) as api:
        for case in QUIET_CASES:
            found.append(
                {
                    "case": case.name,
                    **in_turn(
                        scale.rounds,
                        {
                            "quiet": lambda case=case: measure_pace(api, data, case, wrk, seconds),
                            "flips": lambda case=case: measure_flips(api, data, case, wrk, seconds),
                        },
                    ),
                }
            )
    return {"tenants": data.tenants, "clients": data.clients, "threads": threads, "cases": found}


class Burst:
    """Questions with filters that nobody asked for before, on many connections at once."""

    def __init__(self, api, data, place, connections):
        self._api, self._data, self._wrk = api, data, load.Wrk(place.load, 1, connections)
        self._first_number = 0

    def measure(self, case, wrk, seconds):
        first_s = int(datetime.datetime.combine(FIRST_DAY, datetime.time(), datetime.timezone.utc).timestamp())
        burst = self._wrk.start(
            self._api.port,
            "/clientes",
            seconds + 1,
            GZIP,
            BURST_PAUSE_MS,
            "/clientes",
            self._first_number,
            first_s,
            DAYS,
            nice=19,
        )
        self._first_number += 300_000
        with load.ended(burst):
            found = measure_pace(self._api, self._data, case, wrk, seconds)
            said = load.finish(burst)
        return {**found, **{name: said[name] for name in ("answered", "refused", "unexpected", "broken")}}


def measure_all_bursts(fleet, data, scale):
    common.say(f"bursts of filters, {data.clients:,} clients")
    place, case = Placement.of(1), QUIET_CASES[0]
    wrk = load.Wrk(place.load, 1, PACED_CONNECTIONS)
    with Api(fleet, data, 1, place.pin()) as api:
        burst = Burst(api, data, place, scale.burst_connections)
        before = api.memory_bytes("VmRSS")
        rounds = in_turn(
            scale.rounds,
            {
                "quiet": lambda: measure_pace(api, data, case, wrk, scale.seconds),
                "burst": lambda: burst.measure(case, wrk, scale.seconds),
            },
        )
        return {
            "tenants": data.tenants,
            "clients": data.clients,
            "case": case.name,
            "connections": scale.burst_connections,
            "pause_ms": BURST_PAUSE_MS,
            "rss_before": before,
            "hwm_after": api.memory_bytes("VmHWM"),
            "rss_after": api.memory_bytes("VmRSS"),
            **rounds,
        }


# ---- Compression


def measure_compression(fleet, data):
    common.say("compression")
    with Api(fleet, data, 1, []) as api:
        bodies = {path: fetch(api.port, path, {})[1] for path in ("/clientes", "/health-scores")}
    return compression.measure(bodies)


# ---- Memory


def measure_generations(fleet, data):
    """Resident with one generation, and at most while a second one takes over."""
    with Api(fleet, data, 1, []) as api:
        one = api.memory_bytes("VmRSS")
        generation = data.flip()
        wait_for(
            lambda: load.header(fetch(api.port, "/dashboard", {})[0], "X-Generation") == generation,
            "the API serves the other generation",
            60,
        )
        return {"tenants": data.tenants, "clients": data.clients, "rss_one": one, "hwm_two": api.memory_bytes("VmHWM")}


def measure_idle(fleet, data, count):
    """Resident before and after so many connections that asked once and stay."""
    common.say(f"{count:,} idle connections")
    with Api(fleet, data, 1, [], HTTP_CONNECTIONS=count + 100) as api:
        before = api.memory_bytes("VmRSS")
        with load.idle_connections(api.port, count, "/dashboard"):
            return {"connections": count, "rss_before": before, "rss_after": api.memory_bytes("VmRSS")}


# ---- All of it


def sizes(text):
    """TENANTSxCLIENTS."""
    tenants, clients = map(int, text.split("x"))
    if tenants < 20 or clients < 20:
        raise ValueError(text)
    return tenants, clients


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench serve",
        description="Measures the API beside nginx, with private servers and data made for it: Markdown to standard "
        "output, all figures to a JSON file. Exit status: 0 measured; 1 failed; 2 wrong usage.",
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument(
        "--scale",
        choices=SCALES,
        default="full",
        help="full (default): five rounds of three seconds, less than ten minutes in all; quick: three "
        "of one second; tiny: to try the tool",
    )
    scale.add_argument("--quick", dest="scale", action="store_const", const="quick", help="--scale quick")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each comparison, instead of the scale's")
    parser.add_argument("--seconds", type=int, metavar="S", help="seconds of each round and side")
    parser.add_argument(
        "--connections", type=int, default=32, metavar="N", help="that throughput is measured with (32)"
    )
    parser.add_argument(
        "--small", type=sizes, metavar="TENANTSxCLIENTS", help="what throughput is measured with, such as 2000x2200"
    )
    parser.add_argument(
        "--large", type=sizes, metavar="TENANTSxCLIENTS", help="what filters are measured with, such as 20000x20000"
    )
    parser.add_argument("--out", metavar="FILE", help="where results go (bench/results/serve-SCALE.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", help="show these results again, measure nothing")
    parser.add_argument("--write-docs", action="store_true", help="put tables into docs/benchmarks.md (scale full)")
    parser.add_argument("--check-usage", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in ("rounds", "seconds", "connections"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} takes a number above 0")
    if options.write_docs and not options.source and options.scale != "full":
        parser.error("--write-docs goes with the scale full")
    options.out = options.out or os.path.join(common.ROOT, f"bench/results/serve-{options.scale}.json")
    return options


def scale_of(options):
    scale = SCALES[options.scale]
    small, large = scale.sizes
    return dataclasses.replace(
        scale,
        sizes=(options.small or small, options.large or large),
        rounds=options.rounds or scale.rounds,
        seconds=options.seconds or scale.seconds,
    )


def measure_everything(fleet, scale, connections):
    small = Data(fleet, *scale.sizes[0])
    large = Data(fleet, *scale.sizes[1]) if scale.sizes[1] != scale.sizes[0] else small
    datasets = list(dict.fromkeys([small, large]))
    return {
        "throughput": [
            measure_throughput(fleet, small, threads, cases, scale, connections)
            for threads, cases in ((1, CASES), (2, PAIR_CASES))
        ],
        "filters": measure_all_filters(fleet, large, scale),
        "compression": measure_compression(fleet, small),
        "flips": [measure_all_flips(fleet, data, threads, scale) for threads in (1, 2) for data in datasets],
        "bursts": [measure_all_bursts(fleet, data, scale) for data in datasets],
        "generations": [measure_generations(fleet, data) for data in datasets],
        "idle": measure_idle(fleet, small, scale.idle_connections),
    }


def measure(options):
    scale = scale_of(options)
    began = datetime.datetime.now(datetime.timezone.utc)
    with running_fleet() as fleet:
        machine = common.machine(
            ecosys_api=[common.API, "--version"],
            redis=[fleet.redis.argv[0], "--version"],
            nginx=["/bin/sh", "-c", f"{program('nginx')} -v 2>&1"],
            wrk=["/bin/sh", "-c", "wrk -v | head -n 1"],
        )
        found = measure_everything(fleet, scale, options.connections)
    ended = datetime.datetime.now(datetime.timezone.utc)
    return {
        "command": " ".join(["scripts/bench serve", *(word for word in sys.argv[1:] if word != "--write-docs")]),
        "scale": dataclasses.asdict(scale),
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((ended - began).total_seconds()),
        "machine": machine,
        "load_after": round(os.getloadavg()[0], 1),
        **found,
        "goals": serve_report.goals(found),
    }


def show(results, options):
    text = serve_report.text(results)
    print(text)
    if options.write_docs:
        common.write_section("scripts/bench serve", text)


if __name__ == "__main__":
    sys.exit(common.run(parse_arguments(), measure, show))
