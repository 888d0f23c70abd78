"""scripts/bench refresh: how long a refresh takes, against history and indexes, and what it needs of memory.

For each data set (dataset.py) in private servers: refreshes by `ecosys-worker --once` and, in turn with them, bare
GROUP BYs over the same tables, which are the unit of the goals; then the recommended indexes, and refreshes again.
Results go to a JSON file; what is read out of them is refresh_report.py.
"""

import argparse
import base64
import contextlib
import datetime
import http.client
import json
import os
import re
import shutil
import sys
import time

import common  # first: it says where private_servers is
import dataset
import refresh_report
from private_servers import Fleet, MariaDB, PostgreSQL, Redis, ServerError, answers_http, free_port, wait_for

NAME = "bench"
SNAPSHOT_TIMEOUT_S = 3600  # without indexes a refresh of much history takes longer than the default allows
BYTES_PER_ROW = 150  # with all keys, and what the server puts aside while it makes them
RESERVE_BYTES = 4 * 2**30  # the redo log, PostgreSQL, and what others may need
RUNS = 5
ENOUGH_S = 40  # what is repeated is not begun again when it has taken that long in all

# Beyond those of the fleet, which does not sync to disk and writes nothing twice.
MARIADB_OPTIONS = (
    "--innodb-buffer-pool-size=6G",  # all of the tables, so that peers do not push out what a refresh reads
    "--innodb-log-file-size=2G",  # loading does not stop for checkpoints
    "--innodb-sort-buffer-size=64M",  # keys are made of sorted runs of this size
    "--innodb-io-capacity=20000",  # what loading left to be written is written at once
)

# Each is told its keys, so that it is the same query whether the recommended indexes are there or not.
PEERS = {
    "through": "SELECT tenant_id, COUNT(*), MAX(created_at) FROM {0} USE INDEX () GROUP BY tenant_id",
    "keys": "SELECT tenant_id, COUNT(*) FROM {0} USE INDEX ({0}_tenant_id_index) GROUP BY tenant_id",
    "along": "SELECT tenant_id, COUNT(*), MAX(created_at) FROM {0} USE INDEX ({0}_tenant_id_index) GROUP BY tenant_id",
}

SMALL = dataset.Size(tenants=2_000, clients=2_200, window_rows=140_000, history_rows=2_660_000)
LARGE = dataset.Size(tenants=20_000, clients=22_000, window_rows=1_400_000, history_rows=2_660_000)
BIG = dataset.Size(tenants=200_000, clients=200_000, window_rows=5_000_000, history_rows=45_000_000)
TINY = dataset.Size(tenants=20, clients=22, window_rows=1_000, history_rows=2_000)

# Name: (data sets that are measured with once and ten times the history, data set that memory is measured with)
SCALES = {"full": ((SMALL, LARGE), None), "quick": ((SMALL,), None), "big": ((), BIG), "tiny": ((TINY,), TINY)}

# A launcher between this process and the worker, because a process begins with the memory of the one it was forked
# from as its own maximum, and this one is no longer small.
LAUNCHER = """
import json, os, sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(json.dumps({"peak_bytes": usage.ru_maxrss * 1024, "cpu_s": round(usage.ru_utime + usage.ru_stime, 3)}))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


@contextlib.contextmanager
def running_fleet():
    fleet = Fleet(servers=())
    try:
        fleet.postgres = fleet.add(PostgreSQL)
        fleet.mariadb = fleet.add(MariaDB, options=MARIADB_OPTIONS)
        fleet.redis = fleet.add(Redis)
        yield fleet.start()
    finally:
        common.ignore_signals()
        fleet.close()
        common.stop_at_signals()


# ---- What is measured


class Refresher:
    """ecosys-worker --once on the data set, as often as asked."""

    def __init__(self, fleet, **changes):
        env = fleet.environment(NAME, LOG_FORMAT="json", SNAPSHOT_TIMEOUT=SNAPSHOT_TIMEOUT_S, **changes)
        argv = ["/usr/bin/python3", "-IS", "-c", LAUNCHER, common.WORKER, "--once", "--as-of", dataset.AS_OF]
        self._process = fleet.program("worker", argv, env)

    def run(self):
        """What the worker said of its refresh, and what the system said of the worker."""
        known = len(self._process.log_text())
        began = time.monotonic()
        self._process.start()
        status = self._process.wait(SNAPSHOT_TIMEOUT_S)
        wall_ms = round((time.monotonic() - began) * 1000)
        if status != 0:
            raise ServerError(f"the worker failed:\n{self._process.log_tail()}")
        lines = [json.loads(line) for line in self._process.log_text()[known:].splitlines() if line.startswith("{")]
        said = next(line for line in lines if line.get("message") == "generation published")
        fields = {name: said.get(name) for name in refresh_report.FIELDS}
        return {**fields, "wall_ms": wall_ms, **lines[-1]}


def measure_peer(fleet, sql):
    """Milliseconds that all eight tables take, by the server's clock."""
    statements = [f"{sql.format(table)};" for table in dataset.EVENTS]
    clock = "SELECT UNIX_TIMESTAMP(NOW(6));"
    lines = fleet.mariadb.execute("\n".join([clock, *statements, clock]), f"ecosys_{NAME}").split("\n")
    return round((float(lines[-2]) - float(lines[0])) * 1000, 1)


