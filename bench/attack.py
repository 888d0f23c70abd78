"""scripts/bench attack: what others notice while the API is attacked.

Others ask /dashboard on connections that stay open, at a pace that leaves the server most of its time; then the attack
begins. Their times with and without each attack are measured in turn, with the API's memory beside it. The attacks are
those of attackers.py, in a process of their own at idle priority. Results go to a JSON file.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import datetime
import os
import statistics
import subprocess
import sys
import time

import common  # first: it says where private_servers is
import attackers
import load
import serve
from private_servers import ServerError, clean_environment

LIMIT = 2  # times the others' p99 without the attack
HEAD_START_S = 0.3  # in which the others connect
MIB = 2**20
SETTINGS = {"HTTP_CONNECTIONS": 2_000, "CACHE_MEMORY": 64 * MIB, "SEND_MEMORY": 64 * MIB}
CONNECTIONS = {
    "idle connections": 4_000,
    "slow heads": 1_000,
    "slow bodies": 1_000,
    "answers nobody reads": 200,
    "floods nobody reads": 200,
    "ever new filters": 50,
    "bodies of 1 GB": 20,
    "endless headers": 20,
    "pipelined floods": 8,
    "huge queries": 8,
    "dirty requests": 20,
}


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much is measured."""

    size: tuple  # tenants, clients
    rounds: int
    seconds: int
    share: float  # of the connections


SCALES = {
    "full": Scale((2_000, 20_000), 3, 4, 1.0),
    "quick": Scale((2_000, 20_000), 1, 3, 1.0),
    "tiny": Scale((20, 2_200), 1, 1, 0.05),
}


@contextlib.contextmanager
def attacking(name, port, count, place):
    """The attack has begun and goes on all the time."""
    pin = ["/usr/bin/taskset", "-c", ",".join(map(str, place.load))] if place.load else []
    argv = [*pin, "/usr/bin/chrt", "--idle", "0", sys.executable, "-B", attackers.__file__, name, str(port), str(count)]
    process = subprocess.Popen(
        argv,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        if process.stdout.readline() != "begun\n":
            raise ServerError(f"the attack did not begin:\n{process.stderr.read()}")
        yield
        if process.poll() is not None:
            raise ServerError(f"the attack ended by itself:\n{process.stderr.read()}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def measure_round(api, data, wrk, seconds):
    found = serve.measure_pace(api, data, serve.QUIET_CASES[0], wrk, seconds)
    return {**found, "rss": api.memory_bytes("VmRSS")}


def measure_attack(fleet, data, name, scale):
    count, place = max(1, round(CONNECTIONS[name] * scale.share)), serve.Placement.of(1)
    common.say(f"  {name}: {count:,} connections")
    wrk = load.Wrk(place.load, 1, serve.PACED_CONNECTIONS)
    with serve.Api(fleet, data, 1, place.pin(), **SETTINGS) as api:
        before = api.memory_bytes("VmRSS")

        def quiet():
            return measure_round(api, data, wrk, scale.seconds)

        def attacked():
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                others = pool.submit(quiet)
                time.sleep(HEAD_START_S)
                with attacking(name, api.port, count, place):
                    return others.result()

        rounds = serve.in_turn(scale.rounds, {"quiet": quiet, "attacked": attacked})
        return {"attack": name, "connections": count, "rss_before": before, "hwm": api.memory_bytes("VmHWM"), **rounds}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench attack",
        description="Measures what others notice while the API is attacked, with private servers and data made for it: "
        "Markdown to standard output, all figures to a JSON file. Exit status: 0 measured; 1 failed; 2 wrong usage.",
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument(
        "--scale",
        choices=SCALES,
        default="full",
        help="full (default): three rounds of four seconds; quick: one of three seconds; tiny: to try the tool",
    )
    scale.add_argument("--quick", dest="scale", action="store_const", const="quick", help="--scale quick")
    parser.add_argument("--only", action="append", choices=attackers.ATTACKERS, help="this attack; may be repeated")
    parser.add_argument("--out", metavar="FILE", help="where results go (bench/results/attack-SCALE.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", help="show these results again, measure nothing")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/benchmarks.md (scale full)")
    parser.add_argument("--check-usage", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_docs and not options.source and (options.scale != "full" or options.only):
        parser.error("--write-docs goes with the scale full and all attacks")
    options.out = options.out or os.path.join(common.ROOT, f"bench/results/attack-{options.scale}.json")
    return options


def measure(options):
    scale = SCALES[options.scale]
    began = datetime.datetime.now(datetime.timezone.utc)
    with serve.running_fleet() as fleet:
        machine = common.machine(
            ecosys_api=[common.API, "--version"],
            redis=[fleet.redis.argv[0], "--version"],
            wrk=["/bin/sh", "-c", "wrk -v | head -n 1"],
        )
        data = serve.Data(fleet, *scale.size)
        found = [measure_attack(fleet, data, name, scale) for name in options.only or attackers.ATTACKERS]
    ended = datetime.datetime.now(datetime.timezone.utc)
    return {
        "command": " ".join(["scripts/bench attack", *(word for word in sys.argv[1:] if word != "--write-docs")]),
        "scale": dataclasses.asdict(scale),
        "settings": SETTINGS,
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((ended - began).total_seconds()),
        "machine": machine,
        "load_after": round(os.getloadavg()[0], 1),
        "attacks": found,
    }


# ---- What the results say


def ratios(attack):
    """The others' p99 with the attack by that without, in each round."""
    return [a["p99_ms"] / q["p99_ms"] for a, q in zip(attack["attacked"], attack["quiet"])]


def row(attack):
    quiet, attacked = (statistics.median(found["p99_ms"] for found in attack[side]) for side in ("quiet", "attacked"))
    slowest = max(found["max_ms"] for found in attack["attacked"])
    times = ratios(attack)
    ratio = statistics.median(times)
    return (
        attack["attack"],
        f"{attack['connections']:,}",
        f"{quiet:.2f}",
        f"{attacked:.2f}",
        f"{ratio:.2f} ({min(times):.2f}–{max(times):.2f})",
        f"{slowest:.1f}",
        f"{attack['rss_before'] / MIB:.0f}",
        f"{attack['hwm'] / MIB:.0f}",
        "yes" if ratio <= LIMIT else "no",
    )


def text(results):
    settings = ", ".join(f"`{name}` {value:,}" for name, value in results["settings"].items())
    tenants, clients = results["scale"]["size"]
    return (
        "\n".join(
            [
                f"`{results['command']}`, {results['began']}, {results['seconds']} s.",
                "",
                *common.machine_lines(results["machine"]),
                f"- {tenants:,} tenants, {clients:,} clients; one event loop; {settings}; others: "
                f"{serve.PACED_CONNECTIONS} connections, a question each {serve.PACE_MS} ms",
                "",
                *common.table_lines(
                    (
                        "attack",
                        "connections",
                        "others' p99, ms",
                        "attacked, ms",
                        "÷",
                        "slowest, ms",
                        "MiB before",
                        "MiB at most",
                        f"≤ {LIMIT} ×",
                    ),
                    [row(found) for found in results["attacks"]],
                ),
            ]
        )
        + "\n"
    )


def show(results, options):
    print(text(results))
    if options.write_docs:
        common.write_section("scripts/bench attack", text(results))


if __name__ == "__main__":
    sys.exit(common.run(parse_arguments(), measure, show))
