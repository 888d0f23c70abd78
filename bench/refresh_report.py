"""What results of scripts/bench refresh say: goals, Markdown, the plot. Pure but for draw_and_write."""

import os
import statistics

import common

PHASES = ("connect_ms", "postgresql_ms", "mysql_ms", "score_ms", "answer_ms", "encode_ms", "publish_ms")
FIELDS = ("total_ms", *PHASES, "rows", "bytes", "keys")  # of the worker's line; null where it does not say

# The goals are in units of a bare GROUP BY over the eight event tables on the same servers, since that is known of the
# servers on which the Python service took 6.7 s for an uncached /dashboard: there it took 1.5 s.
UNCACHED_PER_PEER = 6.7 / 1.5
TIME_LIMITS = {True: 0.1 * UNCACHED_PER_PEER, False: 0.3 * UNCACHED_PER_PEER}  # with the recommended indexes, without
TIME_TENANTS = 2_000
GROWTH_LIMIT = 1.3
PEERS = {"through": "read through", "keys": "keys alone", "along": "along the key"}
GOAL_PEER = "through"
WITH = {True: "with", False: "without"}
GIB = 2**30
PLOT = "benchmarks/refresh.svg"  # beside the document


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def refresh_ms(state, field="total_ms"):
    return median(run[field] for run in state["refreshes"])


def peers_ms(state):
    return [median(state["peers_ms"][peer]) for peer in PEERS]


def _state(found, is_indexed):
    return next(state for state in found["states"] if state["recommended_indexes"] == is_indexed)


# ---- Goals


def _goal(what, measured, limit, unit):
    return {
        "goal": what,
        "measured": round(measured, 3),
        "limit": round(limit, 3),
        "unit": unit,
        "met": measured <= limit,
    }


def goals(datasets, memory):
    found = []
    for data in datasets:
        if data["tenants"] == TIME_TENANTS and data["history"] == 1:
            for indexed, limit in TIME_LIMITS.items():
                state = _state(data, indexed)
                found.append(
                    _goal(
                        f"one refresh, {WITH[indexed]} the recommended indexes",
                        refresh_ms(state) / median(state["peers_ms"][GOAL_PEER]),
                        limit,
                        f"× {PEERS[GOAL_PEER]}",
                    )
                )
    for once, tenfold in zip(datasets[::2], datasets[1::2]):
        ratio = refresh_ms(_state(tenfold, True)) / refresh_ms(_state(once, True))
        found.append(
            _goal(
                f"{once['tenants']:,} tenants, ten times the history, with the recommended indexes",
                ratio,
                GROWTH_LIMIT,
                "× once the history",
            )
        )
    if memory:
        worker = max(run["peak_bytes"] for run in memory["refreshes"])
        for what, measured, limit in (
            ("worker, at most resident", worker, 2),
            ("API, at most resident", memory["api_peak_bytes"], 1.5),
            ("Redis, two generations", memory["redis"]["used_memory"], 2),
        ):
            found.append(_goal(what, measured / GIB, limit, "GiB"))
    return found


# ---- Markdown


def _number(value, scale=1.0, digits=2):
    return "–" if value is None else f"{value / scale:,.{digits}f}"


def _s(ms):
    return _number(ms, 1000)


def _goal_lines(found):
    rows = [
        (g["goal"], f"{g['measured']:.3f}", f"{g['limit']:.3f} {g['unit']}", "yes" if g["met"] else "no") for g in found
    ]
    return common.table_lines(("goal", "measured", "at most", "met"), rows) if rows else []


def _all_states(datasets):
    return [(data, state) for data in datasets for state in data["states"]]


def _key(data, state):
    return f"{data['tenants']:,}", f"{data['rows']:,}", WITH[state["recommended_indexes"]]


def _time_rows(datasets):
    for data, state in _all_states(datasets):
        ms, peers = refresh_ms(state), peers_ms(state)
        yield (
            *_key(data, state),
            f"{data['window_rows']:,}",
            _s(ms),
            *map(_s, peers),
            *(f"{ms / peer:.3f}" for peer in peers),
            len(state["refreshes"]),
        )


def _phase_rows(datasets):
    for data, state in _all_states(datasets):
        peak = max(run["peak_bytes"] for run in state["refreshes"])
        yield (
            *_key(data, state),
            *(_number(refresh_ms(state, phase), 1, 0) for phase in PHASES),
            _number(refresh_ms(state), 1, 0),
            _number(refresh_ms(state, "rows"), 1, 0),
            _number(refresh_ms(state, "bytes"), 2**20, 1),
            _number(peak, 2**20, 0),
            *(_number(state[part], 2**20, 0) for part in ("data_bytes", "index_bytes")),
        )