def in_turn(runs, **measures):
    """{name: results of measure()}: each is repeated up to `runs` times, until it has taken ENOUGH_S in all. In turn,
    so that whatever else the machine does hits all of them."""
    results, taken_s = {name: [] for name in measures}, dict.fromkeys(measures, 0)
    for _ in range(runs):
        for name, measure in measures.items():
            if taken_s[name] < ENOUGH_S:
                began = time.monotonic()
                results[name].append(measure())
                taken_s[name] += time.monotonic() - began
    return results


def settle(fleet):
    """Waits until the server has written what loading left to be written."""
    fleet.mariadb.execute("SET GLOBAL innodb_max_dirty_pages_pct = 0")
    sql = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'"
    wait_for(lambda: int(fleet.mariadb.query(sql)[0][1]) < 100, "MariaDB has written its pages", 300, 0.2)
    fleet.mariadb.execute("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT")


def timed(step, *args):
    began = time.monotonic()
    step(*args)
    return round(time.monotonic() - began, 1)


def check_disk(fleet, size):
    """A database that runs out of disk may wait for more instead of failing."""
    needed, free = size.rows * BYTES_PER_ROW + RESERVE_BYTES, shutil.disk_usage(fleet.folder).free
    if free < needed:
        raise ServerError(
            f"{fleet.folder} has room for {free / 2**30:.0f} GiB, {needed / 2**30:.0f} are needed; TMPDIR"
            " may name another folder"
        )


def load(fleet, size):
    """What is known of the data set once it is there."""
    common.say(f"{size.tenants:,} tenants, {size.rows:,} rows: loading")
    check_disk(fleet, size)
    fleet.redis.command("FLUSHALL")
    load_s = timed(dataset.load, fleet, NAME, size)
    counted = dataset.count_rows(fleet, NAME)
    return {
        "tenants": size.tenants,
        "clients": size.clients,
        "history": size.history,
        "rows": sum(rows for rows, _ in counted.values()),
        "window_rows": sum(recent for _, recent in counted.values()),
        "rows_by_table": counted,
        "load_s": load_s,
    }


def add_recommended_indexes(fleet):
    common.say("  adding the recommended indexes")
    return timed(dataset.add_recommended_indexes, fleet, NAME)


def measure_state(fleet, is_indexed, runs):
    """Refreshes, and peers in turn with them, with or without the recommended indexes."""
    settle(fleet)
    common.say(f"  measuring {refresh_report.WITH[is_indexed]} the recommended indexes")
    peers = {name: lambda sql=sql: measure_peer(fleet, sql) for name, sql in PEERS.items()}
    measured = in_turn(runs, refreshes=Refresher(fleet).run, **peers)
    data_bytes, index_bytes = dataset.count_bytes(fleet, NAME)
    return {
        "recommended_indexes": is_indexed,
        "data_bytes": data_bytes,
        "index_bytes": index_bytes,
        "refreshes": measured["refreshes"],
        "peers_ms": {name: measured[name] for name in PEERS},
    }


def measure_times(fleet, size, runs):
    found = load(fleet, size)
    without = measure_state(fleet, False, runs)
    found["recommended_indexes_s"] = add_recommended_indexes(fleet)
    return {**found, "states": [without, measure_state(fleet, True, runs)]}


# ---- What a refresh and an API need of memory


class Asker:
    """An ecosys-api on the data set, and questions to it."""

    PATHS = ("/dashboard", "/clientes", "/health-scores")

    def __init__(self, fleet):
        self.port = free_port()
        env = fleet.environment(NAME, PORT=self.port, LOG_FORMAT="json")
        self._process = fleet.program("api", [common.API], env, ready=lambda: answers_http(self.port, "/health"))
        self._process.start(120)

    def ask(self, path):
        """(generation, what it took) of one GET."""
        login = base64.b64encode(b"demo:demo").decode()
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            began = time.monotonic()
            link.request("GET", path, headers={"Authorization": f"Basic {login}"})
            answer = link.getresponse()
            body = answer.read()
            took_ms = round((time.monotonic() - began) * 1000, 1)
        finally:
            link.close()
        if answer.status != 200:
            raise ServerError(f"GET {path}: status {answer.status}")
        return int(answer.headers["X-Generation"]), {"path": path, "ms": took_ms, "bytes": len(body)}

    def ask_all(self):
        return [self.ask(path)[1] for path in self.PATHS]

    def wait_for_other_than(self, generation):
        wait_for(lambda: self.ask("/dashboard")[0] != generation, "the API serves the next generation", 120)

    def peak_bytes(self):
        return int(common.first_match(r"^VmHWM:\s+(\d+) kB$", f"/proc/{self._process.pid}/status")) * 1024


