"""What results of scripts/bench serve say: goals and Markdown. Pure."""

import statistics

import common

MIB = 2**20
FIRST_BYTE_LIMIT_MS = 100
ROWS_LIMIT_MS = 20
FLIP_LIMIT = 2


def median(rounds, field):
    return statistics.median(found[field] for found in rounds)


def ratios(above, below, field):
    """A ratio for each round, smallest first."""
    return sorted(a[field] / b[field] for a, b in zip(above, below) if b[field])


def _with_range(values, digits=2):
    if not values:
        return "–"
    return f"{statistics.median(values):.{digits}f} ({values[0]:.{digits}f} – {values[-1]:.{digits}f})"


# ---- Goals


def _goal(what, measured, limit, unit, is_least=False):
    return {
        "goal": what,
        "measured": round(measured, 3),
        "limit": limit,
        "unit": unit,
        "is_least": is_least,
        "met": measured >= limit if is_least else measured <= limit,
    }


def goals(found):
    single = found["throughput"][0]["cases"]
    kinds = found["filters"]["kinds"]
    return [
        *(
            _goal(
                f"{case['case']}, one thread, requests/s",
                statistics.median(ratios(case["api"], case["nginx"], "requests_per_s")),
                1.0,
                "× nginx",
                True,
            )
            for case in single[:2]
        ),
        _goal(
            "any filter without a bucket, first byte, worst p99",
            max(kind["first_p99_ms"] for kind in kinds),
            FIRST_BYTE_LIMIT_MS,
            "ms",
        ),
        _goal(
            "about 2,000 rows without a bucket, complete, worst p99",
            max(kind["last_p99_ms"] for kind in kinds if "2,000 rows" in kind["kind"]),
            ROWS_LIMIT_MS,
            "ms",
        ),
        *(
            _goal(
                f"{case['case']} while generations flip, p99, {data['clients']:,} clients, threads: {data['threads']}",
                statistics.median(ratios(case["flips"], case["quiet"], "p99_ms")),
                FLIP_LIMIT,
                "× without",
            )
            for data in found["flips"]
            for case in data["cases"]
        ),
    ]


# ---- Markdown


def _goal_lines(found):
    rows = [
        (
            g["goal"],
            f"{g['measured']:.2f}",
            f"{'≥' if g['is_least'] else '≤'} {g['limit']} {g['unit']}",
            "yes" if g["met"] else "no",
        )
        for g in found
    ]
    return common.table_lines(("goal", "measured", "limit", "met"), rows)


def _throughput_rows(cases):
    for case in cases:
        nginx, api = case["nginx"], case["api"]
        peer = [f"{median(nginx, 'requests_per_s'):,.0f}"] if nginx else ["–"]
        yield (
            case["case"],
            f"{case['bytes']:,}",
            *peer,
            f"{median(api, 'requests_per_s'):,.0f}",
            _with_range(ratios(api, nginx or [], "requests_per_s")),
            f"{median(nginx, 'cpu_us'):.1f}" if nginx else "–",
            f"{median(api, 'cpu_us'):.1f}",
            _with_range(ratios(api, nginx or [], "cpu_us")),
            f"{median(nginx, 'busy'):.0%}" if nginx else "–",
            f"{median(api, 'busy'):.0%}",
        )


def _place(data):
    if not data["servers_on"]:
        return "servers and wrk on any processor"
    names = ["processor " + ", ".join(map(str, data[side])) for side in ("servers_on", "load_on")]
    return f"servers on {names[0]}, wrk on {names[1]}"


def _throughput_lines(data):
    threads = data["threads"]
    what = "One thread, one worker of nginx" if threads == 1 else f"{threads} threads, {threads} workers of nginx"
    return [
        f"{what}; {data['connections']} connections; {_place(data)}:",
        "",
        *common.table_lines(
            (
                "GET",
                "bytes",
                "nginx, /s",
                "API, /s",
                "÷ nginx",
                "nginx, µs",
                "API, µs",
                "÷ nginx, µs",
                "nginx busy",
                "API busy",
            ),
            list(_throughput_rows(data["cases"])),
        ),
    ]


def _filter_lines(found):
    rows = []
    for kind in found["kinds"]:
        sources = dict(kind["sources"])
        count = sources.pop("COMPUTE", 0)
        rows.append(
            (
                kind["kind"],
                f"{count:,}",
                f"{kind['median_bytes'] / 1024:,.0f}",
                *(f"{kind[f'{which}_p{percent}_ms']:.1f}" for which in ("first", "last") for percent in (50, 99)),
            )
        )
    return [
        f"Filters without a bucket, one after another, {found['clients']:,} clients and {found['tenants']:,} tenants; "
        "milliseconds to the first byte and to the last:",
        "",
        *common.table_lines(("GET", "filters", "KiB", "first, p50", "p99", "last, p50", "p99"), rows),
    ]


