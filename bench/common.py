"""What the subcommands of scripts/bench share: where things are, the machine, signals, documents and plots."""

import json
import os
import re
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.environ.get("ECOSYS_BUILD", os.path.join(ROOT, "build"))
WORKER = os.path.join(BUILD, "worker/ecosys-worker")
API = os.path.join(BUILD, "api/ecosys-api")
DOCUMENT = os.path.join(ROOT, "docs/benchmarks.md")

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "scripts/lib"))
from private_servers import ServerError  # noqa: E402 (found through the line above)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text):
    """Progress; what was measured goes to standard output."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # the terminal is gone; tidying up goes on


def stop_at_signals():
    """Each signal that asks for an end becomes KeyboardInterrupt."""
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)


def ignore_signals():
    """For tidying up, which a second Ctrl-C must not cut short."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def output_of(*argv):
    """The first line that a program prints; empty when there is no such program."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False)
    except OSError:
        return ""
    return (done.stdout.splitlines() or [""])[0].strip()


def first_match(pattern, path):
    with open(path, encoding="utf-8") as f:
        found = re.search(pattern, f.read(), re.M)
    return found[1] if found else "unknown"


def machine(**programs):
    """What a reader has to know of the machine, and the versions of programs given as name=argv."""
    changed = output_of("git", "status", "--porcelain")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": first_match(r"^model name\s*: (.*)$", "/proc/cpuinfo"),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": first_match(r'^PRETTY_NAME="?(.*?)"?$', "/etc/os-release"),
        "kernel": os.uname().release,
        "load_average": round(os.getloadavg()[0], 1),
        "source": output_of("git", "rev-parse", "--short", "HEAD") + (" and local changes" if changed else ""),
        "versions": {name: output_of(*argv) for name, argv in programs.items()},
    }


def machine_lines(found):
    """machine() as a Markdown list."""
    versions = [f"{name} {re.search(r'[0-9]+([.][0-9]+)+|$', line)[0]}" for name, line in found["versions"].items()]
    return [
        f"- Machine: {found['cores']} cores of {found['cpu']}, {found['memory_bytes'] / 2**30:.1f} GiB of memory, "
        f"{found['system']}, Linux {found['kernel']}; load average before the start {found['load_average']}",
        f"- Versions: {', '.join(versions)}; source {found['source']}",
    ]


def table_lines(headline, rows):
    """A Markdown table, numbers to the right."""
    marks = ["---:" if re.fullmatch(r"[\d.,–-]+", str(cell)) else "---" for cell in rows[0]]
    return [f"| {' | '.join(map(str, cells))} |" for cells in (headline, marks, *rows)]


def write_section(name, text, path=DOCUMENT):
    """Puts text between the two comments of a document that hold the place for it."""
    with open(path, encoding="utf-8") as f:
        document = f.read()
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if len(pattern.findall(document)) != 1:
        raise ValueError(f"{path} does not have exactly one pair of the comments {begin.strip()} {end.strip()}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document))


def plot(script, path):
    """Runs gnuplot; the script draws to standard output."""
    done = subprocess.run(["gnuplot"], input=script.encode(), capture_output=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise OSError(f"gnuplot: {done.stderr.decode(errors='replace').strip()}")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "wb") as f:
        f.write(done.stdout)


def _results(options, measure):
    """What was measured before (--from), or is now, and is kept."""
    if options.source:
        with open(options.source, encoding="utf-8") as f:
            return json.load(f)
    results = measure(options)
    os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
    with open(options.out, "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    say(f"results: {options.out}")
    return results


def run(options, measure, show):
    """What all measurements do: measure(options) gives results, show(results, options) says what they say. The exit
    status."""
    if options.check_usage:
        return 0
    stop_at_signals()
    try:
        show(_results(options, measure), options)
    except KeyboardInterrupt:
        say("bench: stopped; nothing is left running")
        return 1
    except (ServerError, OSError, ValueError) as error:
        say(f"bench: {error}")
        return 1
    return 0