def redis_memory(fleet):
    text = fleet.redis.command("INFO", "memory").decode()
    return {name: int(re.search(rf"^{name}:(\d+)", text, re.M)[1]) for name in ("used_memory", "used_memory_peak")}


def measure_memory(fleet, size):
    """Two refreshes, each of them served, with the recommended indexes."""
    found = load(fleet, size)
    found["recommended_indexes_s"] = add_recommended_indexes(fleet)
    settle(fleet)
    common.say("  two refreshes, each of them served")
    refresher = Refresher(fleet)
    refreshes = [refresher.run()]
    asker = Asker(fleet)
    asker.ask_all()
    first = asker.ask("/dashboard")[0]
    refreshes.append(refresher.run())
    redis = redis_memory(fleet)  # both generations are there: the earlier one is kept for a minute
    asker.wait_for_other_than(first)
    answers = asker.ask_all()
    return {**found, "refreshes": refreshes, "answers": answers, "api_peak_bytes": asker.peak_bytes(), "redis": redis}


# ---- All of it


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench refresh",
        description="Measures refreshes with private servers and data made for it: Markdown to standard output, all "
        "figures to a JSON file. Exit status: 0 measured; 1 failed; 2 wrong usage.",
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument(
        "--scale",
        choices=SCALES,
        default="full",
        help="full (default): 2,000 and 20,000 tenants, once and ten times the history; quick: 2,000 "
        "tenants; big: memory with 200,000 tenants and 20,000,000 rows of activity_log; tiny: seconds, "
        "to try the tool",
    )
    for name in ("quick", "big"):
        scale.add_argument(f"--{name}", dest="scale", action="store_const", const=name, help=f"--scale {name}")
    parser.add_argument(
        "--runs",
        type=int,
        default=RUNS,
        metavar="N",
        help=f"repeat each measurement N times ({RUNS}), fewer where they take more than {ENOUGH_S} s in all",
    )
    parser.add_argument("--out", metavar="FILE", help="where results go (bench/results/refresh-SCALE.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", help="show these results again, measure nothing")
    parser.add_argument("--plot", metavar="FILE", help="draw times against history, as SVG")
    parser.add_argument(
        "--write-docs", action="store_true", help="put tables and plot into docs/benchmarks.md (scales full and big)"
    )
    parser.add_argument("--check-usage", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs takes a number above 0")
    if options.write_docs and not options.source and options.scale not in ("full", "big"):
        parser.error("--write-docs goes with the scales full and big")
    options.out = options.out or os.path.join(common.ROOT, f"bench/results/refresh-{options.scale}.json")
    return options


def measure(options):
    times, memory = SCALES[options.scale]
    runs = "" if options.runs == RUNS else f" --runs {options.runs}"
    began = datetime.datetime.now(datetime.timezone.utc)
    with running_fleet() as fleet:
        machine = common.machine(
            ecosys_worker=[common.WORKER, "--version"],
            mariadb=[fleet.mariadb.argv[0], "--version"],
            postgresql=[fleet.postgres.argv[0], "--version"],
            redis=[fleet.redis.argv[0], "--version"],
        )
        datasets = [measure_times(fleet, size.with_history(n), options.runs) for size in times for n in (1, 10)]
        memory = measure_memory(fleet, memory) if memory else None
    ended = datetime.datetime.now(datetime.timezone.utc)
    return {
        "command": f"scripts/bench refresh --scale {options.scale}{runs}",
        "scale": options.scale,
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((ended - began).total_seconds()),
        "machine": machine,
        "mariadb_options": [*MariaDB.SETTINGS, *MARIADB_OPTIONS],
        "as_of": dataset.AS_OF,
        "datasets": datasets,
        "memory": memory,
        "goals": refresh_report.goals(datasets, memory),
    }


def show(results, options):
    print(refresh_report.text(results))
    refresh_report.draw_and_write(results, options.plot, options.write_docs)


if __name__ == "__main__":
    sys.exit(common.run(parse_arguments(), measure, show))