def _flip_lines(found):
    rows = []
    for data in found:
        for case in data["cases"]:
            quiet, flips = case["quiet"], case["flips"]
            rows.append(
                (
                    data["threads"],
                    f"{data['clients']:,}",
                    case["case"],
                    f"{median(quiet, 'requests_per_s'):,.0f}",
                    f"{median(quiet, 'p99_ms'):.2f}",
                    f"{median(flips, 'p99_ms'):.2f}",
                    _with_range(ratios(flips, quiet, "p99_ms")),
                    f"{max(r['max_ms'] for r in quiet):.1f}",
                    f"{max(r['max_ms'] for r in flips):.1f}",
                    sum(r["flips"] for r in flips),
                )
            )
    return [
        "A flip a second, milliseconds:",
        "",
        *common.table_lines(
            (
                "threads",
                "clients",
                "GET",
                "asked, /s",
                "p99 without",
                "p99 with",
                "ratio",
                "longest without",
                "longest with",
                "flips",
            ),
            rows,
        ),
    ]


def _burst_lines(found):
    rows = []
    for data in found:
        burst, quiet = data["burst"], data["quiet"]
        rows.append(
            (
                f"{data['clients']:,}",
                f"{median(quiet, 'p99_ms'):.2f}",
                f"{median(burst, 'p99_ms'):.2f}",
                _with_range(ratios(burst, quiet, "p99_ms")),
                *(f"{sum(r[field] for r in burst):,}" for field in ("answered", "refused", "unexpected")),
                *(f"{data[field] / MIB:,.0f}" for field in ("rss_before", "hwm_after", "rss_after")),
            )
        )
    first = found[0]
    return [
        f"`{first['case']}` while {first['connections']:,} connections ask `/clientes` (gzip) for filters that nobody "
        f"asked for before, each {first['pause_ms']} ms after its last answer; milliseconds, and the API's memory in "
        "MiB:",
        "",
        *common.table_lines(
            (
                "clients",
                "p99 without",
                "p99 with",
                "ratio",
                "answered",
                "503 with Retry-After",
                "else",
                "before",
                "at most",
                "after",
            ),
            rows,
        ),
    ]


def _compression_lines(found):
    rows = []
    for data in found:
        ms = {(row["library"], row["level"]): statistics.median(row["ms"]) for row in data["rows"]}
        rows += [
            (
                data["what"],
                f"{row['library']} {row['level']}",
                f"{row['bytes']:,}",
                f"{ms[row['library'], row['level']]:.2f}",
                f"{ms[row['library'], row['level']] / ms['zlib', 6]:.2f}",
            )
            for row in data["rows"]
        ]
    sizes = " and ".join(f"{data['bytes']:,} bytes of `{data['what']}`" for data in found)
    return [
        f"What compressing {sizes} takes and leaves:",
        "",
        *common.table_lines(("body", "library, level", "bytes", "ms", "÷ zlib 6"), rows),
    ]


def _memory_lines(found):
    idle = found["idle"]
    per_thousand = (idle["rss_after"] - idle["rss_before"]) / idle["connections"] * 1000
    rows = [
        (
            f"{data['clients']:,}",
            f"{data['tenants']:,}",
            f"{data['rss_one'] / MIB:,.0f}",
            f"{data['hwm_two'] / MIB:,.0f}",
        )
        for data in found["generations"]
    ]
    return [
        "The API's memory, MiB: resident with one generation, and at most while a second one takes over:",
        "",
        *common.table_lines(("clients", "tenants", "one", "two"), rows),
        "",
        f"{idle['connections']:,} idle keep-alive connections, each of which has asked once: "
        f"{per_thousand / MIB:.1f} MiB for 1,000.",
    ]


def text(results):
    """All that there is to say, as Markdown."""
    scale = results["scale"]
    lines = [
        f"- Measured {results['began'][:10]} by `{results['command']}` in {results['seconds'] / 60:.0f} minutes: "
        f"{scale['rounds']} rounds of {scale['seconds']} s for each side of a comparison; load average at the end, "
        f"this run's own included, {results['load_after']}",
        *common.machine_lines(results["machine"]),
        "",
    ]
    parts = [
        *map(_throughput_lines, results["throughput"]),
        _filter_lines(results["filters"]),
        _compression_lines(results["compression"]),
        _flip_lines(results["flips"]),
        _burst_lines(results["bursts"]),
        _memory_lines(results),
        _goal_lines(results["goals"]),
    ]
    return "\n".join(lines) + "\n" + "\n\n".join("\n".join(part) for part in parts)