def _time_lines(datasets):
    key = ("tenants", "rows", "recommended indexes")
    peers = list(PEERS.values())
    return [
        "Refreshes and peers, medians in seconds:",
        "",
        *common.table_lines(
            (*key, "rows in 30 days", "refresh", *peers, *(f"÷ {peer}" for peer in peers), "runs"),
            list(_time_rows(datasets)),
        ),
        "",
        "Phases, medians in milliseconds; what is published, the worker's memory, tables and keys in MiB:",
        "",
        *common.table_lines(
            (
                *key,
                *(phase.removesuffix("_ms") for phase in PHASES),
                "total",
                "rows read",
                "published",
                "worker",
                "tables",
                "secondary keys",
            ),
            list(_phase_rows(datasets)),
        ),
        "",
        "Made and loaded in "
        + ", ".join(f"{data['load_s']:.0f} s" for data in datasets)
        + "; recommended indexes added in "
        + ", ".join(f"{data['recommended_indexes_s']:.0f} s" for data in datasets)
        + ".",
    ]


def _memory_lines(memory):
    refreshes = memory["refreshes"]
    return [
        f"{memory['tenants']:,} tenants, {memory['clients']:,} clients, {memory['rows']:,} rows, "
        f"{memory['rows_by_table']['activity_log'][0]:,} of them in activity_log; {memory['window_rows']:,} in the "
        f"last 30 days. Loaded in {memory['load_s']:.0f} s, recommended indexes added in "
        f"{memory['recommended_indexes_s']:.0f} s.",
        "",
        "Two refreshes, phases in milliseconds:",
        "",
        *common.table_lines(
            (*(phase.removesuffix("_ms") for phase in PHASES), "total", "rows read", "published, MiB"),
            [
                (
                    *(_number(run[phase], 1, 0) for phase in PHASES),
                    _number(run["total_ms"], 1, 0),
                    _number(run["rows"], 1, 0),
                    _number(run["bytes"], 2**20, 1),
                )
                for run in refreshes
            ],
        ),
        "",
        "Answers of the API, one each:",
        "",
        *common.table_lines(
            ("GET", "ms", "MiB"),
            [
                (f"`{answer['path']}`", f"{answer['ms']:.1f}", _number(answer["bytes"], 2**20, 1))
                for answer in memory["answers"]
            ],
        ),
    ]


def text(results):
    """All that there is to say, as Markdown."""
    lines = [
        f"- Measured {results['began'][:10]} by `{results['command']}` in {results['seconds'] / 60:.0f} minutes",
        *common.machine_lines(results["machine"]),
        "",
    ]
    if results["datasets"]:
        lines += [*_time_lines(results["datasets"]), ""]
    if results["memory"]:
        lines += [*_memory_lines(results["memory"]), ""]
    return "\n".join([*lines, *_goal_lines(results["goals"])])


# ---- The plot


def plot_script(datasets):
    """Seconds against rows, a line for each number of tenants with and without the recommended indexes."""
    blocks, curves = [], []
    for tenants in dict.fromkeys(data["tenants"] for data in datasets):
        for indexed in (False, True):
            points = [
                (data["rows"], refresh_ms(_state(data, indexed))) for data in datasets if data["tenants"] == tenants
            ]
            name = f"$d{len(blocks)}"
            blocks.append(f"{name} << END\n" + "".join(f"{rows / 1e6} {ms / 1e3}\n" for rows, ms in points) + "END")
            curves.append(
                f"{name} with linespoints linewidth 2 pointtype 7 dashtype {1 if indexed else 2} "
                f'title "{tenants:,} tenants, {WITH[indexed]} the recommended indexes"'
            )
    return "\n".join(
        [
            'set terminal svg size 800,480 font "sans-serif,13" background "white"',
            "set logscale xy",
            "set grid",
            "set key outside below",
            'set xlabel "rows of the event tables, millions"',
            'set ylabel "one refresh, seconds"',
            *blocks,
            "plot " + ", ".join(curves),
            "",
        ]
    )


def draw_and_write(results, plot_path, write_docs):
    """The plot, where there is one to draw, and the document's section."""
    body, datasets = text(results), results["datasets"]
    if datasets and plot_path:
        common.plot(plot_script(datasets), plot_path)
    if write_docs and datasets:
        common.plot(plot_script(datasets), os.path.join(os.path.dirname(common.DOCUMENT), PLOT))
        body += f"\n\n![one refresh against rows of history]({PLOT})"
    if write_docs:
        common.write_section(f"scripts/bench refresh --scale {results['scale']}", body)
